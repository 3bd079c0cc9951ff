/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots coming and going, what nobody answers, resets, counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models.h"
#include "virt_fixture.h"

#define DEVCTL	   (AT_EXPRESS + 8)
#define DEVCTL_FLR 0x8000

static struct fixture fixture;

static int setup(void **state)
{
	(void)state;
	fixture_start(&fixture);
	return 0;
}

static int setup_empty(void **state)
{
	(void)state;
	fixture_init(&fixture);
	return 0;
}

static bool lock_is_free(void)
{
	return fixture.bridge.lock.next == fixture.bridge.lock.serving;
}

static int teardown(void **state)
{
	(void)state;
	return fixture.model.violations != 0 || !lock_is_free();
}

/* --- what nobody answers ---------------------------------------------------------------------- */

static void test_outside_reads_all_ones(void **state)
{
	static const uint64_t offsets[] = {
		SLOT_EMPTY << 15,	      /* empty slot */
		31 << 15,		      /* no such slot */
		(SLOT_WHOLE << 15) | 1 << 12, /* function 1 */
		(SLOT_VF << 15) | 7 << 12,    /* function 7 */
		1 << 20,		      /* bus 1 */
		(1 << 20) | SLOT_VF << 15,    /* bus 1, a slot that exists on bus 0 */
		255ull << 20,
		1ull << 40,
		~0ull & ~7ull,
	};
	unsigned writes = fixture.functions[SLOT_WHOLE]->writes;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
		assert_int_equal(pci_virt_read(&fixture.bridge, offsets[i], 1), 0xff);
		assert_int_equal(pci_virt_read(&fixture.bridge, offsets[i], 2), 0xffff);
		assert_int_equal(pci_virt_read(&fixture.bridge, offsets[i], 4), 0xffffffff);
		assert_int_equal(pci_virt_read(&fixture.bridge, offsets[i], 8), ~0ull);
		pci_virt_write(&fixture.bridge, offsets[i] + 4, 4, 6);
	}
	assert_int_equal(fixture.functions[SLOT_WHOLE]->writes, writes);
}

static void test_misaligned_and_odd_sizes(void **state)
{
	static const unsigned sizes[] = {0, 3, 5, 6, 7, 9, 16, 64, ~0u};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		(void)guest_read(&fixture, SLOT_WHOLE, 0, sizes[i]);
		guest_write(&fixture, SLOT_WHOLE, PCI_COMMAND, sizes[i], 4);
	}
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 1, 2), 0xffff);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 2, 4), 0xffffffff);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 0xffd, 4), 0xffffffff);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 4, 8), ~0ull);
	guest_write(&fixture, SLOT_WHOLE, 3, 4, 0xffffffff);
	guest_write(&fixture, SLOT_WHOLE, 4, 8, 0xffffffff);
	assert_int_equal(fixture.functions[SLOT_WHOLE]->writes, 0);
	assert_int_equal(fixture.bridge.slots[SLOT_WHOLE].accesses, 0);
}

static void test_host_bridge_is_read_only(void **state)
{
	unsigned reads = model_counters.reads, writes = model_counters.writes;

	(void)state;
	for (unsigned reg = 0; reg < MODEL_CONFIG_BYTES; reg += 4) {
		guest_write(&fixture, 0, reg, 4, ~0ull);
		assert_int_equal(guest_read(&fixture, 0, reg, 4), reg == 0   ? 0x00081b36
								  : reg == 8 ? 0x06000000
									     : 0);
	}
	assert_int_equal(model_counters.reads, reads);
	assert_int_equal(model_counters.writes, writes);
}

/* --- add and remove --------------------------------------------------------------------------- */

