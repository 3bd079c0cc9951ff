/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers, MSI-X and configuration space, as a driver finds them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire_rig.h"

static int teardown(void **state)
{
	(void)state;
	rig_free();
	return rig_guests[0].foreign || rig_guests[1].foreign;
}

static uint8_t image[4 * IO_IMAGE_WORDS];

static uint32_t word(unsigned at)
{
	return image[at] | image[at + 1] << 8 | image[at + 2] << 16 | (uint32_t)image[at + 3] << 24;
}

/* The capability of this id and virtio type (0: any), as an offset; 0: none. */
static unsigned capability(uint8_t id, uint8_t type)
{
	unsigned hops = 0;

	for (unsigned at = image[0x34]; at; at = image[at + 1]) {
		assert_true(at >= 0x40 && at % 4 == 0 && at + 20 <= sizeof(image) && hops++ < 16);
		if (image[at] == id && (!type || image[at + 3] == type)) {
			return at;
		}
	}
	return 0;
}

static void test_configuration_space(void **state)
{
	static const uint32_t lengths[] = {0, 0x38, 4, 1, 12};

	(void)state;
	rig_init(2, true);
	memcpy(image, io_end_image, sizeof(image));
	assert_int_equal(word(0x00), 0x10411af4);
	assert_int_equal(word(0x08), 0x02000001);
	assert_int_equal(word(0x04) >> 16 & 0x10, 0x10);
	assert_int_equal(word(0x10), 0);  /* 32-bit memory, no address yet */
	assert_int_equal(image[0x3d], 0); /* no INTx */
	for (uint8_t type = 1; type <= 4; type++) {
		unsigned at = capability(0x09, type);

		assert_true(at);
		assert_int_equal(image[at + 2], type == 2 ? 20 : 16);
		assert_int_equal(image[at + 4], 0); /* BAR 0 */
		assert_true(word(at + 12) >= lengths[type]);
		assert_true(word(at + 8) + word(at + 12) <= IO_BAR_SIZE && word(at + 8) % 4 == 0);
	}
	assert_int_equal(word(capability(0x09, 2) + 16), 4);
	assert_int_equal(word(capability(0x09, 2) + 8), 0x1000);
	assert_int_equal(word(capability(0x09, 1) + 8), 0);
	/* Device configuration: MAC, link, pairs, MTU. */
	unsigned device = word(capability(0x09, 4) + 8);

	assert_int_equal(io_end_read(rig_end(1), device, 4), 0x00005452);
	assert_int_equal(io_end_read(rig_end(1), device + 4, 2), 0x0100);
	assert_int_equal(io_end_read(rig_end(1), device + 5, 1), 1);
	assert_int_equal(io_end_read(rig_end(1), device + 6, 2), 0);
	assert_int_equal(io_end_read(rig_end(1), device + 8, 2), 2);
	assert_int_equal(io_end_read(rig_end(1), device + 10, 2), 1500);
	assert_int_equal(io_end_read(rig_end(1), word(capability(0x09, 3) + 8), 1), 0);
	/* MSI-X: the table and what is pending, where the capability says. */
	unsigned msix = capability(0x11, 0);

	assert_int_equal(word(msix) >> 16, IO_VECTORS - 1);
	assert_int_equal(word(msix + 4), 0x48);
	assert_int_equal(word(msix + 8) & 7, 0);
	assert_true(word(msix + 4) + 16 * IO_VECTORS <= word(msix + 8));
}

static void test_registers_after_reset(void **state)
{
	(void)state;
	for (unsigned pairs = 1; pairs <= 2; pairs++) {
		rig_up(pairs, 4);
		io_end_msix(rig_end(0), true, true);
		io_end_reset(rig_end(0));
		assert_int_equal(rig_status(0), 0);
		assert_false(rig_end(0)->msix_enabled || rig_end(0)->msix_masked);
		assert_int_equal(rig_read(0, 0x10, 2), 0xffff);
		assert_int_equal(rig_read(0, 0x12, 2), pairs == 2 ? 5 : 2);
		for (unsigned q = 0; q < 5; q++) {
			bool there = q < rig_read(0, 0x12, 2);

			rig_write(0, 0x16, 2, q);
			assert_int_equal(rig_read(0, 0x16, 2), q);
			assert_int_equal(rig_read(0, 0x18, 2), there ? 256 : 0);
			assert_int_equal(rig_read(0, 0x1a, 2), there ? 0xffff : 0);
			assert_int_equal(rig_read(0, 0x1c, 2), 0);
			assert_int_equal(rig_read(0, 0x1e, 2), there ? q : 0);
			assert_int_equal(io_end_read(rig_end(0), 0x20, 8), 0);
		}
		for (unsigned v = 0; v < IO_VECTORS; v++) {
			assert_int_equal(rig_read(0, 0x48 + 16 * v + 12, 4), 1);
		}
		for (unsigned i = 0; i < 2; i++) {
			rig_write(0, 0x08, 4, i);
			assert_int_equal(rig_read(0, 0x0c, 4), 0);
		}
		rig_write(0, 0x00, 4, 1);
		assert_int_equal(rig_read(0, 0x04, 4), 1); /* VERSION_1 */
		rig_write(0, 0x00, 4, 2);
		assert_int_equal(rig_read(0, 0x04, 4), 0);
		rig_write(0, 0x00, 4, 0);
		assert_int_equal(rig_read(0, 0x04, 4), 0x300199ab | (pairs == 2 ? 0x00420000 : 0));
	}
}

