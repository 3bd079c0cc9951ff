/* SPDX-License-Identifier: BSD-2-Clause */
#include "irq_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct irq_partition rig_partitions[RIG_PARTITIONS];
struct arena rig_arena;
unsigned rig_storms;

static unsigned char tables[IRQ_ROUTE_ARENA_SIZE] __attribute__((aligned(65536)));
static unsigned char ram[RIG_PARTITIONS][RIG_RAM_SIZE] __attribute__((aligned(4096)));
static const struct model_its_config usual = {.cores = 4, .page_code = 3};

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "rig: %s\n", what);
		abort();
	}
}

static volatile void *ram_at(void *context, ipa_t ipa, size_t size)
{
	unsigned char *base = context;

	return range_inside(ipa.v, size, GUEST_RAM_BASE, RIG_RAM_SIZE)
		       ? base + (ipa.v - GUEST_RAM_BASE)
		       : NULL;
}

unsigned char *rig_ram(unsigned p, uint64_t ipa)
{
	return &ram[p][ipa - GUEST_RAM_BASE];
}

static void storm(partition_id_t partition, device_id_t device)
{
	must(device.v == RIG_DEVICE(partition.v).v, "the storm is another's");
	rig_storms++;
}

enum status rig_machine(const struct model_its_config *config)
{
	struct irq_route_config route = {.its = {MODEL_ITS_BASE},
					 .cores = config->cores,
					 .device_bits = 16,
					 .sink = {hv_lpi_route, hv_lpi_clear, hv_alarm, storm},
					 .tables = &rig_arena};

	models_reset();
	hv_host_reset();
	rig_storms = 0;
	model_its_start(config);
	memset(tables, 0xee, sizeof(tables));
	memset(ram, 0, sizeof(ram));
	rig_arena = (struct arena){.base = tables, .size = sizeof(tables)};
	for (unsigned core = 0; core < config->cores; core++) {
		route.redistributors[core].base = MODEL_GICR_BASE + core * MODEL_GICR_STRIDE;
	}
	return irq_route_init(&route);
}

void rig_start_with(const struct model_its_config *config)
{
	must(rig_machine(config) == STATUS_OK, "irq_route_init");
	for (unsigned core = 0; core < config->cores; core++) {
		must(irq_route_core_init(core) == STATUS_OK, "irq_route_core_init");
	}
	for (unsigned p = 0; p < RIG_PARTITIONS; p++) {
		struct guest_memory memory = {.context = ram[p], .at = ram_at};
		unsigned cores[RIG_VCPUS] = {2 * p, 2 * p + 1};

		must(irq_partition_init(&rig_partitions[p], (partition_id_t){(uint8_t)p}, &memory,
					RIG_VCPUS, cores) == STATUS_OK,
		     "irq_partition_init");
		must(irq_device_bind(&rig_partitions[p], RIG_DEVICE(p), (device_id_t){RIG_VIRTUAL},
				     RIG_VECTORS) == STATUS_OK,
		     "irq_device_bind");
		rig_guest_residency(p, true);
		rig_guest_boot(p);
	}
	rig_check();
}

void rig_start(void)
{
	rig_start_with(&usual);
}

void rig_check(void)
{
	must(!model_its_complaints(), "the model complained");
	must(!hv_host_violations(), hv_host_violation());
}

void rig_guest_residency(unsigned p, bool resident)
{
	for (unsigned vcpu = 0; vcpu < RIG_VCPUS; vcpu++) {
		must((resident ? irq_vcpu_resident(&rig_partitions[p], vcpu)
			       : irq_vcpu_nonresident(&rig_partitions[p], vcpu)) == STATUS_OK,
		     "residency");
	}
}

void rig_guest_boot(unsigned p)
{
	struct irq_partition *partition = &rig_partitions[p];

	vits_write(partition, 0x100, 8, GITS_TABLE_VALID | (GUEST_RAM_BASE + 0x80000));
	vits_write(partition, 0x108, 8, GITS_TABLE_VALID | (GUEST_RAM_BASE + 0x90000));
	vits_write(partition, 0x80, 8, GITS_TABLE_VALID | RIG_QUEUE | (RIG_QUEUE_SIZE / 4096 - 1));
	vits_write(partition, 0x88, 8, 0);
	vits_write(partition, 0, 4, 1);
	vredist_lpi_write(partition, 0, GICR_PROPBASER.offset, 8,
			  RIG_PROPERTY | (IRQ_LPI_BITS - 1));
	for (unsigned vcpu = 0; vcpu < RIG_VCPUS; vcpu++) {
		vredist_lpi_enable(partition, vcpu, true);
	}
}

