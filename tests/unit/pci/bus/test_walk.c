/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding functions, numbering buses, and devices that lie about what they are. */
#include "bus_fixture.h"

#include <string.h>

static void enumerate(enum status expected)
{
	assert_int_equal(pci_bus_enumerate(&bus, &host), expected);
	assert_no_violation();
}

/* --- the tree -------------------------------------------------------------------------------- */

static void test_igb_behind_a_root_port(void **state)
{
	(void)state;
	model_pci_endpoint(model, NULL, 0x00, 0x1b36, 0x0008);
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *igb = model_pci_igb(model, port, 0);

	model_pci_acs(port, 0x148, 0x5f);
	enumerate(STATUS_OK);
	assert_int_equal(bus.function_count, 3);
	assert_int_equal(bus.bus_count, 2);
	assert_int_equal(model_pci_rid(igb), 0x0100);

	struct pci_function *pf = found(igb);
	assert_non_null(pf);
	assert_int_equal(pf->vendor, 0x8086);
	assert_int_equal(pf->device, 0x10c9);
	assert_int_equal(pf->parent, 1);
	assert_int_equal(pf->total_vfs, 8);
	assert_int_equal(pf->caps.msix_vectors, 10);
	assert_int_equal(pf->caps.sriov, 0x160);
	assert_int_equal(pf->caps.express, 0xa0);
	assert_int_equal(pf->decode, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	assert_false(pf->behind_conventional_bridge);
	/* decode on, bus mastering off, INTx off; its port forwards and masters */
	assert_int_equal(model_pci_peek(igb, PCI_COMMAND, 2), 0x0403);
	assert_int_equal(model_pci_peek(port, PCI_COMMAND, 2), 0x0407);
	/* ACS as far as the port can and we want: not egress control, not direct translated */
	assert_int_equal(model_pci_peek(port, 0x148 + 6, 2), 0x1f);
	/* ARI from the port down to the PF */
	assert_int_equal(model_pci_peek(port, port->express + 0x28, 2) & 0x20, 0x20);
	assert_int_equal(model_pci_peek(igb, 0x160 + PCI_SRIOV_CONTROL, 2), PCI_SRIOV_CONTROL_ARI);
	assert_int_equal(model_pci_peek(igb, 0x160 + PCI_SRIOV_SYSTEM_PAGE, 4), 1);
	assert_int_equal(model_pci_peek(igb, 0x160 + PCI_SRIOV_NUM_VFS, 2), 0);
	assert_int_equal(pf->vf_bars[0].size, 0x4000);
}

static void test_buses_nest(void **state)
{
	(void)state;
	struct model_pci_function *a = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *up = model_pci_bridge(model, a, 0, MODEL_PCI_UPSTREAM);
	struct model_pci_function *d0 = model_pci_bridge(model, up, 0x00, MODEL_PCI_DOWNSTREAM);
	struct model_pci_function *d1 = model_pci_bridge(model, up, 0x08, MODEL_PCI_DOWNSTREAM);
	struct model_pci_function *e0 = model_pci_endpoint(model, d0, 0, 0x1234, 1);
	struct model_pci_function *e1 = model_pci_endpoint(model, d1, 0, 0x1234, 2);
	struct model_pci_function *b = model_pci_bridge(model, NULL, 0x10, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *e2 = model_pci_endpoint(model, b, 0, 0x1234, 3);

	enumerate(STATUS_OK);
	assert_int_equal(bus.function_count, 8);
	assert_int_equal(model_pci_rid(e0), 0x0300);
	assert_int_equal(model_pci_rid(e1), 0x0400);
	assert_int_equal(model_pci_rid(e2), 0x0500);
	assert_int_equal(found(a)->secondary, 1);
	assert_int_equal(found(a)->subordinate, 4);
	assert_int_equal(found(d0)->subordinate, 3);
	assert_int_equal(found(b)->secondary, 5);
	assert_int_equal(found(e1)->device, 2);
	/* primaries as well: type-1 cycles from below need them */
	assert_int_equal(model_pci_peek(d1, 0x18, 4), 0x00040402);
}

static void test_multifunction_only_where_said(void **state)
{
	(void)state;
	struct model_pci_function *f0 = model_pci_endpoint(model, NULL, 0x10, 0x1234, 1);
	model_pci_endpoint(model, NULL, 0x13, 0x1234, 2);
	struct model_pci_function *single = model_pci_endpoint(model, NULL, 0x18, 0x1234, 3);
	struct model_pci_function *shadow = model_pci_endpoint(model, NULL, 0x19, 0x1234, 4);
	struct model_pci_function *orphan = model_pci_endpoint(model, NULL, 0x21, 0x1234, 5);

	single->config[0x0e] &= 0x7f;
	enumerate(STATUS_OK);
	assert_int_equal(bus.function_count, 3);
	assert_non_null(found(f0));
	assert_null(found(shadow));
	assert_null(found(orphan)); /* no function 0 */
}

static void test_ari_functions_above_7(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *f[3];
	static const uint8_t at[3] = {0, 9, 40};
	static const uint8_t next[3] = {9, 40, 9 /* backwards: the list ends */};

	for (unsigned i = 0; i < 3; i++) {
		f[i] = model_pci_endpoint(model, port, at[i], 0x1234, (uint16_t)i);
		model_pci_express(f[i], 0xa0, 0, true);
		model_pci_ari(f[i], 0x100, next[i]);
	}
	enumerate(STATUS_OK);
	assert_int_equal(bus.function_count, 4);
	assert_non_null(found(f[2]));
}

static void test_port_without_ari_stays_so(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *igb = model_pci_igb(model, port, 0);

	model_pci_poke(port, port->express + 0x24, 4, 0);
	enumerate(STATUS_OK);
	assert_false(found(port)->ari_forwarding);
	assert_int_equal(model_pci_peek(port, port->express + 0x28, 2), 0);
	assert_int_equal(model_pci_peek(igb, 0x160 + PCI_SRIOV_CONTROL, 2), 0);
	/* VFs at device 16 would never be reached */
	assert_false(pci_bus_vf_reachable(&bus, found(igb), 0x0180));
	assert_true(pci_bus_vf_reachable(&bus, found(igb), 0x0101));
}

static void test_ari_off_where_the_device_has_none(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);

	model_pci_endpoint(model, port, 0, 0x1234, 1);
	model_pci_poke(port, port->express + 0x28, 2, 0x20); /* firmware left it on */
	enumerate(STATUS_OK);
	assert_int_equal(model_pci_peek(port, port->express + 0x28, 2), 0);
	assert_int_equal(bus.function_count, 2);
}

/* Some devices look at the function number alone: a link has one device all the same. */
static void test_device_that_answers_everywhere(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *f = model_pci_endpoint(model, port, 0, 0x1234, 1);

	f->ghosts = true;
	enumerate(STATUS_OK);
	assert_int_equal(bus.function_count, 2);
}

/* F09: whatever is below a conventional bridge shares its requester id. */
static void test_behind_conventional_bridge_is_marked(void **state)
{
	(void)state;
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *to_pci = model_pci_bridge(model, port, 0, MODEL_PCI_TO_PCI);
	struct model_pci_function *plain =
		model_pci_bridge(model, to_pci, 0x10, MODEL_PCI_CONVENTIONAL);
	struct model_pci_function *deep = model_pci_endpoint(model, plain, 0x18, 0x1234, 1);
	struct model_pci_function *back = model_pci_bridge(model, plain, 0x20, MODEL_PCI_UPSTREAM);
	struct model_pci_function *again = model_pci_endpoint(model, back, 0, 0x1234, 3);
	struct model_pci_function *old =
		model_pci_bridge(model, NULL, 0x10, MODEL_PCI_CONVENTIONAL);
	struct model_pci_function *below = model_pci_endpoint(model, old, 0x08, 0x1234, 2);
	struct model_pci_function *edu = model_pci_endpoint(model, NULL, 0x18, 0x1234, 0x11e8);

	enumerate(STATUS_OK);
	assert_true(found(deep)->behind_conventional_bridge);
	assert_true(
		found(again)
			->behind_conventional_bridge); /* Express again, behind it all the same */
	assert_true(found(plain)->behind_conventional_bridge);
	assert_true(found(below)->behind_conventional_bridge);
	assert_false(found(to_pci)->behind_conventional_bridge);
	assert_false(found(edu)->behind_conventional_bridge); /* has a requester id of its own */
}

/* --- what firmware left ---------------------------------------------------------------------- */

static void test_stale_firmware_state_is_cleared(void **state)
{
	(void)state;
	struct model_pci_function *a = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *b = model_pci_bridge(model, NULL, 0x10, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *igb = model_pci_igb(model, a, 0);
	struct model_pci_function *e = model_pci_endpoint(model, b, 0, 0x1234, 1);

	model_pci_express(e, 0x60, 0, true);
	model_pci_extended(e, PCI_EXT_CAP_ID_ATS, 0x100);
	model_pci_poke(e, 0x106, 2, 0x8000);
	e->writable[0x107] = 0xff;
	model_pci_extended(e, PCI_EXT_CAP_ID_PRI, 0x120);
	model_pci_poke(e, 0x124, 2, 1);
	e->writable[0x124] = 1;
	model_pci_extended(e, PCI_EXT_CAP_ID_PASID, 0x140);
	model_pci_poke(e, 0x146, 2, 7);
	e->writable[0x146] = 7;
	model_pci_poke(e, 0x68, 2, 0x0210); /* phantom functions */
	model_pci_poke(e, PCI_COMMAND, 2, 0x0007);
	model_pci_poke(e, 0x30, 4, 0xfe000001); /* ROM decode */
	/* both bridges claim every bus */
	model_pci_poke(a, 0x18, 4, 0x00ff0100);
	model_pci_poke(b, 0x18, 4, 0x00ff0100);
	model_pci_poke(a, PCI_COMMAND, 2, 0x0007);
	model_pci_poke(b, PCI_COMMAND, 2, 0x0007);
	/* SR-IOV was on */
	model_pci_poke(igb, 0x160 + PCI_SRIOV_NUM_VFS, 2, 2);
	model_pci_poke(igb, 0x160 + PCI_SRIOV_CONTROL, 2, 9);
	enumerate(STATUS_OK);
	assert_int_equal(bus.function_count, 4);
	assert_int_equal(model_pci_peek(e, 0x106, 2), 0);
	assert_int_equal(model_pci_peek(e, 0x124, 2) | model_pci_peek(e, 0x146, 2), 0);
	assert_int_equal(model_pci_peek(e, 0x68, 2), 0x0010);
	assert_int_equal(model_pci_peek(e, 0x30, 4), 0);
	assert_int_equal(model_pci_peek(igb, 0x160 + PCI_SRIOV_CONTROL, 2) & 9, 0);
	assert_false(model_pci_masters(e));
	assert_true(model_pci_masters(e->parent));
	/* F10: the first write to each function takes its decode, mastering and INTx away */
	for (unsigned i = 0; i < model_pci_count(model); i++) {
		uint16_t rid = model_pci_rid(model_pci_nth(model, i));
		unsigned command = model_pci_write_find(model, 0, rid, PCI_COMMAND);

		for (unsigned w = 0; w <= command; w++) {
			if (model_pci_write_nth(model, w)->rid == rid) {
				assert_int_equal(w, command);
			}
		}
		assert_int_equal(model_pci_write_nth(model, command)->value, PCI_COMMAND_INTX_OFF);
	}
}

/* --- bounds ---------------------------------------------------------------------------------- */

/* Every device and function number of a conventional bus. */
static void fill_bus(struct model_pci_function *bridge)
{
	for (unsigned i = 0; i < 256; i++) {
		struct model_pci_function *f =
			model_pci_endpoint(model, bridge, (uint8_t)i, 0x1234, (uint16_t)i);

		model_pci_poke(f, PCI_COMMAND, 2, 7);
		model_pci_bar(f, 0, MODEL_PCI_MEM32, 0x1000);
		f->config[0x0e] = 0x80;
	}
}

/* 771 functions: those beyond the pool are left without decode, and the walk still ends soon. */
static void test_too_many_functions(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		fill_bus(model_pci_bridge(model, NULL, (uint8_t)(8 * i), MODEL_PCI_CONVENTIONAL));
	}
	enumerate(STATUS_NO_MEMORY);
	assert_int_equal(bus.function_count, PCI_BUS_MAX_FUNCTIONS);
	assert_true(model_counters.reads + model_counters.writes < 100000);
	unsigned with_decode = 0;

	for (unsigned i = 0; i < model_pci_count(model); i++) {
		const struct model_pci_function *f = model_pci_nth(model, i);
		unsigned command = model_pci_peek(f, PCI_COMMAND, 2);

		assert_true(f->is_bridge || !(command & PCI_COMMAND_MASTER));
		assert_int_equal(command & PCI_COMMAND_MEMORY, found(f) ? PCI_COMMAND_MEMORY : 0);
		with_decode += (command & PCI_COMMAND_MEMORY) != 0;
	}
	assert_int_equal(with_decode, PCI_BUS_MAX_FUNCTIONS);
}

static void test_deep_chain_and_no_bus_left(void **state)
{
	(void)state;
	struct model_pci_function *above = NULL;
	struct model_pci_function *last = NULL;

	host.bus_last = 20;
	for (unsigned i = 0; i < 30; i++) {
		above = model_pci_bridge(model, above, 0x08, MODEL_PCI_CONVENTIONAL);
		if (i == 19) {
			last = above;
		}
	}
	struct model_pci_function *side =
		model_pci_bridge(model, NULL, 0x10, MODEL_PCI_CONVENTIONAL);
	enumerate(STATUS_NO_SPACE);
	assert_int_equal(bus.function_count, 22); /* 20 opened, one that is not, and `side` */
	assert_int_equal(found(last)->secondary, 20);
	/* what got no bus stays shut */
	assert_int_equal(found(side)->secondary, 0);
	assert_int_equal(model_pci_peek(side, PCI_COMMAND, 2) & 7, 0);
	assert_int_equal(model_pci_peek(side, 0x18, 4), 0);
}

static void test_first_bus_above_0(void **state)
{
	(void)state;
	models_reset();
	model_pci_free(model);
	model = model_pci_new(MODEL_PCI_ECAM, 0x20, 0x2f);
	host.bus_first = 0x20;
	host.bus_last = 0x2f;
	host.ecam_size = MIB(16);
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *igb = model_pci_igb(model, port, 0);
	enumerate(STATUS_OK);
	assert_int_equal(model_pci_rid(igb), 0x2100);
	assert_non_null(found(igb));
	/* outside the bridge: all-ones, writes dropped (no model would answer them) */
	assert_int_equal(pci_config_read32(&bus, (rid_t){0x1000}, 0), ~0u);
	assert_int_equal(pci_config_read8(&bus, (rid_t){0x3000}, 0), 0xff);
	pci_config_write16(&bus, (rid_t){0xff00}, 4, 7);
	/* and so do offsets that are no register: they never reach the bus */
	uint64_t reads = model_counters.reads;
	assert_int_equal(pci_config_read32(&bus, (rid_t){0x2100}, 0x1000), ~0u);
	assert_int_equal(pci_config_read16(&bus, (rid_t){0x2100}, 1), 0xffff);
	assert_int_equal(pci_config_read32(&bus, (rid_t){0x2100}, 0xffe), ~0u);
	assert_int_equal(model_counters.reads, reads);
}

/* --- bus numbers for VFs --------------------------------------------------------------------- */

static void far_vfs(uint16_t num_vfs, bool ari, uint16_t *offset, uint16_t *stride)
{
	/* worst at 3, so that asking only for TotalVFs misses it */
	*offset = num_vfs == 3 ? 0x200 : 0x80;
	*stride = ari ? 1 : 0x10;
}

static void test_buses_reserved_for_vfs(void **state)
{
	(void)state;
	struct model_pci_sriov rules = {.total = 8,
					.initial = 8,
					.vf_device = 1,
					.vf_vectors = 1,
					.page_sizes = 1,
					.geometry = far_vfs};
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	struct model_pci_function *pf = model_pci_endpoint(model, port, 0, 0x1234, 1);
	struct model_pci_function *next = model_pci_bridge(model, NULL, 0x10, MODEL_PCI_ROOT_PORT);

	model_pci_express(pf, 0xa0, 0, true);
	model_pci_sriov(pf, 0x160, &rules);
	enumerate(STATUS_OK);
	assert_int_equal(found(port)->secondary, 1);
	assert_int_equal(found(port)->subordinate, 3);
	assert_int_equal(found(next)->secondary, 4);
	assert_true(pci_bus_vf_reachable(&bus, found(pf), 0x0310));
	assert_false(pci_bus_vf_reachable(&bus, found(pf), 0x0400)); /* next's */
	assert_false(pci_bus_vf_reachable(&bus, found(pf), 0x0100)); /* the PF itself */
	assert_false(pci_bus_vf_reachable(&bus, found(pf), 0x0008));
	assert_false(pci_bus_vf_reachable(&bus, found(pf), 0x10100));
}

static void test_vf_on_a_bus_of_a_bridge_beside(void **state)
{
	(void)state;
	struct model_pci_function *igb = model_pci_igb(model, NULL, 0x10);
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x18, MODEL_PCI_ROOT_PORT);

	enumerate(STATUS_OK);
	assert_int_equal(found(port)->secondary, 1);
	assert_true(pci_bus_vf_reachable(&bus, found(igb), 0x0090));
	assert_false(pci_bus_vf_reachable(&bus, found(igb), 0x0018)); /* the port */
	assert_false(pci_bus_vf_reachable(&bus, found(igb), 0x0120)); /* its bus */
	assert_true(pci_bus_vf_reachable(&bus, found(igb), 0x0000));
}

