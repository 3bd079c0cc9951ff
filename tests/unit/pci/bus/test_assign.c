/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BARs and bridge windows: a property test over random trees, judged by the registers of the
 * model alone, and the cases that decide where something goes.
 */
#include "bus_fixture.h"

#include <stdlib.h>

#define MAX_SPANS 2048

static void enumerate(void)
{
	assert_int_equal(pci_bus_enumerate(&bus, &host), STATUS_OK);
	assert_no_violation();
}

/* --- random trees ---------------------------------------------------------------------------- */

static uint64_t seed;

static unsigned pick(unsigned below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % below;
}

static void random_bars(struct model_pci_function *f, unsigned most, unsigned largest_order)
{
	static const uint32_t types[] = {MODEL_PCI_MEM32, MODEL_PCI_MEM32 | MODEL_PCI_PREFETCH,
					 MODEL_PCI_MEM64, MODEL_PCI_MEM64 | MODEL_PCI_PREFETCH};

	for (unsigned i = 0; i < most; i++) {
		uint32_t type = types[pick(ARRAY_SIZE(types))];

		if (pick(3) == 0) {
			continue;
		}
		if (pick(6) == 0) {
			model_pci_bar(f, i, MODEL_PCI_SPACE_IO, 4ull << pick(7));
			continue;
		}
		if ((type & MODEL_PCI_MEM64) && i + 1 == most) {
			type = MODEL_PCI_MEM32;
		}
		model_pci_bar(f, i, type, 16ull << pick(largest_order - 3));
		i += (type & MODEL_PCI_MEM64) != 0;
	}
}

static void random_sriov(struct model_pci_function *f)
{
	struct model_pci_sriov rules = {.total = (uint16_t)(1 + pick(12)),
					.vf_device = 1,
					.vf_vectors = 1,
					.page_sizes = 0x553};

	rules.initial = rules.total;
	model_pci_express(f, 0xa0, 0, true);
	model_pci_sriov(f, 0x160, &rules);
	model_pci_vf_bar(f, 0, MODEL_PCI_MEM64 | MODEL_PCI_PREFETCH, 4096ull << pick(8));
	model_pci_vf_bar(f, 2, MODEL_PCI_MEM32, 16ull << pick(12));
}

/* Some parents, each with room for one more child at `devfn`. */
static void random_tree(unsigned functions, unsigned largest_order)
{
	struct model_pci_function *bridges[64] = {NULL};
	unsigned children[64] = {0};
	unsigned bridge_count = 1;

	for (unsigned i = 0; i < functions; i++) {
		unsigned at = pick(bridge_count);
		uint8_t devfn = (uint8_t)(8 * children[at]);
		struct model_pci_function *f;

		if (children[at] == 16) {
			continue;
		}
		children[at]++;
		if (pick(3) == 0) {
			f = model_pci_bridge(model, bridges[at], devfn,
					     pick(2) ? MODEL_PCI_CONVENTIONAL : MODEL_PCI_UPSTREAM);
			random_bars(f, 2, 16);
			if (pick(8) == 0) {
				model_pci_poke(f, 0x24, 4, 0); /* 32-bit prefetchable window */
			}
			bridges[bridge_count++] = f;
			continue;
		}
		f = model_pci_endpoint(model, bridges[at], devfn, 0x1234, (uint16_t)i);
		random_bars(f, 6, largest_order);
		if (pick(4) == 0) {
			random_sriov(f);
		}
	}
}

/* --- what the registers say ------------------------------------------------------------------ */

struct claim {
	const struct model_pci_function *owner;
	bool io;
	uint64_t base, size; /* whole pages for memory */
};

static struct claim claims[MAX_SPANS];
static unsigned claim_count;

static void claim_bar(const struct model_pci_function *f, const struct model_pci_bar *bar,
		      unsigned offset, unsigned copies, const struct pci_bar *told)
{
	bool io = bar->type & 1;
	uint64_t base = model_pci_peek(f, (uint16_t)offset, 4) & (io ? ~3u : ~15u);

	if (bar->type & MODEL_PCI_MEM64) {
		base |= (uint64_t)model_pci_peek(f, (uint16_t)(offset + 4), 4) << 32;
	}
	assert_int_equal(told->pci_address, base);
	/* a VF BAR has at least the System Page Size */
	assert_true(told->size == bar->size || (offset > 0x160 && told->size == PAGE_SIZE));
	assert_int_equal(base % told->size, 0);
	claims[claim_count++] = (struct claim){
		f, io, base, io ? bar->size : align_up(told->size * copies, PAGE_SIZE)};
}

