/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads dumps out of logs, and writes them for lspci. */
#include "dump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNER	     "hv| " /* guests' lines begin with their names */
#define CAP_POINTER  0x34
#define STATUS_LIST  0x10
#define EXT_SRIOV    0x10
#define MAX_HOPS     48
#define MACHINE_FILE "machine"

/* --- registers ------------------------------------------------------------------------------- */

uint32_t dump_value(const struct dump_function *function, unsigned at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes && at + i < sizeof(function->bytes); i++) {
		value |= (uint32_t)function->bytes[at + i] << (8 * i);
	}
	return value;
}

unsigned dump_capability(const struct dump_function *function, uint8_t id)
{
	unsigned at = dump_value(function, 0x06, 2) & STATUS_LIST
			      ? dump_value(function, CAP_POINTER, 1) & 0xfc
			      : 0;

	for (unsigned hop = 0; hop < MAX_HOPS && at >= 0x40; hop++) {
		if (dump_value(function, at, 1) == id) {
			return at;
		}
		at = dump_value(function, at + 1, 1) & 0xfc;
	}
	return 0;
}

unsigned dump_extended(const struct dump_function *function, uint16_t id)
{
	unsigned at = 0x100;

	for (unsigned hop = 0; hop < MAX_HOPS && at >= 0x100; hop++) {
		uint32_t header = dump_value(function, at, 4);

		if (header && (header & 0xffff) == id) {
			return at;
		}
		at = header >> 20 & 0xffc;
	}
	return 0;
}

bool dump_is_machine(const struct dump_function *function)
{
	return strcmp(function->view, DUMP_MACHINE) == 0;
}

bool dump_is_bridge(const struct dump_function *function)
{
	return (dump_value(function, 0x0e, 1) & 0x7f) == 1;
}

bool dump_is_vf(const struct dump_function *function)
{
	return dump_value(function, 0, 4) == 0xffffffff;
}

const struct dump_function *dump_find(const struct dump *dump, int rid)
{
	for (unsigned i = 0; i < dump->count; i++) {
		if (dump_is_machine(&dump->functions[i]) && dump->functions[i].rid == rid) {
			return &dump->functions[i];
		}
	}
	return NULL;
}

bool dump_is_fenced(const struct dump *dump, int rid)
{
	for (unsigned i = 0; i < dump->mapped_count; i++) {
		if ((uint32_t)rid - dump->mapped[i].first < dump->mapped[i].count) {
			return dump->smmu;
		}
	}
	return false;
}

/* The hypervisor's lines begin with its name on a console, and with nothing in a dump. */
static const char *without_owner(const char *line)
{
	return strncmp(line, OWNER, strlen(OWNER)) ? line : line + strlen(OWNER);
}

/* --- reading --------------------------------------------------------------------------------- */

static struct dump_function *function_at(struct dump *dump, const char *view, const char *name)
{
	int rid = strspn(view, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(view)
			  ? bdf_parse(name)
			  : -1; /* a view becomes a file's name */

	for (unsigned i = 0; i < dump->count; i++) {
		if (dump->functions[i].rid == rid && strcmp(dump->functions[i].view, view) == 0) {
			return &dump->functions[i];
		}
	}
	if (rid < 0 || dump->count == DUMP_FUNCTIONS) {
		dump->left_out += rid >= 0;
		return NULL;
	}
	struct dump_function *function = &dump->functions[dump->count++];

	snprintf(function->view, sizeof(function->view), "%s", view);
	function->rid = rid;
	function->length = 256;
	return function;
}

static void read_row(struct dump *dump, const char *line)
{
	char view[MAX_NAME + 1], name[13];
	unsigned at, words[4];
	struct dump_function *function;

	if (sscanf(line, "@pci %15s %12s %x: %8x %8x %8x %8x", view, name, &at, &words[0],
		   &words[1], &words[2], &words[3]) != 7 ||
	    at > 4096 - 16 || at % 16 || !(function = function_at(dump, view, name))) {
		return;
	}
	if ((words[0] & words[1] & words[2] & words[3]) == 0xffffffff) {
		return; /* in reset */
	}
	if (at == 0) { /* of a dump that comes again */
		memset(function->bytes, 0, sizeof(function->bytes));
	}
	for (unsigned i = 0; i < 16; i++) {
		function->bytes[at + i] = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
	}
	if (at >= 256) {
		function->length = 4096;
	}
}

static void read_bar(struct dump *dump, const char *line, bool vf)
{
	char name[13];
	unsigned index, space;
	unsigned long long address, size;
	struct dump_function *function;

	if (sscanf(line,
		   vf ? "@vf-bar %12s %u space=%u address=%llx size=%llx"
		      : "@bar %12s %u space=%u address=%llx size=%llx",
		   name, &index, &space, &address, &size) == 5 &&
	    index < DUMP_BARS && (function = function_at(dump, DUMP_MACHINE, name))) {
		(vf ? function->vf_bars : function->bars)[index] =
			(struct dump_bar){space, address, size};
	}
}

static void read_machine(struct dump *dump, const char *line)
{
	unsigned smmu, its, first, count, cores, gic;
	unsigned long long memory;

	if (sscanf(line, "@machine smmu=%u its=%u", &smmu, &its) == 2) {
		dump->has_machine = true;
		dump->smmu = smmu;
		dump->its = its;
		dump->mapped_count = 0;
	} else if (sscanf(line, "@iommu-map rid=%x count=%x", &first, &count) == 2) {
		if (dump->mapped_count < sizeof(dump->mapped) / sizeof(dump->mapped[0])) {
			dump->mapped[dump->mapped_count].first = first;
			dump->mapped[dump->mapped_count++].count = count;
		}
	} else if (sscanf(line, "@host cores=%u memory=%llx gic=%u", &cores, &memory, &gic) == 3) {
		dump->cores = cores;
		dump->memory = memory;
		dump->gic = gic;
	}
}

bool dump_find_in(struct dump *dump, const char *file)
{
	FILE *log = fopen(file, "r");
	char line[512];

	*dump = (struct dump){.file = file};
	dump->functions = keep_alloc(DUMP_FUNCTIONS * sizeof(*dump->functions));
	if (!log) {
		die(EXIT_TOOL, "%s: %s", file, strerror(errno));
	}
	while (fgets(line, sizeof(line), log)) {
		const char *text = without_owner(line);

		read_row(dump, text);
		read_bar(dump, text, false);
		read_bar(dump, text, true);
		read_machine(dump, text);
	}
	fclose(log);
	if (dump->left_out) {
		fprintf(stderr, "causeway: %s: more than %d functions; %u rows are left out\n",
			file, DUMP_FUNCTIONS, dump->left_out);
	}
	return dump->has_machine && dump->count;
}

void dump_read(struct dump *dump, const char *file)
{
	if (!dump_find_in(dump, file)) {
		die(EXIT_CONFIG,
		    "%s: there is no dump in it; make one with 'causeway run --dump-pci DIR "
		    "CONFIG', "
		    "or Ctrl-T d on the console of a running machine, whose log will do",
		    file);
	}
}

/* --- writing --------------------------------------------------------------------------------- */

/* A VF's own id is all-ones (PCIe 9.3.4.1): it is its PF's, as an operating system shows it. */
static struct dump_function with_id(const struct dump *dump, const struct dump_function *function)
{
	struct dump_function shown = *function;

