/* SPDX-License-Identifier: BSD-2-Clause */
/* How the legs hear of partitions: lifecycle and traps. */
#ifndef CW_HOOKS_H
#define CW_HOOKS_H

#include "assignment.h"

/* The partition's virtual host bridge and ITS. */
enum status MUST_USE hooks_trap(partition_id_t id, struct partition_side *side);
void hooks_fill(struct hv_hooks *hooks);

#endif
