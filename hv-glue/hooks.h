/* SPDX-License-Identifier: BSD-2-Clause */
/* How the legs hear of partitions: lifecycle, traps, faults. */
#ifndef CW_HOOKS_H
#define CW_HOOKS_H

#include "assignment.h"
#include "glue.h"

/* The partition's virtual host bridge and ITS. */
enum status MUST_USE hooks_trap(partition_id_t id, struct partition_side *side);
/* struct irq_sink's `storm`. */
void hooks_storm(partition_id_t id, device_id_t device);
/*
 * wires.c. At boot: what the config has; nothing without an ITS. Then as its partition starts, and
 * stops; after a write to slot `slot` of its configuration space; and a line for each end.
 */
void wires_init(const struct glue_machine *machine);
void wires_start(partition_id_t id);
void wires_stop(partition_id_t id);
void wires_configured(partition_id_t id, unsigned slot);
void wires_alarm(unsigned core); /* goes on with what an access had to leave */
void wires_report(void);
/* faults.c. The SMMU's interrupt: drains what is recorded, in bounded steps; ends a storm. */
void faults_handle(void);
/* One log line with the machine's totals. */
void faults_report(void);
/* dump.c: every configuration space, the machine's and as partitions see them. */
void dump(void);

/* ports.c: its accesses to its bridge's I/O window; `context` is its struct partition_side. */
uint64_t ports_read(void *context, uint64_t offset, unsigned size);
void ports_write(void *context, uint64_t offset, unsigned size, uint64_t value);
void hooks_fill(struct hv_hooks *hooks);

#endif
