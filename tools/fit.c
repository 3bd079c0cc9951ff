/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the FIT: an image source made for mkimage, which adds the hashes. Every file lies in the
 * temporary folder under its image's name, so no name the user chose reaches mkimage's shell.
 */
#include "images.h"

#include <errno.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* mkimage writes the date into the FIT; equal input must give equal bytes. */
#define FIT_DATE "1767225600" /* 2026-01-01 */

/* Room for the properties that are added to the config of one partition. */
#define RESOLVED_SIZE 1024

/* --- the config, with what was resolved ----------------------------------------------------- */

static void check(int error, const char *what)
{
	if (error < 0) {
		die(EXIT_TOOL, "%s: %s", what, fdt_strerror(error));
	}
}

static void set_string(void *fdt, const char *path, const char *name, const char *value)
{
	int node = fdt_path_offset(fdt, path);

	check(node, path);
	check(fdt_setprop_string(fdt, node, name, value), path);
}

static void set_u64(void *fdt, const char *path, const char *name, uint64_t value)
{
	int node = fdt_path_offset(fdt, path);

	check(node, path);
	check(fdt_setprop_u64(fdt, node, name, value), path);
}

/* One that could not be read stays unresolved: the hypervisor then refuses the config
 * (--unchecked). */
static void resolve_device(void *fdt, const struct machine *machine, const struct device *device)
{
	int rid = device->has_vf_of ? device->vf_of : device->function;
	int node = fdt_path_offset(fdt, device->path);

	check(node, device->path);
	if (rid >= 0) {
		check(fdt_setprop_u32(fdt, node, "requester-id", (uint32_t)rid), device->path);
	}
	if (device->has_index) {
		check(fdt_setprop_u32(fdt, node, "index", device->index), device->path);
	}
	if (device->chosen) {
		check(fdt_setprop_empty(fdt, node, "vf-was-free"), device->path);
	}
	/* QEMU's device tree may deny it, and then the hypervisor has nobody else to ask. */
	if (machine_bypass(machine, machine_at(machine, rid))) {
		check(fdt_setprop_empty(fdt, node, "bypasses-smmu"), device->path);
	}
}

/*
 * For the hypervisor, whatever the config looked like: /wires/wN, its ends in the order of the MAC
 * addresses. A device that became one is gone from its partition. Added last to first, for a new
 * node goes before its siblings: each partition's ends are on its bus in the order of the config.
 */
static void add_wires(void *fdt, const struct config *config)
{
	int wires = fdt_add_subnode(fdt, fdt_path_offset(fdt, "/"), "wires");

	check(wires, "/wires");
	for (unsigned i = config->wire_count; i-- > 0;) {
		const struct wire *wire = &config->wires[i];
		const char *path = keep_printf("/wires/w%u", i);
		int node = fdt_path_offset(fdt, wire->path);
		uint8_t macs[12];

		memcpy(macs, wire->mac, 6);
		memcpy(macs + 6, wire->port_mac, 6);
		check(node, wire->path);
		check(fdt_del_node(fdt, node), wire->path);
		wires = fdt_path_offset(fdt, "/wires");
		node = fdt_add_subnode(fdt, wires, keep_printf("w%u", i));
		check(node, path);
		check(fdt_setprop_u32(fdt, node, "from", wire->from), path);
		check(fdt_setprop_u32(fdt, node, "to", (uint32_t)wire->to), path);
		check(fdt_setprop(fdt, node, "mac-addresses", macs, sizeof(macs)), path);
		if (wire->no_offload) {
			check(fdt_setprop_empty(fdt, node, "no-offload"), path);
		}
		check(fdt_setprop_string(fdt, node, "label", wire->name), path);
		check(fdt_setprop_string(fdt, node, "why", wire->why ? wire->why : "wire"), path);
	}
}

static const char *dtb_name(const struct partition *partition)
{
	return keep_printf("dtb-%s", partition->name);
}

static struct bytes resolve(const struct config *config)
{
	int size = (int)fdt_totalsize(config->fdt.data) +
		   (int)(config->partition_count + config->wire_count) * RESOLVED_SIZE;
	void *fdt = keep_alloc((size_t)size);

	check(fdt_open_into(config->fdt.data, fdt, size), config->file);
	if (config->machine.dump_pci) {
		check(fdt_setprop_empty(fdt, fdt_path_offset(fdt, "/machine"), "dump-pci"),
		      "/machine");
	}
	for (unsigned i = 0; i < config->partition_count; i++) {
		const struct partition *partition = &config->partitions[i];
		const struct layout *layout = &partition->layout;

		set_string(fdt, partition->path, "kernel-image", partition->kernel_image->name);
		set_u64(fdt, partition->path, "kernel-load", layout->kernel_load);
		set_u64(fdt, partition->path, "entry", layout->entry);
		if (partition->ramdisk_image) {
			set_string(fdt, partition->path, "ramdisk-image",
				   partition->ramdisk_image->name);
			set_u64(fdt, partition->path, "ramdisk-load", layout->ramdisk_load);
		}
		set_string(fdt, partition->path, "dtb-image", dtb_name(partition));
		set_u64(fdt, partition->path, "dtb-load", layout->dtb_load);
		for (unsigned d = 0; d < partition->device_count; d++) {
			resolve_device(fdt, &config->machine, &partition->devices[d]);
		}
	}
	if (config->wire_count) {
		add_wires(fdt, config);
	}
	check(fdt_pack(fdt), config->file);
	return (struct bytes){fdt, fdt_totalsize(fdt)};
}

