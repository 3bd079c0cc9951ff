/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine with the strict ITS model and two partitions, each with a guest that speaks to its
 * virtual ITS as a driver would. Partition p has its vCPUs on cores 2p and 2p + 1.
 */
#ifndef CW_IRQ_RIG_H
#define CW_IRQ_RIG_H

#include "hv_host.h"
#include "irq_route.h"
#include "its_commands.h"
#include "model_its.h"
#include "models.h"

#define RIG_PARTITIONS 2u
#define RIG_VCPUS      2u
#define RIG_RAM_SIZE   MIB(1)
#define RIG_QUEUE      (GUEST_RAM_BASE + 0x10000)
#define RIG_QUEUE_SIZE 0x1000u /* 128 commands */
#define RIG_PROPERTY   (GUEST_RAM_BASE + 0x40000)
#define RIG_VECTORS    4u
#define RIG_DEVICE(p)  ((device_id_t){0x180u + (p)*2}) /* physical */
#define RIG_VIRTUAL    0x08u			       /* what each guest calls its device */
#define RIG_VLPI       8200u

extern struct irq_partition rig_partitions[RIG_PARTITIONS];
extern struct arena rig_arena;

/* The machine only: models and irq_route_init(). */
enum status rig_machine(const struct model_its_config *config);
/* All of it: cores, partitions, a bound device each, guests up, vPEs resident. Fails the test. */
void rig_start(void);
void rig_start_with(const struct model_its_config *config);
/* No complaints from the model. */
void rig_check(void);

/* Guest RAM, as the CPU of partition p sees it. */
unsigned char *rig_ram(unsigned p, uint64_t ipa);
/* GITS_BASER, GITS_CBASER, GITS_CTLR, the LPI registers: as an operating system boots. */
void rig_guest_boot(unsigned p);
void rig_guest_residency(unsigned p, bool resident);

/* Sends one command and polls GITS_CREADR; false when the queue does not get there. */
bool rig_command(unsigned p, struct its_command command);

/* The guest's commands; names and numbers are the guest's. */
bool rig_mapd(unsigned p, uint32_t device, unsigned bits, bool valid);
bool rig_mapc(unsigned p, unsigned collection, unsigned vcpu, bool valid);
bool rig_mapti(unsigned p, uint32_t device, uint32_t event, uint32_t vlpi, unsigned collection);
bool rig_event(unsigned p, unsigned opcode, uint32_t device, uint32_t event);
bool rig_movi(unsigned p, uint32_t device, uint32_t event, unsigned collection);
bool rig_movall(unsigned p, unsigned from, unsigned to);
bool rig_invall(unsigned p, unsigned collection);
/* The guest's configuration byte, without INV. */
void rig_property(unsigned p, uint32_t vlpi, uint8_t value);

/* MAPC of both collections, MAPD, and MAPTI of every vector to collection 0, enabled. */
void rig_guest_usual(unsigned p);

uint16_t rig_vpe(unsigned p, unsigned vcpu);
uint64_t rig_refused(unsigned p);

/* Commands the ITS has taken since the start. */
uint64_t rig_physical_commands(void);

/* Injected path: this core takes what is signalled; the slot of device 0's event. */
unsigned rig_take(unsigned core);
const struct hv_host_lpi *rig_lpi(unsigned p, unsigned event);
extern unsigned rig_storms; /* times struct irq_sink's `storm` was called */

/* A device of partition p rings; is it pending for that vCPU as that vLPI? */
bool rig_lands(unsigned p, uint32_t event, unsigned vcpu, uint32_t vlpi);

#endif
