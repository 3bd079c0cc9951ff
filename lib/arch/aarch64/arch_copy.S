/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void arch_copy(volatile void *to, const volatile void *from, size_t size): two instructions for
 * 32 bytes once there are 128. v0-v7 are a guest's, so they are saved. Of SVE's longer ones the upper
 * bits would be lost: it has none (ZCR_EL2, core_init()).
 */
	.arch	armv8-a

	.section .text.arch_copy, "ax"
	.globl	arch_copy
arch_copy:
	subs	x2, x2, #128
	b.lo	2f
	stp	q0, q1, [sp, #-128]!
	stp	q2, q3, [sp, #32]
	stp	q4, q5, [sp, #64]
	stp	q6, q7, [sp, #96]
1:	ldp	q0, q1, [x1]
	ldp	q2, q3, [x1, #32]
	ldp	q4, q5, [x1, #64]
	ldp	q6, q7, [x1, #96]
	add	x1, x1, #128
	subs	x2, x2, #128
	stp	q0, q1, [x0]
	stp	q2, q3, [x0, #32]
	stp	q4, q5, [x0, #64]
	stp	q6, q7, [x0, #96]
	add	x0, x0, #128
	b.hs	1b
	ldp	q2, q3, [sp, #32]
	ldp	q4, q5, [sp, #64]
	ldp	q6, q7, [sp, #96]
	ldp	q0, q1, [sp], #128
2:	adds	x2, x2, #112		/* what is left, less 16 */
	b.mi	4f
3:	ldp	x3, x4, [x1], #16
	stp	x3, x4, [x0], #16
	subs	x2, x2, #16
	b.hs	3b
4:	tbz	x2, #3, 5f		/* the lower four bits are those of what is left */
	ldr	x3, [x1], #8
	str	x3, [x0], #8
5:	tbz	x2, #2, 6f
	ldr	w3, [x1], #4
	str	w3, [x0], #4
6:	tbz	x2, #1, 7f
	ldrh	w3, [x1], #2
	strh	w3, [x0], #2
7:	tbz	x2, #0, 8f
	ldrb	w3, [x1]
	strb	w3, [x0]
8:	ret
