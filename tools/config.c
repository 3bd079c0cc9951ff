/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a config: compiles it if need be, and takes from it every value that has the right shape.
 */
#include "config.h"

#include <libfdt.h>
#include <string.h>

/* --- values; each false or absent when the property is missing or has another shape --- */

static bool read_u32(const void *fdt, int node, const char *name, uint32_t *value)
{
	int length;
	const fdt32_t *cell = fdt_getprop(fdt, node, name, &length);

	if (!cell || length != (int)sizeof(*cell)) {
		return false;
	}
	*value = fdt32_ld(cell);
	return true;
}

static bool read_u64(const void *fdt, int node, const char *name, uint64_t *value)
{
	int length;
	const fdt64_t *cell = fdt_getprop(fdt, node, name, &length);

	if (!cell || length != (int)sizeof(*cell)) {
		return false;
	}
	*value = fdt64_ld(cell);
	return true;
}

static const char *read_string(const void *fdt, int node, const char *name)
{
	int length;
	const char *text = fdt_getprop(fdt, node, name, &length);

	if (!text || length < 1 || memchr(text, '\0', (size_t)length) != text + length - 1) {
		return NULL;
	}
	return text;
}

static bool has_property(const void *fdt, int node, const char *name)
{
	return fdt_getprop(fdt, node, name, NULL) != NULL;
}

static bool read_mac(const void *fdt, int node, const char *name, uint8_t mac[6])
{
	int length;
	const void *bytes = fdt_getprop(fdt, node, name, &length);

	if (!bytes || length != 6) {
		return false;
	}
	memcpy(mac, bytes, 6);
	return true;
}

static int read_bdf(const void *fdt, int node, const char *name)
{
	const char *text = read_string(fdt, node, name);

	return text ? bdf_parse(text) : -1;
}

static const char *node_name(const void *fdt, int node)
{
	const char *name = fdt_get_name(fdt, node, NULL);

	return name ? name : "?";
}

/* A partition, by its label or its name; NULL: it is neither. */
static const char *read_partition_name(const void *fdt, int node, const char *name)
{
	const char *text = read_string(fdt, node, name);
	uint32_t phandle = 0;

	if (text && *text) { /* first: a name of three letters is as long as a number */
		return text;
	}
	read_u32(fdt, node, name, &phandle);

	int found = fdt_node_offset_by_phandle(fdt, phandle);
	int parent = found < 0 ? found : fdt_parent_offset(fdt, found);

	return parent >= 0 && parent == fdt_path_offset(fdt, "/partitions") ? node_name(fdt, found)
									    : NULL;
}

/* libfdt would begin with the root when there is no parent. */
static int first_child(const void *fdt, int parent)
{
	return parent < 0 ? -FDT_ERR_NOTFOUND : fdt_first_subnode(fdt, parent);
}

#define for_each_child(child, fdt, parent)                                                         \
	for ((child) = first_child(fdt, parent); (child) >= 0;                                     \
	     (child) = fdt_next_subnode(fdt, child))

/* --- nodes --- */

static void read_machine_device(const void *fdt, int node, struct machine_device *device)
{
	device->name = node_name(fdt, node);
	device->path = keep_printf("/machine/devices/%s", device->name);
	device->model_name = read_string(fdt, node, "model");
	device->model = device->model_name ? machine_model(device->model_name) : NULL;
	device->network = read_string(fdt, node, "network");
	device->disk = read_string(fdt, node, "disk");
	if (device->model && device->model->disk && !device->disk) {
		device->disk = keep_printf("build/%s.img", device->name);
	}
	device->behind = read_string(fdt, node, "behind");
	device->has_at = has_property(fdt, node, "at");
	device->at = read_bdf(fdt, node, "at");
	read_u32(fdt, node, "slot", &device->slot);
	read_u32(fdt, node, "function", &device->function);
	device->acs_off = has_property(fdt, node, "acs-off");
	device->smmu_bypass = has_property(fdt, node, "smmu-bypass");
	read_u32(fdt, node, "bus-number", &device->bus_number);
	device->has_mac = read_mac(fdt, node, "mac-address", device->mac);
	device->total_vfs = device->model ? device->model->vfs : 0;
	device->has_total_vfs = read_u32(fdt, node, "total-vfs", &device->total_vfs);
}

