/* SPDX-License-Identifier: BSD-2-Clause */
/* causeway check, causeway pack. */
#include "commands.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

const char check_help[] =
	"usage: causeway check [--json] [--machine DUMP] CONFIG\n"
	"\n"
	"Reports every error of a config at once, one to a line:\n"
	"  CONFIG: /node/path: what is wrong; what to do\n"
	"A file that is missing is a warning: it may be built later. Nothing is written.\n"
	"\n"
	"  --machine DUMP   check against that machine instead of the one the config describes:\n"
	"           which functions there are, isolation groups, resets, VFs, room for BARs, "
	"pages\n"
	"           that functions share. DUMP: 'causeway run --dump-pci' or any log with a dump\n"
	"  --json   write the report as JSON to standard output instead:\n"
	"           {\"config\", \"ok\", \"errors\": [{\"path\", \"problem\", \"fix\"}], "
	"\"warnings\": [...],\n"
	"            \"left_out\": N}, N: errors beyond those there is room for\n"
	"\n"
	"exit codes: 0 no errors, 1 errors, 2 usage, 3 the file cannot be read or dtc is missing\n";

const char pack_help[] =
	"usage: causeway pack CONFIG -o OUT.fit\n"
	"\n"
	"Checks the config and writes a FIT with everything the hypervisor needs: the config with\n"
	"load addresses resolved, every kernel and ramdisk once, each with its sha256 hash, and a\n"
	"device tree for each partition. Equal input gives equal bytes. File names in the config "
	"are\n"
	"relative to the current folder.\n"
	"\n"
	"  -o, --output FILE   the FIT to write\n"
	"  --unchecked         pack although there are errors, if they leave something to pack\n"
	"\n"
	"exit codes: 0 written, 1 the config has errors, 2 usage, 3 a file is missing, mkimage "
	"failed\n";

static const char *only_operand(int argc, char **argv)
{
	if (optind != argc - 1) {
		die(EXIT_USAGE, "%s needs exactly one CONFIG; see 'causeway %s --help'", argv[0],
		    argv[0]);
	}
	return argv[optind];
}

static noreturn void bad_option(const char *command)
{
	die(EXIT_USAGE, "see 'causeway %s --help'", command);
}

static void print_summary(const struct job *job)
{
	unsigned devices = 0, count = job->config.partition_count;

	for (unsigned i = 0; i < count; i++) {
		devices += job->config.partitions[i].device_count;
	}
	printf("%s: ok: %u partition%s, %u device%s\n", job->report.config, count,
	       count == 1 ? "" : "s", devices, devices == 1 ? "" : "s");
	job_print_paths(job, stdout);
}

int command_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"machine", required_argument, NULL, 'm'}, {0}};
	static struct job job;
	bool json = false;
	const char *dump = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j') {
			json = true;
		} else if (option == 'm') {
			dump = optarg;
		} else {
			bad_option(argv[0]);
		}
	}
	job_read_against(&job, only_operand(argc, argv), dump);
	if (json) {
		report_print_json(&job.report);
	} else {
		report_print(&job.report);
	}
	if (report_count(&job.report, SEVERITY_RULE)) {
		return EXIT_CONFIG;
	}
	if (!json) {
		print_summary(&job);
	}
	return EXIT_OK;
}

int command_pack(int argc, char **argv)
{
	static const struct option options[] = {{"output", required_argument, NULL, 'o'},
						{"unchecked", no_argument, NULL, 'u'},
						{0}};
	static struct job job;
	const char *output = NULL;
	bool unchecked = false;
	int option;

	while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			output = optarg;
			break;
		case 'u':
			unchecked = true;
			break;
		default:
			bad_option(argv[0]);
		}
	}

	const char *file = only_operand(argc, argv);

	if (!output) {
		die(EXIT_USAGE, "pack needs -o OUT.fit");
	}
	job_read(&job, file);
	job_require(&job, unchecked);
	job_pack(&job, output);
	return EXIT_OK;
}