/* Another width, another place: nothing. What is read-only stays. */
static void test_odd_accesses(void **state)
{
	static const unsigned odd[][2] = {{0x00, 1}, {0x00, 2}, {0x01, 4},  {0x02, 2}, {0x04, 4},
					  {0x0c, 2}, {0x10, 1}, {0x10, 4},  {0x12, 2}, {0x13, 1},
					  {0x14, 2}, {0x14, 4}, {0x15, 1},  {0x16, 1}, {0x16, 4},
					  {0x18, 4}, {0x1c, 4}, {0x1e, 2},  {0x20, 2}, {0x22, 4},
					  {0x38, 4}, {0x3c, 4}, {0x42, 2},  {0x44, 4}, {0xa8, 4},
					  {0xa8, 8}, {0xac, 4}, {0xfff, 1}, {0x48, 2}, {0x4a, 4}};
	static uint8_t now[0xb0], then[0xb0];

	(void)state;
	rig_init(2, true);
	rig_negotiate(0, RIG_ALL);
	for (unsigned i = 0; i < sizeof(then); i++) {
		then[i] = (uint8_t)rig_read(0, i, 1);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(odd); i++) {
		rig_write(0, odd[i][0], odd[i][1], ~0ull);
		for (unsigned n = 0; n < sizeof(now); n++) {
			now[n] = (uint8_t)rig_read(0, n, 1);
		}
		assert_memory_equal(now, then, sizeof(now));
	}
	for (uint64_t offset = 0xb0; offset < IO_BAR_SIZE; offset += 4) {
		assert_int_equal(io_end_read(rig_end(0), offset, 4), 0);
	}
	assert_int_equal(io_end_read(rig_end(0), 0xaf, 4), 0);
	assert_int_equal(io_end_read(rig_end(0), ~0ull - 3, 4), 0);
	rig_write(0, 0x2000, 4, 1);
	io_end_write(rig_end(0), ~0ull - 3, 4, 1);
	io_end_write(rig_end(0), ~0ull - 7, 8, 1);
	io_end_write(rig_end(0), 0x1ffc, 8, 1);
	(void)rig_work(0);
}

static void test_queue_registers(void **state)
{
	(void)state;
	rig_init(2, true);
	rig_write(0, 0x18, 2, 64); /* not before the features are settled */
	assert_int_equal(rig_read(0, 0x18, 2), 256);
	rig_negotiate(0, RIG_ALL);
	rig_write(0, 0x16, 2, 3);
	rig_write(0, 0x18, 2, 64);
	rig_write(0, 0x1a, 2, 5);
	rig_write(0, 0x20, 8, RIG_RAM + 0x10000);
	rig_write(0, 0x28, 4, RIG_RAM + 0x20000);
	rig_write(0, 0x30, 4, RIG_RAM + 0x30000);
	rig_write(0, 0x1c, 2, 0); /* only a 1 enables it */
	rig_write(0, 0x1c, 2, 3);
	assert_null(rig_end(0)->rings[3].table);
	rig_write(0, 0x1c, 2, 1);
	assert_non_null(rig_end(0)->rings[3].table);
	rig_write(0, 0x18, 2, 32); /* nor once it is enabled */
	rig_write(0, 0x20, 8, 0);
	rig_write(0, 0x16, 2, 0);
	assert_int_equal(rig_read(0, 0x18, 2), 256);
	assert_int_equal(rig_read(0, 0x1c, 2), 0);
	rig_write(0, 0x16, 2, 3);
	assert_int_equal(rig_read(0, 0x18, 2), 64);
	assert_int_equal(rig_read(0, 0x1a, 2), 5);
	assert_int_equal(rig_read(0, 0x1c, 2), 1);
	assert_int_equal(io_end_read(rig_end(0), 0x20, 8), RIG_RAM + 0x10000);
	assert_int_equal(rig_status(0), 0x0b);
	/* A vector that does not exist is none. */
	rig_write(0, 0x16, 2, 1);
	rig_write(0, 0x1a, 2, IO_VECTORS);
	assert_int_equal(rig_read(0, 0x1a, 2), 0xffff);
	rig_write(0, 0x10, 2, 0x1000);
	assert_int_equal(rig_read(0, 0x10, 2), 0xffff);
	rig_write(0, 0x10, 2, IO_VECTORS - 1);
	assert_int_equal(rig_read(0, 0x10, 2), IO_VECTORS - 1);
}