bool rig_command(unsigned p, struct its_command command)
{
	struct irq_partition *partition = &rig_partitions[p];
	uint64_t writer = vits_read(partition, 0x88, 8);

	memcpy(rig_ram(p, RIG_QUEUE + writer), &command, sizeof(command));
	writer = (writer + sizeof(command)) % RIG_QUEUE_SIZE;
	vits_write(partition, 0x88, 8, writer);
	for (unsigned i = 0; i < 16; i++) {
		if (vits_read(partition, 0x90, 8) == writer) {
			return true;
		}
	}
	return false;
}

bool rig_mapd(unsigned p, uint32_t device, unsigned bits, bool valid)
{
	struct its_command command = its_mapd((device_id_t){device}, bits, (pa_t){0x40000});

	if (!valid) {
		command.word[2] = 0;
	}
	return rig_command(p, command);
}

bool rig_mapc(unsigned p, unsigned collection, unsigned vcpu, bool valid)
{
	struct its_command command = its_mapc(collection, vcpu);

	if (!valid) {
		command.word[2] &= ~ITS_W2_VALID;
	}
	return rig_command(p, command);
}

bool rig_event(unsigned p, unsigned opcode, uint32_t device, uint32_t event)
{
	return rig_command(p,
			   its_event_command(opcode, (device_id_t){device}, (event_id_t){event}));
}

bool rig_mapti(unsigned p, uint32_t device, uint32_t event, uint32_t vlpi, unsigned collection)
{
	struct its_command command =
		its_event_command(ITS_MAPTI, (device_id_t){device}, (event_id_t){event});

	command.word[1] |= (uint64_t)vlpi << 32;
	command.word[2] = collection;
	return rig_command(p, command);
}

bool rig_movi(unsigned p, uint32_t device, uint32_t event, unsigned collection)
{
	struct its_command command =
		its_event_command(ITS_MOVI, (device_id_t){device}, (event_id_t){event});

	command.word[2] = collection;
	return rig_command(p, command);
}

bool rig_movall(unsigned p, unsigned from, unsigned to)
{
	struct its_command command = {{ITS_MOVALL, 0, (uint64_t)from << 16, (uint64_t)to << 16}};

	return rig_command(p, command);
}

bool rig_invall(unsigned p, unsigned collection)
{
	return rig_command(p, its_invall(collection));
}

void rig_property(unsigned p, uint32_t vlpi, uint8_t value)
{
	*rig_ram(p, RIG_PROPERTY + vlpi - LPI_FIRST) = value;
}

void rig_guest_usual(unsigned p)
{
	for (unsigned vcpu = 0; vcpu < RIG_VCPUS; vcpu++) {
		must(rig_mapc(p, vcpu, vcpu, true), "MAPC");
	}
	must(rig_mapd(p, RIG_VIRTUAL, 2, true), "MAPD");
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		rig_property(p, RIG_VLPI + event, 0xa1);
		must(rig_mapti(p, RIG_VIRTUAL, event, RIG_VLPI + event, 0), "MAPTI");
		must(rig_event(p, ITS_INV, RIG_VIRTUAL, event), "INV");
	}
	must(!rig_refused(p), "a usual command was refused");
}

uint16_t rig_vpe(unsigned p, unsigned vcpu)
{
	return rig_partitions[p].vpes[vcpu].id;
}

uint64_t rig_refused(unsigned p)
{
	return rig_partitions[p].counters.refused;
}

bool rig_lands(unsigned p, uint32_t event, unsigned vcpu, uint32_t vlpi)
{
	struct model_its_delivery delivery = model_its_msi(RIG_DEVICE(p).v, event);

	return !delivery.dropped && delivery.vpe == rig_vpe(p, vcpu) && delivery.vlpi == vlpi &&
	       model_its_pending(delivery.vpe, vlpi);
}

unsigned rig_take(unsigned core)
{
	unsigned taken = 0;

	for (uint32_t intid; (intid = model_its_acknowledge(core)) != 1023; taken++) {
		hv_host_lpi_taken(irq_route_taken(core, intid));
	}
	return taken;
}

const struct hv_host_lpi *rig_lpi(unsigned p, unsigned event)
{
	return hv_host_lpi((partition_id_t){(uint8_t)p}, event);
}

uint64_t rig_physical_commands(void)
{
	uint64_t count = 0;

	for (unsigned opcode = 0; opcode < 64; opcode++) {
		count += model_its_count(opcode);
	}
	return count;
}
