/* SPDX-License-Identifier: BSD-2-Clause */
/* SMMU commands as plain words (IHI 0070 G.b, chapter 4). Pure functions. */
#ifndef CW_SMMU_COMMANDS_H
#define CW_SMMU_COMMANDS_H

#include "bits.h"
#include "types.h"

struct smmu_command {
	uint64_t dword[2];
};

enum smmu_opcode {
	CMD_CFGI_STE = 0x03,
	CMD_CFGI_STE_RANGE = 0x04,
	CMD_CFGI_CD = 0x05,
	CMD_TLBI_NH_ASID = 0x11,
	CMD_TLBI_NH_VA = 0x12,
	CMD_TLBI_EL2_ALL = 0x20,
	CMD_TLBI_S12_VMALL = 0x28,
	CMD_TLBI_S2_IPA = 0x2a,
	CMD_TLBI_NSNH_ALL = 0x30,
	CMD_SYNC = 0x46,
};

#define CMD0_STREAM BITS(63, 32)
#define CMD0_VMID   BITS(47, 32)
#define CMD0_ASID   BITS(63, 48)
#define CMD0_NUM    BITS(16, 12)
#define CMD0_SCALE  BITS(24, 20)
#define CMD1_LEAF   BIT(0)
#define CMD1_RANGE  BITS(4, 0)
#define CMD1_TG	    BITS(11, 10)
#define TG_4K	    1
#define RANGE_ALL   31 /* CFGI_STE_RANGE over 2^32 streams is CFGI_ALL */
#define RANGE_PAGES 32 /* most pages, in units of 2^SCALE, that one command covers */

static inline struct smmu_command command_plain(enum smmu_opcode opcode)
{
	return (struct smmu_command){{opcode, 0}};
}

/* Of an entry, or the descriptor of the only substream there is, 0. */
static inline struct smmu_command command_cfgi(enum smmu_opcode opcode, stream_id_t stream)
{
	return (struct smmu_command){{opcode | field_prep(CMD0_STREAM, stream.v), CMD1_LEAF}};
}

static inline struct smmu_command command_cfgi_all(void)
{
	return (struct smmu_command){{CMD_CFGI_STE_RANGE, field_prep(CMD1_RANGE, RANGE_ALL)}};
}

/*
 * The command for one page, made one for `count` << `scale` pages, count 1..32. Not for one single
 * page: with TTL=0 that encoding is reserved and refused (4.4.1.1).
 */
static inline struct smmu_command command_range(struct smmu_command command, unsigned count,
						unsigned scale)
{
	command.dword[0] |= field_prep(CMD0_NUM, count - 1) | field_prep(CMD0_SCALE, scale);
	command.dword[1] |= field_prep(CMD1_TG, TG_4K);
	return command;
}

#endif
