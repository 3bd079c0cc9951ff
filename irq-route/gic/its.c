/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical ITS bring-up, IHI 0069H 5.2 and chapter 12: off, tables, queue, on. */
#include "gic.h"

#include "clock.h"

struct gic gic;

#define VPES_WANTED	128u
#define TABLE_PAGES_MAX 256u
#define TABLE_TYPES	8u /* what GITS_BASER<n>.Type, of three bits, can say */

/* Writes the register with one page size; false when the ITS does not take it. */
static bool table_try(reg64_t baser, const void *table, uint64_t size, unsigned page_code)
{
	const uint64_t checked = GITS_TABLE_VALID | GITS_BASER_ADDRESS | GITS_BASER_SIZE |
				 GITS_BASER_PAGE_SIZE | GITS_BASER_INDIRECT;
	uint64_t pages = align_up(size, KIB(4) << (2 * page_code)) >> (12 + 2 * page_code);
	uint64_t pa = pa_of(table).v;

	if (pages > TABLE_PAGES_MAX || (page_code != 2 && pa >> 48)) {
		return false;
	}
	uint64_t value = GITS_TABLE_VALID | (pa & GITS_BASER_ADDRESS) |
			 field_prep(GITS_BASER_ADDRESS_HIGH, pa >> 48) |
			 field_prep(GITS_BASER_SIZE, pages - 1) |
			 field_prep(GITS_BASER_PAGE_SIZE, page_code);
	uint64_t got = gic_set_table(gic.its, baser, value, GITS_TABLE_INNER_CACHE, table, size);

	return ((got ^ value) & checked) == 0;
}

static enum status table_init(reg64_t baser, uint64_t wanted, uint64_t *entries)
{
	uint64_t entry = field_get(GITS_BASER_ENTRY_SIZE, mmio_read64(gic.its, baser)) + 1;
	uint64_t size = align_up(wanted * entry, GIC_TABLE_ALIGN);
	void *table = arena_take(gic.tables, size, GIC_TABLE_ALIGN);

	if (!table) {
		return STATUS_NO_MEMORY;
	}
	arch_publish();
	for (unsigned page_code = 3; page_code-- > 0;) {
		if (table_try(baser, table, size, page_code)) {
			*entries = size / entry;
			return STATUS_OK;
		}
	}
	return STATUS_HARDWARE;
}

/* Which register holds which table is the implementation's choice (GITS_BASER<n>.Type). */
static enum status tables_init(uint64_t typer, unsigned device_bits)
{
	const uint64_t wanted[TABLE_TYPES] = {
		[GITS_TABLE_DEVICES] = 1ull << device_bits,
		[GITS_TABLE_VPES] = gic.why_injected ? 0 : VPES_WANTED,
		[GITS_TABLE_COLLECTIONS] = IRQ_ROUTE_MAX_CORES,
	};
	uint64_t entries[TABLE_TYPES] = {
		[GITS_TABLE_COLLECTIONS] = field_get(GITS_TYPER_HCC, typer),
	};

	for (unsigned n = 0; n < GITS_BASER_COUNT; n++) {
		reg64_t baser = reg64_nth(GITS_BASER0, n, 8);
		uint64_t type = field_get(GITS_BASER_TYPE, mmio_read64(gic.its, baser));
		enum status status =
			wanted[type] ? table_init(baser, wanted[type], &entries[type]) : STATUS_OK;

		if (status != STATUS_OK) {
			log_error("ITS: table GITS_BASER%u: %s", n, status_name(status));
			return status;
		}
	}
	uint64_t id_limit = 2ull << field_get(GITS_TYPER_DEV_BITS, typer);

	gic.device_limit = entries[GITS_TABLE_DEVICES];
	gic.device_limit = gic.device_limit < id_limit ? gic.device_limit : id_limit;
	gic.vpe_limit = entries[GITS_TABLE_VPES];
	if (!gic.device_limit || entries[GITS_TABLE_COLLECTIONS] < gic.core_count) {
		log_error("ITS: no table of devices, or of enough collections");
		return STATUS_UNSUPPORTED;
	}
	if (!gic.vpe_limit && !gic.why_injected) {
		gic.why_injected = "no-vpe-table";
	}
	return STATUS_OK;
}

static bool its_quiescent(void *context)
{
	(void)context;
	return mmio_read32(gic.its, GITS_CTLR) & GITS_CTLR_QUIESCENT;
}

static enum status its_init(uint64_t typer, unsigned device_bits)
{
	mmio_write32(gic.its, GITS_CTLR, 0);
	enum status status = clock_poll(its_quiescent, NULL, GIC_TIMEOUT_NS);

	if (status == STATUS_OK) {
		status = tables_init(typer, device_bits);
	}
	if (status == STATUS_OK) {
		status = its_queue_init();
	}
	if (status == STATUS_OK) {
		mmio_write32(gic.its, GITS_CTLR,
			     GITS_CTLR_ENABLED | (gic.why_injected ? 0 : GITS_CTLR_VIRTUAL));
	}
	return status;
}

/* The physical LPI tables of every core; cores write their own registers later. */
static enum status lpi_tables_init(void)
{
	gic.property_table = arena_take(gic.tables, GIC_PROPERTY_SIZE, PAGE_SIZE);
	bool complete = gic.property_table != NULL;

	for (unsigned core = 0; complete && core < gic.core_count; core++) {
		gic.cores[core].pending_table =
			arena_take(gic.tables, GIC_PENDING_SIZE, GIC_TABLE_ALIGN);
		complete = gic.cores[core].pending_table != NULL;
	}
	return complete ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status probe(const struct irq_route_config *config, uint64_t typer)
{
	if (!(typer & GITS_TYPER_PHYSICAL)) {
		log_error("ITS: it delivers no LPIs (GITS_TYPER.Physical)");
		return STATUS_UNSUPPORTED;
	}
	if (!(typer & GITS_TYPER_VIRTUAL)) {
		gic.why_injected = "no-gicv4";
	}
	for (unsigned core = 0; core < config->cores; core++) {
		enum status status = redistributor_probe(core, config->redistributors[core],
							 typer & GITS_TYPER_PTA);

		if (status != STATUS_OK) {
			return status;
		}
	}
	return STATUS_OK;
}

enum status irq_route_init(const struct irq_route_config *config)
{
	gic = (struct gic){.its = config->its,
			   .tables = config->tables,
			   .core_count = config->cores,
			   .sink = config->sink};
	uint64_t typer = mmio_read64(gic.its, GITS_TYPER);
	enum status status = probe(config, typer);

	gic.itt_entry_size = (unsigned)field_get(GITS_TYPER_ITT_ENTRY, typer) + 1;
	gic.event_bits = (unsigned)field_get(GITS_TYPER_ID_BITS, typer) + 1;
	if (status == STATUS_OK) {
		status = lpi_tables_init();
	}
	if (status == STATUS_OK) {
		status = devices_init();
	}
	if (status == STATUS_OK) {
		status = its_init(typer, config->device_bits);
	}
	if (status == STATUS_OK) {
		log_info("ITS: DeviceIDs below 0x%llx, %llu vPEs%s%s%s",
			 (unsigned long long)gic.device_limit, (unsigned long long)gic.vpe_limit,
			 gic.clean_tables ? ", tables not snooped" : "",
			 gic.why_injected ? ": interrupts are injected, because of " : "",
			 gic.why_injected ? gic.why_injected : "");
	} else if (status != STATUS_UNSUPPORTED) { /* that has said why */
		log_error("ITS: not usable: %s", status_name(status));
	}
	return status;
}