/* A driver cannot say that the device has failed, nor take a failure back. */
static void test_needs_reset_is_ours(void **state)
{
	(void)state;
	rig_up(1, 4);
	rig_write(0, 0x14, 1, 0x4f);
	assert_int_equal(rig_status(0), 0x0f);
	rig_write(0, 0x14, 1, 0x40);
	assert_int_equal(rig_status(0), 0x0f);
	assert_true(rig_link(1));
}

static unsigned rang(unsigned vector)
{
	return rig_guests[1].messages[vector];
}

static void packet(void)
{
	rig_send(0, 0, 64, 0);
	rig_kick(0, RIG_TX(0));
	(void)rig_work(0);
	/* Look at each at once: the next is wanted. */
	*(uint16_t *)rig_at(1, RIG_RAM + 0x1004 + 512) = (uint16_t)rig_new(1, RIG_RX(0));
}

static void test_msix_masks(void **state)
{
	const unsigned v = 1 + RIG_RX(0);

	(void)state;
	rig_up(1, 64);
	packet();
	assert_int_equal(rang(v), 1);
	/* Masked: it waits, once, and comes with the mask's end. */
	rig_write(1, 0x48 + 16 * v + 12, 4, 1);
	packet();
	packet();
	assert_int_equal(rang(v), 1);
	assert_int_equal(rig_read(1, 0xa8, 4), 1u << v);
	rig_write(1, 0x48 + 16 * v + 12, 4, 0);
	assert_int_equal(rang(v), 2);
	assert_int_equal(rig_read(1, 0xa8, 4), 0);
	/* The function's mask; data that is written meanwhile counts. */
	io_end_msix(rig_end(1), true, true);
	packet();
	assert_int_equal(rang(v), 2);
	rig_write(1, 0x48 + 16 * v + 8, 4, 5);
	io_end_msix(rig_end(1), true, false);
	assert_int_equal(rang(v), 2);
	assert_int_equal(rang(5), 1);
	/* Off: what waits is not sent, and nothing is remembered. */
	io_end_msix(rig_end(1), true, true);
	packet();
	io_end_msix(rig_end(1), false, false);
	assert_int_equal(rang(5), 1);
	io_end_msix(rig_end(1), true, false);
	assert_int_equal(rang(5), 2);
	io_end_msix(rig_end(1), false, false);
	packet();
	assert_int_equal(rig_read(1, 0xa8, 4), 0);
	io_end_msix(rig_end(1), true, false);
	assert_int_equal(rang(5), 2);
	/* No vector: no message, the packet comes. */
	rig_write(1, 0x14, 1, 0);
	rig_start(1, RIG_ALL, 64);
	rig_end(1)->queues[0].vector = 0xffff;
	rig_post(1, 0, 4, 2048);
	memset(rig_guests[1].messages, 0, sizeof(rig_guests[1].messages));
	packet();
	for (unsigned i = 0; i < IO_VECTORS; i++) {
		assert_int_equal(rang(i), 0);
	}
	assert_int_equal(rig_new(1, RIG_RX(0)), 1);
}

/* No notifications before DRIVER_OK (3.1.1), and nothing is read: not even a control command. */
static void test_silence_before_the_driver_is_ready(void **state)
{
	(void)state;
	rig_init(2, true);
	rig_start(1, RIG_ALL, 64);
	rig_write(1, 0x14, 1, 0);
	rig_negotiate(1, RIG_ALL);
	rig_write(1, 0x10, 2, 0);
	for (unsigned q = 0; q < 5; q++) {
		rig_queue(1, q, 64);
	}
	rig_describe(1, RIG_CTRL, 0, 0, 0, 0, 0);
	rig_offer(1, RIG_CTRL, 0);
	rig_send(1, 0, 64, 0);
	for (unsigned q = 0; q < 5; q++) {
		rig_kick(1, q);
	}
	memset(rig_guests[1].messages, 0, sizeof(rig_guests[1].messages));
	rig_start(0, RIG_ALL, 64);
	(void)rig_work(0);
	(void)rig_work(1);
	assert_int_equal(rig_status(1), 0x0b);
	for (unsigned v = 0; v < IO_VECTORS; v++) {
		assert_int_equal(rang(v), 0);
	}
	for (unsigned q = 0; q < 5; q++) {
		assert_int_equal(rig_new(1, q), 0);
	}
}

/* A reset of the device is not one of the function: the MSI-X table stays. */
static void test_reset_keeps_msix(void **state)
{
	(void)state;
	rig_up(1, 4);
	rig_write(0, 0x14, 1, 0);
	assert_int_equal(rig_read(0, 0x48 + 8 + 16, 4), 1);
	assert_int_equal(rig_read(0, 0x48 + 12 + 16, 4), 0);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_teardown(test, teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_configuration_space),
		ROW(test_registers_after_reset),
		ROW(test_odd_accesses),
		ROW(test_queue_registers),
		ROW(test_needs_reset_is_ours),
		ROW(test_msix_masks),
		ROW(test_silence_before_the_driver_is_ready),
		ROW(test_reset_keeps_msix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