/* --- the image source ----------------------------------------------------------------------- */

static void add_file(const char *name, struct bytes content)
{
	file_write(temp_path(name), content.data, content.size);
}

static void link_file(const char *name, const char *file)
{
	char *target = realpath(file, NULL);
	const char *link = temp_path(name);

	if (!target || symlink(target, link) != 0) {
		die(EXIT_TOOL, "%s: %s", file, strerror(errno));
	}
	free(target);
}

/* One image node; `extra` is more of its properties. */
static void write_image(FILE *its, const char *name, const char *type, const char *extra)
{
	fprintf(its,
		"\t\t%s {\n"
		"\t\t\tdescription = \"%s\";\n"
		"\t\t\tdata = /incbin/(\"%s\");\n"
		"\t\t\ttype = \"%s\";\n"
		"\t\t\tarch = \"arm64\";\n"
		"\t\t\tcompression = \"none\";\n"
		"%s"
		"\t\t\thash-1 {\n"
		"\t\t\t\talgo = \"sha256\";\n"
		"\t\t\t};\n"
		"\t\t};\n",
		name, name, name, type, extra);
}

/* mkimage wants a kernel to say where it goes; the guests' layout in /images/config decides. */
static const char *image_extra(const struct config *config, const struct image *image)
{
	if (strcmp(image->type, "ramdisk") == 0) {
		return "\t\t\tos = \"linux\";\n";
	}
	for (unsigned i = 0; i < config->partition_count; i++) {
		const struct partition *partition = &config->partitions[i];
		unsigned long long load = partition->layout.kernel_load;
		unsigned long long entry = partition->layout.entry;

		if (partition->kernel_image == image) {
			return keep_printf("\t\t\tos = \"linux\";\n"
					   "\t\t\tload = /bits/ 64 <0x%llx>;\n"
					   "\t\t\tentry = /bits/ 64 <0x%llx>;\n",
					   load, entry);
		}
	}
	return "";
}

static void write_source(FILE *its, const struct config *config, const struct image_set *set)
{
	fprintf(its, "/dts-v1/;\n/ {\n"
		     "\tdescription = \"Causeway partitions\";\n"
		     "\t#address-cells = <2>;\n"
		     "\timages {\n");
	write_image(its, "config", "flat_dt", "");
	for (unsigned i = 0; i < set->count; i++) {
		const struct image *image = &set->images[i];

		write_image(its, image->name, image->type, image_extra(config, image));
	}
	for (unsigned i = 0; i < config->partition_count; i++) {
		write_image(its, dtb_name(&config->partitions[i]), "flat_dt", "");
	}
	fprintf(its, "\t};\n"
		     "\tconfigurations {\n"
		     "\t\tdefault = \"causeway\";\n"
		     "\t\tcauseway {\n"
		     "\t\t\tdescription = \"all partitions\";\n"
		     "\t\t\tfdt = \"config\";\n"
		     "\t\t\tloadables = ");
	for (unsigned i = 0; i < set->count; i++) {
		fprintf(its, "\"%s\", ", set->images[i].name);
	}
	for (unsigned i = 0; i < config->partition_count; i++) {
		fprintf(its, "%s\"%s\"", i ? ", " : "", dtb_name(&config->partitions[i]));
	}
	fprintf(its, ";\n\t\t};\n\t};\n};\n");
}

static void run_mkimage(const char *source, const char *fit, const char *log)
{
	struct words mkimage = {.count = 0};

	words_add(&mkimage, "mkimage");
	words_add(&mkimage, "-f");
	words_add(&mkimage, "%s", source);
	words_add(&mkimage, "%s", fit);
	setenv("SOURCE_DATE_EPOCH", FIT_DATE, 1);
	if (program_run(&mkimage, log) != 0) {
		die(EXIT_TOOL, "mkimage failed: %s", (const char *)file_read(log).data);
	}
}

void fit_write(struct config *config, const struct image_set *set, const char *path)
{
	const char *source = temp_path("causeway.its"), *fit = temp_path("causeway.fit");
	const char *log = temp_path("mkimage.log");

	temp_path("causeway.fit.tmp"); /* mkimage's own, left behind when it fails */
	add_file("config", resolve(config));
	for (unsigned i = 0; i < set->count; i++) {
		link_file(set->images[i].name, set->images[i].file);
	}
	for (unsigned i = 0; i < config->partition_count; i++) {
		struct partition *partition = &config->partitions[i];

		partition->dtb = guest_dtb_build(config, partition);
		add_file(dtb_name(partition), partition->dtb);
	}

	FILE *its = fopen(source, "w");

	if (!its) {
		die(EXIT_TOOL, "%s: %s", source, strerror(errno));
	}
	write_source(its, config, set);
	if (fclose(its) != 0) {
		die(EXIT_TOOL, "%s: %s", source, strerror(errno));
	}
	run_mkimage(source, fit, log);

	struct bytes bytes = file_read(fit);

	file_write(path, bytes.data, bytes.size);
}
