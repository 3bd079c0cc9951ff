/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a guest's device tree, front to back with libfdt's sequential calls. Layout and names are
 * QEMU virt's, so that what runs there runs here. Bindings: Linux, Documentation/devicetree.
 */
#include "images.h"

#include <libfdt.h>
#include <string.h>

#include "guest_map.h"

#define DTB_SIZE_MAX 65536

enum phandle { PHANDLE_GIC = 1, PHANDLE_ITS, PHANDLE_CLOCK };

/* Interrupt specifiers of the GIC: kind, number, trigger. */
#define GIC_SPI		 0
#define GIC_PPI		 1
#define PPI_TIMER_SECURE 13 /* what a guest has no use for */
#define PPI_TIMER_HYP	 10
#define GIC_LEVEL_HIGH	 4

/* First cell of an entry of a PCI host's `ranges`. */
#define PCI_SPACE_IO  0x01000000
#define PCI_SPACE_M32 0x02000000

#define CELLS_MAX     160
#define INTX_SLOTS    4 /* the pattern repeats with them */
#define INTX_PINS     4

struct cells {
	fdt32_t cell[CELLS_MAX];
	int count;
};

/* The first error sticks; libfdt's calls are only made while there is none. */
struct tree {
	void *fdt;
	int error;
};

static void begin(struct tree *tree, const char *name)
{
	tree->error = tree->error ? tree->error : fdt_begin_node(tree->fdt, name);
}

static void end(struct tree *tree)
{
	tree->error = tree->error ? tree->error : fdt_end_node(tree->fdt);
}

static void bytes(struct tree *tree, const char *name, const void *value, size_t size)
{
	tree->error = tree->error ? tree->error : fdt_property(tree->fdt, name, value, (int)size);
}

static void flag(struct tree *tree, const char *name)
{
	bytes(tree, name, NULL, 0);
}

static void string(struct tree *tree, const char *name, const char *value)
{
	bytes(tree, name, value, strlen(value) + 1);
}

static void number(struct tree *tree, const char *name, uint32_t value)
{
	fdt32_t cell = cpu_to_fdt32(value);

	bytes(tree, name, &cell, sizeof(cell));
}

static void number64(struct tree *tree, const char *name, uint64_t value)
{
	fdt64_t cell = cpu_to_fdt64(value);

	bytes(tree, name, &cell, sizeof(cell));
}

static void add(struct cells *cells, uint32_t value)
{
	if (cells->count < CELLS_MAX) {
		cells->cell[cells->count++] = cpu_to_fdt32(value);
	}
}

static void add64(struct cells *cells, uint64_t value)
{
	add(cells, (uint32_t)(value >> 32));
	add(cells, (uint32_t)value);
}

static void put(struct tree *tree, const char *name, const struct cells *cells)
{
	bytes(tree, name, cells->cell, (size_t)cells->count * sizeof(cells->cell[0]));
}

static void reg(struct tree *tree, uint64_t base, uint64_t size)
{
	struct cells cells = {.count = 0};

	add64(&cells, base);
	add64(&cells, size);
	put(tree, "reg", &cells);
}

static void interrupt(struct cells *cells, uint32_t kind, uint32_t number_in_kind)
{
	add(cells, kind);
	add(cells, number_in_kind);
	add(cells, GIC_LEVEL_HIGH);
}

/* --- nodes ---------------------------------------------------------------------------------- */

static void cpus(struct tree *tree, unsigned count)
{
	begin(tree, "cpus");
	number(tree, "#address-cells", 1);
	number(tree, "#size-cells", 0);
	for (unsigned i = 0; i < count; i++) {
		begin(tree, keep_printf("cpu@%x", i));
		string(tree, "device_type", "cpu");
		string(tree, "compatible", "arm,armv8");
		number(tree, "reg", i); /* MPIDR: Aff0 */
		string(tree, "enable-method", "psci");
		end(tree);
	}
	end(tree);
	begin(tree, "psci");
	bytes(tree, "compatible", "arm,psci-1.0\0arm,psci-0.2",
	      sizeof("arm,psci-1.0\0arm,psci-0.2"));
	string(tree, "method", "hvc");
	end(tree);
}

static void timer(struct tree *tree)
{
	struct cells cells = {.count = 0};

	interrupt(&cells, GIC_PPI, PPI_TIMER_SECURE);
	interrupt(&cells, GIC_PPI, GUEST_PPI_TIMER_PHYS);
	interrupt(&cells, GIC_PPI, GUEST_PPI_TIMER_VIRT);
	interrupt(&cells, GIC_PPI, PPI_TIMER_HYP);
	begin(tree, "timer");
	string(tree, "compatible", "arm,armv8-timer");
	put(tree, "interrupts", &cells);
	flag(tree, "always-on");
	end(tree);
	/* Without interrupts: it counts, but cannot sample. */
	begin(tree, "pmu");
	string(tree, "compatible", "arm,armv8-pmuv3");
	end(tree);
}

