/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "hv_host.h"
#include "model_smmu.h"

struct fixture fixture;
struct config fixture_config;
struct core cores[ARCH_MAX_CORES];
unsigned core_count;

static struct core *current;
static jmp_buf end;
static unsigned char memory[4 * MIB(2)] __attribute__((aligned(2097152)));
static unsigned char roots[16];

/* --- arch.h ---------------------------------------------------------------------------------- */

struct core *this_core(void)
{
	return current;
}

void core_kick(unsigned core)
{
	assert_true(core < ARCH_MAX_CORES);
	fixture.kicks[core]++;
}

static enum status note(struct stage2_call call)
{
	enum status status = fixture.next_status;

	fixture.next_status = STATUS_OK;
	if (fixture.call_count < FIXTURE_CALLS) {
		fixture.calls[fixture.call_count++] = call;
	}
	return status;
}

void *stage2_new_root(void)
{
	return fixture.roots_left ? &roots[--fixture.roots_left] : NULL;
}

enum status stage2_map(void *root, ipa_t ipa, pa_t pa, uint64_t size, enum stage2_kind kind)
{
	return note((struct stage2_call){S2_MAP, root, ipa.v, pa.v, size, kind});
}

void stage2_share(void *to, const void *from, ipa_t ipa, uint64_t size)
{
	(void)from;
	(void)!note((struct stage2_call){S2_SHARE, to, ipa.v, 0, size, 0});
}

void stage2_unmap(void *root, ipa_t ipa, uint64_t size, vmid_t vmid)
{
	(void)vmid;
	(void)!note((struct stage2_call){S2_UNMAP, root, ipa.v, 0, size, 0});
}

unsigned stage2_tables_used(void)
{
	return 0;
}

void arch_publish_code(void)
{
}

_Noreturn void firmware_power_off(bool failed)
{
	fixture.powered_off = true;
	fixture.failed = failed;
	longjmp(end, 1);
}

bool fixture_ends(void (*call)(void *), void *context)
{
	if (setjmp(end)) {
		return true;
	}
	call(context);
	return false;
}

/* --- the parts that do know an architecture ----------------------------------------------------
 */

void vgic_set_line(struct partition *partition, unsigned intid, bool level)
{
	(void)partition;
	assert_true(intid >= 32 && intid < VGIC_INTIDS);
	fixture.line[intid] = level;
}

void vgic_cpu_stop(struct vcpu *vcpu)
{
	(void)vcpu;
}

void report_print(void)
{
	fixture.reports++;
}

void console_line(const char *owner, const char *text)
{
	snprintf(fixture.console[fixture.console_lines++ % 8], sizeof(fixture.console[0]), "%s|%s",
		 owner, text);
}

/* --- the joint's hooks -------------------------------------------------------------------------
 */

static enum status start(partition_id_t partition)
{
	(void)partition;
	fixture.starts++;
	return fixture.start_status;
}

static void stop(partition_id_t partition)
{
	(void)partition;
	fixture.stops++;
}

static void vcpu_moves(partition_id_t partition, unsigned vcpu)
{
	(void)partition;
	assert_true(vcpu < GUEST_MAX_VCPUS);
}

static uint64_t lpi_read(partition_id_t partition, unsigned vcpu, uint32_t offset)
{
	(void)partition;
	assert_true(vcpu < fixture_config.partitions[0].vcpus);
	assert_true(offset >= 0x70 && offset < 0x80);
	fixture.lpi_calls++;
	return fixture.lpi[vcpu][(offset - 0x70) / 8];
}

static void lpi_write(partition_id_t partition, unsigned vcpu, uint32_t offset, uint64_t value,
		      unsigned size)
{
	(void)lpi_read(partition, vcpu, offset);
	if (size == 8) {
		fixture.lpi[vcpu][(offset - 0x70) / 8] = value;
	}
}

static void lpi_enable(partition_id_t partition, unsigned vcpu, bool enable)
{
	(void)enable;
	vcpu_moves(partition, vcpu);
	fixture.lpi_calls++;
}

/* --- the SMMU -------------------------------------------------------------------------------- */

#define SMMU_BASE 0x9050000

void fixture_smmu(bool stage1)
{
	static struct model_smmu device;

	model_smmu_add(&device, SMMU_BASE);
	device.idr0 &= stage1 ? ~1u : ~0u;
	assert_int_equal(iommu_block_all((mmio_t){SMMU_BASE}), STATUS_OK);
	assert_int_equal(iommu_stage1(), stage1);
}

/* --- set-up ---------------------------------------------------------------------------------- */

void fixture_core(unsigned number)
{
	current = &cores[number];
}

void fixture_reset(unsigned count)
{
	models_reset();
	fixture_smmu(false);
	hv_host_reset();
	memset(&fixture, 0, sizeof(fixture));
	memset(cores, 0, sizeof(cores));
	memset(partitions, 0, sizeof(partitions));
	memset(&fixture_config, 0, sizeof(fixture_config));
	partition_count = 0;
	fixture.roots_left = sizeof(roots);
	core_count = 8;
	fixture_core(0);
	partition_hooks = (struct hv_hooks){.partition_start = start,
					    .partition_stop = stop,
					    .vcpu_enter = vcpu_moves,
					    .vcpu_leave = vcpu_moves,
					    .lpi_read = lpi_read,
					    .lpi_write = lpi_write,
					    .lpi_enable = lpi_enable};
	fixture_config.partition_count = count;
	for (unsigned i = 0; i < count; i++) {
		struct partition_config *config = &fixture_config.partitions[i];

		snprintf(config->name, sizeof(config->name), "p%u", i);
		config->vcpus = 2;
		config->cores[0] = 2 * i;
		config->cores[1] = 2 * i + 1;
		config->memory_size = MIB(2);
		config->images[IMAGE_KERNEL].load.v = config->entry.v = GUEST_RAM_BASE;
		config->images[IMAGE_DTB].load.v = GUEST_RAM_BASE + KIB(64);
		strcpy(config->images[IMAGE_KERNEL].name, "kernel");
		strcpy(config->images[IMAGE_DTB].name, config->name);
	}
}

void fixture_partitions(unsigned count)
{
	static const char image = 'x';
	struct ranges memory_left = {.ranges = {{pa_of(memory).v, sizeof(memory)}}, .count = 1};

	fixture_reset(count);
	partitions_init(&fixture_config, &memory_left, (pa_t){GUEST_ITS_DOORBELL});
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(partitions[i].state, PARTITION_OFF);
		partitions[i].startable = true;
		partitions[i].images[IMAGE_KERNEL] = partitions[i].images[IMAGE_DTB] =
			(struct fit_image){&image, 1};
		for (unsigned v = 0; v < 2; v++) {
			cores[2 * i + v].number = 2 * i + v;
		}
	}
	fixture.call_count = 0;
}
