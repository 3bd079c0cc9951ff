/* SPDX-License-Identifier: BSD-2-Clause */
/* causeway scan, causeway dump: from a machine's dump to a first config, and to lspci's input. */
#include "commands.h"
#include "dump.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

const char scan_help[] =
	"usage: causeway scan [-o CONFIG] DUMP\n"
	"\n"
	"Writes a first config for the machine of a dump, to be edited: its devices, a partition\n"
	"for the first network card's PF and one with a VF of it (or with the first function that\n"
	"can be given away), and for every function a comment: whether it can be assigned, and if\n"
	"not, why. The config passes 'causeway check' and 'causeway check --machine DUMP'.\n"
	"DUMP: the machine.dump of 'causeway run --dump-pci DIR', or any log with a dump in it.\n"
	"\n"
	"  -o, --output FILE   write there instead of to standard output\n"
	"\n"
	"exit codes: 0 written, 1 there is no dump in the file, 2 usage, 3 a file cannot be read\n"
	"or written\n";

const char dump_help[] =
	"usage: causeway dump -o FOLDER LOG\n"
	"\n"
	"Takes the dump out of a console's log (Ctrl-T d, or dump-pci in the config) and writes\n"
	"  FOLDER/machine.dump       its lines, for 'scan' and 'check --machine'\n"
	"  FOLDER/machine.lspci      every function of the machine, for 'lspci -F'\n"
	"  FOLDER/PARTITION.lspci    what a partition sees, likewise\n"
	"\n"
	"exit codes: 0 written, 1 there is no dump in the log, 2 usage, 3 a file cannot be read "
	"or\n"
	"written\n";

#define DEFAULT_CORES  4
#define DEFAULT_MEMORY (1ull << 30)
#define GUEST_MEMORY   (256ull << 20)

/* A node's name: what it is and its place, unique in the machine. */
static const char *node_name(const struct machine_device *device)
{
	const char *kind = device->model->port	    ? "port"
			   : device->model->network ? "nic"
			   : device->model->vfs	    ? "nic"
						    : "dev";

	return keep_printf("%s-%02x-%02x-%x", kind, device->rid >> 8, device->rid >> 3 & 31,
			   device->rid & 7);
}

/* `run` can make it, and at the same address: no bridge that it cannot make takes a number first.
 */
static bool is_emulated(const struct dump *dump, const struct machine *machine,
			const struct machine_device *device)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *bridge = &machine->devices[i];

		if (bridge->secondary && bridge->secondary <= device->rid >> 8 &&
		    !dump_model(dump_find(dump, bridge->rid))) {
			return false;
		}
	}
	return dump_model(dump_find(dump, device->rid)) &&
	       (device->parent ? is_emulated(dump, machine, device->parent) : !(device->rid >> 8));
}

static const char *group_members(const struct machine *machine, const struct machine_device *device)
{
	const char *list = "";

	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *other = &machine->devices[i];

		if (other != device && other->group == device->group && !other->model->port) {
			list = keep_printf("%s%s%s", list, *list ? ", " : "", bdf_text(other->rid));
		}
	}
	return list;
}

/* A reset of its bus hits it alone. */
static bool has_bus_reset(const struct machine *machine, const struct machine_device *device)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *other = &machine->devices[i];

		if (other != device && other->parent == device->parent) {
			return false;
		}
	}
	return device->parent != NULL;
}

/* NULL: it can be given to a partition as it is. */
static const char *obstacle(const struct dump *dump, const struct machine *machine,
			    const struct machine_device *device)
{
	const struct dump_function *function = dump_find(dump, device->rid);
	const char *why = dump_obstacle(dump, function);
	const char *others = dump_page_sharers(dump, function);

	if (!why && *others) {
		why = keep_printf(
			"a BAR shares a page with %s: one partition must have all of them", others);
	}
	others = group_members(machine, device);
	if (!why && *others) {
		why = keep_printf("in one isolation group with %s: one partition must have all of "
				  "them",
				  others);
	}
	if (!why && !device->model->flr && !has_bus_reset(machine, device)) {
		why = "no function-level reset: only with keep-without-reset;, or behind a port of "
		      "its own";
	}
	return why;
}

