/* SPDX-License-Identifier: BSD-2-Clause */
/* F18: every offset and width of the virtual ITS's control frame, and its command queue's edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "irq_rig.h"

#define P0 (&rig_partitions[0])

static void identity(void **state)
{
	(void)state;
	rig_start();
	uint64_t typer = vits_read(P0, 8, 8);

	assert_int_equal(typer & (GITS_TYPER_PHYSICAL | GITS_TYPER_VIRTUAL), GITS_TYPER_PHYSICAL);
	assert_int_equal(field_get(GITS_TYPER_DEV_BITS, typer), 15);
	assert_int_equal(field_get(GITS_TYPER_ID_BITS, typer), 15);
	assert_int_equal(field_get(GITS_TYPER_CID_BITS, typer), 3);
	assert_int_equal(typer & GITS_TYPER_PTA, 0);
	assert_int_equal(vits_read(P0, 8, 4), typer & UINT32_MAX);
	assert_int_equal(vits_read(P0, 12, 4), typer >> 32);
	assert_int_equal(vits_read(P0, 0xffe8, 4), 0x3b);
	assert_int_equal(vits_read(P0, 4, 4), 0x43b);
	rig_check();
}

/* As a driver probes its tables: type and entry size stay, the rest reads back as written. */
static void tables(void **state)
{
	const uint64_t wanted = GITS_TABLE_VALID | GITS_BASER_INDIRECT | 0x48000000 | 0x207;

	(void)state;
	rig_start();
	vits_write(P0, 0, 4, 0);
	assert_int_equal(vits_read(P0, 0, 4), GITS_CTLR_QUIESCENT);
	for (uint32_t n = 0; n < 8; n++) {
		vits_write(P0, 0x100 + n * 8, 8, wanted | 7ull << 56 | 31ull << 48);
		uint64_t got = vits_read(P0, 0x100 + n * 8, 8);
		uint64_t type = n == 0 ? GITS_TABLE_DEVICES : n == 1 ? GITS_TABLE_COLLECTIONS : 0;

		assert_int_equal(field_get(GITS_BASER_TYPE, got), type);
		assert_int_equal(got & ~(GITS_BASER_TYPE | GITS_BASER_ENTRY_SIZE),
				 type ? wanted : 0);
	}
	/* By halves. */
	vits_write(P0, 0x100, 4, 0x50000000);
	assert_int_equal(vits_read(P0, 0x100, 4), 0x50000000);
	assert_int_equal(vits_read(P0, 0x104, 4) >> 30, 3);
	vits_write(P0, 0x104, 4, 0);
	assert_int_equal(vits_read(P0, 0x104, 4), GITS_TABLE_DEVICES << 24 | 7 << 16);
	/* Read-only while enabled. */
	vits_write(P0, 0, 4, 1);
	vits_write(P0, 0x100, 8, wanted);
	vits_write(P0, 0x80, 8, GITS_TABLE_VALID | 0x50000000);
	assert_int_equal(vits_read(P0, 0x100, 4), 0x50000000);
	assert_int_equal(vits_read(P0, 0x80, 8) & GITS_CBASER_ADDRESS, RIG_QUEUE);
	assert_int_equal(vits_read(P0, 0, 4), 1);
	rig_check();
}

static bool known(uint32_t offset)
{
	return offset < 0x10 || (offset >= 0x80 && offset < 0x98) ||
	       (offset >= 0x100 && offset < 0x110) || (offset >= 0xffe8 && offset < 0xffec);
}

/* Every offset, every width: nothing but the registers answers, nothing reaches the hardware. */
static void every_offset(void **state)
{
	static const uint64_t patterns[] = {0, ~0ull, 0x5555555555555555, 1ull << 63};
	static const unsigned widths[] = {0, 1, 2, 3, 4, 5, 8, 16};

	(void)state;
	rig_start();
	rig_guest_usual(0);
	unsigned long writes = model_counters.writes;

	for (uint32_t offset = 0; offset < 0x10000; offset++) {
		for (unsigned w = 0; w < ARRAY_SIZE(widths); w++) {
			unsigned width = widths[w];
			bool fair = (width == 4 || width == 8) && offset % width == 0;

			if (!fair || !known(offset)) {
				assert_int_equal(vits_read(P0, offset, width), 0);
				vits_write(P0, offset, width, patterns[(offset + w) % 4]);
			}
		}
	}
	assert_int_equal(model_counters.writes, writes);
	assert_int_equal(vits_read(P0, 0xfffffff8, 8), 0);
	assert_int_equal(vits_read(P0, 0, 8), 0);
	assert_int_equal(vits_read(P0, 0xffe8, 8), 0);
	/* What was set up is still there. */
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	/* And now the known ones, with rubbish, on both guests: the other must not notice. */
	rig_guest_usual(1);
	for (unsigned round = 0; round < 64; round++) {
		for (uint32_t offset = 0; offset < 0x110; offset += 4) {
			vits_write(P0, offset, 4 + 4 * (round & 1),
				   patterns[(round + offset / 4) % 4]);
		}
	}
	assert_true(rig_lands(1, 0, 0, RIG_VLPI));
	rig_check();
}