static void test_absurd_total_vfs(void **state)
{
	(void)state;
	struct model_pci_sriov rules = {.total = 0xffff,
					.initial = 0xffff,
					.vf_device = 1,
					.vf_vectors = 1,
					.page_sizes = 1};
	struct model_pci_function *pf = model_pci_endpoint(model, NULL, 0x10, 0x1234, 1);
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x18, MODEL_PCI_ROOT_PORT);

	model_pci_express(pf, 0xa0, 9, true);
	model_pci_sriov(pf, 0x160, &rules);
	model_pci_vf_bar(pf, 0, MODEL_PCI_MEM64, 0x4000);
	enumerate(STATUS_OK);
	assert_int_equal(found(pf)->total_vfs, PCI_BUS_MAX_VFS);
	assert_int_equal(found(port)->secondary, 3);
	assert_int_equal(found(pf)->vf_bars[0].space, PCI_SPACE_MEM64);
	assert_true(model_counters.reads + model_counters.writes < 10000);
}

/* --- capability lists ------------------------------------------------------------------------ */

static void test_looping_capabilities(void **state)
{
	(void)state;
	struct model_pci_function *f = model_pci_endpoint(model, NULL, 0x10, 0x1234, 1);
	struct pci_capabilities caps;

	model_pci_express(f, 0x60, 9, true);
	model_pci_capability(f, PCI_CAP_ID_POWER, 0x50);
	model_pci_poke(f, 0x51, 1, 0x60); /* back to the first */
	model_pci_extended(f, PCI_EXT_CAP_ID_PASID, 0x100);
	model_pci_poke(f, 0x100, 4, 0x1001001b); /* itself */
	enumerate(STATUS_OK);
	model_counters.reads = 0;
	pci_read_capabilities(&bus, (rid_t){0x10}, &caps);
	assert_true(model_counters.reads <= 2 * PCI_CAPABILITY_HOPS + 2);
	assert_int_equal(caps.msix, 0);
	assert_int_equal(caps.acs, 0);
	/* what stands before the loop is found */
	assert_int_equal(found(f)->caps.express, 0x60);
	assert_int_equal(found(f)->caps.power, 0x50);
	assert_int_equal(found(f)->caps.pasid, 0x100);
}

