/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes sense about the partitions: their memory and cores.
 * A value that is missing or has the wrong shape was reported by schema_check() and is skipped.
 */
#include "rules.h"

#include <string.h>

typedef unsigned long long ull;

/* --- cores ---------------------------------------------------------------------------------- */

static const char *free_cores(const struct config *config)
{
	uint32_t used = 0;
	const char *list = "";

	for (unsigned i = 0; i < config->partition_count; i++) {
		for (unsigned j = 0; j < config->partitions[i].vcpus; j++) {
			uint32_t core = config->partitions[i].cores[j];

			used |= core < MAX_CORES ? 1u << core : 0;
		}
	}
	for (unsigned core = 0; core < config->machine.cores && core < MAX_CORES; core++) {
		if (!(used & 1u << core)) {
			list = keep_printf("%s%s%u", list, *list ? " " : "", core);
		}
	}
	return *list ? keep_printf("free: %s", list) : "none is free: give the machine more";
}

/* The partition that has this core already, before the partition's own vCPU; NULL: none. */
static const char *core_owner(const struct config *config, unsigned partition, unsigned vcpu)
{
	for (unsigned i = 0; i <= partition; i++) {
		const struct partition *other = &config->partitions[i];
		unsigned count = i == partition ? vcpu : other->vcpus;

		for (unsigned j = 0; j < count; j++) {
			if (other->cores[j] == config->partitions[partition].cores[vcpu]) {
				return other->path;
			}
		}
	}
	return NULL;
}

static void core_rules(const struct config *config, unsigned index, struct report *report)
{
	const struct partition *partition = &config->partitions[index];

	for (unsigned i = 0; i < partition->vcpus; i++) {
		const char *owner = core_owner(config, index, i);
		uint32_t core = partition->cores[i];

		if (config->machine.cores && core >= config->machine.cores) {
			report_add(report, SEVERITY_RULE, partition->path,
				   "core %u, but the machine has cores 0 to %u", core,
				   config->machine.cores - 1);
			report_fix(report, "take one that exists (%s), or raise cores in /machine",
				   free_cores(config));
		}
		if (owner) {
			report_add(report, SEVERITY_RULE, partition->path,
				   "core %u is used already by %s", core, owner);
			report_fix(report, "give each core to one vCPU (%s)", free_cores(config));
		}
	}
	if (partition->cores_left_out) {
		report_add(report, SEVERITY_RULE, partition->path, "%u cores",
			   partition->vcpus + partition->cores_left_out);
		report_fix(report, "a partition has at most %d vCPUs", MAX_VCPUS);
	}
}

/* --- memory --------------------------------------------------------------------------------- */

struct range {
	const char *what;
	uint64_t base, size;
};

/* True when they share a byte; safe against wrap-around. */
static bool overlap(const struct range *a, const struct range *b)
{
	return a->size && b->size &&
	       (a->base < b->base ? b->base - a->base < a->size : a->base - b->base < b->size);
}

static struct range pinned(const struct partition *partition)
{
	return (struct range){partition->path, partition->memory_at, partition->memory_size};
}

static void report_overlap(const struct partition *partition, const struct range *with,
			   struct report *report)
{
	struct range own = pinned(partition);

	if (!overlap(&own, with)) {
		return;
	}
	report_add(report, SEVERITY_RULE, partition->path,
		   "memory 0x%llx to 0x%llx overlaps that of %s, 0x%llx to 0x%llx", (ull)own.base,
		   (ull)(own.base + own.size - 1), with->what, (ull)with->base,
		   (ull)(with->base + with->size - 1));
	report_fix(report, "move memory-at, or leave it out: the hypervisor then finds a place");
}

static void pinned_rules(const struct config *config, unsigned index, uint64_t fit_size,
			 struct report *report)
{
	const struct partition *partition = &config->partitions[index];
	const struct range reserved[] = {
		{"the hypervisor", MACHINE_RAM_BASE, MACHINE_HYPERVISOR_SIZE},
		{"the FIT and the machine's device tree", MACHINE_FIT_BASE,
		 fit_size + MACHINE_DTB_SIZE},
	};
	uint64_t ram = config->machine.memory_size, at = partition->memory_at;

