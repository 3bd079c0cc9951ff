/* SPDX-License-Identifier: BSD-2-Clause */
/* causeway: checks a config, packs its image, runs it. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char general_help[] =
	"usage: causeway COMMAND [OPTION...] CONFIG\n"
	"\n"
	"Gives partitions of an AArch64 machine devices of their own. CONFIG describes the\n"
	"machine and its partitions, as device-tree source (.dts) or blob (.dtb);\n"
	"docs/config.md describes it, config/ has examples.\n"
	"\n"
	"commands:\n"
	"  check CONFIG              report every error of the config\n"
	"  pack CONFIG -o OUT.fit    write the image the hypervisor boots its partitions from\n"
	"  run CONFIG                check, pack, and start the machine in QEMU\n"
	"  dump LOG -o FOLDER        take a machine's PCI functions out of a console's log\n"
	"  scan DUMP                 write a first config for the machine of a dump\n"
	"\n"
	"options:\n"
	"  --help      this text; after a command, that command's\n"
	"  --version   the version\n"
	"\n"
	"exit codes:\n"
	"  0  all is well\n"
	"  1  the config has errors\n"
	"  2  the command line is wrong\n"
	"  3  a file or a program (dtc, mkimage, QEMU) is missing or failed\n"
	"  4  run: the machine ended with failure, or ran out of time\n";

static const struct {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"check", check_help, command_check}, {"pack", pack_help, command_pack},
	{"run", run_help, command_run},	      {"scan", scan_help, command_scan},
	{"dump", dump_help, command_dump},
};

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			return true;
		}
	}
	return false;
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		fputs(general_help, stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) != 0) {
			continue;
		}
		if (wants_help(argc - 1, argv + 1)) {
			fputs(commands[i].help, stdout);
			return EXIT_OK;
		}
		return commands[i].run(argc - 1, argv + 1);
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("causeway " VERSION);
		return EXIT_OK;
	}
	if (wants_help(2, argv) || strcmp(argv[1], "help") == 0) {
		fputs(general_help, stdout);
		return EXIT_OK;
	}
	die(EXIT_USAGE, "unknown command '%s'; 'causeway --help' lists them", argv[1]);
}

int main(int argc, char **argv)
{
	int code = dispatch(argc, argv);

	if (fflush(stdout) != 0 || ferror(stdout)) {
		die(EXIT_TOOL, "cannot write to standard output");
	}
	return code;
}
