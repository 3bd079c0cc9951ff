/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices given and taken back, all legs real: completely, again and again. */
#include "glue_rig.h"

#include <stdlib.h>
#include <string.h>

#include "gic.h"

static partition_id_t red, blue, green, grey;

/* Four partitions and nothing in two hands. */
static void build(void)
{
	rig_build();
	red = hv_host_partition("red", 1, 0);
	blue = hv_host_partition("blue", 1, 1);
	green = hv_host_partition("green", 1, 2);
	grey = hv_host_partition("grey", 1, 3);
	hv_host_vf(red, "eth0", RIG_PF, 0);
	hv_host_vf(red, "eth1", RIG_PF, 6);
	hv_host_vf(blue, "eth0", RIG_PF, 2);
	hv_host_function(blue, "disk", RIG_NVME);
	hv_host_function(green, "edu", RIG_EDU)->keep_without_reset = true;
	hv_host_function(grey, "pf", RIG_PF);
	hv_host_service(grey);
	rig_start();
}

static void start(partition_id_t partition)
{
	assert_int_equal(rig_hooks.partition_start(partition), STATUS_OK);
	rig_guest_run(partition);
}

static void stop(partition_id_t partition)
{
	rig_guest_halt(partition);
	rig_hooks.partition_stop(partition);
}

static void assert_vf_free(unsigned index)
{
	const struct vf *vf = rig_pool_vf(index);

	assert_int_equal(vf->state, VF_FREE);
	assert_true(partition_is(vf->owner, PARTITION_NONE));
	assert_false(vf->resetting);
}

static void several_partitions(void **state)
{
	(void)state;
	build();
	start(grey);
	start(red);
	start(blue);
	start(green);
	assert_int_equal(models_log_count("cannot"), 0);
	assert_int_equal(models_log_count("refused"), 0);
	rig_assert_works(red, 0, rig_vf(0));
	rig_assert_works(red, 1, rig_vf(6));
	rig_assert_works(blue, 0, rig_vf(2));
	rig_assert_works(blue, 1, rig_nvme);
	rig_assert_works(green, 0, rig_edu);
	rig_assert_works(grey, 0, rig_igb);
	/* F09, F16: nobody else's RAM, and ids that nobody has, lead nowhere. */
	assert_false(rig_dma_lands(rig_vf(0), blue, RIG_MEMORY));
	assert_false(rig_stream_open(RIG_VF(1), RIG_MEMORY));
	assert_false(rig_stream_open((rid_t){0x1ff}, RIG_MEMORY));
	assert_true(rig_msi(rig_vf(0), 3).dropped);
	assert_true(rig_msi(rig_vf(0), 31).dropped);
	/* F17: the doorbell is no guest CPU's. */
	assert_false(hv_host_write(red, GUEST_ITS_DOORBELL + 0x40, 4, 1));

	stop(red);
	rig_assert_gone(red, 0, rig_vf(0));
	rig_assert_gone(red, 1, rig_vf(6));
	assert_int_equal(hv_host_mapped(red), 0);
	assert_int_equal(rig_cached(red), 0);
	assert_vf_free(0);
	assert_vf_free(6);
	rig_assert_works(blue, 0, rig_vf(2));
	rig_assert_works(grey, 0, rig_igb);
	rig_check();
}

/* The PF's owner comes and goes; the VFs of others stay, so the PF is not reset. */
static void pf_with_vfs(void **state)
{
	(void)state;
	build();
	start(grey);
	start(red);
	unsigned resets = rig_igb->resets;

	for (unsigned i = 0; i < 3; i++) {
		stop(grey);
		rig_assert_gone(grey, 0, rig_igb);
		rig_assert_works(red, 0, rig_vf(0));
		start(grey);
		rig_assert_works(grey, 0, rig_igb);
	}
	assert_int_equal(rig_igb->resets, resets);
	rig_check();
}

/*
 * MSI-X tables in a page with their function's own registers, as no model of QEMU's has them: given
 * as they are. Nobody else's registers come into that page, however small both BARs are.
 */
