/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's accesses reach, and what they show: F13, F46, F47, F48, F49. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "virt_fixture.h"

static struct fixture fixture;

static int setup(void **state)
{
	(void)state;
	fixture_start(&fixture);
	return 0;
}

/* Every test ends with a model that has nothing to complain about. */
static int teardown(void **state)
{
	(void)state;
	return fixture.model.violations != 0;
}

static struct model_function *hardware(unsigned slot)
{
	return fixture.functions[slot];
}

static struct model_config_write last_write(void)
{
	return fixture.model.log[(fixture.model.logged - 1) % MODEL_CONFIG_LOG];
}

/* --- F46: only allowlisted bits reach hardware ------------------------------------------------ */

static void walk_register(unsigned slot, unsigned reg, unsigned size)
{
	for (unsigned bit = 0; bit < 8 * size; bit++) {
		guest_write(&fixture, slot, reg, size, 1ull << bit);
		guest_write(&fixture, slot, reg, size, ~(1ull << bit));
	}
	guest_write(&fixture, slot, reg, size, 0);
	guest_write(&fixture, slot, reg, size, ~0ull);
}

static void walk_function(unsigned slot)
{
	static uint8_t allowed[MODEL_CONFIG_BYTES];
	static struct model_config before;

	fixture_init(&fixture);
	fixture_without_reset(&fixture, SLOT_VF);
	assert_int_equal(fixture_add(&fixture, slot), STATUS_OK);
	memset(hardware(slot)->changed, 0, MODEL_CONFIG_BYTES);
	before = fixture.model;
	for (unsigned size = 1; size <= 8; size *= 2) {
		for (unsigned reg = 0; reg < MODEL_CONFIG_BYTES; reg += size) {
			walk_register(slot, reg, size);
		}
	}
	fixture_allowed(slot, allowed);
	for (unsigned i = 0; i < MODEL_CONFIG_BYTES; i++) {
		uint8_t difference =
			hardware(slot)->space[i] ^
			before.functions[hardware(slot) - fixture.model.functions].space[i];

		if (hardware(slot)->changed[i] != allowed[i] || (difference & ~allowed[i])) {
			fail_msg("slot %u, byte %#x: bits %#x reached hardware, allowed are %#x",
				 slot, i, hardware(slot)->changed[i], allowed[i]);
		}
	}
	for (unsigned i = 0; i < fixture.model.count; i++) {
		if (&fixture.model.functions[i] != hardware(slot)) {
			assert_int_equal(fixture.model.functions[i].writes, 0);
		}
	}
	assert_int_equal(hardware(slot)->resets, 0);
}

static void test_f46_only_allowed_bits_reach_hardware(void **state)
{
	(void)state;
	walk_function(SLOT_WHOLE);
	walk_function(SLOT_SMALL);
	walk_function(SLOT_MASKED);
	walk_function(SLOT_WIDE);
	walk_function(SLOT_VF);
}

/* A VF that can be reset: the walk resets it many times, and it is always left with decode on. */
static void test_f46_walk_with_resets(void **state)
{
	uint8_t allowed[MODEL_CONFIG_BYTES];

	(void)state;
	for (unsigned size = 1; size <= 8; size *= 2) {
		for (unsigned reg = 0; reg < PCI_VIRT_SHADOW_BYTES; reg += size) {
			walk_register(SLOT_VF, reg, size);
			assert_int_equal(model_config_get(hardware(SLOT_VF), PCI_COMMAND, 2) &
						 ~PCI_COMMAND_MASTER,
					 PCI_COMMAND_MEMORY);
		}
	}
	assert_true(hardware(SLOT_VF)->resets > 0);
	fixture_allowed(SLOT_VF, allowed);
	allowed[PCI_COMMAND] |= PCI_COMMAND_MEMORY; /* off while the reset lasts */
	for (unsigned i = 0; i < MODEL_CONFIG_BYTES; i++) {
		assert_int_equal(hardware(SLOT_VF)->changed[i] & ~allowed[i], 0);
	}
}

