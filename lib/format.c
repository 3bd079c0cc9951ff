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
	unsigned width;
	int precision; /* -1: none */
	bool left, zero, hex, is_signed;
	uint64_t value;
};

static void put(struct output *out, char c)
{
	if (out->used + 1 < out->size) {
		out->buffer[out->used++] = c;
	}
}

static void put_padding(struct output *out, char c, unsigned have, unsigned width)
{
	for (; have < width; have++) {
		put(out, c);
	}
}

static void put_text(struct output *out, const struct conversion *how, const char *text)
{
	unsigned length = 0;

	text = text ? text : "(null)";
	while (text[length] && (how->precision < 0 || length < (unsigned)how->precision)) {
		length++;
	}
	if (!how->left) {
		put_padding(out, ' ', length, how->width);
	}
	for (unsigned i = 0; i < length; i++) {
		put(out, text[i]);
	}
	if (how->left) {
		put_padding(out, ' ', length, how->width);
	}
}

static void put_number(struct output *out, const struct conversion *how)
{
	char digits[20];
	unsigned count = 0, length;
	bool negative = how->is_signed && (int64_t)how->value < 0;
	uint64_t rest = negative ? -how->value : how->value;
	unsigned base = how->hex ? 16 : 10;

	do {
		digits[count++] = "0123456789abcdef"[rest % base];
		rest /= base;
	} while (rest);
	length = count + negative;
	if (!how->left && !how->zero) {
		put_padding(out, ' ', length, how->width);
	}
	if (negative) {
		put(out, '-');
	}
	if (how->zero) {
		put_padding(out, '0', length, how->width);
	}
	while (count) {
		put(out, digits[--count]);
	}
	if (how->left) {
		put_padding(out, ' ', length, how->width);
	}
}

static const char *parse_flags(const char *format, struct conversion *how)
{
	for (;; format++) {
		if (*format == '-') {
			how->left = true;
		} else if (*format == '0') {
			how->zero = true;
		} else {
			break;
		}
	}
	for (; *format >= '0' && *format <= '9'; format++) {
		how->width = how->width * 10 + (unsigned)(*format - '0');
	}
	return format;
}

size_t format_text(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct output out = {buffer, size, 0};

	for (; *format; format++) {
		struct conversion how = {.precision = -1};
		unsigned longs = 0;

		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		format = parse_flags(format + 1, &how);
		if (format[0] == '.' && format[1] == '*') {
			how.precision = va_arg(arguments, int);
			format += 2;
		}
		for (; *format == 'l' || *format == 'z'; format++) {
			longs++;
		}
		switch (*format) {
		case 's':
			put_text(&out, &how, va_arg(arguments, const char *));
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
			put_text(&out, &(struct conversion){.precision = -1}, "0x");
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
