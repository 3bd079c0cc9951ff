/* SPDX-License-Identifier: BSD-2-Clause */
#include "glue_rig.h"

#include "bits.h"

static uint64_t hash;

static void add(uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) { /* FNV-1a */
		hash = (hash ^ (value >> (8 * i) & 0xff)) * 0x100000001b3ull;
	}
}

static void add_stream(rid_t rid)
{
	const uint64_t *entry =
		(const uint64_t *)va_of((pa_t){rig_smmu.strtab_base & BITS(51, 6)}) +
		8ul * (rid.v + RIG_STREAM_BASE);

	add(entry[0] == 1 ? 0 : entry[0]); /* the silent abort is an abort */
	for (unsigned i = 1; i < 8; i++) {
		add(entry[i]);
	}
	add(model_its_device_mapped(rid.v));
}

static void add_partition(partition_id_t id)
{
	const struct partition_side *side = &glue.sides[id.v];

	for (unsigned i = 0; i < side->count; i++) {
		const struct assignment *a = &side->assignments[i];

		add(a->attached | a->closed << 1 | a->stuck << 2);
		add(side->bridge.slots[a->slot].present);
	}
	add(hv_host_mapped(id));
	add(rig_cached(id));
}

static void add_function(const struct model_pci_function *f)
{
	add(model_pci_peek(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
	add_stream((rid_t){model_pci_rid(f)});
}

uint64_t rig_state_hash(void)
{
	hash = 0xcbf29ce484222325ull;
	for (unsigned p = 0; p < glue.pool_count; p++) {
		for (unsigned i = 0; i < glue.pools[p].count; i++) {
			const struct vf *vf = &glue.pools[p].vfs[i];

			add(vf->state);
			add(vf->owner.v);
			add(vf->resetting);
			add_function(rig_vf(i));
		}
	}
	add_function(rig_igb);
	add_function(rig_nvme);
	add_function(rig_edu);
	for (unsigned p = 0; p < hv_partition_count(); p++) {
		add_partition((partition_id_t){(uint8_t)p});
	}
	return hash;
}