static void gic(struct tree *tree, unsigned vcpus)
{
	struct cells frames = {.count = 0};

	add64(&frames, GUEST_GICD_BASE);
	add64(&frames, GUEST_GICD_SIZE);
	add64(&frames, GUEST_GICR_BASE);
	add64(&frames, vcpus * GUEST_GICR_STRIDE);
	begin(tree, "intc@8000000");
	string(tree, "compatible", "arm,gic-v3");
	number(tree, "#interrupt-cells", 3);
	flag(tree, "interrupt-controller");
	number(tree, "#redistributor-regions", 1);
	put(tree, "reg", &frames);
	number(tree, "#address-cells", 2);
	number(tree, "#size-cells", 2);
	flag(tree, "ranges");
	number(tree, "phandle", PHANDLE_GIC);
	begin(tree, "its@8080000");
	string(tree, "compatible", "arm,gic-v3-its");
	flag(tree, "msi-controller");
	number(tree, "#msi-cells", 1);
	reg(tree, GUEST_ITS_BASE, GUEST_ITS_SIZE);
	number(tree, "phandle", PHANDLE_ITS);
	end(tree);
	end(tree);
}

static void uart(struct tree *tree)
{
	struct cells interrupts = {.count = 0}, clocks = {.count = 0};

	begin(tree, "apb-pclk");
	string(tree, "compatible", "fixed-clock");
	number(tree, "#clock-cells", 0);
	number(tree, "clock-frequency", 24000000);
	string(tree, "clock-output-names", "clk24mhz");
	number(tree, "phandle", PHANDLE_CLOCK);
	end(tree);

	interrupt(&interrupts, GIC_SPI, GUEST_UART_SPI);
	add(&clocks, PHANDLE_CLOCK);
	add(&clocks, PHANDLE_CLOCK);
	begin(tree, "pl011@9000000");
	bytes(tree, "compatible", "arm,pl011\0arm,primecell", sizeof("arm,pl011\0arm,primecell"));
	reg(tree, GUEST_UART_BASE, GUEST_UART_SIZE);
	put(tree, "interrupts", &interrupts);
	put(tree, "clocks", &clocks);
	bytes(tree, "clock-names", "uartclk\0apb_pclk", sizeof("uartclk\0apb_pclk"));
	end(tree);
}

/*
 * The slot by whose DeviceID the ITS knows a device: its own, or below a conventional bridge that
 * of the partition's first device there, for they have one requester id. Slot n+1 is device n.
 */
static unsigned speaks_as(const struct config *config, const struct partition *partition,
			  unsigned index)
{
	const struct machine_device *own =
		machine_at(&config->machine, partition->devices[index].function);

	for (unsigned i = 0; i < index && own && own->requester != own->rid; i++) {
		const struct machine_device *other =
			machine_at(&config->machine, partition->devices[i].function);

		if (other && other->requester == own->requester) {
			return i + 1;
		}
	}
	return index + 1;
}

static void map_msis(struct cells *map, const struct config *config,
		     const struct partition *partition)
{
	bool shared = false;

	for (unsigned i = 0; i < partition->device_count; i++) {
		shared |= speaks_as(config, partition, i) != i + 1;
	}
	unsigned slots = partition->device_count +
			 config_wire_ends(config, (unsigned)(partition - config->partitions));

	for (unsigned i = 0; i < (shared ? slots : 1); i++) {
		add(map, shared ? (i + 1) << 3 : 0);
		add(map, PHANDLE_ITS);
		add(map, shared ? speaks_as(config, partition, i) << 3 : 0);
		add(map, shared ? 8 : 0x10000);
	}
}

/* Slots are looked at by their two lowest bits: bits 12 and 11 of a unit address. */
static void intx(struct tree *tree)
{
	struct cells map = {.count = 0}, mask = {.count = 0};

	for (unsigned slot = 0; slot < INTX_SLOTS; slot++) {
		for (unsigned pin = 1; pin <= INTX_PINS; pin++) {
			add(&map, slot << 11);
			add64(&map, 0);
			add(&map, pin);
			add(&map, PHANDLE_GIC);
			add64(&map, 0); /* the GIC has #address-cells = <2> */
			interrupt(&map, GIC_SPI,
				  GUEST_INTX_SPI + (slot + pin - 1) % GUEST_INTX_LINES);
		}
	}
	add(&mask, (INTX_SLOTS - 1) << 11);
	add64(&mask, 0);
	add(&mask, 7);
	put(tree, "interrupt-map-mask", &mask);
	put(tree, "interrupt-map", &map);
}

