/* SPDX-License-Identifier: BSD-2-Clause */
#include "edu.h"

REG32(EDU_ID, 0x00);
#define EDU_ID_MASK  0xffu
#define EDU_ID_VALUE 0xedu
REG32(EDU_IRQ_RAISE, 0x60);
REG32(EDU_IRQ_ACK, 0x64);
REG64(EDU_DMA_SOURCE, 0x80);
REG64(EDU_DMA_TARGET, 0x88);
REG64(EDU_DMA_COUNT, 0x90);
REG64(EDU_DMA_COMMAND, 0x98);
#define EDU_DMA_RUN	  BIT(0)
#define EDU_DMA_TO_MEMORY BIT(1)
#define EDU_BUFFER_AT	  0x40000ull
#define EDU_TIMEOUT_NS	  2000000000ull

static bool idle(void *context)
{
	return !(mmio_read64(*(mmio_t *)context, EDU_DMA_COMMAND) & EDU_DMA_RUN);
}

static enum status finish(struct edu *edu)
{
	enum status status = STATUS_OK;

	/* The transfer takes 100 ms: sleep in long steps. */
	for (unsigned i = 0; i < 20 && !idle(&edu->regs); i++) {
		clock_sleep_ns(10000000);
	}
	if (!idle(&edu->regs)) {
		status = clock_poll(idle, &edu->regs, EDU_TIMEOUT_NS);
	}
	arch_barrier(); /* what the device wrote is read after this */
	return status;
}

enum status edu_start(struct edu *edu)
{
	uint64_t bar;

	if (!pci_find(EDU_VENDOR, EDU_DEVICE, 0, &edu->pci) || !(bar = pci_bar(&edu->pci, 0))) {
		return STATUS_NOT_FOUND;
	}
	pci_enable(&edu->pci);
	edu->regs.base = bar;
	if ((mmio_read32(edu->regs, EDU_ID) & EDU_ID_MASK) != EDU_ID_VALUE) {
		return STATUS_HARDWARE;
	}
	return finish(edu);
}

static enum status begin(struct edu *edu, uint64_t source, uint64_t target, unsigned offset,
			 unsigned size, uint64_t direction)
{
	if (offset > EDU_BUFFER || size > EDU_BUFFER - offset) {
		return STATUS_RANGE;
	}
	if (!idle(&edu->regs)) {
		return STATUS_BUSY;
	}
	mmio_write64(edu->regs, EDU_DMA_SOURCE, source);
	mmio_write64(edu->regs, EDU_DMA_TARGET, target);
	mmio_write64(edu->regs, EDU_DMA_COUNT, size);
	arch_barrier();
	mmio_write64(edu->regs, EDU_DMA_COMMAND, EDU_DMA_RUN | direction);
	return STATUS_OK;
}

enum status edu_fetch(struct edu *edu, uint64_t from, unsigned offset, unsigned size)
{
	enum status status = begin(edu, from, EDU_BUFFER_AT + offset, offset, size, 0);

	return status == STATUS_OK ? finish(edu) : status;
}

enum status edu_store_begin(struct edu *edu, uint64_t to, unsigned offset, unsigned size)
{
	return begin(edu, EDU_BUFFER_AT + offset, to, offset, size, EDU_DMA_TO_MEMORY);
}

enum status edu_store(struct edu *edu, uint64_t to, unsigned offset, unsigned size)
{
	enum status status = edu_store_begin(edu, to, offset, size);

	return status == STATUS_OK ? finish(edu) : status;
}

void edu_interrupt(struct edu *edu)
{
	mmio_write32(edu->regs, EDU_IRQ_RAISE, 1);
	mmio_write32(edu->regs, EDU_IRQ_ACK, 1);
}
