/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's `edu` device (docs/specs/edu.rst) as a DMA engine with any address: one transfer at a
 * time between memory and its 4 KiB buffer, done 100 ms after the command.
 */
#ifndef EDU_H
#define EDU_H

#include "runtime.h"

#define EDU_VENDOR 0x1234u
#define EDU_DEVICE 0x11e8u
#define EDU_BUFFER 4096u

struct edu {
	struct pci_device pci;
	mmio_t regs;
};

/* STATUS_NOT_FOUND: none on this bus. Waits for a transfer a former owner left behind. */
enum status MUST_USE edu_start(struct edu *edu);

/*
 * memory → buffer, buffer → memory. `offset` + `size` stay within the buffer (STATUS_RANGE: the
 * emulator does not check). The device reports no failed transfer: STATUS_OK means it is over.
 */
enum status MUST_USE edu_fetch(struct edu *edu, uint64_t from, unsigned offset, unsigned size);
enum status MUST_USE edu_store(struct edu *edu, uint64_t to, unsigned offset, unsigned size);

/* Starts a store and returns; the device is busy for the next 100 ms. */
enum status MUST_USE edu_store_begin(struct edu *edu, uint64_t to, unsigned offset, unsigned size);

void edu_interrupt(struct edu *edu); /* fires its MSI */

#endif