static void claim_row(const struct model_pci_function *f, const struct model_pci_bar *bars,
		      unsigned offset, unsigned copies, const struct pci_bar *told)
{
	for (unsigned i = 0; i < MODEL_PCI_BARS; i++) {
		if (bars[i].present && told[i].space != PCI_SPACE_NONE) {
			claim_bar(f, &bars[i], offset + 4 * i, copies, &told[i]);
		}
		assert_true(bars[i].present || told[i].size == 0);
	}
}

static bool is_above(const struct model_pci_function *bridge, const struct model_pci_function *f)
{
	for (; f; f = f->parent) {
		if (f->parent == bridge) {
			return true;
		}
	}
	return false;
}

static void check_claim(const struct claim *claim)
{
	bool inside = false;

	for (unsigned i = 0; i < host.window_count; i++) {
		const struct pci_window *w = &host.windows[i];

		inside |= (w->space == PCI_SPACE_IO) == claim->io &&
			  range_inside(claim->base, claim->size, w->pci_base, w->size);
	}
	assert_true(inside);
	assert_true(claim->base != 0);
	assert_true(model_pci_passes(claim->owner, claim->io, claim->base, claim->size));
	/* no bridge beside the path takes it as well */
	for (unsigned i = 0; i < model_pci_count(model); i++) {
		struct model_pci_function *bridge = model_pci_nth(model, i);
		struct model_pci_function child = {.parent = bridge};

		if (bridge->is_bridge && !is_above(bridge, claim->owner) &&
		    model_pci_passes(bridge, claim->io, claim->base, claim->size)) {
			assert_false(model_pci_passes(&child, claim->io, claim->base, 1));
			assert_false(model_pci_passes(&child, claim->io,
						      claim->base + claim->size - 1, 1));
		}
	}
}

static int by_address(const void *a, const void *b)
{
	const struct claim *x = a;
	const struct claim *y = b;

	if (x->io != y->io) {
		return x->io ? -1 : 1;
	}
	return x->base < y->base ? -1 : x->base > y->base;
}

static void check_everything(void)
{
	claim_count = 0;
	for (unsigned i = 0; i < model_pci_count(model); i++) {
		struct model_pci_function *f = model_pci_nth(model, i);
		struct pci_function *told = found(f);
		unsigned command = model_pci_peek(f, PCI_COMMAND, 2);

		assert_non_null(told);
		claim_row(f, f->bars, PCI_BAR0, 1, told->bars);
		claim_row(f, f->vf_bars, 0x160 + PCI_SRIOV_BAR0, told->total_vfs, told->vf_bars);
		assert_int_equal(command & PCI_COMMAND_MASTER,
				 f->is_bridge ? PCI_COMMAND_MASTER : 0);
		assert_true(f->is_bridge || (command & 3) == told->decode);
	}
	for (unsigned i = 0; i < claim_count; i++) {
		check_claim(&claims[i]);
	}
	qsort(claims, claim_count, sizeof(claims[0]), by_address);
	for (unsigned i = 1; i < claim_count; i++) {
		assert_true(claims[i].io != claims[i - 1].io ||
			    claims[i - 1].base + claims[i - 1].size <= claims[i].base);
	}
}

static void random_round(uint64_t round, unsigned largest_order, uint64_t low_size)
{
	set_up(NULL);
	seed = round * 7919 + largest_order;
	host.windows[1].size = low_size;
	random_tree(1 + pick(40), largest_order);
	enumerate();
	check_everything();
	tear_down(NULL);
}

static void test_random_trees(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 150; round++) {
		random_round(round, 20, MODEL_PCI_LOW_SIZE);
	}
}

/* Too little room below 4 GiB: some go nowhere; nothing ever overlaps. */
static void test_random_trees_that_do_not_fit(void **state)
{
	(void)state;
	unsigned placed = 0, refused = 0;

	for (uint64_t round = 0; round < 150; round++) {
		random_round(round, 26, MIB(48));
		for (unsigned i = 0; i < bus.function_count; i++) {
			for (unsigned b = 0; b < PCI_BUS_BARS; b++) {
				const struct pci_bar *bar = &bus.functions[i].bars[b];

				placed += bar->space != PCI_SPACE_NONE;
				assert_true(bar->pci_address + bar->size <= GIB(4) ||
					    bar->space == PCI_SPACE_NONE);
				refused += bar->space == PCI_SPACE_NONE && bar->size;
			}
		}
	}
	assert_true(placed > 100);
	assert_true(refused > 100);
}

