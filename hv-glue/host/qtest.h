/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other kind of model: QEMU's own devices, reached from this process. Device access goes
 * through QEMU's `-qtest` socket; the machine's RAM is a file that both map, and a static object of
 * this program is at its own address there. So the rooms' tables, queues and rings are plain memory
 * here, under ASan, and what a device reads and writes is that same memory.
 *
 * Programs that use it are linked at QTEST_PROGRAM and not position-independent (Makefile). The one
 * vCPU that runs waits for interrupts for ever: with -icount sleep=off QEMU's clock then jumps to
 * the next timer, so that a device's 100 ms pass at once.
 *
 * An error here (QEMU missing, ended, silent for 10 s) ends the program with a message.
 */
#ifndef CW_HOST_QTEST_H
#define CW_HOST_QTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QTEST_RAM      0x40000000ul
#define QTEST_RAM_SIZE 0x20000000ul /* 512 MiB: ends below ASan's shadow */
#define QTEST_PROGRAM  0x50000000ul /* this program, in the middle of it */
#define QTEST_FDT      0x48000000ul /* where QEMU puts the machine's device tree */

/* QEMU's `virt` (hw/arm/virt.c). */
#define QTEST_ITS  0x08080000ul
#define QTEST_GICR 0x080a0000ul
#define QTEST_SMMU 0x09050000ul
#define QTEST_ECAM 0x4010000000ul

/*
 * Starts QEMU: `machine` is what follows "-M virt,", `devices` the rest of its options, NULL at the
 * end. Empties the models and routes every device of the machine to it. Its complaints go to
 * build/logs/qtest/NAME.log.
 */
void qtest_start(const char *name, const char *machine, unsigned cores, const char *const *devices);
/* Ends it. Does nothing when it does not run. */
void qtest_stop(void);
/* The first line of what it complained about ("guest errors"), refused DMA aside; "" when nothing.
 */
const char *qtest_complaint(void);

/* Answers of its monitor. `answer` is cut to `size`. */
void qtest_monitor(const char *command, char *answer, size_t size);
/* The devices' clock stands still, or goes on. */
void qtest_freeze(bool frozen);
/*
 * Waits (at most 10 s of the workstation's time) until a register's bits read as `value`: while a
 * timer of the device runs out.
 */
bool qtest_wait32(uintptr_t address, uint32_t mask, uint32_t value);

/* Called before each write that goes to QEMU; NULL: none. Forgotten by qtest_start(). */
void qtest_before_write(void (*hook)(uintptr_t address, uint64_t value));

/* Accesses that went to QEMU since it started. */
uint64_t qtest_accesses(void);

#endif