/* --- what is shown ---------------------------------------------------------------------------- */

/* The bytes that may read as something else than 0 in the fullest function. */
static bool listed(unsigned reg)
{
	return reg < PCI_BAR0 + 24 || reg == 0x3d || (reg >= 0x2c && reg < 0x30) || reg == 0x34 ||
	       reg == 0x3c || (reg >= AT_POWER && reg < AT_POWER + 6) ||
	       (reg >= AT_MSI && reg < AT_MSI + 24 && reg != AT_MSI + 14 && reg != AT_MSI + 15) ||
	       (reg >= AT_MSIX && reg < AT_MSIX + 12) ||
	       (reg >= AT_VENDOR && reg < AT_VENDOR + 8) ||
	       (reg >= AT_EXPRESS && reg < AT_EXPRESS + 10);
}

static void test_unlisted_bytes_read_zero(void **state)
{
	(void)state;
	for (unsigned slot = 0; slot <= SLOT_VF; slot++) {
		for (unsigned reg = 0; reg < MODEL_CONFIG_BYTES; reg++) {
			if (!listed(reg)) {
				assert_int_equal(guest_read(&fixture, slot, reg, 1), 0);
			}
		}
	}
}

static void test_widths_agree(void **state)
{
	(void)state;
	for (unsigned slot = 0; slot <= SLOT_VF; slot++) {
		for (unsigned reg = 0; reg < MODEL_CONFIG_BYTES; reg += 8) {
			uint64_t merged[4] = {0};

			for (unsigned i = 0; i < 8; i++) {
				merged[0] |= guest_read(&fixture, slot, reg + i, 1) << (8 * i);
			}
			for (unsigned i = 0; i < 8; i += 2) {
				merged[1] |= guest_read(&fixture, slot, reg + i, 2) << (8 * i);
			}
			for (unsigned i = 0; i < 8; i += 4) {
				merged[2] |= guest_read(&fixture, slot, reg + i, 4) << (8 * i);
			}
			merged[3] = guest_read(&fixture, slot, reg, 8);
			assert_true(merged[0] == merged[3] && merged[1] == merged[3] &&
				    merged[2] == merged[3]);
		}
	}
}

/* XSA-337: the device is asked whether it is still there, and for what the shadow cannot know. */
static void test_reads_leave_the_device_alone(void **state)
{
	unsigned expected = 0;

	(void)state;
	for (unsigned reg = 0; reg < MODEL_CONFIG_BYTES; reg += 4) {
		(void)guest_read(&fixture, SLOT_WHOLE, reg, 4);
		expected += 1 + (reg == 0x04 || reg == AT_MSI + 20); /* Status, MSI pending */
		assert_int_equal(hardware(SLOT_WHOLE)->reads, expected);
	}
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_MSI + 20, 4),
			 model_config_get(hardware(SLOT_WHOLE), AT_MSI + 20, 4));
	/* A device that lies about its MSI registers afterwards is not listened to. */
	model_config_put(hardware(SLOT_WHOLE), AT_MSI + 4, 4, 0xdeadbeef);
	model_config_put(hardware(SLOT_WHOLE), AT_MSIX + 2, 2, 0xc7ff);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_MSI + 4, 4), 0);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_MSIX + 2, 2), 9);
}

static unsigned count_caps(unsigned slot, uint8_t ids[8])
{
	unsigned count = 0;
	unsigned at = (unsigned)guest_read(&fixture, slot, PCI_CAP_POINTER, 1);

	for (; at != 0 && count < 8; count++) {
		ids[count] = (uint8_t)guest_read(&fixture, slot, at, 1);
		at = (unsigned)guest_read(&fixture, slot, at + 1, 1);
	}
	return count;
}

