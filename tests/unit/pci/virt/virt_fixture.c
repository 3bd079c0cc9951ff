/* SPDX-License-Identifier: BSD-2-Clause */
#include "virt_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "models.h"

#define FLR_CAPABLE 0x10000000u

static void capability(struct model_function *function, unsigned offset, uint8_t id, uint8_t next)
{
	model_config_put(function, offset, 1, id);
	model_config_put(function, offset + 1, 1, next);
}

static void extended(struct model_function *function, unsigned offset, uint16_t id, uint32_t next)
{
	model_config_put(function, offset, 4, id | 1u << 16 | next << 20);
}

/* Everything a device can carry, each at its usual place, the rest of the space noise. */
static struct model_function *make(struct fixture *fixture, unsigned slot, rid_t rid)
{
	struct model_function *function = model_config_add(&fixture->model, rid);

	model_config_put(function, PCI_VENDOR_ID, 4, 0x10c98086);
	model_config_put(function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	model_config_put(function, PCI_STATUS, 2, 0xf910);
	model_config_put(function, 0x0e, 1, 0x80); /* multifunction */
	model_config_put(function, PCI_CAP_POINTER, 1, AT_POWER);
	capability(function, AT_POWER, PCI_CAP_ID_POWER, AT_MSI);
	model_config_put(function, AT_POWER + 2, 4, 0x0000c823);
	capability(function, AT_MSI, PCI_CAP_ID_MSI, AT_MSIX);
	model_config_put(function, AT_MSI + 2, 2, 0x0188); /* 16 vectors, 64-bit, maskable */
	capability(function, AT_MSIX, PCI_CAP_ID_MSIX, AT_VENDOR);
	model_config_put(function, AT_MSIX + 2, 2, 9);
	model_config_put(function, AT_MSIX + 4, 4, 0x0000 | 3);
	model_config_put(function, AT_MSIX + 8, 4, 0x2000 | 3);
	capability(function, AT_VENDOR, PCI_CAP_ID_VENDOR, AT_EXPRESS);
	model_config_put(function, AT_VENDOR + 2, 1, 8);
	capability(function, AT_EXPRESS, PCI_CAP_ID_EXPRESS, 0);
	model_config_put(function, AT_EXPRESS + 2, 2, 0x3f02); /* version 2, endpoint, noise */
	model_config_put(function, AT_EXPRESS + 4, 4, FLR_CAPABLE | 0x8025);
	model_config_put(function, AT_EXPRESS + 8, 4, 0x2810);
	extended(function, 0x100, 0x0001 /* AER */, 0x150);
	extended(function, 0x150, PCI_EXT_CAP_ID_ARI, 0x160);
	extended(function, 0x160, PCI_EXT_CAP_ID_SRIOV, 0x1a0);
	extended(function, 0x1a0, PCI_EXT_CAP_ID_ATS, 0x1b0);
	extended(function, 0x1b0, PCI_EXT_CAP_ID_PRI, 0x1d0);
	extended(function, 0x1d0, PCI_EXT_CAP_ID_PASID, 0);
	function->express = AT_EXPRESS;
	fixture->functions[slot] = function;
	return function;
}

struct pci_bar fixture_bar(enum pci_space space, uint64_t address, uint64_t size)
{
	return (struct pci_bar){.space = space,
				.prefetchable = space == PCI_SPACE_MEM64,
				.pci_address = address,
				.cpu_address = {address},
				.size = size};
}

static void describe(struct fixture *fixture, unsigned slot)
{
	struct pci_virt_identity *identity = &fixture->identities[slot];

	*identity = (struct pci_virt_identity){
		.rid = fixture->functions[slot]->rid,
		.vendor = 0x8086,
		.device = (uint16_t)(0x10c0 + slot),
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_revision = 0x02000001,
		.msix_vectors = 10,
		.caps = {.express = AT_EXPRESS,
			 .msi = AT_MSI,
			 .msix = AT_MSIX,
			 .power = AT_POWER,
			 .ari = 0x150,
			 .sriov = 0x160,
			 .ats = 0x1a0,
			 .pri = 0x1b0,
			 .pasid = 0x1d0},
	};
	identity->bars[0] = fixture_bar(PCI_SPACE_MEM32, 0x10020000, KIB(128));
	identity->bars[2] = fixture_bar(PCI_SPACE_IO, 0x1020, 32);
	identity->bars[3] = fixture_bar(PCI_SPACE_MEM64, 0x8000010000, KIB(16));
	model_config_put(fixture->functions[slot], PCI_VENDOR_ID, 4,
			 (uint32_t)identity->device << 16 | identity->vendor);
}

static void make_small(struct fixture *fixture, unsigned slot, rid_t rid, uint32_t msi_control)
{
	struct model_function *function = make(fixture, slot, rid);
	struct pci_virt_identity *identity = &fixture->identities[slot];

	describe(fixture, slot);
	model_config_put(function, AT_MSI + 2, 2, msi_control);
	identity->caps = (struct pci_capabilities){.msi = AT_MSI};
	identity->msix_vectors = 0;
	memset(identity->bars, 0, sizeof(identity->bars));
	identity->bars[0] = fixture_bar(PCI_SPACE_MEM32, 0x10100000, MIB(1));
	identity->interrupt_pin = slot == SLOT_SMALL ? 2 : 0;
}

static void make_vf(struct fixture *fixture)
{
	struct model_function *function = make(fixture, SLOT_VF, (rid_t){0x0190});
	struct pci_virt_identity *identity = &fixture->identities[SLOT_VF];

	describe(fixture, SLOT_VF);
	model_config_put(function, PCI_VENDOR_ID, 4, 0xffffffff);
	model_config_put(function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	model_config_put(function, PCI_BAR0, 4, 0);
	model_config_put(function, AT_MSIX + 2, 2, 2);
	identity->is_vf = true;
	identity->device = 0x10ca;
	identity->caps.power = 0;
	identity->caps.msi = 0;
	identity->msix_vectors = 3;
	memset(identity->bars, 0, sizeof(identity->bars));
	identity->bars[0] = fixture_bar(PCI_SPACE_MEM64, 0x10204000, KIB(16));
	identity->bars[3] = fixture_bar(PCI_SPACE_MEM64, 0x10224000, KIB(16));
}

void fixture_init(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	models_reset();
	model_config_init(&fixture->model, FIXTURE_ECAM);
	make(fixture, SLOT_WHOLE, (rid_t){0x0100});
	describe(fixture, SLOT_WHOLE);
	make_small(fixture, SLOT_SMALL, (rid_t){0x0208}, 0x0000);
	make_small(fixture, SLOT_MASKED, (rid_t){0x0210}, 0x0106);
	make_small(fixture, SLOT_WIDE, (rid_t){0x0218}, 0x0080);
	make_vf(fixture);
	for (unsigned i = 0; i < fixture->model.count; i++) {
		model_config_settle(&fixture->model.functions[i]);
	}
	pci_virt_init(&fixture->bridge, &fixture->model.bus, FIXTURE_OWNER);
}

void fixture_start(struct fixture *fixture)
{
	fixture_init(fixture);
	for (unsigned slot = 1; slot < PCI_VIRT_SLOTS; slot++) {
		if (fixture->functions[slot] && fixture_add(fixture, slot) != STATUS_OK) {
			abort();
		}
	}
	for (unsigned i = 0; i < fixture->model.count; i++) {
		struct model_function *function = &fixture->model.functions[i];

		memset(function->changed, 0, sizeof(function->changed));
		function->reads = 0;
		function->writes = 0;
	}
	fixture->model.logged = 0;
}

enum status fixture_add(struct fixture *fixture, unsigned slot)
{
	return pci_virt_add(&fixture->bridge, slot, &fixture->identities[slot]);
}

void fixture_without_reset(struct fixture *fixture, unsigned slot)
{
	struct model_function *function = fixture->functions[slot];

	model_config_put(function, AT_EXPRESS + 4, 4,
			 model_config_get(function, AT_EXPRESS + 4, 4) & ~FLR_CAPABLE);
	model_config_settle(function);
}

uint64_t guest_read(struct fixture *fixture, unsigned slot, unsigned reg, unsigned size)
{
	return pci_virt_read(&fixture->bridge, (slot << 15) + reg, size);
}

void guest_write(struct fixture *fixture, unsigned slot, unsigned reg, unsigned size,
		 uint64_t value)
{
	pci_virt_write(&fixture->bridge, (slot << 15) + reg, size, value);
}

bool fixture_intact(const struct fixture *fixture, unsigned slot)
{
	const struct pci_virt_identity *now = &fixture->bridge.slots[slot].identity;
	const struct pci_virt_identity *told = &fixture->identities[slot];
	bool same = now->rid.v == told->rid.v && now->is_vf == told->is_vf &&
		    now->vendor == told->vendor && now->device == told->device &&
		    now->msix_vectors == told->msix_vectors;

	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		same = same && now->bars[i].space == told->bars[i].space &&
		       now->bars[i].pci_address == told->bars[i].pci_address &&
		       now->bars[i].cpu_address.v == told->bars[i].cpu_address.v &&
		       now->bars[i].size == told->bars[i].size;
	}
	return same;
}

static void allow(uint8_t allowed[MODEL_CONFIG_BYTES], unsigned offset, unsigned bytes,
		  uint32_t mask)
{
	for (unsigned i = 0; i < bytes; i++) {
		allowed[offset + i] |= (uint8_t)(mask >> (8 * i));
	}
}

void fixture_allowed(unsigned slot, uint8_t allowed[MODEL_CONFIG_BYTES])
{
	memset(allowed, 0, MODEL_CONFIG_BYTES);
	allow(allowed, 0x04, 2, 0x0004); /* bus mastering */
	allow(allowed, 0x06, 2, 0xf900); /* error bits, cleared by 1 */
	if (slot == SLOT_WHOLE || slot == SLOT_VF) {
		allow(allowed, AT_MSIX + 2, 2, 0xc000);
	}
	if (slot == SLOT_SMALL) {
		allow(allowed, 0x04, 2, 0x0400); /* Interrupt Disable */
	}
	if (slot != SLOT_VF) {
		/* As many messages as each has: 1 without a bit, 8, 16. */
		allow(allowed, AT_MSI + 2, 2,
		      slot == SLOT_WHOLE    ? 0x0071
		      : slot == SLOT_MASKED ? 0x0031
					    : 0x0001);
		allow(allowed, AT_MSI + 4, 4, 0xfffffffc);
	}
	if (slot == SLOT_WHOLE || slot == SLOT_WIDE) {
		allow(allowed, AT_MSI + 8, 4, 0xffffffff);
		allow(allowed, AT_MSI + 12, 2, 0xffff);
	}
	if (slot == SLOT_WHOLE) {
		allow(allowed, AT_MSI + 16, 4, 0xffffffff);
	}
	if (slot == SLOT_SMALL || slot == SLOT_MASKED) {
		allow(allowed, AT_MSI + 8, 2, 0xffff);
	}
	if (slot == SLOT_MASKED) {
		allow(allowed, AT_MSI + 12, 4, 0xffffffff);
	}
}
