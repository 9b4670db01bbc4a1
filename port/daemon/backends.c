/* SPDX-License-Identifier: MIT */
/* The backends of this build: those whose libraries were there (daemon.mk). */
#include "backend.h"

#ifdef POISED_KVM
extern const struct backend kvm_backend;
#endif
#ifdef POISED_UML
extern const struct backend uml_backend;
#endif
#ifdef POISED_XEN
extern const struct backend xen_backend;
#endif

const struct backend *const backends[] = {
#ifdef POISED_KVM
	&kvm_backend,
#endif
#ifdef POISED_UML
	&uml_backend,
#endif
#ifdef POISED_XEN
	&xen_backend,
#endif
	NULL,
};