static void test_hidden_capabilities(void **state)
{
	uint8_t ids[8] = {0};

	(void)state;
	assert_int_equal(count_caps(SLOT_WHOLE, ids), 5);
	assert_memory_equal(ids, ((uint8_t[]){0x01, 0x05, 0x11, 0x10, 0x09}), 5);
	assert_int_equal(count_caps(SLOT_VF, ids), 3);
	assert_memory_equal(ids, ((uint8_t[]){0x11, 0x10, 0x09}), 3);
	assert_int_equal(count_caps(SLOT_SMALL, ids), 2);
	assert_int_equal(ids[0], 0x05);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_STATUS, 2) & 0x10, 0x10);
	/* SR-IOV, ATS, PRI, PASID, AER, ARI: the extended space is empty, and stays so (F13). */
	for (unsigned slot = 0; slot <= SLOT_VF; slot++) {
		for (unsigned reg = 0x100; reg < MODEL_CONFIG_BYTES; reg += 4) {
			guest_write(&fixture, slot, reg, 4, ~0ull);
			assert_int_equal(guest_read(&fixture, slot, reg, 4), 0);
		}
	}
	assert_int_equal(hardware(SLOT_WHOLE)->writes + hardware(SLOT_VF)->writes, 0);
}

/* They are shown as they were when the function was, and nothing a guest writes gets there. */
static void test_vendor_capabilities_are_copies(void **state)
{
	uint8_t ids[8];
	unsigned writes = hardware(SLOT_WHOLE)->writes;
	uint32_t second = model_config_get(hardware(SLOT_WHOLE), AT_VENDOR + 4, 4);

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		guest_write(&fixture, SLOT_WHOLE, AT_VENDOR + i, 1, 0xff);
	}
	assert_int_equal(hardware(SLOT_WHOLE)->writes, writes);
	model_config_put(hardware(SLOT_WHOLE), AT_VENDOR + 4, 4, 0xdeadbeef);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_VENDOR, 4), 0x5b080009);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_VENDOR + 4, 4), second);
	/* One that reaches over another, has no length or loops is not shown; the walk ends. */
	for (unsigned length = 0; length < 256; length += 4) {
		pci_virt_remove(&fixture.bridge, SLOT_WHOLE);
		model_config_put(hardware(SLOT_WHOLE), AT_VENDOR + 1, 2, AT_VENDOR | length << 8);
		assert_int_equal(fixture_add(&fixture, SLOT_WHOLE), STATUS_OK);
		assert_int_equal(count_caps(SLOT_WHOLE, ids), length == 0 || length > 16 ? 4 : 5);
	}
}

static void test_header_without_capabilities(void **state)
{
	struct pci_virt_identity *identity = &fixture.identities[SLOT_SMALL];

	(void)state;
	pci_virt_remove(&fixture.bridge, SLOT_SMALL);
	model_config_put(hardware(SLOT_SMALL), AT_VENDOR, 1, 0x7f);
	identity->caps.msi = 0;
	assert_int_equal(fixture_add(&fixture, SLOT_SMALL), STATUS_OK);
	assert_int_equal(guest_read(&fixture, SLOT_SMALL, PCI_STATUS, 2) & 0x10, 0);
	assert_int_equal(guest_read(&fixture, SLOT_SMALL, PCI_CAP_POINTER, 1), 0);
}

static void test_identity_is_synthesised(void **state)
{
	(void)state;
	assert_int_equal(model_config_get(hardware(SLOT_VF), 0, 4), 0xffffffff);
	assert_int_equal(guest_read(&fixture, SLOT_VF, 0, 4), 0x10ca8086);
	assert_int_equal(guest_read(&fixture, SLOT_VF, 8, 4), 0x02000001);
	assert_int_equal(guest_read(&fixture, SLOT_VF, 0x2c, 4), 0x11001af4);
	assert_int_equal(guest_read(&fixture, SLOT_VF, 0x3d, 1), 0);
	/* Never multifunction, and no ROM. */
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 0x0e, 1), 0);
	guest_write(&fixture, SLOT_WHOLE, 0x30, 4, ~0ull);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 0x30, 4), 0);
	/* The driver's scratch bytes are kept. */
	guest_write(&fixture, SLOT_VF, 0x3c, 1, 0x23);
	guest_write(&fixture, SLOT_VF, 0x0c, 1, 0x10);
	assert_int_equal(guest_read(&fixture, SLOT_VF, 0x3c, 2), 0x23);
	assert_int_equal(guest_read(&fixture, SLOT_VF, 0x0c, 4), 0x10);
}