static void tables_beside_registers(void **state)
{
	struct model_pci_function *f[2];
	uint32_t at[2];
	uint64_t pa;

	(void)state;
	rig_build();
	red = hv_host_partition("red", 1, 0);
	blue = hv_host_partition("blue", 1, 1);
	for (unsigned i = 0; i < 2; i++) {
		f[i] = model_pci_endpoint(rig_pci, NULL, (uint8_t)(0x80 + 8 * i), 0x1b36, 0x0011);
		model_pci_bar(f[i], 0, MODEL_PCI_MEM32, 0x400);
		model_pci_express(f[i], 0x60, 9, true);
		model_pci_msix(f[i], 0x40, 3, 0, 0x200);
		model_pci_poke(f[i], 0x48, 4, 0x280);
	}
	hv_host_function(red, "small", (rid_t){0x80});
	hv_host_function(blue, "small", (rid_t){0x88});
	rig_start();
	start(red);
	start(blue);
	rig_assert_works(red, 0, f[0]);
	rig_assert_works(blue, 0, f[1]);
	assert_int_equal(rig_config_read(red, 0, 0x44, 4), 0x200);
	assert_int_equal(rig_config_read(red, 0, 0x48, 4), 0x280);
	at[0] = rig_config_read(red, 0, PCI_BAR0, 4);
	at[1] = rig_config_read(blue, 0, PCI_BAR0, 4);
	assert_int_equal(hv_host_mapped(red), 1);
	assert_int_not_equal(at[0] / PAGE_SIZE, at[1] / PAGE_SIZE);
	assert_true(hv_host_lookup(red, at[0] + 0x200, &pa));
	assert_false(hv_host_lookup(red, at[1], &pa));
	assert_false(hv_host_lookup(blue, at[0], &pa));
	rig_check();
}

/* --- again and again --- */

struct snapshot {
	struct vf_pool pools[GLUE_POOLS];
	struct {
		bool ready, bound[IRQ_PARTITION_MAX_DEVICES], resident[GUEST_MAX_VCPUS];
		bool attached[HV_MAX_DEVICES], stuck[HV_MAX_DEVICES];
		bool present[PCI_VIRT_SLOTS];
		unsigned mapped;
	} sides[HV_MAX_PARTITIONS];
	size_t tables;
	uint8_t config[6][4096];
	uint8_t streams[0x400][64];
};

static void take_snapshot(struct snapshot *s)
{
	const struct model_pci_function *functions[] = {rig_vf(0), rig_vf(6), rig_vf(2),
							rig_nvme,  rig_edu,   rig_igb};

	memset(s, 0, sizeof(*s));
	memcpy(s->pools, glue.pools, sizeof(s->pools));
	for (unsigned i = 0; i < GLUE_POOLS; i++) {
		s->pools[i].lock = (struct lock){0, 0};
	}
	for (unsigned p = 0; p < hv_partition_count(); p++) {
		const struct partition_side *side = &glue.sides[p];

		s->sides[p].ready = side->irq_ready;
		s->sides[p].mapped = hv_host_mapped((partition_id_t){(uint8_t)p});
		for (unsigned i = 0; i < 8; i++) {
			s->sides[p].bound[i] = side->irq.devices[i].bound;
			s->sides[p].resident[i] = side->irq.vpes[i].resident;
			s->sides[p].attached[i] = i < side->count && side->assignments[i].attached;
			s->sides[p].stuck[i] = i < side->count && side->assignments[i].stuck;
			s->sides[p].present[i] = side->bridge.slots[i].present;
		}
	}
	s->tables = gic.tables->used;
	for (unsigned i = 0; i < 6; i++) {
		memcpy(s->config[i], functions[i]->config, 4096);
	}
	memcpy(s->streams,
	       (char *)va_of((pa_t){rig_smmu.strtab_base & BITS(51, 6)}) + 64ul * RIG_STREAM_BASE,
	       sizeof(s->streams));
}

static void ten_lives(void **state)
{
	static struct snapshot first, later;

	(void)state;
	build();
	for (unsigned life = 0; life < 10; life++) {
		start(grey);
		start(blue);
		start(red);
		start(green);
		rig_assert_works(red, 0, rig_vf(0));
		rig_assert_works(red, 1, rig_vf(6));
		rig_assert_works(blue, 1, rig_nvme);
		rig_assert_works(green, 0, rig_edu);
		stop(red);
		stop(grey);
		stop(green);
		stop(blue);
		take_snapshot(life ? &later : &first);
		if (life) {
			assert_memory_equal(&later, &first, sizeof(first));
		}
	}
	assert_int_equal(rig_vf(0)->resets, 20);
	rig_check();
}

