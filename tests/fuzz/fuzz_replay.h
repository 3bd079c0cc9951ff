/* SPDX-License-Identifier: BSD-2-Clause */
/* What libFuzzer calls; fuzz_replay.c stands in for it where there is none. */
#ifndef CW_FUZZ_REPLAY_H
#define CW_FUZZ_REPLAY_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#endif
