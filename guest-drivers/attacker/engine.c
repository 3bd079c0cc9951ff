/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two devices as one DMA engine. edu has a buffer of its own. The VF sends frames to itself (its
 * switch loops them back): a receive buffer elsewhere is a write, a second transmit fragment
 * elsewhere a read.
 */
#include "attack.h"

#include <string.h>

#define CONTROL_VALUE 0x600dda7au
#define HEADER	      14u
#define FRAME_TYPE    0xb588u /* 0x88b5 in network order: local experiments */
#define VF_TRIES      60u
#define VF_RETRY_NS   500000000ull

static struct engine current;
static struct edu edu;
static bool edu_filled; /* its buffer holds `edu_value` in every word: 100 ms saved */
static uint32_t edu_value;
static struct igbvf vf;

static uint8_t staging[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t received[PAGE_SIZE] __attribute__((aligned(4096)));
static union igb_tx_descriptor tx_ring[IGBVF_RING] __attribute__((aligned(4096)));
static union igb_rx_descriptor rx_ring[IGBVF_RING] __attribute__((aligned(4096)));

static uint64_t address_of(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

const struct engine *engine(void)
{
	return &current;
}

static bool is_vf(void)
{
	return !strcmp(current.name, "vf");
}

static bool start_edu(void)
{
	if (edu_start(&edu) != STATUS_OK) {
		return false;
	}
	edu_filled = false;
	current = (struct engine){"edu", edu.pci, edu.regs.base};
	return true;
}

static enum status fresh_queues(void)
{
	memset(tx_ring, 0, sizeof(tx_ring));
	memset(rx_ring, 0, sizeof(rx_ring));
	return igbvf_queues(&vf, address_of(tx_ring), address_of(rx_ring));
}

/* The PF may come up later than this guest. */
static bool start_vf(void)
{
	struct pci_device pci;
	enum status status = STATUS_TIMEOUT;
	uint64_t bar;

	if (!pci_find(IGB_VENDOR, IGB_DEVICE_VF, 0, &pci) || !(bar = pci_bar(&pci, 0))) {
		return false;
	}
	pci_enable(&pci);
	for (unsigned i = 0; i < VF_TRIES && status != STATUS_OK; i++) {
		status = igbvf_reset(&vf, (mmio_t){bar});
		if (status != STATUS_OK || !(mmio_read32(vf.regs, IGB_STATUS) & STATUS_LINK_UP)) {
			status = STATUS_TIMEOUT;
			clock_sleep_ns(VF_RETRY_NS);
		}
	}
	if (status != STATUS_OK || fresh_queues() != STATUS_OK) {
		return false;
	}
	current = (struct engine){"vf", pci, bar};
	return true;
}

bool engine_start(void)
{
	char wanted[8] = "";
	bool found;

	boot_text("engine", wanted, sizeof(wanted));
	found = (strcmp(wanted, "vf") != 0 && start_edu()) ||
		(strcmp(wanted, "edu") != 0 && start_vf());
	if (!found) {
		report("engine", "missing", "wanted=%s", wanted[0] ? wanted : "any");
		return false;
	}
	report("engine", "ok", "kind=%s devfn=0x%02x", current.name, current.pci.devfn);
	return true;
}

static void fill(uint8_t *bytes, uint32_t value)
{
	for (unsigned i = 0; i < BLOCK; i += 4) {
		memcpy(bytes + i, &value, 4);
	}
}

static void frame_header(uint8_t *bytes)
{
	uint16_t type = FRAME_TYPE;

	memcpy(bytes, vf.mac, 6);
	memcpy(bytes + 6, vf.mac, 6);
	memcpy(bytes + 12, &type, 2);
}

/* Each transfer starts from empty rings: a faulting one leaves the queue in an odd state. */
static enum status vf_store(uint64_t to, uint32_t value)
{
	enum status status = fresh_queues();

	if (status == STATUS_OK) {
		fill(staging, value);
		frame_header(staging);
		igbvf_give(&vf, to);
		status = igbvf_send(&vf, address_of(staging), BLOCK);
	}
	return status;
}

static enum status vf_fetch(uint64_t from, uint32_t data[BLOCK / 4])
{
	enum status status = fresh_queues();

	if (status != STATUS_OK) {
		return status;
	}
	frame_header(staging);
	memcpy(received + HEADER, data, BLOCK);
	igbvf_give(&vf, address_of(received));
	vf.tx[0].read.address = address_of(staging);
	vf.tx[0].read.option = (HEADER + BLOCK) << TXD_PAYLEN_SHIFT;
	vf.tx[0].read.command = HEADER | TXD_DATA | TXD_DEXT | TXD_IFCS;
	vf.tx_next = 1;
	status = igbvf_send(&vf, from, BLOCK);
	/* Only the payload of a frame that arrived came from there. */
	memcpy(data, received + HEADER, BLOCK);
	return status;
}

enum status engine_store(uint64_t to, uint32_t value)
{
	enum status status;

	if (is_vf()) {
		return vf_store(to, value);
	}
	if (!edu_filled || edu_value != value) {
		fill(staging, value);
		status = edu_fetch(&edu, address_of(staging), 0, BLOCK);
		if (status != STATUS_OK) {
			return status;
		}
		edu_filled = true;
		edu_value = value;
	}
	return edu_store(&edu, to, 0, BLOCK);
}

enum status engine_fetch(uint64_t from, uint32_t data[BLOCK / 4])
{
	enum status status;

	if (is_vf()) {
		return vf_fetch(from, data);
	}
	edu_filled = false;
	memcpy(staging, data, BLOCK);
	status = edu_fetch(&edu, address_of(staging), 0, BLOCK);
	if (status == STATUS_OK) {
		status = edu_fetch(&edu, from, 0, BLOCK);
	}
	if (status == STATUS_OK) {
		status = edu_store(&edu, address_of(received), 0, BLOCK);
	}
	memcpy(data, received, BLOCK);
	return status;
}

bool engine_store_bytes(uint64_t to, uint32_t value, unsigned size)
{
	if (is_vf() || size > BLOCK) {
		return false;
	}
	edu_filled = false;
	fill(staging, value);
	return edu_fetch(&edu, address_of(staging), 0, size) == STATUS_OK &&
	       edu_store(&edu, to, 0, size) == STATUS_OK;
}

bool engine_ring(void)
{
	if (!is_vf()) {
		edu_interrupt(&edu);
	}
	return !is_vf();
}

#define REMEMBERED_AT 0x800u /* in edu's buffer, clear of what the others use */

enum status engine_remember(uint32_t value)
{
	memcpy(staging, &value, sizeof(value));
	return edu_fetch(&edu, address_of(staging), REMEMBERED_AT, sizeof(value));
}

uint32_t engine_remembered(void)
{
	uint32_t value = 0;

	if (edu_store(&edu, address_of(received), REMEMBERED_AT, sizeof(value)) == STATUS_OK) {
		memcpy(&value, received, sizeof(value));
	}
	return value;
}

enum status engine_interrupt(uint64_t address, uint32_t data)
{
	enum status status;

	if (is_vf()) {
		status = pci_msix_set(&current.pci, 0, address, data);
		igbvf_interrupts(&vf);
		igbvf_fire(&vf);
		return status;
	}
	status = pci_msi_set(&current.pci, address, (uint16_t)data);
	edu_interrupt(&edu);
	return status;
}

bool engine_control(const char *step)
{
	uint32_t data[BLOCK / 4] = {0};
	volatile uint32_t *own = (volatile uint32_t *)(uintptr_t)scratch_page(0);
	bool stored, fetched;

	memset((void *)(uintptr_t)scratch_page(0), 0, PAGE_SIZE);
	stored = engine_store(scratch_page(0), CONTROL_VALUE) == STATUS_OK &&
		 own[BLOCK / 4 - 1] == CONTROL_VALUE;
	fetched = engine_fetch(scratch_page(0), data) == STATUS_OK &&
		  data[BLOCK / 4 - 1] == CONTROL_VALUE;
	report(step, stored && fetched ? "ok" : "failed", "store=%u fetch=%u", stored, fetched);
	return stored && fetched;
}