/* --- where something goes -------------------------------------------------------------------- */

static void test_vf_bars_stay_below_4_gib(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *igb = model_pci_igb(model, port, 0);
	struct model_pci_function *gpu = model_pci_endpoint(model, NULL, 0x10, 0x1234, 1);

	model_pci_bar(gpu, 0, MODEL_PCI_MEM64 | MODEL_PCI_PREFETCH, MIB(512));
	model_pci_bar(gpu, 2, MODEL_PCI_MEM32, MIB(256));
	enumerate();
	check_everything();
	/* the large one goes: above 4 GiB nobody could be given it */
	assert_int_equal(found(gpu)->bars[0].space, PCI_SPACE_NONE);
	assert_int_equal(found(gpu)->bars[2].space, PCI_SPACE_MEM32);
	assert_int_equal(found(igb)->vf_bars[0].space, PCI_SPACE_MEM64);
	assert_true(found(igb)->vf_bars[0].pci_address < GIB(4));
	assert_true(found(igb)->vf_bars[3].pci_address < GIB(4));
	/* eight slices each, apart */
	assert_true(found(igb)->vf_bars[3].pci_address + 8 * 0x4000 <=
			    found(igb)->vf_bars[0].pci_address ||
		    found(igb)->vf_bars[0].pci_address + 8 * 0x4000 <=
			    found(igb)->vf_bars[3].pci_address);
}

static void test_cpu_addresses_follow_the_window(void **state)
{
	(void)state;
	struct model_pci_function *f = model_pci_endpoint(model, NULL, 0x10, 0x1234, 1);

	host.windows[1].cpu_base.v = 0x6000000000;
	model_pci_bar(f, 0, MODEL_PCI_MEM32, 0x10000);
	model_pci_bar(f, 1, MODEL_PCI_SPACE_IO, 0x20);
	enumerate();
	assert_int_equal(found(f)->bars[0].cpu_address.v,
			 0x6000000000 + found(f)->bars[0].pci_address - MODEL_PCI_LOW_BASE);
	assert_int_equal(found(f)->bars[1].cpu_address.v,
			 MODEL_PCI_IO_CPU + found(f)->bars[1].pci_address);
}

/* XSA-461: two functions whose BARs share a page could not be given to two partitions. */
static void test_small_bars_get_pages_of_their_own(void **state)
{
	(void)state;
	struct model_pci_function *f[4];

	host.windows[1].pci_base += 0x800; /* not even the window starts on a page */
	host.windows[1].cpu_base.v += 0x800;
	host.windows[1].size -= 0x800;
	for (unsigned i = 0; i < 4; i++) {
		f[i] = model_pci_endpoint(model, NULL, (uint8_t)(0x10 + i), 0x1234, 1);
		model_pci_bar(f[i], 0, MODEL_PCI_MEM32, 16);
		model_pci_bar(f[i], 1, MODEL_PCI_MEM32, 256);
	}
	enumerate();
	check_everything();
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(found(f[i])->bars[0].pci_address % PAGE_SIZE, 0);
		assert_int_equal(found(f[i])->bars[0].size, 16);
	}
}

