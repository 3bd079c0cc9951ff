/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's device tree: QEMU's `virt` is understood; what it lacks is absent, not guessed. */
#include "hv_fixture.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "tree.h"

static uint8_t blob[16384];
static struct machine machine;

static void device(const char *name, const char *compatible, uint32_t base, uint32_t size)
{
	tree_node(name);
	tree_text("compatible", compatible);
	TREE_CELLS("reg", 0, base, 0, size);
}

static void write_tree(unsigned cpus)
{
	static const char names[] = "eventq\0priq\0cmdq-sync\0gerror";
	char name[16];

	models_reset();
	tree_begin(blob, sizeof(blob), 0x48000000, 0x10000);
	tree_text("compatible", "linux,dummy-virt");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	tree_node("chosen");
	tree_u32("linux,initrd-start", 0x48000000);
	tree_u32("linux,initrd-end", 0x48123456);
	tree_close();
	tree_node("cpus");
	tree_u32("#address-cells", 1);
	tree_u32("#size-cells", 0);
	for (unsigned i = 0; i < cpus; i++) {
		snprintf(name, sizeof(name), "cpu@%x", i);
		tree_node(name);
		tree_text("device_type", "cpu");
		tree_u32("reg", i / 4 << 8 | i % 4);
		tree_close();
	}
	tree_node("cpu-map");
	tree_close();
	tree_close();
	tree_node("memory@40000000");
	tree_text("device_type", "memory");
	TREE_CELLS("reg", 0, 0x40000000, 1, 0, 2, 0, 0, 0x80000000);
	tree_close();
	tree_node("reserved-memory");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	tree_node("firmware@60000000");
	TREE_CELLS("reg", 0, 0x60000000, 0, 0x200000);
	tree_close();
	tree_close();
	device("pl011@9000000", "arm,pl011", 0x9000000, 0x1000);
	TREE_CELLS("interrupts", 0, 1, 4);
	tree_close();
	device("smmuv3@9050000", "arm,smmu-v3", 0x9050000, 0x20000);
	TREE_CELLS("interrupts", 0, 74, 1, 0, 75, 1, 0, 76, 1, 0, 77, 1);
	tree_bytes("interrupt-names", names, sizeof(names));
	tree_close();
	tree_node("intc@8000000");
	tree_text("compatible", "arm,gic-v3");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	TREE_CELLS("reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0xf60000, 0x40, 0, 0,
		   0x400000);
	device("its@8080000", "arm,gic-v3-its", 0x8080000, 0x20000);
	tree_close();
	tree_close();
	device("pcie@10000000", "pci-host-ecam-generic", 0x3f000000, 0x1000000);
	tree_close();
	tree_end();
	tree_edit();
}

static int at(const char *path)
{
	int node = fdt_path_offset(blob, path);

	assert_true(node >= 0);
	return node;
}

static void gone(const char *path)
{
	write_tree(4);
	assert_int_equal(fdt_del_node(blob, at(path)), 0);
}

static void good(void **state)
{
	(void)state;
	write_tree(6);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.core_count, 6);
	assert_int_equal(machine.affinities[5], 0x101);
	assert_int_equal(machine.memory.count, 2);
	assert_int_equal(machine.memory.ranges[0].size, 0x100000000);
	assert_int_equal(machine.memory.ranges[1].base, 0x200000000);
	assert_int_equal(machine.reserved.count, 2);
	assert_int_equal(machine.reserved.ranges[0].base, 0x48000000);
	assert_int_equal(machine.reserved.ranges[1].size, 0x200000);
	assert_int_equal(machine.uart.base, 0x9000000);
	assert_int_equal(machine.uart_interrupt.intid, 33);
	assert_false(machine.uart_interrupt.edge);
	assert_int_equal(machine.smmu.size, 0x20000);
	assert_int_equal(machine.smmu_event.intid, 106);
	assert_int_equal(machine.smmu_error.intid, 109);
	assert_true(machine.smmu_event.edge && machine.smmu_error.edge);
	assert_int_equal(machine.gicd.base, 0x8000000);
	assert_int_equal(machine.gicr.count, 2);
	assert_int_equal(machine.gicr.ranges[1].base, 0x4000000000);
	assert_int_equal(machine.its.base, 0x8080000);
	assert_int_equal(machine.ecam.count, 1);
	assert_int_equal(machine.host_bridge.depth, 2);
	assert_string_equal(dt_name(machine.host_bridge.path[1]), "pcie@10000000");
	assert_int_equal(pa_of(machine.fit).v, 0x48000000);
	assert_int_equal(machine.fit_size, 0x123456);
}

