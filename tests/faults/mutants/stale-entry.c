/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F35: a stream's new owner goes by the entry that the SMMU has cached of the last one.
 * wraps: smmu_submit assignment_check
 */
#include "assignment.h"
#include "smmu.h"

bool __wrap_assignment_check(const struct assignment *assignment);
void __real_smmu_submit(struct smmu_command command);
void __wrap_smmu_submit(struct smmu_command command);

void __wrap_smmu_submit(struct smmu_command command)
{
	uint64_t opcode = command.dword[0] & 0xff;

	if (opcode != CMD_CFGI_STE && opcode != CMD_CFGI_CD) {
		__real_smmu_submit(command);
	}
}

/* The config may name a VF twice: who comes first has it, and then the next (hand-over.c). */
bool __wrap_assignment_check(const struct assignment *assignment)
{
	(void)assignment;
	return true;
}
