/* SPDX-License-Identifier: BSD-2-Clause */
/* Who belongs together (F09, F12), what their requests carry, and how long a large machine takes.
 */
#include "bus_fixture.h"

#define ACS 0x5f

static void enumerate(void)
{
	assert_int_equal(pci_bus_enumerate(&bus, &host), STATUS_OK);
	assert_no_violation();
}

static struct model_pci_function *port_with_acs(struct model_pci_function *parent, uint8_t devfn,
						enum model_pci_port kind)
{
	struct model_pci_function *port = model_pci_bridge(model, parent, devfn, kind);

	model_pci_acs(port, 0x148, ACS);
	return port;
}

static struct model_pci_function *endpoint(struct model_pci_function *parent, uint8_t devfn)
{
	return model_pci_endpoint(model, parent, devfn, 0x1234, 0x11e8);
}

static bool together(const struct model_pci_function *a, const struct model_pci_function *b)
{
	return found(a)->group == found(b)->group;
}

static uint16_t requester(const struct model_pci_function *f)
{
	return found(f)->requester.v;
}

static void test_apart_on_a_root_bus_and_behind_acs(void **state)
{
	(void)state;
	struct model_pci_function *one = endpoint(NULL, 0x08), *two = endpoint(NULL, 0x10);
	struct model_pci_function *p = port_with_acs(NULL, 0x18, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *q = port_with_acs(NULL, 0x19, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *a = endpoint(p, 0), *b = endpoint(q, 0);

	enumerate();
	assert_false(together(one, two) || together(one, p) || together(a, b) || together(a, p) ||
		     together(p, q));
	assert_int_equal(requester(a), found(a)->rid.v);
}

/* A port that offers ACS but does not keep it on is a port without. */
static void test_root_port_whose_acs_does_not_stick(void **state)
{
	(void)state;
	struct model_pci_function *p = port_with_acs(NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *plain = model_pci_bridge(model, NULL, 0x10, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *a = endpoint(p, 0), *b = endpoint(plain, 0);

	p->writable[0x14e] = 0x1b; /* request redirect reads 0 */
	enumerate();
	assert_true(together(a, p) && together(b, plain));
	assert_false(
		together(a, b)); /* two root ports: what passes between is the root complex's */
}

static void switch_below(struct model_pci_function *root, bool first, bool second)
{
	struct model_pci_function *up = model_pci_bridge(model, root, 0, MODEL_PCI_UPSTREAM);
	struct model_pci_function *d[2], *e[2];

	for (unsigned i = 0; i < 2; i++) {
		d[i] = model_pci_bridge(model, up, (uint8_t)(8 * i), MODEL_PCI_DOWNSTREAM);
		if (i ? second : first) {
			model_pci_acs(d[i], 0x148, ACS);
		}
		e[i] = endpoint(d[i], 0);
	}
	enumerate();
	assert_int_equal(together(e[0], e[1]), !(first && second));
	assert_int_equal(together(e[0], up), !(first && second));
	assert_false(together(e[0], root));
}

static void test_switches(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		set_up(state);
		switch_below(port_with_acs(NULL, 0x08, MODEL_PCI_ROOT_PORT), i & 1, i & 2);
		tear_down(state);
	}
}

/* Downstream ports must redirect: an empty ACS capability is none (6.12.1.1). */
static void test_downstream_port_with_an_empty_acs(void **state)
{
	(void)state;
	struct model_pci_function *root = port_with_acs(NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *up = model_pci_bridge(model, root, 0, MODEL_PCI_UPSTREAM);
	struct model_pci_function *d0 = model_pci_bridge(model, up, 0, MODEL_PCI_DOWNSTREAM);
	struct model_pci_function *d1 = port_with_acs(up, 8, MODEL_PCI_DOWNSTREAM);
	struct model_pci_function *a = endpoint(d0, 0), *b = endpoint(d1, 0);

	model_pci_acs(d0, 0x148, 0);
	enumerate();
	assert_true(together(a, b));
}

/* A root port without ACS above a switch with: still one group. */
static void test_what_is_above_counts(void **state)
{
	(void)state;
	struct model_pci_function *root = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *up = model_pci_bridge(model, root, 0, MODEL_PCI_UPSTREAM);
	struct model_pci_function *a = endpoint(port_with_acs(up, 0, MODEL_PCI_DOWNSTREAM), 0);
	struct model_pci_function *b = endpoint(port_with_acs(up, 8, MODEL_PCI_DOWNSTREAM), 0);

	enumerate();
	assert_true(together(a, b) && together(a, root));
}

static void test_functions_of_one_device(void **state)
{
	(void)state;
	struct model_pci_function *f[6];
	struct model_pci_function *ports[2], *below[2];

	for (unsigned i = 0; i < 6; i++) {
		f[i] = endpoint(NULL, (uint8_t)(i < 3 ? 0x10 + i : 0x18 + i - 3));
		model_pci_express(f[i], 0x60, 9, false);
		if (i != 5) {
			model_pci_acs(f[i], 0x100, 0x0c);
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		ports[i] = model_pci_bridge(model, NULL, (uint8_t)(0x20 + i), MODEL_PCI_ROOT_PORT);
		below[i] = endpoint(ports[i], 0);
	}
	model_pci_acs(ports[0], 0x148, ACS);
	enumerate();
	assert_false(together(f[0], f[1]) || together(f[1], f[2])); /* all three have ACS */
	assert_true(together(f[3], f[4]) && together(f[4], f[5]));  /* one has not */
	assert_false(together(f[0], f[3]));
	/* From below the port without ACS to below its neighbour. */
	assert_true(together(below[0], below[1]) && together(below[0], ports[1]));
}

/* ARI: below a link all functions are one device, whatever their numbers. */
static void test_ari_device(void **state)
{
	(void)state;
	struct model_pci_function *port = port_with_acs(NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *f0 = endpoint(port, 0), *f40 = endpoint(port, 40);

	model_pci_express(f0, 0xa0, 0, true);
	model_pci_ari(f0, 0x100, 40);
	model_pci_express(f40, 0xa0, 0, true);
	model_pci_ari(f40, 0x100, 0);
	enumerate();
	assert_true(together(f0, f40));
	assert_false(together(f0, port));
}

/* F09: who is below a conventional bridge, and under whose name it speaks. */
static void test_aliases(void **state)
{
	(void)state;
	struct model_pci_function *port = port_with_acs(NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *to_pci = model_pci_bridge(model, port, 0, MODEL_PCI_TO_PCI);
	struct model_pci_function *a = endpoint(to_pci, 0x08), *b = endpoint(to_pci, 0x10);
	struct model_pci_function *inner =
		model_pci_bridge(model, to_pci, 0x18, MODEL_PCI_CONVENTIONAL);
	struct model_pci_function *deep = endpoint(inner, 0x08);
	struct model_pci_function *old =
		model_pci_bridge(model, NULL, 0x10, MODEL_PCI_CONVENTIONAL);
	struct model_pci_function *below = endpoint(old, 0x08);

	enumerate();
	assert_true(together(a, b) && together(a, deep) && together(a, to_pci));
	assert_false(together(a, port) || together(a, below));
	assert_int_equal(found(to_pci)->secondary, 2);
	assert_int_equal(requester(a), 0x200);
	assert_int_equal(requester(b), 0x200);
	assert_int_equal(requester(inner), 0x200);
	assert_int_equal(requester(deep), 0x200); /* the outermost has the last word */
	assert_int_equal(requester(to_pci), 0x100);
	assert_true(together(below, old));
	assert_int_equal(requester(below), 0x010);
}

/* --- root buses beside the first ------------------------------------------------------------- */

static void test_expanders(void **state)
{
	(void)state;
	struct model_pci_function *port = port_with_acs(NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *near = endpoint(port, 0);
	struct model_pci_function *x = model_pci_expander(model, 0x10, 0x40);
	struct model_pci_function *y = model_pci_expander(model, 0x18, 0x80);
	struct model_pci_function *direct = endpoint(x, 0x28);
	struct model_pci_function *px = port_with_acs(x, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *py = port_with_acs(y, 0, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *a = endpoint(px, 0), *b = endpoint(py, 0);

	model_pci_bar(b, 0, MODEL_PCI_MEM32, 0x1000);
	/* firmware's numbers: behind px there is bus 0x41 already */
	model_pci_poke(px, 0x18, 4, 0x00414140);
	enumerate();
	assert_int_equal(bus.function_count, 9);
	assert_int_equal(bus.bus_count, 0x82);
	assert_int_equal(found(near)->rid.v, 0x100);
	assert_int_equal(found(direct)->rid.v, 0x4028);
	assert_int_equal(found(a)->rid.v, 0x4100);
	assert_int_equal(found(b)->rid.v, 0x8100);
	assert_int_equal(model_pci_peek(px, 0x18, 4), 0x00414140);
	assert_int_equal(found(px)->parent, PCI_BUS_ROOT);
	assert_true(model_pci_passes(b, false, found(b)->bars[0].pci_address, 0x1000));
	assert_false(together(a, b) || together(a, near) || together(a, direct));
}

/* Bus numbers end where the next root bus begins; a VF may not cross into it either. */
static void test_numbers_end_at_the_next_root(void **state)
{
	(void)state;
	struct model_pci_function *x = model_pci_expander(model, 0x10, 2);
	struct model_pci_function *igb = model_pci_igb(model, NULL, 0x30);
	struct model_pci_function *p = port_with_acs(NULL, 0x18, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *q = port_with_acs(NULL, 0x20, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *a = endpoint(p, 0), *hidden = endpoint(q, 0);
	struct model_pci_function *far = endpoint(x, 0x08);

	assert_int_equal(pci_bus_enumerate(&bus, &host), STATUS_NO_SPACE);
	assert_no_violation();
	assert_int_equal(found(a)->rid.v, 0x100);
	assert_int_equal(found(far)->rid.v, 0x208);
	assert_int_equal(found(q)->secondary, 0);
	assert_int_equal(model_pci_peek(hidden, PCI_COMMAND, 2), 0);
	assert_true(pci_bus_vf_reachable(&bus, found(igb), 0x0b0));
	assert_false(pci_bus_vf_reachable(&bus, found(igb), 0x240));
}

/* Without an expander nobody looks: a machine's boot does not pay for 8000 empty slots. */
static void test_no_expander_no_search(void **state)
{
	(void)state;
	endpoint(NULL, 0x08);
	enumerate();
	assert_true(model_counters.reads < 200);
}

static void test_too_many_roots(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PCI_BUS_MAX_ROOTS + 1; i++) {
		endpoint(model_pci_expander(model, (uint8_t)(8 + 8 * i), (uint8_t)(0x10 + i)),
			 0x08);
	}
	assert_int_equal(pci_bus_enumerate(&bus, &host), STATUS_NO_MEMORY);
	assert_int_equal(models_log_count("more than 8 root buses"), 2);
}

/* --- a large machine ------------------------------------------------------------------------- */

/* Root ports in groups of eight, eight functions behind each, as tests/bench/enumeration.py does.
 */
static void large_machine(unsigned ports)
{
	for (unsigned i = 0; i < ports; i++) {
		struct model_pci_function *port =
			port_with_acs(NULL, (uint8_t)(8 + i), MODEL_PCI_ROOT_PORT);

		for (uint8_t n = 0; n < 8; n++) {
			struct model_pci_function *f = endpoint(port, n);

			model_pci_bar(f, 0, MODEL_PCI_MEM32, 0x1000);
			model_pci_bar(f, 2, MODEL_PCI_SPACE_IO, 0x100);
		}
	}
}

static uint64_t accesses_for(void **state, unsigned ports)
{
	set_up(state);
	large_machine(ports);
	assert_int_equal(pci_bus_enumerate(&bus, &host), STATUS_OK);
	assert_int_equal(bus.function_count, 9 * ports);
	assert_int_equal(bus.bus_count, ports + 1);
	for (unsigned i = 0; i < bus.function_count; i++) {
		const struct pci_function *f = &bus.functions[i];

		assert_true(f->header_type || f->bars[0].space == PCI_SPACE_MEM32);
	}
	uint64_t count = model_counters.reads + model_counters.writes;

	tear_down(state);
	return count;
}

static void test_accesses_are_linear(void **state)
{
	uint64_t few = accesses_for(state, 12), many = accesses_for(state, 60);

	/* What a function costs, a port's share included, is the same in both. */
	assert_true(few / 108 < 120);
	assert_true(many * 108 <= few * 540);
}

/* 500 functions whose BARs do not fit: the largest go, in few turns. */
static void test_many_that_do_not_fit(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 62; i++) {
		struct model_pci_function *port =
			port_with_acs(NULL, (uint8_t)(8 + i), MODEL_PCI_ROOT_PORT);

		for (uint8_t n = 0; n < 8; n++) {
			model_pci_bar(endpoint(port, n), 0, MODEL_PCI_MEM32,
				      n == 7 ? MIB(16) : MIB(1));
		}
	}
	enumerate();
	unsigned placed = 0, large = 0;

	for (unsigned i = 0; i < bus.function_count; i++) {
		const struct pci_bar *bar = &bus.functions[i].bars[0];

		placed += bar->space != PCI_SPACE_NONE && bar->size == MIB(1);
		large += bar->space != PCI_SPACE_NONE && bar->size == MIB(16);
	}
	/* 751 MiB: the small ones all fit, and so does a good part of the large ones. */
	assert_int_equal(placed, 62 * 7);
	assert_in_range(large, 8, 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUS_TEST(test_apart_on_a_root_bus_and_behind_acs),
		BUS_TEST(test_root_port_whose_acs_does_not_stick),
		cmocka_unit_test(test_switches),
		BUS_TEST(test_downstream_port_with_an_empty_acs),
		BUS_TEST(test_what_is_above_counts),
		BUS_TEST(test_functions_of_one_device),
		BUS_TEST(test_ari_device),
		BUS_TEST(test_aliases),
		BUS_TEST(test_expanders),
		BUS_TEST(test_numbers_end_at_the_next_root),
		BUS_TEST(test_no_expander_no_search),
		BUS_TEST(test_too_many_roots),
		cmocka_unit_test(test_accesses_are_linear),
		BUS_TEST(test_many_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