/* F28, F35, F37: whatever the last owner set up or left pending, the next one finds nothing. */
static void next_owner_finds_nothing(void **state)
{
	(void)state;
	rig_build();
	red = hv_host_partition("red", 1, 0);
	blue = hv_host_partition("blue", 1, 1);
	hv_host_vf(red, "eth0", RIG_PF, 0);
	hv_host_vf(blue, "eth0", RIG_PF, 0);
	hv_host_function(red, "disk", RIG_NVME);
	hv_host_function(blue, "disk", RIG_NVME);
	rig_start();
	for (unsigned i = 0; i < 4; i++) {
		partition_id_t now = i % 2 ? blue : red, then = i % 2 ? red : blue;
		const struct irq_vpe *vpe = &glue.sides[now.v].irq.vpes[0];

		for (unsigned device = 0; device < 2; device++) {
			rig_ask(then, device, false);
			rig_ask(now, device, true);
		}
		start(now);
		rig_assert_works(now, 0, rig_vf(0));
		rig_assert_works(now, 1, rig_nvme);
		assert_false(rig_dma_lands(rig_vf(0), then, RIG_MEMORY));
		assert_true(model_its_pending_count(vpe->id) > 0);
		rig_nvme->config[0x3c] = 0x55; /* what a driver left */
		stop(now);
		rig_assert_gone(now, 0, rig_vf(0));
		assert_int_equal(rig_nvme->config[0x3c], 0);
		assert_int_equal(model_its_pending_count(vpe->id), 0);
		assert_int_equal(rig_cached(now), 0);
	}
	rig_check();
}

/* Nothing can clean it, so it has one owner until the machine restarts, and that must be wanted. */
static void without_reset(void **state)
{
	(void)state;
	rig_build();
	red = hv_host_partition("red", 1, 0);
	hv_host_function(red, "edu", RIG_EDU)->keep_without_reset = true;
	rig_start();
	for (unsigned i = 0; i < 3; i++) {
		start(red);
		rig_assert_works(red, 0, rig_edu);
		stop(red);
		rig_assert_gone(red, 0, rig_edu);
	}
	/* Also when its owner fails to get it back. */
	hv_host_fail_map(1, STATUS_NO_MEMORY);
	start(red);
	assert_false(rig_assignment(red, 0)->attached);
	stop(red);
	start(red);
	rig_assert_works(red, 0, rig_edu);
	rig_check();
}

/* F30: the guest's own reset kills its VF; F51: the PF's owner takes the VFs away. */
static void lost_in_use(void **state)
{
	(void)state;
	build();
	start(red);
	start(blue);
	rig_vf(0)->dies_on_reset = true;
	rig_config_write(red, 0, PCI_COMMAND, 2, 0);
	rig_config_write(red, 0, 0xa8, 2, 0x8000);
	assert_int_equal(rig_config_read(red, 0, PCI_COMMAND, 4), 0xffffffff);
	assert_false(rig_dma(rig_vf(0), RIG_MEMORY));
	stop(red);
	rig_assert_gone(red, 0, rig_vf(0));
	assert_int_equal(rig_pool_vf(0)->state, VF_DEAD);
	assert_vf_free(6);

	rig_igb->config[0x168] = 0;
	stop(blue);
	assert_int_equal(rig_pool_vf(2)->state, VF_DEAD);
	assert_false(rig_stream_open(RIG_VF(2), RIG_MEMORY));
	assert_int_equal(hv_host_mapped(blue), 0);
	rig_igb->config[0x168] = 0x19;
	start(red);
	start(blue);
	assert_false(rig_assignment(red, 0)->attached);
	assert_false(rig_assignment(blue, 0)->attached);
	rig_assert_works(red, 1, rig_vf(6));
	rig_assert_works(blue, 1, rig_nvme);
}

/* Any order of lives: a device works for its owner, and otherwise not at all. */
static void random_lives(void **state)
{
	const struct {
		unsigned partition, device;
		struct model_pci_function *f;
	} * all;
	bool running[4] = {false};

	(void)state;
	build();
	all = (const void *)(const typeof(*all)[]){
		{0, 0, rig_vf(0)}, {0, 1, rig_vf(6)}, {1, 0, rig_vf(2)},
		{1, 1, rig_nvme},  {2, 0, rig_edu},   {3, 0, rig_igb},
	};
	srand(7);
	for (unsigned step = 0; step < 150; step++) {
		partition_id_t p = {(uint8_t)(rand() % 4)};

		if (running[p.v]) {
			stop(p);
		} else {
			start(p);
		}
		running[p.v] = !running[p.v];
		for (unsigned i = 0; i < 6; i++) {
			partition_id_t owner = {(uint8_t)all[i].partition};

			if (running[owner.v]) {
				rig_assert_works(owner, all[i].device, all[i].f);
			} else {
				rig_assert_gone(owner, all[i].device, all[i].f);
			}
		}
	}
	rig_check();
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(several_partitions), RIG_TEST(pf_with_vfs),
		RIG_TEST(ten_lives),	      RIG_TEST(next_owner_finds_nothing),
		RIG_TEST(without_reset),      RIG_TEST(lost_in_use),
		RIG_TEST(random_lives),	      RIG_TEST(tables_beside_registers),
	};

	return run_on_both_stages(tests);
}
