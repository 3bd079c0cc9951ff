/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A QEMU plugin that says whose instructions were executed: counted by the block of 2 MiB of
 * physical memory that they lie in, which is one partition's or the hypervisor's.
 *
 * Arguments, addresses in hexadecimal:
 * - ram=ADDRESS: where the machine's RAM begins.
 * - code=FROM-TO: the hypervisor's text, mapped where it lies: tells where QEMU keeps RAM.
 * - at=ADDRESS: the counts are written each time the instruction there is executed.
 * - each=ADDRESS: the same, but every time behind what was written before.
 * - count=ADDRESS:...: how often the instructions there were executed, at most EVENTS of them.
 * - out=FILE: a 64-bit count for each block, one for what lies elsewhere, EVENTS more.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu_plugin.h"

int qemu_plugin_version = QEMU_PLUGIN_API;

#define BLOCK  (2u << 20)
#define BLOCKS 4096u /* 8 GiB */
#define EVENTS 8u

/* Blocks, elsewhere, events; one thread executes all vCPUs under icount. */
static uint64_t counts[BLOCKS + 1 + EVENTS];
static uint64_t ram, code_from, code_to, at, each;
static uint64_t events[EVENTS]; /* addresses */
static unsigned event_count;
static uint64_t host; /* of the machine's RAM; 0: not known yet */
static int out = -1;

/* What a translation block adds, and to which count. */
#define ADDS(block, count) ((void *)(uintptr_t)((uint64_t)(block) << 32 | (count)))

static void add(unsigned vcpu, void *data)
{
	(void)vcpu;
	counts[(uintptr_t)data >> 32] += (uint32_t)(uintptr_t)data;
}

static void write_counts(unsigned vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	if (pwrite(out, counts, sizeof(counts), 0) != (ssize_t)sizeof(counts)) {
		perror("split.so");
	}
}

static void append_counts(unsigned vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	if (write(out, counts, sizeof(counts)) != (ssize_t)sizeof(counts)) {
		perror("split.so");
	}
}

static void count_event(unsigned vcpu, void *data)
{
	(void)vcpu;
	++*(uint64_t *)data;
}

static void watch(struct qemu_plugin_insn *insn)
{
	uint64_t address = qemu_plugin_insn_vaddr(insn);

	if (address == at) {
		qemu_plugin_register_vcpu_insn_exec_cb(insn, write_counts, 0, NULL);
	}
	if (address == each) {
		qemu_plugin_register_vcpu_insn_exec_cb(insn, append_counts, 0, NULL);
	}
	for (unsigned i = 0; i < event_count; i++) {
		if (address == events[i]) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, count_event, 0,
							       &counts[BLOCKS + 1 + i]);
		}
	}
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
	uint64_t vaddr = qemu_plugin_insn_vaddr(first);
	uint64_t haddr = (uintptr_t)qemu_plugin_insn_haddr(first), block = BLOCKS;
	bool ours = vaddr >= code_from && vaddr < code_to;

	(void)id;
	if (!host && haddr && ours) {
		host = haddr - (vaddr - ram);
	}
	if (host && haddr >= host && (haddr - host) / BLOCK < BLOCKS) {
		block = (haddr - host) / BLOCK;
	}
	qemu_plugin_register_vcpu_tb_exec_cb(tb, add, 0, ADDS(block, qemu_plugin_tb_n_insns(tb)));
	for (size_t i = 0; ours && i < qemu_plugin_tb_n_insns(tb); i++) {
		watch(qemu_plugin_tb_get_insn(tb, i));
	}
}

static bool understand(const char *argument)
{
	char *end;

	if (!strncmp(argument, "ram=", 4)) {
		ram = strtoull(argument + 4, &end, 16);
		return !*end;
	}
	if (!strncmp(argument, "at=", 3)) {
		at = strtoull(argument + 3, &end, 16);
		return !*end;
	}
	if (!strncmp(argument, "each=", 5)) {
		each = strtoull(argument + 5, &end, 16);
		return !*end;
	}
	if (!strncmp(argument, "count=", 6)) {
		for (end = (char *)argument + 5; *end && event_count < EVENTS;) {
			events[event_count++] = strtoull(end + 1, &end, 16);
		}
		return !*end;
	}
	if (!strncmp(argument, "code=", 5)) {
		code_from = strtoull(argument + 5, &end, 16);
		code_to = *end == '-' ? strtoull(end + 1, &end, 16) : 0;
		return !*end;
	}
	if (!strncmp(argument, "out=", 4)) {
		out = open(argument + 4, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		return out >= 0;
	}
	return false;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!understand(argv[i])) {
			fprintf(stderr, "split.so: cannot use '%s'\n", argv[i]);
			return 1;
		}
	}
	if (!ram || (!at && !each) || out < 0 || code_to <= code_from) {
		fprintf(stderr, "split.so: needs ram, code, at or each, and out\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
