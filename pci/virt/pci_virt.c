/* SPDX-License-Identifier: BSD-2-Clause */
#include "pci_virt.h"

#include <string.h>

#include "bits.h"
#include "log.h"
#include "virt_rules.h"

/* ECAM (PCIe 7.2.2): bus[27:20] device[19:15] function[14:12] register[11:0]. */
#define ECAM_BUS_BYTES MIB(1)
#define ECAM_DEVICE    BITS(19, 15)
#define ECAM_FUNCTION  BITS(14, 12)
#define ECAM_REGISTER  BITS(11, 0)

static uint64_t all_ones(unsigned size)
{
	return size >= 8 ? ~0ull : BIT(8 * size) - 1;
}

/* The function an access falls on, counted; NULL for one that nobody answers. */
static struct pci_virt_slot *slot_at(struct pci_virt *bridge, uint64_t offset, unsigned size)
{
	uint64_t device = field_get(ECAM_DEVICE, offset);

	if ((size != 1 && size != 2 && size != 4 && size != 8) || !is_aligned(offset, size) ||
	    offset >= ECAM_BUS_BYTES || field_get(ECAM_FUNCTION, offset) != 0 ||
	    device >= PCI_VIRT_SLOTS || !bridge->slots[device].present) {
		return NULL;
	}
	bridge->slots[device].accesses++;
	return &bridge->slots[device];
}

/*
 * The bits of a rule's register that an access to [reg, reg+size), which lies in one dword, covers;
 * 0 when it is not shown or not touched. This is what filters an access to several registers.
 */
static uint32_t touched(const struct pci_virt_slot *slot, const struct virt_rule *rule,
			unsigned reg, unsigned size, unsigned *at)
{
	if (!virt_rule_at(slot, rule, at) || *at / 4 != reg / 4) {
		return 0;
	}
	return (virt_lanes(reg, size) & virt_lanes(*at, rule->bytes)) >> 8 * (*at % 4);
}

static uint32_t read_registers(const struct pci_virt *bridge, const struct pci_virt_slot *slot,
			       unsigned reg, unsigned size)
{
	uint32_t value;

	if (reg >= PCI_VIRT_SHADOW_BYTES) {
		return 0;
	}
	value = slot->shadow[reg / 4];
	for (unsigned i = 0; i < VIRT_RULES; i++) {
		const struct virt_rule *rule = &virt_rules[i];
		unsigned at;
		uint32_t live = rule->live ? rule->live & touched(slot, rule, reg, size, &at) : 0;

		if (live) {
			live &= pci_config_read(bridge->bus, slot->identity.rid, at, rule->bytes);
			value |= live << 8 * (at % 4);
		}
	}
	return (value & virt_lanes(reg, size)) >> 8 * (reg % 4);
}

/* Never more messages than the function has: what it would do then, nobody says (PCIe 7.7.1.2). */
static uint32_t limit_messages(uint32_t control)
{
	uint64_t most = field_get(MSI_CONTROL_CAPABLE, control);

	if (field_get(MSI_CONTROL_MESSAGES, control) > most) {
		control &= ~MSI_CONTROL_MESSAGES;
		control |= (uint32_t)field_prep(MSI_CONTROL_MESSAGES, most);
	}
	return control;
}

/* True: the write asks for a reset. */
static bool write_register(const struct pci_virt *bridge, struct pci_virt_slot *slot,
			   const struct virt_rule *rule, unsigned at, uint32_t bits, uint32_t mask)
{
	uint32_t writable = virt_writable(slot, rule) & mask;
	uint32_t clear = rule->w1c & mask & bits;

	if (writable) {
		uint32_t kept = virt_get(slot, at, rule->bytes) & ~writable;

		kept |= bits & writable;
		if (rule->group == GROUP_MSI && rule->offset == MSI_CONTROL) {
			kept = limit_messages(kept);
		}
		virt_put(slot, at, rule->bytes, kept);
	}
	if (rule->device & mask) {
		virt_push(bridge->bus, slot, rule, at);
	}
	if (clear) {
		pci_config_write(bridge->bus, slot->identity.rid, at, rule->bytes, clear);
	}
	return rule->reset & mask & bits;
}

static bool write_registers(const struct pci_virt *bridge, struct pci_virt_slot *slot, unsigned reg,
			    unsigned size, uint32_t value)
{
	bool reset = false;

	for (unsigned i = 0; i < VIRT_RULES; i++) {
		unsigned at;
		uint32_t mask = touched(slot, &virt_rules[i], reg, size, &at);

		if (mask) {
			reset |= write_register(bridge, slot, &virt_rules[i], at,
						value << 8 * (reg % 4) >> 8 * (at % 4), mask);
		}
	}
	return reset;
}

/* On the guest's own core, without the lock: only this partition waits, and only for itself. */
static void reset_function(struct pci_virt *bridge, struct pci_virt_slot *slot)
{
	rid_t rid = slot->identity.rid;
	enum status status = pci_function_reset(bridge->bus, rid, slot->identity.caps.express);

	if (status) {
		log_error(
			"%s, partition %u: the reset its guest asked for failed (%s); the function "
			"is silent until the partition restarts",
			pci_name(rid), bridge->owner.v, status_name(status));
		return;
	}
	lock_acquire(&bridge->lock);
	virt_fill(bridge->bus, slot);
	slot->silent = false;
	lock_release(&bridge->lock);
}

