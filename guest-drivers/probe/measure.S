/* SPDX-License-Identifier: BSD-2-Clause */
/* measure.h. While an interrupt is awaited x9 and x12 to x15 are the vector's to use. */
#define ICC_IAR1_EL1	s3_0_c12_c12_0
#define ICC_EOIR1_EL1	s3_0_c12_c12_1
#define ICC_SGI1R_EL1	s3_0_c12_c11_5
#define LOOPS		0x100000
#define SPSR_I		0x80

	.macro	measurement name
	.global	\name
	.balign	64
\name:
	.endm

	/* x0 = x9 - x8 without the reading at x9 itself. */
	.macro	difference
	sub	x0, x9, x8
	sub	x0, x0, #1
	.endm

	.text
	measurement measure_nothing
	isb
	mrs	x8, cntvct_el0
	mrs	x9, cntvct_el0
	difference
	ret

	measurement measure_hypercall
	stp	x19, x30, [sp, #-16]!
	isb
	mrs	x19, cntvct_el0
	hvc	#0
	mrs	x9, cntvct_el0
	mov	x8, x19
	difference
	ldp	x19, x30, [sp], #16
	ret

	measurement measure_read32
	isb
	mrs	x8, cntvct_el0
	ldr	w10, [x0]
	mrs	x9, cntvct_el0
	difference
	ret

	measurement measure_write32
	isb
	mrs	x8, cntvct_el0
	str	w1, [x0]
	mrs	x9, cntvct_el0
	difference
	ret

	/* Own vectors, and interrupts on: x11 = the runtime's vectors, x15 = where the vector returns to. */
	.macro	listen
	mrs	x11, vbar_el1
	adr	x9, own_vectors
	msr	vbar_el1, x9
	adr	x15, heard
	isb
	msr	daifclr, #2
	isb
	.endm

	measurement measure_sgi
	listen
	mrs	x8, cntvct_el0
	msr	ICC_SGI1R_EL1, x0
	b	wait

	measurement measure_store_to_interrupt
	mov	x10, x1
	mov	x1, x2
	listen
	mrs	x8, cntvct_el0
	str	w10, [x0]
	b	wait

	measurement measure_timer
	listen
	mrs	x8, cntvct_el0
	add	x8, x8, x0
	msr	cntv_cval_el0, x8
	mov	x9, #1
	msr	cntv_ctl_el0, x9
wait:
	mov	x10, #LOOPS
1:	subs	x10, x10, #1
	b.ne	1b
	msr	daifset, #2
	msr	vbar_el1, x11
	isb
	mov	x0, #-1
	ret
heard:
	msr	vbar_el1, x11
	isb
	str	x12, [x1]
	difference
	ret

	.macro	pass offset
	.balign	128
	b	vectors + \offset
	.endm

	.balign	2048
own_vectors:
	.irp	offset, 0x000, 0x080, 0x100, 0x180, 0x200
	pass	\offset
	.endr
	.balign	128		/* IRQ, EL1 with its own stack */
	mrs	x9, cntvct_el0
	mrs	x12, ICC_IAR1_EL1
	cmp	x12, #27
	b.ne	2f
	msr	cntv_ctl_el0, xzr
	isb
2:	msr	ICC_EOIR1_EL1, x12
	msr	elr_el1, x15
	mrs	x13, spsr_el1
	orr	x13, x13, #SPSR_I
	msr	spsr_el1, x13
	eret
	.irp	offset, 0x300, 0x380, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
	pass	\offset
	.endr
