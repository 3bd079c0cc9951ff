/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One device of one partition, as it goes through the legs. attach() and detach_*() are mirror
 * images; everything in between is a state of struct assignment.
 */
#ifndef CW_ASSIGNMENT_H
#define CW_ASSIGNMENT_H

#include "hv.h"
#include "irq_route.h"
#include "pci_virt.h"
#include "vf.h"

#define GLUE_POOLS 4

_Static_assert(PCI_VIRT_SLOTS > HV_MAX_DEVICES, "every device has a slot after the host bridge");

/* What the joint holds for one partition. */
struct assignment {
	const struct hv_device_request *request;
	struct pci_function *function; /* the whole one, or the VF's PF; NULL: no such function */
	partition_id_t owner;
	unsigned slot; /* on the partition's virtual bus */
	bool attached;
	bool refused;	      /* the last attach() did not give it */
	bool closed;	      /* detached, not reset yet */
	bool stuck;	      /* the hardware did not confirm: nobody's, for good */
	struct vf_pool *pool; /* of the VF; NULL for a whole function */
	struct vf *vf;
	struct pci_virt_identity identity; /* what is shown, wherever it comes from */
	stream_id_t stream; /* below a conventional bridge shared with others of its owner */
	device_id_t device; /* likewise; its guest knows it as that of slot `speaks_as` */
	unsigned speaks_as;
	intid_t line; /* of its INTx, used when its identity has a pin */
	struct iommu_tables tables;
};

/* The end of a guest's window, where no BAR is placed: the wires' registers. */
#define WIRES_SIZE KIB(64)
#define WIRES_BASE (GUEST_PCI_MMIO_BASE + GUEST_PCI_MMIO_SIZE - WIRES_SIZE)

struct partition_side {
	struct pci_virt bridge;
	struct irq_partition irq;
	bool irq_ready;
	struct log_quota storm_quota;	/* lines about devices that ring too often */
	struct assignment *assignments; /* its part of all of them */
	unsigned count, wire_ends;	/* the wires' slots follow the devices' */
};

struct glue {
	bool iommu_ready, irq_ready, dump_pci;
	struct arena iommu_arena, irq_arena;
	struct vf_pool pools[GLUE_POOLS];
	unsigned pool_count;
	struct partition_side sides[HV_MAX_PARTITIONS];
	struct assignment assignments[HV_MAX_PARTITIONS * HV_MAX_DEVICES];
	unsigned assignment_count;
	struct pci_bus bus; /* at the end: its functions are filled as they are found */
};

extern struct glue glue;

/* The pool of this PF's VFs; NULL when SR-IOV is not enabled on it. */
struct vf_pool *glue_pool_of(const struct pci_function *pf);

/* Once every core takes LPIs: a vPE for each vCPU, a virtual ITS for each partition. */
void glue_start_interrupts(void);

/*
 * Gives the device to its partition: claim, reset, bind its stream, route its vectors, show it.
 * On an error one log line says which function, which partition, why; nothing is left behind.
 */
enum status MUST_USE attach(struct assignment *assignment);

/*
 * The mirror image, in two steps: all functions of a partition are closed before the first is
 * reset, because a reset takes 100 ms. When detach_close() returns no DMA and no interrupt of the
 * function can land. If the hardware does not confirm that, or the function does not come back from
 * its reset, the device is stuck: never given to anybody again.
 */
void detach_close(struct assignment *assignment);
void detach_release(struct assignment *assignment);

/*
 * One error line: function, partition, label, and what the format says. False: so that who refuses
 * can return it.
 */
__attribute__((format(printf, 2, 3))) bool assignment_error(const struct assignment *assignment,
							    const char *format, ...);

/* locate.c. False: it is refused, and that is said. */
bool MUST_USE assignment_locate(struct assignment *assignment);
enum status MUST_USE assignment_map_bars(const struct assignment *assignment);
void assignment_unmap_bars(const struct assignment *assignment, unsigned count);
/* Another one of its owner that is attached and has the same stream and device id; NULL: none. */
const struct assignment *assignment_twin(const struct assignment *assignment);

/*
 * together.c. Refuses, with the names of all concerned: what is asked for twice, part of an
 * isolation group, a PF whose VFs others have unless a service drives it, what nothing can reset.
 */
bool MUST_USE assignment_check(const struct assignment *assignment);
/* Resets its bus, if there is one and that hits nobody else. */
enum status MUST_USE assignment_bus_reset(const struct assignment *assignment);

/* intx.c: has the function INTx, and when it cannot do without, can it be given at all? */
bool MUST_USE intx_offer(struct assignment *assignment);

/* attach.c, for both ways: of what can be reset; the rest has one owner for good. */
enum status MUST_USE assignment_reset(struct assignment *assignment);
/* Of a stuck one: it becomes nobody's, and nobody gets it. */
void assignment_quarantine(const struct assignment *assignment);

/* What messages name: the function behind the slot, or before it is known the one asked for. */
static inline rid_t assignment_rid(const struct assignment *assignment)
{
	return assignment->identity.rid.v ? assignment->identity.rid
					  : assignment->request->function;
}

#endif
