/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 600

/* Formats, cuts what is too long, and replaces control characters: the text came from a file. */
static char *safe_text(const char *format, va_list args)
{
	char *text = keep_alloc(TEXT_MAX);

	vsnprintf(text, TEXT_MAX, format, args);
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			*c = '?';
		}
	}
	return text;
}

void report_add(struct report *report, enum severity severity, const char *path,
		const char *problem, ...)
{
	va_list args;

	if (report->count == REPORT_MAX) {
		report->left_out++;
		return;
	}
	va_start(args, problem);
	report->findings[report->count++] = (struct finding){
		.severity = severity,
		.path = path,
		.problem = safe_text(problem, args),
		.fix = "",
	};
	va_end(args);
}

void report_fix(struct report *report, const char *fix, ...)
{
	va_list args;

	if (report->left_out) {
		return;
	}
	va_start(args, fix);
	report->findings[report->count - 1].fix = safe_text(fix, args);
	va_end(args);
}

unsigned report_count(const struct report *report, enum severity at_least)
{
	unsigned count = at_least <= SEVERITY_SHAPE ? report->left_out : 0;

	for (unsigned i = 0; i < report->count; i++) {
		count += report->findings[i].severity >= at_least;
	}
	return count;
}

void report_print(const struct report *report)
{
	for (unsigned i = 0; i < report->count; i++) {
		const struct finding *finding = &report->findings[i];

		fprintf(stderr, "%s: %s: %s%s; %s\n", report->config, finding->path,
			finding->severity == SEVERITY_WARNING ? "warning: " : "", finding->problem,
			finding->fix);
	}
	if (report->left_out) {
		fprintf(stderr, "%s: and %u more\n", report->config, report->left_out);
	}
}

static void print_json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			printf("\\%c", c);
		} else if (c < ' ' || c > '~') {
			printf("\\u%04x", c);
		} else {
			putchar(c);
		}
	}
	putchar('"');
}

static void print_json_list(const struct report *report, bool warnings)
{
	const char *separator = "";

	for (unsigned i = 0; i < report->count; i++) {
		const struct finding *finding = &report->findings[i];

		if ((finding->severity == SEVERITY_WARNING) != warnings) {
			continue;
		}
		printf("%s\n    {\"path\": ", separator);
		print_json_string(finding->path);
		printf(", \"problem\": ");
		print_json_string(finding->problem);
		printf(", \"fix\": ");
		print_json_string(finding->fix);
		printf("}");
		separator = ",";
	}
	printf("]");
}

void report_print_json(const struct report *report)
{
	printf("{\"config\": ");
	print_json_string(report->config);
	printf(", \"ok\": %s,\n  \"errors\": [",
	       report_count(report, SEVERITY_RULE) ? "false" : "true");
	print_json_list(report, false);
	printf(",\n  \"warnings\": [");
	print_json_list(report, true);
	printf(", \"left_out\": %u}\n", report->left_out);
}
