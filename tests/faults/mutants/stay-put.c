/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks the move of a message interrupt to another vCPU: the ITS is never told, the guest is.
 * wraps: its_batch_add
 */
#include "gic.h"

void __real_its_batch_add(struct its_batch *batch, struct its_command command);
void __wrap_its_batch_add(struct its_batch *batch, struct its_command command);

void __wrap_its_batch_add(struct its_batch *batch, struct its_command command)
{
	if ((command.word[0] & 0xff) != ITS_VMOVI) {
		__real_its_batch_add(batch, command);
	}
}