static void test_no_room(void **state)
{
	(void)state;
	struct model_pci_function *big = model_pci_endpoint(model, NULL, 0x10, 0x1234, 1);
	struct model_pci_function *rest = model_pci_endpoint(model, NULL, 0x18, 0x1234, 2);

	model_pci_bar(big, 0, MODEL_PCI_MEM32, GIB(1));
	model_pci_bar(big, 1, MODEL_PCI_MEM32, 0x1000);
	model_pci_bar(big, 2, MODEL_PCI_SPACE_IO, 0x20);
	model_pci_bar(rest, 0, MODEL_PCI_MEM32, MIB(256));
	enumerate();
	check_everything();
	assert_int_equal(found(big)->bars[0].space, PCI_SPACE_NONE);
	assert_int_equal(found(big)->bars[0].size, GIB(1));
	assert_int_equal(found(big)->decode, PCI_COMMAND_IO);
	assert_int_equal(model_pci_peek(big, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY, 0);
	assert_int_equal(found(rest)->bars[0].space, PCI_SPACE_MEM32);
	assert_int_equal(models_log_count("0000:00:02.0: BAR 0"), 1);
}

static void test_bridge_without_optional_windows(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *f = model_pci_endpoint(model, port, 0, 0x1234, 1);

	model_pci_poke(port, 0x24, 4, 0);
	port->writable[0x1c] = port->writable[0x1d] = 0;
	for (unsigned i = 0x24; i < 0x30; i++) {
		port->writable[i] = 0;
	}
	model_pci_bar(f, 0, MODEL_PCI_MEM64 | MODEL_PCI_PREFETCH, GIB(2));
	model_pci_bar(f, 2, MODEL_PCI_SPACE_IO, 0x20);
	model_pci_bar(f, 3, MODEL_PCI_MEM32, 0x1000);
	enumerate();
	check_everything();
	assert_int_equal(found(f)->bars[0].space, PCI_SPACE_NONE);
	assert_int_equal(found(f)->bars[2].space, PCI_SPACE_NONE);
	assert_int_equal(found(f)->bars[3].space, PCI_SPACE_MEM32);
	/* nothing came through I/O or the prefetchable window, so nothing goes */
	assert_int_equal(found(f)->decode, 0);
}

/* What firmware let through above 4 GiB is shut. */
static void test_prefetchable_windows_are_closed(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *f = model_pci_endpoint(model, port, 0, 0x1234, 1);

	model_pci_poke(port, 0x24, 4, 0xfff10001);
	model_pci_poke(port, 0x2c, 4, 0x80);
	model_pci_bar(f, 0, MODEL_PCI_MEM64 | MODEL_PCI_PREFETCH, 0x4000);
	enumerate();
	check_everything();
	assert_int_equal(found(f)->bars[0].space, PCI_SPACE_MEM64);
	assert_true(found(f)->bars[0].pci_address < GIB(4));
	assert_false(model_pci_passes(f, false, 0x8000000000, 0x1000));
}

/* --- BARs that answer nonsense --------------------------------------------------------------- */

static void test_unsound_bars(void **state)
{
	(void)state;
	static const struct {
		uint32_t type, writable, high_writable;
		unsigned index;
	} cases[] = {
		{0x0, 0x00ff0f00, 0, 0}, /* holes */
		{0x0, 0xfff0f000, 0, 0},
		{0x0, 0x0fffff00, 0, 0},	  /* not up to the top */
		{0x2, 0xfffff000, 0, 0},	  /* reserved type: below 1 MiB */
		{0x6, 0xfffff000, 0, 0},	  /* reserved type */
		{0x4, 0xfffff000, 0, 5},	  /* 64 bits in the last BAR */
		{0x4, 0xfffff000, 0x0000ffff, 0}, /* upper half not up to the top */
		{0x4, 0x00000000, 0x00000000, 0}, /* 64 bits, no address bit */
		{0x8, 0x00000000, 0, 0},	  /* no address bit */
		{0x3, 0xffffffc0, 0, 0},	  /* I/O with its reserved bit */
		{0x1, 0xff00ff00, 0, 0},	  /* I/O with holes */
		{0xffffffff, 0, 0, 0},		  /* stuck at ones */
	};
	struct model_pci_function *f[ARRAY_SIZE(cases)];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		uint16_t at = (uint16_t)(PCI_BAR0 + 4 * cases[i].index);

		f[i] = model_pci_endpoint(model, NULL, (uint8_t)(8 * i), 0x1234, (uint16_t)i);
		model_pci_poke(f[i], at, 4, cases[i].type);
		for (unsigned b = 0; b < 4; b++) {
			f[i]->writable[at + b] = (uint8_t)(cases[i].writable >> 8 * b);
			if (cases[i].high_writable) {
				f[i]->writable[at + 4 + b] =
					(uint8_t)(cases[i].high_writable >> 8 * b);
			}
		}
	}
	enumerate();
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct pci_bar *bar = &found(f[i])->bars[cases[i].index];

		assert_int_equal(bar->space, PCI_SPACE_NONE);
		assert_true(bar->size != 0);
		assert_int_equal(found(f[i])->decode, 0);
		assert_int_equal(model_pci_peek(f[i], PCI_COMMAND, 2) & 3, 0);
	}
}

/* What follows a bridge's second BAR are its bus numbers: never an upper half. */
static void test_64_bits_in_the_last_bar_of_a_bridge(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *f = model_pci_endpoint(model, port, 0, 0x1234, 1);

	model_pci_poke(port, PCI_BAR0 + 4, 4, MODEL_PCI_MEM64);
	port->writable[PCI_BAR0 + 7] = 0xff;
	model_pci_bar(f, 0, MODEL_PCI_MEM32, 0x1000);
	enumerate();
	assert_int_equal(model_pci_peek(port, 0x18, 4), 0x00010100);
	assert_int_equal(found(port)->bars[1].space, PCI_SPACE_NONE);
	assert_int_equal(found(f)->decode, PCI_COMMAND_MEMORY);
}

