/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A million random accesses of a guest to its config space, the same ones each time, under the
 * sanitizers. After each: the lock is free, the device agrees with what the guest was told, decode
 * is on, nobody's identity changed. At the end: only allowlisted bits ever reached a device.
 *
 * Usage: fuzz_pci_virt [ACCESSES [SEED]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/pci/virt/virt_fixture.h"

#define ACCESSES 1000000u
#define SEED	 0x9e3779b97f4a7c15ull

static struct fixture fixture;
static uint64_t random_state;
static unsigned failures;

static uint64_t next_random(void) /* xorshift64* */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dull;
}

static unsigned below(unsigned bound)
{
	return (unsigned)(next_random() >> 33) % bound;
}

static void check(bool holds, const char *what, unsigned slot, uint64_t offset)
{
	if (!holds && failures++ < 10) {
		fprintf(stderr, "slot %u, offset %#" PRIx64 ": %s\n", slot, offset, what);
	}
}

/* Mostly the registers that reach a device, aligned; sometimes anything at all. */
static uint64_t random_offset(unsigned *slot, unsigned size)
{
	static const uint8_t live[] = {PCI_COMMAND, PCI_BAR0,	 AT_POWER, AT_MSI,
				       AT_MSI + 8,  AT_MSI + 16, AT_MSIX,  AT_EXPRESS + 8};
	uint64_t offset = next_random();
	unsigned kind = below(16);

	*slot = below(PCI_VIRT_SLOTS);
	if (kind == 0) {
		offset >>= below(64);
	} else if (kind < 4) {
		offset = (*slot << 15) | (offset % MODEL_CONFIG_BYTES);
	} else if (kind < 8) {
		offset = (*slot << 15) | (offset % PCI_VIRT_SHADOW_BYTES);
	} else {
		offset = (*slot << 15) | (live[below(ARRAY_SIZE(live))] + offset % 8);
	}
	return below(64) == 0 || size == 0 ? offset : offset - offset % size;
}

static unsigned random_size(void)
{
	static const unsigned sizes[] = {1, 2, 4, 8};

	return below(256) == 0 ? below(20) : sizes[below(4)];
}

/* Registers that the guest and the device both hold must agree. */
static void check_register(unsigned slot, unsigned reg, unsigned bytes, uint32_t mask,
			   uint64_t offset)
{
	uint32_t hardware = model_config_get(fixture.functions[slot], reg, bytes);

	check(((guest_read(&fixture, slot, reg, bytes) ^ hardware) & mask) == 0,
	      "the device and the guest's view disagree", slot, offset);
}

static void check_slot(unsigned slot, uint64_t offset)
{
	const struct model_function *function = fixture.functions[slot];
	uint16_t theirs = PCI_COMMAND_MASTER, ours = PCI_COMMAND_MEMORY;

	if (slot == SLOT_SMALL) {
		theirs |= PCI_COMMAND_INTX_OFF;
		ours |= PCI_COMMAND_IO;
		check_register(slot, PCI_COMMAND, 2, PCI_COMMAND_INTX_OFF, offset);
	} else if (slot != SLOT_VF) {
		ours |= PCI_COMMAND_IO | PCI_COMMAND_INTX_OFF;
	}
	check((model_config_get(function, PCI_COMMAND, 2) & ~theirs) == ours,
	      "decode is not ours any more", slot, offset);
	check(fixture_intact(&fixture, slot), "the identity changed", slot, offset);
	check(guest_read(&fixture, slot, 0, 2) == 0x8086, "the vendor changed", slot, offset);
	check_register(slot, PCI_COMMAND, 2, PCI_COMMAND_MASTER, offset);
	if (slot == SLOT_WHOLE || slot == SLOT_VF) {
		check_register(slot, AT_MSIX + 2, 2, 0xffff, offset);
	}
	if (slot != SLOT_VF) {
		check_register(slot, AT_MSI + 2, 2, 0xffff, offset);
		check_register(slot, AT_MSI + 4, 4, 0xfffffffc, offset);
	}
}

static bool nobody_answers(uint64_t offset)
{
	unsigned slot = (offset >> 15) & 31;

	return offset >> 20 || ((offset >> 12) & 7) ||
	       (slot != 0 && (slot >= PCI_VIRT_SLOTS || !fixture.functions[slot]));
}

static void access_once(void)
{
	unsigned slot, size = random_size();
	uint64_t offset = random_offset(&slot, size);
	bool sound = (size == 1 || size == 2 || size == 4 || size == 8) && offset % size == 0;

	if (below(2)) {
		uint64_t value = below(4) ? next_random() : ~0ull;

		value >>= below(64);
		pci_virt_write(&fixture.bridge, offset, size, value);
	} else {
		uint64_t value = pci_virt_read(&fixture.bridge, offset, size);
		uint64_t ones = size >= 8 ? ~0ull : (1ull << (8 * size)) - 1;

		check((value & ~ones) == 0, "a read is wider than its access", slot, offset);
		if (nobody_answers(offset) || !sound) {
			check(value == ones, "an empty place answers", slot, offset);
		} else if ((offset & 0xfff) >= PCI_VIRT_SHADOW_BYTES) {
			check(value == 0, "the extended space is not empty", slot, offset);
		}
	}
	check(fixture.bridge.lock.next == fixture.bridge.lock.serving, "the lock is held", slot,
	      offset);
	if (fixture.functions[slot]) {
		check_slot(slot, offset);
	}
}

static void replace(void)
{
	unsigned slot = SLOT_WHOLE + below(SLOT_VF);

	pci_virt_remove(&fixture.bridge, slot);
	check(!(model_config_get(fixture.functions[slot], PCI_COMMAND, 2) & PCI_COMMAND_MASTER),
	      "bus mastering is on after remove", slot, 0);
	check(fixture_add(&fixture, slot) == STATUS_OK, "cannot be added again", slot, 0);
}

static void check_hardware(void)
{
	static uint8_t allowed[MODEL_CONFIG_BYTES];

	for (unsigned slot = SLOT_WHOLE; slot <= SLOT_VF; slot++) {
		fixture_allowed(slot, allowed);
		if (slot == SLOT_VF) {
			allowed[PCI_COMMAND] |= PCI_COMMAND_MEMORY; /* off while a reset lasts */
		}
		for (unsigned i = 0; i < MODEL_CONFIG_BYTES; i++) {
			check(!(fixture.functions[slot]->changed[i] & ~allowed[i]),
			      "a bit outside the allowlist reached the device", slot, i);
		}
	}
	check(fixture.model.violations == 0, fixture.model.violation, 0, 0);
}

int main(int argc, char **argv)
{
	unsigned long accesses = argc > 1 ? strtoul(argv[1], NULL, 0) : ACCESSES;

	random_state = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : SEED;
	fixture_start(&fixture);
	for (unsigned long i = 0; i < accesses && failures == 0; i++) {
		if (below(4096) == 0) {
			replace();
		}
		access_once();
	}
	check_hardware();
	printf("pci/virt: %lu accesses, %u resets, %u writes reached devices, %u failures\n",
	       accesses, fixture.functions[SLOT_VF]->resets,
	       fixture.functions[SLOT_VF]->writes + fixture.functions[SLOT_WHOLE]->writes,
	       failures);
	return failures != 0;
}
