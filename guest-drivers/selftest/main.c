/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest rooms tested on a plain machine, without the hypervisor: this program enables SR-IOV
 * itself, runs the PF service's code on its second core and drives the VFs from its first. Prints
 * `@selftest NAME ok|FAILED` and, last, `@done failed=N`.
 */
#include <string.h>

#include "edu.h"
#include "igbvf.h"
#include "runtime.h"
#include "selftest.h"

#define VFS	      5u /* the first four have a contract */
#define TALKERS	      4u

#define CAP_SRIOV     0x10u
#define SRIOV_CONTROL 0x08u
#define SRIOV_NUM_VFS 0x10u
#define SRIOV_OFFSET  0x14u /* first VF offset; the stride follows */
#define SRIOV_PAGES   0x20u
#define SRIOV_BAR0    0x24u
#define SRIOV_VFE_MSE 0x9u
#define CAP_MSIX      0x11u
#define DOORBELL      0x08090040u
#define VF_BAR_STRIDE KIB(16)

static const struct pf_contract contracts[IGB_VF_MAX] = {
	{true, {2, 0, 0, 0, 0, 0xa}, 0},
	{true, {2, 0, 0, 0, 0, 0xb}, 0},
	{true, {2, 0, 0, 0, 0, 0xc}, 7},
	{true, {2, 0, 0, 0, 0, 0xd}, 7},
};

static struct pf pf;
static unsigned failed;
static bool pause, paused; /* asked of, answered by the core that serves */
static uint8_t frames[VFS][IGBVF_RING][2048] __attribute__((aligned(4096)));
static union igb_tx_descriptor tx_rings[VFS][IGBVF_RING] __attribute__((aligned(4096)));
static union igb_rx_descriptor rx_rings[VFS][IGBVF_RING] __attribute__((aligned(4096)));
static uint8_t outgoing[2048] __attribute__((aligned(4096)));
static struct igbvf vfs[VFS];
static mmio_t vf_regs[VFS];
static uint64_t vf_tables;

void check(const char *name, bool passed)
{
	say("@selftest %s %s", name, passed ? "ok" : "FAILED");
	failed += !passed;
}

static void serve(void *unused)
{
	(void)unused;
	if (gic_start_core() != STATUS_OK) {
		say("@selftest core failed");
	}
	for (;;) {
		if (!__atomic_load_n(&pause, __ATOMIC_ACQUIRE)) {
			pf_round(&pf);
		}
		__atomic_store_n(&paused, pause, __ATOMIC_RELEASE);
		clock_sleep_ns(1000000);
	}
}

static bool enable_vfs(const struct pci_device *device)
{
	uint16_t cap = pci_extended_capability(device, CAP_SRIOV);
	uint64_t registers = pci_take_window(MIB(1)), tables = pci_take_window(MIB(1));
	uint32_t where;

	if (!cap) {
		return false;
	}
	pci_write(device, cap + SRIOV_NUM_VFS, 2, VFS);
	pci_write(device, cap + SRIOV_PAGES, 4, 1);
	pci_write(device, cap + SRIOV_BAR0, 4, (uint32_t)registers);
	pci_write(device, cap + SRIOV_BAR0 + 4, 4, 0);
	pci_write(device, cap + SRIOV_BAR0 + 12, 4, (uint32_t)tables);
	pci_write(device, cap + SRIOV_BAR0 + 16, 4, 0);
	where = pci_read(device, cap + SRIOV_OFFSET, 4);
	pci_write(device, cap + SRIOV_CONTROL, 2, SRIOV_VFE_MSE);
	clock_sleep_ns(100000000);
	for (unsigned n = 0; n < VFS; n++) {
		struct pci_device vf = {
			.devfn = (uint8_t)(device->devfn + (where & 0xffff) + n * (where >> 16)),
		};

		pci_enable(&vf);
		vf_tables = tables;
		vf_regs[n].base = registers + n * VF_BAR_STRIDE;
	}
	return true;
}

static uint32_t ask(struct igbvf *vf, uint32_t word, uint32_t second, uint32_t third)
{
	uint32_t message[MAILBOX_WORDS] = {word, second, third};

	return igbvf_ask(vf, message, MAILBOX_WORDS) == STATUS_OK ? message[0] : 0;
}

#define ACKED(word)  ((word) | (uint32_t)(MBX_ACK | MBX_CTS))
#define NACKED(word) ((word) | (uint32_t)(MBX_NACK | MBX_CTS))