static void lacking_what_it_must_have(void **state)
{
	static const char *const needed[] = {"/cpus", "/memory@40000000", "/intc@8000000"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(needed); i++) {
		gone(needed[i]);
		assert_int_equal(machine_read(&machine, blob), STATUS_INVALID);
	}
	write_tree(4);
	assert_int_equal(fdt_setprop(blob, at("/intc@8000000"), "reg", blob, 16), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_INVALID); /* no redistributors */
	write_tree(0);
	assert_int_equal(machine_read(&machine, blob), STATUS_INVALID);
	write_tree(4);
	assert_int_equal(fdt_delprop(blob, at("/memory@40000000"), "reg"), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_INVALID);
	write_tree(4);
	blob[0] ^= 1;
	assert_int_equal(machine_read(&machine, blob), STATUS_INVALID);
}

static void lacking_what_it_may_lack(void **state)
{
	(void)state;
	gone("/smmuv3@9050000");
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.smmu.size | machine.smmu_event.intid | machine.smmu_error.intid,
			 0);
	gone("/intc@8000000/its@8080000");
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.its.size, 0);
	gone("/pcie@10000000");
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.ecam.count | machine.host_bridge.depth, 0);
	gone("/pl011@9000000");
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.uart.size | machine.uart_interrupt.intid, 0);
	gone("/chosen");
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_null(machine.fit);
	gone("/reserved-memory");
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.reserved.count, 1);
}

static void disabled_devices(void **state)
{
	static const char *const paths[] = {"/smmuv3@9050000", "/intc@8000000/its@8080000",
					    "/pcie@10000000", "/pl011@9000000"};

	(void)state;
	write_tree(4);
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_int_equal(fdt_setprop_string(blob, at(paths[i]), "status", "disabled"), 0);
	}
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(
		machine.smmu.size | machine.its.size | machine.ecam.count | machine.uart.size, 0);
	assert_int_equal(machine.host_bridge.depth, 0);
	assert_int_equal(fdt_setprop_string(blob, at(paths[0]), "status", "okay"), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.smmu.size, 0x20000);
}

/* The first enabled one is the machine's, even if nobody can read where it is. */
static void two_of_a_kind(void **state)
{
	static const char *const pairs[][2] = {{"arm,pl011", "/pl011@9000000"},
					       {"arm,smmu-v3", "/smmuv3@9050000"}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
		write_tree(4);
		int other = fdt_add_subnode(blob, 0, "another"); /* in front of those there are */

		assert_true(other >= 0);
		assert_int_equal(fdt_setprop_string(blob, other, "compatible", pairs[i][0]), 0);
		assert_int_equal(machine_read(&machine, blob), STATUS_OK);
		assert_int_equal(i == 0 ? machine.uart.size : machine.smmu.size, 0);
		assert_int_equal(fdt_setprop_string(blob, at("/another"), "status", "disabled"), 0);
		assert_int_equal(machine_read(&machine, blob), STATUS_OK);
		assert_int_not_equal(i == 0 ? machine.uart.size : machine.smmu.size, 0);
	}
}

/* Below what is as deep as a tree may be there could be reserved memory: it is all refused. */
static void too_deep(void **state)
{
	(void)state;
	for (unsigned levels = DT_DEPTH; levels <= DT_DEPTH + 1; levels++) {
		write_tree(1);
		int node = at("/cpus/cpu-map");

		for (unsigned i = 3; i < levels; i++) {
			node = fdt_add_subnode(blob, node, "deeper");
			assert_true(node >= 0);
		}
		assert_int_equal(machine_read(&machine, blob),
				 levels <= DT_DEPTH ? STATUS_OK : STATUS_INVALID);
	}
}

/* QEMU's secure RAM, for one, is a memory node that is disabled. */
static void memory_of_somebody_else(void **state)
{
	(void)state;
	write_tree(4);
	assert_int_equal(fdt_setprop_string(blob, at("/memory@40000000"), "status", "disabled"), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_INVALID);
	assert_int_equal(machine.memory.count, 0);
}

