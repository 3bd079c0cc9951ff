/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions to EL2 (Arm ARM D1.3). A guest's registers go to the stack; the handler gets them. */
#define FRAME 272	/* struct guest_registers: x0-x30, pc, pstate; 16-byte multiple */

	.macro	save
	sub	sp, sp, #FRAME
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x1, elr_el2
	stp	x30, x1, [sp, #240]
	mrs	x2, spsr_el2
	str	x2, [sp, #256]
	mov	x0, sp
	.endm

	.macro	guest handler
	.balign	128
	save
	bl	\handler
	b	return_to_guest
	.endm

	.macro	own kind
	.balign	128
	save
	mov	x1, #\kind
	bl	trap_own
	b	.
	.endm

	.text
	.balign	2048
	.globl vectors
vectors:
	own	0			/* current EL, SP_EL0: never used */
	own	1
	own	2
	own	3
	own	4			/* current EL, SP_EL2: our own bug, or hardware's */
	own	5
	own	6
	own	7
	guest	trap_synchronous	/* lower EL, AArch64 */
	guest	trap_interrupt
	guest	trap_interrupt
	guest	trap_serror
	guest	trap_synchronous	/* lower EL, AArch32 */
	guest	trap_interrupt
	guest	trap_interrupt
	guest	trap_serror

	.balign	128
return_to_guest:
	ldr	x2, [sp, #256]
	ldp	x30, x1, [sp, #240]
	msr	spsr_el2, x2
	msr	elr_el2, x1
	ldp	x0, x1, [sp, #0]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	add	sp, sp, #FRAME
	eret
	dsb	nsh			/* no speculation past the return */
	isb

	/* guest_first_entry(registers): the same way, with x0 = a register frame in memory. */
	.globl guest_first_entry
guest_first_entry:
	sub	sp, sp, #FRAME
	mov	x1, sp
	mov	x2, #FRAME
1:	ldp	x3, x4, [x0], #16
	stp	x3, x4, [x1], #16
	subs	x2, x2, #16
	b.ne	1b
	b	return_to_guest

	/* registers_capture(registers): what the caller has, and where it is. */
	.globl	registers_capture
registers_capture:
	stp	x0, x1, [x0, #0]
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	stp	x30, x30, [x0, #240]	/* pc: where this returns to */
	str	xzr, [x0, #256]
	ret