static void read_machine(const void *fdt, int node, struct machine *machine)
{
	int devices = fdt_subnode_offset(fdt, node, "devices"), child;

	machine->gic = 4;
	machine->smmu_stage = 2;
	machine->cpu = read_string(fdt, node, "cpu");
	if (!machine->cpu) {
		machine->cpu = "neoverse-n1";
	}
	machine->has_cores = read_u32(fdt, node, "cores", &machine->cores);
	read_u32(fdt, node, "gic", &machine->gic);
	read_u32(fdt, node, "smmu-stage", &machine->smmu_stage);
	machine->has_memory_size = read_u64(fdt, node, "memory-size", &machine->memory_size);
	machine->dump_pci = has_property(fdt, node, "dump-pci");
	machine->its_off = has_property(fdt, node, "its-off");
	machine->smmu_off = has_property(fdt, node, "smmu-off");
	machine->smmu_bypass = has_property(fdt, node, "smmu-bypass");
	for_each_child(child, fdt, devices)
	{
		if (machine->device_count == MAX_MACHINE_DEVICES) {
			machine->devices_left_out++;
			continue;
		}
		read_machine_device(fdt, child, &machine->devices[machine->device_count++]);
	}
	machine_number(machine);
}

static enum device_path read_path(const char *word)
{
	static const char *const words[] = {"direct", "hosted", "auto"};

	for (unsigned i = 0; word && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0) {
			return (enum device_path)i;
		}
	}
	return PATH_UNKNOWN;
}

static void read_device(const void *fdt, int node, const char *parent, struct device *device)
{
	device->name = node_name(fdt, node);
	device->path = keep_printf("%s/devices/%s", parent, device->name);
	device->has_function = has_property(fdt, node, "function");
	device->has_vf_of = has_property(fdt, node, "vf-of");
	device->has_vlan = has_property(fdt, node, "vlan");
	device->function = read_bdf(fdt, node, "function");
	device->vf_of = read_bdf(fdt, node, "vf-of");
	device->has_index = read_u32(fdt, node, "index", &device->index);
	device->has_mac = read_mac(fdt, node, "mac-address", device->mac);
	device->keep_without_reset = has_property(fdt, node, "keep-without-reset");
	read_u32(fdt, node, "vlan", &device->vlan);
	device->way = has_property(fdt, node, "path") ? read_path(read_string(fdt, node, "path"))
						      : PATH_DIRECT;
	device->has_to = has_property(fdt, node, "to");
	device->to = read_partition_name(fdt, node, "to");
}

static void read_wire(const void *fdt, int node, struct config *config, struct wire *wire)
{
	const struct partition *partition = &config->partitions[config->partition_count - 1];

	wire->name = node_name(fdt, node);
	wire->path = keep_printf("%s/%s", partition->path, wire->name);
	wire->from = config->partition_count - 1;
	wire->to_name = read_partition_name(fdt, node, "to");
	wire->has_mac = read_mac(fdt, node, "mac-address", wire->mac);
	wire->has_port_mac = read_mac(fdt, node, "port-mac-address", wire->port_mac);
	wire->no_offload = has_property(fdt, node, "no-offload");
}

static void read_cores(const void *fdt, int node, struct partition *partition)
{
	int length;
	const fdt32_t *cells = fdt_getprop(fdt, node, "cores", &length);

	if (!cells || length < 4 || length % 4 != 0) {
		return;
	}
	for (int i = 0; i < length / 4; i++) {
		if (partition->vcpus == MAX_VCPUS) {
			partition->cores_left_out++;
			continue;
		}
		partition->cores[partition->vcpus++] = fdt32_ld(&cells[i]);
	}
}

/* `wire`, or one of several: `wire@1`. */
static bool is_wire(const char *name)
{
	return strncmp(name, "wire", 4) == 0 && (!name[4] || name[4] == '@');
}

