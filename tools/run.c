/* SPDX-License-Identifier: BSD-2-Clause */
/* causeway run. */
#include "commands.h"
#include "dump.h"
#include "qemu.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char run_help[] =
	"usage: causeway run [OPTION...] CONFIG [-- QEMU-ARGUMENT...]\n"
	"\n"
	"Checks the config, packs its image to build/NAME.fit, and starts the hypervisor with it "
	"in\n"
	"QEMU. What follows -- is added to QEMU's command line.\n"
	"\n"
	"  --hypervisor FILE        the hypervisor (build/hypervisor.bin)\n"
	"  --fit FILE               boot from this FIT as it is, do not pack\n"
	"  --print                  only print QEMU's command line, for a shell\n"
	"  --serial stdio           the console is this terminal (the default; Ctrl-C ends it)\n"
	"  --serial unix:PATH       the console is a socket at PATH; the machine starts when\n"
	"                           somebody connects\n"
	"  --log FILE               the console's log (build/NAME.log); QEMU's goes to "
	"FILE.qemu.log\n"
	"  --gic 3|4                the machine's GIC, instead of the config's\n"
	"  --smp N                  its cores, likewise\n"
	"  --memory SIZE            its memory, likewise: 2G, 512M\n"
	"  --dump-pci FOLDER        log every PCI function of the machine, and as each partition\n"
	"                           sees its own; afterwards write FOLDER/machine.dump, and\n"
	"                           FOLDER/machine.lspci and FOLDER/PARTITION.lspci for lspci -F\n"
	"  --icount                 count instructions: 1 ns each, every run the same\n"
	"  --external LOCAL,REMOTE  join the device with network = \"external\" to these two Unix\n"
	"                           datagram sockets: QEMU receives at LOCAL and sends to REMOTE\n"
	"  --timeout SECONDS        end the machine after this long, as a failure\n"
	"  --unchecked              start although the config has errors, if they leave something "
	"to\n"
	"                           start: to see the hypervisor refuse them\n"
	"  --qemu PROGRAM           the QEMU to start (qemu-system-aarch64)\n"
	"\n"
	"exit codes: 0 the machine powered off, 1 the config has errors, 2 usage, 3 a file or a\n"
	"program is missing or failed, 4 the machine ended with failure or ran out of time\n";

enum option_code {
	OPTION_HYPERVISOR = 1,
	OPTION_FIT,
	OPTION_PRINT,
	OPTION_SERIAL,
	OPTION_LOG,
	OPTION_GIC,
	OPTION_ICOUNT,
	OPTION_EXTERNAL,
	OPTION_TIMEOUT,
	OPTION_UNCHECKED,
	OPTION_QEMU,
	OPTION_SMP,
	OPTION_MEMORY,
	OPTION_DUMP_PCI,
};

static const struct option options_known[] = {
	{"hypervisor", required_argument, NULL, OPTION_HYPERVISOR},
	{"fit", required_argument, NULL, OPTION_FIT},
	{"print", no_argument, NULL, OPTION_PRINT},
	{"serial", required_argument, NULL, OPTION_SERIAL},
	{"log", required_argument, NULL, OPTION_LOG},
	{"gic", required_argument, NULL, OPTION_GIC},
	{"icount", no_argument, NULL, OPTION_ICOUNT},
	{"external", required_argument, NULL, OPTION_EXTERNAL},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"unchecked", no_argument, NULL, OPTION_UNCHECKED},
	{"qemu", required_argument, NULL, OPTION_QEMU},
	{"smp", required_argument, NULL, OPTION_SMP},
	{"memory", required_argument, NULL, OPTION_MEMORY},
	{"dump-pci", required_argument, NULL, OPTION_DUMP_PCI},
	{0},
};

struct run_options {
	struct qemu_options qemu;
	bool print, unchecked;
	unsigned timeout;
	struct machine_options machine;
	const char *dump_folder;
};

static void set_serial(struct run_options *run, const char *value)
{
	if (strncmp(value, "unix:", 5) == 0 && value[5]) {
		run->qemu.serial_socket = value + 5;
	} else if (strcmp(value, "stdio") == 0) {
		run->qemu.serial_socket = NULL;
	} else {
		die(EXIT_USAGE, "--serial %s: use stdio or unix:PATH", value);
	}
}

