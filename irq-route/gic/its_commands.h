/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ITS commands as four words (Arm IHI 0069H, 5.3). Pure functions: nothing here touches hardware.
 * `rdbase` is RDbase[51:16]: a processor number or an address, as GITS_TYPER.PTA says.
 */
#ifndef CW_ITS_COMMANDS_H
#define CW_ITS_COMMANDS_H

#include "bits.h"
#include "registers.h"
#include "types.h"

struct its_command {
	uint64_t word[4];
};

/* clang-format off */
#define ITS_MOVI	0x01u
#define ITS_INT		0x03u
#define ITS_CLEAR	0x04u
#define ITS_SYNC	0x05u
#define ITS_MAPD	0x08u
#define ITS_MAPC	0x09u
#define ITS_MAPTI	0x0au
#define ITS_INV		0x0cu
#define ITS_INVALL	0x0du
#define ITS_MOVALL	0x0eu
#define ITS_DISCARD	0x0fu
#define ITS_VMOVI	0x21u
#define ITS_VSYNC	0x25u
#define ITS_VMAPP	0x29u
#define ITS_VMAPTI	0x2au
#define ITS_VINVALL	0x2du

#define ITS_W0_OPCODE	BITS(7, 0)
#define ITS_W0_DEVICE	BITS(63, 32)
#define ITS_W1_ID_BITS	BITS(4, 0)	/* MAPD: EventID bits - 1 */
#define ITS_W1_EVENT	BITS(31, 0)
#define ITS_W1_INTID	BITS(63, 32)	/* MAPTI */
#define ITS_W1_VPE	BITS(47, 32)
#define ITS_W2_VALID	BIT(63)
#define ITS_W2_ITT	BITS(51, 8)	/* MAPD, in place */
#define ITS_W2_ICID	BITS(15, 0)
#define ITS_W2_RDBASE	BITS(51, 16)
#define ITS_W2_VINTID	BITS(31, 0)	/* VMAPTI */
#define ITS_W2_DOORBELL	BITS(63, 32)
#define ITS_W3_VPT_BITS	BITS(4, 0)	/* VMAPP: INTID bits - 1 */
#define ITS_W3_VPT	BITS(51, 16)	/* VMAPP, in place */
#define ITS_W3_RDBASE2	BITS(51, 16)	/* MOVALL */
/* clang-format on */

static inline struct its_command its_event_command(unsigned opcode, device_id_t device,
						   event_id_t event)
{
	return (struct its_command){
		{field_prep(ITS_W0_OPCODE, opcode) | field_prep(ITS_W0_DEVICE, device.v),
		 field_prep(ITS_W1_EVENT, event.v)}};
}

static inline struct its_command its_vpe_command(unsigned opcode, uint16_t vpe)
{
	return (struct its_command){
		{field_prep(ITS_W0_OPCODE, opcode), field_prep(ITS_W1_VPE, vpe)}};
}

static inline struct its_command its_mapd(device_id_t device, unsigned event_bits, pa_t itt)
{
	return (struct its_command){
		{field_prep(ITS_W0_OPCODE, ITS_MAPD) | field_prep(ITS_W0_DEVICE, device.v),
		 field_prep(ITS_W1_ID_BITS, event_bits - 1), (itt.v & ITS_W2_ITT) | ITS_W2_VALID}};
}

static inline struct its_command its_mapc(unsigned collection, uint64_t rdbase)
{
	return (struct its_command){{field_prep(ITS_W0_OPCODE, ITS_MAPC), 0,
				     field_prep(ITS_W2_ICID, collection) |
					     field_prep(ITS_W2_RDBASE, rdbase) | ITS_W2_VALID}};
}

static inline struct its_command its_sync(uint64_t rdbase)
{
	return (struct its_command){
		{field_prep(ITS_W0_OPCODE, ITS_SYNC), 0, field_prep(ITS_W2_RDBASE, rdbase)}};
}

static inline struct its_command its_invall(unsigned collection)
{
	return (struct its_command){
		{field_prep(ITS_W0_OPCODE, ITS_INVALL), 0, field_prep(ITS_W2_ICID, collection)}};
}

static inline struct its_command its_vmapp(uint16_t vpe, uint64_t rdbase, pa_t pending,
					   unsigned intid_bits)
{
	struct its_command command = its_vpe_command(ITS_VMAPP, vpe);

	command.word[2] = field_prep(ITS_W2_RDBASE, rdbase) | ITS_W2_VALID;
	command.word[3] = field_prep(ITS_W3_VPT_BITS, intid_bits - 1) | (pending.v & ITS_W3_VPT);
	return command;
}

#endif
