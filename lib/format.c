/* SPDX-License-Identifier: BSD-2-Clause */
/* The small part of printf that log lines need: no floating point, no allocation, always bounded.
 */
#include "log.h"

#include "types.h"

struct output {
	char *buffer;
	size_t size; /* room, the terminator included */
	size_t used;
};

struct conversion {
	unsigned width; /* of a number, padded with `pad` in front */
	char pad;
	bool hex, is_signed;
	uint64_t value;
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

static void put_number(struct output *out, const struct conversion *how)
{
	char digits[20];
	unsigned count = 0;
	bool negative = how->is_signed && (int64_t)how->value < 0;
	uint64_t rest = negative ? -how->value : how->value;
	unsigned base = how->hex ? 16 : 10;

	do {
		digits[count++] = "0123456789abcdef"[rest % base];
		rest /= base;
	} while (rest);
	if (negative && how->pad == '0') {
		put(out, '-');
	}
	for (unsigned length = count + negative; length < how->width; length++) {
		put(out, how->pad);
	}
	if (negative && how->pad != '0') {
		put(out, '-');
	}
	while (count) {
		put(out, digits[--count]);
	}
}

static const char *parse_width(const char *format, struct conversion *how)
{
	how->pad = *format == '0' ? '0' : ' ';
	for (; *format >= '0' && *format <= '9'; format++) {
		how->width = how->width * 10 + (unsigned)(*format - '0');
	}
	return format;
}

size_t format_text(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct output out = {buffer, size, 0};

	for (; *format; format++) {
		struct conversion how = {0};
		unsigned longs = 0;

		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		format = parse_width(format + 1, &how);
		for (; *format == 'l' || *format == 'z'; format++) {
			longs++;
		}
		switch (*format) {
		case 's':
			put_text(&out, va_arg(arguments, const char *));
			break;
		case 'c':
			put(&out, (char)va_arg(arguments, int));
			break;
		case 'd':
			how.is_signed = true;
			how.value = longs ? (uint64_t)va_arg(arguments, long)
					  : (uint64_t)va_arg(arguments, int);
			put_number(&out, &how);
			break;
		case 'p':
			put_text(&out, "0x");
			longs = 1;
			/* fall through */
		case 'x':
			how.hex = true;
			/* fall through */
		case 'u':
			how.value = longs ? va_arg(arguments, unsigned long)
					  : va_arg(arguments, unsigned int);
			put_number(&out, &how);
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
