/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/bus on QEMU's root complex. QEMU itself is the judge: its monitor lists every function with
 * the addresses at which it decodes, not at which we believe it does.
 */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#include "tree.h"

#define EVERYTHING                                                                                 \
	"-device", "pcie-root-port,id=p1,addr=1", "-device", "igb,bus=p1,mac=52:54:00:ca:00:01",   \
		"-device", "pcie-root-port,id=p2,addr=2,chassis=2", "-device",                     \
		"x3130-upstream,id=up,bus=p2", "-device",                                          \
		"xio3130-downstream,id=d1,bus=up,chassis=3,addr=0", "-device",                     \
		"xio3130-downstream,id=d2,bus=up,chassis=4,addr=1", "-device", "nvme-subsys,id=s", \
		"-device", "nvme,bus=d1,serial=a", "-device",                                      \
		"e1000e,bus=d2,romfile=", RIG_EDU("4"), "-device",                                 \
		"pcie-pci-bridge,id=conventional,addr=5", "-device",                               \
		"edu,bus=conventional,addr=1", "-device", "pci-testdev,addr=6,membar=16M",         \
		"-device", "virtio-net-pci,addr=7.0,multifunction=on,romfile=", "-device",         \
		"virtio-rng-pci,addr=7.1", "-device", "pcie-root-port,id=p3,addr=8,chassis=8"

/* --- what QEMU says -------------------------------------------------------------------------- */

struct judged {
	unsigned bus, device, function, vendor, id, secondary, subordinate;
	struct {
		bool io;
		unsigned long base, last;
	} bars[6];
	bool mapped[6];
	unsigned unmapped; /* BARs that do not decode */
};

static struct judged judged[64];
static unsigned judged_count;

static void read_line(const char *line)
{
	struct judged *j = &judged[judged_count ? judged_count - 1 : 0];
	unsigned bus, device, function, bar;
	unsigned long base, last;

	if (sscanf(line, " Bus %u, device %u, function %u", &bus, &device, &function) == 3) {
		assert_in_range(judged_count, 0, 63);
		j = &judged[judged_count++];
		*j = (struct judged){.bus = bus, .device = device, .function = function};
	} else if (strstr(line, ": PCI device ")) {
		sscanf(strstr(line, ": PCI device "), ": PCI device %x:%x", &j->vendor, &j->id);
	} else if (sscanf(line, " secondary bus %u", &bus) == 1) {
		j->secondary = bus;
	} else if (sscanf(line, " subordinate bus %u", &bus) == 1) {
		j->subordinate = bus;
	} else if (sscanf(line, " BAR%u:", &bar) == 1 && bar < 6) {
		const char *at = strstr(line, " at 0x");

		if (at && sscanf(at, " at 0x%lx [0x%lx]", &base, &last) == 2) {
			j->bars[bar].io = strstr(line, "I/O") != NULL;
			j->bars[bar].base = base;
			j->bars[bar].last = last;
			j->mapped[bar] = true;
		} else {
			j->unmapped++;
		}
	}
}

static void ask_qemu(void)
{
	static char text[65536];
	char *line, *rest = text;

	qtest_monitor("info pci", text, sizeof(text));
	judged_count = 0;
	while ((line = strsep(&rest, "\n"))) {
		read_line(line);
	}
	assert_int_not_equal(judged_count, 0);
}

static rid_t rid_of(const struct judged *j)
{
	return (rid_t){(uint16_t)(j->bus << 8 | j->device << 3 | j->function)};
}

static void assert_bars(const struct pci_bar bars[PCI_BUS_BARS], const struct judged *j)
{
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		assert_int_equal(bars[i].space != PCI_SPACE_NONE, j->mapped[i]);
		if (j->mapped[i]) {
			assert_int_equal(bars[i].space == PCI_SPACE_IO, j->bars[i].io);
			assert_int_equal(bars[i].pci_address, j->bars[i].base);
			assert_int_equal(bars[i].size, j->bars[i].last - j->bars[i].base + 1);
		}
	}
}

/* QEMU lists VFs also while they are off; their own id is all-ones (PCIe 9.3.4.1). */
static bool is_dormant_vf(const struct judged *j)
{
	return j->vendor == 0xffff && j->id == 0xffff;
}

/* Every function QEMU has is ours, and the other way round. */
static void assert_agreed(struct pci_bus *bus)
{
	unsigned vfs = 0;

	ask_qemu();
	for (unsigned i = 0; i < judged_count; i++) {
		const struct judged *j = &judged[i];
		const struct pci_function *f = pci_bus_find(bus, rid_of(j));

		if (is_dormant_vf(j)) {
			assert_false(j->mapped[0] || j->mapped[3]);
			vfs++;
			continue;
		}
		if (!f) {
			fail_msg("%02x:%02x.%u was not found", j->bus, j->device, j->function);
			return;
		}
		assert_int_equal(f->vendor, j->vendor);
		assert_int_equal(f->device, j->id);
		assert_int_equal(f->secondary, j->secondary);
		assert_int_equal(f->subordinate, j->subordinate);
		assert_int_equal(j->unmapped, 0);
		assert_bars(f->bars, j);
	}
	assert_int_equal(judged_count - vfs, bus->function_count);
}

