/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees that libfdt makes are read as libfdt reads them; what is not whole is not opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "dt.h"
#include "tree.h"
#include "types.h"

static uint8_t blob[1024] __attribute__((aligned(8)));
static int deep, leaf; /* libfdt's offsets */

static struct dt_node write_tree(void)
{
	struct dt_node root;

	memset(blob, 0, sizeof(blob));
	tree_begin(blob, sizeof(blob), 1ull << 40, 0x1000);
	tree_u32("phandle", 7);
	tree_bytes("empty", NULL, 0);
	tree_node("abc"); /* names that end at each place of a cell */
	tree_node("abcd");
	tree_bytes("list", "one\0two\0three", 14);
	tree_text("open", "okay");
	tree_u64("wide", 0x123456789abcdefull);
	tree_close();
	tree_node("abcde");
	tree_u32("phandle", 9);
	tree_close();
	tree_close();
	tree_node("abcdef");
	tree_close();
	tree_end();
	deep = fdt_path_offset(blob, "/abc/abcd");
	leaf = fdt_path_offset(blob, "/abcdef");
	assert_int_equal(dt_open(&root, blob, sizeof(blob)), STATUS_OK);
	return root;
}

static void walks(void **state)
{
	static const char *const names[] = {"", "abc", "abcd", "abcde", "abcdef"};
	static const unsigned depths[] = {1, 2, 3, 3, 2};
	struct dt_walk walk = {.path = {write_tree()}}, children = walk, nothing = {0};
	unsigned count = 0;

	(void)state;
	for (; dt_walk(&walk, 0); count++) {
		assert_int_equal(walk.depth, depths[count]);
		assert_string_equal(dt_name(walk.path[walk.depth - 1]), names[count]);
	}
	assert_int_equal(count, 5);
	assert_true(dt_walk(&children, 2));
	assert_string_equal(dt_name(children.path[1]), "abc");
	assert_true(dt_walk(&children, 2));
	assert_string_equal(dt_name(children.path[1]), "abcdef");
	assert_false(dt_walk(&children, 2));
	/* Of one node: not what follows it. */
	children = (struct dt_walk){.path = {dt_child(dt_child(walk.path[0], "abc"), "abcde")}};
	assert_true(dt_walk(&children, 0));
	assert_false(dt_walk(&children, 0));
	assert_false(dt_walk(&nothing, 0));
	assert_null(dt_child(walk.path[0], "abcd").at); /* not right below */
	assert_null(dt_child(dt_child(walk.path[0], "none"), "abc").at);
	assert_string_equal(dt_name(dt_by_phandle(walk.path[0], 9)), "abcde");
	assert_ptr_equal(dt_by_phandle(walk.path[0], 7).at, walk.path[0].at);
	assert_null(dt_by_phandle(walk.path[0], 8).at);
}

static void properties(void **state)
{
	static const char *const wanted[] = {"four", "three", "two"};
	struct dt_node root = write_tree(), node = dt_child(dt_child(root, "abc"), "abcd");
	unsigned length, which;

	(void)state;
	assert_true(dt_has(root, "empty") && !dt_has(root, "open") && !dt_has(node, "empty"));
	assert_ptr_equal(dt_property(node, "wide", &length), fdt_getprop(blob, deep, "wide", NULL));
	assert_int_equal(length, 8);
	assert_null(dt_property(node, "wid", &length));
	assert_int_equal(length, 0);
	assert_int_equal(dt_position(node, "list", wanted, 3, &which), 1);
	assert_int_equal(which, 2);
	assert_int_equal(dt_position(node, "list", wanted, 1, &which), -1);
	assert_int_equal(dt_position(node, "wide", wanted, 3, &which), -1); /* no text */
	assert_int_equal(dt_position(root, "empty", wanted, 3, &which), -1);
	assert_true(dt_is(node, "open", "okay") && !dt_is(node, "open", "oka"));
	assert_false(dt_is(node, "list", "one"));
	struct dt_cells wide = dt_cells(node, "wide"), none = dt_cells(node, "list");

	assert_int_equal(dt_take(&wide, 2), 0x123456789abcdefull);
	assert_int_equal(none.count, 0);
	assert_int_equal(dt_u32(root, "phandle", 3), 7);
	assert_int_equal(dt_u32(node, "phandle", 3), 3);
	assert_int_equal(dt_u32(node, "wide", 3), UINT32_MAX);
	assert_false(dt_has((struct dt_node){0}, "phandle"));
	/* A property that a loader took out is stepped over. */
	assert_int_equal(fdt_nop_property(blob, deep, "list"), 0);
	assert_true(dt_has(node, "wide") && !dt_has(node, "list"));
}