static void write_device(FILE *out, const struct dump *dump, const struct machine *machine,
			 const struct machine_device *device)
{
	const char *why = obstacle(dump, machine, device);

	if (!is_emulated(dump, machine, device)) {
		fprintf(out, "\t\t\t/* %s %s: %s; 'run' cannot make it so */\n",
			bdf_text(device->rid), device->model->name, why ? why : "can be assigned");
		return;
	}
	fprintf(out, "\t\t\t/* %s %s: %s%s */\n", bdf_text(device->rid), device->model->name,
		why ? why : "can be assigned",
		device->model->vfs ? keep_printf("; %u VFs, of which %u can be used",
						 device->model->vfs, device->model->usable_vfs)
				   : "");
	fprintf(out, "\t\t\t%s {\n\t\t\t\tmodel = \"%s\";\n", node_name(device),
		device->model->name);
	if (device->parent) {
		fprintf(out, "\t\t\t\tbehind = \"%s\";\n", node_name(device->parent));
		if (device->rid >> 3 & 31) {
			fprintf(out, "\t\t\t\tslot = <%u>;\n", device->rid >> 3 & 31);
		}
		if (device->rid & 7) {
			fprintf(out, "\t\t\t\tfunction = <%u>;\n", device->rid & 7);
		}
	} else {
		fprintf(out, "\t\t\t\tat = \"%s\";\n", bdf_text(device->rid));
	}
	fprintf(out, "\t\t\t};\n");
}

/* The first with VFs, or the first at all, that can be given away and that `run` can make. */
static const struct machine_device *choose(const struct dump *dump, const struct machine *machine,
					   bool vfs)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *device = &machine->devices[i];

		if (is_emulated(dump, machine, device) && !obstacle(dump, machine, device) &&
		    (!vfs || device->model->usable_vfs)) {
			return device;
		}
	}
	return NULL;
}

static void begin_partition(FILE *out, const char *name, unsigned core, uint64_t memory)
{
	fprintf(out, "\t\t%s {\n\t\t\tcores = <%u>;\n\t\t\tmemory-size = /bits/ 64 <0x%llx>;\n",
		name, core, (unsigned long long)memory);
}

static void write_linux(FILE *out, unsigned core, const char *device)
{
	begin_partition(out, "vm1", core, GUEST_MEMORY);
	fprintf(out,
		"\t\t\tkernel = \"build/guest/Image\"; /* yours */\n"
		"\t\t\tramdisk = \"build/guest/initramfs.cpio.gz\";\n"
		"\t\t\tcommand-line = \"console=ttyAMA0 quiet panic=-1 cw.name=vm1\";\n"
		"%s"
		"\t\t};\n",
		device);
}

static void write_partitions(FILE *out, const struct dump *dump, const struct machine *machine)
{
	const struct machine_device *pf = choose(dump, machine, true);
	const struct machine_device *whole = choose(dump, machine, false);
	bool service = pf && strcmp(pf->model->name, "igb") == 0; /* the only card it knows */

	if (service) {
		fprintf(out, "\t\t/* Drives %s for those who have VFs of it. */\n",
			bdf_text(pf->rid));
		begin_partition(out, "pf", 0, 16ull << 20);
		fprintf(out,
			"\t\t\tkernel = \"build/pf-service.bin\";\n"
			"\t\t\tpf-service;\n"
			"\t\t\tdevices {\n\t\t\t\tnic {\n\t\t\t\t\tfunction = \"%s\";\n\t\t\t\t};\n"
			"\t\t\t};\n\t\t};\n\n",
			bdf_text(pf->rid));
		write_linux(out, 1,
			    keep_printf("\t\t\tdevices {\n\t\t\t\teth0 {\n"
					"\t\t\t\t\tvf-of = \"%s\";\n"
					"\t\t\t\t\tindex = <0>; /* 0 to %u, each once */\n"
					"\t\t\t\t\tmac-address = [52 54 00 ca 05 00]; /* yours */\n"
					"\t\t\t\t};\n\t\t\t};\n",
					bdf_text(pf->rid), pf->model->usable_vfs - 1));
	} else if (whole) {
		write_linux(out, 0,
			    keep_printf("\t\t\tdevices {\n\t\t\t\tdevice {\n"
					"\t\t\t\t\tfunction = \"%s\"; /* %s */\n"
					"\t\t\t\t};\n\t\t\t};\n",
					bdf_text(whole->rid), whole->model->name));
	} else {
		write_linux(out, 0,
			    "\t\t\t/* no function can be given away as it is: see above */\n");
	}
}