static void test_resets(void)
{
	uint32_t before = ask(&(struct igbvf){.regs = vf_regs[0]}, MBX_SET_LPE, 1522, 0);

	check("not-clear-before-reset", before == (MBX_SET_LPE | (uint32_t)MBX_NACK));
	for (unsigned n = 0; n < TALKERS; n++) {
		check("vf-reset", igbvf_reset(&vfs[n], vf_regs[n]) == STATUS_OK &&
					  !memcmp(vfs[n].mac, contracts[n].mac, 6));
	}
	check("reset-without-contract", igbvf_reset(&vfs[4], vf_regs[4]) == STATUS_DENIED);
	check("again", igbvf_reset(&vfs[0], vf_regs[0]) == STATUS_OK);
}

static void test_contract(void)
{
	struct igbvf *vf = &vfs[0];
	uint32_t mine[2] = {0, 0}, other[2] = {0, 0};

	memcpy(mine, contracts[0].mac, 6);
	memcpy(other, contracts[1].mac, 6);
	check("own-mac", ask(vf, MBX_SET_MAC, mine[0], mine[1]) == ACKED(MBX_SET_MAC));
	check("other-mac", ask(vf, MBX_SET_MAC, other[0], other[1]) == NACKED(MBX_SET_MAC));
	check("more-macs", ask(vf, MBX_SET_MAC | 2u << 16, other[0], other[1]) ==
				   NACKED(MBX_SET_MAC | 2u << 16));
	check("clear-macs", ask(vf, MBX_SET_MAC | 1u << 16, 0, 0) == ACKED(MBX_SET_MAC | 1u << 16));
	check("multicast", ask(vf, MBX_SET_MULTICAST | 1u << 16, 0x123, 0) ==
				   ACKED(MBX_SET_MULTICAST | 1u << 16));
	check("multicast-excess", ask(vf, MBX_SET_MULTICAST | 31u << 16, 0, 0) ==
					  NACKED(MBX_SET_MULTICAST | 31u << 16));
	check("vlan-0", ask(vf, MBX_SET_VLAN | 1u << 16, 0, 0) == ACKED(MBX_SET_VLAN | 1u << 16));
	check("vlan-other",
	      ask(vf, MBX_SET_VLAN | 1u << 16, 7, 0) == NACKED(MBX_SET_VLAN | 1u << 16));
	check("vlan-leave", ask(&vfs[2], MBX_SET_VLAN, 7, 0) == NACKED(MBX_SET_VLAN));
	check("frame-size", ask(vf, MBX_SET_LPE, 1522, 0) == ACKED(MBX_SET_LPE));
	check("frame-huge", ask(vf, MBX_SET_LPE, ~0u, 0) == NACKED(MBX_SET_LPE));
	check("promiscuous",
	      ask(vf, MBX_SET_PROMISC | 1u << 16, 0, 0) == NACKED(MBX_SET_PROMISC | 1u << 16));
	check("unknown", ask(vf, 0x77, 0, 0) == NACKED(0x77));
	check("flags-of-an-answer",
	      ask(vf, MBX_SET_LPE | 0xff000000u, 1522, 0) == ACKED(MBX_SET_LPE));
	check("type-in-disguise",
	      ask(vf, MBX_VF_RESET | 1u << 16, 0, 0) == NACKED(MBX_VF_RESET | 1u << 16));
}

static void open_queues(unsigned n)
{
	bool ok = igbvf_queues(&vfs[n], (uint64_t)(uintptr_t)tx_rings[n],
			       (uint64_t)(uintptr_t)rx_rings[n]) == STATUS_OK;

	for (unsigned i = 0; i < 8; i++) {
		igbvf_give(&vfs[n], (uint64_t)(uintptr_t)frames[n][i]);
	}
	check("queues", ok);
}

static unsigned drain(unsigned n, unsigned *size)
{
	unsigned count = 0, length;

	while ((length = igbvf_received(&vfs[n])) && count < IGBVF_RING) {
		*size = length;
		count++;
		igbvf_give(&vfs[n], (uint64_t)(uintptr_t)frames[n][(vfs[n].rx_next + 7) % 16]);
	}
	return count;
}

static bool send(unsigned from, const uint8_t to[6], uint16_t tag, unsigned size)
{
	unsigned at = 12;

	memcpy(outgoing, to, 6);
	memcpy(outgoing + 6, vfs[from].mac, 6);
	if (tag) {
		outgoing[at++] = 0x81;
		outgoing[at++] = 0;
		outgoing[at++] = (uint8_t)(tag >> 8);
		outgoing[at++] = (uint8_t)tag;
	}
	outgoing[at++] = 0x88;
	outgoing[at++] = 0xb5;
	memset(outgoing + at, 0x5a, size - at);
	return igbvf_send(&vfs[from], (uint64_t)(uintptr_t)outgoing, size) == STATUS_OK;
}

