/* SPDX-License-Identifier: MIT */
/* One VM of QEMU, as the backend calls it. */
#ifndef KVM_VM_H
#define KVM_VM_H

#include "kvm.h"

struct kvm_vm *kvm_vm_new(struct kvm *kvm, uint32_t slot, const char *name,
			  const struct backend_vm_settings *settings, uint64_t max_pages);
void kvm_vm_free(struct kvm_vm *vm);
/* Once an interval. `want_stats`: the balloon's statistics are to be asked for. */
void kvm_vm_check(struct kvm_vm *vm, bool want_stats);
enum poise_err kvm_vm_resize(struct kvm_vm *vm, uint64_t target_pages, uint64_t epoch);
enum poise_err kvm_vm_measure(const struct kvm_vm *vm, uint64_t *pages);
void kvm_vm_status(const struct kvm_vm *vm, struct backend_status *out);
void kvm_vm_pages(const struct kvm_vm *vm, struct backend_pages *out);

#endif
