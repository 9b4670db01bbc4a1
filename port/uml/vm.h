/* SPDX-License-Identifier: MIT */
/* One guest of User-Mode Linux, as the backend calls it. */
#ifndef UML_VM_H
#define UML_VM_H

#include "uml.h"

struct uml_vm *uml_vm_new(struct uml *uml, uint32_t slot, const char *name,
			  const struct backend_vm_settings *settings, uint64_t max_pages);
void uml_vm_free(struct uml_vm *vm);
/* Once an interval. */
void uml_vm_check(struct uml_vm *vm);
enum poise_err uml_vm_resize(struct uml_vm *vm, uint64_t target_pages, uint64_t epoch);
enum poise_err uml_vm_measure(const struct uml_vm *vm, uint64_t *pages);
void uml_vm_status(const struct uml_vm *vm, struct backend_status *out);
void uml_vm_pages(const struct uml_vm *vm, struct backend_pages *out);
bool uml_vm_identity(const struct uml_vm *vm, char text[BACKEND_NAME_MAX]);

#endif
