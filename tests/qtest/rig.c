/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <string.h>

#include "smmu.h"
#include "tree.h"

#define EDU_RAISE   0x60
#define EDU_ACK	    0x64
#define EDU_SOURCE  0x80
#define EDU_TARGET  0x88
#define EDU_COUNT   0x90
#define EDU_COMMAND 0x98
#define EDU_RUN	    1
#define EDU_TO_RAM  2
#define EDU_BUFFER  0x40000

#define CMD_NOTHING 0x01 /* CMD_PREFETCH_CONFIG: a hint */
#define CMD_UNKNOWN 0xff

static unsigned char smmu_memory[IOMMU_ARENA_SIZE] __attribute__((aligned(65536)));
static unsigned char its_memory[IRQ_ROUTE_ARENA_SIZE] __attribute__((aligned(65536)));
static struct arena smmu_arena, its_arena;
static unsigned ignored_opcode, refuse_in;

/* --- the machine ----------------------------------------------------------------------------- */

void rig_machine(const char *name, const char *machine, const char *const *devices)
{
	ignored_opcode = refuse_in = 0;
	qtest_start(name, machine, RIG_CORES, devices);
	hv_host_reset();
	memset(&glue, 0, sizeof(glue));
}

void rig_end(void)
{
	assert_string_equal(qtest_complaint(), "");
	assert_string_equal(hv_host_violation(), "");
	qtest_stop();
}

int rig_tear_down(void **state)
{
	(void)state;
	qtest_stop();
	return 0;
}

void rig_enumerate(struct pci_bus *bus)
{
	struct dt_walk bridge = tree_find((const void *)QTEST_FDT, "pci-host-ecam-generic");
	struct pci_host host;

	assert_int_equal(pci_host_from_fdt(&host, &bridge), STATUS_OK);
	assert_int_equal(host.ecam, QTEST_ECAM);
	assert_int_equal(pci_bus_enumerate(bus, &host), STATUS_OK);
}

struct pci_function *rig_function(struct pci_bus *bus, uint16_t vendor, uint16_t device,
				  unsigned nth)
{
	for (unsigned i = 0; i < bus->function_count; i++) {
		struct pci_function *f = &bus->functions[i];

		if (f->vendor == vendor && f->device == device && nth-- == 0) {
			return f;
		}
	}
	fail_msg("no function %04x:%04x", vendor, device);
	return NULL;
}

/* --- legs ------------------------------------------------------------------------------------ */

void rig_smmu(struct pci_bus *bus)
{
	struct iommu_config config = {
		{QTEST_SMMU}, SMMU_FRAME_SIZE, &smmu_arena, bus->bus_count > 1 ? 10 : 8};

	smmu_arena = (struct arena){smmu_memory, sizeof(smmu_memory), 0};
	memset(smmu_memory, 0, sizeof(smmu_memory));
	assert_int_equal(iommu_init(&config), STATUS_OK);
}

void rig_its(void)
{
	struct irq_route_config config = {
		.its = {QTEST_ITS}, .cores = RIG_CORES, .device_bits = 16, .tables = &its_arena};

	its_arena = (struct arena){its_memory, sizeof(its_memory), 0};
	memset(its_memory, 0, sizeof(its_memory));
	for (unsigned i = 0; i < RIG_CORES; i++) {
		config.redistributors[i].base = QTEST_GICR + i * 0x40000ul;
	}
	assert_int_equal(irq_route_init(&config), STATUS_OK);
	for (unsigned i = 0; i < RIG_CORES; i++) {
		assert_int_equal(irq_route_core_init(i), STATUS_OK);
	}
}

/* Before QEMU is told of new commands, those to be ignored become hints, one to be refused no
 * command. */
static void change_commands(uintptr_t address, uint64_t writer)
{
	if (address != QTEST_SMMU + SMMU_CMDQ_PROD.offset) {
		return;
	}
	uint64_t base = arch_mmio_read64(QTEST_SMMU + SMMU_CMDQ_BASE.offset);
	uint32_t at = arch_mmio_read32(QTEST_SMMU + SMMU_CMDQ_CONS.offset);
	uint32_t size = 1u << field_get(QUEUE_BASE_LOG2SIZE, base);

	for (at &= 2 * size - 1; at != (uint32_t)writer; at = (at + 1) & (2 * size - 1)) {
		volatile uint64_t *words = va_of((pa_t){base & BITS(51, 5)});

		words += 2 * (at & (size - 1));
		if (ignored_opcode && (words[0] & 0xff) == ignored_opcode) {
			words[0] = CMD_NOTHING;
			words[1] = 0;
		}
		if (refuse_in && --refuse_in == 0) {
			words[0] = CMD_UNKNOWN;
			words[1] = 0;
		}
	}
}

void rig_ignore_command(unsigned opcode)
{
	ignored_opcode = opcode;
	qtest_before_write(change_commands);
}

void rig_refuse_command(unsigned nth)
{
	refuse_in = nth;
	qtest_before_write(change_commands);
}

bool rig_command_refused(void)
{
	return !refuse_in;
}

/* --- devices --------------------------------------------------------------------------------- */

struct rig_device rig_open(struct pci_bus *bus, const struct pci_function *f)
{
	uint16_t command = pci_config_read16(bus, f->rid, PCI_COMMAND);