static void test_express_is_an_integrated_endpoint(void **state)
{
	(void)state;
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_EXPRESS + 2, 2), 0x92);
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_EXPRESS + 4, 4), 0x10008000);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_EXPRESS + 4, 4), 0x8000);
	guest_write(&fixture, SLOT_VF, AT_EXPRESS + 8, 2, 0x50e0);
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_EXPRESS + 8, 4), 0x50e0);
	assert_int_equal(hardware(SLOT_VF)->writes, 0);
}

static void test_msix_control(void **state)
{
	(void)state;
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_MSIX + 4, 4), 0x3);
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_MSIX + 8, 4), 0x2003);
	guest_write(&fixture, SLOT_VF, AT_MSIX, 4, 0xffffffff);
	assert_int_equal(guest_read(&fixture, SLOT_VF, AT_MSIX + 2, 2), 0xc002);
	assert_int_equal(model_config_get(hardware(SLOT_VF), AT_MSIX + 2, 2), 0xc002);
	assert_int_equal(last_write().offset, AT_MSIX + 2);
	assert_int_equal(last_write().bytes, 2);
	guest_write(&fixture, SLOT_VF, AT_MSIX + 3, 1, 0x80);
	assert_int_equal(model_config_get(hardware(SLOT_VF), AT_MSIX + 2, 2), 0x8002);
}

/* --- F47: decode, bus mastering, power state -------------------------------------------------- */

static void decode_stays(unsigned slot, uint16_t hardware_always)
{
	guest_write(&fixture, slot, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(guest_read(&fixture, slot, PCI_COMMAND, 2), 0x0006);
	assert_int_equal(model_config_get(hardware(slot), PCI_COMMAND, 2),
			 hardware_always | PCI_COMMAND_MASTER);
	guest_write(&fixture, slot, PCI_COMMAND, 2, 0);
	assert_int_equal(guest_read(&fixture, slot, PCI_COMMAND, 2), 0);
	assert_int_equal(model_config_get(hardware(slot), PCI_COMMAND, 2), hardware_always);
	/* The other half of Command does not touch bus mastering at all. */
	guest_write(&fixture, slot, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	hardware(slot)->writes = 0;
	guest_write(&fixture, slot, PCI_COMMAND + 1, 1, 0x04);
	assert_int_equal(guest_read(&fixture, slot, PCI_COMMAND, 2), 0x0404);
	assert_int_equal(hardware(slot)->writes, 0);
}

static void test_f47_decode_is_ours(void **state)
{
	(void)state;
	decode_stays(SLOT_WHOLE, PCI_COMMAND_MEMORY | PCI_COMMAND_IO | PCI_COMMAND_INTX_OFF);
	decode_stays(SLOT_VF, PCI_COMMAND_MEMORY);
}

/* Interrupt Disable is the guest's where INTx is routed; elsewhere it stays set (above). */
static void test_intx_disable(void **state)
{
	struct pci_virt_identity *identity = &fixture.identities[SLOT_SMALL];

	(void)state;
	assert_int_equal(guest_read(&fixture, SLOT_SMALL, 0x3d, 1), 2);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 0x3d, 1), 0);
	assert_int_equal(model_config_get(hardware(SLOT_SMALL), PCI_COMMAND, 2), 0x0003);
	assert_false(pci_virt_uses_intx(&fixture.bridge, SLOT_SMALL));
	guest_write(&fixture, SLOT_SMALL, PCI_COMMAND, 2, 0x0404);
	assert_int_equal(model_config_get(hardware(SLOT_SMALL), PCI_COMMAND, 2), 0x0407);
	assert_false(pci_virt_uses_intx(&fixture.bridge, SLOT_SMALL));
	guest_write(&fixture, SLOT_SMALL, PCI_COMMAND + 1, 1, 0);
	assert_int_equal(model_config_get(hardware(SLOT_SMALL), PCI_COMMAND, 2), 0x0007);
	assert_true(pci_virt_uses_intx(&fixture.bridge, SLOT_SMALL));
	/* The state of its pin is read live. */
	model_config_put(hardware(SLOT_SMALL), PCI_STATUS, 2, 0x0008);
	assert_int_equal(guest_read(&fixture, SLOT_SMALL, PCI_STATUS, 2) & 8, 8);
	model_config_put(hardware(SLOT_WHOLE), PCI_STATUS, 2, 0x0008);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_STATUS, 2) & 8, 0);
	/* Messages instead, then neither. */
	guest_write(&fixture, SLOT_SMALL, AT_MSI + 2, 2, 1);
	assert_false(pci_virt_uses_intx(&fixture.bridge, SLOT_SMALL));
	assert_false(pci_virt_uses_intx(&fixture.bridge, SLOT_VF));
	pci_virt_remove(&fixture.bridge, SLOT_SMALL);
	assert_int_equal(model_config_get(hardware(SLOT_SMALL), PCI_COMMAND, 2), 0x0403);
	identity->interrupt_pin = 0;
	assert_int_equal(fixture_add(&fixture, SLOT_SMALL), STATUS_OK);
	assert_int_equal(model_config_get(hardware(SLOT_SMALL), PCI_COMMAND, 2), 0x0403);
}

