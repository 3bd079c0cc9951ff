/* SPDX-License-Identifier: BSD-2-Clause */
/* Function-level reset: its order, its waits, and devices that do not come back (F30, F31). */
#include "bus_fixture.h"

#define MS 1000000ull

static struct model_pci_function *igb;

static int set_up_igb(void **state)
{
	set_up(state);
	igb = model_pci_igb(model, model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT), 0);
	return pci_bus_enumerate(&bus, &host);
}

static enum status reset_igb(void)
{
	return pci_function_reset(&bus, (rid_t){0x100}, 0xa0);
}

/* In each of `count` writes of its Command register since `from`: no INTx, no mastering. */
static void assert_quiet(unsigned from, uint16_t rid, unsigned count)
{
	while ((from = model_pci_write_find(model, from, rid, PCI_COMMAND)) <
	       model_pci_write_count(model)) {
		uint32_t value = model_pci_write_nth(model, from++)->value;

		assert_int_equal(value & (PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF),
				 PCI_COMMAND_INTX_OFF);
		count--;
	}
	assert_int_equal(count, 0);
}

static void test_order_and_waits(void **state)
{
	(void)state;
	uint64_t start = models_time();
	unsigned from = model_pci_write_count(model);

	model_pci_poke(igb, PCI_COMMAND, 2, 0x0407);
	igb->at_reset[PCI_COMMAND] = 0;
	assert_int_equal(reset_igb(), STATUS_OK);
	assert_no_violation(); /* among them: FLR with bus mastering on, access too early */
	assert_int_equal(igb->resets, 1);
	unsigned command = model_pci_write_find(model, from, 0x100, PCI_COMMAND);
	unsigned flr = model_pci_write_find(model, from, 0x100, 0xa8);
	assert_int_equal(model_pci_write_nth(model, command)->value, PCI_COMMAND_INTX_OFF);
	assert_true(command < flr);
	assert_true(models_time() - start >= 100 * MS);
	assert_true(models_time() - start < 200 * MS);
	assert_int_equal(model_pci_peek(igb, PCI_COMMAND, 2), 0x0403);
	assert_quiet(from, 0x100, 2);
	assert_true(model_counters.sleeps >= 1);
}

static void test_bars_come_back(void **state)
{
	(void)state;
	struct pci_function *pf = found(igb);

	assert_int_equal(reset_igb(), STATUS_OK);
	assert_no_violation();
	assert_int_equal(model_pci_peek(igb, PCI_BAR0, 4), pf->bars[0].pci_address);
	assert_int_equal(model_pci_peek(igb, PCI_BAR0 + 8, 4) & ~3u, pf->bars[2].pci_address);
	assert_int_equal(model_pci_peek(igb, 0x160 + PCI_SRIOV_BAR0, 4) & ~15u,
			 pf->vf_bars[0].pci_address);
	assert_int_equal(model_pci_peek(igb, 0x160 + PCI_SRIOV_SYSTEM_PAGE, 4), 1);
	assert_int_equal(model_pci_peek(igb, 0x160 + PCI_SRIOV_CONTROL, 2), PCI_SRIOV_CONTROL_ARI);
}

static void test_waits_for_pending_transactions(void **state)
{
	(void)state;
	uint64_t start = models_time();

	igb->pending_until = start + 40 * MS;
	assert_int_equal(reset_igb(), STATUS_OK);
	unsigned flr = model_pci_write_find(model, 0, 0x100, 0xa8);
	while (!(model_pci_write_nth(model, flr)->value & 0x8000)) {
		flr = model_pci_write_find(model, flr + 1, 0x100, 0xa8);
	}
	assert_true(model_pci_write_nth(model, flr)->time >= start + 40 * MS);
	assert_no_violation();
}

static void test_pending_for_ever_is_reset_all_the_same(void **state)
{
	(void)state;
	uint64_t start = models_time();

	igb->pending_until = ~0ull;
	assert_int_equal(reset_igb(), STATUS_OK);
	assert_int_equal(igb->resets, 1);
	assert_true(models_time() - start <= 1200 * MS);
}

static void test_slow_to_answer(void **state)
{
	(void)state;
	igb->slow_reset_ns = 700 * MS;
	assert_int_equal(reset_igb(), STATUS_OK);
	assert_no_violation();
	assert_int_equal(model_pci_peek(igb, PCI_BAR0, 4), found(igb)->bars[0].pci_address);
}

