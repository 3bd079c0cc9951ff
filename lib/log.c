/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

void log_line(const char *format, ...)
{
	char line[LOG_LINE + 1];
	va_list arguments;

	va_start(arguments, format);
	format_text(line, sizeof(line), format, arguments);
	va_end(arguments);
	log_sink(line);
}

bool log_allowed(struct log_quota *quota, uint64_t now_ns, uint32_t burst, uint64_t window_ns)
{
	if (now_ns - quota->window_start_ns >= window_ns) {
		quota->window_start_ns = now_ns;
		quota->used = 0;
	}
	if (quota->used >= burst) {
		return false;
	}
	quota->used++;
	return true;
}
