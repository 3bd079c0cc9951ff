/* SPDX-License-Identifier: BSD-2-Clause */
/* Where vCPUs begin that are to do one thing, without a stack. */
	.text
	.global stub_cpu_off
stub_cpu_off:
	ldr	x0, =0x84000002
	hvc	#0
	.global stub_wait
stub_wait:
	wfi
	b	stub_wait
	/* uint64_t stub_simd(uint64_t leave): what the SIMD registers held, ORed; then all hold `leave`. */
	.global stub_simd
stub_simd:
	mov	x1, #3 << 20		/* CPACR_EL1.FPEN */
	msr	cpacr_el1, x1
	isb
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	orr	v0.16b, v0.16b, v\n\().16b
	.endr
	mov	x1, v0.d[0]
	mov	x2, v0.d[1]
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	dup	v\n\().2d, x0
	.endr
	orr	x0, x1, x2
	ret
