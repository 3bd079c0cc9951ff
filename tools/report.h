/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with a config: every finding names the node, what is wrong and what to do. All are
 * collected first and printed together.
 */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include "util.h"

#define REPORT_MAX 200

enum severity {
	SEVERITY_WARNING, /* may well be meant; never fails a check */
	SEVERITY_RULE,	  /* well formed, but it cannot work: `run --unchecked` passes these */
	SEVERITY_SHAPE,	  /* not a config: nothing can be made of it */
};

struct finding {
	enum severity severity;
	const char *path, *problem, *fix;
};

struct report {
	const char *config; /* the file's name as the user gave it */
	struct finding findings[REPORT_MAX];
	unsigned count, left_out;
};

/* Adds a finding; report_fix(), called right after, says what to do about it. */
void report_add(struct report *report, enum severity severity, const char *path,
		const char *problem, ...) PRINTF(4, 5);
void report_fix(struct report *report, const char *fix, ...) PRINTF(2, 3);

unsigned report_count(const struct report *report, enum severity at_least);

/* "CONFIG: /node: what is wrong; what to do", one to a line, to standard error. */
void report_print(const struct report *report);
/* {"config", "ok", "errors": [{"path", "problem", "fix"}], "warnings": [...]}, to standard output.
 */
void report_print_json(const struct report *report);

#endif
