/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F24: two vCPUs write Command, MSI and MSI-X control and reset the function in any order, at any
 * width. After each round the view is printed, and the test compares it with the hardware's.
 */
#include "attack.h"

#define ROUNDS	    3u
#define STEPS	    120u
#define COMMAND	    0x04u
#define CAP_MSI	    0x05u
#define CAP_MSIX    0x11u
#define CAP_EXPRESS 0x10u
#define FLR	    0x8000u

static struct pci_device devices[2];
static unsigned count;
static unsigned round, done; /* atomic */

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* A write to a random one of the registers, sometimes of several at once. */
static void step(const struct pci_device *device, uint32_t *seed)
{
	uint16_t at[3] = {COMMAND, pci_capability(device, CAP_MSI),
			  pci_capability(device, CAP_MSIX)};
	uint16_t reg = at[next(seed) % 3];
	unsigned size = 1u << next(seed) % 3;

	if (!reg) {
		return;
	}
	reg = (uint16_t)(reg == COMMAND ? reg : reg + 2);
	reg = (uint16_t)((reg + next(seed) % 2) & ~(size - 1));
	pci_write(device, reg, size, next(seed) ^ next(seed) << 16);
	(void)pci_read(device, reg, size);
}

static void hammer(uint32_t seed)
{
	for (unsigned i = 0; i < STEPS; i++) {
		const struct pci_device *device = &devices[next(&seed) % count];
		uint16_t express = pci_capability(device, CAP_EXPRESS);

		if (i % 60 == 30 && express) {
			pci_write(device, express + 8, 2, FLR);
		} else {
			step(device, &seed);
		}
	}
}

static void second(void *argument)
{
	(void)argument;
	for (unsigned r = 1; r <= ROUNDS; r++) {
		while (__atomic_load_n(&round, __ATOMIC_ACQUIRE) < r) {
			clock_sleep_ns(5000000);
		}
		hammer(1000 + r);
		__atomic_fetch_add(&done, 1, __ATOMIC_RELEASE);
	}
	for (;;) {
		clock_sleep_ns(1000000000);
	}
}

static void show(unsigned r)
{
	for (unsigned i = 0; i < count; i++) {
		const struct pci_device *d = &devices[i];
		uint16_t msi = pci_capability(d, CAP_MSI), msix = pci_capability(d, CAP_MSIX);

		report("state", "view", "round=%u id=0x%x command=0x%x pin=%u msi=0x%x msix=0x%x",
		       r, d->device, pci_read(d, COMMAND, 2), pci_read(d, 0x3d, 1),
		       msi ? pci_read(d, msi + 2, 2) : 0, msix ? pci_read(d, msix + 2, 2) : 0);
	}
	say("@round %u", r);
	while (console_poll() != '\n') {
		clock_sleep_ns(100000000);
	}
}

void attack_config_order(void)
{
	count += pci_find(EDU_VENDOR, EDU_DEVICE, 0, &devices[count]);
	count += pci_find(IGB_VENDOR, IGB_DEVICE_VF, 0, &devices[count]);
	if (count == 0 || core_start(1, second, NULL) != STATUS_OK) {
		outcome("devices", "missing");
		return;
	}
	for (unsigned r = 1; r <= ROUNDS; r++) {
		__atomic_store_n(&round, r, __ATOMIC_RELEASE);
		hammer(r);
		while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < r) {
			clock_sleep_ns(5000000);
		}
		show(r);
	}
}