	for (unsigned i = 0; i < dump->count && dump_is_vf(function); i++) {
		const struct dump_function *pf = &dump->functions[i];
		unsigned at = dump_is_machine(pf) ? dump_extended(pf, EXT_SRIOV) : 0;
		int count = at ? (int)dump_value(pf, at + 0x10, 2) : 0;
		int from = pf->rid + (at ? (int)dump_value(pf, at + 0x14, 2) : 0);
		int stride = at ? (int)dump_value(pf, at + 0x16, 2) : 0;

		for (int vf = 0; vf < count && vf < 256; vf++) {
			if (function->rid == from + vf * stride) {
				memcpy(shown.bytes, pf->bytes, 2);
				memcpy(shown.bytes + 2, pf->bytes + at + 0x1a, 2);
			}
		}
	}
	return shown;
}

static void write_lspci(FILE *file, const struct dump_function *function)
{
	fprintf(file, "%s %04x:%04x\n", bdf_text(function->rid), dump_value(function, 0, 2),
		dump_value(function, 2, 2));
	for (unsigned at = 0; at < function->length; at += 16) {
		fprintf(file, at < 256 ? "%02x:" : "%03x:", at);
		for (unsigned i = 0; i < 16; i++) {
			fprintf(file, " %02x", function->bytes[at + i]);
		}
		fputc('\n', file);
	}
	fputc('\n', file);
}

static void write_view(const struct dump *dump, const char *folder, const char *view)
{
	bool machine = strcmp(view, DUMP_MACHINE) == 0;
	struct draft draft;

	draft_open(&draft);

	for (int rid = 0; rid < 0x10000; rid++) {
		for (unsigned i = 0; i < dump->count; i++) {
			if (dump->functions[i].rid == rid &&
			    strcmp(dump->functions[i].view, view) == 0) {
				struct dump_function shown = with_id(dump, &dump->functions[i]);

				write_lspci(draft.out, &shown);
			}
		}
	}
	draft_write(&draft, keep_printf("%s/%s.lspci", folder, machine ? MACHINE_FILE : view));
}

static bool is_dump_line(const char *text)
{
	static const char *const words[] = {"@host ", "@machine ", "@iommu-map ",
					    "@pci ",  "@bar ",	   "@vf-bar "};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(text, words[i], strlen(words[i])) == 0) {
			return true;
		}
	}
	return false;
}

/* The log may be the very file that is written: a dump taken out of a dump. */
static void write_lines(const struct dump *dump, const char *folder, const char *facts)
{
	FILE *log = fopen(dump->file, "r");
	struct draft draft;
	char line[512];

	if (!log) {
		die(EXIT_TOOL, "%s: %s", dump->file, strerror(errno));
	}
	draft_open(&draft);
	fprintf(draft.out, "# causeway dump 1\n%s", facts);
	while (fgets(line, sizeof(line), log)) {
		const char *text = without_owner(line);

		if (is_dump_line(text)) {
			fprintf(draft.out, "%.*s\n", (int)strcspn(text, "\r\n"), text);
		}
	}
	fclose(log);
	draft_write(&draft, keep_printf("%s/" MACHINE_FILE ".dump", folder));
}

void dump_write(const struct dump *dump, const char *folder, const char *facts)
{
	folder_make(folder);
	write_lines(dump, folder, facts);
	for (unsigned i = 0; i < dump->count; i++) {
		bool first = true;

		for (unsigned j = 0; j < i; j++) {
			first &= strcmp(dump->functions[i].view, dump->functions[j].view) != 0;
		}
		if (first) {
			write_view(dump, folder, dump->functions[i].view);
		}
	}
}
