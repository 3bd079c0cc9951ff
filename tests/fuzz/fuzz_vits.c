/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random guest command queues and register writes against the virtual ITS, with devices coming and
 * going meanwhile. Invariants, checked at every physical command: it names a device, an event and a
 * vPE of the partition whose guest is being served, and MAPD and VMAPP come from no guest. After
 * every step: the work was bounded, the ITS model has no complaint, the neighbour's route stands.
 *
 * Deterministic: fuzz_vits [SEED [STEPS]].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/irq-route/gic/irq_rig.h"

#define STEPS	  200000u
#define COST_MAX  (256u + 2 * IRQ_PARTITION_MAX_DEVICES * IRQ_DEVICE_MAX_EVENTS + GUEST_MAX_VCPUS)
#define HOSTILE	  0u
#define NEIGHBOUR 1u
#define DEVICES	  6u /* 0x300.. come and go, as the guest's 0x10.. */

static uint64_t random_state;
static bool guest_running;
static unsigned step;

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1dull;
}

static uint64_t below(uint64_t limit)
{
	return (random64() >> 16) % limit;
}

static void fail(const char *what, uint64_t a, uint64_t b)
{
	fprintf(stderr, "fuzz_vits: step %u: %s (0x%llx, 0x%llx)\n", step, what,
		(unsigned long long)a, (unsigned long long)b);
	exit(1);
}

/* --- invariants --------------------------------------------------------------------------------
 */

static void check_device(const struct model_its_command *command)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		const struct irq_device *device = &rig_partitions[HOSTILE].devices[i];

		if (device->bound && device->device.v == command->device) {
			if (command->event >= device->event_limit) {
				fail("an event beyond the ITT", command->device, command->event);
			}
			return;
		}
	}
	fail("a device of somebody else", command->opcode, command->device);
}

static void check_vpe(const struct model_its_command *command)
{
	for (unsigned vcpu = 0; vcpu < RIG_VCPUS; vcpu++) {
		if (rig_vpe(HOSTILE, vcpu) == command->vpe) {
			return;
		}
	}
	fail("a vPE of somebody else", command->opcode, command->vpe);
}

/* The machine has no GICv4: MAPTI and MOVI to cores of the partition, and what is taken there. */
static bool injected;

static bool is_core_of(unsigned p, unsigned core)
{
	return core == rig_partitions[p].vpes[0].core || core == rig_partitions[p].vpes[1].core;
}

static void watch_injected(const struct model_its_command *command)
{
	switch (command->opcode) {
	case ITS_SYNC:
		if (!is_core_of(HOSTILE, command->core)) {
			fail("a core of somebody else", command->opcode, command->core);
		}
		break;
	case ITS_MAPTI:
	case ITS_MOVI:
	case ITS_INT:
	case ITS_CLEAR:
	case ITS_INV:
	case ITS_DISCARD:
		check_device(command);
		break;
	default:
		fail("no guest's command to give", command->opcode, command->device);
	}
}

static void watch(void *context, const struct model_its_command *command)
{
	(void)context;
	if (!guest_running) {
		return;
	}
	if (injected) {
		watch_injected(command);
		return;
	}
	switch (command->opcode) {
	case ITS_INT:
	case ITS_CLEAR:
	case ITS_INV:
	case ITS_DISCARD:
		check_device(command);
		break;
	case ITS_VMAPTI:
	case ITS_VMOVI:
		check_device(command);
		check_vpe(command);
		break;
	case ITS_VSYNC:
	case ITS_VINVALL:
		check_vpe(command);
		break;
	default:
		fail("no guest's command to give", command->opcode, command->device);
	}
}

/* Takes everything; it is pending in its own partition's slot, on its own vCPU. */
static bool lands_injected(unsigned p, const struct irq_device *device, uint32_t event,
			   const struct model_its_delivery *delivery)
{
	const struct irq_partition *partition = &rig_partitions[p];
	unsigned slot = (unsigned)(device - partition->devices) * IRQ_DEVICE_MAX_EVENTS + event;
	const struct hv_host_lpi *lpi = hv_host_lpi(partition->owner, slot);
	const struct irq_event *entry = &partition->events[slot];

	for (unsigned core = 0; core < 4; core++) {
		irq_route_alarm(core); /* too often is not what this is about */
	}
	for (unsigned core = 0; core < 4; core++) {
		rig_take(core);
	}
	return delivery->physical && is_core_of(p, delivery->vpe) && lpi->pending &&
	       lpi->intid == entry->vlpi && lpi->vcpu == entry->vcpu &&
	       partition->vpes[entry->vcpu].core == delivery->vpe;
}