/* What the attacker's VF engine rests on: a frame to itself, its payload from a second place. */
static void test_loop(void)
{
	static uint8_t payload[64] __attribute__((aligned(64)));
	unsigned size = 0, slot = vfs[0].rx_next;

	memset(payload, 0x77, sizeof(payload));
	memcpy(outgoing, vfs[0].mac, 6);
	memcpy(outgoing + 6, vfs[0].mac, 6);
	outgoing[12] = 0x88;
	outgoing[13] = 0xb5;
	tx_rings[0][vfs[0].tx_next].read.address = (uint64_t)(uintptr_t)outgoing;
	tx_rings[0][vfs[0].tx_next].read.option = 78u << TXD_PAYLEN_SHIFT;
	tx_rings[0][vfs[0].tx_next].read.command = 14 | TXD_DATA | TXD_DEXT | TXD_IFCS;
	vfs[0].tx_next = (vfs[0].tx_next + 1) % IGBVF_RING;
	check("loop", igbvf_send(&vfs[0], (uint64_t)(uintptr_t)payload, 64) == STATUS_OK);
	check("loop-received", drain(0, &size) == 1 && size == 78);
	check("loop-payload", !memcmp(frames[0][slot % 16] + 14, payload, 64));
}

static void test_traffic(void)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t group[6] = {0x01, 0, 0x5e, 0, 0x30, 0x12};
	unsigned size = 0;

	for (unsigned n = 0; n < TALKERS; n++) {
		open_queues(n);
	}
	check("send", send(0, vfs[1].mac, 0, 60) && drain(1, &size) == 1 && size == 60);
	check("not-to-others", drain(0, &size) == 0 && drain(2, &size) == 0);
	check("full-size", send(1, vfs[0].mac, 0, 1514) && drain(0, &size) == 1 && size == 1514);
	check("oversize", send(1, vfs[0].mac, 0, 1600) && drain(0, &size) == 0);
	check("into-vlan", send(0, vfs[2].mac, 0, 60) && drain(2, &size) == 0);
	check("out-of-vlan", send(2, vfs[0].mac, 0, 60) && drain(0, &size) == 0);
	check("broadcast",
	      send(0, broadcast, 0, 60) && drain(1, &size) == 1 && drain(2, &size) == 0);
	drain(0, &size);
	drain(0, &size);
	check("inside-vlan", send(2, vfs[3].mac, 0, 60) && drain(3, &size) == 1 && size == 60);
	check("vlan-broadcast", send(2, broadcast, 0, 60) && drain(3, &size) == 1 &&
					drain(0, &size) == 0 && drain(1, &size) == 0);
	drain(2, &size);
	/* VF 0 joined the group of hash 0x123 (bytes 4 and 5 of the address) in test_contract. */
	check("multicast-member", send(1, group, 0, 60) && drain(0, &size) == 1);
	check("multicast-other", send(0, group, 0, 60) && drain(1, &size) == 0);
	drain(0, &size);
	check("jumbo-asked", ask(&vfs[0], MBX_SET_LPE, 1700, 0) == ACKED(MBX_SET_LPE) &&
				     send(1, vfs[0].mac, 0, 1600) && drain(0, &size) == 1 &&
				     size == 1600);
}

/* Vectors 0 and 1 of VF 1 become LPIs 0 and 1. Its BARs are not in its header, hence by hand. */
static void route_vectors(const struct pci_device *vf)
{
	uint16_t cap = pci_capability(vf, CAP_MSIX);

	check("its", its_start() == STATUS_OK);
	check("its-map", its_map_device(pci_device_id(vf), 5) == STATUS_OK);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t entry = vf_tables + VF_BAR_STRIDE + 16ull * i;

		check("its-event", its_map_event(pci_device_id(vf), (event_id_t){i},
						 LPI_FIRST + i) == STATUS_OK);
		arch_mmio_write32(entry, (uint32_t)DOORBELL);
		arch_mmio_write32(entry + 4, 0);
		arch_mmio_write32(entry + 8, i);
		arch_mmio_write32(entry + 12, 0);
	}
	pci_write(vf, cap + 2, 2, 0x8000);
}