static void test_never_comes_back(void **state)
{
	(void)state;
	uint64_t start = models_time();

	igb->dies_on_reset = true;
	assert_int_equal(reset_igb(), STATUS_TIMEOUT);
	assert_no_violation();
	assert_true(models_time() - start <= 1500 * MS);
	assert_true(model_counters.reads < 100000);
}

static void test_gone_before(void **state)
{
	(void)state;
	igb->gone = true;
	assert_int_equal(reset_igb(), STATUS_TIMEOUT);
}

static void test_reset_ignored(void **state)
{
	(void)state;
	model_pci_poke(igb, PCI_COMMAND, 2, 7);
	igb->ignores_reset = true;
	assert_int_equal(reset_igb(), STATUS_OK);
	assert_int_equal(model_pci_peek(igb, PCI_COMMAND, 2), 0x0403);
}

static void test_no_flr(void **state)
{
	(void)state;
	unsigned from = model_pci_write_count(model);

	assert_int_equal(pci_function_reset(&bus, (rid_t){0x100}, 0), STATUS_UNSUPPORTED);
	model_pci_poke(igb, 0xa4, 4, 0);
	assert_int_equal(reset_igb(), STATUS_UNSUPPORTED);
	assert_int_equal(model_pci_write_count(model), from);
}

/* What firmware chose for both ends of a link, here the sizes of 256 bytes, and extended tags. */
static void choose(struct model_pci_function *f)
{
	f->config[f->express + 8u] = 0x20 | 0x0f;
	f->config[f->express + 9u] = 0x13 | 0x02; /* and a phantom function, which stays off */
	f->config[f->express + 0x10u] = 0x43;	  /* common clock, ASPM */
}

static void assert_chosen(const struct model_pci_function *f)
{
	assert_int_equal(model_pci_peek(f, f->express + 8u, 2), 0x112f);
	assert_int_equal(model_pci_peek(f, f->express + 0x10u, 2), 0x0043);
}

static void test_link_settings_come_back(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *disk = model_pci_endpoint(model, port, 0, 0x1b36, 0x0010);

	model_pci_bar(disk, 0, MODEL_PCI_MEM32, 0x4000);
	model_pci_express(disk, 0x40, 0, true);
	model_pci_seal(model);
	choose(port);
	choose(disk);
	assert_int_equal(pci_bus_enumerate(&bus, &host), STATUS_OK);
	assert_chosen(disk);
	unsigned from = model_pci_write_count(model);

	assert_int_equal(pci_secondary_reset(&bus, found(port)), STATUS_OK);
	assert_int_equal(disk->bus_resets, 1);
	assert_quiet(from, found(disk)->rid.v, 2);
	assert_chosen(disk);
	assert_chosen(port);
	assert_int_equal(pci_function_reset(&bus, found(disk)->rid, 0x40), STATUS_OK);
	assert_int_equal(disk->resets, 1);
	assert_chosen(disk);
	assert_no_violation();
}

static void test_bus_reset_waits(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *disk = model_pci_endpoint(model, port, 0, 0x1b36, 0x0010);

	model_pci_express(disk, 0x40, 0, false);
	assert_int_equal(pci_bus_enumerate(&bus, &host), STATUS_OK);
	uint64_t start = models_time();

	disk->pending_until = start + 40 * MS;
	assert_int_equal(pci_secondary_reset(&bus, found(port)), STATUS_OK);
	unsigned control = model_pci_write_find(model, 0, 0x08, 0x3e);

	while (!(model_pci_write_nth(model, control)->value & 0x40)) {
		control = model_pci_write_find(model, control + 1, 0x08, 0x3e);
	}
	assert_true(model_pci_write_nth(model, control)->time >= start + 40 * MS);
	disk->gone = true;
	assert_int_equal(pci_secondary_reset(&bus, found(port)), STATUS_TIMEOUT);
	assert_no_violation();
}

#define RESET_TEST(f) cmocka_unit_test_setup_teardown(f, set_up_igb, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESET_TEST(test_order_and_waits),
		RESET_TEST(test_bars_come_back),
		RESET_TEST(test_waits_for_pending_transactions),
		RESET_TEST(test_pending_for_ever_is_reset_all_the_same),
		RESET_TEST(test_slow_to_answer),
		RESET_TEST(test_never_comes_back),
		RESET_TEST(test_gone_before),
		RESET_TEST(test_reset_ignored),
		RESET_TEST(test_no_flr),
		BUS_TEST(test_link_settings_come_back),
		BUS_TEST(test_bus_reset_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
