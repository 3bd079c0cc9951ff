/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-up on one page: boot_main() at the end of this file. */
#include "arch.h"

#include "clock.h"
#include "config.h"
#include "console.h"
#include "fit.h"
#include "glue.h"
#include "log.h"
#include "machine.h"

static struct machine machine;
static struct config config;
static struct dt_node fit;
extern char __image_start[], __image_end[];

/* Nothing was started: say why, and end with a failing status. */
#define give_up(...) (log_error("cannot start: " __VA_ARGS__), firmware_power_off(true))

static void map_ranges(const struct range *ranges, unsigned count, enum map_kind kind)
{
	for (; count; count--, ranges++) {
		mmu_map((pa_t){ranges->base}, ranges->size, kind);
	}
}

static void find_machine(const void *fdt)
{
	enum status status = machine_read(&machine, fdt);

	if (machine.uart.size) {
		mmu_map((pa_t){machine.uart.base}, PAGE_SIZE, MAP_DEVICE);
		console_init((mmio_t){machine.uart.base});
	}
	log_info("Causeway, %u cores, SMMU %s, ITS %s", machine.core_count,
		 machine.smmu.size ? "yes" : "no", machine.its.size ? "yes" : "no");
	if (status != STATUS_OK) {
		give_up("the device tree lacks memory, cores or a GICv3, or reserves too much");
	}
	map_ranges(&machine.gicd, 1, MAP_DEVICE);
	map_ranges(machine.gicr.ranges, machine.gicr.count, MAP_DEVICE);
	map_ranges(machine.ecam.ranges, machine.ecam.count, MAP_CONFIG);
	map_ranges(&machine.its, 1, MAP_DEVICE);
	map_ranges(&machine.smmu, 1, MAP_DEVICE);
	/* From here on no DMA lands, whatever a firmware left running. */
	if (machine.smmu.size && iommu_block_all((mmio_t){machine.smmu.base}) != STATUS_OK) {
		give_up("the SMMU does not block DMA");
	}
}

static void find_memory(const void *fdt)
{
	struct ranges *memory = &machine.memory;

	free_memory_remove(memory, pa_of(__image_start).v, (uint64_t)(__image_end - __image_start));
	for (unsigned i = 0; i < machine.reserved.count; i++) {
		const struct range *range = &machine.reserved.ranges[i];

		free_memory_remove(memory, range->base & ~(uint64_t)(PAGE_SIZE - 1),
				   align_up(range->size, PAGE_SIZE) + PAGE_SIZE);
	}
	if (machine.fit) { /* loaders like to reserve it */
		uint64_t start = pa_of(machine.fit).v & ~(uint64_t)(PAGE_SIZE - 1);
		uint64_t end = align_up(pa_of(machine.fit).v + machine.fit_size, PAGE_SIZE);

		mmu_map((pa_t){start}, end - start, MAP_READ_ONLY);
		free_memory_remove(memory, start, end - start);
	}
	/* mapped read-only since start.S, with what surrounds it */
	free_memory_remove(memory, pa_of(fdt).v & ~(MIB(2) - 1), MIB(4));
	map_ranges(memory->ranges, memory->count, MAP_DATA);
}

static void read_config(void)
{
	struct fit_image image;

	if (!machine.fit || dt_open(&fit, machine.fit, machine.fit_size) != STATUS_OK) {
		give_up("no FIT image with partitions was given as initrd; make one with 'causeway "
			"pack'");
	}
	if (fit_image(fit, "config", &image) != STATUS_OK ||
	    config_read(&config, image.data, image.size, machine.core_count) != STATUS_OK) {
		give_up("the config in the FIT image is not usable; no partition was started");
	}
}

static void find_cores(void)
{
	core_count = cores_find(machine.affinities, machine.core_count, &machine.gicr);
	if (core_count < machine.core_count) {
		give_up("core %u has no redistributor", core_count);
	}
	gic_distributor_init((mmio_t){machine.gicd.base});
	core_init(&cores[0]);
}

static void start_legs(void)
{
	struct glue_machine legs = {
		.host_bridge = &machine.host_bridge,
		.smmu = {machine.smmu.base},
		.smmu_size = machine.smmu.size,
		.its = {machine.its.base},
		.cores = core_count,
		.wires = config.wires,
		.wire_count = config.wire_count,
		.dump_pci = config.dump_pci,
	};

	for (unsigned i = 0; i < core_count; i++) {
		legs.redistributors[i] = cores[i].redistributor;
	}
	if (glue_start(&legs, &partition_hooks) != STATUS_OK) {
		give_up("the device legs did not come up");
	}
}

static bool is_online(void *core)
{
	return __atomic_load_n(&((struct core *)core)->online, __ATOMIC_ACQUIRE);
}

static void start_cores(void)
{
	if (partition_hooks.core_up(0) != STATUS_OK) {
		log_error("core 0: its redistributor takes no LPIs");
	}
	for (unsigned i = 1; i < core_count; i++) {
		if (core_power_on(&cores[i]) != STATUS_OK ||
		    clock_poll(is_online, &cores[i], CLOCK_SECOND) != STATUS_OK) {
			give_up("core %u does not come up", i);
		}
	}
	partition_hooks.cores_up();
}

static void start_partitions(void)
{
	for (unsigned i = 0; i < partition_count; i++) {
		partition_request(&partitions[i], REQUEST_START);
	}
}

_Noreturn void boot_main(const void *fdt)
{
	find_machine(fdt);
	find_memory(fdt);
	find_cores();
	read_config();
	partitions_init(&config, &machine.memory,
			(pa_t){machine.its.size ? machine.its.base + 0x10000 : 0});
	start_legs();
	if (partitions_check_images(fit) == 0) {
		give_up("no partition can be started");
	}
	interrupt_listen(&machine.smmu_event, partition_hooks.device_interrupt, HV_EXIT_OTHER);
	interrupt_listen(&machine.smmu_error, partition_hooks.device_interrupt, HV_EXIT_OTHER);
	start_cores();
	start_partitions();
	interrupt_listen(&machine.uart_interrupt, console_input, HV_EXIT_CONSOLE);
	console_enable_input();
	core_leave_guest(); /* off the small stack of the boot */
}
