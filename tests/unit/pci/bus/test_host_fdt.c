/* SPDX-License-Identifier: BSD-2-Clause */
/* The host bridge node: what QEMU writes is read, what breaks its binding is refused. */
#include "bus_fixture.h"

#include <libfdt.h>
#include <string.h>

#include "tree.h"

#define CELLS_MAX 40

struct row {
	bool absent;
	unsigned count;
	uint32_t cells[CELLS_MAX];
};

/* A node as QEMU's `virt` has it; each test changes one thing. */
struct recipe {
	const char *compatible, *soc_ranges;
	unsigned soc_depth;
	struct row address_cells, size_cells, reg, bus_range, ranges, iommu_map, msi_map;
	struct row iommu_mask, iommu_cells;
};

static struct recipe recipe;
static uint8_t blob[8192];

static void default_recipe(void)
{
	recipe = (struct recipe){
		.compatible = "pci-host-ecam-generic",
		.address_cells = {.count = 1, .cells = {3}},
		.size_cells = {.count = 1, .cells = {2}},
		.reg = {.count = 4, .cells = {0x40, 0x10000000, 0, 0x10000000}},
		.bus_range = {.count = 2, .cells = {0, 255}},
		.ranges = {.count = 21,
			   .cells = {0x1000000, 0,	    0,	       0,	   0x3eff0000,
				     0,		0x10000,    0x2000000, 0,	   0x10000000,
				     0,		0x10000000, 0,	       0x2eff0000, 0x3000000,
				     0x80,	0,	    0x80,      0,	   0x80,
				     0}},
		.iommu_map = {.count = 4, .cells = {0, 0x8001, 0, 0x10000}},
		.msi_map = {.count = 4, .cells = {0, 0x8002, 0, 0x10000}},
		.iommu_mask = {.absent = true},
		.iommu_cells = {.count = 1, .cells = {1}},
	};
}

static void put(const char *name, const struct row *row)
{
	if (!row->absent) {
		tree_cells(name, row->cells, row->count);
	}
}

static void put_bridge(void)
{
	tree_node("pcie@10000000");
	tree_text("compatible", recipe.compatible);
	put("#address-cells", &recipe.address_cells);
	put("#size-cells", &recipe.size_cells);
	put("reg", &recipe.reg);
	put("bus-range", &recipe.bus_range);
	put("ranges", &recipe.ranges);
	put("iommu-map", &recipe.iommu_map);
	put("iommu-map-mask", &recipe.iommu_mask);
	put("msi-map", &recipe.msi_map);
	tree_close();
}

static void put_controllers(void)
{
	tree_node("smmuv3@9050000");
	put("#iommu-cells", &recipe.iommu_cells);
	tree_u32("phandle", 0x8001);
	tree_close();
	tree_node("its@8080000");
	tree_u32("#msi-cells", 1);
	tree_u32("phandle", 0x8002);
	tree_close();
}

static enum status read_host(void)
{
	tree_begin(blob, sizeof(blob), 0, 0);
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	for (unsigned i = 0; i < recipe.soc_depth; i++) {
		tree_node("soc");
		tree_u32("#address-cells", 2);
		tree_u32("#size-cells", 2);
		if (recipe.soc_ranges) {
			tree_bytes("ranges", recipe.soc_ranges, (int)strlen(recipe.soc_ranges));
		}
	}
	put_bridge();
	for (unsigned i = 0; i < recipe.soc_depth; i++) {
		tree_close();
	}
	put_controllers();
	tree_end();
	memset(&host, 0x5a, sizeof(host));

	struct dt_walk bridge = tree_find(blob, recipe.compatible);

	return pci_host_from_fdt(&host, &bridge);
}

/* Refused, and the result left alone. */
static void assert_refused(void)
{
	assert_int_equal(read_host(), STATUS_INVALID);
	assert_int_equal(host.bus_first, 0x5a);
	default_recipe();
}

static int set_up_recipe(void **state)
{
	(void)state;
	models_reset();
	default_recipe();
	return 0;
}