static void write_config(FILE *out, const struct dump *dump, const struct machine *machine)
{
	fprintf(out,
		"/* SPDX-License-Identifier: BSD-2-Clause */\n"
		"/* Written by 'causeway scan' from %s: to be edited. */\n"
		"/dts-v1/;\n\n/ {\n\tcompatible = \"" CONFIG_COMPATIBLE "\";\n\n"
		"\tmachine {\n\t\tcompatible = \"qemu,virt\";\n"
		"\t\tcores = <%u>;%s\n\t\tmemory-size = /bits/ 64 <0x%llx>;%s\n",
		dump->file, dump->cores ? dump->cores : DEFAULT_CORES,
		dump->cores ? "" : " /* the dump does not say */",
		(unsigned long long)(dump->memory ? dump->memory : DEFAULT_MEMORY),
		dump->memory ? "" : " /* nor this */");
	if (dump->gic == 3) {
		fprintf(out, "\t\tgic = <3>;\n");
	}
	fprintf(out, "%s%s\n\t\tdevices {\n", dump->smmu ? "" : "\t\tsmmu-off;\n",
		dump->its ? "" : "\t\tits-off;\n");
	for (unsigned i = 0; i < machine->device_count; i++) {
		write_device(out, dump, machine, &machine->devices[i]);
	}
	fprintf(out, "\t\t};\n\t};\n\n\tpartitions {\n");
	write_partitions(out, dump, machine);
	fprintf(out, "\t};\n};\n");
}

static const char *parse_output(int argc, char **argv, const char *what, const char *help)
{
	static const struct option options[] = {{"output", required_argument, NULL, 'o'}, {0}};
	const char *output = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (option != 'o') {
			die(EXIT_USAGE, "see 'causeway %s --help'", help);
		}
		output = optarg;
	}
	if (optind != argc - 1) {
		die(EXIT_USAGE, "%s needs exactly one %s; see 'causeway %s --help'", help, what,
		    help);
	}
	return output;
}

int command_scan(int argc, char **argv)
{
	static struct dump dump;
	static struct machine machine;
	const char *output = parse_output(argc, argv, "DUMP", "scan");
	struct draft draft;

	dump_read(&dump, argv[optind]);
	dump_to_machine(&dump, &machine);
	if (machine.devices_left_out) {
		fprintf(stderr, "causeway: %u functions are left out: a config has %d at most\n",
			machine.devices_left_out, MAX_MACHINE_DEVICES);
	}
	if (!output) {
		write_config(stdout, &dump, &machine);
		return EXIT_OK;
	}
	file_keep(dump.file, output);
	draft_open(&draft);
	write_config(draft.out, &dump, &machine);
	draft_write(&draft, output);
	return EXIT_OK;
}

int command_dump(int argc, char **argv)
{
	static struct dump dump;
	const char *folder = parse_output(argc, argv, "LOG", "dump");

	if (!folder) {
		die(EXIT_USAGE, "dump needs -o FOLDER");
	}
	dump_read(&dump, argv[optind]);
	dump_write(&dump, folder, "");
	return EXIT_OK;
}
