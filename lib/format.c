/* SPDX-License-Identifier: BSD-2-Clause */
/* The small part of printf that log lines need: strings and unsigned numbers, no allocation, always
 * bounded.
 */
#include "log.h"

#include "types.h"

struct output {
	char *buffer;
	size_t size; /* room, the terminator included */
	size_t used;
};

static void put(struct output *out, char c)
{
	if (out->used + 1 < out->size) {
		out->buffer[out->used++] = c;
	}
}

static void put_text(struct output *out, const char *text)
{
	for (text = text ? text : "(null)"; *text; text++) {
		put(out, *text);
	}
}

/* In at least `width` places, with `pad` in front. */
static void put_number(struct output *out, uint64_t value, unsigned base, unsigned width, char pad)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	for (; width > count; width--) {
		put(out, pad);
	}
	while (count) {
		put(out, digits[--count]);
	}
}

size_t format_text(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct output out = {buffer, size, 0};

	for (; *format; format++) {
		unsigned width = 0;
		bool is_long = false;

		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		char pad = *++format == '0' ? '0' : ' ';

		for (; *format >= '0' && *format <= '9'; format++) {
			width = width * 10 + (unsigned)(*format - '0');
		}
		for (; *format == 'l'; format++) {
			is_long = true;
		}
		switch (*format) {
		case 's':
			put_text(&out, va_arg(arguments, const char *));
			break;
		case 'x':
		case 'u':
			put_number(&out,
				   is_long ? va_arg(arguments, unsigned long)
					   : va_arg(arguments, unsigned int),
				   *format == 'x' ? 16 : 10, width, pad);
			break;
		case '\0':
			format--;
			break;
		default:
			put(&out, *format);
			break;
		}
	}
	if (size) {
		buffer[out.used] = '\0';
	}
	return out.used;
}
