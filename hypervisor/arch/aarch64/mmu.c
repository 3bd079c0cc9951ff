/* SPDX-License-Identifier: BSD-2-Clause */
/* EL2's own translation: identity, 48 bits, 4 KiB granule (Arm ARM D8). */
#include <string.h>

#include "arch.h"
#include "sysreg.h"

#define TABLES		  40
#define ENTRIES		  512
#define VALID		  BIT(0)
#define TABLE		  BIT(1) /* a page, at the last level */
#define ATTR(n)		  ((uint64_t)(n) << 2)
#define AP_RES1		  BIT(6)
#define AP_READ		  BIT(7)
#define SH_INNER	  ((uint64_t)3 << 8)
#define AF		  BIT(10)
#define XN		  BIT(54)
#define ADDRESS		  BITS(47, 12)
#define NORMAL		  (AP_RES1 | SH_INNER | AF | ATTR(1))

#define MAIR_DEVICE_nGnRE 0x04ull
#define MAIR_NORMAL_WB	  0xffull /* attribute 2 is nGnRnE, 0x00 */

#define SCTLR_RES1	  0x30c50830ull
#define SCTLR_ON	  (BIT(0) | BIT(2) | BIT(3) | BIT(12) | BIT(19)) /* M C SA I WXN */

void mmu_build(pa_t fdt);
void mmu_enable(void);

extern char vectors[], __image_start[], __rodata_start[], __data_start[], __image_end[];

__attribute__((section(".boot.tables"), aligned(4096))) static uint64_t tables[TABLES][ENTRIES];
__attribute__((section(".boot"))) static unsigned tables_used;

static const uint64_t leaf_bits[] = {
	[MAP_CODE] = VALID | NORMAL | AP_READ,
	[MAP_READ_ONLY] = VALID | NORMAL | AP_READ | XN,
	[MAP_DATA] = VALID | NORMAL | XN,
	[MAP_DEVICE] = VALID | AP_RES1 | AF | ATTR(0) | XN,
	[MAP_CONFIG] = VALID | AP_RES1 | AF | ATTR(2) | XN,
};

static uint64_t *next_table(uint64_t *entry)
{
	if (!(*entry & VALID)) {
		if (tables_used == TABLES) {
			panic("EL2 page tables: the pool of %u is exhausted", TABLES);
		}
		memset(tables[tables_used], 0, sizeof(tables[0]));
		*entry = (uint64_t)(uintptr_t)tables[tables_used++] | VALID | TABLE;
	}
	return va_of((pa_t){*entry & ADDRESS});
}

/* Fills a table's entries for [at, end), with the largest blocks that fit; what is mapped stays. */
static void map_range(uint64_t *table, unsigned level, uint64_t at, uint64_t end, uint64_t bits)
{
	uint64_t block = 1ull << (39 - 9 * level), next;
	uint64_t *entry = &table[at / block % ENTRIES];

	for (; level == 3 && at < end; at += block, entry++) {
		*entry = *entry & VALID ? *entry : at | bits | TABLE;
	}
	for (; at < end; at = next, entry++) {
		next = (at | (block - 1)) + 1 < end ? (at | (block - 1)) + 1 : end;
		if (level > 0 && next - at == block && !(*entry & VALID)) {
			*entry = at | bits;
		} else if ((*entry & (VALID | TABLE)) != VALID) {
			map_range(next_table(entry), level + 1, at, next, bits);
		}
	}
}

void mmu_map(pa_t start, uint64_t size, enum map_kind kind)
{
	map_range(tables[0], 0, start.v, start.v + size, leaf_bits[kind]);
	arch_barrier();
	isb();
}

static void map_image(const char *from, const char *to, enum map_kind kind)
{
	mmu_map(pa_of(from), (uint64_t)(to - from), kind);
}

/* Runs with the MMU off: only what is linked into the image, and the device tree. */
void mmu_build(pa_t fdt)
{
	memset(tables[0], 0, sizeof(tables[0]));
	tables_used = 1;
	map_image(__image_start, __rodata_start, MAP_CODE);
	map_image(__rodata_start, __data_start, MAP_READ_ONLY);
	map_image(__data_start, __image_end, MAP_DATA);
	mmu_map((pa_t){fdt.v & ~(MIB(2) - 1)}, MIB(4), MAP_READ_ONLY);
}

void mmu_enable(void)
{
	uint64_t range = sysreg_read(id_aa64mmfr0_el1) & 15;

	sysreg_write(vbar_el2, (uintptr_t)vectors);
	sysreg_write(hcr_el2, HCR_RW); /* E2H = 0 */
	isb();
	sysreg_write(mair_el2, MAIR_NORMAL_WB << 8 | MAIR_DEVICE_nGnRE);
	/* RES1, PS, TG0 = 4 KiB, inner shareable, write-back, T0SZ = 16 */
	sysreg_write(tcr_el2, BIT(31) | BIT(23) | (range > 5 ? 5 : range) << 16 | 3 << 12 |
				      1 << 10 | 1 << 8 | 16);
	sysreg_write(ttbr0_el2, (uint64_t)(uintptr_t)tables[0]);
	__asm__ volatile("dsb sy\n\ttlbi alle2\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
	sysreg_write(sctlr_el2, SCTLR_RES1 | SCTLR_ON);
	isb();
}
