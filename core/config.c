/* SPDX-License-Identifier: MIT */
/*
 * Start-up: the configuration is checked and filled in, and an empty pool is made.
 */
#include "internal.h"

/* Fills in defaults and checks ranges. */
static enum poise_err config_complete(struct poise_config *config)
{
	static const struct {
		uint8_t offset, least;
		uint16_t most, standard;
	} tunables[] = {
#define POISE_TUNABLE(field, name, unit, lowest, highest, normal, words) \
	{.offset = offsetof(struct poise_config, field),                 \
	 .least = lowest,                                                \
	 .most = highest,                                                \
	 .standard = normal},
#include "poise_tunables.def"
#undef POISE_TUNABLE
	};
	for (size_t i = 0; i < sizeof(tunables) / sizeof(tunables[0]); i++) {
		void *const at = (char *)config + tunables[i].offset;
		uint32_t value;
		__builtin_memcpy(&value, at, sizeof(value));
		if (value == 0) {
			value = tunables[i].standard;
		}
		__builtin_memcpy(at, &value, sizeof(value));
		if (value < tunables[i].least || value > tunables[i].most) {
			return POISE_E_CONFIG;
		}
	}
	return config->pool_pages == 0 || config->pool_pages > POISE_PAGES_MAX ||
			       config->policy >= POISE_POLICY_COUNT ||
			       (config->rules_off & ~POISE_RULES_NEUTRAL) != 0 ||
			       config->freeze_intervals < config->hold_intervals
		       ? POISE_E_CONFIG
		       : POISE_OK;
}

enum poise_err poise_init(struct poise *p, size_t size, const struct poise_config *config,
			  const struct poise_port *port, void *ctx)
{
	if (p == NULL || config == NULL || port == NULL) {
		return POISE_E_ARG;
	}
	if (size != sizeof(*p)) {
		return POISE_E_CONTEXT;
	}
	struct poise_config complete = *config;
	const enum poise_err err = config_complete(&complete);
	if (err != POISE_OK || port->resize == NULL || port->measure == NULL ||
	    port->notify == NULL || port->event == NULL) {
		return POISE_E_CONFIG;
	}
	__builtin_memset(p, 0, sizeof(*p));
	p->magic = POISE_MAGIC;
	p->config = complete;
	p->port = port;
	p->ctx = ctx;
	p->free_pages = (int64_t)complete.pool_pages;
	poise_emit_data(p, POISE_EVENT_INIT, 0, 0, &p->config);
	return POISE_OK;
}
