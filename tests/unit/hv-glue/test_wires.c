/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual wires as their guests meet them: configuration space, BAR, interrupts; lives and deaths.
 */
#include "wire_card.h"

#define OFFLOADS 0x1983u /* CSUM, TSO4, TSO6, and a driver's willingness for each */

/* --- what is seen --- */

static void config_space(void **state)
{
	(void)state;
	wires_machine(NULL);
	wires_boot();
	assert_int_equal(models_log_count("red (eth0): a wire to blue (asked)"), 1);
	assert_int_equal(models_log_count("blue (eth0): a wire to red (asked)"), 1);
	assert_int_equal(rig_config_read(red, 0, 0x08, 4), 0x02000001);
	assert_int_equal(rig_config_read(red, 0, 0x2c, 4), 0x11001af4);
	assert_int_equal(rig_config_read(red, 0, 0x0e, 1), 0);
	assert_int_equal(rig_config_read(red, 0, 0x3d, 1), 0);
	for (unsigned i = 1; i < 6; i++) { /* one BAR, no ROM */
		rig_config_write(red, 0, PCI_BAR0 + 4 * i, 4, ~0u);
		assert_int_equal(rig_config_read(red, 0, PCI_BAR0 + 4 * i, 4), 0);
	}
	rig_config_write(red, 0, 0x30, 4, ~0u);
	assert_int_equal(rig_config_read(red, 0, 0x30, 4), 0);
	rig_config_write(red, 0, PCI_BAR0, 4, ~0u);
	assert_int_equal(rig_config_read(red, 0, PCI_BAR0, 4), -(uint32_t)IO_BAR_SIZE);
	rig_config_write(red, 0, PCI_BAR0, 4, (uint32_t)left.bar);
	assert_int_equal(rig_config_read(red, 0, PCI_BAR0, 4), left.bar);
	/* What a driver may change, and nothing else: Command, Cache Line, Line, MSI-X's two bits.
	 */
	for (unsigned reg = 0; reg < 256; reg += 4) {
		uint32_t before = rig_config_read(red, 0, reg, 4), changed;
		uint32_t may = reg == 0x04   ? 0x0000ffff
			       : reg == 0x0c ? 0xff
			       : reg == 0x10 ? 0xffffffff
			       : reg == 0x3c ? 0xff
			       : reg == 0x40 ? 0xc0000000
					     : 0;

		rig_config_write(red, 0, reg, 4, ~before);
		changed = rig_config_read(red, 0, reg, 4) ^ before;
		if (changed & ~may) {
			fail_msg("0x%x: bits 0x%x changed", reg, changed & ~may);
		}
		rig_config_write(red, 0, reg, 4, before);
	}
	assert_int_equal(rig_config_read(red, 0, 0x100, 4), 0);
	/* The neighbour's is as it was: the spaces lie side by side. */
	assert_int_equal(rig_config_read(blue, 1, PCI_COMMAND, 2), 0);
	assert_int_equal(rig_config_read(blue, 1, 0x42, 2), IO_VECTORS - 1);
	rig_check();
}

static void registers(void **state)
{
	uint64_t value;

	(void)state;
	wires_machine(NULL);
	wires_boot();
	for (unsigned i = 0; i < 2; i++) {
		const struct card *card = i ? &right : &left;

		for (unsigned b = 0; b < 6; b++) {
			assert_int_equal(card_read(card, card->specific + b, 1),
					 wires_requests[0].macs[i][b]);
		}
	}
	/* Offloads are offered at both ends, or, on the other wire, at neither. */
	card_write(&right, right.common, 4, 0);
	assert_int_equal(card_read(&right, right.common + 4, 4) & OFFLOADS, OFFLOADS);
	card_write(&third, third.common, 4, 0);
	card_write(&fourth, fourth.common, 4, 0);
	assert_int_equal(card_read(&third, third.common + 4, 4) & OFFLOADS, 0);
	assert_int_equal(card_read(&fourth, fourth.common + 4, 4) & OFFLOADS, 0);
	/* As many pairs as vCPUs. */
	assert_int_equal(card_read(&left, left.specific + 8, 2), 1);
	assert_int_equal(card_read(&right, right.specific + 8, 2), 2);
	assert_int_equal(card_read(&left, left.common + 0x12, 2), 2);
	assert_int_equal(card_read(&right, right.common + 0x12, 2), 5);
	assert_int_equal(card_read(&left, left.specific + 10, 2), 1500);
	/* Where they are: in the window's last pages, apart, and each its owner's alone. */
	assert_int_equal(left.bar, WIRES_BASE);
	assert_int_equal(right.bar, WIRES_BASE + IO_BAR_SIZE);
	assert_int_equal(fourth.bar, WIRES_BASE + 2 * IO_BAR_SIZE);
	assert_false(hv_host_read(red, left.bar - 4, 4, &value));
	assert_false(hv_host_read(red, left.bar + IO_BAR_SIZE, 4, &value));
	assert_false(hv_host_write(red, right.bar, 4, 0));
	assert_false(hv_host_read(blue, left.bar, 4, &value));
	rig_check();
}