static void test_qemu_virt(void **state)
{
	(void)state;
	assert_int_equal(read_host(), STATUS_OK);
	assert_int_equal(host.ecam, 0x4010000000);
	assert_int_equal(host.ecam_size, 0x10000000);
	assert_int_equal(host.bus_last, 255);
	assert_int_equal(host.window_count, 3);
	assert_int_equal(host.windows[0].space, PCI_SPACE_IO);
	assert_int_equal(host.windows[0].pci_base, 0);
	assert_int_equal(host.windows[0].cpu_base.v, 0x3eff0000);
	assert_int_equal(host.windows[0].size, 0x10000);
	assert_int_equal(host.windows[1].space, PCI_SPACE_MEM32);
	assert_int_equal(host.windows[1].pci_base, 0x10000000);
	assert_int_equal(host.windows[1].size, 0x2eff0000);
	assert_int_equal(host.windows[2].space, PCI_SPACE_MEM64);
	assert_int_equal(host.windows[2].size, 0x8000000000);
	assert_false(host.windows[2].prefetchable);
	assert_int_equal(host.iommu_map_count, 1);
	assert_int_equal(host.iommu_map[0].length, 0x10000);
	assert_int_equal(host.msi_map_count, 1);
}

static void test_prefetchable_window_and_split_maps(void **state)
{
	(void)state;
	recipe.ranges.cells[14] = 0x43000000;
	recipe.iommu_map = (struct row){
		.count = 8, .cells = {0, 0x8001, 0x100, 0x100, 0x200, 0x8001, 0x4000, 0x80}};
	assert_int_equal(read_host(), STATUS_OK);
	assert_true(host.windows[2].prefetchable);
	assert_int_equal(host.iommu_map_count, 2);
	assert_int_equal(host.iommu_map[1].rid_base, 0x200);
	assert_int_equal(host.iommu_map[1].out_base, 0x4000);
	assert_int_equal(host.iommu_map[1].length, 0x80);
}

static void test_no_maps_is_bypass(void **state)
{
	(void)state;
	recipe.iommu_map.absent = true;
	recipe.msi_map.absent = true;
	assert_int_equal(read_host(), STATUS_OK);
	assert_int_equal(host.iommu_map_count, 0);
	assert_int_equal(host.msi_map_count, 0);
}

/* Whoever read the tree found none (test_machine.c: which one is taken); or it is the root. */
static void test_no_bridge(void **state)
{
	struct dt_walk nowhere = {0}, root = {.depth = 1};

	(void)state;
	assert_int_equal(read_host(), STATUS_OK);
	assert_int_equal(pci_host_from_fdt(&host, &nowhere), STATUS_NOT_FOUND);
	assert_int_equal(dt_open(&root.node, blob, sizeof(blob)), STATUS_OK);
	root.path[0] = root.node;
	assert_int_equal(pci_host_from_fdt(&host, &root), STATUS_INVALID);
}

static void test_bus_range(void **state)
{
	(void)state;
	recipe.bus_range.absent = true;
	recipe.reg.cells[3] = 0x1000000;
	assert_int_equal(read_host(), STATUS_OK);
	assert_int_equal(host.bus_first, 0);
	assert_int_equal(host.bus_last, 15);
	recipe.bus_range = (struct row){.count = 2, .cells = {0x20, 0x2f}};
	assert_int_equal(read_host(), STATUS_OK);
	assert_int_equal(host.bus_first, 0x20);
	recipe.bus_range.cells[1] = 0x30; /* one bus more than the ECAM has */
	assert_refused();
	recipe.bus_range = (struct row){.count = 2, .cells = {5, 4}};
	assert_refused();
	recipe.bus_range = (struct row){.count = 2, .cells = {0, 256}};
	assert_refused();
	recipe.bus_range = (struct row){.count = 1, .cells = {0}};
	assert_refused();
}

