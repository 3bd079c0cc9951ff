/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space of the own device and around it: F46, F47, F48. */
#include "attack.h"

#include "guest_map.h"

#define COMMAND	       0x04u
#define COMMAND_MEMORY BIT(1)
#define COMMAND_MASTER BIT(2)
#define BAR0	       0x10u
#define CAP_POWER      0x01u
#define POWER_CONTROL  4u
#define POWER_D3       3u
#define EVIL	       0xbadc0de5u

struct sweep {
	unsigned writable; /* dwords in which any bit can be changed */
	unsigned spills;   /* writes that changed bits of lanes they did not name */
};

static const struct pci_device *own(void)
{
	return &engine()->pci;
}

/* One narrow write, undone; which bits of the dword it changed. */
static uint32_t changes(uint16_t offset, unsigned lane, unsigned size, uint32_t value)
{
	uint32_t before = pci_read(own(), offset, 4), after;

	pci_write(own(), (uint16_t)(offset + lane), size, value);
	after = pci_read(own(), offset, 4);
	pci_write(own(), offset, 4, before);
	return before ^ after;
}

/* All ones, all zeroes and walking bits in one dword at every width. */
static void sweep_dword(uint16_t offset, struct sweep *sweep)
{
	uint32_t writable = changes(offset, 0, 4, ~0u) | changes(offset, 0, 4, 0);
	unsigned spills = 0;

	for (unsigned size = 1; size <= 4; size *= 2) {
		for (unsigned lane = 0; lane < 4; lane += size) {
			uint32_t named = (uint32_t)(BITS(8 * size - 1, 0) << 8 * lane);

			for (unsigned bit = 0; bit < 8 * size; bit++) {
				uint32_t changed = changes(offset, lane, size, 1u << bit);

				writable |= changed;
				spills += (changed & ~named) != 0;
			}
		}
	}
	if (writable) {
		report("writable", "bits", "offset=0x%03x mask=0x%08x spills=%u", offset, writable,
		       spills);
		sweep->writable++;
		sweep->spills += spills;
	}
}

/* Functions a partition does not have read as absent and swallow writes. */
static void sweep_others(void)
{
	unsigned visible = 0;

	for (unsigned devfn = 0; devfn < 256; devfn++) {
		struct pci_device other = {.devfn = (uint8_t)devfn};
		bool there = pci_read(&other, 0, 4) != ~0u;

		for (unsigned offset = 0; offset < 4096 && !there; offset += 64) {
			pci_write(&other, (uint16_t)offset, 4, 0);
			there = pci_read(&other, (uint16_t)offset, 4) != ~0u;
		}
		if (there) {
			visible++;
			report("function", "visible", "devfn=0x%02x id=0x%08x", devfn,
			       pci_read(&other, 0, 4));
		}
	}
	report("functions", "counted", "visible=%u", visible);
}

static void probe_config(const char *step, uint64_t address, unsigned size)
{
	struct probe_result read = probe_read(address, size);
	struct probe_result write = probe_write(address, size, ~0ull);

	report(step, read.faulted ? "fault" : "value", "address=0x%lx value=0x%lx write=%s",
	       address, read.value, write.faulted ? "fault" : "taken");
}

void attack_config_sweep(void)
{
	struct sweep sweep = {0};

	if (!engine_start() || !engine_control("control-before")) {
		return;
	}
	for (unsigned offset = 0; offset < 4096; offset += 4) {
		sweep_dword((uint16_t)offset, &sweep);
	}
	report("sweep", "counted", "dwords=1024 writable=%u spills=%u", sweep.writable,
	       sweep.spills);
	sweep_others();
	probe_config("eight-bytes", pci_config_address(own()->devfn, 8), 8);
	probe_config("next-bus", GUEST_ECAM_BASE + GUEST_ECAM_SIZE, 4);
	if (engine_start()) {
		engine_control("control-after");
	}
}

static void touch(const char *step)
{
	struct probe_result result = probe_read(engine()->bar, 4);
	struct probe_result write = probe_write(engine()->bar + 4, 4, EVIL);

	report(step, result.faulted ? "fault" : "value", "value=0x%lx write=%s", result.value,
	       write.faulted ? "fault" : "taken");
}

