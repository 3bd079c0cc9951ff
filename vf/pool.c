/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns which VF: every change of state goes through move(), under the pool's lock. There is no
 * way from one owner to another but through QUARANTINED and a reset, or an attach undone unopened.
 */
#include "vf.h"

#include "bits.h"
#include "log.h"

struct vf *vf_by_index(struct vf_pool *pool, uint16_t index)
{
	return index < pool->count ? &pool->vfs[index] : NULL;
}

static enum status may_leave(const struct vf *vf, uint64_t from, partition_id_t owner)
{
	if (vf->resetting) {
		return STATUS_BUSY;
	}
	if (!(BIT(vf->state) & from)) {
		return from == BIT(VF_FREE) && !partition_is(vf->owner, PARTITION_NONE)
			       ? STATUS_BUSY
			       : STATUS_STATE;
	}
	return partition_is(vf->owner, owner) ? STATUS_OK : STATUS_DENIED;
}

/* From one of the states `from`, owned by `owner`, to `to`, owned by `next`. */
static enum status move(struct vf_pool *pool, struct vf *vf, uint64_t from, partition_id_t owner,
			enum vf_state to, partition_id_t next)
{
	lock_acquire(&pool->lock);
	enum status status = may_leave(vf, from, owner);

	if (status == STATUS_OK) {
		vf->state = to;
		vf->owner = next;
	}
	lock_release(&pool->lock);
	return status;
}

enum status vf_claim(struct vf_pool *pool, struct vf *vf, partition_id_t owner)
{
	return move(pool, vf, BIT(VF_FREE), PARTITION_NONE, VF_CLAIMED, owner);
}

enum status vf_unclaim(struct vf_pool *pool, struct vf *vf, partition_id_t owner)
{
	return move(pool, vf, BIT(VF_CLAIMED), owner, VF_FREE, PARTITION_NONE);
}

enum status vf_assigned(struct vf_pool *pool, struct vf *vf, partition_id_t owner)
{
	return move(pool, vf, BIT(VF_CLAIMED), owner, VF_ASSIGNED, owner);
}

enum status vf_quarantine(struct vf_pool *pool, struct vf *vf, partition_id_t owner)
{
	enum status status = move(pool, vf, BIT(VF_CLAIMED) | BIT(VF_ASSIGNED), owner,
				  VF_QUARANTINED, PARTITION_NONE);

	/* Nobody else moves it on before its reset; a slow device holds up no lock. */
	if (status == STATUS_OK) {
		pci_config_write16(pool->bus, vf->rid, PCI_COMMAND, PCI_COMMAND_MEMORY);
	}
	return status;
}

static enum status begin_reset(struct vf_pool *pool, struct vf *vf)
{
	lock_acquire(&pool->lock);
	enum status status = may_leave(vf, BIT(VF_CLAIMED) | BIT(VF_QUARANTINED), vf->owner);

	vf->resetting = status == STATUS_OK || vf->resetting;
	lock_release(&pool->lock);
	return status;
}

static void end_reset(struct vf_pool *pool, struct vf *vf, enum status status)
{
	lock_acquire(&pool->lock);
	vf->resetting = false;
	if (status != STATUS_OK) {
		vf->state = VF_DEAD;
		vf->owner = PARTITION_NONE;
	} else if (vf->state == VF_QUARANTINED) {
		vf->state = VF_FREE;
	}
	lock_release(&pool->lock);
}

enum status vf_reset(struct vf_pool *pool, struct vf *vf)
{
	enum status status = begin_reset(pool, vf);

	if (status != STATUS_OK) {
		return status;
	}
	status = pci_function_reset(pool->bus, vf->rid, vf->caps.express);
	if (status == STATUS_OK) {
		pci_config_write16(pool->bus, vf->rid, PCI_COMMAND, PCI_COMMAND_MEMORY);
	} else {
		log_error("%s: VF %u did not come back from its reset: %s; it is not used again",
			  pci_name(vf->rid), vf->index, status_name(status));
	}
	end_reset(pool, vf, status);
	return status;
}
