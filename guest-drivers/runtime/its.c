/* SPDX-License-Identifier: BSD-2-Clause */
/* LPIs and the ITS (IHI 0069 chapters 5 and 12): one collection, on the boot core. */
#include "internal.h"

#include <string.h>

REG32(GITS_CTLR, 0x0000);
#define GITS_CTLR_ENABLED   BIT(0)
#define GITS_CTLR_QUIESCENT BIT(31)
REG64(GITS_TYPER, 0x0008);
#define GITS_TYPER_PTA BIT(19)
REG64(GITS_CBASER, 0x0080);
REG64(GITS_CWRITER, 0x0088);
REG64(GITS_CREADR, 0x0090);
REG64(GITS_BASER0, 0x0100);
#define BASER_VALID	      BIT(63)
#define BASER_TYPE	      BITS(58, 56)
#define BASER_PAGE_SIZE	      BITS(9, 8)
#define BASER_TYPE_DEVICE     1u
#define BASER_TYPE_COLLECTION 4u
/* Inner shareable, normal inner write-back: the same bits in every table register but BASER. */
#define TABLE_CACHED (7ull << 7 | 1ull << 10)
#define BASER_CACHED (7ull << 59 | 1ull << 10)

REG32(GICR_CTLR, 0x0000);
#define GICR_CTLR_LPIS BIT(0)
REG64(GICR_TYPER, 0x0008);
#define GICR_TYPER_PLPIS BIT(0)
REG64(GICR_PROPBASER, 0x0070);
REG64(GICR_PENDBASER, 0x0078);
#define PENDBASER_ZEROED BIT(62)

enum its_opcode { ITS_SYNC = 5, ITS_MAPD = 8, ITS_MAPC = 9, ITS_MAPTI = 10, ITS_INV = 12 };

#define ID_BITS	       14u /* INTIDs below 16384: 8192 LPIs */
#define TABLE_SIZE     KIB(64)
#define QUEUE_SIZE     KIB(4)
#define COMMAND_SIZE   32u
#define DEVICES	       4u
#define EVENT_BITS_MAX 10u
#define ENTRY_SIZE     16u /* of an ITT, at most */
#define ITS_TIMEOUT_NS 20000000ull
#define LPI_ON	       0xa3u /* priority 0xa0, enabled */

static uint8_t configuration[8192] __attribute__((aligned(4096)));
static uint8_t pending[TABLE_SIZE] __attribute__((aligned(65536)));
static uint8_t device_table[TABLE_SIZE] __attribute__((aligned(65536)));
static uint8_t collection_table[TABLE_SIZE] __attribute__((aligned(65536)));
static uint64_t queue[QUEUE_SIZE / 8] __attribute__((aligned(65536)));
static uint8_t itts[DEVICES][ENTRY_SIZE << EVENT_BITS_MAX] __attribute__((aligned(256)));

static const mmio_t its = {GUEST_ITS_BASE};
static unsigned devices;
static uint64_t target; /* RDbase of the boot core, as a command carries it */

static bool its_quiet(void *context)
{
	(void)context;
	return mmio_read32(its, GITS_CTLR) & GITS_CTLR_QUIESCENT;
}

static bool queue_drained(void *context)
{
	(void)context;
	return (mmio_read64(its, GITS_CREADR) & ~1ull) == mmio_read64(its, GITS_CWRITER);
}

enum status its_command(const uint64_t words[4])
{
	uint64_t at = mmio_read64(its, GITS_CWRITER) % QUEUE_SIZE;

	memcpy((uint8_t *)queue + at, words, COMMAND_SIZE);
	arch_clean((uint8_t *)queue + at, COMMAND_SIZE);
	mmio_write64(its, GITS_CWRITER, (at + COMMAND_SIZE) % QUEUE_SIZE);
	return clock_poll(queue_drained, NULL, ITS_TIMEOUT_NS);
}

static enum status command(uint64_t word0, uint64_t word1, uint64_t word2)
{
	enum status status = its_command((const uint64_t[4]){word0, word1, word2, 0});

	if (status == STATUS_OK) {
		status = its_command((const uint64_t[4]){ITS_SYNC, 0, target, 0});
	}
	return status;
}

