/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "arena.h"
#include "bits.h"
#include "log.h"
#include "models.h"
#include "sha256.h"
#include "status.h"
#include "types.h"

__attribute__((format(printf, 2, 3))) static void check(const char *want, const char *format, ...)
{
	char buffer[64];
	va_list arguments;

	va_start(arguments, format);
	size_t length = format_text(buffer, sizeof(buffer), format, arguments);
	va_end(arguments);
	assert_string_equal(buffer, want);
	assert_int_equal(length, strlen(want));
}

static void test_format(void **state)
{
	(void)state;
	check("a 5 ff", "a %u %x", 5u, 0xffu);
	check("0x00ff|  7|007|1234", "0x%04x|%3u|%03u|%3u", 0xffu, 7u, 7u, 1234u);
	check("18446744073709551615", "%lu", ~0ul);
	check("abcd", "%s%s", "ab", "cd");
	check("100%", "%u%%", 100u);
}

static void test_format_is_cut_never_overrun(void **state)
{
	char line[LOG_LINE * 2];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	models_reset();
	log_info("%s", line);
	assert_int_equal(strlen(models_log_last()), LOG_LINE);
}

static void test_quota(void **state)
{
	struct log_quota quota = {0};
	unsigned allowed = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		allowed += log_allowed(&quota, 1000 + i, 5, 1000000);
	}
	assert_int_equal(allowed, 5);
	assert_true(log_allowed(&quota, 2000000, 5, 1000000));
}

static void test_arena_is_bounded_aligned_and_zeroed(void **state)
{
	static unsigned char memory[4096];
	struct arena arena = {memory, sizeof(memory), 0};

	(void)state;
	memset(memory, 0xff, sizeof(memory));
	unsigned char *a = arena_take(&arena, 10, 1);
	unsigned char *b = arena_take(&arena, 16, 64);
	assert_non_null(a);
	assert_true(is_aligned((uintptr_t)b, 64));
	assert_int_equal(b[15], 0);
	assert_null(arena_take(&arena, 4096, 1));
	assert_null(arena_take(&arena, SIZE_MAX, 1));
	assert_null(arena_take(&arena, 1, 1ul << 63));
}

static void check_sha(const char *text, size_t repeat, const char *want)
{
	static uint8_t message[1000000];
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	size_t length = strlen(text);

	for (size_t i = 0; i < repeat; i++) {
		memcpy(message + i * length, text, length);
	}
	sha256(message, repeat * length, digest);
	for (unsigned i = 0; i < SHA256_SIZE; i++) {
		snprintf(hex + 2ul * i, 3, "%02x", digest[i]);
	}
	assert_string_equal(hex, want);
}

/* The vectors of FIPS 180-4's example documents, and one for each padding case. */
static void test_sha256(void **state)
{
	(void)state;
	check_sha("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_sha("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check_sha("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_ranges_do_not_wrap(void **state)
{
	(void)state;
	assert_true(range_inside(10, 10, 10, 10));
	assert_false(range_inside(10, 11, 10, 10));
	assert_false(range_inside(UINT64_MAX - 4, 10, 0, 100));
	assert_false(range_inside(5, UINT64_MAX, 0, 100));
	assert_int_equal(BITS(7, 4), 0xf0);
	assert_int_equal(BITS(63, 0), UINT64_MAX);
	assert_int_equal(field_prep(BITS(7, 4), 3), 0x30);
	assert_int_equal(field_get(BITS(7, 4), 0xabu), 0xa);
}

static void test_every_status_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < STATUS_COUNT; i++) {
		assert_non_null(status_name((enum status)i));
	}
	assert_string_equal(status_name((enum status)999), "unknown status");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_is_cut_never_overrun),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_arena_is_bounded_aligned_and_zeroed),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_ranges_do_not_wrap),
		cmocka_unit_test(test_every_status_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