static void pcie(struct tree *tree, const struct config *config, const struct partition *partition)
{
	struct cells ranges = {.count = 0}, buses = {.count = 0}, msi_map = {.count = 0};

	add(&ranges, PCI_SPACE_IO);
	add64(&ranges, 0);
	add64(&ranges, GUEST_PCI_PIO_BASE);
	add64(&ranges, GUEST_PCI_PIO_SIZE);
	add(&ranges, PCI_SPACE_M32);
	add64(&ranges, GUEST_PCI_MMIO_BASE);
	add64(&ranges, GUEST_PCI_MMIO_BASE);
	add64(&ranges, GUEST_PCI_MMIO_SIZE);
	add64(&buses, 0); /* first and last bus: 0 */
	map_msis(&msi_map, config, partition);

	begin(tree, "pcie@10000000");
	string(tree, "compatible", "pci-host-ecam-generic");
	string(tree, "device_type", "pci");
	number(tree, "#address-cells", 3);
	number(tree, "#size-cells", 2);
	number(tree, "#interrupt-cells", 1);
	reg(tree, GUEST_ECAM_BASE, GUEST_ECAM_SIZE);
	put(tree, "ranges", &ranges);
	put(tree, "bus-range", &buses);
	put(tree, "msi-map", &msi_map);
	intx(tree);
	number(tree, "linux,pci-domain", 0);
	number(tree, "linux,pci-probe-only", 1);
	flag(tree, "dma-coherent");
	end(tree);
}

static void chosen(struct tree *tree, const struct partition *partition)
{
	const struct layout *layout = &partition->layout;

	begin(tree, "chosen");
	string(tree, "bootargs", partition->command_line ? partition->command_line : "");
	string(tree, "stdout-path", "/pl011@9000000");
	if (partition->ramdisk_image) {
		number64(tree, "linux,initrd-start", layout->ramdisk_load);
		number64(tree, "linux,initrd-end", layout->ramdisk_load + layout->ramdisk_size);
	}
	/* BARs are assigned already and never move. */
	number(tree, "linux,pci-probe-only", 1);
	end(tree);
}

static bool owns(const struct partition *partition, int function)
{
	for (unsigned i = 0; i < partition->device_count; i++) {
		if (function >= 0 && partition->devices[i].function == function) {
			return true;
		}
	}
	return false;
}

/* What the PF service must keep: every VF of its PF, whoever drives it, in the order of indices. */
static void contracts(struct tree *tree, const struct config *config,
		      const struct partition *service)
{
	const struct device *vfs[MAX_PARTITIONS * MAX_DEVICES] = {NULL};

	for (unsigned i = 0; i < config->partition_count; i++) {
		for (unsigned j = 0; j < config->partitions[i].device_count; j++) {
			const struct device *device = &config->partitions[i].devices[j];

			if (owns(service, device->vf_of) &&
			    device->index < MAX_PARTITIONS * MAX_DEVICES) {
				vfs[device->index] = device;
			}
		}
	}
	begin(tree, "causeway");
	for (unsigned i = 0; i < MAX_PARTITIONS * MAX_DEVICES; i++) {
		if (!vfs[i]) {
			continue;
		}
		begin(tree, keep_printf("vf@%x", i));
		number(tree, "index", vfs[i]->index);
		bytes(tree, "mac-address", vfs[i]->mac, sizeof(vfs[i]->mac));
		number(tree, "vlan", vfs[i]->vlan);
		end(tree);
	}
	end(tree);
}

struct bytes guest_dtb_build(const struct config *config, const struct partition *partition)
{
	struct tree tree = {.fdt = keep_alloc(DTB_SIZE_MAX)};

	tree.error = fdt_create(tree.fdt, DTB_SIZE_MAX);
	tree.error = tree.error ? tree.error : fdt_finish_reservemap(tree.fdt);
	begin(&tree, "");
	string(&tree, "compatible", "linux,dummy-virt");
	string(&tree, "model", "causeway");
	number(&tree, "#address-cells", 2);
	number(&tree, "#size-cells", 2);
	number(&tree, "interrupt-parent", PHANDLE_GIC);
	chosen(&tree, partition);
	begin(&tree, "memory@40000000");
	string(&tree, "device_type", "memory");
	reg(&tree, GUEST_RAM_BASE, partition->memory_size);
	end(&tree);
	cpus(&tree, partition->vcpus);
	timer(&tree);
	gic(&tree, partition->vcpus);
	uart(&tree);
	pcie(&tree, config, partition);
	if (partition->pf_service) {
		contracts(&tree, config, partition);
	}
	end(&tree);
	tree.error = tree.error ? tree.error : fdt_finish(tree.fdt);
	if (tree.error) {
		die(EXIT_TOOL, "%s: cannot write the guest's device tree: %s", partition->path,
		    fdt_strerror(tree.error));
	}
	return (struct bytes){tree.fdt, fdt_totalsize(tree.fdt)};
}
