/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry by the arm64 boot protocol (Linux Documentation/arch/arm64/booting.rst): EL2, MMU and
 * caches off, x0 = device tree. */
#define STACK_SIZE 8192

	.section .head, "ax"
	.globl _start
_start:
	b	primary
	.long	0
	.quad	0			/* text offset from a 2 MiB boundary */
	.section .head.rest, "ax"	/* the linker script puts the image's size before it */
	.quad	0xa			/* little endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

primary:
	msr	daifset, #15
	msr	tpidr_el2, xzr		/* no core structure yet */
	mov	x19, x0
	mrs	x0, CurrentEL
	cmp	x0, #8
	b.ne	.			/* not EL2: nothing can be done, nor said */
	/* Lines that an earlier stage left in the caches must not hide what is written now. */
	adrp	x0, __data_start
	adrp	x1, __boot_end
	bl	invalidate
	bl	relocate
	adrp	x0, boot_stack
	add	x0, x0, :lo12:boot_stack
	add	sp, x0, #STACK_SIZE
	mov	x0, x19
	bl	mmu_build
	adrp	x0, __data_start
	adrp	x1, __boot_end
	bl	invalidate
	bl	mmu_enable
	adrp	x0, __bss_start
	adrp	x2, __bss_end
	mov	x1, #0
	sub	x2, x2, x0
	bl	memset
	mov	x0, x19
	bl	boot_main
	b	.

	/* From PSCI CPU_ON: x0 = the struct core. */
	.globl secondary
secondary:
	msr	daifset, #15
	mov	x19, x0
	bl	mmu_enable
	mov	x0, x19
	bl	core_stack
	mov	sp, x0
	mov	x0, x19
	bl	core_main
	b	.

	/* R_AARCH64_RELATIVE only: *(base + offset) = base + addend. */
relocate:
	adrp	x0, __image_start
	adrp	x1, __rela_start
	add	x1, x1, :lo12:__rela_start
	adrp	x2, __rela_end
	add	x2, x2, :lo12:__rela_end
2:	cmp	x1, x2
	b.hs	3f
	ldp	x3, x4, [x1], #16
	ldr	x5, [x1], #8
	cmp	w4, #1027
	b.ne	2b
	add	x5, x5, x0
	str	x5, [x0, x3]
	b	2b
3:	ret

	/* Data cache lines of [x0, x1), whole pages, to memory's contents. */
invalidate:
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x3, x3, x2
4:	.rept	8
	dc	ivac, x0
	add	x0, x0, x3
	.endr
	cmp	x0, x1
	b.lo	4b
	dsb	sy
	ret

	/* core_leave_guest(): a fresh stack, then core_loop(). */
	.globl core_leave_guest
core_leave_guest:
	mrs	x0, tpidr_el2
	bl	core_stack
	mov	sp, x0
	bl	core_loop

	.section .boot, "aw", %nobits
	.balign 16
boot_stack:
	.space	STACK_SIZE
