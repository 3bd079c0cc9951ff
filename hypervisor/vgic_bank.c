/* SPDX-License-Identifier: BSD-2-Clause */
/* The register blocks that GICD_ and the redistributor's SGI frame have in common. */
#include "vgic.h"

#include "bits.h"

/* One bit for each interrupt: `block` is the offset of the block's word for this bank. */
static bool bitmap_of(const struct vgic_bank *bank, uint64_t offset, uint32_t *value)
{
	uint32_t visible = bank->pending | (bank->line & bank->level);

	switch (offset & ~3ull) {
	case 0x080: /* IGROUPR */
		*value = bank->group1;
		return true;
	case 0x100: /* ISENABLER */
	case 0x180: /* ICENABLER */
		*value = bank->enabled;
		return true;
	case 0x200: /* ISPENDR */
	case 0x280: /* ICPENDR */
		*value = visible;
		return true;
	case 0x300: /* ISACTIVER */
	case 0x380: /* ICACTIVER */
		*value = bank->active;
		return true;
	case 0xd00: /* IGRPMODR */
		*value = 0;
		return true;
	default:
		return false;
	}
}

static uint32_t config_of(const struct vgic_bank *bank, unsigned half)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 16; i++) {
		value |= (bank->level >> (half * 16 + i) & 1 ? 0u : 2u) << 2 * i;
	}
	return value;
}

bool vgic_bank_read(const struct vgic_bank *bank, uint64_t offset, unsigned size, uint64_t *value)
{
	uint32_t word = 0;

	*value = 0;
	if (offset >= 0x400 && offset < 0x420) {
		for (unsigned i = 0; i < size && offset - 0x400 + i < 32; i++) {
			*value |= (uint64_t)bank->priority[offset - 0x400 + i] << 8 * i;
		}
		return true;
	}
	if (size != 4) {
		return false;
	}
	if (offset == 0xc00 || offset == 0xc04) {
		*value = config_of(bank, offset == 0xc04);
		return true;
	}
	if (!bitmap_of(bank, offset, &word)) {
		return false;
	}
	*value = word;
	return true;
}

static void set_config(struct vgic_bank *bank, unsigned half, uint32_t value)
{
	for (unsigned i = 0; i < 16; i++) {
		uint32_t bit = 1u << (half * 16 + i);

		if (value >> (2 * i + 1) & 1) {
			bank->level &= ~bit;
		} else {
			bank->level |= bit;
		}
	}
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
		bank->group1 = bits;
		return true;
	case 0x100:
		bank->enabled |= bits;
		return true;
	case 0x180:
		bank->enabled &= ~bits;
		return true;
	case 0x200:
		bank->pending |= bits;
		return true;
	case 0x280:
		/* A timer's pending state is its physical interrupt's: it ends with the EOI. */
		bank->pending &= ~bits | bank->held;
		return true;
	case 0xc00:
	case 0xc04:
		set_config(bank, offset == 0xc04, bits);
		return true;
	default:
		/* Active bits follow the list registers; the rest is read-only. */
		return offset == 0x300 || offset == 0x380 || offset == 0xd00;
	}
}