static void test_sizes_that_lie(void **state)
{
	(void)state;
	recipe.reg.count = 3;
	assert_refused();
	recipe.reg.absent = true;
	assert_refused();
	recipe.reg.cells[3] = 0xfffff; /* less than a bus */
	assert_refused();
	recipe.reg.cells[0] = 0xffffffff; /* beyond any physical address */
	assert_refused();
	recipe.address_cells.cells[0] = 2;
	assert_refused();
	recipe.size_cells.absent = true;
	assert_refused();
	recipe.ranges.absent = true;
	assert_refused();
	recipe.ranges.count = 20;
	assert_refused();
	recipe.ranges.count = 0;
	assert_refused();
	recipe.ranges.count = 35; /* five windows */
	assert_refused();
	recipe.ranges.cells[7] = 0; /* configuration space as a window */
	assert_refused();
	recipe.ranges.cells[13] = 0; /* no bytes */
	assert_refused();
	recipe.ranges.cells[12] = 1; /* 32-bit memory beyond 4 GiB */
	assert_refused();
	recipe.ranges.cells[15] = recipe.ranges.cells[19] = 0xffffffff; /* wraps */
	assert_refused();
}

static void test_maps_that_lie(void **state)
{
	(void)state;
	recipe.iommu_map.count = 3;
	assert_refused();
	recipe.iommu_map.count = 0;
	assert_refused();
	recipe.iommu_map.cells[3] = 0x10001;
	assert_refused();
	recipe.iommu_map.cells[3] = 0;
	assert_refused();
	recipe.iommu_map.cells[0] = 1; /* 1 + 0x10000 ids */
	assert_refused();
	recipe.iommu_map.cells[2] = 0xffff8000; /* stream ids wrap */
	assert_refused();
	recipe.iommu_map.cells[1] = 0x9999; /* nobody */
	assert_refused();
	recipe.iommu_cells.cells[0] = 2;
	assert_refused();
	recipe.iommu_mask = (struct row){.count = 1, .cells = {0xfff8}};
	assert_refused();
	recipe.iommu_mask = (struct row){.count = 1, .cells = {0xffff}};
	assert_int_equal(read_host(), STATUS_OK);
	default_recipe();
	/* two requester ids with one stream (F09) */
	recipe.iommu_map = (struct row){.count = 8,
					.cells = {0, 0x8001, 0, 0x100, 0x100, 0x8001, 0xff, 0x100}};
	assert_refused();
	recipe.iommu_map = (struct row){.count = 8,
					.cells = {0, 0x8001, 0, 0x100, 0xff, 0x8001, 0x100, 0x100}};
	assert_refused();
	recipe.iommu_map = (struct row){
		.count = 8, .cells = {0, 0x8001, 0, 0x100, 0x100, 0x8002, 0x100, 0x100}};
	assert_refused();
	recipe.iommu_map = (struct row){.count = 20}; /* more entries than kept */
	assert_refused();
	recipe.msi_map.cells[3] = 0x10001;
	assert_refused();
}

static void test_inside_a_bus(void **state)
{
	(void)state;
	recipe.soc_ranges = "";
	recipe.soc_depth = 20; /* no tree for us */
	assert_int_equal(read_host(), STATUS_NOT_FOUND);
	recipe.soc_depth = DT_DEPTH - 2;
	assert_int_equal(read_host(), STATUS_OK);
	recipe.soc_depth = 3;
	assert_int_equal(read_host(), STATUS_OK);
	recipe.soc_ranges = NULL; /* its addresses are not the CPU's */
	assert_int_equal(read_host(), STATUS_INVALID);
	recipe.soc_ranges = "0123456789012345678901234567";
	assert_int_equal(read_host(), STATUS_INVALID);
}

#define FDT_TEST(f) cmocka_unit_test_setup(f, set_up_recipe)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FDT_TEST(test_qemu_virt),	  FDT_TEST(test_prefetchable_window_and_split_maps),
		FDT_TEST(test_no_maps_is_bypass), FDT_TEST(test_no_bridge),
		FDT_TEST(test_bus_range),	  FDT_TEST(test_sizes_that_lie),
		FDT_TEST(test_maps_that_lie),	  FDT_TEST(test_inside_a_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