/* Whatever a device of either partition sends lands in its own partition, or nowhere. */
static void check_deliveries(void)
{
	for (unsigned p = 0; p < RIG_PARTITIONS; p++) {
		for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
			const struct irq_device *device = &rig_partitions[p].devices[i];
			uint32_t event = (uint32_t)below(IRQ_DEVICE_MAX_EVENTS);
			struct model_its_delivery delivery;

			if (!device->bound) {
				continue;
			}
			delivery = model_its_msi(device->device.v, event);
			if (!delivery.dropped &&
			    (injected ? !lands_injected(p, device, event, &delivery)
				      : delivery.vpe != rig_vpe(p, 0) &&
						delivery.vpe != rig_vpe(p, 1))) {
				fail("an interrupt in the wrong partition", device->device.v,
				     event);
			}
			if (!delivery.dropped &&
			    !rig_partitions[p].events[i * IRQ_DEVICE_MAX_EVENTS + event].routed) {
				fail("an interrupt nobody mapped", device->device.v, event);
			}
		}
	}
	if (injected ? !rig_lpi(NEIGHBOUR, 1)->intid : !rig_lands(NEIGHBOUR, 1, 0, RIG_VLPI + 1)) {
		fail("the neighbour's route is gone", 0, 0);
	}
}

/* --- what the guest does -------------------------------------------------------------------------
 */

static uint64_t some_device(void)
{
	switch (below(16)) {
	case 0:
		return random64();
	case 1:
		return RIG_DEVICE(NEIGHBOUR).v;
	case 2:
		return below(0x400);
	default:
		return below(2) ? RIG_VIRTUAL : 0x10 + below(DEVICES);
	}
}

static uint64_t some_number(uint64_t usual)
{
	switch (below(12)) {
	case 0:
		return random64();
	case 1:
		return UINT32_MAX;
	case 2:
		return usual;
	default:
		return below(usual);
	}
}

/* Mostly small: devices have few events. */
static uint64_t some_event(void)
{
	return below(4) ? below(4) : some_number(IRQ_DEVICE_MAX_EVENTS);
}

static void some_command(uint64_t *word)
{
	static const unsigned opcodes[] = {
		ITS_MOVI,   ITS_INT,	 ITS_CLEAR,  ITS_SYNC,	      ITS_MAPD, ITS_MAPC,
		ITS_MAPTI,  ITS_MAPTI,	 ITS_MAPTI,  0x0b /* MAPI */, ITS_INV,	ITS_INVALL,
		ITS_MOVALL, ITS_DISCARD, ITS_VMAPTI, ITS_VMAPP,	      ITS_VMOVI};
	uint64_t opcode = below(16) ? opcodes[below(ARRAY_SIZE(opcodes))] : random64();

	if (!below(32)) {
		for (unsigned i = 0; i < 4; i++) {
			word[i] = random64();
		}
		return;
	}
	word[0] = (opcode & 0xff) | some_device() << 32;
	word[1] = (some_event() & UINT32_MAX) | (8192 + some_number(64)) << 32;
	word[2] = (some_number(4) & 0xffff) | (some_number(RIG_VCPUS) & 0xffff) << 16 |
		  (uint64_t)(below(4) != 0) << 63;
	word[3] = (some_number(RIG_VCPUS) & 0xffff) << 16;
}

static void guest_queue(struct irq_partition *partition)
{
	uint64_t writer = vits_read(partition, 0x88, 8);

	for (uint64_t n = below(24); n-- > 0;) {
		uint64_t words[4];

		some_command(words);
		memcpy(rig_ram(HOSTILE, RIG_QUEUE + writer % RIG_QUEUE_SIZE), words, sizeof(words));
		writer = (writer + sizeof(words)) % RIG_QUEUE_SIZE;
	}
	vits_write(partition, 0x88, below(2) ? 8 : 4, writer | (below(8) == 0));
}

static void guest_register(struct irq_partition *partition)
{
	static const uint32_t offsets[] = {0,	 4,	8,     0x80,  0x84,  0x88,  0x8c,  0x90,
					   0x94, 0x100, 0x104, 0x108, 0x10c, 0x110, 0xffe8};
	uint32_t offset = below(8) ? offsets[below(ARRAY_SIZE(offsets))] : (uint32_t)below(0x10000);

	vits_write(partition, offset, 1u << below(5), random64());
	(void)vits_read(partition, offset, 1u << below(5));
}