static void test_interrupts(const struct pci_device *pf_device)
{
	struct pci_device vf = {.devfn = (uint8_t)(pf_device->devfn + 0x82)};
	unsigned size;
	uint32_t first, second;

	route_vectors(&vf);
	check("reset-for-vectors", igbvf_reset(&vfs[1], vf_regs[1]) == STATUS_OK);
	open_queues(1);
	/* The last owner used vector 1 for its receive queue. */
	mmio_write32(vf_regs[1], IGB_IVAR0, (uint32_t)IVAR_VALID | 1);
	check("reset-of-vectors", igbvf_reset(&vfs[1], vf_regs[1]) == STATUS_OK);
	open_queues(1);
	igbvf_interrupts(&vfs[1]);
	mmio_write32(vf_regs[1], IGBVF_EIMS, 7);
	first = irq_count(LPI_FIRST);
	second = irq_count(LPI_FIRST + 1);
	check("interrupt", send(0, vfs[1].mac, 0, 60) && drain(1, &size) == 1 &&
				   irq_count(LPI_FIRST) == first + 1);
	check("no-stale-vector", irq_count(LPI_FIRST + 1) == second);
	igbvf_fire(&vfs[1]);
	check("by-software", irq_count(LPI_FIRST) == first + 2);
}

static void test_hostile(void)
{
	uint32_t reset = MBX_VF_RESET, junk = 0x12345678;
	unsigned size;

	/* Keeping the buffer: the service takes it back and serves on. */
	mmio_write32(vf_regs[1], IGBVF_MAILBOX, (uint32_t)(V2P_VFU | V2P_REQ));
	clock_sleep_ns(20000000);
	check("others-while-held", ask(&vfs[0], MBX_SET_LPE, 1522, 0) == ACKED(MBX_SET_LPE));
	clock_sleep_ns(200000000);
	check("taken-back", !(mmio_read32(vf_regs[1], IGBVF_MAILBOX) & V2P_VFU));
	check("usable-again", ask(&vfs[1], MBX_SET_LPE, 1522, 0) == ACKED(MBX_SET_LPE));
	/* A flood by one VF leaves another's answer within its time. */
	for (unsigned i = 0; i < 200; i++) {
		igbvf_post(&vfs[1], i & 1 ? &junk : &reset, 1);
		if (i == 100) {
			uint64_t start = clock_ns();

			check("served-in-a-flood",
			      ask(&vfs[0], MBX_SET_LPE, 1522, 0) == ACKED(MBX_SET_LPE) &&
				      clock_ns() - start < 50000000);
		}
		clock_sleep_ns(200000);
	}
	clock_sleep_ns(20000000);
	check("vf-after-flood", igbvf_reset(&vfs[1], vf_regs[1]) == STATUS_OK);
	/* A VF that was reset receives nothing until it says so. */
	open_queues(1);
	check("receives", send(0, vfs[1].mac, 0, 60) && drain(1, &size) == 1);
	mmio_write32(vf_regs[1], IGB_CTRL, (uint32_t)CTRL_RST);
	clock_sleep_ns(20000000);
	mmio_write32(vf_regs[1], IGBVF_RXDCTL, (uint32_t)DCTL_ENABLE);
	check("silent-after-reset", send(0, vfs[1].mac, 0, 60) && drain(1, &size) == 0);
	check("nack-after-reset",
	      ask(&vfs[1], MBX_SET_LPE, 1522, 0) == (MBX_SET_LPE | (uint32_t)MBX_NACK));
}

/* Everything the contract decides, as the PF's registers hold it. */
static uint32_t contract_state(void)
{
	static const struct {
		reg32_t first;
		unsigned count;
		uint32_t mask;
	} kept[] = {
		{{0x5400}, 32, ~0u},  /* RAL, RAH */
		{{0x3700}, 8, ~0u},   /* VMVIR */
		{{0x5d00}, 32, ~0u},  /* VLVF */
		{{0x5600}, 128, ~0u}, /* VFTA */
		{{0x5ad0}, 8, ~(uint32_t)(VMOLR_ROMPE | VMOLR_LPE | VMOLR_RLPML)},
		{{0x5818}, 2, ~0u}, /* MRQC, VT_CTL */
		{{0x3500}, 1, ~0u}, /* DTXSWC */
		{{0x0100}, 1, ~0u}, /* RCTL */
		{{0x5af0}, 1, ~0u}, /* RPLOLR */
	};
	uint32_t hash = 2166136261u;

	for (unsigned i = 0; i < ARRAY_SIZE(kept); i++) {
		for (unsigned k = 0; k < kept[i].count; k++) {
			uint32_t word = mmio_read32(pf.regs, reg32_nth(kept[i].first, k, 4));

			hash = (hash ^ (word & kept[i].mask)) * 16777619u;
		}
	}
	return hash;
}

