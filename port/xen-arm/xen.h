/* SPDX-License-Identifier: MIT */
/*
 * The backend of poised for dom0 of Xen on ARM, for the list in port/daemon/backends.c.
 */
#ifndef XEN_BACKEND_H
#define XEN_BACKEND_H

#include "backend.h"

extern const struct backend xen_backend;

#endif
