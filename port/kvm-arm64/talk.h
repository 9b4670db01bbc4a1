/* SPDX-License-Identifier: MIT */
/* Requests to QEMU, and what becomes of their answers. */
#ifndef KVM_TALK_H
#define KVM_TALK_H

#include "kvm.h"

/* What a VM's link is opened with. */
extern const struct link_calls kvm_talk_calls;

void kvm_talk_ask(struct kvm_vm *vm, enum kvm_request request);
/* Sends the size that the core wants, if it has not been sent. */
void kvm_talk_send_target(struct kvm_vm *vm);

#endif
