/* SPDX-License-Identifier: BSD-2-Clause */
/* The ends of wires come and go, in every order, and leave nothing; what cannot be had is said. */
#include "wire_card.h"

#include <string.h>

#define STEPS 7u

/* --- every order --- */

static void flip(partition_id_t partition, bool running)
{
	struct card *card = partition_is(partition, red) ? &left : &right;

	if (running) {
		wires_halt(partition);
		assert_int_equal(rig_config_read(partition, card->device, PCI_VENDOR_ID, 4), ~0u);
	} else {
		wires_boot_one(partition);
		card_find(card, partition, card == &left ? 0 : 1);
		assert_int_equal(card_status(card), 0); /* whatever its last life left */
		card_start(card);
	}
}

static void every_order(void **state)
{
	(void)state;
	for (unsigned order = 0; order < 1u << STEPS; order++) {
		bool runs[2] = {false, false};

		wires_machine(NULL);
		for (unsigned i = 0; i < STEPS; i++) {
			unsigned who = order >> i & 1;

			flip(who ? blue : red, runs[who]);
			runs[who] = !runs[who];
			if (runs[1 - who]) { /* the other one is told */
				const struct card *other = who ? &left : &right;

				assert_true(card_interrupted(other, 0));
				assert_int_equal(card_link(other), runs[who]);
				assert_int_equal(card_status(other), CARD_SOUND);
			}
			if (runs[0] && runs[1]) {
				card_talk(&left, &right, i);
				card_talk(&right, &left, i + 50);
				assert_true(card_interrupted(&right, 1 + CARD_RX));
			} else if (runs[0]) { /* into the void, and the buffers come back */
				card_send(&left, 60, i);
				card_kick(&left, CARD_TX);
				assert_int_equal(card_back(&left, CARD_TX), 1);
				left.seen[CARD_TX]++;
			}
		}
		rig_check();
		rig_tear_down(NULL);
	}
}

/* F37: a stopped partition's RAM is nobody's to write, and its next life finds what it would have.
 */
static void nothing_lands_after_the_end(void **state)
{
	static uint8_t before[HV_HOST_RAM];

	(void)state;
	wires_start_all(NULL);
	card_talk(&left, &right, 1);
	wires_halt(blue);
	memcpy(before, hv_host_ram(blue, GUEST_RAM_BASE), HV_HOST_RAM);
	for (unsigned i = 0; i < 3 * CARD_RING; i++) {
		card_send(&left, 1514, i);
		card_kick(&left, CARD_TX);
		card_kick(&left, CARD_RX);
	}
	assert_memory_equal(hv_host_ram(blue, GUEST_RAM_BASE), before, HV_HOST_RAM);
	wires_report_says(
		"partition=blue peer=red label=eth0 why=asked guest=0000:00:02.0 state=off");
	wires_report_says(
		"partition=red peer=blue label=eth0 why=asked guest=0000:00:01.0 state=down");
	wires_boot_one(blue);
	card_kick(&left, CARD_TX);
	assert_false(card_link(&left));
	rig_check();
}

/* In the middle of a packet that waits for the receiver's buffers. */
static void stopped_half_way(void **state)
{
	(void)state;
	for (unsigned who = 0; who < 2; who++) {
		wires_start_all(NULL);
		for (unsigned i = 0; i < 2 * CARD_RING; i++) { /* twice what there is room for */
			card_send(&left, 1514, i);
			card_kick(&left, CARD_TX);
			if (i == CARD_RING - 1) {
				assert_int_equal(card_back(&left, CARD_TX), CARD_RING);
				left.seen[CARD_TX] += CARD_RING;
			}
		}
		assert_int_equal(card_back(&left, CARD_TX), 0); /* kept, for there is no room */
		flip(who ? blue : red, true);
		flip(who ? blue : red, false);
		assert_true(card_link(&left) && card_link(&right));
		left.seen[CARD_TX] = left.avail[CARD_TX];
		for (unsigned i = 0; who == 0 && i < CARD_RING; i++) {
			assert_int_equal(card_receive(&right, i), 1514);
		}
		card_kick(&right, CARD_RX);
		card_talk(&right, &left, 9);
		if (who == 0) {
			card_talk(&left, &right, 8);
		}
		rig_check();
		rig_tear_down(NULL);
	}
}

