/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not a broken guard: an SMMU that refuses commands about the attacker's edu. Of those that make it
 * read the stream's entry, the first of the first attach, the second of the second, and that of the
 * detach after the third. What follows from it is F36's.
 * wraps: smmu_submit
 */
#include "smmu.h"

#define STREAM	0x28 /* 00:05.0 */
#define UNKNOWN ((enum smmu_opcode)0xff)

void __real_smmu_submit(struct smmu_command command);
void __wrap_smmu_submit(struct smmu_command command);

void __wrap_smmu_submit(struct smmu_command command)
{
	static const unsigned refused[] = {1, 4, 8}; /* after a refusal one more takes it back */
	static unsigned seen;

	if ((command.dword[0] & 0xff) == CMD_CFGI_STE && command.dword[0] >> 32 == STREAM) {
		seen++;
		for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
			command = seen == refused[i] ? command_plain(UNKNOWN) : command;
		}
	}
	__real_smmu_submit(command);
}