/* A store while something forbids it: does it land? */
static void store_own(const char *step)
{
	volatile uint32_t *word = (volatile uint32_t *)(uintptr_t)scratch_page(1);
	enum status status;

	*word = 0;
	word[BLOCK / 4 - 1] = 0;
	status = engine_store(scratch_page(1), EVIL);
	report(step, word[BLOCK / 4 - 1] == EVIL ? "landed" : "blocked", "transfer=%s",
	       status == STATUS_OK ? "done" : "stuck");
}

void attack_config_decode(void)
{
	uint32_t command;
	uint16_t power;

	if (!engine_start() || !engine_control("control-before")) {
		return;
	}
	command = pci_read(own(), COMMAND, 2);
	touch("decode-on");
	pci_write(own(), COMMAND, 2, command & ~(uint32_t)COMMAND_MEMORY);
	touch("decode-off");
	pci_write(own(), COMMAND, 2, command & ~(uint32_t)COMMAND_MASTER);
	store_own("master-off");
	pci_write(own(), COMMAND, 2, 0);
	touch("all-off");
	pci_write(own(), COMMAND, 2, command);
	power = pci_capability(own(), CAP_POWER);
	if (power) {
		pci_write(own(), power + POWER_CONTROL, 2, POWER_D3);
		touch("d3hot");
		pci_write(own(), power + POWER_CONTROL, 2, 0);
		clock_sleep_ns(20000000);
	} else {
		outcome("d3hot", "absent");
	}
	pci_write(own(), COMMAND, 2, command);
	touch("decode-on-again");
	if (engine_start()) {
		engine_control("control-after");
	}
}

static void compare(const char *step, uint64_t address, uint64_t expected)
{
	struct probe_result result = probe_read(address, 4);

	report(step,
	       result.faulted		  ? "fault"
	       : result.value == expected ? "device"
					  : "value",
	       "address=0x%lx value=0x%lx", address, result.value);
}

static void move_bar(const char *step, uint64_t to, uint64_t id)
{
	uint32_t low = pci_read(own(), BAR0, 4), high = pci_read(own(), BAR0 + 4, 4);

	pci_write(own(), BAR0, 4, (uint32_t)to);
	pci_write(own(), BAR0 + 4, 4, (uint32_t)(to >> 32));
	report(step, "written", "to=0x%lx reads=0x%08x,0x%08x", to, pci_read(own(), BAR0, 4),
	       pci_read(own(), BAR0 + 4, 4));
	compare("old-place", engine()->bar, id);
	if (!in_own_ram(to, 4)) {
		compare("new-place", to, id);
	}
	pci_write(own(), BAR0, 4, low);
	pci_write(own(), BAR0 + 4, 4, high);
}

void attack_config_bars(void)
{
	uint64_t at[TARGETS], id;
	unsigned count = boot_numbers("target", at, TARGETS);
	uint32_t low;

	if (!engine_start() || !engine_control("control-before")) {
		return;
	}
	id = probe_read(engine()->bar, 4).value;
	low = pci_read(own(), BAR0, 4);
	for (unsigned bar = 0; bar < 6; bar++) {
		uint16_t offset = (uint16_t)(BAR0 + 4 * bar);
		uint32_t before = pci_read(own(), offset, 4);

		pci_write(own(), offset, 4, ~0u);
		report("size", "mask", "bar=%u mask=0x%08x", bar, pci_read(own(), offset, 4));
		pci_write(own(), offset, 4, before);
	}
	compare("after-sizing", engine()->bar, id);
	move_bar("move", engine()->bar + MIB(16), id);
	move_bar("over-ram", GUEST_RAM_BASE, id);
	move_bar("over-gic", GUEST_GICD_BASE, id);
	move_bar("high-half", engine()->bar | 1ull << 38, id);
	for (unsigned i = 0; i < count; i++) {
		move_bar("over-target", at[i], id);
	}
	outcome("restored", pci_read(own(), BAR0, 4) == low ? "ok" : "failed");
	compare("at-the-end", engine()->bar, id);
	if (engine_start()) {
		engine_control("control-after");
	}
}
