/* SPDX-License-Identifier: BSD-2-Clause */
/* SR-IOV on and off: the order of the register writes, the waits, and every way it can fail. */
#include "vf_fixture.h"

static void assert_off(void)
{
	assert_int_equal(sriov(PCI_SRIOV_CONTROL) & (PCI_SRIOV_CONTROL_VFE | PCI_SRIOV_CONTROL_MSE),
			 0);
	assert_int_equal(sriov(PCI_SRIOV_NUM_VFS), 0);
	assert_int_equal(pool.count, 0);
	assert_null(vf_by_index(&pool, 0));
	assert_no_violation();
}

static void assert_refused(unsigned count, enum status expected)
{
	assert_int_equal(vf_enable(&pool, &bus, pf, count), expected);
	assert_off();
}

/* --- the good way ---------------------------------------------------------------------------- */

static unsigned after(unsigned from, uint16_t offset)
{
	unsigned at = model_pci_write_find(model, from, PF, SRIOV + offset);

	assert_true(at < model_pci_write_count(model));
	return at;
}

static void test_order_of_writes(void **state)
{
	(void)state;
	unsigned from = model_pci_write_count(model);
	uint64_t start = models_time();

	assert_int_equal(vf_enable(&pool, &bus, pf, 7), STATUS_OK);
	assert_no_violation();
	/* what must come before is pci/bus's, and there is no need to write it again */
	assert_int_equal(sriov(PCI_SRIOV_SYSTEM_PAGE), 1);
	assert_int_equal(model_pci_peek(igb, SRIOV + PCI_SRIOV_BAR0, 4) & ~15u,
			 pf->vf_bars[0].pci_address);
	unsigned num = after(from, PCI_SRIOV_NUM_VFS);
	unsigned on = after(from, PCI_SRIOV_CONTROL);
	assert_int_equal(model_pci_write_nth(model, num)->value, 7);
	assert_int_equal(model_pci_write_nth(model, on)->value,
			 PCI_SRIOV_CONTROL_ARI | PCI_SRIOV_CONTROL_VFE | PCI_SRIOV_CONTROL_MSE);
	assert_true(num < on);
	/* nothing touched a VF for 100 ms, and it slept instead of asking */
	for (unsigned i = on + 1; i < model_pci_write_count(model); i++) {
		assert_true(model_pci_write_nth(model, i)->time >= start + 100 * MS);
	}
	assert_true(models_time() - start < 200 * MS);
}

static void test_what_a_vf_is(void **state)
{
	(void)state;
	assert_int_equal(vf_enable(&pool, &bus, pf, 7), STATUS_OK);
	assert_int_equal(pool.count, 7);
	for (uint16_t i = 0; i < 7; i++) {
		struct vf *vf = vf_by_index(&pool, i);

		assert_int_equal(vf->state, VF_FREE);
		assert_true(partition_is(vf->owner, PARTITION_NONE));
		assert_int_equal(vf->index, i);
		assert_int_equal(vf->rid.v, 0x180 + 2 * i);
		assert_int_equal(vf->device, 0x10ca);
		assert_int_equal(vf->bars[0].space, PCI_SPACE_MEM64);
		assert_int_equal(vf->bars[0].size, 0x4000);
		assert_int_equal(vf->bars[0].pci_address, pf->vf_bars[0].pci_address + i * 0x4000);
		assert_int_equal(vf->bars[3].cpu_address.v,
				 pf->vf_bars[3].cpu_address.v + i * 0x4000u);
		assert_int_equal(vf->bars[1].space, PCI_SPACE_NONE);
		assert_int_equal(vf->caps.express, 0xa0);
		assert_int_equal(vf->caps.msix, 0x70);
		assert_int_equal(vf->caps.msix_vectors, 3);
		/* bus mastering is off until it is given away */
		assert_int_equal(model_pci_peek(model_pci_vf(igb, i), PCI_COMMAND, 2) &
					 PCI_COMMAND_MASTER,
				 0);
	}
	assert_null(vf_by_index(&pool, 7));
	assert_no_violation();
}

