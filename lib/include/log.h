/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line to the log. The text names the function (bus:device.function), the partition, what was
 * wrong and what to do. Conversions: %s %u %x %lu %lx %llu %llx %%, width and zero padding. A line
 * longer than LOG_LINE is cut, never split.
 *
 * log_sink() is supplied by the platform: it gets one finished line without a newline.
 */
#ifndef CW_LOG_H
#define CW_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE 200

void log_sink(const char *line);

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/* For the reader of the source: a line says itself how bad it is. */
#define log_info(...)  log_line(__VA_ARGS__)
#define log_warn(...)  log_line(__VA_ARGS__)
#define log_error(...) log_line(__VA_ARGS__)

/* Formats into [buffer, buffer+size), always terminated; returns the length written. */
size_t format_text(char *buffer, size_t size, const char *format, va_list arguments);

/*
 * At most `burst` lines in each window of `window_ns`. Guests can provoke lines, so every such line
 * asks here.
 */
struct log_quota {
	uint64_t window_start_ns;
	uint32_t used;
};

bool log_allowed(struct log_quota *quota, uint64_t now_ns, uint32_t burst, uint64_t window_ns);

#endif
