/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F37: a function goes to its next owner, and starts, without a reset.
 * wraps: vf_reset
 */
#include "vf.h"

enum status __wrap_vf_reset(struct vf_pool *pool, struct vf *vf);

enum status __wrap_vf_reset(struct vf_pool *pool, struct vf *vf)
{
	(void)pool;
	if (vf->state == VF_QUARANTINED) {
		vf->state = VF_FREE;
	}
	return STATUS_OK;
}
