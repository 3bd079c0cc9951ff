/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's PL011: every offset and width; lines that no guest can lengthen; input that is bounded.
 */
#include "hv_fixture.h"

#include <string.h>

#include "clock.h"

static struct partition *p;

static int set_up(void **state)
{
	(void)state;
	fixture_partitions(1);
	p = &partitions[0];
	vuart_reset(p);
	return 0;
}

static uint32_t get(uint64_t offset)
{
	return (uint32_t)vuart_read(p, offset, 4);
}

static void put(uint64_t offset, uint32_t value)
{
	vuart_write(p, offset, 4, value);
}

static void type(const char *text)
{
	for (; *text; text++) {
		put(0, (uint8_t)*text);
	}
}

static const char *line(unsigned back)
{
	return fixture.console[(fixture.console_lines - 1 - back) % 8];
}

static void every_register(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < GUEST_UART_SIZE; at++) {
		for (unsigned size = 1; size <= 8; size *= 2) {
			if (is_aligned(at, size)) {
				vuart_write(p, at, size, ~0ull);
				(void)vuart_read(p, at, size);
			}
		}
	}
	for (uint64_t at = 0x48; at < 0xfe0; at += 4) {
		assert_int_equal(get(at), 0);
	}
	assert_int_equal(get(0xfe0), 0x11);
	assert_int_equal(get(0xffc), 0xb1);
}

static void lines(void **state)
{
	char full[VUART_LINE + 4];

	(void)state;
	type("one\r\ntwo");
	assert_int_equal(fixture.console_lines, 1);
	assert_string_equal(line(0), "p0|one");
	type("\n");
	assert_string_equal(line(0), "p0|two");
	/* F73 and forged lines: nothing moves the cursor or ends a line. */
	type("\r\b\x7f\x01\x0b\x0c");
	put(0, 0);
	put(0, 0x100 | '!');
	type("\n");
	assert_string_equal(line(0), "p0|!");
	for (unsigned i = 0; i < 3 * VUART_LINE; i++) {
		put(0, 'x');
	}
	assert_int_equal(fixture.console_lines, 6);
	memset(full, 0, sizeof(full));
	memset(full, 'x', VUART_LINE + 3);
	memcpy(full, "p0|", 3);
	assert_string_equal(line(0), full);
}

static void idle_line(void **state)
{
	(void)state;
	type("login: ");
	vuart_flush_idle(p, 1000);
	assert_int_equal(fixture.console_lines, 0);
	clock_sleep_ns(1000);
	vuart_flush_idle(p, 1000);
	assert_string_equal(line(0), "p0|login: ");
	vuart_flush_idle(p, 0);
	assert_int_equal(fixture.console_lines, 1);
}

static void input(void **state)
{
	(void)state;
	put(0x38, 0x50); /* receive interrupts */
	assert_false(fixture.line[33]);
	assert_true(vuart_input(p, 'a'));
	assert_true(fixture.line[33]);
	assert_int_equal(get(0x40), 0x50);
	assert_int_equal(get(0), 'a');
	assert_false(fixture.line[33]);
	assert_int_equal(get(0x18), 0x90);
	assert_int_equal(get(0), 0); /* nothing there */
	for (unsigned i = 0; i < VUART_INPUT; i++) {
		assert_true(vuart_input(p, (uint8_t)i));
	}
	assert_false(vuart_input(p, 'z'));
	for (unsigned i = 0; i < VUART_INPUT; i++) {
		assert_int_equal(get(0), (uint8_t)i);
	}
	assert_false(fixture.line[33]);
}

static void interrupts(void **state)
{
	(void)state;
	type("x");
	assert_int_equal(get(0x3c), 0x20);
	assert_false(fixture.line[33]);
	put(0x38, 0x20);
	assert_true(fixture.line[33]);
	put(0x44, 0x20);
	assert_false(fixture.line[33]);
	/* What the state of the buffer asserts is not cleared by ICR. */
	put(0x38, 0x10);
	(void)vuart_input(p, 'a');
	put(0x44, ~0u);
	assert_true(fixture.line[33]);
	/* A byte may come between the virtual GIC's reset and this one: its line goes, too. */
	vuart_reset(p);
	assert_false(fixture.line[33]);
	assert_int_equal(get(0x3c), 0);
	assert_int_equal(get(0x38), 0);
	assert_int_equal(get(0x30), 0x300);
	assert_int_equal(get(0), 0);
}

#define T(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_register), T(lines), T(idle_line), T(input), T(interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