static void test_add_leaves_the_function_quiet(void **state)
{
	struct model_function *function = fixture.functions[SLOT_WHOLE];

	(void)state;
	/* Left over by the owner before, on a function that has no reset. */
	model_config_put(function, PCI_COMMAND, 2, 0x0007);
	model_config_put(function, AT_MSI + 2, 2, 0x01f9);
	model_config_put(function, AT_MSI + 4, 4, 0x12345678);
	model_config_put(function, AT_MSIX + 2, 2, 0x8009);
	assert_int_equal(fixture_add(&fixture, SLOT_WHOLE), STATUS_OK);
	assert_int_equal(fixture.model.log[0].offset, PCI_COMMAND);
	assert_int_equal(model_config_get(function, PCI_COMMAND, 2), 0x0403);
	assert_int_equal(model_config_get(function, AT_MSI + 2, 2), 0x0188);
	assert_int_equal(model_config_get(function, AT_MSI + 4, 4), 0);
	assert_int_equal(model_config_get(function, AT_MSIX + 2, 2), 9);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_COMMAND, 2), 0);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_MSI + 2, 2), 0x0188);
}

/* Each refusal: the slot stays empty and nothing was written to the function. */
static void refused(const struct pci_virt_identity *identity, enum status expected)
{
	struct pci_virt_identity broken = *identity;

	assert_int_equal(pci_virt_add(&fixture.bridge, SLOT_WHOLE, &broken), expected);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 0, 4), 0xffffffff);
	assert_int_equal(fixture.model.logged, 0);
	assert_true(lock_is_free());
}

/* Each offset really has the right id there: only its place is wrong. */
static void test_add_refuses_bad_capabilities(void **state)
{
	static const uint16_t misplaced[] = {
		0x3c,	     /* in the header */
		0xe2,	     /* misaligned */
		0xfc,	     /* runs out of the space */
		AT_MSI + 16, /* inside another capability */
	};
	const struct pci_virt_identity sound = fixture.identities[SLOT_WHOLE];
	struct pci_virt_identity identity;

	(void)state;
#define WITH(change)                                                                               \
	do {                                                                                       \
		identity = sound;                                                                  \
		change;                                                                            \
		refused(&identity, STATUS_INVALID);                                                \
	} while (0)
	for (unsigned i = 0; i < ARRAY_SIZE(misplaced); i++) {
		model_config_put(fixture.functions[SLOT_WHOLE], misplaced[i], 1, PCI_CAP_ID_POWER);
		WITH(identity.caps.power = misplaced[i]);
	}
	WITH(identity.caps.power = 0x140); /* in the extended space */
	WITH(identity.caps.power = 0xfffc);
	WITH(identity.caps.power = AT_MSI); /* another id is there */
	WITH(identity.caps.express = AT_VENDOR);
	WITH(identity.msix_vectors = 2049;
	     identity.bars[3] = fixture_bar(PCI_SPACE_MEM64, GIB(512), MIB(1)));
	WITH(identity.msix_vectors = 1025);   /* the table leaves its BAR */
	WITH(identity.bars[3].size = KIB(8)); /* the PBA does */
	WITH(identity.bars[3] = (struct pci_bar){0});
	WITH(identity.bars[3].space = PCI_SPACE_IO);
	/* MSI reaches to 0x68: what begins inside it is refused. */
	model_config_put(fixture.functions[SLOT_WHOLE], AT_MSI + 20, 1, PCI_CAP_ID_MSIX);
	WITH(identity.caps.msix = AT_MSI + 20);
	model_config_put(fixture.functions[SLOT_WHOLE], AT_MSIX + 4, 1, 7); /* no such BAR */
	WITH(identity.msix_vectors = 10);
	model_config_put(fixture.functions[SLOT_WHOLE], AT_MSIX + 4, 4, 0xfffffff8 | 3);
	WITH(identity.msix_vectors = 1);
	model_config_put(fixture.functions[SLOT_WHOLE], AT_MSIX + 4, 4, 8 | 3);
	WITH(identity.msix_vectors = 1024);
#undef WITH
	model_config_put(fixture.functions[SLOT_WHOLE], AT_MSIX + 4, 4, 3); /* now it just fits */
	fixture.identities[SLOT_WHOLE].msix_vectors = 1024;
	assert_int_equal(fixture_add(&fixture, SLOT_WHOLE), STATUS_OK);
}

static void test_add_refuses_a_silent_or_undecoded_function(void **state)
{
	struct model_function *function = fixture.functions[SLOT_WHOLE];

	(void)state;
	model_config_put(function, PCI_COMMAND, 2, PCI_COMMAND_IO);
	refused(&fixture.identities[SLOT_WHOLE], STATUS_STATE);
	function->silent_until_ns = UINT64_MAX;
	refused(&fixture.identities[SLOT_WHOLE], STATUS_HARDWARE);
}

