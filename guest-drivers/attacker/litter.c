/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One owner after the other (F37): each life of this partition looks for what the one before left,
 * leaves as much as it can, and restarts. Nothing tells it which life it is but the clock.
 */
#include "attack.h"

#include "guest_map.h"

#include <libfdt.h>

#define LITTER	     0x5eed5eed5eed5eedull
#define UNTIL_MS     5000u
#define LIFE_NS	     700000000ull /* fewer restarts than the hypervisor takes for a crash */
#define COMMAND	     0x04u
#define CAP_MSIX     0x11u
#define LINE	     0x3cu
#define CACHELINE    0x0cu
#define STRETCHES    3u
#define IMAGE_OFFSET 0x80000u /* guest.ld */

struct stretch {
	uint64_t from, to;
};

extern uint64_t stub_simd(uint64_t leave);

/* RAM that nothing of this life uses: below the image, between it and the device tree, behind. */
static unsigned free_ram(struct stretch found[STRETCHES])
{
	uint64_t base, end, tree = (uint64_t)(uintptr_t)guest_fdt();

	guest_ram(&base, &end);
	found[0] = (struct stretch){base, base + IMAGE_OFFSET};
	base = align_up(guest_image_end(), PAGE_SIZE);
	found[1] = (struct stretch){base, end};
	if (tree < base || tree >= end) {
		return 2;
	}
	found[1].to = tree;
	found[2] = (struct stretch){align_up(tree + fdt_totalsize(guest_fdt()), PAGE_SIZE), end};
	return 3;
}

static void look_through_ram(void)
{
	struct stretch stretches[STRETCHES];
	unsigned count = free_ram(stretches);
	uint64_t first = 0, words = 0, bytes = 0;

	for (unsigned i = 0; i < count; i++) {
		for (uint64_t at = stretches[i].from; at < stretches[i].to; at += 8) {
			if (*(volatile uint64_t *)(uintptr_t)at) {
				first = words++ ? first : at;
			}
		}
		bytes += stretches[i].to - stretches[i].from;
	}
	report("ram", words ? "found" : "clean", "words=%lu first=0x%lx searched=%lu", words, first,
	       bytes);
}

static void litter_ram(void)
{
	struct stretch stretches[STRETCHES];
	unsigned count = free_ram(stretches);

	for (unsigned i = 0; i < count; i++) {
		for (uint64_t at = stretches[i].from; at < stretches[i].to; at += 8) {
			*(volatile uint64_t *)(uintptr_t)at = LITTER;
		}
	}
}

static void say_register(uint32_t offset, uint32_t value)
{
	report("register", "found", "offset=0x%04x value=0x%08x", offset, value);
}

/* Command, cache line, interrupt line, MSI-X: off and empty; BARs where the device tree has them.
 */
static void look_through_config(const struct pci_device *vf)
{
	uint16_t msix = pci_capability(vf, CAP_MSIX);
	uint32_t command = pci_read(vf, COMMAND, 2), control = pci_read(vf, msix + 2, 2);
	uint32_t lines = pci_read(vf, CACHELINE, 1) | pci_read(vf, LINE, 1) << 8;
	uint64_t bar = pci_bar(vf, 0), table = pci_bar(vf, pci_read(vf, msix + 4, 4) & 7);
	unsigned entries = 0;

	for (unsigned i = 0; i <= (control & 0x7ff); i++) {
		entries += (arch_mmio_read32(table + 16ull * i) & ~3u) != 0;
	}
	report("config",
	       (command & 6) || lines || (control & 0xc000) || entries ? "found" : "clean",
	       "command=0x%x lines=0x%x msix=0x%x entries=%u bar=0x%lx", command, lines, control,
	       entries, bar);
}

static void litter_config(const struct pci_device *vf)
{
	pci_enable(vf);
	pci_write(vf, CACHELINE, 1, 0x5e);
	pci_write(vf, LINE, 1, 0x5e);
	pci_write(vf, 0x10, 4, 0x5eed0000);
	for (unsigned i = 0; i < 3; i++) {
		enum status status = pci_msix_set(vf, i, DOORBELL, 0x5e);

		if (status != STATUS_OK) {
			outcome("msix", "failed");
		}
	}
}

void attack_litter(void)
{
	uint64_t until = boot_number("until", UNTIL_MS) * 1000000;
	struct pci_device vf;
	unsigned residue;
	uint64_t bar, simd = stub_simd(LITTER);

	report("simd", simd ? "found" : "clean", "bits=0x%lx", simd);
	if (!pci_find(IGB_VENDOR, IGB_DEVICE_VF, 0, &vf) || !(bar = pci_bar(&vf, 0))) {
		outcome("vf", "missing");
		return;
	}
	look_through_ram();
	look_through_config(&vf);
	residue = igbvf_residue((mmio_t){bar}, say_register);
	report("registers", residue ? "found" : "clean", "count=%u", residue);
	if (clock_ns() > until) {
		return;
	}
	clock_sleep_ns(LIFE_NS); /* the PF is up by then */
	litter_ram();
	report("littered", "ok", "registers=%u", igbvf_litter((mmio_t){bar}));
	litter_config(&vf);
	power_reset();
}