/* A real VF reads its decode bit as 0; what we write has it set all the same. */
static void test_f47_vf_decode_bit_is_always_written(void **state)
{
	(void)state;
	pci_virt_remove(&fixture.bridge, SLOT_VF);
	model_config_put(hardware(SLOT_VF), PCI_COMMAND, 2, 0);
	assert_int_equal(fixture_add(&fixture, SLOT_VF), STATUS_OK);
	assert_int_equal(model_config_get(hardware(SLOT_VF), PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
	guest_write(&fixture, SLOT_VF, PCI_COMMAND, 1, PCI_COMMAND_MASTER);
	assert_int_equal(model_config_get(hardware(SLOT_VF), PCI_COMMAND, 2),
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* No BAR has an address: what pci/bus left undecoded stays so. */
static void test_f47_decode_is_never_switched_on(void **state)
{
	(void)state;
	pci_virt_remove(&fixture.bridge, SLOT_SMALL);
	fixture.identities[SLOT_SMALL].bars[0] = (struct pci_bar){.space = PCI_SPACE_NONE};
	model_config_put(hardware(SLOT_SMALL), PCI_COMMAND, 2, 0);
	assert_int_equal(fixture_add(&fixture, SLOT_SMALL), STATUS_OK);
	guest_write(&fixture, SLOT_SMALL, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(model_config_get(hardware(SLOT_SMALL), PCI_COMMAND, 2),
			 PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF);
}

static void test_f47_power_state_is_shadow(void **state)
{
	(void)state;
	guest_write(&fixture, SLOT_WHOLE, AT_POWER + 4, 2, 0x8103);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_POWER + 4, 4), 0x000b);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_POWER + 2, 2), 0x0003);
	assert_int_equal(hardware(SLOT_WHOLE)->writes, 0);
}

static void test_command_io_needs_an_io_bar(void **state)
{
	(void)state;
	guest_write(&fixture, SLOT_WHOLE, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_COMMAND, 2), 0x0407);
	guest_write(&fixture, SLOT_VF, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(guest_read(&fixture, SLOT_VF, PCI_COMMAND, 2), 0x0406);
}

/* --- F48: BARs -------------------------------------------------------------------------------- */

static uint32_t size_bar(unsigned slot, unsigned bar)
{
	unsigned reg = PCI_BAR0 + 4 * bar;
	uint64_t address = guest_read(&fixture, slot, reg, 4);
	uint32_t mask;

	guest_write(&fixture, slot, reg, 4, 0xffffffff);
	mask = (uint32_t)guest_read(&fixture, slot, reg, 4);
	guest_write(&fixture, slot, reg, 4, address);
	assert_int_equal(guest_read(&fixture, slot, reg, 4), address);
	return mask;
}

static void test_f48_sizing(void **state)
{
	(void)state;
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_BAR0, 4), 0x10020000);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_BAR0 + 8, 4), 0x1021);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_BAR0 + 12, 4), 0x0001000c);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_BAR0 + 16, 4), 0x80);
	assert_int_equal(size_bar(SLOT_WHOLE, 0), 0xfffe0000);
	assert_int_equal(size_bar(SLOT_WHOLE, 1), 0);
	assert_int_equal(size_bar(SLOT_WHOLE, 2), 0xffffffe1);
	assert_int_equal(size_bar(SLOT_WHOLE, 3), 0xffffc00c);
	assert_int_equal(size_bar(SLOT_WHOLE, 4), 0xffffffff);
	assert_int_equal(size_bar(SLOT_WHOLE, 5), 0);
	assert_int_equal(size_bar(SLOT_VF, 0), 0xffffc00c);
	assert_int_equal(size_bar(SLOT_VF, 1), 0xffffffff);
}

