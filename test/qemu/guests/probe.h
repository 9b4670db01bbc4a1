/* SPDX-License-Identifier: MIT */
/*
 * What the probe guest and the tests in the monitor agree on.
 */
#ifndef PROBE_H
#define PROBE_H

#define PROBE_SHARED   0x80020000u /* one page: words that the tests read from outside */
#define PROBE_PROGRESS 0           /* word: turns of the loop */
#define PROBE_RESULT   1           /* words from here: measurements */
#define PROBE_GUEST    0x80021000u /* the pages that probes register */
#define PROBE_HOST     0x80022000u
#define PROBE_BUFFER   0x80100000u /* from here on memory is the probe's to play with */
#define PROBE_PATTERN  UINT64_C(0x5ec2e7005ec2e700)

#endif
