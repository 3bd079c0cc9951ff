/* SPDX-License-Identifier: BSD-2-Clause */
#include "attack.h"

#include <libfdt.h>
#include <string.h>

static const struct attack attacks[] = {
	{"dma-write", attack_dma_write},
	{"dma-read", attack_dma_read},
	{"dma-regs", attack_dma_regs},
	{"dma-sweep", attack_dma_sweep},
	{"fault-flood", attack_fault_flood},
	{"dma-reset", attack_dma_reset},
	{"dma-off", attack_dma_off},
	{"vf-rings", attack_vf_rings},
	{"reuse", attack_reuse},
	{"translated", attack_translated},
	{"doorbell-dma", attack_doorbell_dma},
	{"event-sweep", attack_event_sweep},
	{"doorbell-odd", attack_doorbell_odd},
	{"storm", attack_storm},
	{"pending-reset", attack_pending_reset},
	{"lpis", attack_lpis},
	{"doorbell-cpu", attack_doorbell_cpu},
	{"msi-elsewhere", attack_msi_elsewhere},
	{"msix-table", attack_msix_table},
	{"config-order", attack_config_order},
	{"cpu-sweep", attack_cpu_sweep},
	{"release", attack_release},
	{"config-sweep", attack_config_sweep},
	{"config-decode", attack_config_decode},
	{"config-bars", attack_config_bars},
	{"power-race", attack_power_race},
	{"restart", attack_restart},
	{"active-interrupts", attack_active_interrupts},
	{"timer-pending", attack_timer_pending},
	{"no-tables", attack_no_tables},
	{"instructions", attack_instructions},
	{"calls", attack_calls},
	{"registers", attack_registers},
	{"register-sweep", attack_register_sweep},
	{"gic-sweep", attack_gic_sweep},
	{"fetch", attack_fetch},
	{"vectors", attack_vectors},
	{"litter", attack_litter},
	{"stuck-line", attack_stuck_line},
	{"mailbox", attack_mailbox},
	{"ask", attack_ask},
	{"late", attack_late},
	{"idle", attack_idle},
	{"wire-echo", attack_wire_echo},
	{"wire-ping", attack_wire_ping},
	{"wire-outside", attack_wire_outside},
	{"wire-chains", attack_wire_chains},
	{"wire-numbers", attack_wire_numbers},
	{"wire-features", attack_wire_features},
	{"wire-kicks", attack_wire_kicks},
	{"wire-deaf", attack_wire_deaf},
	{"wire-resets", attack_wire_resets},
	{"wire-flips", attack_wire_flips},
	{"ping", attack_ping},
};

static char list[128];
static const char *chosen; /* the scenario that runs */

void outcome(const char *step, const char *result)
{
	say("@attack name=%s step=%s result=%s", chosen, step, result);
}

void report(const char *step, const char *result, const char *format, ...)
{
	char more[160];
	va_list arguments;

	va_start(arguments, format);
	format_text(more, sizeof(more), format, arguments);
	va_end(arguments);
	say("@attack name=%s step=%s result=%s %s", chosen, step, result, more);
}

bool in_own_ram(uint64_t address, uint64_t size)
{
	uint64_t base, end;

	guest_ram(&base, &end);
	return range_inside(address, size, base, end - base);
}

uint64_t scratch_page(unsigned index)
{
	uint64_t first = align_up(guest_image_end(), MIB(2));
	uint64_t tree = (uint64_t)(uintptr_t)guest_fdt();

	if (tree >= first && tree < first + MIB(4)) {
		first = align_up(tree + fdt_totalsize(guest_fdt()), MIB(2));
	}
	return first + (uint64_t)index * PAGE_SIZE;
}

static bool run(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(attacks); i++) {
		if (!strcmp(attacks[i].name, name)) {
			chosen = name;
			attacks[i].run();
			return true;
		}
	}
	say("attacker: unknown attack %s; powering off", name);
	return false;
}

void guest_main(void)
{
	char *next = list;

	if (!boot_text("attack", list, sizeof(list))) {
		say("attacker: no attack=NAME on the command line; powering off");
		return;
	}
	while (next) {
		char *name = next;

		next = strchr(name, ',');
		if (next) {
			*next++ = '\0';
		}
		if (!run(name)) {
			return;
		}
	}
	say("@done");
}