static void test_f48_large_bar(void **state)
{
	struct pci_bar *bar = &fixture.identities[SLOT_SMALL].bars[4];

	(void)state;
	pci_virt_remove(&fixture.bridge, SLOT_SMALL);
	*bar = fixture_bar(PCI_SPACE_MEM64, GIB(512), GIB(8));
	assert_int_equal(fixture_add(&fixture, SLOT_SMALL), STATUS_OK);
	assert_int_equal(size_bar(SLOT_SMALL, 4), 0x0000000c);
	assert_int_equal(size_bar(SLOT_SMALL, 5), 0xfffffffe);
}

/* Relocation, overlap with another BAR, a high half of its own: nothing moves, nothing is told. */
static void test_f48_nothing_moves(void **state)
{
	static const uint32_t values[] = {0, 0x10224000, 0x40000000, 0xffffffff, 0x08090000};

	(void)state;
	for (unsigned slot = SLOT_WHOLE; slot <= SLOT_VF; slot++) {
		for (unsigned reg = PCI_BAR0; reg < PCI_BAR0 + 24; reg++) {
			for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
				guest_write(&fixture, slot, reg & ~3u, 4, values[i]);
				guest_write(&fixture, slot, reg & ~7u, 8, ~(uint64_t)values[i]);
				guest_write(&fixture, slot, reg & ~1u, 2, values[i]);
				guest_write(&fixture, slot, reg, 1, values[i]);
			}
		}
		assert_int_equal(hardware(slot)->writes, 0);
		assert_true(fixture_intact(&fixture, slot));
	}
	guest_write(&fixture, SLOT_WHOLE, PCI_BAR0 + 12, 4, 0x40000003);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_BAR0 + 12, 4), 0x4000000c);
}

/* --- F49: one access over several fields ------------------------------------------------------ */

static void test_f49_command_and_status(void **state)
{
	(void)state;
	/* Setting bus mastering with a wide write of what was read must not clear the errors … */
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_COMMAND, 4), 0xf9100000);
	guest_write(&fixture, SLOT_WHOLE, PCI_COMMAND, 4, 0x00000006);
	assert_int_equal(model_config_get(hardware(SLOT_WHOLE), PCI_STATUS, 2), 0xf910);
	assert_int_equal(last_write().bytes, 2);
	/* … and each half is still served when both are meant. */
	guest_write(&fixture, SLOT_WHOLE, PCI_COMMAND, 4, 0x80100002);
	assert_int_equal(model_config_get(hardware(SLOT_WHOLE), PCI_STATUS, 2), 0x7910);
	assert_int_equal(model_config_get(hardware(SLOT_WHOLE), PCI_COMMAND, 2) & 4, 0);
	guest_write(&fixture, SLOT_WHOLE, PCI_STATUS + 1, 1, 0x01);
	assert_int_equal(model_config_get(hardware(SLOT_WHOLE), PCI_STATUS, 2), 0x7810);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, PCI_STATUS + 1, 1), 0x78);
}