static void test_fuzz(void)
{
	uint32_t before = contract_state(), seed = 1, message[MAILBOX_WORDS];
	bool others_served = true;

	for (unsigned i = 0; i < 600; i++) {
		for (unsigned k = 0; k < MAILBOX_WORDS; k++) {
			message[k] = seed = seed * 1664525 + 1013904223;
		}
		/* Mostly a known type, with junk around it. */
		message[0] = i & 3 ? (message[0] & ~0xffffu) | (message[0] >> 20 & 7) : message[0];
		igbvf_post(&vfs[1], message, MAILBOX_WORDS);
		mmio_write32(vf_regs[1], IGBVF_MAILBOX, message[1] & 0xf);
		if (i % 100 == 0) {
			others_served &= ask(&vfs[0], MBX_SET_LPE, 1522, 0) == ACKED(MBX_SET_LPE);
		}
		clock_sleep_ns(1100000);
	}
	clock_sleep_ns(200000000);
	check("fuzz-others-served", others_served);
	check("fuzz-contract-kept", contract_state() == before);
	check("fuzz-recovers", igbvf_reset(&vfs[1], vf_regs[1]) == STATUS_OK &&
				       !memcmp(vfs[1].mac, contracts[1].mac, 6));
}

/* The service starts anew while VFs run: they must learn of it, and work again after a reset. */
static void test_restart(void)
{
	uint32_t mailbox, word;

	check("clear-before-restart", igbvf_reset(&vfs[0], vf_regs[0]) == STATUS_OK);
	__atomic_store_n(&pause, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < 100 && !__atomic_load_n(&paused, __ATOMIC_ACQUIRE); i++) {
		clock_sleep_ns(1000000);
	}
	check("restart", pf_setup(&pf, pf.regs, contracts, IGB_VF_MAX) == STATUS_OK);
	mailbox = mmio_read32(vf_regs[0], IGBVF_MAILBOX);
	check("restart-seen", mailbox & V2P_RSTD);
	__atomic_store_n(&pause, false, __ATOMIC_RELEASE);
	clock_sleep_ns(900000000);
	mailbox = mmio_read32(vf_regs[0], IGBVF_MAILBOX);
	word = mmio_read32(vf_regs[0], IGB_VMBMEM);
	check("told-to-reset", (mailbox & V2P_PFSTS) && (word & MBX_NACK) && !(word & MBX_CTS));
	check("link-again", mmio_read32(vf_regs[0], IGB_STATUS) & STATUS_LINK_UP);
	for (unsigned n = 0; n < 2; n++) {
		check("reset-after-restart", igbvf_reset(&vfs[n], vf_regs[n]) == STATUS_OK);
		open_queues(n);
	}
	check("traffic-after-restart", send(0, vfs[1].mac, 0, 60) && drain(1, &word) == 1);
}

static void test_probe(void)
{
	struct probe_result there = probe_read(0x40080000, 4), gone = probe_read(0x3000, 8);
	struct probe_result hole = probe_write(0x7f00000000, 4, 0);

	(void)gone;
	check("probe-ram", !there.faulted);
	check("probe-hole", hole.faulted && hole.far == 0x7f00000000);
}

void guest_main(void)
{
	struct pci_device device;
	uint64_t bar;

	test_probe();
	if (!pci_find(IGB_VENDOR, IGB_DEVICE_PF, 0, &device) || !(bar = pci_bar(&device, 0))) {
		say("@selftest no igb");
		return;
	}
	pci_enable(&device);
	check("sriov", enable_vfs(&device));
	check("pf-setup", pf_setup(&pf, (mmio_t){bar}, contracts, IGB_VF_MAX) == STATUS_OK);
	check("core-1", core_start(1, serve, NULL) == STATUS_OK);
	for (unsigned i = 0; i < 200 && !(mmio_read32(vf_regs[0], IGB_STATUS) & STATUS_LINK_UP);
	     i++) {
		clock_sleep_ns(10000000);
	}
	test_resets();
	test_contract();
	test_traffic();
	test_loop();
	test_interrupts(&device);
	test_hostile();
	test_fuzz();
	test_restart();
	test_verify(&pf);
	say("@done failed=%u", failed);
}
