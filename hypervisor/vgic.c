/* SPDX-License-Identifier: BSD-2-Clause */
/* GICD_ and GICR_ as a guest sees them (Arm IHI 0069 chapter 12). Unlisted offsets are RAZ/WI. */
#include "vgic.h"

#include <string.h>

#include "arch.h"
#include "bits.h"
#include "partition.h"

#define GICD_CTLR_GROUP1 BIT(1)
#define GICD_CTLR_ARE	 BIT(4)
#define GICD_CTLR_DS	 BIT(6)
#define IIDR		 0x0000043bu
#define PIDR2_GICV3	 0x3bu
#define ID_BITS		 (14u - 1)

void vgic_reset(struct partition *partition)
{
	struct vgic *gic = &partition->gic;

	lock_acquire(&gic->lock); /* the console may be raising the UART's line right now */
	gic->control = 0;
	memset(gic->spis, 0, sizeof(gic->spis));
	memset(gic->lpis, 0, sizeof(gic->lpis));
	memset(gic->lpi_intid, 0, sizeof(gic->lpi_intid));
	for (unsigned i = 0; i < VGIC_SPI_BANKS; i++) {
		gic->spis[i].level = ~0u;
	}
	for (unsigned i = 0; i < partition->config->vcpus; i++) {
		struct vgic_cpu *cpu = &partition->vcpus[i].gic;

		memset(cpu, 0, sizeof(*cpu));
		cpu->private.level = 0xffff0000u; /* PPIs; SGIs are edges */
		cpu->private.config[0] = CONFIG_EDGES;
		cpu->private.held =
			1u << (16 + GUEST_PPI_TIMER_VIRT) | 1u << (16 + GUEST_PPI_TIMER_PHYS);
		cpu->asleep = true;
	}
	lock_release(&gic->lock);
}

void vgic_wake(struct vcpu *vcpu)
{
	vcpu_alert(vcpu);
	if (vcpu != this_core()->vcpu &&
	    __atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE) == VCPU_RUNNING) {
		core_kick(vcpu->core);
	}
}

bool vgic_take_wire(struct partition *partition, unsigned physical)
{
	struct vgic *gic = &partition->gic;

	for (unsigned line = 0; line < GUEST_INTX_LINES; line++) {
		if (gic->wires[line] == physical) {
			lock_acquire(&gic->lock);
			gic->spis[0].pending |= VGIC_INTX_BIT(line);
			unsigned target = gic->spis[0].target[GUEST_INTX_SPI + line];
			lock_release(&gic->lock);
			vgic_wake(&partition->vcpus[target]);
			return true;
		}
	}
	return false;
}

/* The lower half of an SPI's GICD_IROUTER, or NULL. */
static uint8_t *router_at(struct vgic *gic, uint64_t offset)
{
	uint64_t spi = (offset - 0x6000) / 8 - 32;

	return spi < 32 * VGIC_SPI_BANKS && !(offset & 4) ? &gic->spis[spi / 32].target[spi % 32]
							  : NULL;
}

/* Offsets of the bitmap blocks are 4 bytes a bank, priorities 32, configuration 8. */
static bool bank_offset(uint64_t offset, unsigned *bank, uint64_t *inside)
{
	if (offset < 0x400) {
		*bank = (unsigned)(offset % 0x80) / 4;
		*inside = offset - 4ul * *bank;
	} else if (offset < 0xc00) {
		*bank = (unsigned)(offset - 0x400) / 32;
		*inside = offset - 32ul * *bank;
	} else {
		*bank = (unsigned)(offset - 0xc00) / 8;
		*inside = offset - 8ul * *bank;
	}
	/* Bank 0 is the redistributors'. */
	return offset >= 0x80 && offset < 0xd00 && *bank > 0 && *bank < VGIC_BANKS;
}

static uint64_t distributor_word(struct partition *partition, uint64_t offset)
{
	switch (offset) {
	case 0x0000:
		return partition->gic.control | GICD_CTLR_ARE | GICD_CTLR_DS;
	case 0x0004: /* TYPER: No1N, IDbits, LPIS, lines */
		return BIT(25) | ID_BITS << 19 | (uint64_t)partition->gic.has_lpis << 17 |
		       (VGIC_BANKS - 1);
	case 0x0008:
		return IIDR;
	case 0xffe8:
		return PIDR2_GICV3;
	default:
		break;
	}
	const uint8_t *router = router_at(&partition->gic, offset);

	return router ? *router : 0;
}

