/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of <string.h> that the compiler and libfdt call. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if ((((uintptr_t)t | (uintptr_t)f) & 7) == 0) {
		for (; size >= 8; size -= 8, t += 8, f += 8) {
			*(uint64_t *)(void *)t = *(const uint64_t *)(const void *)f;
		}
	}
	while (size--) {
		*t++ = *f++;
	}
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if ((uintptr_t)t <= (uintptr_t)f) {
		while (size--) {
			*t++ = *f++;
		}
	} else {
		while (size--) {
			t[size] = f[size];
		}
	}
	return to;
}

void *memset(void *to, int value, size_t size)
{
	unsigned char *t = to;

	for (; size && ((uintptr_t)t & 7); size--) {
		*t++ = (unsigned char)value;
	}
	for (; size >= 8; size -= 8, t += 8) {
		*(uint64_t *)(void *)t = (unsigned char)value * 0x0101010101010101ull;
	}
	while (size--) {
		*t++ = (unsigned char)value;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (; size; size--, x++, y++) {
		if (*x != *y) {
			return *x < *y ? -1 : 1;
		}
	}
	return 0;
}

void *memchr(const void *in, int value, size_t size)
{
	const unsigned char *at = in;

	for (; size; size--, at++) {
		if (*at == (unsigned char)value) {
			return (void *)(uintptr_t)at;
		}
	}
	return NULL;
}

size_t strnlen(const char *text, size_t room)
{
	size_t length = 0;

	while (length < room && text[length]) {
		length++;
	}
	return length;
}

size_t strlen(const char *text)
{
	return strnlen(text, SIZE_MAX);
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

char *strchr(const char *text, int c)
{
	return memchr(text, c, strlen(text) + 1);
}

char *strrchr(const char *text, int c)
{
	for (size_t at = strlen(text) + 1; at-- > 0;) {
		if (text[at] == (char)c) {
			return (char *)(uintptr_t)(text + at);
		}
	}
	return NULL;
}
