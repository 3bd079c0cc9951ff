/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions to EL2 (Arm ARM D1.3). Registers that C may change go to the stack, as a struct
 * guest_registers; the rest follows where a handler may want them. ELR and SPSR stay where they are:
 * EL2 takes no exception that it returns from.
 */
#define FRAME 272	/* struct guest_registers: x0-x30, zero, pc, pstate; 16-byte multiple */
#define ESR_EC_SHIFT 26
#define EC_HVC64 0x16

	.macro	volatile_pairs op, base
	\op	x0, x1, [\base, #0]
	\op	x2, x3, [\base, #16]
	\op	x4, x5, [\base, #32]
	\op	x6, x7, [\base, #48]
	\op	x8, x9, [\base, #64]
	\op	x10, x11, [\base, #80]
	\op	x12, x13, [\base, #96]
	\op	x14, x15, [\base, #112]
	\op	x16, x17, [\base, #128]
	\op	x18, x19, [\base, #144]
	.endm

	.macro	other_pairs op, base
	\op	x20, x21, [\base, #160]
	\op	x22, x23, [\base, #176]
	\op	x24, x25, [\base, #192]
	\op	x26, x27, [\base, #208]
	\op	x28, x29, [\base, #224]
	.endm

	.macro	save_volatile
	sub	sp, sp, #FRAME
	volatile_pairs stp, sp
	stp	x30, xzr, [sp, #240]
	.endm

	.macro	save_rest
	other_pairs stp, sp
	mov	x0, sp
	.endm

	.macro	synchronous
	.balign	128
	save_volatile
	mrs	x1, esr_el2
	lsr	x2, x1, #ESR_EC_SHIFT
	cmp	x2, #EC_HVC64
	b.ne	synchronous_rest
	mov	x0, sp
	bl	trap_hypercall
	b	return_volatile
	.endm

	.macro	interrupt
	.balign	128
	save_volatile
	bl	trap_interrupt
	b	return_volatile
	.endm

	.macro	serror
	.balign	128
	save_volatile
	save_rest
	bl	trap_serror
	b	return_to_guest
	.endm

	.macro	own kind
	.balign	128
	save_volatile
	save_rest
	mrs	x1, elr_el2
	mrs	x2, spsr_el2
	stp	x1, x2, [sp, #256]
	mov	x1, #\kind
	bl	trap_own
	b	.
	.endm

	.text
	.balign	2048
	.globl vectors
vectors:
	/* Current EL: with SP_EL0, never used; with SP_EL2, our own bug or hardware's. */
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7
	own	\kind
	.endr
	.rept	2			/* lower EL: AArch64, AArch32 */
	synchronous
	interrupt
	interrupt
	serror
	.endr

	.balign	128
synchronous_rest:		/* x1 = ESR_EL2 */
	save_rest
	bl	trap_synchronous
return_to_guest:
	other_pairs ldp, sp
return_volatile:
	volatile_pairs ldp, sp
	ldr	x30, [sp, #240]
	add	sp, sp, #FRAME
	eret
	dsb	nsh			/* no speculation past the return */
	isb

	/* guest_first_entry(registers): the same way; they are on the stack already. Those of SIMD are
	 * zero: neither an earlier life's, nor of what was hashed in the boot. */
	.globl guest_first_entry
guest_first_entry:
	mov	sp, x0
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().2d, #0
	.endr
	b	return_to_guest