static void test_capability_pointers_out_of_range(void **state)
{
	(void)state;
	struct model_pci_function *low = model_pci_endpoint(model, NULL, 0x10, 0x1234, 1);
	struct model_pci_function *end = model_pci_endpoint(model, NULL, 0x18, 0x1234, 2);
	struct model_pci_function *ext = model_pci_endpoint(model, NULL, 0x20, 0x1234, 3);

	/* into the header, where an id could be forged from the BARs */
	model_pci_capability(low, PCI_CAP_ID_EXPRESS, 0x40);
	model_pci_poke(low, 0x34, 1, 0x10);
	model_pci_poke(low, 0x10, 2, PCI_CAP_ID_MSIX);
	/* a capability whose registers would lie beyond its space */
	model_pci_capability(end, PCI_CAP_ID_EXPRESS, 0xfc);
	model_pci_capability(end, PCI_CAP_ID_MSIX, 0xf8);
	model_pci_express(ext, 0x60, 9, true);
	model_pci_extended(ext, PCI_EXT_CAP_ID_PASID, 0x100);
	model_pci_extended(ext, PCI_EXT_CAP_ID_SRIOV, 0xffc);
	enumerate(STATUS_OK);
	assert_int_equal(found(low)->caps.express, 0);
	assert_int_equal(found(low)->caps.msix, 0);
	assert_int_equal(found(end)->caps.express, 0);
	assert_int_equal(found(end)->caps.msix, 0);
	assert_int_equal(found(ext)->caps.pasid, 0x100);
	assert_int_equal(found(ext)->caps.sriov, 0);
	assert_int_equal(found(ext)->total_vfs, 0);
}

