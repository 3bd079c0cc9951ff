/* SPDX-License-Identifier: BSD-2-Clause */
#include "config_blob.h"

#include <stdio.h>

uint8_t blob[16384];
struct config config;

/* --- a good one --------------------------------------------------------------------------------
 */

static void begin(const char *name)
{
	assert_int_equal(fdt_begin_node(blob, name), 0);
}

static void end(void)
{
	assert_int_equal(fdt_end_node(blob), 0);
}

static void text(const char *name, const char *value)
{
	assert_int_equal(fdt_property_string(blob, name, value), 0);
}

static void u64(const char *name, uint64_t value)
{
	assert_int_equal(fdt_property_u64(blob, name, value), 0);
}

static void u32(const char *name, uint32_t value)
{
	assert_int_equal(fdt_property_u32(blob, name, value), 0);
}

static void two_devices(uint32_t index)
{
	begin("devices");
	begin("eth0");
	text("vf-of", "0000:01:00.0");
	u32("requester-id", 0x0100);
	u32("index", index);
	u32("vlan", 7);
	assert_int_equal(fdt_property(blob, "vf-was-free", NULL, 0), 0);
	assert_int_equal(fdt_property(blob, "mac-address", "\x02\x01\x02\x03\x04\x05", 6), 0);
	end();
	begin("disk");
	text("function", "0000:fe:1f.7");
	u32("requester-id", 0xfeff);
	end();
	end();
}

static void partition(const char *name, uint32_t first_core, bool devices)
{
	const fdt32_t cores[] = {cpu_to_fdt32(first_core), cpu_to_fdt32(first_core + 1)};

	begin(name);
	u64("memory-size", MIB(64));
	assert_int_equal(fdt_property(blob, "cores", cores, sizeof(cores)), 0);
	text("kernel-image", "kernel-1");
	u64("kernel-load", GUEST_RAM_BASE);
	text("ramdisk-image", "ramdisk-1");
	u64("ramdisk-load", GUEST_RAM_BASE + MIB(32));
	text("dtb-image", name);
	u64("dtb-load", GUEST_RAM_BASE + MIB(16));
	u64("entry", GUEST_RAM_BASE);
	if (devices) {
		two_devices(first_core);
	}
	end();
}

static void wire(const char *name, uint32_t from, uint32_t to)
{
	begin(name);
	if (from == 0) {
		assert_int_equal(fdt_property(blob, "no-offload", NULL, 0), 0);
	}
	u32("from", from);
	u32("to", to);
	text("label", name);
	text("why", "asked");
	assert_int_equal(
		fdt_property(blob, "mac-addresses", "\x52\x54\0\0\0\1\x52\x54\0\0\0\2", 12), 0);
	end();
}

static void write_head(void)
{
	models_reset();
	assert_int_equal(fdt_create(blob, sizeof(blob)), 0);
	assert_int_equal(fdt_finish_reservemap(blob), 0);
	begin("");
	text("compatible", "causeway,config-v1");
	begin("partitions");
}

static void write_tail(void)
{
	end();
	assert_int_equal(fdt_finish(blob), 0);
	assert_int_equal(fdt_open_into(blob, blob, sizeof(blob)), 0);
}

void write_good(void)
{
	write_head();
	partition("red", 0, true);
	partition("blue", 4, true);
	end();
	begin("wires");
	wire("w0", 0, 1);
	wire("w1", 1, 0);
	end();
	write_tail();
}

void write_partitions(unsigned count)
{
	write_head();
	for (unsigned i = 0; i < count; i++) {
		char name[] = {'p', (char)('0' + i % 10), '\0'};

		partition(name, 2 * i, false);
	}
	end();
	begin("wires");
	end();
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
