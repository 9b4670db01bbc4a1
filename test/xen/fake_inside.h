/* SPDX-License-Identifier: MIT */
/* What the files of the fake Xen share. */
#ifndef TEST_XEN_FAKE_INSIDE_H
#define TEST_XEN_FAKE_INSIDE_H

#include "fake.h"

extern int fake_faults[FAKE_FAULTS];
void fake_lock(void);
void fake_unlock(void);
/* With the lock held. */
bool fake_introduced(uint32_t domid);
void fake_node_locked(const char *path, const void *bytes, size_t length);
void fake_fire(const char *path);
void fake_store_reset(void);

#endif
