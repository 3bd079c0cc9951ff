/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual functions of one physical function: enabling SR-IOV, where each VF's BARs are, and who
 * owns what. The contract of a VF (MAC, VLAN) is its PF's owner's business.
 *
 * Leans on: lib, pci/bus. Specification: PCIe 5.0 chapter 9 (SR-IOV).
 * Lock: struct vf_pool.lock guards the states; enabling runs on the boot core alone.
 */
#ifndef CW_VF_H
#define CW_VF_H

#include "lock.h"
#include "pci_bus.h"
#include "status.h"
#include "types.h"

#define VF_POOL_MAX 7 /* of one PF: the eighth VF of an igb shares its queues with the PF */

/*
 * ABSENT → FREE when SR-IOV is enabled; FREE → CLAIMED → ASSIGNED on attach; ASSIGNED →
 * QUARANTINED on detach or failure; CLAIMED → FREE when a later step of attach fails before the
 * function was opened; QUARANTINED → FREE only after a successful reset; any → DEAD when it
 * does not come back from a reset (never assigned again).
 */
enum vf_state { VF_ABSENT, VF_FREE, VF_CLAIMED, VF_ASSIGNED, VF_QUARANTINED, VF_DEAD };

struct vf {
	enum vf_state state;
	partition_id_t owner; /* PARTITION_NONE unless CLAIMED or ASSIGNED */
	uint16_t index;
	rid_t rid;
	uint16_t device;		   /* its vendor is its PF's */
	struct pci_bar bars[PCI_BUS_BARS]; /* this VF's own slice */
	struct pci_capabilities caps;	   /* read from the VF itself */
	bool resetting;			   /* vf_reset() is on it: no transition until it is done */
};

struct vf_pool {
	struct lock lock;
	const struct pci_bus *bus;
	struct pci_function *pf;
	unsigned count;
	struct vf vfs[VF_POOL_MAX];
};

/*
 * Enables `count` VFs of `pf` in the specification's order (9.3.3): System Page Size, ARI and VF
 * BARs as pci/bus left them, NumVFs while VFE=0, First VF Offset and VF Stride read after that,
 * then VFE and VF MSE, 100 ms as a timer, then each VF must answer (a VF's own vendor id reads
 * 0xffff: its capability list is what is probed). Sets memory decode in each VF's Command too
 * (hardwired on real VFs, needed by models that gate on it); bus mastering stays off. `pool` is
 * zeroed, or one that this call refused before.
 * STATUS_UNSUPPORTED: no SR-IOV, or 4 KiB is not a supported page size; STATUS_RANGE: count is 0,
 * above TotalVFs or VF_POOL_MAX, or a VF's id leaves the bus range, is taken, or does not pass the
 * port above; STATUS_BUSY: already enabled; STATUS_NO_SPACE: its VF BARs found no room;
 * STATUS_TIMEOUT: a VF did not appear. On any error SR-IOV is off again (it is left alone when it
 * was enabled already).
 */
enum status MUST_USE vf_enable(struct vf_pool *pool, const struct pci_bus *bus,
			       struct pci_function *pf, unsigned count);

/* FREE → CLAIMED for `owner`. STATUS_BUSY: it has an owner; STATUS_STATE: quarantined or dead. */
enum status MUST_USE vf_claim(struct vf_pool *pool, struct vf *vf, partition_id_t owner);
/*
 * The three below: STATUS_DENIED: `owner` does not own it; STATUS_STATE: not in that state;
 * STATUS_BUSY: being reset.
 * CLAIMED → FREE: attach was undone before the function was opened.
 */
enum status MUST_USE vf_unclaim(struct vf_pool *pool, struct vf *vf, partition_id_t owner);
/* CLAIMED → ASSIGNED. */
enum status MUST_USE vf_assigned(struct vf_pool *pool, struct vf *vf, partition_id_t owner);
/* CLAIMED or ASSIGNED → QUARANTINED; owner becomes nobody, bus mastering goes off. */
enum status MUST_USE vf_quarantine(struct vf_pool *pool, struct vf *vf, partition_id_t owner);
/*
 * Resets the function (pci_function_reset) and sets its decode again. CLAIMED stays CLAIMED,
 * QUARANTINED becomes FREE; a reset that fails makes it DEAD and returns its error. Takes 100 ms
 * asleep, without the lock. STATUS_STATE: in no other state; STATUS_BUSY: being reset already.
 */
enum status MUST_USE vf_reset(struct vf_pool *pool, struct vf *vf);

/* NULL: there is none. */
struct vf *vf_by_index(struct vf_pool *pool, uint16_t index);

#endif
