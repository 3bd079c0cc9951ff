/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F38: translations stay cached after an unmap.
 * wraps: smmu_submit
 */
#include "smmu.h"

void __real_smmu_submit(struct smmu_command command);
void __wrap_smmu_submit(struct smmu_command command);

void __wrap_smmu_submit(struct smmu_command command)
{
	uint64_t opcode = command.dword[0] & 0xff;

	if (opcode != CMD_TLBI_S12_VMALL && opcode != CMD_TLBI_NH_ASID &&
	    opcode != CMD_TLBI_S2_IPA && opcode != CMD_TLBI_NH_VA) {
		__real_smmu_submit(command);
	}
}
