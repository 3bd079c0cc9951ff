/* SPDX-License-Identifier: BSD-2-Clause */
/* The program's commands: each gets its own words and returns the program's exit code. */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

#include "images.h"

#include <stdio.h>

int command_check(int argc, char **argv);
int command_pack(int argc, char **argv);
int command_run(int argc, char **argv);
int command_scan(int argc, char **argv);
int command_dump(int argc, char **argv);

extern const char check_help[], pack_help[], run_help[], scan_help[], dump_help[];

/* What `run` says instead of the config; 0: nothing. */
struct machine_options {
	uint32_t gic, cores;
	uint64_t memory_size;
	bool dump_pci;
};

/* A config read and checked, as all commands begin. */
struct job {
	struct machine_options options; /* set before job_read() */
	struct config config;
	struct image_set images;
	struct report report;
};

/* False when nothing can be made of the config; the report says why. */
bool job_read(struct job *job, const char *file);
/* The same against the machine of this dump, whatever the config says of its devices. */
bool job_read_against(struct job *job, const char *file, const char *dump);
/* Prints the report; ends the program with EXIT_CONFIG unless the config is sound. */
void job_require(struct job *job, bool unchecked);
/* Direct or hosted, and why: a line for each device that left it open, and for each wire. */
void job_print_paths(const struct job *job, FILE *out);
/* Ends the program with EXIT_USAGE when writing this file would destroy the config or an image. */
void job_keep_inputs(const struct job *job, const char *output);
/* Writes the FIT; ends the program with EXIT_TOOL when files are missing. */
void job_pack(struct job *job, const char *fit);

#endif