/* The last place where a capability fits, and its registers there. */
static void test_msi_at_the_end_of_the_space(void **state)
{
	struct model_function *function = fixture.functions[SLOT_SMALL];

	(void)state;
	model_config_put(function, 0xf4, 1, PCI_CAP_ID_MSI);
	model_config_put(function, 0xf6, 2, 0x0100); /* the mask registers do not fit */
	fixture.identities[SLOT_SMALL].caps.msi = 0xf4;
	assert_int_equal(fixture_add(&fixture, SLOT_SMALL), STATUS_INVALID);
	model_config_put(function, 0xf6, 2, 0);
	assert_int_equal(fixture_add(&fixture, SLOT_SMALL), STATUS_OK);
	guest_write(&fixture, SLOT_SMALL, 0xfc, 4, 0xffff1234);
	assert_int_equal(guest_read(&fixture, SLOT_SMALL, 0xfc, 4), 0x1234);
	assert_int_equal(model_config_get(function, 0xfc, 2), 0x1234);
}

static void test_msix_without_vectors_is_hidden(void **state)
{
	(void)state;
	fixture.identities[SLOT_VF].msix_vectors = 0;
	assert_int_equal(fixture_add(&fixture, SLOT_VF), STATUS_OK);
	assert_int_equal(guest_read(&fixture, SLOT_VF, PCI_CAP_POINTER, 1), AT_EXPRESS);
	guest_write(&fixture, SLOT_VF, AT_MSIX + 2, 2, 0xc000);
	assert_int_equal(model_config_get(fixture.functions[SLOT_VF], AT_MSIX + 2, 2), 2);
}

/* A slot that is still present when bus mastering goes off would be a window for DMA. */
static void remove_observer(void *context)
{
	(void)context;
	assert_true(fixture.bridge.slots[SLOT_VF].present);
}

static void test_remove_stops_bus_mastering_first(void **state)
{
	struct model_function *function = fixture.functions[SLOT_VF];

	(void)state;
	guest_write(&fixture, SLOT_VF, PCI_COMMAND, 2, 6);
	assert_int_equal(model_config_get(function, PCI_COMMAND, 2), 6);
	fixture.model.logged = 0;
	function->reads = 0;
	models_observer(remove_observer, NULL);
	pci_virt_remove(&fixture.bridge, SLOT_VF);
	models_observer(NULL, NULL);
	assert_int_equal(fixture.model.logged, 1);
	assert_int_equal(fixture.model.log[0].offset, PCI_COMMAND);
	assert_int_equal(fixture.model.log[0].bytes, 2);
	assert_int_equal(fixture.model.log[0].value, PCI_COMMAND_MEMORY);
	assert_int_equal(function->reads, 1); /* the write has reached it */
	assert_int_equal(guest_read(&fixture, SLOT_VF, 0, 4), 0xffffffff);
	guest_write(&fixture, SLOT_VF, PCI_COMMAND, 2, 6);
	assert_int_equal(fixture.model.logged, 1);
}

static void test_next_owner_finds_nothing(void **state)
{
	(void)state;
	for (unsigned reg = 0; reg < PCI_VIRT_SHADOW_BYTES; reg += 4) {
		if (reg != (DEVCTL & ~3u)) {
			guest_write(&fixture, SLOT_VF, reg, 4, ~0ull);
		}
	}
	pci_virt_remove(&fixture.bridge, SLOT_VF);
	assert_int_equal(fixture_add(&fixture, SLOT_VF), STATUS_OK);
	assert_int_equal(guest_read(&fixture, SLOT_VF, PCI_COMMAND, 2), 0);
	assert_int_equal(guest_read(&fixture, SLOT_VF, PCI_BAR0, 8), 0x1020400cull);
	assert_int_equal(guest_read(&fixture, SLOT_VF, 0x3c, 1), 0);
	assert_int_equal(guest_read(&fixture, SLOT_VF, 0x0c, 1), 0);
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_MSIX + 2, 2), 2);
	assert_int_equal(fixture.bridge.slots[SLOT_VF].accesses, 5);
}

/* --- function-level reset --------------------------------------------------------------------- */