/* A queue outside RAM, or that leaves it: stopped, said once, and a correct one works again. */
static void queue_outside_ram(void **state)
{
	static const uint64_t bad[] = {0, GUEST_GICD_BASE, GUEST_RAM_BASE - 0x1000,
				       GUEST_RAM_BASE + RIG_RAM_SIZE, 0xffffffffff000};

	(void)state;
	rig_start();
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t refused = rig_refused(0);

		vits_write(P0, 0, 4, 0);
		vits_write(P0, 0x80, 8, GITS_TABLE_VALID | bad[i] | 0xff);
		vits_write(P0, 0, 4, 1);
		vits_write(P0, 0x88, 8, 0x40);
		assert_int_equal(vits_read(P0, 0x90, 8), GITS_CREADR_STALLED);
		assert_int_equal(rig_refused(0), refused + 1);
		/* Polling does not cost more. */
		assert_int_equal(vits_read(P0, 0x90, 8), GITS_CREADR_STALLED);
		assert_int_equal(rig_refused(0), refused + 1);
		/* Retry does, once. */
		vits_write(P0, 0x88, 8, 0x40 | GITS_CWRITER_RETRY);
		assert_int_equal(rig_refused(0), refused + 2);
	}
	assert_in_range(models_log_count("partition 0: virtual ITS stalled"), 1, 4);
	vits_write(P0, 0, 4, 0);
	rig_guest_boot(0);
	assert_true(rig_mapc(0, 0, 0, true));
	rig_check();
}

/* The queue's last pages reach past RAM: what is inside is done, then it stops. */
static void queue_leaves_ram(void **state)
{
	(void)state;
	rig_start();
	vits_write(P0, 0, 4, 0);
	vits_write(P0, 0x80, 8, GITS_TABLE_VALID | (GUEST_RAM_BASE + RIG_RAM_SIZE - 0x1000) | 1);
	vits_write(P0, 0, 4, 1);
	vits_write(P0, 0x88, 8, 0x1fe0);
	for (unsigned i = 0; i < 100; i++) {
		(void)vits_read(P0, 0x90, 8);
	}
	assert_int_equal(vits_read(P0, 0x90, 8), 0x1000 | GITS_CREADR_STALLED);
	assert_int_equal(P0->counters.commands, 128);
	rig_check();
}

/* CWRITER past the queue's end, and CBASER not valid: nothing happens. */
static void writer_out_of_range(void **state)
{
	(void)state;
	rig_start();
	vits_write(P0, 0x88, 8, RIG_QUEUE_SIZE);
	vits_write(P0, 0x88, 8, 0xfffe0);
	vits_write(P0, 0x88, 8, ~0ull);
	assert_int_equal(vits_read(P0, 0x90, 8), 0);
	assert_int_equal(P0->counters.commands, 0);
	vits_write(P0, 0, 4, 0);
	vits_write(P0, 0x80, 8, RIG_QUEUE);
	vits_write(P0, 0, 4, 1);
	vits_write(P0, 0x88, 8, 0x20);
	assert_int_equal(P0->counters.commands, 0);
	rig_check();
}

