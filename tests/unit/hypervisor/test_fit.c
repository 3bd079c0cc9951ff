/* SPDX-License-Identifier: BSD-2-Clause */
/* A FIT and its hashes: only what was packed comes out, whatever happened to it on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "fit.h"
#include "models.h"
#include "sha256.h"
#include "tree.h"
#include "types.h"

static uint8_t blob[4096];
static uint8_t content[300];

static void image(const char *name, size_t size)
{
	uint8_t digest[SHA256_SIZE];

	sha256(content, size, digest);
	tree_node(name);
	tree_bytes("data", content, size);
	tree_node("hash-1");
	tree_bytes("algo", "crc32", 6);
	tree_bytes("value", "1234", 4);
	tree_close();
	tree_node("hash-2");
	tree_bytes("value", digest, sizeof(digest));
	tree_bytes("algo", "sha256", 7);
	tree_close();
	tree_close();
}

static size_t write_fit(void)
{
	models_reset();
	for (unsigned i = 0; i < sizeof(content); i++) {
		content[i] = (uint8_t)(i * 7);
	}
	tree_begin(blob, sizeof(blob), 0, 0);
	tree_node("images");
	image("kernel", sizeof(content));
	image("empty", 0);
	tree_node("bare");
	tree_bytes("data", content, 5);
	tree_close();
	tree_node("hollow");
	tree_close();
	tree_close();
	tree_node("kernel");
	tree_close();
	tree_end();
	tree_edit();
	return fdt_totalsize(blob);
}

static int hash_node(void)
{
	int node = fdt_path_offset(blob, "/images/kernel/hash-2");

	assert_true(node >= 0);
	return node;
}

static struct dt_node opened(void)
{
	struct dt_node fit;

	assert_int_equal(dt_open(&fit, blob, sizeof(blob)), STATUS_OK);
	return fit;
}

static void good(void **state)
{
	struct fit_image found;

	(void)state;
	write_fit();
	assert_int_equal(fit_image(opened(), "kernel", &found), STATUS_OK);
	assert_int_equal(found.size, sizeof(content));
	assert_memory_equal(found.data, content, sizeof(content));
	assert_int_equal(fit_image(opened(), "empty", &found), STATUS_OK);
	assert_int_equal(found.size, 0);
}

static void not_a_fit(void **state)
{
	size_t size = write_fit();
	struct dt_node fit;
	struct fit_image found;

	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		assert_non_null(copy);
		memcpy(copy, blob, cut);
		assert_int_equal(dt_open(&fit, copy, cut), STATUS_INVALID);
		free(copy);
	}
	for (unsigned i = 0; i < 4; i++) {
		write_fit();
		blob[i] ^= 1;
		assert_int_equal(dt_open(&fit, blob, size), STATUS_INVALID);
	}
	write_fit();
	assert_int_equal(fdt_set_name(blob, fdt_path_offset(blob, "/images"), "imagez"), 0);
	assert_int_equal(fit_image(opened(), "kernel", &found), STATUS_NOT_FOUND);
}

static void refusals(void **state)
{
	struct fit_image found = {NULL, 77};

	(void)state;
	write_fit();
	assert_int_equal(fit_image(opened(), "ramdisk", &found), STATUS_NOT_FOUND);
	assert_int_equal(fit_image(opened(), "hollow", &found), STATUS_NOT_FOUND);
	assert_int_equal(fit_image(opened(), "kernel/hash-2", &found), STATUS_NOT_FOUND);
	assert_int_equal(fit_image(opened(), "../kernel", &found), STATUS_NOT_FOUND);
	assert_int_equal(fit_image(opened(), "", &found), STATUS_NOT_FOUND);
	assert_int_equal(fit_image(opened(), "bare", &found), STATUS_UNSUPPORTED);
	assert_int_equal(models_log_count("FIT: image 'bare' has no sha256"), 1);

	assert_int_equal(fdt_setprop(blob, hash_node(), "algo", "sha1", 5), 0);
	assert_int_equal(fit_image(opened(), "kernel", &found), STATUS_UNSUPPORTED);
	write_fit();
	assert_int_equal(fdt_setprop(blob, hash_node(), "algo", "sha256", 6), 0);
	assert_int_equal(fit_image(opened(), "kernel", &found), STATUS_UNSUPPORTED);
	write_fit();
	assert_int_equal(fdt_setprop(blob, hash_node(), "value", content, 31), 0);
	assert_int_equal(fit_image(opened(), "kernel", &found), STATUS_UNSUPPORTED);
	write_fit();
	assert_int_equal(fdt_delprop(blob, hash_node(), "value"), 0);
	assert_int_equal(fit_image(opened(), "kernel", &found), STATUS_UNSUPPORTED);
	write_fit();
	assert_int_equal(fdt_setprop(blob, hash_node(), "value", content, 32), 0);
	assert_int_equal(fit_image(opened(), "kernel", &found), STATUS_HARDWARE);
	assert_int_equal(models_log_count("FIT: image 'kernel' does not match"), 1);
	assert_true(found.data == NULL && found.size == 77); /* nothing came out */
}

/* Each single bit of the content counts. */
static void every_bit(void **state)
{
	struct fit_image found;
	uint8_t *data;

	(void)state;
	write_fit();
	assert_int_equal(fit_image(opened(), "kernel", &found), STATUS_OK);
	data = blob + ((const uint8_t *)found.data - blob);
	for (unsigned bit = 0; bit < 8 * sizeof(content); bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(fit_image(opened(), "kernel", &found), STATUS_HARDWARE);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(fit_image(opened(), "kernel", &found), STATUS_OK);
}

/* Any bytes: no access outside it, and only the packed content ever comes out. */
static void mutated(void **state)
{
	(void)state;
	write_fit();
	assert_int_equal(fdt_pack(blob), 0);
	int size = (int)fdt_totalsize(blob);

	srand(2);
	for (unsigned round = 0; round < 20000; round++) {
		struct fit_image found;
		struct dt_node fit;
		uint8_t *copy = malloc((size_t)size);

		assert_non_null(copy);
		memcpy(copy, blob, (size_t)size);
		for (int n = 1 + rand() % 3; n > 0; n--) {
			copy[rand() % (rand() % 4 ? size : 64)] ^= (uint8_t)(1 + rand() % 255);
		}
		if (dt_open(&fit, copy, (size_t)size) == STATUS_OK &&
		    fit_image(fit, "kernel", &found) == STATUS_OK) {
			assert_int_equal(found.size, sizeof(content));
			assert_memory_equal(found.data, content, sizeof(content));
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),	    cmocka_unit_test(not_a_fit),
		cmocka_unit_test(refusals), cmocka_unit_test(every_bit),
		cmocka_unit_test(mutated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
