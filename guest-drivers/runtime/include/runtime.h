/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a bare-metal guest gets: one program at AArch64 EL1 on the machine of guest_map.h, MMU and
 * caches on (RAM below 2 GiB is normal memory, all else device memory, everything identity mapped
 * up to 512 GiB), interrupts masked for good and polled. Time is lib's clock.h, supplied here;
 * log_line() goes to the console.
 *
 * Documents: Arm ARM (DDI 0487), GICv3/v4 (IHI 0069), PSCI 1.1 (DEN 0022), PCI 3.0.
 */
#ifndef GUEST_RUNTIME_H
#define GUEST_RUNTIME_H

#include "bits.h"
#include "clock.h"
#include "log.h"
#include "mmio.h"
#include "status.h"
#include "types.h"

/* The guest's own program, on the boot vCPU. Its return powers the partition off. */
void guest_main(void);

/* CNTVCT_EL0 at the program's first instruction. */
uint64_t first_instruction(void);

/* --- console: PL011, whole lines ------------------------------------------------------------- */

/* One line; the newline is added. Any core. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* The next character typed, or -1. Never waits. */
int console_poll(void);

/* --- device tree ----------------------------------------------------------------------------- */

const void *guest_fdt(void); /* checked; NULL when the guest was given none */
void guest_ram(uint64_t *base, uint64_t *end);

/* First byte after the guest's own image, stacks and page tables. */
uint64_t guest_image_end(void);

/*
 * Value of NAME=VALUE on the command line, copied and cut to `size`. False: not there.
 * boot_number: 0x, decimal, suffixes K M G; `fallback` when absent or not a number.
 */
bool boot_text(const char *name, char *value, size_t size);
uint64_t boot_number(const char *name, uint64_t fallback);
/* Numbers separated by commas; returns how many were stored. */
unsigned boot_numbers(const char *name, uint64_t *values, unsigned room);

/* --- accesses that may fault ----------------------------------------------------------------- */

struct probe_result {
	bool faulted;
	uint64_t esr, far; /* of the fault */
	uint64_t value;	   /* of a read that did not fault */
};

/* One access of 1, 2, 4 or 8 bytes; a synchronous abort or SError is recorded and stepped over. */
struct probe_result probe_read(uint64_t address, unsigned size);
struct probe_result probe_write(uint64_t address, unsigned size, uint64_t value);
/*
 * Calls a leaf function. A synchronous exception in it is recorded and stepped over; one at a fetch
 * ends the call. `value`: what the function returned, when nothing was recorded.
 */
struct probe_result probe_call(uint64_t (*function)(uint64_t argument), uint64_t argument);
/* From now on stage 1 lets this core fetch from every address it maps. */
void fetch_anywhere(void);

/* --- interrupts: GICv3, polled --------------------------------------------------------------- */

#define LPI_FIRST 8192u
#define LPI_COUNT 64u /* LPIs that are counted one by one */

/* Distributor (once, boot core), then this core's redistributor and CPU interface. */
enum status MUST_USE gic_start_distributor(void);
enum status MUST_USE gic_start_core(void);
/* Lets an SGI or PPI of this core become pending; it is taken only where interrupts are unmasked.
 */
void gic_enable_private(unsigned intid);

/* Acknowledges and counts what is pending; returns how many (the timer's own not counted). */
unsigned irq_poll(void);
/* The most urgent one, ended at once; 1023: none. Timer interrupts are neither. */
uint32_t irq_take(void);
uint32_t irq_count(uint32_t intid); /* of one counted LPI */
uint32_t irq_count_all(void);	    /* everything but timer interrupts, expected or not */

/* Redistributor tables and the ITS. STATUS_NOT_FOUND: no ITS or no LPIs here. */
enum status MUST_USE its_start(void);
/* Events [0, 2^event_bits) of a device; at most 4 devices, at most 10 bits. */
enum status MUST_USE its_map_device(device_id_t device, unsigned event_bits);
/* The event becomes `lpi` on the boot core, enabled. The device must be mapped. */
enum status MUST_USE its_map_event(device_id_t device, event_id_t event, uint32_t lpi);
/* The mapped event's priority and enable, as a byte of the configuration table (IHI 0069 5.1). */
enum status MUST_USE its_configure_event(device_id_t device, event_id_t event, uint32_t lpi,
					 uint8_t property);
/* A command that names an event and nothing else: INT, CLEAR, INV, DISCARD. */
enum status MUST_USE its_event(unsigned opcode, device_id_t device, event_id_t event);
/* Any ITS command; for the attackers. STATUS_TIMEOUT: the queue stood still. */
enum status MUST_USE its_command(const uint64_t words[4]);

/* --- PCI: the generic ECAM host, guest bus 0 -------------------------------------------------- */

struct pci_device {
	uint8_t devfn;
	uint16_t vendor, device;
};

/* The nth function with these ids. */
bool pci_find(uint16_t vendor, uint16_t device, unsigned nth, struct pci_device *found);
uint32_t pci_read(const struct pci_device *device, uint16_t offset, unsigned size);
void pci_write(const struct pci_device *device, uint16_t offset, unsigned size, uint32_t value);
uint64_t pci_config_address(uint8_t devfn, uint16_t offset);
uint16_t pci_capability(const struct pci_device *device, uint8_t id); /* 0: none */
uint16_t pci_extended_capability(const struct pci_device *device, uint16_t id);
device_id_t pci_device_id(const struct pci_device *device);

/*
 * Base of a memory BAR, 0 when there is none. BARs come assigned; where they are all zero (a
 * machine without Causeway and without firmware) they are placed first.
 */
uint64_t pci_bar(const struct pci_device *device, unsigned index);
void pci_enable(const struct pci_device *device); /* memory decode and bus mastering */
/* Low PCI memory for the placing above; naturally aligned; never given back. */
uint64_t pci_take_window(uint64_t size);

enum status MUST_USE pci_msix_set(const struct pci_device *device, unsigned vector,
				  uint64_t address, uint32_t data);
enum status MUST_USE pci_msi_set(const struct pci_device *device, uint64_t address, uint16_t data);

/* --- PSCI by HVC, and other hypercalls -------------------------------------------------------- */

uint64_t hypercall(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
_Noreturn void power_off(void);
_Noreturn void power_reset(void);
/* From now on an unexpected exception ends in a restart instead of power-off. */
void restart_on_crash(void);
/* Runs `entry(argument)` on another vCPU (1 …), once. */
enum status MUST_USE core_start(unsigned core, void (*entry)(void *), void *argument);

#endif
