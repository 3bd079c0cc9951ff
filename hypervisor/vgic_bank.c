/* SPDX-License-Identifier: BSD-2-Clause */
/* The register blocks that GICD_ and the redistributor's SGI frame have in common. */
#include "vgic.h"

#include "bits.h"

static uint32_t word_of(const struct vgic_bank *bank, uint64_t offset)
{
	switch (offset) {
	case 0x080: /* IGROUPR */
		return bank->group1;
	case 0x100: /* ISENABLER */
	case 0x180: /* ICENABLER */
		return bank->enabled;
	case 0x200: /* ISPENDR */
	case 0x280: /* ICPENDR */
		return bank->pending | (bank->line & bank->level);
	case 0x300: /* ISACTIVER */
	case 0x380: /* ICACTIVER */
		return bank->active;
	case 0xc00: /* ICFGR */
	case 0xc04:
		return bank->config[offset / 4 % 2];
	default: /* IGRPMODR and what is no register */
		return 0;
	}
}

uint64_t vgic_bank_read(const struct vgic_bank *bank, uint64_t offset, unsigned size)
{
	if (offset >= 0x400 && offset < 0x420) {
		return bank->priorities[(offset - 0x400) / 8] >> 8 * (offset % 8);
	}
	return size == 4 ? word_of(bank, offset) : 0;
}

static bool assign(uint32_t *word, uint32_t value)
{
	bool changes = *word != value;

	*word = value;
	return changes;
}

static bool set_config(struct vgic_bank *bank, unsigned half, uint32_t value)
{
	for (unsigned i = 0; i < 16; i++) {
		vgic_set_bit(&bank->level, 1u << (half * 16 + i), !(value >> (2 * i + 1) & 1));
	}
	return assign(&bank->config[half], value & CONFIG_EDGES);
}

bool vgic_bank_write(struct vgic_bank *bank, uint64_t offset, unsigned size, uint64_t value)
{
	uint32_t bits = (uint32_t)value;

	if (offset >= 0x400 && offset < 0x420) {
		for (unsigned i = 0; i < size && offset - 0x400 + i < 32; i++) {
			bank->priority[offset - 0x400 + i] = (uint8_t)(value >> 8 * i) & 0xf8;
		}
		return true;
	}
	if (size != 4) {
		return false;
	}
	switch (offset) {
	case 0x080:
		return assign(&bank->group1, bits);
	case 0x100:
		return assign(&bank->enabled, bank->enabled | bits);
	case 0x180:
		return assign(&bank->enabled, bank->enabled & ~bits);
	case 0x200:
		return assign(&bank->pending, bank->pending | (bits & ~bank->held));
	case 0x280:
		/* A timer's pending state is its physical interrupt's: it ends with the EOI. */
		return assign(&bank->pending, bank->pending & (~bits | bank->held));
	case 0xc00:
	case 0xc04:
		return set_config(bank, offset / 4 % 2, bits);
	default: /* active bits follow the list registers; the rest is read-only */
		return false;
	}
}