static void test_vf_bar_in_io_space(void **state)
{
	(void)state;
	struct model_pci_function *igb = model_pci_igb(model, NULL, 0x10);

	model_pci_poke(igb, 0x160 + PCI_SRIOV_BAR0 + 8, 4, MODEL_PCI_SPACE_IO);
	igb->writable[0x160 + PCI_SRIOV_BAR0 + 9] = 0xff;
	igb->writable[0x160 + PCI_SRIOV_BAR0 + 10] = 0xff;
	igb->writable[0x160 + PCI_SRIOV_BAR0 + 11] = 0xff;
	enumerate();
	assert_int_equal(found(igb)->vf_bars[2].space, PCI_SPACE_NONE);
	assert_true(found(igb)->vf_bars[2].size != 0);
	assert_int_equal(found(igb)->decode, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
}

/* The sums of what it asks would overflow 64 bits. */
static void test_enormous_bars_everywhere(void **state)
{
	(void)state;
	struct model_pci_sriov rules = {.total = 0xffff,
					.initial = 0xffff,
					.vf_device = 1,
					.vf_vectors = 1,
					.page_sizes = 1};

	for (unsigned i = 0; i < PCI_BUS_MAX_FUNCTIONS; i++) {
		struct model_pci_function *f =
			model_pci_endpoint(model, NULL, (uint8_t)i, 0x1234, (uint16_t)i);

		model_pci_express(f, 0xa0, 9, true);
		rules.total = i == 0 ? 0xffff : 1;
		model_pci_sriov(f, 0x160, &rules);
		for (unsigned b = 0; b < 6; b += 2) {
			model_pci_bar(f, b, MODEL_PCI_MEM64, 1ull << (62 - b));
			model_pci_vf_bar(f, b, MODEL_PCI_MEM64, 1ull << (56 + b));
		}
	}
	assert_int_equal(pci_bus_enumerate(&bus, &host), STATUS_OK);
	for (unsigned i = 0; i < bus.function_count; i++) {
		assert_int_equal(bus.functions[i].bars[0].space, PCI_SPACE_NONE);
	}
	check_everything();
}

static void test_sixteen_bit_io(void **state)
{
	(void)state;
	struct model_pci_function *f = model_pci_endpoint(model, NULL, 0x10, 0x1234, 1);

	model_pci_bar(f, 0, MODEL_PCI_SPACE_IO, 0x40);
	f->writable[0x12] = f->writable[0x13] = 0;
	enumerate();
	assert_int_equal(found(f)->bars[0].space, PCI_SPACE_IO);
	assert_int_equal(found(f)->bars[0].size, 0x40);
	assert_true(found(f)->bars[0].pci_address >= 0x1000); /* 0 is "no address" to many */
}

static void test_host_without_windows(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *igb = model_pci_igb(model, port, 0);

	host.window_count = 0;
	enumerate();
	assert_int_equal(found(igb)->decode, 0);
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		assert_int_equal(found(igb)->bars[i].space, PCI_SPACE_NONE);
		assert_int_equal(found(igb)->vf_bars[i].space, PCI_SPACE_NONE);
	}
	/* closed means closed, also at address 0 */
	assert_false(model_pci_passes(igb, false, MODEL_PCI_LOW_BASE, 1));
	assert_false(model_pci_passes(igb, false, MODEL_PCI_HIGH_BASE, 1));
	assert_false(model_pci_passes(igb, false, 0, 1));
	assert_false(model_pci_passes(igb, true, 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_trees),
		cmocka_unit_test(test_random_trees_that_do_not_fit),
		BUS_TEST(test_vf_bars_stay_below_4_gib),
		BUS_TEST(test_cpu_addresses_follow_the_window),
		BUS_TEST(test_small_bars_get_pages_of_their_own),
		BUS_TEST(test_no_room),
		BUS_TEST(test_bridge_without_optional_windows),
		BUS_TEST(test_prefetchable_windows_are_closed),
		BUS_TEST(test_unsound_bars),
		BUS_TEST(test_64_bits_in_the_last_bar_of_a_bridge),
		BUS_TEST(test_vf_bar_in_io_space),
		BUS_TEST(test_enormous_bars_everywhere),
		BUS_TEST(test_sixteen_bit_io),
		BUS_TEST(test_host_without_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
