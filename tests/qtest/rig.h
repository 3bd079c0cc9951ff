/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rooms on QEMU's own devices (hv-glue/host/qtest.h). A test starts a machine, brings up what
 * it needs of the rooms, and makes the devices act: the edu stores, fetches and interrupts
 * wherever it is told to.
 */
#ifndef CW_QTEST_RIG_H
#define CW_QTEST_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "assignment.h"
#include "glue.h"
#include "hv_host.h"
#include "its_commands.h"
#include "models.h"
#include "qtest.h"

#define RIG_MACHINE	 "gic-version=4,iommu=smmuv3"
#define RIG_CORES	 2
#define RIG_DEVICES(...) ((const char *const[]){__VA_ARGS__, NULL})
/* An edu that can address all memory, on the root bus at the slot of the name. */
#define RIG_EDU(slot) "-device", "edu,dma_mask=0xffffffffffffffff,addr=" slot

/* A device function, as a guest or a test drives it: where its registers are. */
struct rig_device {
	rid_t rid;
	uintptr_t bar;
};

/* --- the machine ----------------------------------------------------------------------------- */

void rig_machine(const char *name, const char *machine, const char *const *devices);
/* Ends QEMU; it has complained of nothing, nor has hv_host. For a test's end. */
void rig_end(void);
int rig_tear_down(void **state); /* also after a failed test */

/* The functions of the machine, from QEMU's own device tree. */
void rig_enumerate(struct pci_bus *bus);
struct pci_function *rig_function(struct pci_bus *bus, uint16_t vendor, uint16_t device,
				  unsigned nth);

/* --- legs ------------------------------------------------------------------------------------ */

void rig_smmu(struct pci_bus *bus);
void rig_its(void);
/* The SMMU does not see commands of this opcode: what a driver that forgets them would do. */
void rig_ignore_command(unsigned opcode);
/* The SMMU refuses the nth command from now on (CERROR_ILL); has it? */
void rig_refuse_command(unsigned nth);
bool rig_command_refused(void);

/* --- devices --------------------------------------------------------------------------------- */

/* Bus mastering on; `bar` is its first. */
struct rig_device rig_open(struct pci_bus *bus, const struct pci_function *function);
/* Its 4 KiB buffer has no window: a fetch fills it (zeroes where it is refused), a store empties
 * it. They return when the transfer is over; after _begin it is over 100 ms of QEMU's time later.
 */
void rig_edu_fetch(const struct rig_device *edu, uint64_t from, unsigned size);
void rig_edu_store(const struct rig_device *edu, uint64_t to, unsigned size);
void rig_edu_store_begin(const struct rig_device *edu, uint64_t to, unsigned size);
void rig_edu_finish(const struct rig_device *edu);
/* Its MSI will write `data` to `address`. */
void rig_edu_msi(struct pci_bus *bus, const struct rig_device *edu, uint64_t address,
		 uint16_t data);
void rig_edu_interrupt(const struct rig_device *edu);

/* --- memory ---------------------------------------------------------------------------------- */

/* Fills a partition's RAM with `byte`. */
void rig_fill(partition_id_t partition, uint8_t byte);
/* How many bytes of its RAM are not `byte`; *first: the first one's address in the guest. */
unsigned rig_changed(partition_id_t partition, uint8_t byte, uint64_t *first);

/* --- guests ---------------------------------------------------------------------------------- */

#define RIG_VLPI     8200u
#define RIG_QUEUE    (GUEST_RAM_BASE + 0x10000) /* of its ITS's commands */
#define RIG_PROPERTY (GUEST_RAM_BASE + 0x40000)

/* The virtual ITS of a partition gets a queue and tables, vCPU 0 its LPIs, collection 0. */
struct rig_guest {
	partition_id_t partition;
	void (*write)(partition_id_t partition, unsigned reg, unsigned size, uint64_t value);
	uint64_t (*read)(partition_id_t partition, unsigned reg);
};
void rig_guest_its(const struct rig_guest *guest);
void rig_guest_command(const struct rig_guest *guest, struct its_command command);
/* MAPD and MAPTI of events 0 to count-1 to vLPIs from `vlpi` on. */
void rig_guest_events(const struct rig_guest *guest, device_id_t device, unsigned count,
		      uint32_t vlpi);

/* Is it pending in this table of the GIC's (a vPE's or a core's)? */
bool rig_pending(const void *table, uint32_t intid);
unsigned rig_pending_count(const void *table);

#endif