/* Where its table is, pci/virt looks at. */
static void test_msix_vectors(void **state)
{
	(void)state;
	static const uint16_t vectors[] = {1, 2, 256, 2048};
	struct model_pci_function *f[ARRAY_SIZE(vectors)];
	struct model_pci_function *none = model_pci_endpoint(model, NULL, 0x80, 0x1234, 9);

	for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++) {
		f[i] = model_pci_endpoint(model, NULL, (uint8_t)(8 * i), 0x1234, (uint16_t)i);
		model_pci_msix(f[i], 0x70, vectors[i], 7, 0);
	}
	enumerate(STATUS_OK);
	assert_int_equal(found(none)->caps.msix_vectors, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++) {
		assert_int_equal(found(f[i])->caps.msix_vectors, vectors[i]);
	}
}

static void test_unknown_header_is_left_off(void **state)
{
	(void)state;
	struct model_pci_function *f = model_pci_endpoint(model, NULL, 0x10, 0x1234, 1);

	f->config[0x0e] = 2;
	model_pci_poke(f, PCI_COMMAND, 2, 7);
	enumerate(STATUS_OK);
	assert_int_equal(bus.function_count, 0);
	assert_int_equal(model_pci_peek(f, PCI_COMMAND, 2), PCI_COMMAND_INTX_OFF);
}

