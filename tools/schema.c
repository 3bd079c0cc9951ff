/* SPDX-License-Identifier: BSD-2-Clause */
/* What may stand in a config: one table for each kind of node. What is not in a table is an error.
 */
#include "config.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

enum type {
	TYPE_FLAG,
	TYPE_STRING,
	TYPE_TEXT, /* a string that may be empty */
	TYPE_NUMBER,
	TYPE_NUMBERS,
	TYPE_SIZE, /* 64 bits */
	TYPE_MAC,
	TYPE_BDF,
	TYPE_PATH,
	TYPE_PARTITION, /* a label, or a name */
};

struct property_rule {
	const char *name;
	enum type type;
	bool required;
	const char *example;
};

/* A child by this name, or any child when the name is NULL. */
struct node_rule {
	const struct property_rule *properties;
	const char *child_name[2];
	const struct node_rule *child[2];
	bool child_required;
	bool numbered; /* there may be several: NAME@0, NAME@1 */
};

static const struct property_rule no_properties[] = {{0}};

static const struct property_rule machine_device_properties[] = {
	{"model", TYPE_STRING, true, "model = \"igb\";"},
	{"at", TYPE_BDF, false, "at = \"0000:00:04.0\";"},
	{"behind", TYPE_STRING, false, "behind = \"port1\";"},
	{"slot", TYPE_NUMBER, false, "slot = <1>;"},
	{"function", TYPE_NUMBER, false, "function = <1>;"},
	{"acs-off", TYPE_FLAG, false, "acs-off;"},
	{"smmu-bypass", TYPE_FLAG, false, "smmu-bypass;"},
	{"bus-number", TYPE_NUMBER, false, "bus-number = <0x40>;"},
	{"mac-address", TYPE_MAC, false, "mac-address = [52 54 00 ca 00 01];"},
	{"total-vfs", TYPE_NUMBER, false, "total-vfs = <8>;"},
	{"network", TYPE_STRING, false, "network = \"none\";"},
	{"disk", TYPE_STRING, false, "disk = \"build/disk.img\";"},
	{0},
};

static const struct property_rule machine_properties[] = {
	{"compatible", TYPE_STRING, true, "compatible = \"qemu,virt\";"},
	{"cores", TYPE_NUMBER, true, "cores = <5>;"},
	{"memory-size", TYPE_SIZE, true, "memory-size = /bits/ 64 <0x80000000>;"},
	{"cpu", TYPE_STRING, false, "cpu = \"neoverse-n1\";"},
	{"gic", TYPE_NUMBER, false, "gic = <4>;"},
	{"dump-pci", TYPE_FLAG, false, "dump-pci;"},
	{"its-off", TYPE_FLAG, false, "its-off;"},
	{"smmu-off", TYPE_FLAG, false, "smmu-off;"},
	{"smmu-bypass", TYPE_FLAG, false, "smmu-bypass;"},
	{"smmu-stage", TYPE_NUMBER, false, "smmu-stage = <1>;"},
	{0},
};

static const struct property_rule device_properties[] = {
	{"function", TYPE_BDF, false, "function = \"0000:01:00.0\";"},
	{"vf-of", TYPE_BDF, false, "vf-of = \"0000:01:00.0\";"},
	{"index", TYPE_NUMBER, false, "index = <0>;"},
	{"mac-address", TYPE_MAC, false, "mac-address = [52 54 00 ca 05 00];"},
	{"vlan", TYPE_NUMBER, false, "vlan = <0>;"},
	{"keep-without-reset", TYPE_FLAG, false, "keep-without-reset;"},
	{"path", TYPE_PATH, false, "path = \"auto\";"},
	{"to", TYPE_PARTITION, false, "to = <&io>;"},
	{0},
};

static const struct property_rule wire_properties[] = {
	{"to", TYPE_PARTITION, true, "to = <&io>;"},
	{"mac-address", TYPE_MAC, true, "mac-address = [52 54 00 ca 07 00];"},
	{"port-mac-address", TYPE_MAC, false, "port-mac-address = [52 54 00 ca 08 00];"},
	{"no-offload", TYPE_FLAG, false, "no-offload;"},
	{0},
};

static const struct property_rule partition_properties[] = {
	{"cores", TYPE_NUMBERS, true, "cores = <1 2>;"},
	{"memory-size", TYPE_SIZE, true, "memory-size = /bits/ 64 <0x10000000>;"},
	{"memory-at", TYPE_SIZE, false, "memory-at = /bits/ 64 <0x60000000>;"},
	{"kernel", TYPE_STRING, true, "kernel = \"build/guest/Image\";"},
	{"ramdisk", TYPE_STRING, false, "ramdisk = \"build/guest/initramfs.cpio.gz\";"},
	{"command-line", TYPE_TEXT, false, "command-line = \"console=ttyAMA0\";"},
	{"pf-service", TYPE_FLAG, false, "pf-service;"},
	{"io-host", TYPE_FLAG, false, "io-host;"},
	{0},
};