/* --- traffic and interrupts --- */

static void traffic(bool injected)
{
	wires_start_all(&(struct rig_options){.no_gicv4 = injected});
	assert_true(card_link(&left) && card_link(&right) && card_link(&third));
	for (unsigned i = 0; i < 6; i++) {
		(void)card_interrupted(&left, i);
		(void)card_interrupted(&right, i);
	}
	for (unsigned round = 0; round < 20; round++) {
		card_talk(&left, &right, round);
		/* A receiver is told, a sender that its buffers are back; nobody else is. */
		assert_true(card_interrupted(&right, 1 + CARD_RX));
		assert_true(card_interrupted(&left, 1 + CARD_TX));
		assert_false(card_interrupted(&right, 1 + CARD_TX));
		assert_false(card_interrupted(&left, 1 + CARD_RX));
		card_talk(&right, &left, 100 + round);
		assert_true(card_interrupted(&left, 1 + CARD_RX));
		assert_true(card_interrupted(&right, 1 + CARD_TX));
		assert_false(card_interrupted(&third, 1 + CARD_RX));
		assert_false(card_interrupted(&fourth, 1 + CARD_RX));
	}
	card_talk(&third, &fourth, 7);
	assert_true(card_interrupted(&fourth, 1 + CARD_RX));
	assert_false(card_interrupted(&right, 1 + CARD_RX));
	wires_report_says(
		"@wire partition=red peer=blue label=eth0 why=asked guest=0000:00:01.0 state=up "
		"packets=80 bytes=72480 link=0 size=0 header=0 room=0");
	rig_check();
}

static void direct(void **state)
{
	(void)state;
	traffic(false);
}

static void injected(void **state)
{
	(void)state;
	traffic(true);
	assert_non_null(glue.sides[red.v].irq.why_injected);
}

static void masks(void **state)
{
	(void)state;
	wires_start_all(NULL);
	(void)card_interrupted(&right, 1);
	rig_config_write(blue, 1, 0x42, 2, 0xc000); /* the function's mask */
	card_talk(&left, &right, 1);
	assert_false(card_interrupted(&right, 1));
	rig_config_write(blue, 1, 0x42, 2, 0x8000); /* what was pending comes */
	assert_true(card_interrupted(&right, 1));
	card_write(&right, right.msix + 16 + 12, 4, 1); /* the vector's */
	card_talk(&left, &right, 2);
	assert_false(card_interrupted(&right, 1));
	card_write(&right, right.msix + 16 + 12, 4, 0);
	assert_true(card_interrupted(&right, 1));
	rig_config_write(blue, 1, 0x42, 2, 0); /* off */
	card_talk(&left, &right, 3);
	assert_false(card_interrupted(&right, 1));
	rig_check();
}

/* A message goes to the doorbell or nowhere, whatever it says: events without end, or not mapped.
 */
static void messages_elsewhere(void **state)
{
	const uint64_t elsewhere[] = {
		CARD_DOORBELL - 0x40,	    CARD_DOORBELL + 4, CARD_DOORBELL | 1ull << 32,
		CARD_DOORBELL | 1ull << 63, GUEST_RAM_BASE,    0};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		wires_machine(NULL);
		wires_boot();
		card_start_with(&left, CARD_DOORBELL);
		card_start_with(&right, elsewhere[i]);
		uint8_t byte = *hv_host_ram(blue, GUEST_RAM_BASE);

		card_talk(&left, &right, i);
		for (unsigned v = 0; v < IO_VECTORS; v++) {
			assert_false(card_interrupted(&right, v));
		}
		assert_int_equal(*hv_host_ram(blue, GUEST_RAM_BASE), byte);
		rig_check();
		rig_tear_down(NULL);
	}
	wires_machine(NULL);
	wires_boot();
	card_start(&left);
	card_start(&right);
	const uint32_t data[] = {8, 31, 32, 0x100, 0xffffffff}; /* 6 and 7 have a place, no LPI */

	for (unsigned i = 0; i < ARRAY_SIZE(data); i++) {
		card_write(&right, right.msix + 16 + 8, 4, data[i]);
		card_talk(&left, &right, i);
		for (unsigned v = 0; v < IO_VECTORS; v++) {
			assert_false(card_interrupted(&right, v) && v != 0);
		}
	}
	card_write(&right, right.msix + 16 + 8, 4, 7);
	card_talk(&left, &right, 1);
	card_write(&right, right.msix + 16 + 8, 4, 1);
	card_talk(&left, &right, 2);
	assert_true(card_interrupted(&right, 1));
	rig_check();
}

