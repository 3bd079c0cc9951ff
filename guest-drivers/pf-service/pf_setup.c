/* SPDX-License-Identifier: BSD-2-Clause */
/* Bring-up of the PF in the datasheet's order (4.5 initialisation, 3.7 PHY), then the main round.
 */
#include "pf.h"

#include <string.h>

#include "runtime.h"

#define RESET_NS  100000000ull
#define MASTER_NS 80000000ull /* 800 us x 100, as 5.2.3.3 advises */
#define EEPROM_NS 10000000ull
#define MDIC_NS	  10000000ull

static bool master_off(void *context)
{
	return !(mmio_read32(*(mmio_t *)context, IGB_STATUS) & STATUS_MASTER_ON);
}

static bool reset_done(void *context)
{
	return !(mmio_read32(*(mmio_t *)context, IGB_CTRL) & CTRL_RST);
}

static bool eeprom_read(void *context)
{
	return mmio_read32(*(mmio_t *)context, IGB_EECD) & EECD_AUTO_READ;
}

static bool mdic_ready(void *context)
{
	return mmio_read32(*(mmio_t *)context, IGB_MDIC) & MDIC_READY;
}

/* 4.3: interrupts off, DMA stopped, software reset, configuration read again. */
static enum status reset(mmio_t regs)
{
	enum status waited;

	mmio_write32(regs, IGB_IMC, ~0u);
	mmio_write32(regs, IGB_EIMC, ~0u);
	mmio_write32(regs, IGB_CTRL, mmio_read32(regs, IGB_CTRL) | (uint32_t)CTRL_MASTER_DISABLE);
	if (clock_poll(master_off, &regs, MASTER_NS) != STATUS_OK) {
		say("pf-service: requests were still pending at reset");
	}
	mmio_write32(regs, IGB_CTRL, mmio_read32(regs, IGB_CTRL) | (uint32_t)CTRL_RST);
	clock_sleep_ns(3000000); /* no register may be read for 1 ms */
	if (clock_poll(reset_done, &regs, RESET_NS) != STATUS_OK) {
		return STATUS_TIMEOUT;
	}
	/* A part without an EEPROM (QEMU's model) never says so: waiting was enough. */
	waited = clock_poll(eeprom_read, &regs, EEPROM_NS);
	(void)waited;
	mmio_write32(regs, IGB_IMC, ~0u);
	mmio_write32(regs, IGB_EIMC, ~0u);
	return STATUS_OK;
}

/* 3.5.5 and 8.2.4: the link is down after a reset until the PHY negotiates again. */
static void start_link(mmio_t regs)
{
	uint32_t ctrl = mmio_read32(regs, IGB_CTRL) & ~(uint32_t)CTRL_MASTER_DISABLE;

	mmio_write32(regs, IGB_CTRL, ctrl | (uint32_t)CTRL_SLU);
	mmio_write32(regs, IGB_MDIC,
		     (uint32_t)(MDIC_WRITE | field_prep(MDIC_PHY, PHY_ADDRESS) |
				field_prep(MDIC_REGISTER, PHY_BMCR) | BMCR_AUTONEG));
	if (clock_poll(mdic_ready, &regs, MDIC_NS) != STATUS_OK ||
	    (mmio_read32(regs, IGB_MDIC) & MDIC_ERROR)) {
		say("pf-service: the PHY does not answer");
	}
}

/* The part, its VFs enabled, may come from an earlier life of ours, or from a stranger's. */
static void say_adopted(mmio_t regs)
{
	unsigned vfs = (unsigned)field_get(STATUS_VFS, mmio_read32(regs, IGB_STATUS));
	bool running = mmio_read32(regs, IGB_RCTL) & RCTL_EN;

	say("pf-service: the part has %u VFs enabled and was %s; resetting it", vfs,
	    running ? "running: adopted" : "not set up");
}

static void say_read_back(struct pf *pf)
{
	unsigned wrong = pf_verify(pf);

	if (wrong) {
		say("pf-service: the part does not hold its contracts: %u registers are wrong",
		    wrong);
	} else {
		say("pf-service: contracts of %u VFs read back: MAC, VLAN, spoof checks",
		    pf->contracts);
	}
}

enum status pf_setup(struct pf *pf, mmio_t regs, const struct pf_contract *contracts,
		     unsigned count)
{
	enum status status;

	say_adopted(regs);
	status = reset(regs);

	if (status != STATUS_OK) {
		return status;
	}
	memset(pf, 0, sizeof(*pf));
	pf->regs = regs;
	for (unsigned n = 0; n < count && n < IGB_VF_MAX; n++) {
		pf->vfs[n].contract = contracts[n];
		pf->vfs[n].ping_due = contracts[n].present;
		pf->contracts += contracts[n].present;
	}
	start_link(regs);
	pf_program_switch(pf);
	say_read_back(pf);
	/*
	 * Without this a VF sees its PF in reset for ever. Once only: it marks a reset in every
	 * VF's mailbox. Without MSI-X mode no VF interrupt is ever sent; toggling it later would
	 * leave causes stuck.
	 */
	mmio_write32(regs, IGB_GPIE,
		     (uint32_t)(GPIE_MSIX_MODE | GPIE_PBA_SUPPORT | GPIE_EIAME | GPIE_NSICR));
	mmio_write32(regs, IGB_CTRL_EXT,
		     mmio_read32(regs, IGB_CTRL_EXT) | (uint32_t)CTRL_EXT_PFRSTD);
	return STATUS_OK;
}

static void watch_link(struct pf *pf)
{
	bool link = mmio_read32(pf->regs, IGB_STATUS) & STATUS_LINK_UP;

	if (link == pf->link) {
		return;
	}
	pf->link = link;
	if (link) {
		say("pf-service: link up, %u VFs under contract", pf->contracts);
	} else {
		say("pf-service: link down");
	}
	for (unsigned n = 0; n < IGB_VF_MAX; n++) {
		pf->vfs[n].ping_due |= pf->vfs[n].contract.present;
	}
}

bool pf_round(struct pf *pf)
{
	watch_link(pf);
	pf_verify_round(pf);
	return pf_mailbox_round(pf);
}
