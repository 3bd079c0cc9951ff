/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void arch_sha256_run(uint32_t state[8], const void *data, size_t blocks, const uint32_t k[64])
 * with the SHA2 instructions (Arm ARM C7.2). Uses v0-v7, v16-v18: only for code that runs before
 * any guest's registers are there to be kept.
 */
	.arch	armv8-a+crypto

	.macro	four_rounds w0, w1, w2, w3, more
	ld1	{v16.4s}, [x4], #16
	add	v16.4s, v16.4s, \w0\().4s
	.if	\more
	sha256su0 \w0\().4s, \w1\().4s
	.endif
	mov	v17.16b, v2.16b
	sha256h	q2, q3, v16.4s
	sha256h2 q3, q17, v16.4s
	.if	\more
	sha256su1 \w0\().4s, \w2\().4s, \w3\().4s
	.endif
	.endm

	.macro	sixteen_rounds more
	four_rounds v4, v5, v6, v7, \more
	four_rounds v5, v6, v7, v4, \more
	four_rounds v6, v7, v4, v5, \more
	four_rounds v7, v4, v5, v6, \more
	.endm

	.section .text.arch_sha256_run, "ax"
	.globl	arch_sha256_run
arch_sha256_run:
	cbz	x2, 2f
	ld1	{v0.4s, v1.4s}, [x0]
1:	ld1	{v4.16b, v5.16b, v6.16b, v7.16b}, [x1], #64
	rev32	v4.16b, v4.16b
	rev32	v5.16b, v5.16b
	rev32	v6.16b, v6.16b
	rev32	v7.16b, v7.16b
	mov	v2.16b, v0.16b
	mov	v3.16b, v1.16b
	mov	x4, x3
	sixteen_rounds 1
	sixteen_rounds 1
	sixteen_rounds 1
	sixteen_rounds 0
	add	v0.4s, v0.4s, v2.4s
	add	v1.4s, v1.4s, v3.4s
	subs	x2, x2, #1
	b.ne	1b
	st1	{v0.4s, v1.4s}, [x0]
2:	ret