/*
 * A function that was pulled, or whose place another took, is not shown any more, as a removed one
 * is not: all-ones. The host bridge is ours. A VF's id says nothing (PCIe 9.3.4.1.1).
 */
static bool is_gone(struct pci_virt *bridge, struct pci_virt_slot *slot)
{
	const struct pci_virt_identity *id = &slot->identity;

	if (slot->silent || slot == bridge->slots ||
	    (id->is_vf ? pci_config_read32(bridge->bus, id->rid, PCI_COMMAND) != ~0u
		       : pci_bus_still_there(bridge->bus, id->rid, id->vendor, id->device))) {
		return slot->silent;
	}
	log_error(
		"%s, partition %u: it is gone, or another is in its place; its slot reads as empty "
		"until the partition restarts",
		pci_name(id->rid), bridge->owner.v);
	slot->silent = true;
	return true;
}

uint64_t pci_virt_read(struct pci_virt *bridge, uint64_t offset, unsigned size)
{
	unsigned reg = (unsigned)(offset & ECAM_REGISTER);
	uint64_t value = all_ones(size);
	struct pci_virt_slot *slot;

	lock_acquire(&bridge->lock);
	slot = slot_at(bridge, offset, size);
	if (slot && !is_gone(bridge, slot)) {
		value = read_registers(bridge, slot, reg, size < 4 ? size : 4);
		if (size == 8) {
			value |= (uint64_t)read_registers(bridge, slot, reg + 4, 4) << 32;
		}
	}
	lock_release(&bridge->lock);
	return value;
}

uint32_t pci_virt_peek(struct pci_virt *bridge, unsigned slot, unsigned reg)
{
	const struct pci_virt_slot *shown = &bridge->slots[slot];

	lock_acquire(&bridge->lock);
	uint32_t value =
		shown->present && !shown->silent ? read_registers(bridge, shown, reg, 4) : 0;
	lock_release(&bridge->lock);
	return value;
}

void pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value)
{
	unsigned reg = (unsigned)(offset & ECAM_REGISTER);
	struct pci_virt_slot *slot;
	bool reset = false;

	lock_acquire(&bridge->lock);
	slot = slot_at(bridge, offset, size);
	if (slot && !is_gone(bridge, slot)) {
		reset = write_registers(bridge, slot, reg, size < 4 ? size : 4, (uint32_t)value);
		if (size == 8) {
			reset |= write_registers(bridge, slot, reg + 4, 4, (uint32_t)(value >> 32));
		}
		slot->silent = reset;
	}
	lock_release(&bridge->lock);
	if (reset) {
		reset_function(bridge, slot);
	}
}

enum status pci_virt_add(struct pci_virt *bridge, unsigned slot,
			 const struct pci_virt_identity *identity)
{
	struct pci_virt_slot *shown = &bridge->slots[slot];
	enum status status;

	lock_acquire(&bridge->lock);
	memset(shown, 0, sizeof(*shown));
	shown->identity = *identity;
	status = virt_place(bridge->bus, shown);
	if (status == STATUS_OK) {
		virt_fill(bridge->bus, shown);
		shown->present = true;
	}
	lock_release(&bridge->lock);
	return status;
}

void pci_virt_remove(struct pci_virt *bridge, unsigned slot)
{
	struct pci_virt_slot *shown = &bridge->slots[slot];
	uint16_t quiet = shown->identity.is_vf ? 0 : PCI_COMMAND_INTX_OFF;

	lock_acquire(&bridge->lock);
	pci_config_write16(bridge->bus, shown->identity.rid, PCI_COMMAND, shown->decode | quiet);
	/* Read back: the write has then reached the function. */
	(void)pci_config_read16(bridge->bus, shown->identity.rid, PCI_COMMAND);
	shown->present = false;
	lock_release(&bridge->lock);
}

bool pci_virt_uses_intx(const struct pci_virt *bridge, unsigned slot)
{
	static const uint8_t groups[] = {GROUP_MSI, GROUP_MSIX};
	static const uint16_t enabled[] = {MSI_CONTROL_ENABLE, MSIX_CONTROL_ENABLE};
	const struct pci_virt_slot *shown = &bridge->slots[slot];
	uint32_t command = virt_get(shown, PCI_COMMAND, 2);
	bool uses = true;

	for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
		unsigned at = shown->base[groups[i]];

		/* With messages to choose from, it has INTx once its driver has started it. */
		uses = uses && (at == GROUP_ABSENT ||
				((command & PCI_COMMAND_MASTER) &&
				 !(virt_get(shown, at + MSI_CONTROL, 2) & enabled[i])));
	}
	return uses && shown->identity.interrupt_pin && !(command & PCI_COMMAND_INTX_OFF);
}

void pci_virt_init(struct pci_virt *bridge, const struct pci_bus *bus, partition_id_t owner)
{
	struct pci_virt_slot *host = &bridge->slots[0];

	memset(bridge, 0, sizeof(*bridge));
	bridge->bus = bus;
	bridge->owner = owner;
	/* Host bridge, class 0600: the ids a generic ECAM guest has seen before. */
	host->identity.vendor = 0x1b36;
	host->identity.device = 0x0008;
	host->identity.class_revision = 0x06000000;
	memset(host->base, GROUP_ABSENT, sizeof(host->base));
	host->base[GROUP_IDENTITY] = 0;
	virt_fill(bus, host);
	host->present = true;
}