/* What waited for the one that stops comes back at once, and not with the next kick. */
static void nobody_waits_for_the_dead(void **state)
{
	(void)state;
	wires_start_all(NULL);
	for (unsigned i = 0; i < 2 * CARD_RING; i++) {
		card_send(&left, 60, i);
		card_kick(&left, CARD_TX);
		left.seen[CARD_TX] += i < CARD_RING;
	}
	assert_int_equal(card_back(&left, CARD_TX), 0);
	(void)card_interrupted(&left, 1 + CARD_TX);
	wires_halt(blue);
	assert_int_equal(card_back(&left, CARD_TX), CARD_RING);
	assert_true(card_interrupted(&left, 1 + CARD_TX));
	assert_false(card_link(&third)); /* blue's other wire */
	rig_check();
}

/* --- a sender that never ends --- */

static unsigned turns;

/* Red takes its buffers back and offers as many packets again, each too short to be one. */
static void offer_runts(void)
{
	unsigned back = card_back(&left, CARD_TX);

	assert_true(++turns < 10000);
	left.seen[CARD_TX] += back;
	for (unsigned i = 0; i < back; i++) {
		card_send(&left, 4, i);
	}
}

/*
 * F65: what a peer floods is dropped on the core of who kicks, and that ends. The rest goes by
 * itself, on that core and a little at a time: with EVENT_IDX nothing asks the sender to kick.
 */
static void flooded(void **state)
{
	(void)state;
	wires_start_all(NULL);
	for (unsigned i = 0; i < CARD_RING; i++) {
		card_send(&left, 4, i);
	}
	turns = 0;
	hv_host_turn = offer_runts;
	card_kick(&right, CARD_RX);
	hv_host_turn = NULL;
	assert_in_range(turns, 1000, 3000);
	assert_int_equal(card_status(&right), CARD_SOUND);
	/* Now nobody adds to it, and nobody kicks. */
	assert_int_equal(hv_host_alarm(), 50000);
	rig_hooks.alarm(1);
	assert_true(left.seen[CARD_TX] + card_back(&left, CARD_TX) < left.avail[CARD_TX]);
	for (unsigned i = 0; i < CARD_RING; i++) {
		rig_hooks.alarm(0);
	}
	assert_int_equal(left.seen[CARD_TX] + card_back(&left, CARD_TX), left.avail[CARD_TX]);
	left.seen[CARD_TX] = left.avail[CARD_TX];
	card_talk(&left, &right, 6);
	card_talk(&right, &left, 7);
	rig_check();
}

/* --- again and again --- */

struct leftovers {
	bool bound[IRQ_PARTITION_MAX_DEVICES], present[PCI_VIRT_SLOTS];
	bool mapped[4];
	size_t its, iommu;
	uint64_t rest;
};

static void look(struct leftovers *l)
{
	memset(l, 0, sizeof(*l));
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		l->bound[i] = glue.sides[blue.v].irq.devices[i].bound;
	}
	for (unsigned i = 0; i < PCI_VIRT_SLOTS; i++) {
		l->present[i] = glue.sides[blue.v].bridge.slots[i].present;
	}
	for (unsigned i = 0; i < 4; i++) {
		l->mapped[i] = model_its_device_mapped(glue.bus.soft.first.v + i);
	}
	l->its = glue.irq_arena.used;
	l->iommu = glue.iommu_arena.used;
	l->rest = rig_state_hash();
}

static void two_hundred_lives(bool injected)
{
	struct leftovers first, later;

	wires_machine(&(struct rig_options){.no_gicv4 = injected});
	wires_boot_one(red);
	card_find(&left, red, 0);
	card_start(&left);
	look(&first);
	for (unsigned life = 0; life < 200; life++) {
		flip(blue, false);
		assert_true(card_link(&left));
		card_talk(&left, &right, life);
		card_talk(&right, &left, life);
		flip(blue, true);
		assert_false(card_link(&left));
		if (life < 2) { /* the first one may set up what stays, tables and so on */
			look(&first);
		}
		look(&later);
		assert_memory_equal(&later, &first, sizeof(first));
	}
	assert_false(model_its_device_mapped(glue.bus.soft.first.v + 1u));
	assert_true(model_its_device_mapped(glue.bus.soft.first.v));
	assert_true(hv_host_pauses > 0);
	assert_int_equal(models_log_count("did not stop") + models_log_count("not given"), 0);
	rig_check();
}

static void restarts(void **state)
{
	(void)state;
	two_hundred_lives(false);
}

static void restarts_injected(void **state)
{
	(void)state;
	two_hundred_lives(true);
}

/* --- what cannot be had --- */

