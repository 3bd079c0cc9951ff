/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A card's interrupts are sent whatever its function's mask says.
 * wraps: io_end_msix
 * test: hv-glue/test_wires
 * fails: masks
 */
#include "io_host.h"

void __real_io_end_msix(struct io_end *end, bool enabled, bool masked);
void __wrap_io_end_msix(struct io_end *end, bool enabled, bool masked);

void __wrap_io_end_msix(struct io_end *end, bool enabled, bool masked)
{
	(void)masked;
	__real_io_end_msix(end, enabled, false);
}
