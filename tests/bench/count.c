/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A QEMU plugin that counts what runs at EL2, vCPU by vCPU: how many instructions between two
 * places, and the longest stretch that nothing interrupts. Arguments, addresses in hexadecimal:
 *     code=FROM-TO           the hypervisor's text
 *     out=FILE               where the figures go when QEMU ends
 *     yield=A:A:...          here interrupts are taken, or waited for
 *     forget=A:A:...         what ran until here, since the last such place, is left out of that
 *     NAME=START/END:END:... counts from the instruction at START to the one at an END
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

int qemu_plugin_version = QEMU_PLUGIN_API;

#define VCPUS  16
#define ENDS   16
#define SPANS  8
#define YIELDS 32
#define PATHS  64

struct span {
	const char *name;
	uint64_t start, end[ENDS];
	unsigned ends;
	uint64_t count, total, longest, since[VCPUS]; /* since: 0 outside */
};

static uint64_t code_from, code_to, yields[YIELDS], forgotten[YIELDS];
static unsigned yield_count, forget_count, span_count;
static struct span spans[SPANS];
static const char *out;

static struct {
	uint64_t executed;	    /* at EL2, from the reset on */
	uint64_t stretch, began_at; /* since the last place that yields */
	bool has_guest;		    /* a guest ran on it: start-up is over */
	uint64_t last;		    /* the address before this one */
} vcpus[VCPUS];
static struct {
	uint64_t length, from, to;
} longest[PATHS]; /* one for each pair of places */

static void forget(unsigned vcpu)
{
	vcpus[vcpu].stretch = 0;
	vcpus[vcpu].began_at = 0;
}

static void yielded(unsigned vcpu, uint64_t to)
{
	uint64_t length = vcpus[vcpu].stretch, from = vcpus[vcpu].began_at;
	unsigned at = 0;

	forget(vcpu);
	if (!vcpus[vcpu].has_guest || !length) {
		return;
	}
	while (at < PATHS - 1 && longest[at].length &&
	       (longest[at].from != from || longest[at].to != to)) {
		at++;
	}
	if (length > longest[at].length) { /* the last one is for all that found no place */
		longest[at].length = length;
		longest[at].from = from;
		longest[at].to = to;
	}
}

static void guest_runs(unsigned vcpu, void *data)
{
	(void)data;
	if (vcpu < VCPUS && vcpus[vcpu].executed) { /* before that: QEMU's own start code */
		yielded(vcpu, vcpus[vcpu].last);
		vcpus[vcpu].has_guest = true;
	}
}

static void span_step(struct span *span, unsigned vcpu, uint64_t pc)
{
	uint64_t now = vcpus[vcpu].executed;

	if (pc == span->start) {
		span->since[vcpu] = now;
	}
	for (unsigned i = 0; i < span->ends && span->since[vcpu]; i++) {
		if (pc == span->end[i]) {
			uint64_t took = now - span->since[vcpu];

			span->count++;
			span->total += took;
			span->longest = took > span->longest ? took : span->longest;
			span->since[vcpu] = 0;
		}
	}
}

static void hypervisor_runs(unsigned vcpu, void *data)
{
	uint64_t pc = (uintptr_t)data;

	if (vcpu >= VCPUS) {
		return;
	}
	vcpus[vcpu].executed++;
	vcpus[vcpu].stretch++;
	vcpus[vcpu].began_at = vcpus[vcpu].began_at ? vcpus[vcpu].began_at : pc;
	vcpus[vcpu].last = pc;
	for (unsigned i = 0; i < span_count; i++) {
		span_step(&spans[i], vcpu, pc);
	}
	for (unsigned i = 0; i < yield_count; i++) {
		if (pc == yields[i]) {
			yielded(vcpu, pc);
		}
	}
	for (unsigned i = 0; i < forget_count; i++) {
		if (pc == forgotten[i]) {
			forget(vcpu);
		}
	}
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t at = qemu_plugin_tb_vaddr(tb);

	(void)id;
	if (at < code_from || at >= code_to) {
		qemu_plugin_register_vcpu_tb_exec_cb(tb, guest_runs, 0, NULL);
		return;
	}
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		void *pc = (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn);

		qemu_plugin_register_vcpu_insn_exec_cb(insn, hypervisor_runs, 0, pc);
	}
}

static void finished(qemu_plugin_id_t id, void *data)
{
	FILE *file = fopen(out, "w");

	(void)id;
	(void)data;
	if (!file) {
		perror(out);
		return;
	}
	for (unsigned i = 0; i < PATHS; i++) {
		fprintf(file, "masked 1 %" PRIu64 " %" PRIx64 " %" PRIx64 "\n", longest[i].length,
			longest[i].from, longest[i].to);
	}
	for (unsigned i = 0; i < span_count; i++) {
		fprintf(file, "%s %" PRIu64 " %" PRIu64 " 0 0\n", spans[i].name, spans[i].count,
			spans[i].longest);
	}
	fclose(file);
}

/* Numbers separated by colons. */
static unsigned numbers(const char *text, uint64_t *values, unsigned room)
{
	unsigned count = 0;

	while (*text && count < room) {
		char *end;

		values[count++] = strtoull(text, &end, 16);
		text = *end == ':' ? end + 1 : end;
		if (end == text && *text) {
			break;
		}
	}
	return count;
}

static bool understand(char *argument)
{
	char *value = strchr(argument, '='), *rest;

	if (!value) {
		return false;
	}
	*value++ = '\0';
	if (!strcmp(argument, "out")) {
		out = strdup(value);
	} else if (!strcmp(argument, "yield")) {
		yield_count = numbers(value, yields, YIELDS);
	} else if (!strcmp(argument, "forget")) {
		forget_count = numbers(value, forgotten, YIELDS);
	} else if (!strcmp(argument, "code")) {
		code_from = strtoull(value, &rest, 16);
		code_to = *rest == '-' ? strtoull(rest + 1, NULL, 16) : 0;
	} else if (span_count < SPANS) {
		struct span *span = &spans[span_count++];

		span->name = strdup(argument);
		span->start = strtoull(value, &rest, 16);
		span->ends = *rest == '/' ? numbers(rest + 1, span->end, ENDS) : 0;
		return span->ends > 0;
	}
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!understand(argv[i])) {
			fprintf(stderr, "count.so: cannot use '%s'\n", argv[i]);
			return 1;
		}
	}
	if (!out || code_to <= code_from) {
		fprintf(stderr, "count.so: needs code=FROM-TO and out=FILE\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finished, NULL);
	return 0;
}
