/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA at what is not ours: F01–F05, F07, F08, and the room for F27/F28. */
#include "attack.h"

#include <string.h>

#include "guest_map.h"

#define EVIL   0xbadc0de5u
#define FLOODS 3u
#define PRIME  0x55aa55aau /* what a blocked read leaves behind */

static unsigned targets(uint64_t *values)
{
	unsigned count = boot_numbers("target", values, TARGETS);

	if (!count) {
		outcome("targets", "missing");
	}
	return count;
}

static void write_one(const char *step, uint64_t target, uint32_t value)
{
	if (in_own_ram(target, BLOCK)) {
		report(step, "own", "address=0x%lx", target);
		return;
	}
	report(step, engine_store(target, value) == STATUS_OK ? "issued" : "failed",
	       "address=0x%lx value=0x%08x", target, value);
}

static void read_one(const char *step, uint64_t target)
{
	uint32_t data[BLOCK / 4];
	unsigned foreign = 0;
	enum status status;

	if (in_own_ram(target, BLOCK)) {
		report(step, "own", "address=0x%lx", target);
		return;
	}
	for (unsigned i = 0; i < BLOCK / 4; i++) {
		data[i] = PRIME;
	}
	status = engine_fetch(target, data);
	for (unsigned i = 0; i < BLOCK / 4; i++) {
		foreign += data[i] != 0 && data[i] != PRIME;
	}
	report(step, foreign ? "leaked" : "blocked",
	       "address=0x%lx words=%u first=0x%08x transfer=%s", target, foreign, data[0],
	       status == STATUS_OK ? "done" : "stuck");
}

void attack_dma_write(void)
{
	uint64_t at[TARGETS];
	unsigned count = targets(at);

	if (!engine_start() || !engine_control("control-before")) {
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		write_one("write", at[i], EVIL);
	}
	engine_control("control-after");
}

void attack_dma_read(void)
{
	uint64_t at[TARGETS];
	unsigned count = targets(at);

	if (!engine_start() || !engine_control("control-before")) {
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		read_one("read", at[i]);
	}
	engine_control("control-after");
}

/* Registers of the machine, as QEMU's `virt` has them. Zero is what would disarm most of them. */
static const struct {
	const char *step;
	uint64_t address;
} machine[] = {
	{"flash", 0x0},
	{"gicd", GUEST_GICD_BASE},
	{"its-control", GUEST_ITS_BASE},
	{"its-cbaser", GUEST_ITS_BASE + 0x80},
	{"gicr", GUEST_GICR_BASE},
	{"gicr-sgi", GUEST_GICR_BASE + 0x10080},
	{"gicr-next", GUEST_GICR_BASE + GUEST_GICR_STRIDE},
	{"uart", GUEST_UART_BASE},
	{"rtc", 0x09010000},
	{"fw-cfg", 0x09020000},
	{"gpio", 0x09030000},
	{"smmu", 0x09050000},
	{"smmu-page1", 0x09060000},
	{"virtio-mmio", 0x0a000000},
	{"pci-window", GUEST_PCI_MMIO_BASE},
	{"pci-high", 0x8000000000},
	{"ecam", GUEST_ECAM_BASE},
};

void attack_dma_regs(void)
{
	if (!engine_start() || !engine_control("control-before")) {
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(machine); i++) {
		read_one(machine[i].step, machine[i].address);
		write_one(machine[i].step, machine[i].address, 0);
		write_one(machine[i].step, machine[i].address, EVIL);
	}
	engine_control("control-after");
}

/* A burst that starts in the last owned page and ends beyond it (F07): what we own may change. */
static void cross_the_end(uint64_t end)
{
	volatile uint32_t *last = (volatile uint32_t *)(uintptr_t)(end - BLOCK / 2);
	enum status status;

	for (unsigned i = 0; i < BLOCK / 8; i++) {
		last[i] = PRIME;
	}
	status = engine_store(end - BLOCK / 2, EVIL);
	report("cross-end", status == STATUS_OK ? "issued" : "failed", "address=0x%lx own=0x%08x",
	       end - BLOCK / 2, last[BLOCK / 8 - 1]);
}

void attack_dma_sweep(void)
{
	uint64_t base, end;
	unsigned from = (unsigned)boot_number("from", 12), to = (unsigned)boot_number("to", 64);

	if (!engine_start() || !engine_control("control-before")) {
		return;
	}
	guest_ram(&base, &end);
	write_one("below-ram", base - BLOCK, EVIL);
	write_one("past-ram", end, EVIL);
	cross_the_end(end);
	for (unsigned i = from; i < to && i < 64; i++) {
		write_one("power-of-two", 1ull << i, EVIL);
		write_one("offset-from-ram", base + (1ull << i), EVIL);
	}
	write_one("top", -(uint64_t)BLOCK, EVIL);
	engine_control("control-after");
}

