/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In front of every file that runs at EL2: nothing is linked from elsewhere, so what another file
 * defines is reached directly and not by way of the GOT.
 */
#pragma GCC visibility push(hidden)
