/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools, filters and the internal switch (7.10.3): everything a VF's contract decides. Pool n is
 * VF n. The PF keeps no pool and no address: it neither sends nor receives.
 */
#include "pf.h"

#include <string.h>

#define POOL_FRAME 1522u
#define TAG_BYTES  4u

static void clear_filters(struct pf *pf)
{
	for (unsigned i = 0; i < RAR_COUNT; i++) {
		mmio_write32(pf->regs, reg32_nth(IGB_RAH0, i, 8), 0);
		mmio_write32(pf->regs, reg32_nth(IGB_RAL0, i, 8), 0);
	}
	for (unsigned i = 0; i < MTA_WORDS; i++) {
		mmio_write32(pf->regs, reg32_nth(IGB_MTA0, i, 4), 0);
	}
	for (unsigned i = 0; i < VFTA_WORDS; i++) {
		mmio_write32(pf->regs, reg32_nth(IGB_VFTA0, i, 4), 0);
	}
	for (unsigned i = 0; i < VLVF_COUNT; i++) {
		mmio_write32(pf->regs, reg32_nth(IGB_VLVF0, i, 4), 0);
	}
	for (unsigned i = 0; i < IGB_POOLS; i++) {
		mmio_write32(pf->regs, reg32_nth(IGB_VMOLR0, i, 4), 0);
		mmio_write32(pf->regs, reg32_nth(IGB_VMVIR0, i, 4), (uint32_t)VMVIR_NEVER);
	}
}

static void set_masked(const struct pf *pf, const struct pf_register *row)
{
	uint32_t kept = row->mask == ~0u ? 0 : mmio_read32(pf->regs, row->reg) & ~row->mask;

	mmio_write32(pf->regs, row->reg, kept | row->value);
}

/*
 * Every pool is a member of exactly one VLAN: its own, or 0 for untagged pools (priority-tagged
 * frames). Filter n holds the VLAN of the first pool n that is in it.
 */
static uint32_t vlan_filter(const struct pf *pf, unsigned n, unsigned *filter)
{
	uint16_t vlan = pf->vfs[n].contract.vlan;
	uint32_t value = (uint32_t)VLVF_ENABLE | vlan;

	*filter = n;
	for (unsigned i = IGB_VF_MAX; i-- > 0;) {
		const struct pf_contract *other = &pf->vfs[i].contract;

		if (other->present && other->vlan == vlan) {
			value |= (uint32_t)(VLVF_POOL0 << i);
			*filter = i;
		}
	}
	return value;
}

static uint32_t pool_rules(const struct pf_vf *vf)
{
	uint64_t rules = VMOLR_BAM | VMOLR_STRIP_CRC;

	rules |= vf->contract.vlan ? VMOLR_STRIP_TAG : VMOLR_AUPE;
	return (uint32_t)rules;
}

unsigned pf_contract_registers(const struct pf *pf, unsigned n, struct pf_register *rows)
{
	const struct pf_contract *contract = &pf->vfs[n].contract;
	const uint8_t *mac = contract->mac;
	uint32_t low =
		mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
	uint32_t high = mac[4] | (uint32_t)mac[5] << 8;
	uint32_t bit = 1u << contract->vlan % 32u;
	uint32_t forced =
		contract->vlan ? (uint32_t)VMVIR_DEFAULT | contract->vlan : (uint32_t)VMVIR_NEVER;
	unsigned filter, count = 0;
	uint32_t vlan = vlan_filter(pf, n, &filter);

	/* Receive address n belongs to pool n alone. RAL holds the first byte in its low bits. */
	rows[count++] = (struct pf_register){"RAL", reg32_nth(IGB_RAL0, n, 8), ~0u, low};
	rows[count++] = (struct pf_register){"RAH", reg32_nth(IGB_RAH0, n, 8), ~0u,
					     high | (uint32_t)RAH_AV | (uint32_t)(RAH_POOL0 << n)};
	rows[count++] = (struct pf_register){"VLVF", reg32_nth(IGB_VLVF0, filter, 4), ~0u, vlan};
	rows[count++] = (struct pf_register){"VFTA", reg32_nth(IGB_VFTA0, contract->vlan / 32u, 4),
					     bit, bit};
	rows[count++] = (struct pf_register){"VMVIR", reg32_nth(IGB_VMVIR0, n, 4), ~0u, forced};
	rows[count++] = (struct pf_register){"VMOLR", reg32_nth(IGB_VMOLR0, n, 4),
					     ~(uint32_t)(VMOLR_ROMPE | VMOLR_LPE | VMOLR_RLPML),
					     pool_rules(&pf->vfs[n])};
	return count;
}

unsigned pf_common_registers(struct pf_register *rows)
{
	/* What no pool claims is dropped; broadcast and multicast go to every pool that takes them.
	 */
	uint32_t pools = (uint32_t)(VT_CTL_NO_DEFAULT | VT_CTL_REPLICATE |
				    field_prep(VT_CTL_DEFAULT_POOL, IGB_POOLS - 1));
	unsigned count = 0;

	rows[count++] = (struct pf_register){"MRQC", IGB_MRQC, ~0u, MRQC_VMDQ};
	rows[count++] = (struct pf_register){"VT_CTL", IGB_VT_CTL, ~0u, pools};
	rows[count++] = (struct pf_register){"RPLOLR", IGB_RPLOLR, ~0u, (uint32_t)RPLOLR_STRIP_TAG};
	/* Frames between VFs stay inside; a forged source address or tag is dropped on real parts.
	 */
	rows[count++] = (struct pf_register){"DTXSWC", IGB_DTXSWC,
					     (uint32_t)DTXSWC_LOOPBACK | PF_SPOOF_CHECKS,
					     (uint32_t)DTXSWC_LOOPBACK | PF_SPOOF_CHECKS};
	return count;
}

