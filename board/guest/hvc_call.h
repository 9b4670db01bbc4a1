/* SPDX-License-Identifier: MIT */
/* One hypercall, as board/hvc.h defines the calling convention. */
#ifndef GUEST_HVC_CALL_H
#define GUEST_HVC_CALL_H

#include "../hvc.h"

struct hvc_result {
	int64_t status; /* HVC_OK or an error */
	uint64_t value;
};

static inline struct hvc_result hvc_call(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	return (struct hvc_result){.status = (int64_t)x0, .value = x1};
}

#endif
