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
