/* SPDX-License-Identifier: BSD-2-Clause */
#include "config_blob.h"

#include "tree.h"

uint8_t blob[16384];
struct config config;

static void two_devices(uint32_t index)
{
	tree_node("devices");
	tree_node("eth0");
	tree_text("vf-of", "0000:01:00.0");
	tree_u32("requester-id", 0x0100);
	tree_u32("index", index);
	tree_u32("vlan", 7);
	tree_bytes("vf-was-free", NULL, 0);
	tree_bytes("mac-address", "\x02\x01\x02\x03\x04\x05", 6);
	tree_close();
	tree_node("disk");
	tree_text("function", "0000:fe:1f.7");
	tree_u32("requester-id", 0xfeff);
	tree_close();
	tree_close();
}

static void partition(const char *name, uint32_t first_core, bool devices)
{
	const fdt32_t cores[] = {cpu_to_fdt32(first_core), cpu_to_fdt32(first_core + 1)};

	tree_node(name);
	tree_u64("memory-size", MIB(64));
	tree_bytes("cores", cores, sizeof(cores));
	tree_text("kernel-image", "kernel-1");
	tree_u64("kernel-load", GUEST_RAM_BASE);
	tree_text("ramdisk-image", "ramdisk-1");
	tree_u64("ramdisk-load", GUEST_RAM_BASE + MIB(32));
	tree_text("dtb-image", name);
	tree_u64("dtb-load", GUEST_RAM_BASE + MIB(16));
	tree_u64("entry", GUEST_RAM_BASE);
	if (devices) {
		two_devices(first_core);
	}
	tree_close();
}

static void wire(const char *name, uint32_t from, uint32_t to)
{
	tree_node(name);
	if (from == 0) {
		tree_bytes("no-offload", NULL, 0);
	}
	tree_u32("from", from);
	tree_u32("to", to);
	tree_text("label", name);
	tree_text("why", "asked");
	tree_bytes("mac-addresses", "\x52\x54\0\0\0\1\x52\x54\0\0\0\2", 12);
	tree_close();
}

static void write_head(void)
{
	models_reset();
	tree_begin(blob, sizeof(blob), 0, 0);
	tree_text("compatible", "causeway,config-v1");
	tree_node("partitions");
}

static void write_tail(void)
{
	tree_end();
	tree_edit();
}

void write_good(void)
{
	write_head();
	partition("red", 0, true);
	partition("blue", 4, true);
	tree_close();
	tree_node("wires");
	wire("w0", 0, 1);
	wire("w1", 1, 0);
	tree_close();
	write_tail();
}

void write_partitions(unsigned count)
{
	write_head();
	for (unsigned i = 0; i < count; i++) {
		char name[] = {'p', (char)('0' + i % 10), '\0'};

		partition(name, 2 * i, false);
	}
	tree_close();
	tree_node("wires");
	tree_close();
	write_tail();
}

void add_wire(const char *name, uint32_t from, uint32_t to)
{
	int node = fdt_add_subnode(blob, at("/wires"), name);

	assert_true(node >= 0);
	assert_int_equal(fdt_setprop_u32(blob, node, "to", to), 0);
	assert_int_equal(fdt_setprop_u32(blob, node, "from", from), 0);
	assert_int_equal(fdt_setprop_string(blob, node, "label", name), 0);
	assert_int_equal(fdt_setprop_string(blob, node, "why", "wire"), 0);
	assert_int_equal(fdt_setprop(blob, node, "mac-addresses", "0123456789ab", 12), 0);
}

int at(const char *path)
{
	int node = fdt_path_offset(blob, path);

	assert_true(node >= 0);
	return node;
}

/* `bytes`, or a number of `size` bytes, or nothing. */
void set(const char *path, const char *name, const char *bytes, int size, uint64_t number)
{
	int result = bytes	 ? fdt_setprop(blob, at(path), name, bytes, size)
		     : size == 8 ? fdt_setprop_u64(blob, at(path), name, number)
		     : size == 4 ? fdt_setprop_u32(blob, at(path), name, (uint32_t)number)
				 : fdt_delprop(blob, at(path), name);

	assert_int_equal(result, 0);
}

void accepted(void)
{
	assert_int_equal(config_read(&config, blob, sizeof(blob), CORES), STATUS_OK);
}

void refused(const char *line)
{
	assert_int_equal(config_read(&config, blob, sizeof(blob), CORES), STATUS_INVALID);
	if (models_log_count(line) != 1) {
		print_error("'%s' is not said; last line '%s'\n", line, models_log_last());
	}
	assert_int_equal(models_log_count(line), 1);
}
