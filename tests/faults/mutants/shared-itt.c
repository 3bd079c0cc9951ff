/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F16: all devices look their events up in one table, the first device's.
 * wraps: its_batch_add
 */
#include "gic.h"

void __real_its_batch_add(struct its_batch *batch, struct its_command command);
void __wrap_its_batch_add(struct its_batch *batch, struct its_command command);

void __wrap_its_batch_add(struct its_batch *batch, struct its_command command)
{
	static uint64_t first;

	if (field_get(ITS_W0_OPCODE, command.word[0]) == ITS_MAPD &&
	    (command.word[2] & ITS_W2_VALID)) {
		first = first ? first : command.word[2];
		command.word[2] = first;
	}
	__real_its_batch_add(batch, command);
}