static void set_external(struct run_options *run, const char *value)
{
	char *local = keep_printf("%s", value), *comma = strchr(local, ',');

	if (!comma || comma == local || !comma[1]) {
		die(EXIT_USAGE, "--external %s: use LOCALPATH,REMOTEPATH", value);
	}
	*comma = '\0';
	run->qemu.local = local;
	run->qemu.remote = comma + 1;
}

static uint32_t number(const char *option, const char *value, long least, long most)
{
	char *end;
	long result = strtol(value, &end, 10);

	if (*end || end == value || result < least || result > most) {
		die(EXIT_USAGE, "%s %s: use %ld to %ld", option, value, least, most);
	}
	return (uint32_t)result;
}

static uint64_t memory_size(const char *value)
{
	char *end;
	unsigned long long size = strtoull(value, &end, 10);
	unsigned shift = *end == 'G' ? 30 : *end == 'M' ? 20 : 0;

	if (end == value || !shift || end[1] || size == 0 || size > 255 * 1024) {
		die(EXIT_USAGE, "--memory %s: use a number with M or G, for example 2G", value);
	}
	return size << shift;
}

static void set_timeout(struct run_options *run, const char *value)
{
	char *end;
	long seconds = strtol(value, &end, 10);

	if (*end || end == value || seconds < 1 || seconds > 1000000) {
		die(EXIT_USAGE, "--timeout %s: use a number of seconds", value);
	}
	run->timeout = (unsigned)seconds;
}

static void parse(struct run_options *run, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options_known, NULL)) != -1) {
		switch (option) {
		case OPTION_HYPERVISOR:
			run->qemu.hypervisor = optarg;
			break;
		case OPTION_FIT:
			run->qemu.fit = optarg;
			break;
		case OPTION_PRINT:
			run->print = true;
			break;
		case OPTION_SERIAL:
			set_serial(run, optarg);
			break;
		case OPTION_LOG:
			run->qemu.log = optarg;
			break;
		case OPTION_GIC:
			run->machine.gic = number("--gic", optarg, 3, 4);
			break;
		case OPTION_ICOUNT:
			run->qemu.icount = true;
			break;
		case OPTION_EXTERNAL:
			set_external(run, optarg);
			break;
		case OPTION_TIMEOUT:
			set_timeout(run, optarg);
			break;
		case OPTION_UNCHECKED:
			run->unchecked = true;
			break;
		case OPTION_QEMU:
			run->qemu.program = optarg;
			break;
		case OPTION_SMP:
			run->machine.cores = number("--smp", optarg, 1, MAX_CORES);
			break;
		case OPTION_MEMORY:
			run->machine.memory_size = memory_size(optarg);
			break;
		case OPTION_DUMP_PCI:
			run->dump_folder = optarg;
			run->machine.dump_pci = true;
			break;
		default:
			die(EXIT_USAGE, "see 'causeway run --help'");
		}
	}
}

/*
 * PSCI turns a machine off without a status, and semihosting would give guests the workstation's
 * files and shell: so the hypervisor's last line says how it ended. Guests cannot write one,
 * because each of their lines starts with their name. -1: it did not say, so it did not end by
 * itself.
 */
static int status_in_log(const char *path)
{
	static const char mark[] = "hv| @exit status=";
	char line[512];
	int status = -1;
	FILE *log = fopen(path, "r");

	while (log && fgets(line, sizeof(line), log)) {
		if (strncmp(line, mark, sizeof(mark) - 1) == 0) {
			status = line[sizeof(mark) - 1] == '0' ? 0 : 1;
		}
	}
	if (log) {
		fclose(log);
	}
	return status;
}

/* Also of a machine that failed: what it said first is of use then. False: it said nothing. */
static bool write_dump(const struct machine *machine, const struct run_options *run)
{
	static struct dump dump;

	if (!dump_find_in(&dump, run->qemu.log)) {
		return false;
	}
	dump_write(&dump, run->dump_folder,
		   keep_printf("@host cores=%u memory=0x%llx gic=%u\n", machine->cores,
			       (unsigned long long)machine->memory_size, machine->gic));
	fprintf(stderr, "causeway: the machine's functions are in %s/\n", run->dump_folder);
	return true;
}

