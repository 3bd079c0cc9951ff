/* SPDX-License-Identifier: BSD-2-Clause */
/* NAME=VALUE words of /chosen/bootargs. */
#include "internal.h"

#include <libfdt.h>
#include <string.h>

/* The value of `name` inside the command line, its length in *length; NULL: not there. */
static const char *find(const char *name, size_t *length)
{
	int node = guest_fdt() ? fdt_path_offset(guest_fdt(), "/chosen") : -1;
	const char *text = node < 0 ? NULL : fdt_getprop(guest_fdt(), node, "bootargs", NULL);
	size_t name_length = strlen(name);

	while (text && *text) {
		size_t word = 0;

		while (text[word] && text[word] != ' ') {
			word++;
		}
		if (word > name_length && !memcmp(text, name, name_length) &&
		    text[name_length] == '=') {
			*length = word - name_length - 1;
			return text + name_length + 1;
		}
		text += word + (text[word] == ' ');
	}
	return NULL;
}

bool boot_text(const char *name, char *value, size_t size)
{
	size_t length;
	const char *text = find(name, &length);

	if (!text || !size) {
		return false;
	}
	length = length < size - 1 ? length : size - 1;
	memcpy(value, text, length);
	value[length] = '\0';
	return true;
}

static unsigned digit(char c)
{
	return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
	       : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
				      : 16;
}

/* Reads one number at *text, which must end at `end` or a comma, and steps over it. */
static bool number(const char **text, const char *end, uint64_t *value)
{
	const char *at = *text;
	unsigned base = end - at > 2 && at[0] == '0' && at[1] == 'x' ? 16 : 10;
	const char *first = at += base == 16 ? 2 : 0;

	for (*value = 0; at < end && digit(*at) < base; at++) {
		*value = *value * base + digit(*at);
	}
	if (at == first) {
		return false;
	}
	if (at < end && (*at == 'K' || *at == 'M' || *at == 'G')) {
		*value <<= *at == 'K' ? 10 : *at == 'M' ? 20 : 30;
		at++;
	}
	if (at < end && *at++ != ',') {
		return false;
	}
	*text = at;
	return true;
}

unsigned boot_numbers(const char *name, uint64_t *values, unsigned room)
{
	size_t length;
	const char *text = find(name, &length);
	const char *end = text ? text + length : NULL;
	unsigned count = 0;

	while (text && text < end && count < room && number(&text, end, &values[count])) {
		count++;
	}
	return count;
}

uint64_t boot_number(const char *name, uint64_t fallback)
{
	uint64_t value;

	return boot_numbers(name, &value, 1) ? value : fallback;
}
