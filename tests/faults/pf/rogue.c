/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not a broken guard: the PF service with a switch. On its console, `c` makes it crash; `x` turns
 * it on everybody else (F50, F51): the SR-IOV capability and BARs through its config space, the
 * switch, the VFs' queues, vectors and mailboxes through its registers, DMA at `target=`, a reset
 * of the part; then it serves nobody any more.
 * wraps: pf_round
 */
#include "pf.h"

#include "runtime.h"

#define NOWHERE	   0x3000u
#define CAP_PCIE   0x10u
#define EXT_SRIOV  0x10u
#define SRIOV_AT   0x160u /* of an 82576, should the list of capabilities hide it */
#define PF_QUEUE   7u	  /* the PF's own, while there are fewer VFs */
#define FLOOD	   200u
#define INITIATE   0x8000u
#define MOVED	   0x20000000u
#define EICS_EIMS  0x1520u
#define QUEUE_ON   0x02000000u
#define RING_BYTES 0x1000u

bool __real_pf_round(struct pf *pf);
bool __wrap_pf_round(struct pf *pf);

/* NumVFs 0, too many and all ones; VFE off; VF BARs elsewhere; its own BAR too; a reset of it all.
 */
static void attack_config(void)
{
	static const uint16_t counts[] = {0, 1, 8, 9, 0xffff};
	struct pci_device device;
	uint16_t sriov, express;
	uint64_t bar;

	if (!pci_find(IGB_VENDOR, IGB_DEVICE_PF, 0, &device)) {
		return;
	}
	sriov = pci_extended_capability(&device, EXT_SRIOV);
	express = pci_capability(&device, CAP_PCIE);
	say("@rogue config sriov=0x%x express=0x%x", sriov, express);
	sriov = sriov ? sriov : SRIOV_AT;
	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		pci_write(&device, sriov + 0x10, 2, counts[i]);
		pci_write(&device, sriov + 0x08, 2, i & 1);
		pci_write(&device, sriov + 0x10, 2, counts[i]);
		pci_write(&device, sriov + 0x08, 2, 9);
	}
	for (uint16_t at = 0; at < 24; at += 4) {
		pci_write(&device, sriov + 0x24 + at, 4, MOVED);
	}
	pci_write(&device, sriov + 0x20, 4, 0x10); /* system page size */
	bar = pci_bar(&device, 0);
	pci_write(&device, 0x10, 4, MOVED);
	pci_write(&device, 0x10, 4, (uint32_t)bar);
	if (express) {
		pci_write(&device, express + 8, 2, INITIATE);
	}
	say("@rogue config done control=0x%x", pci_read(&device, sriov + 8, 2));
}

static void attack_switch(const struct pf *pf)
{
	for (unsigned i = 0; i < RAR_COUNT; i++) { /* every VF hears everybody */
		mmio_write32(pf->regs, reg32_nth(IGB_RAH0, i, 8),
			     mmio_read32(pf->regs, reg32_nth(IGB_RAH0, i, 8)) | 0x03fc0000);
	}
	mmio_write32(pf->regs, IGB_DTXSWC, 0);
	mmio_write32(pf->regs, (reg32_t){EICS_EIMS}, 0x01ffffff); /* every vector of everybody */
	for (unsigned n = 0; n < IGB_VF_MAX; n++) {
		mmio_write32(pf->regs, reg32_nth(IGB_IVAR0, n, 4), 0x99999999);
		mmio_write32(pf->regs, reg32_nth(IGB_VMOLR0, n, 4), ~0u);
	}
	mmio_write32(pf->regs, IGB_VFRE, 0);
	mmio_write32(pf->regs, IGB_VFTE, 0);
	say("@rogue switch done");
}

static void attack_mailboxes(const struct pf *pf)
{
	for (unsigned i = 0; i < FLOOD; i++) {
		unsigned n = i % IGB_VF_MAX;

		for (unsigned k = 0; k < MAILBOX_WORDS; k++) {
			mmio_write32(pf->regs, reg32_nth(IGB_VMBMEM, MAILBOX_WORDS * n + k, 4),
				     ~0u);
		}
		mmio_write32(pf->regs, reg32_nth(IGB_P2VMAILBOX0, n, 4),
			     (uint32_t)(P2V_STS | P2V_ACK | P2V_RVFU));
	}
	say("@rogue mailboxes done");
}

/* Its own queue, and a VF's, with their rings in another partition's memory. */
static void attack_memory(const struct pf *pf, unsigned queue, uint64_t target)
{
	const reg32_t bases[] = {IGB_TDBAL0, IGB_RDBAL0};
	const reg32_t highs[] = {IGB_TDBAH0, IGB_RDBAH0};
	const reg32_t lengths[] = {IGB_TDLEN0, IGB_RDLEN0};
	const reg32_t controls[] = {IGB_TXDCTL0, IGB_RXDCTL0};
	const reg32_t heads[] = {IGB_TDH0, IGB_RDH0};
	const reg32_t tails[] = {IGB_TDT0, IGB_RDT0};

	mmio_write32(pf->regs, IGB_VFRE, 0xff);
	mmio_write32(pf->regs, IGB_VFTE, 0xff);
	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		const mmio_t regs = pf->regs;

		mmio_write32(regs, reg32_nth(controls[i], queue, QUEUE_STRIDE), 0);
		mmio_write32(regs, reg32_nth(bases[i], queue, QUEUE_STRIDE), (uint32_t)target);
		mmio_write32(regs, reg32_nth(highs[i], queue, QUEUE_STRIDE),
			     (uint32_t)(target >> 32));
		mmio_write32(regs, reg32_nth(lengths[i], queue, QUEUE_STRIDE), RING_BYTES);
		mmio_write32(regs, reg32_nth(heads[i], queue, QUEUE_STRIDE), 0);
		mmio_write32(regs, reg32_nth(controls[i], queue, QUEUE_STRIDE), QUEUE_ON);
		mmio_write32(regs, reg32_nth(tails[i], queue, QUEUE_STRIDE), 4);
	}
	clock_sleep_ns(1000000);
	say("@rogue memory queue=%u target=0x%lx done", queue, target);
}

static _Noreturn void rogue(const struct pf *pf)
{
	uint64_t target = boot_number("target", NOWHERE);

	attack_config();
	attack_memory(pf, PF_QUEUE, target);
	attack_memory(pf, 0, target);
	attack_switch(pf);
	attack_mailboxes(pf);
	mmio_write32(pf->regs, IGB_CTRL, mmio_read32(pf->regs, IGB_CTRL) | (uint32_t)CTRL_RST);
	say("@rogue done");
	for (;;) {
		clock_sleep_ns(1000000000);
	}
}

bool __wrap_pf_round(struct pf *pf)
{
	switch (console_poll()) {
	case 'c':
		*(volatile uint64_t *)NOWHERE = 0;
		break;
	case 'x':
		rogue(pf);
	default:
		break;
	}
	return __real_pf_round(pf);
}
