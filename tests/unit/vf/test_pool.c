/* SPDX-License-Identifier: BSD-2-Clause */
/* Who owns a VF: each call from each state, the wrong owner, and resets that fail or are slow. */
#include "vf_fixture.h"

static const partition_id_t mine = {3};
static const partition_id_t other = {4};
static struct vf *vf;

static int set_up_vfs(void **state)
{
	set_up(state);
	assert_int_equal(vf_enable(&pool, &bus, pf, 2), STATUS_OK);
	vf = vf_by_index(&pool, 0);
	return 0;
}

static void put_into(enum vf_state state)
{
	vf->state = state;
	vf->resetting = false;
	vf->owner = state == VF_CLAIMED || state == VF_ASSIGNED ? mine : PARTITION_NONE;
}

enum call { CLAIM, UNCLAIM, ASSIGNED, QUARANTINE, RESET, CALLS };

static enum status do_call(enum call call, partition_id_t owner)
{
	switch (call) {
	case CLAIM:
		return vf_claim(&pool, vf, owner);
	case UNCLAIM:
		return vf_unclaim(&pool, vf, owner);
	case ASSIGNED:
		return vf_assigned(&pool, vf, owner);
	case QUARANTINE:
		return vf_quarantine(&pool, vf, owner);
	default:
		return vf_reset(&pool, vf);
	}
}

struct outcome {
	enum status status;
	enum vf_state state;
};

/* No row may be missing: what is not a legal transition leaves the state alone. */
static const struct outcome table[VF_DEAD + 1][CALLS] = {
	[VF_ABSENT] = {{STATUS_STATE, VF_ABSENT},
		       {STATUS_STATE, VF_ABSENT},
		       {STATUS_STATE, VF_ABSENT},
		       {STATUS_STATE, VF_ABSENT},
		       {STATUS_STATE, VF_ABSENT}},
	[VF_FREE] = {{STATUS_OK, VF_CLAIMED},
		     {STATUS_STATE, VF_FREE},
		     {STATUS_STATE, VF_FREE},
		     {STATUS_STATE, VF_FREE},
		     {STATUS_STATE, VF_FREE}},
	[VF_CLAIMED] = {{STATUS_BUSY, VF_CLAIMED},
			{STATUS_OK, VF_FREE},
			{STATUS_OK, VF_ASSIGNED},
			{STATUS_OK, VF_QUARANTINED},
			{STATUS_OK, VF_CLAIMED}},
	[VF_ASSIGNED] = {{STATUS_BUSY, VF_ASSIGNED},
			 {STATUS_STATE, VF_ASSIGNED},
			 {STATUS_STATE, VF_ASSIGNED},
			 {STATUS_OK, VF_QUARANTINED},
			 {STATUS_STATE, VF_ASSIGNED}},
	[VF_QUARANTINED] = {{STATUS_STATE, VF_QUARANTINED},
			    {STATUS_STATE, VF_QUARANTINED},
			    {STATUS_STATE, VF_QUARANTINED},
			    {STATUS_STATE, VF_QUARANTINED},
			    {STATUS_OK, VF_FREE}},
	[VF_DEAD] = {{STATUS_STATE, VF_DEAD},
		     {STATUS_STATE, VF_DEAD},
		     {STATUS_STATE, VF_DEAD},
		     {STATUS_STATE, VF_DEAD},
		     {STATUS_STATE, VF_DEAD}},
};

static void test_every_call_from_every_state(void **state)
{
	(void)state;
	for (unsigned from = 0; from <= VF_DEAD; from++) {
		for (unsigned call = 0; call < CALLS; call++) {
			const struct outcome *expected = &table[from][call];

			put_into(from);
			assert_int_equal(do_call(call, mine), expected->status);
			assert_int_equal(vf->state, expected->state);
			bool owned = vf->state == VF_CLAIMED || vf->state == VF_ASSIGNED;
			assert_true(partition_is(vf->owner, owned ? mine : PARTITION_NONE));
			assert_false(vf->resetting);
			assert_int_equal(vf_by_index(&pool, 1)->state, VF_FREE);
		}
	}
	assert_int_equal(pool.lock.next, pool.lock.serving);
	assert_no_violation();
}

static void test_only_the_owner(void **state)
{
	(void)state;
	static const partition_id_t wrong[] = {{4}, {0}, {0xff}};

	for (unsigned from = VF_CLAIMED; from <= VF_ASSIGNED; from++) {
		for (unsigned w = 0; w < ARRAY_SIZE(wrong); w++) {
			for (unsigned call = UNCLAIM; call <= QUARANTINE; call++) {
				bool legal = table[from][call].status == STATUS_OK;

				put_into(from);
				assert_int_equal(do_call(call, wrong[w]),
						 legal ? STATUS_DENIED : STATUS_STATE);
				assert_int_equal(vf->state, from);
				assert_true(partition_is(vf->owner, mine));
			}
		}
	}
}

