/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other side: a partition that holds a canary and counts interrupts nobody should send it
 * (attack=idle), and one that talks over its VF (attack=ping).
 */
#include "attack.h"

#include <libfdt.h>
#include <string.h>

#define GOLDEN	   0x9e3779b97f4a7c15ull
#define FNV	   0x100000001b3ull
#define FNV_START  0xcbf29ce484222325ull
#define EVENT_BITS 5u
#define POLL_NS	   10000000ull

struct canary {
	uint64_t base, size;
};

/* The largest free stretch of RAM beside the image and the device tree, at most `size=`. */
static struct canary choose(void)
{
	uint64_t base, end, tree = (uint64_t)(uintptr_t)guest_fdt();
	struct canary canary;

	guest_ram(&base, &end);
	base = align_up(guest_image_end(), MIB(2));
	if (tree >= base && tree < end) {
		uint64_t after = align_up(tree + fdt_totalsize(guest_fdt()), PAGE_SIZE);

		if (tree - base > end - after) {
			end = tree & ~(uint64_t)(PAGE_SIZE - 1);
		} else {
			base = after;
		}
	}
	canary.base = boot_number("base", base);
	canary.size = boot_number("size", MIB(16));
	if (canary.base < base || canary.base > end || canary.size > end - canary.base) {
		canary = (struct canary){base, end - base < MIB(16) ? end - base : MIB(16)};
	}
	return canary;
}

static uint64_t word_at(uint64_t address)
{
	return address * GOLDEN ^ address >> 7;
}

static void plant(const struct canary *canary)
{
	uint64_t hash = FNV_START;

	for (uint64_t at = canary->base; at < canary->base + canary->size; at += 8) {
		*(volatile uint64_t *)(uintptr_t)at = word_at(at);
		hash = (hash ^ word_at(at)) * FNV;
	}
	say("@canary filled base=0x%lx size=0x%lx hash=0x%016lx", canary->base, canary->size, hash);
}

static void verify(const struct canary *canary)
{
	uint64_t hash = FNV_START, first = 0;
	unsigned broken = 0;

	for (uint64_t at = canary->base; at < canary->base + canary->size; at += 8) {
		uint64_t word = *(volatile uint64_t *)(uintptr_t)at;

		hash = (hash ^ word) * FNV;
		if (word != word_at(at)) {
			first = broken++ ? first : at;
		}
	}
	if (broken) {
		say("@canary broken hash=0x%016lx words=%u first=0x%lx irqs=%u", hash, broken,
		    first, irq_count_all());
	} else {
		say("@canary ok hash=0x%016lx irqs=%u", hash, irq_count_all());
	}
}

static struct canary kept;

void canary_plant(void)
{
	kept = choose();
	plant(&kept);
}

void canary_verify(void)
{
	verify(&kept);
}

/* Every event of every device this partition has becomes an interrupt that is counted. */
static void listen(void)
{
	static const uint32_t ids[][2] = {
		{EDU_VENDOR, EDU_DEVICE},
		{IGB_VENDOR, IGB_DEVICE_VF},
	};
	unsigned devices = 0;
	bool its = its_start() == STATUS_OK;

	for (unsigned i = 0; its && i < ARRAY_SIZE(ids); i++) {
		struct pci_device device;

		if (!pci_find((uint16_t)ids[i][0], (uint16_t)ids[i][1], 0, &device) ||
		    its_map_device(pci_device_id(&device), EVENT_BITS) != STATUS_OK) {
			continue;
		}
		for (uint32_t event = 0; event < 1u << EVENT_BITS; event++) {
			if (its_map_event(pci_device_id(&device), (event_id_t){event},
					  LPI_FIRST + event) != STATUS_OK) {
				break;
			}
		}
		devices++;
	}
	say("@canary listening devices=%u", devices);
}

/* 'c' checks the canary, 'q' ends; every=SECONDS checks by itself, checks=N ends after N of them.
 */
void attack_idle(void)
{
	uint64_t every = boot_number("every", 0) * 1000000000ull;
	uint64_t checks = boot_number("checks", ~0ull);
	uint64_t last = clock_ns();

	listen();
	canary_plant();
	for (int c = 0; c != 'q' && checks; clock_sleep_ns(POLL_NS)) {
		bool due = every && clock_ns() - last >= every;

		c = console_poll();
		irq_poll();
		if (c == 'c' || due) {
			last = clock_ns();
			canary_verify();
			checks--;
		}
	}
}

static uint8_t ping_frame[BLOCK] __attribute__((aligned(4096)));
static uint8_t buffers[IGBVF_RING][2048] __attribute__((aligned(4096)));
static union igb_tx_descriptor tx_ring[IGBVF_RING] __attribute__((aligned(4096)));
static union igb_rx_descriptor rx_ring[IGBVF_RING] __attribute__((aligned(4096)));

static void give_next(struct igbvf *vf)
{
	unsigned tail = mmio_read32(vf->regs, IGBVF_RDT) % IGBVF_RING;

	igbvf_give(vf, (uint64_t)(uintptr_t)buffers[tail]);
}

/* How many frames of others came in. */
static unsigned collect(struct igbvf *vf)
{
	unsigned foreign = 0;

	for (unsigned i = 0; i < IGBVF_RING; i++) {
		unsigned slot = vf->rx_next;

		if (!igbvf_received(vf)) {
			break;
		}
		foreign += memcmp(buffers[slot] + 6, vf->mac, 6) != 0;
		give_next(vf);
	}
	return foreign;
}

/* Broadcasts `count` frames, 10 ms apart, and counts what others sent. */
void attack_ping(void)
{
	uint64_t count = boot_number("count", 100);
	unsigned sent = 0, heard = 0;
	struct igbvf vf;

	if (!engine_start() || igbvf_reset(&vf, (mmio_t){engine()->bar}) != STATUS_OK ||
	    igbvf_queues(&vf, (uint64_t)(uintptr_t)tx_ring, (uint64_t)(uintptr_t)rx_ring) !=
		    STATUS_OK) {
		outcome("vf", "failed");
		return;
	}
	if (its_start() != STATUS_OK ||
	    its_map_device(pci_device_id(&engine()->pci), 5) != STATUS_OK ||
	    its_map_event(pci_device_id(&engine()->pci), (event_id_t){0}, LPI_FIRST) != STATUS_OK ||
	    pci_msix_set(&engine()->pci, 0, DOORBELL, 0) != STATUS_OK) {
		outcome("its", "failed");
	}
	igbvf_interrupts(&vf);
	for (unsigned i = 0; i < IGBVF_RING - 1; i++) {
		give_next(&vf);
	}
	memset(ping_frame, 0xff, 6);
	memcpy(ping_frame + 6, vf.mac, 6);
	ping_frame[12] = 0x88;
	ping_frame[13] = 0xb5;
	report("vf", "ok", "mac=%02x:%02x:%02x:%02x:%02x:%02x", vf.mac[0], vf.mac[1], vf.mac[2],
	       vf.mac[3], vf.mac[4], vf.mac[5]);
	for (uint64_t i = 0; i < count; i++) {
		sent += igbvf_send(&vf, (uint64_t)(uintptr_t)ping_frame, BLOCK) == STATUS_OK;
		clock_sleep_ns(POLL_NS);
		heard += collect(&vf);
	}
	report("ping", sent == count ? "ok" : "failed", "sent=%u heard=%u irqs=%u", sent, heard,
	       irq_count(LPI_FIRST));
}