static void reserved(void **state)
{
	(void)state;
	(void)write_tree();
	struct dt_cells map = dt_reserved(blob);

	assert_int_equal(dt_take(&map, 2), 1ull << 40);
	assert_int_equal(dt_take(&map, 2), 0x1000);
	assert_int_equal(dt_take(&map, 2) | dt_take(&map, 2), 0);
	fdt_set_off_mem_rsvmap(blob, fdt_totalsize(blob));
	assert_int_equal(dt_reserved(blob).count, 0);
	fdt_set_off_mem_rsvmap(blob, UINT32_MAX - 3);
	assert_int_equal(dt_reserved(blob).count, 0);
}

static void refused(const char *what, unsigned number)
{
	struct dt_node root;

	if (dt_open(&root, blob, sizeof(blob)) != STATUS_INVALID) {
		fail_msg("a tree with a wrong %s (%u) was opened", what, number);
	}
	(void)write_tree();
}

static void put(uint32_t at, uint32_t value)
{
	value = cpu_to_fdt32(value);
	memcpy(blob + at, &value, 4);
}

static uint32_t header(unsigned at)
{
	fdt32_t value;

	memcpy(&value, blob + at, 4);
	return fdt32_to_cpu(value);
}

#define FIELD(name) (unsigned)offsetof(struct fdt_header, name)

static void wrong_header(void **state)
{
	(void)state;
	(void)write_tree();
	const struct {
		unsigned field;
		uint32_t value;
	} wrong[] = {
		{FIELD(magic), 0xfeedd00d},
		{FIELD(totalsize), sizeof(blob) + 1},
		{FIELD(version), 16},
		{FIELD(last_comp_version), 18},
		{FIELD(off_dt_struct), header(FIELD(off_dt_struct)) + 2},
		{FIELD(off_dt_struct), UINT32_MAX - 3},
		{FIELD(off_dt_strings), header(FIELD(totalsize))},
		{FIELD(size_dt_struct), 0},
		{FIELD(size_dt_struct), header(FIELD(size_dt_struct)) - 4},
		{FIELD(size_dt_strings), 0},
		{FIELD(size_dt_strings), header(FIELD(size_dt_strings)) - 1}, /* no end */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		put(wrong[i].field, wrong[i].value);
		refused("header", i);
	}
}

static void wrong_tokens(void **state)
{
	(void)state;
	(void)write_tree();
	uint32_t first = fdt_off_dt_struct(blob), last = first + fdt_size_dt_struct(blob) - 4;
	uint32_t node = first + (uint32_t)deep, other = first + (uint32_t)leaf;
	uint32_t property = first + (uint32_t)fdt_first_property_offset(blob, deep);
	const struct {
		uint32_t at, value;
	} wrong[] = {
		{first, FDT_NOP},
		{first, FDT_PROP},
		{last, FDT_NOP},
		{last, FDT_BEGIN_NODE}, /* a second root */
		{last - 4, FDT_BEGIN_NODE},
		{node, FDT_NOP},
		{node, 5},
		{node + 8, 0x61616161}, /* a name that goes on */
		{property + 4, 0xfffffff0},
		{property + 4, 0x7fffffff},
		{property + 8, fdt_size_dt_strings(blob)},
		{other - 4, FDT_NOP}, /* the node before it does not end */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		put(wrong[i].at, wrong[i].value);
		refused("token", i);
	}
	/* A property behind a child would be nobody's, or another's. */
	put(other, FDT_PROP);
	put(other + 4, 0);
	put(other + 8, 0);
	put(last - 8, FDT_NOP);
	refused("order", 0);
	/* No node at all: a walk would find neither one nor the end of one. */
	put(first, FDT_NOP);
	put(first + 4, FDT_END);
	refused("root", 0);
}

/* Nothing but the whole of it. */
static void cut(void **state)
{
	struct dt_node root;

	(void)state;
	(void)write_tree();
	for (size_t size = 0; size < fdt_totalsize(blob); size++) {
		uint8_t *copy = malloc(size + 1);

		assert_non_null(copy);
		memcpy(copy, blob, size);
		assert_int_equal(dt_open(&root, copy, size), STATUS_INVALID);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks),	cmocka_unit_test(properties),
		cmocka_unit_test(reserved),	cmocka_unit_test(wrong_header),
		cmocka_unit_test(wrong_tokens), cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