	if (at % BLOCK) {
		report_add(report, SEVERITY_RULE, partition->path,
			   "memory-at 0x%llx is not a multiple of 2 MiB", (ull)at);
		report_fix(report, "use 0x%llx", (ull)(at / BLOCK * BLOCK));
	}
	if (ram && (at < MACHINE_RAM_BASE || at - MACHINE_RAM_BASE >= ram ||
		    partition->memory_size > ram - (at - MACHINE_RAM_BASE))) {
		report_add(report, SEVERITY_RULE, partition->path,
			   "memory at 0x%llx, 0x%llx bytes, is not all inside the machine's RAM",
			   (ull)at, (ull)partition->memory_size);
		report_fix(report, "RAM is 0x%llx to 0x%llx", MACHINE_RAM_BASE,
			   (ull)(MACHINE_RAM_BASE + ram - 1));
	}
	for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		report_overlap(partition, &reserved[i], report);
	}
	for (unsigned i = 0; i < index; i++) {
		if (config->partitions[i].has_memory_at) {
			struct range other = pinned(&config->partitions[i]);

			report_overlap(partition, &other, report);
		}
	}
}

static void memory_rules(const struct config *config, unsigned index, uint64_t fit_size,
			 struct report *report)
{
	const struct partition *partition = &config->partitions[index];
	uint64_t size = partition->memory_size, ram = config->machine.memory_size;

	if (size % BLOCK || (size == 0 && partition->has_memory_size)) {
		report_add(report, SEVERITY_RULE, partition->path,
			   "memory-size 0x%llx is not a multiple of 2 MiB, and at least that",
			   (ull)size);
		report_fix(report, "use 0x%llx", (ull)(size / BLOCK + 1) * BLOCK);
	}
	if (ram && size > ram) {
		report_add(report, SEVERITY_RULE, partition->path,
			   "memory-size 0x%llx is more than the machine has (0x%llx)", (ull)size,
			   (ull)ram);
		report_fix(report, "use less, or raise memory-size in /machine");
	}
	if (partition->has_memory_at) {
		pinned_rules(config, index, fit_size, report);
	}
}

static void memory_sum_rule(const struct config *config, uint64_t fit_size, struct report *report)
{
	uint64_t kept = MACHINE_HYPERVISOR_SIZE + fit_size + MACHINE_DTB_SIZE;
	uint64_t ram = config->machine.memory_size, sum = 0;

	for (unsigned i = 0; i < config->partition_count; i++) {
		uint64_t size = config->partitions[i].memory_size;

		sum = size > MACHINE_MEMORY_MAX ? MACHINE_MEMORY_MAX : sum + size;
	}
	if (ram && sum > (ram > kept ? ram - kept : 0)) {
		report_add(report, SEVERITY_RULE, "/partitions",
			   "the partitions take 0x%llx bytes, but the machine has 0x%llx, of which "
			   "0x%llx are the hypervisor's and the FIT's",
			   (ull)sum, (ull)ram, (ull)kept);
		report_fix(report, "make partitions smaller, or memory-size in /machine larger");
	}
}

/* --- partitions ----------------------------------------------------------------------------- */

static void command_line_rule(const struct config *config, unsigned index, struct report *report)
{
	const struct partition *partition = &config->partitions[index];
	const char *text = partition->command_line;

	if (text && strlen(text) > MAX_COMMAND_LINE) {
		report_add(report, SEVERITY_RULE, partition->path,
			   "the command line has %zu characters", strlen(text));
		report_fix(report, "Linux takes at most %d", MAX_COMMAND_LINE);
	}
}

/* Names by which others are known: who is called hv could speak for the hypervisor. */
static void name_rule(const struct partition *partition, struct report *report)
{
	static const struct {
		const char *name, *whose;
	} taken[] = {
		{"hv", "the hypervisor's lines on the console"},
		{"machine", "the machine's files of a dump"},
	};

	for (unsigned i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (strcmp(partition->name, taken[i].name) == 0) {
			report_add(report, SEVERITY_SHAPE, partition->path,
				   "the name is that of %s", taken[i].whose);
			report_fix(report, "choose another");
		}
	}
}

void rules_check(struct config *config, uint64_t fit_size, struct report *report)
{
	if (!config->machine.measured) {
		rules_check_machine(&config->machine, report);
	}
	for (unsigned i = 0; i < config->partition_count; i++) {
		name_rule(&config->partitions[i], report);
		core_rules(config, i, report);
		memory_rules(config, i, fit_size, report);
		command_line_rule(config, i, report);
		rules_check_devices(config, i, report);
	}
	rules_check_wires(config, report);
	if (config->partitions_left_out) {
		report_add(report, SEVERITY_RULE, "/partitions", "%u partitions",
			   config->partition_count + config->partitions_left_out);
		report_fix(report, "the hypervisor runs at most %d", MAX_PARTITIONS);
	}
	if (config->partition_count == 0) {
		report_add(report, SEVERITY_RULE, "/partitions", "there is no partition");
		report_fix(report,
			   "describe at least one (config/no-devices.dts is a small start)");
	}
	memory_sum_rule(config, fit_size, report);
}