/* --- nonsense -------------------------------------------------------------------------------- */

static uint32_t random_state;

static uint8_t random_byte(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint8_t)(random_state >> 24);
}

/* Every register a random value with a random mask, under a sound id. */
static void make_nonsense(struct model_pci_function *f)
{
	for (unsigned i = 4; i < sizeof(f->config); i++) {
		f->config[i] = random_byte();
		f->writable[i] = random_byte() & random_byte();
	}
	f->writable[PCI_COMMAND] = 0x07;
	f->writable[PCI_COMMAND + 1] = 0x04;
	if (random_byte() & 1) {
		f->config[0x0e] &= 0x81;
	}
	if (random_byte() & 1) {
		f->config[0x06] |= 0x10;
		f->config[0x34] = 0x40;
		f->config[0x40] = PCI_CAP_ID_EXPRESS;
		f->config[0x42] = 0x02;
		f->express = 0x40;
	}
	if (random_byte() & 1) {
		f->config[0x100] = PCI_EXT_CAP_ID_SRIOV;
		f->config[0x101] = 0;
	}
}

static void test_nonsense_devices(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 200; round++) {
		set_up(NULL);
		random_state = round;
		struct model_pci_function *port =
			model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);

		make_nonsense(model_pci_endpoint(model, port, 0, 0x1234, 1));
		for (uint8_t i = 2; i < 10; i++) {
			make_nonsense(model_pci_endpoint(model, NULL, 8 * i, 0x1234, i));
		}
		(void)!pci_bus_enumerate(&bus, &host);
		assert_true(model_counters.reads + model_counters.writes < 200000);
		for (unsigned i = 0; i < bus.function_count; i++) {
			const struct pci_function *f = &bus.functions[i];
			uint16_t command = pci_config_read16(&bus, f->rid, PCI_COMMAND);

			assert_true(f->secondary || !(command & PCI_COMMAND_MASTER));
			assert_true(f->total_vfs <= PCI_BUS_MAX_VFS);
		}
		tear_down(NULL);
	}
}