/* Another vCPU of the partition, while the reset waits. */
static void meanwhile(void *context, uint64_t now_ns)
{
	unsigned *calls = context;

	(void)now_ns;
	assert_true(lock_is_free());
	if (lock_is_free()) {
		assert_int_equal(guest_read(&fixture, SLOT_VF, PCI_COMMAND, 4), 0xffffffff);
		guest_write(&fixture, SLOT_VF, PCI_COMMAND, 2, 0xffff);
		guest_write(&fixture, SLOT_VF, DEVCTL, 2, DEVCTL_FLR);
		assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 0, 2), 0x8086);
	}
	(*calls)++;
}

static void test_reset_of_a_vf(void **state)
{
	struct model_function *function = fixture.functions[SLOT_VF];
	unsigned calls = 0;

	(void)state;
	guest_write(&fixture, SLOT_VF, PCI_COMMAND, 2, 6);
	guest_write(&fixture, SLOT_VF, AT_MSIX + 2, 2, 0x8000);
	guest_write(&fixture, SLOT_VF, PCI_BAR0, 4, 0x20000000);
	guest_write(&fixture, SLOT_VF, 0x3c, 1, 7);
	models_time_hook(meanwhile, &calls);
	guest_write(&fixture, SLOT_VF, DEVCTL, 2, 0x2810 | DEVCTL_FLR);
	models_time_hook(NULL, NULL);
	assert_true(calls > 0);
	assert_int_equal(function->resets, 1);
	assert_true(models_time() >= 100000000);
	/* Decode is ours and on again, bus mastering is off, the guest's view is as new. */
	assert_int_equal(model_config_get(function, PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
	assert_int_equal(guest_read(&fixture, SLOT_VF, PCI_COMMAND, 2), 0);
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_MSIX + 2, 2), 2);
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_MSIX + 4, 4), 3);
	assert_int_equal(guest_read(&fixture, SLOT_VF, PCI_BAR0, 8), 0x1020400cull);
	assert_int_equal(guest_read(&fixture, SLOT_VF, 0x3c, 1), 0);
	assert_int_equal(guest_read(&fixture, SLOT_VF, DEVCTL, 4), 0x2810);
	assert_int_equal(guest_read(&fixture, SLOT_VF, 0, 4), 0x10ca8086);
	guest_write(&fixture, SLOT_VF, PCI_COMMAND, 2, 6);
	assert_int_equal(model_config_get(function, PCI_COMMAND, 2), 6);
}

static void test_reset_by_any_width(void **state)
{
	(void)state;
	guest_write(&fixture, SLOT_VF, DEVCTL + 1, 1, 0x80);
	guest_write(&fixture, SLOT_VF, DEVCTL, 4, DEVCTL_FLR);
	guest_write(&fixture, SLOT_VF, DEVCTL, 8, DEVCTL_FLR);
	guest_write(&fixture, SLOT_VF, DEVCTL, 1, 0x80);
	guest_write(&fixture, SLOT_VF, DEVCTL + 2, 2, DEVCTL_FLR);
	assert_int_equal(fixture.functions[SLOT_VF]->resets, 3);
}

/* A device that changes its geometry in a reset is not believed: it was checked when it was added.
 */
static void test_reset_does_not_ask_again(void **state)
{
	struct model_function *function = fixture.functions[SLOT_VF];

	(void)state;
	model_config_put(function, AT_MSIX + 4, 4, 0xdead0007);
	model_config_put(function, AT_EXPRESS + 2, 2, 0xffff);
	model_config_settle(function);
	guest_write(&fixture, SLOT_VF, DEVCTL, 2, DEVCTL_FLR);
	assert_int_equal(function->resets, 1);
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_MSIX + 4, 4), 3);
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_EXPRESS + 2, 2), 0x92);
}