/* No bus number is left: no wires, and their partitions run. */
static void no_bus(void **state)
{
	(void)state;
	rig_bus_first = 251;
	wires_machine(NULL);
	rig_bus_first = 0;
	assert_int_equal(glue.bus.host.bus_first + glue.bus.bus_count, 256);
	assert_int_equal(models_log_count("none of the wires is there: "), 1);
	wires_boot_one(red);
	wires_boot_one(blue);
	assert_int_equal(rig_config_read(red, 0, PCI_VENDOR_ID, 4), 0xffffffff);
	assert_int_equal(rig_config_read(blue, 1, PCI_VENDOR_ID, 4), 0xffffffff);
	assert_int_equal(models_log_count("a wire to"), 0);
	rig_hooks.report();
	assert_int_equal(models_log_count("@wire"), 0);
	assert_int_equal(pci_config_read(&glue.bus, (rid_t){0}, 0, 4), ~0u);
	wires_halt(red);
	wires_halt(blue);
}

/* F36: a card that cannot be shown leaves nothing behind: the next life has it. */
static void cannot_be_shown(void **state)
{
	unsigned count;

	(void)state;
	wires_machine(NULL);
	count = glue.bus.soft.count;
	glue.bus.soft.count = 0; /* its configuration space reads as all ones */
	wires_boot_one(red);
	glue.bus.soft.count = count;
	assert_int_equal(
		models_log_count("red (eth0): a wire to blue (asked): not given: hardware"), 1);
	assert_int_equal(rig_config_read(red, 0, PCI_VENDOR_ID, 4), 0xffffffff);
	wires_halt(red);
	wires_boot();
	card_start(&left);
	card_start(&right);
	card_talk(&left, &right, 1);
	rig_check();
}

/* The one beside it has a number, the last there is. */
static void last_bus(void **state)
{
	(void)state;
	rig_build();
	model_pci_free(rig_pci);
	rig_bus_first = 250;
	wires_machine(NULL);
	rig_bus_first = 0;
	assert_int_equal(models_log_count("none of the wires"), 0);
	assert_int_equal(glue.bus.soft.first.v, 0xff00);
	wires_boot_one(red);
	card_find(&left, red, 0);
}

/* Requester ids that the ITS does not know: also when the first of a wire is still known. */
static void no_device_ids(void **state)
{
	(void)state;
	for (unsigned known = 0; known < 4; known++) {
		uint64_t value = 1;

		wires_machine(&(struct rig_options){.msi_rids = 0x500 + known});
		assert_int_equal(glue.bus.soft.first.v, 0x500);
		assert_int_equal(models_log_count("none of the wires is there: "), 1);
		wires_boot_one(red);
		wires_boot_one(blue);
		rig_hooks.report();
		assert_int_equal(models_log_count("@wire"), 0);
		for (unsigned i = 0; i < 2; i++) {
			partition_id_t partition = i ? blue : red;
			uint64_t bar = WIRES_BASE + (i ? IO_BAR_SIZE : 0);

			assert_int_equal(rig_config_read(partition, i, PCI_VENDOR_ID, 4),
					 0xffffffff);
			(void)hv_host_write(partition, bar + 0x14, 1, 0x0f);
			(void)hv_host_write(partition, bar + 0x1000, 2, 0);
			assert_true(!hv_host_read(partition, bar + 0x14, 1, &value) || !value);
		}
		rig_check();
		rig_tear_down(NULL);
	}
}

/* No ITS: not given, and said; nobody can drive it behind the bus's back. */
static void no_its(void **state)
{
	(void)state;
	for (unsigned life = 0; life < 3; life++) {
		uint64_t value = 1;

		if (life == 0) {
			wires_machine(&(struct rig_options){.no_its = true});
		}
		assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
		assert_int_equal(
			models_log_count("red (eth0): a wire to blue (asked): not given: "),
			life + 1);
		assert_int_equal(rig_config_read(red, 0, PCI_VENDOR_ID, 4), 0xffffffff);
		assert_true(hv_host_write(red, WIRES_BASE + 0x14, 1, 0x03));
		assert_true(hv_host_read(red, WIRES_BASE + 0x14, 1, &value));
		assert_int_equal(value, 0);
		wires_report_says("partition=red peer=blue label=eth0 why=asked "
				  "guest=0000:00:01.0 state=off");
		rig_hooks.partition_stop(red);
	}
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(every_order),
		RIG_TEST(nothing_lands_after_the_end),
		RIG_TEST(stopped_half_way),
		RIG_TEST(nobody_waits_for_the_dead),
		RIG_TEST(flooded),
		RIG_TEST(restarts),
		RIG_TEST(restarts_injected),
		RIG_TEST(cannot_be_shown),
		RIG_TEST(no_bus),
		RIG_TEST(last_bus),
		RIG_TEST(no_device_ids),
		RIG_TEST(no_its),
	};

	return run_on_both_stages(tests);
}
