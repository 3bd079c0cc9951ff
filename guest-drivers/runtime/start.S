/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry of both kinds of core, MMU set-up, and the exception vectors. */

#define SCTLR_VALUE 0x30d0180d	/* RES1 | I | SA | C | M */

	.section .text.start, "ax"
	.global _start
_start:
	b	1f
	nop
1:	mrs	x20, cntvct_el0		/* first_instruction() */
	msr	daifset, #0xf
	mov	x19, x0
	adr	x0, __bss_start
	adr	x1, image_end
2:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	2b
	adrp	x0, boot_stack_top
	mov	sp, x0
	bl	mmu_build
	/* Written with the caches off: no stale line may shadow it later (Arm ARM D7.5.9). */
	adr	x0, __bss_start
	adr	x1, image_end
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x2, x3, x2
3:	dc	ivac, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	3b
	dsb	sy
	bl	mmu_on
	mov	x0, x19
	mov	x1, x20
	bl	runtime_start
4:	wfi
	b	4b

/* x0 = address of {stack top, entry, argument}, in memory that is clean to the point of coherency. */
	.global secondary_start
secondary_start:
	msr	daifset, #0xf
	mov	x19, x0
	bl	mmu_on
	ldp	x1, x2, [x19]
	ldr	x0, [x19, #16]
	mov	sp, x1
	blr	x2
5:	wfi
	b	5b

mmu_on:
	ldr	x0, =0xff04		/* attribute 0: device-nGnRE; 1: normal, write-back */
	msr	mair_el1, x0
	/* 39 bits, 4 KiB granule, inner shareable, write-back walks, no TTBR1. */
	ldr	x0, =((25 << 0) | (1 << 8) | (1 << 10) | (3 << 12) | (1 << 23))
	mrs	x1, id_aa64mmfr0_el1
	and	x1, x1, #0xf
	mov	x2, #5
	cmp	x1, x2
	csel	x1, x1, x2, ls
	orr	x0, x0, x1, lsl #32
	msr	tcr_el1, x0
	adrp	x0, root_table
	msr	ttbr0_el1, x0
	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	ldr	x0, =SCTLR_VALUE
	msr	sctlr_el1, x0
	isb
	ret

/* kind: the index of the vector, 0 … 15; see exception.c. */
	.macro	vector kind
	.balign	0x80
	sub	sp, sp, #(35 * 8 + 8)
	stp	x0, x1, [sp, #0]
	mov	x0, #\kind
	b	common_vector
	.endm

	.balign	0x800
	.global	vectors
vectors:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\kind
	.endr

common_vector:
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
	mrs	x2, elr_el1
	stp	x30, x2, [sp, #240]
	mrs	x2, spsr_el1
	mrs	x3, esr_el1
	stp	x2, x3, [sp, #256]
	mrs	x2, far_el1
	str	x2, [sp, #272]
	mov	x1, sp
	bl	exception_entry
	ldr	x2, [sp, #256]
	msr	spsr_el1, x2
	ldp	x30, x2, [sp, #240]
	msr	elr_el1, x2
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp, #0]
	add	sp, sp, #(35 * 8 + 8)
	eret

	.bss
	.balign	4096
boot_stack:
	.space	16384
boot_stack_top:
