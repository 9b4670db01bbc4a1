/* SPDX-License-Identifier: MIT */
/* What the tests of the forecast share: samples, configurations, a VM that is fed sample by sample.
 */
#ifndef FORECAST_SUPPORT_H
#define FORECAST_SUPPORT_H

#include "plan_support.h"

#define ONE_Q16 65536

static inline struct poise_sample sample_of(uint32_t features, const struct poise_abi_guest *body)
{
	return (struct poise_sample){.features = features, .boot_id = 1, .body = *body};
}

static inline struct poise_config config_of(uint32_t interval_ms, uint32_t alpha)
{
	return (struct poise_config){.interval_ms = interval_ms,
				     .alpha_q10 = alpha,
				     .headroom_permille = 100,
				     .pool_pages = POISE_PAGES_MAX};
}

static inline uint32_t random_alpha(uint64_t *seed)
{
	static const uint32_t borders[] = {1, 2, 3, 256, 512, 768, 1022, 1023, 1024};
	const uint64_t pick = random_next(seed) % (2 * ARRAY_SIZE(borders));
	return pick < ARRAY_SIZE(borders) ? borders[pick]
					  : 1 + (uint32_t)(random_next(seed) % 1024);
}

#endif
