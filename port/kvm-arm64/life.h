/* SPDX-License-Identifier: MIT */
/* Whether a VM is there: its process, the size that it has by it, its end. */
#ifndef KVM_LIFE_H
#define KVM_LIFE_H

#include "kvm.h"

/* Looks in a row before freed memory counts as not freed. */
#define KVM_NOT_FREED_CHECKS 3u

/* The VM's size by the host's count: what QEMU says, or what its process holds if that is more. */
uint64_t kvm_life_size(const struct kvm_vm *vm);

/* It is there and cannot be asked: it is taken in, charged for all that it can have. */
void kvm_life_start_unheard(struct kvm_vm *vm);

/* Takes the process whose end is the VM's, and whose memory is the VM's. `peer`: the one behind the
 * socket; the configuration's file may name another one. */
void kvm_life_adopt(struct kvm_vm *vm, pid_t peer);
/* Reads how much memory the process holds. */
void kvm_life_check(struct kvm_vm *vm);
/* Whether there is no VM though somebody listens at its socket: a relay may. The file that names
 * the VM's process knows better. */
bool kvm_life_is_away(const struct kvm_vm *vm);

/* The VM is no more: everything about it is forgotten, the daemon is told. */
void kvm_life_end(struct kvm_vm *vm);
/* Its process is forgotten; nobody is told. */
void kvm_life_forget(struct kvm_vm *vm);

#endif