void pf_open_pool(const struct pf *pf, unsigned n)
{
	struct pf_register rows[PF_REGISTERS];
	unsigned count = pf_contract_registers(pf, n, rows);

	for (unsigned i = 0; i < count; i++) {
		set_masked(pf, &rows[i]);
	}
}

void pf_open_switch(const struct pf *pf)
{
	struct pf_register rows[PF_REGISTERS];
	unsigned count = pf_common_registers(rows);

	for (unsigned i = 0; i < count; i++) {
		set_masked(pf, &rows[i]);
	}
}

void pf_program_switch(struct pf *pf)
{
	mmio_t regs = pf->regs;

	mmio_write32(regs, IGB_RCTL, 0);
	mmio_write32(regs, IGB_TCTL, 0);
	mmio_write32(regs, IGB_VFRE, 0); /* all on after a reset */
	mmio_write32(regs, IGB_VFTE, 0);
	pf_open_switch(pf);
	clear_filters(pf);
	for (unsigned n = 0; n < IGB_VF_MAX; n++) {
		pf_vf_quiet(pf, n);
		if (pf->vfs[n].contract.present) {
			pf_open_pool(pf, n);
		}
	}
	mmio_write32(regs, IGB_DTXCTL, mmio_read32(regs, IGB_DTXCTL) | (uint32_t)DTXCTL_VLAN_ADDED);
	/* A pool without free descriptors loses frames instead of holding up the others. */
	mmio_write32(regs, IGB_QDE, 0xffff);
	mmio_write32(regs, IGB_RLPML, FRAME_MAX);
	mmio_write32(regs, IGB_TCTL,
		     (uint32_t)(TCTL_EN | TCTL_PSP | TCTL_RTLC | field_prep(TCTL_CT, 15)));
	mmio_write32(regs, IGB_RCTL,
		     (uint32_t)(RCTL_EN | RCTL_LPE | RCTL_BAM | RCTL_VFE | RCTL_SECRC));
}

void pf_vf_quiet(struct pf *pf, unsigned n)
{
	mmio_t regs = pf->regs;

	mmio_write32(regs, IGB_VFRE, mmio_read32(regs, IGB_VFRE) & ~(1u << n));
	mmio_write32(regs, IGB_VFTE, mmio_read32(regs, IGB_VFTE) & ~(1u << n));
	pf_vf_scrub(pf, n);
	mmio_write32(regs, reg32_nth(IGB_VMOLR0, n, 4),
		     pf->vfs[n].contract.present ? pool_rules(&pf->vfs[n]) : 0);
	if (pf->vfs[n].multicasts) {
		pf->vfs[n].multicasts = 0;
		pf_multicast_update(pf);
	}
}

void pf_vf_enable(struct pf *pf, unsigned n)
{
	mmio_write32(pf->regs, IGB_VFTE, mmio_read32(pf->regs, IGB_VFTE) | 1u << n);
	mmio_write32(pf->regs, IGB_VFRE, mmio_read32(pf->regs, IGB_VFRE) | 1u << n);
}

void pf_multicast_update(struct pf *pf)
{
	uint32_t table[MTA_WORDS];

	memset(table, 0, sizeof(table));
	for (unsigned n = 0; n < IGB_VF_MAX; n++) {
		const struct pf_vf *vf = &pf->vfs[n];
		reg32_t rules = reg32_nth(IGB_VMOLR0, n, 4);
		uint32_t value = mmio_read32(pf->regs, rules) & ~(uint32_t)VMOLR_ROMPE;

		for (unsigned i = 0; i < vf->multicasts; i++) {
			table[vf->multicast[i] >> 5 & (MTA_WORDS - 1)] |=
				1u << (vf->multicast[i] & 31);
		}
		mmio_write32(pf->regs, rules,
			     vf->multicasts ? value | (uint32_t)VMOLR_ROMPE : value);
	}
	for (unsigned i = 0; i < MTA_WORDS; i++) {
		if (table[i] != pf->mta[i]) {
			pf->mta[i] = table[i];
			mmio_write32(pf->regs, reg32_nth(IGB_MTA0, i, 4), table[i]);
		}
	}
}

void pf_vf_frame_size(struct pf *pf, unsigned n, uint32_t size)
{
	reg32_t rules = reg32_nth(IGB_VMOLR0, n, 4);
	uint32_t value = mmio_read32(pf->regs, rules) & ~(uint32_t)(VMOLR_RLPML | VMOLR_LPE);

	if (pf->vfs[n].contract.vlan) {
		size += TAG_BYTES; /* counted before the tag is stripped */
	}
	if (size > POOL_FRAME) {
		value |= (uint32_t)VMOLR_LPE | size;
	}
	mmio_write32(pf->regs, rules, value);
}
