/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "pf.h"

void check(const char *name, bool passed);

/* verify.c: the service, running on the other core, must notice what changes under it. */
void test_verify(const struct pf *pf);

#endif