/* --- tests ----------------------------------------------------------------------------------- */

static struct pci_bus bus;

static void every_function_is_found_and_decodes_where_we_say(void **state)
{
	(void)state;
	rig_machine("bus", RIG_MACHINE, RIG_DEVICES(EVERYTHING));
	rig_enumerate(&bus);
	assert_agreed(&bus);
	/* Not only by name: the edu behind its BAR identifies itself. */
	assert_int_equal(
		arch_mmio_read32(rig_function(&bus, 0x1234, 0x11e8, 0)->bars[0].cpu_address.v) &
			0xff,
		0xed);
	for (unsigned i = 0; i < bus.function_count; i++) {
		if (bus.functions[i].header_type == 0) {
			assert_false(pci_config_read16(&bus, bus.functions[i].rid, PCI_COMMAND) &
				     PCI_COMMAND_MASTER);
		}
	}
	rig_end();
}

/* What the device tree says of the host bridge is what QEMU's map says. */
static void the_device_tree_s_windows_are_the_machine_s(void **state)
{
	struct pci_host host;

	(void)state;
	rig_machine("windows", "gic-version=4,iommu=smmuv3,highmem-mmio=off",
		    RIG_DEVICES(RIG_EDU("4")));
	struct dt_walk bridge = tree_find((const void *)QTEST_FDT, "pci-host-ecam-generic");

	assert_int_equal(pci_host_from_fdt(&host, &bridge), STATUS_OK);
	assert_int_equal(host.bus_last, 255);
	assert_int_equal(host.iommu_map_count, 1);
	assert_int_equal(host.msi_map_count, 1);
	assert_int_equal(host.window_count, 2);
	for (unsigned i = 0; i < host.window_count; i++) {
		if (host.windows[i].space == PCI_SPACE_MEM32) {
			assert_int_equal(host.windows[i].cpu_base.v, 0x10000000);
			assert_int_equal(host.windows[i].size, 0x2eff0000);
		}
	}
	rig_enumerate(&bus);
	assert_agreed(&bus);
	rig_end();
}

static void a_machine_without_an_smmu_has_no_stream_ids(void **state)
{
	stream_id_t stream;

	(void)state;
	rig_machine("no-smmu", "gic-version=4", RIG_DEVICES(RIG_EDU("4")));
	rig_enumerate(&bus);
	assert_int_equal(pci_bus_stream_id(&bus, (rid_t){0x20}, &stream), STATUS_NOT_FOUND);
	rig_end();
}

/* The capabilities that later steps lean on, on the devices they are used with. */
static void capabilities_are_those_of_the_devices(void **state)
{
	(void)state;
	rig_machine("capabilities", RIG_MACHINE, RIG_DEVICES(EVERYTHING));
	rig_enumerate(&bus);
	const struct pci_function *igb = rig_function(&bus, 0x8086, 0x10c9, 0);

	assert_int_equal(igb->total_vfs, 8);
	assert_int_equal(igb->caps.msix_vectors, 10);
	assert_int_equal(igb->caps.express, 0xa0);
	assert_int_equal(igb->caps.sriov, 0x160);
	assert_int_equal(igb->caps.ats, 0);
	assert_true(bus.functions[igb->parent].caps.acs != 0);
	assert_int_equal(bus.functions[igb->parent].express_type, PCI_EXPRESS_ROOT_PORT);
	const struct pci_function *edu = rig_function(&bus, 0x1234, 0x11e8, 0);

	assert_int_equal(edu->caps.express, 0);
	assert_int_not_equal(edu->caps.msi, 0);
	assert_false(edu->behind_conventional_bridge);
	assert_true(rig_function(&bus, 0x1234, 0x11e8, 1)->behind_conventional_bridge);
	assert_int_equal(rig_function(&bus, 0x104c, 0x8233, 0)->caps.acs, 0); /* no ACS there */
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_function_is_found_and_decodes_where_we_say,
					  rig_tear_down),
		cmocka_unit_test_teardown(the_device_tree_s_windows_are_the_machine_s,
					  rig_tear_down),
		cmocka_unit_test_teardown(a_machine_without_an_smmu_has_no_stream_ids,
					  rig_tear_down),
		cmocka_unit_test_teardown(capabilities_are_those_of_the_devices, rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