/* --- names and maps -------------------------------------------------------------------------- */

static void test_names_and_id_maps(void **state)
{
	(void)state;
	stream_id_t stream = {7};
	device_id_t device = {7};

	assert_string_equal(pci_name((rid_t){0x0182}), "0000:01:10.2");
	assert_string_equal(pci_name((rid_t){0xfeff}), "0000:fe:1f.7");
	bus.host = (struct pci_host){.iommu_map = {{0, 0x1000, 0x100}, {0x200, 0x8000, 0x10}},
				     .iommu_map_count = 2};
	assert_int_equal(pci_bus_stream_id(&bus, (rid_t){0x20f}, &stream), STATUS_OK);
	assert_int_equal(stream.v, 0x800f);
	assert_int_equal(pci_bus_stream_id(&bus, (rid_t){0xff}, &stream), STATUS_OK);
	assert_int_equal(stream.v, 0x10ff);
	stream.v = 7;
	assert_int_equal(pci_bus_stream_id(&bus, (rid_t){0x100}, &stream), STATUS_NOT_FOUND);
	assert_int_equal(pci_bus_stream_id(&bus, (rid_t){0x210}, &stream), STATUS_NOT_FOUND);
	assert_int_equal(stream.v, 7);
	assert_int_equal(pci_bus_device_id(&bus, (rid_t){0}, &device), STATUS_NOT_FOUND);
	assert_int_equal(device.v, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUS_TEST(test_igb_behind_a_root_port),
		BUS_TEST(test_buses_nest),
		BUS_TEST(test_multifunction_only_where_said),
		BUS_TEST(test_ari_functions_above_7),
		BUS_TEST(test_port_without_ari_stays_so),
		BUS_TEST(test_ari_off_where_the_device_has_none),
		BUS_TEST(test_device_that_answers_everywhere),
		BUS_TEST(test_behind_conventional_bridge_is_marked),
		BUS_TEST(test_stale_firmware_state_is_cleared),
		BUS_TEST(test_too_many_functions),
		BUS_TEST(test_deep_chain_and_no_bus_left),
		BUS_TEST(test_first_bus_above_0),
		BUS_TEST(test_buses_reserved_for_vfs),
		BUS_TEST(test_vf_on_a_bus_of_a_bridge_beside),
		BUS_TEST(test_absurd_total_vfs),
		BUS_TEST(test_looping_capabilities),
		BUS_TEST(test_capability_pointers_out_of_range),
		BUS_TEST(test_msix_vectors),
		BUS_TEST(test_unknown_header_is_left_off),
		cmocka_unit_test(test_nonsense_devices),
		BUS_TEST(test_names_and_id_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