/* Keeps the page size the ITS insists on, for a table of 64 KiB. */
static void set_table(unsigned index, const uint8_t *table)
{
	reg64_t reg = reg64_nth(GITS_BASER0, index, 8);
	uint64_t value = BASER_VALID | BASER_CACHED | (uint64_t)(uintptr_t)table;
	unsigned size;

	mmio_write64(its, reg, value);
	size = (unsigned)field_get(BASER_PAGE_SIZE, mmio_read64(its, reg));
	value |= field_prep(BASER_PAGE_SIZE, size);
	value |= (TABLE_SIZE >> (size == 0 ? 12 : size == 1 ? 14 : 16)) - 1;
	mmio_write64(its, reg, value);
}

static void set_tables(void)
{
	for (unsigned i = 0; i < 8; i++) {
		uint64_t baser = mmio_read64(its, reg64_nth(GITS_BASER0, i, 8));

		switch (field_get(BASER_TYPE, baser)) {
		case BASER_TYPE_DEVICE:
			set_table(i, device_table);
			break;
		case BASER_TYPE_COLLECTION:
			set_table(i, collection_table);
			break;
		default:
			break;
		}
	}
}

static void redistributor_start(mmio_t frame)
{
	mmio_write64(frame, GICR_PROPBASER,
		     (uint64_t)(uintptr_t)configuration | TABLE_CACHED | (ID_BITS - 1));
	mmio_write64(frame, GICR_PENDBASER,
		     (uint64_t)(uintptr_t)pending | TABLE_CACHED | PENDBASER_ZEROED);
	arch_barrier();
	mmio_write32(frame, GICR_CTLR, mmio_read32(frame, GICR_CTLR) | (uint32_t)GICR_CTLR_LPIS);
	arch_barrier();
}

enum status its_start(void)
{
	struct probe_result present = probe_read(its.base + GITS_TYPER.offset, 8);
	mmio_t frame;
	uint64_t typer;

	if (present.faulted || !present.value || !gic_redistributor(&frame)) {
		return STATUS_NOT_FOUND;
	}
	typer = mmio_read64(frame, GICR_TYPER);
	if (!(typer & GICR_TYPER_PLPIS)) {
		return STATUS_NOT_FOUND;
	}
	redistributor_start(frame);
	mmio_write32(its, GITS_CTLR, 0);
	if (clock_poll(its_quiet, NULL, ITS_TIMEOUT_NS) != STATUS_OK) {
		return STATUS_TIMEOUT;
	}
	set_tables();
	mmio_write64(its, GITS_CBASER,
		     BASER_VALID | BASER_CACHED | (uint64_t)(uintptr_t)queue |
			     (QUEUE_SIZE / 4096 - 1));
	mmio_write64(its, GITS_CWRITER, 0);
	mmio_write32(its, GITS_CTLR, GITS_CTLR_ENABLED);
	target = present.value & GITS_TYPER_PTA ? frame.base : (typer >> 8 & 0xffff) << 16;
	return command(ITS_MAPC, 0, BIT(63) | target);
}

enum status its_map_device(device_id_t device, unsigned event_bits)
{
	uint64_t itt;

	if (devices == DEVICES || event_bits < 1 || event_bits > EVENT_BITS_MAX) {
		return STATUS_RANGE;
	}
	itt = (uint64_t)(uintptr_t)itts[devices++];
	return command(ITS_MAPD | (uint64_t)device.v << 32, event_bits - 1, BIT(63) | itt);
}

enum status its_map_event(device_id_t device, event_id_t event, uint32_t lpi)
{
	enum status status;

	if (lpi < LPI_FIRST || lpi - LPI_FIRST >= sizeof(configuration)) {
		return STATUS_RANGE;
	}
	status = command(ITS_MAPTI | (uint64_t)device.v << 32, event.v | (uint64_t)lpi << 32, 0);
	return status == STATUS_OK ? its_configure_event(device, event, lpi, LPI_ON) : status;
}

enum status its_configure_event(device_id_t device, event_id_t event, uint32_t lpi,
				uint8_t property)
{
	if (lpi < LPI_FIRST || lpi - LPI_FIRST >= sizeof(configuration)) {
		return STATUS_RANGE;
	}
	configuration[lpi - LPI_FIRST] = property;
	arch_clean(&configuration[lpi - LPI_FIRST], 1);
	return its_event(ITS_INV, device, event);
}

enum status its_event(unsigned opcode, device_id_t device, event_id_t event)
{
	return command(opcode | (uint64_t)device.v << 32, event.v, 0);
}