	pci_config_write16(bus, f->rid, PCI_COMMAND, command | PCI_COMMAND_MASTER);
	return (struct rig_device){f->rid, f->bars[0].cpu_address.v};
}

static void edu_begin(const struct rig_device *edu, uint64_t from, uint64_t to, unsigned size,
		      unsigned direction)
{
	assert_in_range(size, 1, 4096); /* QEMU's edu checks nothing */
	arch_mmio_write64(edu->bar + EDU_SOURCE, from);
	arch_mmio_write64(edu->bar + EDU_TARGET, to);
	arch_mmio_write64(edu->bar + EDU_COUNT, size);
	arch_mmio_write64(edu->bar + EDU_COMMAND, EDU_RUN | direction);
}

void rig_edu_finish(const struct rig_device *edu)
{
	assert_true(qtest_wait32(edu->bar + EDU_COMMAND, EDU_RUN, 0));
}

void rig_edu_store_begin(const struct rig_device *edu, uint64_t to, unsigned size)
{
	edu_begin(edu, EDU_BUFFER, to, size, EDU_TO_RAM);
}

void rig_edu_store(const struct rig_device *edu, uint64_t to, unsigned size)
{
	rig_edu_store_begin(edu, to, size);
	rig_edu_finish(edu);
}

void rig_edu_fetch(const struct rig_device *edu, uint64_t from, unsigned size)
{
	edu_begin(edu, from, EDU_BUFFER, size, 0);
	rig_edu_finish(edu);
}

void rig_edu_msi(struct pci_bus *bus, const struct rig_device *edu, uint64_t address, uint16_t data)
{
	uint16_t at = pci_bus_find(bus, edu->rid)->caps.msi;

	assert_int_not_equal(at, 0);
	assert_true(pci_config_read16(bus, edu->rid, at + 2) & 0x80); /* 64-bit addresses */
	pci_config_write32(bus, edu->rid, at + 4, (uint32_t)address);
	pci_config_write32(bus, edu->rid, at + 8, (uint32_t)(address >> 32));
	pci_config_write16(bus, edu->rid, at + 12, data);
	pci_config_write16(bus, edu->rid, at + 2, 1);
}

void rig_edu_interrupt(const struct rig_device *edu)
{
	arch_mmio_write32(edu->bar + EDU_RAISE, 1);
	arch_mmio_write32(edu->bar + EDU_ACK, 1);
}

/* --- memory ---------------------------------------------------------------------------------- */

void rig_fill(partition_id_t partition, uint8_t byte)
{
	memset(hv_host_ram(partition, GUEST_RAM_BASE), byte, HV_HOST_RAM);
}

unsigned rig_changed(partition_id_t partition, uint8_t byte, uint64_t *first)
{
	const unsigned char *ram = hv_host_ram(partition, GUEST_RAM_BASE);
	unsigned count = 0;

	for (uint64_t i = HV_HOST_RAM; i-- > 0;) {
		if (ram[i] != byte) {
			count++;
			*first = GUEST_RAM_BASE + i;
		}
	}
	return count;
}

/* --- guests ---------------------------------------------------------------------------------- */

void rig_guest_its(const struct rig_guest *guest)
{
	partition_id_t p = guest->partition;

	guest->write(p, GITS_BASER0.offset, 8, GITS_TABLE_VALID | (GUEST_RAM_BASE + 0x80000));
	guest->write(p, GITS_BASER0.offset + 8, 8, GITS_TABLE_VALID | (GUEST_RAM_BASE + 0x90000));
	guest->write(p, GITS_CBASER.offset, 8, GITS_TABLE_VALID | RIG_QUEUE);
	guest->write(p, GITS_CWRITER.offset, 8, 0);
	guest->write(p, GITS_CTLR.offset, 4, 1);
	memset(hv_host_ram(p, RIG_PROPERTY), 0xa1, 8192);
}

void rig_guest_command(const struct rig_guest *guest, struct its_command command)
{
	uint64_t writer = guest->read(guest->partition, GITS_CWRITER.offset);

	memcpy(hv_host_ram(guest->partition, RIG_QUEUE + writer), &command, sizeof(command));
	writer = (writer + sizeof(command)) % PAGE_SIZE;
	guest->write(guest->partition, GITS_CWRITER.offset, 8, writer);
	for (unsigned i = 0; i < 16 && guest->read(guest->partition, GITS_CREADR.offset) != writer;
	     i++) {
	}
	assert_int_equal(guest->read(guest->partition, GITS_CREADR.offset), writer);
}

void rig_guest_events(const struct rig_guest *guest, device_id_t device, unsigned count,
		      uint32_t vlpi)
{
	rig_guest_command(guest, its_mapd(device, 5, (pa_t){GUEST_RAM_BASE + 0xa0000}));
	for (uint32_t event = 0; event < count; event++) {
		struct its_command mapti =
			its_event_command(ITS_MAPTI, device, (event_id_t){event});

		mapti.word[1] |= field_prep(ITS_W1_INTID, vlpi + event);
		rig_guest_command(guest, mapti);
	}
}

bool rig_pending(const void *table, uint32_t intid)
{
	return ((const volatile unsigned char *)table)[intid / 8] >> intid % 8 & 1;
}

unsigned rig_pending_count(const void *table)
{
	unsigned count = 0;

	for (uint32_t intid = 0; intid < 1u << IRQ_LPI_BITS; intid++) {
		count += rig_pending(table, intid);
	}
	return count;
}
