/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dump: what a hypervisor's console said of a machine's PCI functions, and of what its partitions
 * see (docs/config.md, "Dumps"). Comes from a log of any kind; other lines are skipped.
 */
#ifndef TOOLS_DUMP_H
#define TOOLS_DUMP_H

#include "config.h"

#define DUMP_FUNCTIONS 1024
#define DUMP_BARS      6
#define DUMP_MACHINE   "-" /* the view that is the machine's own */

enum dump_space { SPACE_NONE, SPACE_IO, SPACE_MEM32, SPACE_MEM64 };

struct dump_bar {
	unsigned space; /* SPACE_NONE with a size: it found no room */
	uint64_t address, size;
};

struct dump_function {
	char view[MAX_NAME + 1];
	int rid;
	uint8_t bytes[4096];
	unsigned length; /* 256, or 4096 when there was more */
	struct dump_bar bars[DUMP_BARS], vf_bars[DUMP_BARS];
};

struct dump {
	const char *file;
	unsigned cores; /* 0: not said */
	uint64_t memory;
	unsigned gic; /* 0: not said */
	bool has_machine, smmu, its;
	struct {
		uint32_t first, count;
	} mapped[8]; /* requester ids that the SMMU sees */
	unsigned mapped_count;
	struct dump_function *functions; /* in the order they came */
	unsigned count, left_out;
};

/* False when there is no dump in the file. The last one of each function counts. */
bool dump_find_in(struct dump *dump, const char *file);
/* The same; dies (EXIT_CONFIG) when there is none. */
void dump_read(struct dump *dump, const char *file);
/*
 * Into the folder, which is made: machine.dump, the lines alone, with `facts` before them;
 * machine.lspci and PARTITION.lspci for `lspci -F`.
 */
void dump_write(const struct dump *dump, const char *folder, const char *facts);

/* --- registers ------------------------------------------------------------------------------- */

uint32_t dump_value(const struct dump_function *function, unsigned at, unsigned bytes);
/* Offset of a capability; 0: none. */
unsigned dump_capability(const struct dump_function *function, uint8_t id);
unsigned dump_extended(const struct dump_function *function, uint16_t id);
bool dump_is_machine(const struct dump_function *function);
bool dump_is_bridge(const struct dump_function *function);
bool dump_is_vf(const struct dump_function *function);
const struct dump_function *dump_find(const struct dump *dump, int rid);
/* Does the SMMU see what this requester does? */
bool dump_is_fenced(const struct dump *dump, int rid);

/* --- dump_machine.c -------------------------------------------------------------------------- */

/* Replaces what a config says of the machine's devices by what the dump says. */
void dump_to_machine(const struct dump *dump, struct machine *machine);
/* QEMU's name of a function of this id; NULL: not one that a config can have. */
const char *dump_model(const struct dump_function *function);

/* --- rules_dump.c ---------------------------------------------------------------------------- */

/* What only a machine's dump can tell: room for BARs, pages that functions share. */
void rules_check_dump(const struct config *config, const struct dump *dump, struct report *report);
/* Why this function cannot be given to anybody whatever the config says; NULL: it can. */
const char *dump_obstacle(const struct dump *dump, const struct dump_function *function);
/* Functions that have a BAR in a page with one of `function`'s, as text; "" when none. */
const char *dump_page_sharers(const struct dump *dump, const struct dump_function *function);

#endif
