/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine a guest sees: the layout of QEMU's `virt`. Shared by the hypervisor, which emulates
 * it, and by tools/, which writes each guest's device tree.
 */
#ifndef CW_GUEST_MAP_H
#define CW_GUEST_MAP_H

#define GUEST_GICD_BASE	    0x08000000ull
#define GUEST_GICD_SIZE	    0x00010000ull
#define GUEST_ITS_BASE	    0x08080000ull /* control frame; the translation frame follows */
#define GUEST_ITS_SIZE	    0x00020000ull
#define GUEST_ITS_DOORBELL  0x08090000ull /* page of GITS_TRANSLATER: mapped for devices only */
#define GUEST_GICR_BASE	    0x080a0000ull
#define GUEST_GICR_STRIDE   0x00020000ull /* GICv3: RD and SGI frames of each vCPU */
#define GUEST_UART_BASE	    0x09000000ull
#define GUEST_UART_SIZE	    0x00001000ull
#define GUEST_UART_SPI	    1		  /* INTID 33 */
#define GUEST_INTX_SPI	    3		  /* the first of GUEST_INTX_LINES: INTID 35 to 38 */
#define GUEST_INTX_LINES    4		  /* slot n, pin p: line (n + p - 1) mod 4 */
#define GUEST_PCI_MMIO_BASE 0x10000000ull /* BARs sit at their physical address */
#define GUEST_PCI_MMIO_SIZE 0x2eff0000ull
#define GUEST_PCI_PIO_BASE  0x3eff0000ull
#define GUEST_PCI_PIO_SIZE  0x00010000ull
#define GUEST_RAM_BASE	    0x40000000ull
#define GUEST_ECAM_BASE	    0x4010000000ull
#define GUEST_ECAM_SIZE	    0x00100000ull /* one bus */

#define GUEST_MAX_VCPUS	    8

/* PPIs, as numbers within the PPI range (INTID = 16 + number). */
#define GUEST_PPI_TIMER_PHYS 14
#define GUEST_PPI_TIMER_VIRT 11

#endif