/* What is written must be writable before the machine starts, and what was said of another gone. */
static void prepare_outputs(const struct job *job, const struct run_options *run)
{
	FILE *log;

	job_keep_inputs(job, run->qemu.log);
	log = fopen(run->qemu.log, "w");
	if (!log) {
		die(EXIT_TOOL, "%s: %s", run->qemu.log, strerror(errno));
	}
	fclose(log);
	if (run->dump_folder) {
		folder_make(run->dump_folder);
	}
}

static int start(struct job *job, struct run_options *run, const struct words *words, bool pack)
{
	const char *trouble = file_trouble(run->qemu.hypervisor);
	bool timed_out, dumped = true;

	if (trouble) {
		die(EXIT_TOOL, "%s %s; build it with 'make hypervisor'", run->qemu.hypervisor,
		    trouble);
	}
	trouble = pack ? NULL : file_trouble(run->qemu.fit);
	if (trouble) {
		die(EXIT_TOOL, "%s %s; make it with 'causeway pack'", run->qemu.fit, trouble);
	}
	prepare_outputs(job, run);
	if (pack) {
		job_pack(job, run->qemu.fit);
	}
	for (unsigned i = 0; i < job->config.machine.device_count; i++) {
		const struct machine_device *device = &job->config.machine.devices[i];

		if (device->disk) {
			file_make(device->disk, MACHINE_DISK_SIZE);
		}
	}
	fprintf(stderr, "causeway: starting %s from %s, log in %s\n", run->qemu.hypervisor,
		run->qemu.fit, run->qemu.log);

	int status = program_run_foreground(words, run->timeout, &timed_out);

	if (run->dump_folder) {
		dumped = write_dump(&job->config.machine, run);
	}
	if (timed_out) {
		die(EXIT_MACHINE, "the machine was still running after %u s; log in %s",
		    run->timeout, run->qemu.log);
	}
	if (status != 0) {
		die(EXIT_MACHINE,
		    "the machine ended with failure (QEMU's exit status %d); log in %s", status,
		    run->qemu.log);
	}
	status = status_in_log(run->qemu.log);
	if (status != 0) {
		die(EXIT_MACHINE, "the machine %s; log in %s",
		    status < 0 ? "was stopped before it powered off" : "powered off with a failure",
		    run->qemu.log);
	}
	if (!dumped) {
		die(EXIT_MACHINE, "the machine said nothing of its functions; log in %s",
		    run->qemu.log);
	}
	return EXIT_OK;
}

int command_run(int argc, char **argv)
{
	static struct job job;
	static struct words words;
	struct run_options run = {
		.qemu = {.program = "qemu-system-aarch64", .hypervisor = "build/hypervisor.bin"}};
	int own = 0; /* our own words end at "--" */

	while (own < argc && strcmp(argv[own], "--") != 0) {
		own++;
	}
	parse(&run, own, argv);
	if (optind != own - 1) {
		die(EXIT_USAGE, "run needs exactly one CONFIG; see 'causeway run --help'");
	}

	const char *file = argv[optind], *stem = file_stem(file);
	bool pack = !run.qemu.fit;

	if (run.dump_folder && !pack) {
		die(EXIT_USAGE, "--dump-pci needs a FIT of its own: leave --fit out");
	}

	if (pack) {
		run.qemu.fit = keep_printf("build/%s.fit", stem);
	}
	if (!run.qemu.log) {
		run.qemu.log = keep_printf("build/%s.log", stem);
	}
	if (!run.print) {
		folder_make("build");
	}
	job.options = run.machine;
	job_read(&job, file);
	job_require(&job, run.unchecked);
	job_print_paths(&job, stderr);
	qemu_command(&words, &job.config.machine, &run.qemu);
	for (int i = own + 1; i < argc; i++) {
		words_add(&words, "%s", argv[i]);
	}
	if (run.print) {
		words_print(&words);
		return EXIT_OK;
	}
	return start(&job, &run, &words, pack);
}