static void guest_redistributor(struct irq_partition *partition)
{
	unsigned vcpu = (unsigned)below(3);

	vredist_lpi_enable(partition, vcpu, below(2));
	if (!below(4)) {
		vredist_lpi_write(partition, 0, GICR_PROPBASER.offset, 8,
				  below(2) ? random64() : RIG_PROPERTY | 13);
		vredist_lpi_write(partition, vcpu, GICR_PENDBASER.offset, 8, random64());
	}
	rig_property(HOSTILE, 8192 + (uint32_t)below(128), (uint8_t)random64());
}

static void guest_step(void)
{
	struct irq_partition *partition = &rig_partitions[HOSTILE];
	uint64_t before = rig_physical_commands();

	guest_running = true;
	switch (below(64)) {
	case 0:
		guest_register(partition);
		break;
	case 1:
		vits_write(partition, 0, 4, 0);
		rig_guest_boot(HOSTILE);
		break;
	case 2:
		guest_redistributor(partition);
		break;
	case 3:
		(void)vits_read(partition, 0x90, 8);
		break;
	default:
		guest_queue(partition);
		break;
	}
	guest_running = false;
	/* rig_guest_boot() is a handful of accesses, each with its own bound. */
	if (rig_physical_commands() - before > 4 * COST_MAX) {
		fail("too much work for one step", rig_physical_commands() - before, 0);
	}
}

/* --- what the hypervisor does
 * ---------------------------------------------------------------------- */

static void reboot(struct irq_partition *partition)
{
	rig_guest_residency(HOSTILE, false);
	if (irq_partition_reset(partition, hv_pause) != STATUS_OK) {
		fail("reset failed", 0, 0);
	}
	for (unsigned vcpu = 0; vcpu < RIG_VCPUS; vcpu++) {
		if (injected ? hv_host_lpis_pending(partition->owner, vcpu)
			     : model_its_pending_count(rig_vpe(HOSTILE, vcpu))) {
			fail("pending after a reset", vcpu, 0);
		}
	}
	rig_guest_residency(HOSTILE, true);
	rig_guest_boot(HOSTILE);
}

static void host_step(void)
{
	struct irq_partition *partition = &rig_partitions[HOSTILE];
	uint32_t n = (uint32_t)below(DEVICES);
	device_id_t device = {0x300 + n};

	if (!below(8)) {
		reboot(partition);
	} else if (irq_device_unbind(partition, device, hv_pause) == STATUS_OK) {
		if (model_its_device_mapped(device.v)) {
			fail("mapped after unbind", device.v, 0);
		}
	} else if (irq_device_bind(partition, device, (device_id_t){0x10 + n},
				   1 + (unsigned)below(IRQ_DEVICE_MAX_EVENTS)) != STATUS_OK) {
		fail("bind failed", device.v, 0);
	}
}

static void run(uint64_t seed, unsigned steps, const struct model_its_config *config)
{
	random_state = seed * 2 + 1;
	injected = config->no_virtual;
	rig_start_with(config);
	rig_guest_usual(NEIGHBOUR);
	rig_guest_usual(HOSTILE);
	model_its_watch(watch, NULL);
	for (step = 0; step < steps; step++) {
		if (below(24)) {
			guest_step();
		} else {
			host_step();
		}
		if (!below(8)) {
			check_deliveries();
		}
		if (model_its_complaints()) {
			fail(model_its_first_complaint(), 0, 0);
		}
	}
	printf("fuzz_vits%s: seed 0x%llx: %u steps, %llu guest commands (%llu refused), %llu "
	       "physical\n",
	       injected ? " (injected)" : "", (unsigned long long)seed, steps,
	       (unsigned long long)rig_partitions[HOSTILE].counters.commands,
	       (unsigned long long)rig_partitions[HOSTILE].counters.refused,
	       (unsigned long long)rig_physical_commands());
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 0x5eed;
	unsigned steps = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : STEPS;

	run(seed, steps, &(struct model_its_config){.cores = 4, .page_code = 3});
	run(seed, steps / 2,
	    &(struct model_its_config){
		    .cores = 4, .page_code = 3, .no_virtual = true, .no_vlpis = true});
	return 0;
}