/* Work that an interrupt cuts goes on when the guest makes the access again: nothing twice. */
static void cut(void **state)
{
	unsigned calls = 1;

	(void)state;
	wires_start_all(NULL);
	card_kick(&left, CARD_RX); /* it has looked around since the others came */
	for (unsigned i = 0; i < CARD_RING; i++) {
		card_send(&left, 1514, i);
	}
	hv_host_agains = 100;
	card_kick(&left, CARD_TX);
	assert_int_equal(hv_host_agains, 99);
	assert_in_range(card_back(&right, CARD_RX), 1, CARD_RING - 1);
	for (; card_back(&right, CARD_RX) < CARD_RING; calls++) {
		assert_true(calls < 100);
		card_kick(&left, CARD_TX);
	}
	assert_true(calls > 2);
	hv_host_agains = 0;
	card_kick(&left, CARD_TX);
	assert_int_equal(card_back(&left, CARD_TX), CARD_RING);
	for (unsigned i = 0; i < CARD_RING; i++) {
		assert_int_equal(card_receive(&right, i), 1514);
	}
	assert_int_equal(card_back(&right, CARD_RX), 0);
	rig_check();
}

/* --- a driver that breaks a rule --- */

static void broken_rule(void **state)
{
	(void)state;
	wires_start_all(NULL);
	for (unsigned v = 0; v < IO_VECTORS; v++) {
		(void)card_interrupted(&left, v);
		(void)card_interrupted(&right, v);
	}
	card_offer(&left, CARD_TX, GUEST_RAM_BASE + HV_HOST_RAM - 8, 64, 0);
	card_kick(&left, CARD_TX);
	assert_int_equal(card_status(&left), CARD_FAILED);
	assert_int_equal(card_status(&right), CARD_SOUND);
	assert_false(card_link(&left) || card_link(&right));
	assert_true(card_interrupted(&left, 0) && card_interrupted(&right, 0));
	assert_int_equal(models_log_count("red (eth0): its driver broke a rule"), 1);
	wires_report_says(
		"partition=red peer=blue label=eth0 why=asked guest=0000:00:01.0 state=failed");
	wires_report_says(
		"partition=blue peer=red label=eth0 why=asked guest=0000:00:02.0 state=down");
	for (unsigned i = 0; i < 50; i++) { /* said once for each failure */
		card_kick(&left, CARD_TX);
		card_kick(&right, CARD_TX);
	}
	assert_int_equal(models_log_count("its driver broke a rule"), 1);
	assert_int_equal(card_back(&right, CARD_RX), 0);
	card_talk(&third, &fourth, 3); /* others go on */
	card_start(&left);
	assert_true(card_link(&left) && card_link(&right));
	card_talk(&left, &right, 4);
	card_talk(&right, &left, 5);
	rig_check();
}

/* The receiver's fault is the receiver's, whoever kicks. */
static void broken_receiver(void **state)
{
	(void)state;
	wires_start_all(NULL);
	for (unsigned i = 0; i < CARD_RING; i++) {
		card_talk(&left, &right, i); /* until the ring has gone round: all of it is new */
	}
	card_start(&right);
	*(uint16_t *)(void *)hv_host_ram(blue, card_table(&right, CARD_RX) + 12) = 0; /* to read */
	card_send(&left, 60, 1);
	card_kick(&left, CARD_TX);
	assert_int_equal(card_status(&right), CARD_FAILED);
	assert_int_equal(card_status(&left), CARD_SOUND);
	assert_false(card_link(&left));
	wires_report_says(
		"partition=blue peer=red label=eth0 why=asked guest=0000:00:02.0 state=failed");
	assert_int_equal(models_log_count("blue (eth0): its driver broke a rule"), 1);
	assert_int_equal(models_log_count("red (eth0): its driver broke a rule"), 0);
	card_start(&right);
	left.seen[CARD_TX] = left.avail[CARD_TX]; /* the packet was lost, its buffer came back */
	card_talk(&left, &right, 2);
	card_talk(&fourth, &third, 3);
	rig_check();
}

/* F73: lines that a guest provokes have a quota; the other one has its own. */
static void many_faults(void **state)
{
	(void)state;
	wires_start_all(NULL);
	for (unsigned i = 0; i < 100; i++) {
		card_offer(&left, CARD_TX, 0, 64, 0);
		card_kick(&left, CARD_TX);
		assert_int_equal(card_status(&left), CARD_FAILED);
		card_start(&left);
	}
	assert_int_equal(models_log_count("red (eth0): its driver broke a rule"), 4);
	card_offer(&right, CARD_TX, 0, 64, 0);
	card_kick(&right, CARD_TX);
	assert_int_equal(models_log_count("blue (eth0): its driver broke a rule"), 1);
	rig_check();
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(config_space), RIG_TEST(registers),   RIG_TEST(direct),
		RIG_TEST(injected),	RIG_TEST(masks),       RIG_TEST(messages_elsewhere),
		RIG_TEST(cut),		RIG_TEST(broken_rule), RIG_TEST(broken_receiver),
		RIG_TEST(many_faults),
	};

	return run_on_both_stages(tests);
}