/* 1, 2, 4, 8, 16 or 32: more than it has, or a reserved code, becomes what it has. */
static void test_messages_are_limited(void **state)
{
	static const struct {
		unsigned slot, most;
	} slots[] = {{SLOT_SMALL, 0}, {SLOT_MASKED, 3}, {SLOT_WHOLE, 4}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
		for (unsigned wanted = 0; wanted < 8; wanted++) {
			unsigned given = wanted < slots[i].most ? wanted : slots[i].most;

			guest_write(&fixture, slots[i].slot, AT_MSI + 2, 2, wanted << 4 | 1);
			assert_int_equal(
				guest_read(&fixture, slots[i].slot, AT_MSI + 2, 2) >> 4 & 7, given);
			assert_int_equal(model_config_get(hardware(slots[i].slot), AT_MSI + 2, 2) &
						 0x71,
					 given << 4 | 1);
		}
	}
}

/* XSA-128: data reached by way of the neighbouring register. */
static void test_f49_wide_msi_write(void **state)
{
	(void)state;
	guest_write(&fixture, SLOT_WHOLE, AT_MSI, 8, 0x08090043ffffffff);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_MSI, 8), 0x0809004001c97005);
	assert_int_equal(model_config_get(hardware(SLOT_WHOLE), AT_MSI + 2, 2), 0x01c9);
	assert_int_equal(model_config_get(hardware(SLOT_WHOLE), AT_MSI + 4, 4), 0x08090040);
	guest_write(&fixture, SLOT_WHOLE, AT_MSI + 12, 4, 0x12345678);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, AT_MSI + 12, 4), 0x5678);
	assert_int_equal(last_write().bytes, 2);
	guest_write(&fixture, SLOT_WHOLE, AT_MSI + 13, 1, 0xab);
	assert_int_equal(model_config_get(hardware(SLOT_WHOLE), AT_MSI + 12, 2), 0xab78);
	guest_write(&fixture, SLOT_WHOLE, AT_MSI + 6, 2, 0x1111);
	assert_int_equal(model_config_get(hardware(SLOT_WHOLE), AT_MSI + 4, 4), 0x11110040);
}

static void test_f49_cache_line_and_header_type(void **state)
{
	(void)state;
	guest_write(&fixture, SLOT_WHOLE, 0x0c, 4, 0xffffffff);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 0x0c, 4), 0xff);
	guest_write(&fixture, SLOT_WHOLE, 0x38, 8, ~0ull);
	assert_int_equal(guest_read(&fixture, SLOT_WHOLE, 0x38, 8), 0xff00000000ull);
	assert_int_equal(hardware(SLOT_WHOLE)->writes, 0);
}

#define virt_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		virt_test(test_f46_only_allowed_bits_reach_hardware),
		virt_test(test_f46_walk_with_resets),
		virt_test(test_unlisted_bytes_read_zero),
		virt_test(test_widths_agree),
		virt_test(test_reads_leave_the_device_alone),
		virt_test(test_hidden_capabilities),
		virt_test(test_vendor_capabilities_are_copies),
		virt_test(test_header_without_capabilities),
		virt_test(test_identity_is_synthesised),
		virt_test(test_express_is_an_integrated_endpoint),
		virt_test(test_msix_control),
		virt_test(test_f47_decode_is_ours),
		virt_test(test_intx_disable),
		virt_test(test_f47_vf_decode_bit_is_always_written),
		virt_test(test_f47_decode_is_never_switched_on),
		virt_test(test_f47_power_state_is_shadow),
		virt_test(test_command_io_needs_an_io_bar),
		virt_test(test_f48_sizing),
		virt_test(test_f48_large_bar),
		virt_test(test_f48_nothing_moves),
		virt_test(test_f49_command_and_status),
		virt_test(test_messages_are_limited),
		virt_test(test_f49_wide_msi_write),
		virt_test(test_f49_cache_line_and_header_type),
	};

	return cmocka_run_group_tests_name("pci/virt config", tests, NULL, NULL);
}