/* One trap does a bounded piece; polling does the rest; a full queue takes one queue's length. */
static void slices(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	uint64_t at = vits_read(P0, 0x90, 8);
	struct its_command invall = its_invall(0);
	uint64_t before = P0->counters.commands;
	uint64_t physical = rig_physical_commands();

	for (uint64_t slot = 0; slot < RIG_QUEUE_SIZE; slot += sizeof(invall)) {
		memcpy(rig_ram(0, RIG_QUEUE + slot), &invall, sizeof(invall));
	}
	vits_write(P0, 0x88, 8, (at + RIG_QUEUE_SIZE - 32) % RIG_QUEUE_SIZE);
	/* An INVALL re-reads what is routed, which is work too: fewer than 64 in one slice. */
	uint64_t slice = P0->counters.commands - before;

	assert_in_range(slice, 32, 63);
	assert_true(rig_physical_commands() - physical <= 256 + 520);
	(void)vits_read(P0, 0x90, 8);
	assert_int_equal(P0->counters.commands - before, 2 * slice);
	(void)vits_read(P0, 0x90, 8);
	assert_int_equal(P0->counters.commands - before, 127);
	assert_int_equal(vits_read(P0, 0x90, 8), vits_read(P0, 0x88, 8));
	rig_check();
}

/* Commands wait while the ITS is off, and are taken when it is turned on. */
static void off_and_on(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	vits_write(P0, 0, 4, 0);
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	assert_int_equal(model_its_pending_count(rig_vpe(0, 0)), 0);
	uint64_t before = P0->counters.commands;

	assert_false(rig_event(0, ITS_INT, RIG_VIRTUAL, 1));
	assert_int_equal(P0->counters.commands, before);
	vits_write(P0, 0, 4, 1);
	assert_int_equal(P0->counters.commands, before + 1);
	assert_true(model_its_pending(rig_vpe(0, 0), RIG_VLPI + 1));
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	/* New tables are empty: a kernel that was not told of the old one starts clean. */
	vits_write(P0, 0, 4, 0);
	vits_write(P0, 0x100, 8, GITS_TABLE_VALID | 0x40020000);
	vits_write(P0, 0, 4, 1);
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	assert_true(rig_event(0, ITS_INT, RIG_VIRTUAL, 1));
	assert_int_equal(rig_refused(0), 1);
	vits_write(P0, 0, 4, 0);
	vits_write(P0, 0x108, 8, GITS_TABLE_VALID | 0x40030000);
	vits_write(P0, 0, 4, 1);
	assert_true(rig_invall(0, 0));
	assert_int_equal(rig_refused(0), 2);
	rig_check();
}

static void redistributor_registers(void **state)
{
	(void)state;
	rig_start();
	uint64_t table = vredist_lpi_read(P0, 0, GICR_PROPBASER.offset);

	vredist_lpi_write(P0, 0, GICR_PROPBASER.offset, 8, ~0ull); /* in use: kept */
	assert_int_equal(vredist_lpi_read(P0, 0, GICR_PROPBASER.offset), table);
	vredist_lpi_write(P0, 0, GICR_PENDBASER.offset, 8, ~0ull);
	assert_int_equal(vredist_lpi_read(P0, 0, GICR_PENDBASER.offset), 0);
	vredist_lpi_enable(P0, 0, false);
	vredist_lpi_enable(P0, 1, false);
	vredist_lpi_enable(P0, 9, true);
	vredist_lpi_write(P0, 9, GICR_PENDBASER.offset, 8, ~0ull);
	assert_int_equal(vredist_lpi_read(P0, 9, GICR_PENDBASER.offset), 0);
	vredist_lpi_write(P0, 1, GICR_PENDBASER.offset, 8, ~0ull);
	assert_int_equal(vredist_lpi_read(P0, 1, GICR_PENDBASER.offset),
			 GICR_PEND_ADDRESS | GICR_TABLE_INNER_CACHE | GICR_TABLE_SHAREABILITY |
				 GICR_TABLE_OUTER_CACHE);
	vredist_lpi_write(P0, 0, GICR_PROPBASER.offset, 8, 0);
	assert_int_equal(vredist_lpi_read(P0, 0, GICR_PROPBASER.offset), 0);
	rig_check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity),
		cmocka_unit_test(tables),
		cmocka_unit_test(every_offset),
		cmocka_unit_test(queue_outside_ram),
		cmocka_unit_test(queue_leaves_ram),
		cmocka_unit_test(writer_out_of_range),
		cmocka_unit_test(slices),
		cmocka_unit_test(off_and_on),
		cmocka_unit_test(redistributor_registers),
	};

	return cmocka_run_group_tests_name("irq-route: virtual ITS registers", tests, NULL, NULL);
}
