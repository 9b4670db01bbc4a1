/* SPDX-License-Identifier: MIT */
/* Layout of the registers that vectors.S saves, for assembly and C; asserted against in irq.c. */
#ifndef GUEST_FRAME_H
#define GUEST_FRAME_H

#define FRAME_X     0
#define FRAME_ELR   248
#define FRAME_SPSR  256
#define FRAME_BYTES 272

#ifndef __ASSEMBLER__
#include <stdint.h>

struct guest_frame {
	uint64_t x[31];
	uint64_t elr;
	uint64_t spsr;
	uint64_t reserved; /* keeps the stack pointer 16-byte aligned */
};
#endif

#endif