static void read_partition(const void *fdt, int node, struct config *config)
{
	struct partition *partition = &config->partitions[config->partition_count++];
	int devices = fdt_subnode_offset(fdt, node, "devices"), child;

	partition->name = node_name(fdt, node);
	partition->path = keep_printf("/partitions/%s", partition->name);
	read_cores(fdt, node, partition);
	partition->has_memory_size = read_u64(fdt, node, "memory-size", &partition->memory_size);
	partition->has_memory_at = read_u64(fdt, node, "memory-at", &partition->memory_at);
	partition->kernel = read_string(fdt, node, "kernel");
	partition->ramdisk = read_string(fdt, node, "ramdisk");
	partition->command_line = read_string(fdt, node, "command-line");
	partition->pf_service = has_property(fdt, node, "pf-service");
	partition->io_host = has_property(fdt, node, "io-host");
	for_each_child(child, fdt, devices)
	{
		if (partition->device_count == MAX_DEVICES) {
			partition->devices_left_out++;
			continue;
		}
		read_device(fdt, child, partition->path,
			    &partition->devices[partition->device_count++]);
	}
	for_each_child(child, fdt, node)
	{
		struct wire *wire = is_wire(node_name(fdt, child)) ? config_add_wire(config) : NULL;

		if (wire) {
			read_wire(fdt, child, config, wire);
		}
	}
}

/* --- the file --- */

static bool is_blob(struct bytes bytes)
{
	return bytes.size >= sizeof(struct fdt_header) && fdt_magic(bytes.data) == FDT_MAGIC;
}

/* dtc's messages, one finding for each line that is one. */
static void report_dtc(struct report *report, const char *log, struct bytes source)
{
	const char *fix = strstr((const char *)source.data, "/dts-v1/")
				  ? "mend the device-tree source there"
				  : "a config begins with /dts-v1/; (config/ has examples)";
	struct bytes text = file_read(log);
	bool said = false;

	for (char *line = strtok((char *)text.data, "\n"); line; line = strtok(NULL, "\n")) {
		bool fatal = strncmp(line, "FATAL", 5) == 0; /* the last line, a summary */

		if (strstr(line, "Input tree has errors")) {
			continue; /* a summary, too */
		}
		if (fatal ? !said : strstr(line, "Error") || strstr(line, "ERROR")) {
			report_add(report, SEVERITY_SHAPE, "/", "dtc: %s", line);
			report_fix(report, "%s", fix);
			said = true;
		}
	}
	if (!said) {
		report_add(report, SEVERITY_SHAPE, "/", "dtc refuses it");
		report_fix(report, "see what 'dtc %s' says", report->config);
	}
}

static bool compile(struct config *config, struct report *report)
{
	char *blob = temp_path("config.dtb"), *log = temp_path("dtc.log");
	struct words dtc = {.count = 0};

	words_add(&dtc, "dtc");
	words_add(&dtc, "-q");
	words_add(&dtc, "-Idts");
	words_add(&dtc, "-Odtb");
	words_add(&dtc, "-o%s", blob);
	words_add(&dtc, "--");
	words_add(&dtc, "%s", config->file);
	if (program_run(&dtc, log) != 0) {
		report_dtc(report, log, config->fdt);
		return false;
	}
	config->fdt = file_read(blob);
	return true;
}

bool config_read(struct config *config, const char *file, struct report *report)
{
	config->file = file;
	config->fdt = file_read(file);
	if (!is_blob(config->fdt) && !compile(config, report)) {
		return false;
	}

	const void *fdt = config->fdt.data;
	int error = fdt_check_full(fdt, config->fdt.size);

	if (error) {
		report_add(report, SEVERITY_SHAPE, "/", "not a sound device tree (%s)",
			   fdt_strerror(error));
		report_fix(report, "give the source, or compile it again with dtc");
		return false;
	}

	int machine = fdt_path_offset(fdt, "/machine"), child;
	int partitions = fdt_path_offset(fdt, "/partitions");

	if (machine >= 0) {
		read_machine(fdt, machine, &config->machine);
	}
	for_each_child(child, fdt, partitions)
	{
		if (config->partition_count == MAX_PARTITIONS) {
			config->partitions_left_out++;
			continue;
		}
		read_partition(fdt, child, config);
	}
	return true;
}