static void test_reset_that_never_ends(void **state)
{
	struct model_function *function = fixture.functions[SLOT_VF];

	(void)state;
	function->dies = true;
	guest_write(&fixture, SLOT_VF, DEVCTL, 2, DEVCTL_FLR);
	assert_int_equal(models_log_count("0000:01:12.0, partition 3"), 1);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(guest_read(&fixture, SLOT_VF, 0, 4), 0xffffffff);
		guest_write(&fixture, SLOT_VF, DEVCTL, 2, DEVCTL_FLR);
	}
	assert_int_equal(function->resets, 1);
	assert_int_equal(models_log_count("0000:01:12.0"), 1);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 0, 2), 0x8086);
	/* The slot can be emptied; the function answers nobody. */
	pci_virt_remove(&fixture.bridge, SLOT_VF);
	assert_int_equal(fixture_add(&fixture, SLOT_VF), STATUS_HARDWARE);
}

static void test_reset_of_a_whole_function_is_refused(void **state)
{
	(void)state;
	guest_write(&fixture, SLOT_WHOLE, DEVCTL + 1, 1, 0xff);
	guest_write(&fixture, SLOT_WHOLE, DEVCTL, 2, DEVCTL_FLR);
	assert_int_equal(fixture.functions[SLOT_WHOLE]->resets, 0);
	assert_int_equal(fixture.functions[SLOT_WHOLE]->writes, 0);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, DEVCTL, 2) & DEVCTL_FLR, 0);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 0, 2), 0x8086);
}

static void test_reset_without_the_capability_is_refused(void **state)
{
	(void)state;
	fixture_without_reset(&fixture, SLOT_VF);
	assert_int_equal(fixture_add(&fixture, SLOT_VF), STATUS_OK);
	guest_write(&fixture, SLOT_VF, DEVCTL, 2, DEVCTL_FLR);
	assert_int_equal(fixture.functions[SLOT_VF]->resets, 0);
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_EXPRESS + 4, 4), 0x8000);
}

/* --- counters --------------------------------------------------------------------------------- */

static void test_counters(void **state)
{
	const uint64_t *accesses = &fixture.bridge.slots[SLOT_VF].accesses;

	(void)state;
	(void)guest_read(&fixture, SLOT_VF, 0, 4);
	(void)guest_read(&fixture, SLOT_VF, 0, 8);
	(void)guest_read(&fixture, SLOT_EMPTY, 0, 4);
	assert_int_equal(*accesses, 2);
	guest_write(&fixture, SLOT_VF, PCI_COMMAND, 2, 6);	  /* accepted */
	guest_write(&fixture, SLOT_VF, PCI_STATUS, 2, 0x8000);	  /* accepted: clears */
	guest_write(&fixture, SLOT_VF, DEVCTL, 2, DEVCTL_FLR);	  /* accepted: resets */
	guest_write(&fixture, SLOT_VF, PCI_VENDOR_ID, 4, 1);	  /* fixed */
	guest_write(&fixture, SLOT_VF, 0x30, 4, 0xffffffff);	  /* no ROM */
	guest_write(&fixture, SLOT_VF, PCI_BAR0 + 8, 4, 1);	  /* no such BAR */
	guest_write(&fixture, SLOT_VF, 0x160 + 8, 4, 0xffffffff); /* SR-IOV control */
	guest_write(&fixture, SLOT_EMPTY, PCI_COMMAND, 2, 6);
	assert_int_equal(*accesses, 9);
	pci_virt_remove(&fixture.bridge, SLOT_VF);
	assert_int_equal(*accesses, 9);
}

#define shown(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define bare(f)	 cmocka_unit_test_setup_teardown(f, setup_empty, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		shown(test_outside_reads_all_ones),
		shown(test_misaligned_and_odd_sizes),
		shown(test_host_bridge_is_read_only),
		bare(test_add_leaves_the_function_quiet),
		bare(test_add_refuses_bad_capabilities),
		bare(test_add_refuses_a_silent_or_undecoded_function),
		bare(test_msi_at_the_end_of_the_space),
		bare(test_msix_without_vectors_is_hidden),
		shown(test_remove_stops_bus_mastering_first),
		shown(test_next_owner_finds_nothing),
		shown(test_reset_of_a_vf),
		shown(test_reset_by_any_width),
		shown(test_reset_does_not_ask_again),
		shown(test_reset_that_never_ends),
		shown(test_reset_of_a_whole_function_is_refused),
		bare(test_reset_without_the_capability_is_refused),
		shown(test_counters),
	};

	return cmocka_run_group_tests_name("pci/virt slots", tests, NULL, NULL);
}
