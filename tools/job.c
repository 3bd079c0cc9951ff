/* SPDX-License-Identifier: BSD-2-Clause */
/* What check, pack and run have in common. */
#include "commands.h"
#include "rules.h"

#include <stdio.h>

bool job_read(struct job *job, const char *file)
{
	job->report.config = file;
	if (!config_read(&job->config, file, &job->report)) {
		return false;
	}
	schema_check(&job->config, &job->report);
	images_load(&job->config, &job->images, &job->report);
	rules_check(&job->config, images_fit_size(&job->images), &job->report);
	return true;
}

void job_require(struct job *job, bool unchecked)
{
	unsigned errors = report_count(&job->report, SEVERITY_RULE);
	unsigned fatal = report_count(&job->report, unchecked ? SEVERITY_SHAPE : SEVERITY_RULE);

	report_print(&job->report);
	if (fatal) {
		die(EXIT_CONFIG, "%s has %u error%s; nothing was started", job->report.config,
		    errors, errors == 1 ? "" : "s");
	}
	if (errors) {
		fprintf(stderr, "causeway: --unchecked: going on all the same\n");
	}
}

void job_pack(struct job *job, const char *fit)
{
	if (job->images.missing) {
		die(EXIT_TOOL, "%s: %u file%s missing, see above", job->report.config,
		    job->images.missing, job->images.missing == 1 ? " is" : "s are");
	}
	fit_write(&job->config, &job->images, fit);
}