/*
 * A page that is refused is 1024 records, twice what the SMMU's queue holds: most of them are lost.
 * A second later the fault of a single block must be seen all the same (F44, F45).
 */
void attack_fault_flood(void)
{
	uint64_t base, end;
	struct edu edu;

	if (!engine_start() || !engine_control("control-before") || edu_start(&edu) != STATUS_OK) {
		return;
	}
	guest_ram(&base, &end);
	for (unsigned i = 0; i < FLOODS; i++) {
		enum status status = edu_store(&edu, end + MIB(2), 0, PAGE_SIZE);

		report("flood", status == STATUS_OK ? "issued" : "failed", "address=0x%lx",
		       end + MIB(2));
	}
	clock_sleep_ns(1100000000);
	write_one("after", end + MIB(4), EVIL);
	engine_control("control-after");
}

/* A transfer is under way while the partition restarts (F27, F28). */
void attack_dma_reset(void)
{
	struct edu edu;
	uint64_t target = boot_number("target", scratch_page(1));

	if (edu_start(&edu) != STATUS_OK || edu_store_begin(&edu, target, 0, BLOCK) != STATUS_OK) {
		outcome("begin", "failed");
		return;
	}
	report("begin", "issued", "address=0x%lx", target);
	power_reset();
}

/* A transfer is under way while the partition goes off for good (F29, F39). */
void attack_dma_off(void)
{
	struct edu edu;
	uint64_t target = scratch_page(1);

	/* The control leaves the value in the device's buffer. */
	if (!engine_start() || !engine_control("control-before") || edu_start(&edu) != STATUS_OK) {
		return;
	}
	memset((void *)(uintptr_t)target, 0, BLOCK);
	report("begin", edu_store_begin(&edu, target, 0, BLOCK) == STATUS_OK ? "issued" : "failed",
	       "address=0x%lx", target);
}

static union igb_tx_descriptor ring[IGBVF_RING] __attribute__((aligned(4096)));
static uint8_t frame[2048] __attribute__((aligned(4096)));

static void kick(struct igbvf *vf, const char *step, uint64_t address)
{
	mmio_write32(vf->regs, IGBVF_RDT, IGBVF_RING - 1);
	mmio_write32(vf->regs, IGBVF_TDT, 1);
	clock_sleep_ns(20000000);
	report(step, "issued", "address=0x%lx", address);
}

/* The VF's rings, and the write-back of its transmit head, at addresses of others (F01, F02). */
void attack_vf_rings(void)
{
	uint64_t at[TARGETS], own = (uint64_t)(uintptr_t)ring;
	unsigned count = targets(at);
	struct igbvf vf;

	if (!engine_start() || igbvf_reset(&vf, (mmio_t){engine()->bar}) != STATUS_OK) {
		return;
	}
	ring[0].read.address = (uint64_t)(uintptr_t)frame;
	for (unsigned i = 0; i < 6; i++) {
		frame[i] = 0xff;
	}
	for (unsigned i = 0; i < count; i++) {
		bool ok = igbvf_queues(&vf, at[i], at[i]) == STATUS_OK;

		kick(&vf, ok ? "rings" : "rings-not-enabled", at[i]);
		ok = igbvf_queues(&vf, own, at[i]) == STATUS_OK;
		ring[0].read.option = BLOCK << TXD_PAYLEN_SHIFT;
		ring[0].read.command = BLOCK | TXD_DATA | TXD_DEXT | TXD_IFCS | TXD_RS | TXD_EOP;
		kick(&vf, ok ? "rx-ring" : "rx-ring-not-enabled", at[i]);
		ok = igbvf_queues(&vf, own, own) == STATUS_OK;
		mmio_write32(vf.regs, IGBVF_TDWBAL, (uint32_t)at[i] | 1);
		mmio_write32(vf.regs, IGBVF_TDWBAH, (uint32_t)(at[i] >> 32));
		ring[0].read.command = BLOCK | TXD_DATA | TXD_DEXT | TXD_IFCS | TXD_RS | TXD_EOP;
		kick(&vf, ok ? "head-write-back" : "head-write-back-not-enabled", at[i]);
		mmio_write32(vf.regs, IGBVF_TDWBAL, 0);
	}
	if (engine_start()) {
		engine_control("control-after");
	}
}