uint64_t vgic_distributor_read(void *context, uint64_t offset, unsigned size)
{
	struct partition *partition = context;
	unsigned bank;
	uint64_t inside;

	return bank_offset(offset, &bank, &inside)
		       ? vgic_bank_read(&partition->gic.spis[bank - 1], inside, size)
		       : distributor_word(partition, offset);
}

void vgic_distributor_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct partition *partition = context;
	unsigned bank;
	uint64_t inside;
	bool changes = true;

	if (!value && offset >= 0x100 && offset < 0x400) { /* zeros set and clear nothing */
		return;
	}
	lock_acquire(&partition->gic.lock);
	if (bank_offset(offset, &bank, &inside)) {
		changes = vgic_bank_write(&partition->gic.spis[bank - 1], inside, size, value);
	} else if (offset == 0) {
		partition->gic.control = (uint32_t)value & (GICD_CTLR_GROUP1 | 1);
	} else if ((value & 0xff00ffffffull) < partition->config->vcpus) {
		uint8_t *router = router_at(&partition->gic, offset);

		if (router) {
			*router = (uint8_t)value;
		}
	}
	lock_release(&partition->gic.lock);
	for (unsigned i = 0; changes && i < partition->config->vcpus; i++) {
		vgic_wake(&partition->vcpus[i]);
	}
}

static struct vcpu *frame_owner(struct partition *partition, uint64_t offset)
{
	return &partition->vcpus[offset / GUEST_GICR_STRIDE]; /* the trap covers vcpus frames */
}

static uint64_t redistributor_word(struct partition *partition, struct vcpu *vcpu, uint64_t offset)
{
	bool last = vcpu->index + 1 == partition->config->vcpus;

	switch (offset) {
	case 0x0000:
		return vcpu->gic.lpis_enabled;
	case 0x0004:
		return IIDR;
	case 0x0008: /* TYPER: affinity, processor number, last, PLPIS */
		return (uint64_t)vcpu->index << 32 | (uint64_t)vcpu->index << 8 |
		       (uint64_t)last << 4 | partition->gic.has_lpis;
	case 0x000c:
		return vcpu->index;
	case 0x0014:
		return vcpu->gic.asleep ? 6 : 0;
	case 0xffe8:
		return PIDR2_GICV3;
	default:
		return 0;
	}
}

static bool is_lpi_register(const struct vgic *gic, uint64_t offset)
{
	return gic->has_lpis && offset >= 0x70 && offset < 0x80; /* PROPBASER, PENDBASER */
}

uint64_t vgic_redistributor_read(void *context, uint64_t offset, unsigned size)
{
	struct partition *partition = context;
	struct vcpu *vcpu = frame_owner(partition, offset);
	uint64_t inside = offset % GUEST_GICR_STRIDE;

	if (is_lpi_register(&partition->gic, inside)) {
		return partition_hooks.lpi_read(partition->id, vcpu->index, (uint32_t)inside);
	}
	return inside < 0x10000 ? redistributor_word(partition, vcpu, inside)
				: vgic_bank_read(&vcpu->gic.private, inside - 0x10000, size);
}

void vgic_redistributor_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct partition *partition = context;
	struct vcpu *vcpu = frame_owner(partition, offset);
	uint64_t inside = offset % GUEST_GICR_STRIDE;

	if (is_lpi_register(&partition->gic, inside)) {
		partition_hooks.lpi_write(partition->id, vcpu->index, (uint32_t)inside, value,
					  size);
		return;
	}
	bool changes = false, enable = value & 1;

	if (inside == 0) {
		if (partition->gic.has_lpis && enable != vcpu->gic.lpis_enabled) {
			vcpu->gic.lpis_enabled = enable;
			partition_hooks.lpi_enable(partition->id, vcpu->index, enable);
		}
		return;
	}

	lock_acquire(&partition->gic.lock);
	if (inside == 0x14) {
		vcpu->gic.asleep = value & 2;
	} else if (inside >= 0x10000 && inside < 0x10c00) { /* ICFGR0 and 1 are read-only */
		changes = vgic_bank_write(&vcpu->gic.private, inside - 0x10000, size, value);
	}
	lock_release(&partition->gic.lock);
	if (changes) {
		vgic_wake(vcpu);
	}
}
