/* SPDX-License-Identifier: BSD-2-Clause */
/* What check, pack and run have in common. */
#include "commands.h"
#include "dump.h"
#include "rules.h"

#include <stdio.h>
#include <string.h>

static void override(struct machine *machine, const struct machine_options *options)
{
	if (options->gic) {
		machine->gic = options->gic;
	}
	if (options->cores) {
		machine->cores = options->cores;
	}
	if (options->memory_size) {
		machine->memory_size = options->memory_size;
	}
	machine->dump_pci |= options->dump_pci;
}

bool job_read(struct job *job, const char *file)
{
	return job_read_against(job, file, NULL);
}

bool job_read_against(struct job *job, const char *file, const char *dump_file)
{
	static struct dump dump;

	job->report.config = file;
	if (!config_read(&job->config, file, &job->report)) {
		return false;
	}
	schema_check(&job->config, &job->report);
	override(&job->config.machine, &job->options);
	images_load(&job->config, &job->images, &job->report);
	if (dump_file) {
		dump_read(&dump, dump_file);
		dump_to_machine(&dump, &job->config.machine);
	}
	paths_decide(&job->config, &job->report);
	rules_check(&job->config, images_fit_size(&job->images), &job->report);
	if (dump_file) {
		rules_check_dump(&job->config, &dump, &job->report);
	}
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

void job_keep_inputs(const struct job *job, const char *output)
{
	file_keep(job->config.file, output);
	for (unsigned i = 0; i < job->images.count; i++) {
		file_keep(job->images.images[i].file, output);
	}
}

void job_pack(struct job *job, const char *fit)
{
	if (job->images.missing) {
		die(EXIT_TOOL, "%s: %u file%s missing, see above", job->report.config,
		    job->images.missing, job->images.missing == 1 ? " is" : "s are");
	}
	job_keep_inputs(job, fit);
	fit_write(&job->config, &job->images, fit);
}

void job_print_paths(const struct job *job, FILE *out)
{
	const struct config *config = &job->config;

	for (unsigned i = 0; i < config->partition_count; i++) {
		for (unsigned j = 0; j < config->partitions[i].device_count; j++) {
			const struct device *device = &config->partitions[i].devices[j];

			if (device->chosen) {
				fprintf(out, "  %s: direct: VF %u of %s is free\n", device->path,
					device->index, bdf_text(device->vf_of));
			}
		}
	}
	for (unsigned i = 0; i < config->wire_count; i++) {
		const struct wire *wire = &config->wires[i];

		fprintf(out, "  %s: a wire to %s%s\n", wire->path, wire->to_name,
			!wire->why			  ? ""
			: strcmp(wire->why, "asked") == 0 ? ": hosted, as the config says"
							  : ": hosted, because no VF is free");
	}
}
