/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F10: a firmware that leaves a device running. It sits in front of the hypervisor, at EL2 with the
 * MMU off, gives the edu at 00:05.0 an address and a transfer to memory (which begins 100 ms later),
 * and enters the hypervisor as a boot loader would. With WAIT it enters once the transfer is over.
 * TARGET and HYPERVISOR are addresses; all three come from the test that assembles it.
 */
#define ECAM	  0x4010000000
#define FUNCTION  (ECAM + (5 << 15))
#define BAR	  0x30000000
#define COMMAND	  6	  /* memory decode, bus mastering */
#define BUFFER	  0x40000 /* the device's own, zeroes after reset */
#define TO_MEMORY 3	  /* run, from the device */

	.text
	b	start
	.word	0
	.quad	0			/* text_offset: 2 MiB into RAM */
	.quad	0x200000		/* image size */
	.quad	0xa			/* flags: little-endian, 4 KiB, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0
start:
	mrs	x1, id_aa64pfr0_el1
	tst	x1, #0xf00000000
	b.eq	device
	mov	x1, #15			/* SVE: the longest vectors, as any ZCR_EL2 may be out of reset */
	msr	S3_4_C1_C2_0, x1
device:
	ldr	x1, =FUNCTION
	ldr	w2, =BAR
	str	w2, [x1, #0x10]
	mov	w2, #COMMAND
	strh	w2, [x1, #4]
	ldr	x1, =BAR
	ldr	x2, =BUFFER
	str	x2, [x1, #0x80]
	ldr	x2, =TARGET
	str	x2, [x1, #0x88]
	mov	x2, #64
	str	x2, [x1, #0x90]
	mov	x2, #TO_MEMORY
	str	x2, [x1, #0x98]
	dsb	sy
	mov	w3, #WAIT
	cbz	w3, enter
wait:
	ldr	x2, [x1, #0x98]
	tbnz	x2, #0, wait
enter:
	ldr	x4, =HYPERVISOR
	mov	x1, #0
	mov	x2, #0
	mov	x3, #0
	br	x4