static void interrupts(void **state)
{
	const uint32_t ppi[] = {cpu_to_fdt32(1), cpu_to_fdt32(9), cpu_to_fdt32(1)};

	(void)state;
	write_tree(4);
	assert_int_equal(fdt_setprop(blob, at("/pl011@9000000"), "interrupts", ppi, 12), 0);
	assert_int_equal(fdt_setprop(blob, at("/smmuv3@9050000"), "interrupts", ppi, 11), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.uart_interrupt.intid | machine.smmu_event.intid, 0);
	write_tree(4);
	assert_int_equal(fdt_delprop(blob, at("/smmuv3@9050000"), "interrupt-names"), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.smmu_event.intid | machine.smmu_error.intid, 0);
	/* More names than interrupts. */
	write_tree(4);
	assert_int_equal(fdt_setprop(blob, at("/smmuv3@9050000"), "interrupts", ppi, 12), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.smmu_error.intid, 0);
}

static void initrd(void **state)
{
	(void)state;
	write_tree(4);
	assert_int_equal(fdt_setprop_u32(blob, at("/chosen"), "linux,initrd-end", 0x48000000), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_null(machine.fit);
	assert_int_equal(machine.fit_size, 0);
	write_tree(4);
	assert_int_equal(fdt_setprop_u64(blob, at("/chosen"), "linux,initrd-start", 1ull << 40), 0);
	assert_int_equal(fdt_setprop_u64(blob, at("/chosen"), "linux,initrd-end", (1ull << 40) + 9),
			 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(pa_of(machine.fit).v, 1ull << 40);
	assert_int_equal(machine.fit_size, 9);
	assert_int_equal(fdt_setprop_u32(blob, at("/chosen"), "linux,initrd-end", 1), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_null(machine.fit);
	assert_int_equal(fdt_delprop(blob, at("/chosen"), "linux,initrd-end"), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_null(machine.fit);
}

/* More of anything than there is room for. */
static void too_many(void **state)
{
	uint8_t many[16 * (MAX_RANGES + 1)];
	char name[32];

	(void)state;
	write_tree(20);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.core_count, ARRAY_SIZE(machine.affinities));

	write_tree(4);
	memset(many, 1, sizeof(many));
	assert_int_equal(fdt_setprop(blob, at("/memory@40000000"), "reg", many, sizeof(many)), 0);
	assert_int_equal(fdt_setprop(blob, at("/intc@8000000"), "reg", many, sizeof(many)), 0);
	assert_int_equal(machine_read(&machine, blob), STATUS_OK);
	assert_int_equal(machine.memory.count, MAX_RANGES);
	assert_int_equal(machine.gicr.count, MAX_RANGES);

	/* What is reserved and cannot be remembered would be given away. */
	write_tree(4);
	for (unsigned i = 0; i < MAX_RANGES; i++) {
		snprintf(name, sizeof(name), "more@%x", i);
		int node = fdt_add_subnode(blob, at("/reserved-memory"), name);

		assert_true(node >= 0);
		assert_int_equal(fdt_setprop(blob, node, "reg", many, 16), 0);
	}
	assert_int_equal(machine_read(&machine, blob), STATUS_NO_MEMORY);
}

/* Any bytes in it: no access outside, no hang. */
static void mutated(void **state)
{
	(void)state;
	write_tree(2);
	assert_int_equal(fdt_pack(blob), 0);
	int size = (int)fdt_totalsize(blob);

	srand(4);
	for (unsigned round = 0; round < 5000; round++) {
		uint8_t *copy = malloc((size_t)size);

		assert_non_null(copy);
		memcpy(copy, blob, (size_t)size);
		for (int n = 1 + rand() % 3; n > 0; n--) {
			int where = 40 + rand() % (size - 40);

			copy[where] ^= (uint8_t)(1 + rand() % 255);
		}
		if (machine_read(&machine, copy) == STATUS_OK) {
			assert_true(machine.memory.count <= MAX_RANGES);
			assert_true(machine.reserved.count <= MAX_RANGES);
			assert_true(machine.core_count <= ARRAY_SIZE(machine.affinities));
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(lacking_what_it_must_have),
		cmocka_unit_test(lacking_what_it_may_lack),
		cmocka_unit_test(disabled_devices),
		cmocka_unit_test(memory_of_somebody_else),
		cmocka_unit_test(two_of_a_kind),
		cmocka_unit_test(too_deep),
		cmocka_unit_test(interrupts),
		cmocka_unit_test(initrd),
		cmocka_unit_test(too_many),
		cmocka_unit_test(mutated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