/* Some models gate a VF's decode on its own Command.MEM, which hardware hardwires to 0. */
static void test_decode_is_set_in_the_vf_too(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		model_pci_vf(igb, i)->writable[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
	}
	assert_int_equal(vf_enable(&pool, &bus, pf, 2), STATUS_OK);
	assert_int_equal(model_pci_peek(model_pci_vf(igb, 1), PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
}

static void moving(uint16_t num_vfs, bool ari, uint16_t *offset, uint16_t *stride)
{
	*offset = (uint16_t)(0x40 + num_vfs);
	*stride = ari ? num_vfs : 1;
}

static void test_geometry_is_read_after_num_vfs(void **state)
{
	(void)state;
	igb->sriov_rules.geometry = moving;
	assert_int_equal(vf_enable(&pool, &bus, pf, 3), STATUS_OK);
	assert_int_equal(vf_by_index(&pool, 0)->rid.v, 0x143);
	assert_int_equal(vf_by_index(&pool, 2)->rid.v, 0x149);
	assert_no_violation();
}

static void slow(uint64_t settle_ns)
{
	igb->sriov_rules.settle_ns = settle_ns;
}

static void test_vf_that_takes_longer(void **state)
{
	(void)state;
	slow(600 * MS);
	assert_int_equal(vf_enable(&pool, &bus, pf, 2), STATUS_OK);
	assert_no_violation();
}

/* --- every way it can fail ------------------------------------------------------------------- */

static void test_counts(void **state)
{
	(void)state;
	unsigned from = model_pci_write_count(model);

	assert_refused(0, STATUS_RANGE);
	assert_refused(VF_POOL_MAX + 1, STATUS_RANGE);
	assert_refused(~0u, STATUS_RANGE);
	pf->total_vfs = 3;
	assert_refused(4, STATUS_RANGE);
	pf->total_vfs = 8;
	model_pci_poke(igb, SRIOV + PCI_SRIOV_INITIAL_VFS, 2, 1);
	assert_refused(2, STATUS_RANGE);
	assert_int_equal(model_pci_write_count(model), from); /* refused before the first write */
}

static void test_unsupported(void **state)
{
	(void)state;
	struct pci_function plain = *pf;

	model_pci_poke(igb, SRIOV + PCI_SRIOV_SUPPORTED_PAGES, 4, 0x10);
	assert_refused(2, STATUS_UNSUPPORTED);
	plain.caps.sriov = 0;
	assert_int_equal(vf_enable(&pool, &bus, &plain, 2), STATUS_UNSUPPORTED);
	plain = *pf;
	plain.total_vfs = 0;
	assert_int_equal(vf_enable(&pool, &bus, &plain, 2), STATUS_UNSUPPORTED);
}

static void test_already_enabled(void **state)
{
	(void)state;
	struct vf_pool other = {0};

	assert_int_equal(vf_enable(&pool, &bus, pf, 2), STATUS_OK);
	assert_int_equal(vf_enable(&pool, &bus, pf, 3), STATUS_BUSY);
	assert_int_equal(vf_enable(&other, &bus, pf, 3), STATUS_BUSY);
	assert_int_equal(other.count, 0);
	assert_int_equal(pool.count, 2);
	assert_int_equal(sriov(PCI_SRIOV_NUM_VFS), 2);
	assert_no_violation();
}

static void test_vf_bars_without_room(void **state)
{
	(void)state;
	pf->vf_bars[3].space = PCI_SPACE_NONE;
	assert_refused(2, STATUS_NO_SPACE);
}

static uint16_t next_offset, next_stride;

static void told(uint16_t num_vfs, bool ari, uint16_t *offset, uint16_t *stride)
{
	(void)num_vfs;
	(void)ari;
	*offset = next_offset;
	*stride = next_stride;
}

static void test_ids_that_cannot_be(void **state)
{
	(void)state;
	static const struct {
		uint16_t offset, stride;
	} cases[] = {
		{0, 2},	     /* the PF's own id */
		{0x80, 0},   /* two VFs with one id */
		{0x100, 1},  /* a bus nobody reserved */
		{0xff, 1},   /* the second one there */
		{0xfff0, 1}, /* beyond the last bus */
		{0x80, 0xff80}, {0xff00, 0x100},
	};

	igb->sriov_rules.geometry = told;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		next_offset = cases[i].offset;
		next_stride = cases[i].stride;
		assert_refused(2, STATUS_RANGE);
	}
}

static void test_id_that_is_taken(void **state)
{
	(void)state;
	struct model_pci_function *other;

	/* not recorded by the walk (it is beyond function 0's list), yet it answers */
	other = model_pci_endpoint(model, port, 0x82, 0x1234, 1);
	assert_non_null(other);
	assert_refused(2, STATUS_RANGE);
	assert_int_equal(vf_enable(&pool, &bus, pf, 1), STATUS_OK);
}

/* Without ARI Forwarding a port passes device 0 alone; this igb's VFs are devices 16 and 17. */
static void test_port_without_ari(void **state)
{
	(void)state;
	model_pci_poke(port, port->express + 0x24, 4, 0);
	model_pci_poke(port, port->express + 0x28, 2, 0);
	enumerate();
	assert_refused(2, STATUS_RANGE);
}

static void test_vf_never_appears(void **state)
{
	(void)state;
	uint64_t start = models_time();

	igb->sriov_rules.absent_vfs = 1u << 2;
	assert_refused(3, STATUS_TIMEOUT);
	assert_true(models_time() - start < 3000 * MS);
	assert_int_equal(vf_enable(&pool, &bus, pf, 2), STATUS_OK);
	assert_no_violation();
}

static void test_vf_appears_far_too_late(void **state)
{
	(void)state;
	slow(100000 * MS);
	assert_refused(3, STATUS_TIMEOUT);
}

static void test_vf_without_capabilities(void **state)
{
	(void)state;
	struct model_pci_function *vf = model_pci_vf(igb, 1);

	model_pci_poke(vf, PCI_STATUS, 2, 0);
	assert_refused(3, STATUS_TIMEOUT);
}

/* Whatever the PF and its VFs answer: an error leaves SR-IOV off, success tells only what is so. */
static void test_nonsense_devices(void **state)
{
	uint32_t random = 1;
	unsigned enabled = 0;

	for (unsigned round = 0; round < 300; round++) {
		set_up(state);
		igb->sriov_rules.geometry = told;
		for (unsigned i = 0; i < 60; i++) {
			random = random * 1664525u + 1013904223u;
			unsigned at = random >> 20;
			struct model_pci_function *f =
				random & 0x100 ? model_pci_vf(igb, random >> 9 & 7) : igb;
			bool kept = at < 0x10 || (at >= SRIOV && at < SRIOV + 0x0c);

			if (!kept) {
				model_pci_poke(f, (uint16_t)at, 1, random & 0xff);
			}
		}
		next_offset = random & 0x10000 ? 0x80 : (uint16_t)(random >> 16);
		next_stride = (random >> 8) & 7;
		enum status status = vf_enable(&pool, &bus, pf, 1 + (random >> 13 & 7));

		if (status == STATUS_OK) {
			enabled++;
			for (uint16_t i = 0; i < pool.count; i++) {
				struct vf *vf = vf_by_index(&pool, i);

				assert_true(pci_bus_vf_reachable(&bus, pf, vf->rid.v));
			}
		} else {
			assert_int_equal(sriov(PCI_SRIOV_CONTROL) & PCI_SRIOV_CONTROL_VFE, 0);
			assert_int_equal(pool.count, 0);
		}
		tear_down(state);
	}
	assert_in_range(enabled, 30, 270);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VF_TEST(test_order_of_writes),
		VF_TEST(test_what_a_vf_is),
		VF_TEST(test_decode_is_set_in_the_vf_too),
		VF_TEST(test_geometry_is_read_after_num_vfs),
		VF_TEST(test_vf_that_takes_longer),
		VF_TEST(test_counts),
		VF_TEST(test_unsupported),
		VF_TEST(test_already_enabled),
		VF_TEST(test_vf_bars_without_room),
		VF_TEST(test_ids_that_cannot_be),
		VF_TEST(test_id_that_is_taken),
		VF_TEST(test_port_without_ari),
		VF_TEST(test_vf_never_appears),
		VF_TEST(test_vf_appears_far_too_late),
		VF_TEST(test_vf_without_capabilities),
		cmocka_unit_test(test_nonsense_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
