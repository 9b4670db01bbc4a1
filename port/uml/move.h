/* SPDX-License-Identifier: MIT */
/* What is said to a guest's console, and what becomes of the answers: meeting it, moving memory. */
#ifndef UML_MOVE_H
#define UML_MOVE_H

#include "uml.h"

/* What a guest's channel is opened with. */
extern const struct channel_calls uml_move_calls;

/* The guest's size by the host's count: what was not taken, or what its process holds if that is
 * more. */
uint64_t uml_move_size(const struct uml_vm *vm);

/* Sends what is to be sent next, if anything. */
void uml_move_next(struct uml_vm *vm);

/* Another kernel has been booted: all of its memory is there again. */
void uml_move_restart(struct uml_vm *vm);

/* It is there and cannot be asked: it is taken in, charged for all that it can have. */
void uml_move_start_unheard(struct uml_vm *vm);

#endif