/* Owner to owner only through quarantine and a reset. */
static void test_life_of_a_vf(void **state)
{
	(void)state;
	struct model_pci_function *device = model_pci_vf(igb, 0);

	assert_int_equal(vf_claim(&pool, vf, mine), STATUS_OK);
	assert_int_equal(vf_reset(&pool, vf), STATUS_OK);
	assert_int_equal(vf->state, VF_CLAIMED);
	assert_int_equal(vf_assigned(&pool, vf, mine), STATUS_OK);
	pci_config_write16(&bus, vf->rid, PCI_COMMAND, PCI_COMMAND_MASTER); /* the guest's */
	assert_int_equal(vf_claim(&pool, vf, other), STATUS_BUSY);
	unsigned resets = device->resets;
	assert_int_equal(vf_quarantine(&pool, vf, mine), STATUS_OK);
	assert_int_equal(model_pci_peek(device, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
	assert_int_equal(vf_claim(&pool, vf, other), STATUS_STATE);
	assert_int_equal(vf_reset(&pool, vf), STATUS_OK);
	assert_int_equal(device->resets, resets + 1);
	assert_int_equal(vf_claim(&pool, vf, other), STATUS_OK);
	assert_no_violation();
}

static void test_refused_quarantine_leaves_the_device_alone(void **state)
{
	(void)state;
	put_into(VF_ASSIGNED);
	pci_config_write16(&bus, vf->rid, PCI_COMMAND, PCI_COMMAND_MASTER);
	assert_int_equal(vf_quarantine(&pool, vf, other), STATUS_DENIED);
	assert_int_equal(model_pci_peek(model_pci_vf(igb, 0), PCI_COMMAND, 2) & PCI_COMMAND_MASTER,
			 PCI_COMMAND_MASTER);
}

/* F30: what does not come back is never given away again. */
static void test_dead_is_for_good(void **state)
{
	(void)state;
	for (unsigned from = VF_CLAIMED; from <= VF_QUARANTINED; from += 2) {
		put_into(from);
		model_pci_vf(igb, 0)->gone = false;
		model_pci_vf(igb, 0)->dies_on_reset = true;
		assert_int_equal(vf_reset(&pool, vf), STATUS_TIMEOUT);
		assert_int_equal(vf->state, VF_DEAD);
		assert_true(partition_is(vf->owner, PARTITION_NONE));
		for (unsigned call = 0; call < CALLS; call++) {
			assert_int_equal(do_call(call, mine), STATUS_STATE);
		}
	}
	assert_true(models_log_count("0000:01:10.0") >= 2);
	assert_int_equal(pool.lock.next, pool.lock.serving);
}

static void test_reset_without_flr_is_dead_too(void **state)
{
	(void)state;
	put_into(VF_QUARANTINED);
	model_pci_poke(model_pci_vf(igb, 0), 0xa4, 4, 0);
	assert_int_equal(vf_reset(&pool, vf), STATUS_UNSUPPORTED);
	assert_int_equal(vf->state, VF_DEAD);
}

/* --- while a reset sleeps -------------------------------------------------------------------- */

static unsigned woken;

/* The other cores, at the moment the resetting one sleeps: the lock is free, the VF is not. */
static void meanwhile(void *context, uint64_t now_ns)
{
	enum vf_state before = vf->state;

	(void)context;
	(void)now_ns;
	woken++;
	assert_int_equal(pool.lock.next, pool.lock.serving);
	for (unsigned call = 0; call < CALLS; call++) {
		assert_int_not_equal(do_call(call, mine), STATUS_OK);
		assert_int_equal(vf->state, before);
		assert_true(vf->resetting);
	}
}

static void test_nothing_moves_during_a_reset(void **state)
{
	(void)state;
	models_time_hook(meanwhile, NULL);
	woken = 0;
	put_into(VF_QUARANTINED);
	assert_int_equal(vf_reset(&pool, vf), STATUS_OK);
	assert_int_equal(vf->state, VF_FREE);
	put_into(VF_CLAIMED);
	assert_int_equal(vf_reset(&pool, vf), STATUS_OK);
	assert_int_equal(vf->state, VF_CLAIMED);
	assert_true(woken >= 2);
	assert_no_violation();
}

#define POOL_TEST(f) cmocka_unit_test_setup_teardown(f, set_up_vfs, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_every_call_from_every_state),
		POOL_TEST(test_only_the_owner),
		POOL_TEST(test_life_of_a_vf),
		POOL_TEST(test_refused_quarantine_leaves_the_device_alone),
		POOL_TEST(test_dead_is_for_good),
		POOL_TEST(test_reset_without_flr_is_dead_too),
		POOL_TEST(test_nothing_moves_during_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
