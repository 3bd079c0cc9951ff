/* SPDX-License-Identifier: BSD-2-Clause */
/* The few functions of string.h that freestanding code needs. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sysreg.h"
#include "types.h"

#define WORD 8u

/* Cache lines of zeroes at once (DC ZVA), once the caches are on; returns what is left. */
static unsigned char *zero_lines(unsigned char *to, unsigned char *end)
{
	uint64_t dczid = sysreg_read(dczid_el0);
	uintptr_t line = 4ul << (dczid & 15), at = align_up((uintptr_t)to, line);

	if ((dczid & 16) || (sysreg_read(sctlr_el2) & 5) != 5 || at > (uintptr_t)end) {
		return to;
	}
	for (; (uintptr_t)to < at; to++) {
		*to = 0;
	}
	for (; (uintptr_t)end - at >= 8 * line;) {
		__asm__ volatile(".rept 8\n\tdc zva, %0\n\tadd %0, %0, %1\n\t.endr"
				 : "+r"(at)
				 : "r"(line)
				 : "memory");
	}
	return (unsigned char *)at;
}

void *memset(void *target, int value, size_t size)
{
	unsigned char *to = target, *end = to + size;
	uint64_t word = (unsigned char)value * 0x0101010101010101ull;

	if (value == 0 && size >= 1024) {
		to = zero_lines(to, end);
	}
	for (; (uintptr_t)to % WORD && to < end; to++) {
		*to = (unsigned char)value;
	}
	for (; (size_t)(end - to) >= 2 * WORD;) {
		__asm__ volatile("stp %1, %1, [%0], #16" : "+r"(to) : "r"(word) : "memory");
	}
	for (; to < end; to++) {
		*(volatile unsigned char *)to = (unsigned char)value;
	}
	return target;
}

void *memcpy(void *restrict target, const void *restrict source, size_t size)
{
	unsigned char *to = target;
	const unsigned char *from = source, *end = from + size;

	/* With the MMU on memory may be read at any address (SCTLR_EL2.A is 0). */
	if ((uintptr_t)to % WORD == 0) {
		for (; (size_t)(end - from) >= 2 * WORD;) {
			uint64_t a, b;

			__asm__ volatile("ldp %0, %1, [%2], #16\n\tstp %0, %1, [%3], #16"
					 : "=&r"(a), "=&r"(b), "+r"(from), "+r"(to)
					 :
					 : "memory");
		}
	}
	for (; from < end; from++, to++) {
		*(volatile unsigned char *)to = *from;
	}
	return target;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < size; i++) {
		if (x[i] != y[i]) {
			return x[i] < y[i] ? -1 : 1;
		}
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length]) {
		length++;
	}
	return length;
}

int strncmp(const char *a, const char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (a[i] != b[i] || !a[i]) {
			return (unsigned char)a[i] - (unsigned char)b[i];
		}
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}
