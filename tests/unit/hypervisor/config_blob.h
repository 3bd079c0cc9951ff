/* SPDX-License-Identifier: BSD-2-Clause */
/* A resolved config as `causeway pack` writes it, to be spoiled by a test. */
#ifndef CW_CONFIG_BLOB_H
#define CW_CONFIG_BLOB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <libfdt.h>

#include "config.h"
#include "models.h"

#define CORES 8

extern uint8_t blob[16384];
extern struct config config;

/* Red and blue, two devices and two cores each, joined by two wires. */
void write_good(void);
/* `count` partitions p0 ... of two cores each, without devices or wires. */
void write_partitions(unsigned count);
/* One more wire, in a blob that was written. */
void add_wire(const char *name, uint32_t from, uint32_t to);

int at(const char *path);
/* `bytes`, or a number of `size` bytes, or nothing. */
void set(const char *path, const char *name, const char *bytes, int size, uint64_t number);
void accepted(void);
void refused(const char *line);

#endif
