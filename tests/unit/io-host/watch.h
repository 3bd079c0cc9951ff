/* SPDX-License-Identifier: BSD-2-Clause */
/* Sees each access that the program really makes to a page: what "read once" means. */
#ifndef CW_WATCH_H
#define CW_WATCH_H

#include <stdint.h>

/*
 * From now on `seen` is called just before each access to the 4 KiB page at `page`, by any
 * instruction of this thread; it may itself do what it likes there. NULL: no more.
 */
void watch_page(uint8_t *page, void (*seen)(uint8_t *address));

#endif