static const struct property_rule root_properties[] = {
	{"compatible", TYPE_STRING, true, "compatible = \"" CONFIG_COMPATIBLE "\";"},
	{0},
};

static const struct node_rule machine_device_rule = {.properties = machine_device_properties};
static const struct node_rule machine_devices_rule = {.properties = no_properties,
						      .child = {&machine_device_rule}};
static const struct node_rule machine_rule = {.properties = machine_properties,
					      .child_name = {"devices"},
					      .child = {&machine_devices_rule}};
static const struct node_rule device_rule = {.properties = device_properties};
static const struct node_rule wire_rule = {.properties = wire_properties, .numbered = true};
static const struct node_rule devices_rule = {.properties = no_properties, .child = {&device_rule}};
static const struct node_rule partition_rule = {.properties = partition_properties,
						.child_name = {"devices", "wire"},
						.child = {&devices_rule, &wire_rule}};
static const struct node_rule partitions_rule = {.properties = no_properties,
						 .child = {&partition_rule}};
static const struct node_rule root_rule = {.properties = root_properties,
					   .child_name = {"machine", "partitions"},
					   .child = {&machine_rule, &partitions_rule},
					   .child_required = true};

/* --- did you mean --------------------------------------------------------------------------- */

#define WORD_MAX 31

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters must be added, dropped or changed to make `a` from `b` (Levenshtein). */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX + 1], columns = (unsigned)strlen(b);

	if (strlen(a) > WORD_MAX || columns > WORD_MAX) {
		return WORD_MAX;
	}
	for (unsigned j = 0; j <= columns; j++) {
		row[j] = j;
	}
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= columns; j++) {
			unsigned above = row[j];

			row[j] = smallest(above + 1, row[j - 1] + 1,
					  diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[columns];
}

static const char *nearer(const char *word, const char *candidate, const char *best)
{
	unsigned length = (unsigned)strlen(word);
	unsigned limit = best ? distance(word, best) : length / 3 + 2;

	return distance(word, candidate) < limit ? candidate : best;
}

/* --- one node ------------------------------------------------------------------------------- */

static bool is_string(const char *value, int length)
{
	return length >= 1 && memchr(value, '\0', (size_t)length) == value + length - 1;
}

static bool is_path(const char *value, int length)
{
	return is_string(value, length) &&
	       (strcmp(value, "direct") == 0 || strcmp(value, "hosted") == 0 ||
		strcmp(value, "auto") == 0);
}

/* NULL when the value has the right shape, otherwise what the shape should be. */
static const char *wrong_shape(enum type type, const char *value, int length)
{
	switch (type) {
	case TYPE_FLAG:
		return length == 0 ? NULL : "takes no value";
	case TYPE_STRING:
		return is_string(value, length) && length > 1 ? NULL : "must be one string";
	case TYPE_TEXT:
		return is_string(value, length) ? NULL : "must be one string";
	case TYPE_NUMBER:
		return length == 4 ? NULL : "must be one number of 32 bits";
	case TYPE_NUMBERS:
		return length >= 4 && length % 4 == 0 ? NULL : "must be a list of 32-bit numbers";
	case TYPE_SIZE:
		return length == 8 ? NULL : "must be one number of 64 bits";
	case TYPE_MAC:
		return length == 6 ? NULL : "must be six bytes";
	case TYPE_BDF:
		return is_string(value, length) && bdf_parse(value) >= 0
			       ? NULL
			       : "must be a PCI address DDDD:BB:DD.F in domain 0000, lower-case";
	case TYPE_PATH:
		return is_path(value, length) ? NULL : "is \"direct\", \"hosted\" or \"auto\"";
	case TYPE_PARTITION:
		return length == 4 || (is_string(value, length) && length > 1)
			       ? NULL
			       : "must be a partition's label or name";
	}
	return NULL;
}

static const struct property_rule *find_property(const struct node_rule *rule, const char *name)
{
	for (const struct property_rule *p = rule->properties; p->name; p++) {
		if (strcmp(p->name, name) == 0) {
			return p;
		}
	}
	return NULL;
}

static void unknown_property(const struct node_rule *rule, const char *path, const char *name,
			     struct report *report)
{
	const char *best = NULL;

	for (const struct property_rule *p = rule->properties; p->name; p++) {
		best = nearer(name, p->name, best);
	}
	report_add(report, SEVERITY_SHAPE, path, "unknown property '%s'", name);
	if (best) {
		report_fix(report, "did you mean '%s'?", best);
	} else {
		report_fix(report, "remove it (docs/config.md lists what a node may have)");
	}
}

static void check_properties(const void *fdt, int node, const struct node_rule *rule,
			     const char *path, struct report *report)
{
	int property;

	fdt_for_each_property_offset(property, fdt, node)
	{
		int length;
		const char *name;
		const void *value = fdt_getprop_by_offset(fdt, property, &name, &length);
		const struct property_rule *p;

		if (!value || strcmp(name, "phandle") == 0) {
			continue;
		}
		p = find_property(rule, name);
		if (!p) {
			unknown_property(rule, path, name, report);
			continue;
		}

		const char *shape = wrong_shape(p->type, value, length);

		if (shape) {
			report_add(report, SEVERITY_SHAPE, path, "%s %s", name, shape);
			report_fix(report, "write it like %s", p->example);
		}
	}
	for (const struct property_rule *p = rule->properties; p->name; p++) {
		if (p->required && !fdt_getprop(fdt, node, p->name, NULL)) {
			report_add(report, SEVERITY_SHAPE, path, "%s is missing", p->name);
			report_fix(report, "add %s", p->example);
		}
	}
}

/* --- names ---------------------------------------------------------------------------------- */

static const char name_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

static bool twin_before(const void *fdt, int parent, int node, const char *name)
{
	int other;

	fdt_for_each_subnode(other, fdt, parent)
	{
		const char *other_name = fdt_get_name(fdt, other, NULL);

		if (other == node) {
			return false;
		}
		if (other_name && strcmp(name, other_name) == 0) {
			return true;
		}
	}
	return false;
}

/* The name of a partition or device, which the user chose. */
static void check_name(const char *name, const char *path, struct report *report)
{
	if (strlen(name) > MAX_NAME) {
		report_add(report, SEVERITY_SHAPE, path, "the name has %zu characters",
			   strlen(name));
		report_fix(report, "choose one of at most %d", MAX_NAME);
	}
	if (strspn(name, name_letters) != strlen(name) || name[0] < 'a' || name[0] > 'z') {
		report_add(report, SEVERITY_SHAPE, path, "the name has characters it may not have");
		report_fix(report,
			   "use a-z, 0-9 and '-', with a letter first (consoles, logs and QEMU "
			   "show it)");
	}
}

/* --- the tree ------------------------------------------------------------------------------- */

static const struct node_rule *child_rule(const struct node_rule *rule, const char *name)
{
	for (unsigned i = 0; i < 2 && rule->child[i]; i++) {
		const char *known = rule->child_name[i];
		size_t length = known ? strlen(known) : 0;

		if (!known || strcmp(known, name) == 0 ||
		    (rule->child[i]->numbered && strncmp(known, name, length) == 0 &&
		     name[length] == '@')) {
			return rule->child[i];
		}
	}
	return NULL;
}

static void unknown_node(const struct node_rule *rule, const char *path, const char *name,
			 struct report *report)
{
	const char *best = NULL;

	for (unsigned i = 0; i < 2 && rule->child[i]; i++) {
		best = nearer(name, rule->child_name[i], best);
	}
	report_add(report, SEVERITY_SHAPE, path, "unknown node");
	if (best) {
		report_fix(report, "did you mean '%s'?", best);
	} else {
		report_fix(report, "remove it (docs/config.md lists what a node may have)");
	}
}

/* Recursion is as deep as the tables are: unknown nodes are not entered. */
static void check_node(const void *fdt, int node, const struct node_rule *rule, const char *path,
		       struct report *report)
{
	int child;

	check_properties(fdt, node, rule, path, report);
	fdt_for_each_subnode(child, fdt, node)
	{
		const char *name = fdt_get_name(fdt, child, NULL);

		if (!name) {
			continue;
		}

		const struct node_rule *inner = child_rule(rule, name);
		char *inner_path = keep_printf("%s/%s", path[1] ? path : "", name);

		if (!inner) {
			unknown_node(rule, inner_path, name, report);
			continue;
		}
		if (twin_before(fdt, node, child, name)) {
			report_add(report, SEVERITY_SHAPE, inner_path,
				   "there are two of this name");
			report_fix(report, "rename one");
		}
		if (!rule->child_name[0]) {
			check_name(name, inner_path, report);
		}
		check_node(fdt, child, inner, inner_path, report);
	}
	for (unsigned i = 0; rule->child_required && i < 2 && rule->child[i]; i++) {
		if (fdt_subnode_offset(fdt, node, rule->child_name[i]) < 0) {
			report_add(report, SEVERITY_SHAPE, path, "the node '%s' is missing",
				   rule->child_name[i]);
			report_fix(report, "add %s { ... };", rule->child_name[i]);
		}
	}
}

static void check_compatible(const void *fdt, const char *path, const char *wanted,
			     struct report *report)
{
	int node = fdt_path_offset(fdt, path), length;
	const char *value = node < 0 ? NULL : fdt_getprop(fdt, node, "compatible", &length);

	if (value && is_string(value, length) && length > 1 && strcmp(value, wanted) != 0) {
		report_add(report, SEVERITY_SHAPE, path, "unknown compatible \"%s\"", value);
		report_fix(report, "this version of causeway knows \"%s\"", wanted);
	}
}

void schema_check(const struct config *config, struct report *report)
{
	const void *fdt = config->fdt.data;

	check_compatible(fdt, "/", CONFIG_COMPATIBLE, report);
	check_compatible(fdt, "/machine", "qemu,virt", report);
	check_node(fdt, fdt_path_offset(fdt, "/"), &root_rule, "/", report);
}
