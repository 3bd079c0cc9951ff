/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every ring of 1, 2 and 4 descriptors over a small alphabet, and every position of every index;
 * rings of 1 and 2 meet every indirect table of 2, rings of 4 every 17th of them. What ring.c makes
 * of it is what a model says, written from virtio 1.2 (2.7) with sets instead of counters. Memory
 * is exactly as large as it may be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "room.h"

#define RAM	 0x40000000ull
#define RAM_SIZE 4096u
#define TABLE	 0u
#define AVAIL	 0x100u
#define USED	 0x200u
#define INDIRECT 0x400u
#define BUFFER	 0x800u

enum { NEXT = 1, WRITE = 2, TABLED = 4 };

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

static uint8_t *ram;
static struct io_ring ring;
static uint64_t walks, refused;

static volatile void *ram_at(void *context, ipa_t ipa, size_t size)
{
	(void)context;
	return range_inside(ipa.v, size, RAM, RAM_SIZE) ? ram + (ipa.v - RAM) : NULL;
}

static const struct guest_memory memory = {NULL, ram_at};

static struct descriptor *table(void)
{
	return (struct descriptor *)(void *)(ram + TABLE);
}

static struct descriptor *tabled(void)
{
	return (struct descriptor *)(void *)(ram + INDIRECT);
}

static uint16_t *half_word(unsigned at)
{
	return (uint16_t *)(void *)(ram + at);
}

static int setup(void **state)
{
	(void)state;
	ram = calloc(1, RAM_SIZE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(ram);
	return 0;
}

static void start(uint16_t size, bool with_tables)
{
	struct io_queue_registers registers = {
		.size = size, .table = RAM + TABLE, .driver = RAM + AVAIL, .device = RAM + USED};

	ring = (struct io_ring){.memory = &memory, .indirect = with_tables};
	assert_int_equal(ring_enable(&ring, &registers), STATUS_OK);
	/* What lies behind a table would be a good descriptor. */
	for (unsigned i = 0; i < 2; i++) {
		table()[size + i] = (struct descriptor){RAM + BUFFER, 64, 0, 0};
		tabled()[2 + i] = (struct descriptor){RAM + BUFFER, 64, 0, 0};
	}
}

/* --- the model ----------------------------------------------------------------------------------
 */

struct walk {
	bool good;
	unsigned segments;
	struct {
		uint64_t address;
		uint32_t length;
	} at[8];
};

static bool good_buffer(const struct descriptor *d)
{
	return d->length > 0 && d->address >= RAM && d->address < RAM + RAM_SIZE &&
	       d->length <= RAM + RAM_SIZE - d->address;
}

/* Follows one table from `index`; `visited` are the descriptors of this table that were seen. */
static bool follow(struct walk *walk, const struct descriptor *list, unsigned entries,
		   unsigned index, unsigned visited, bool inner, bool write)
{
	if (index >= entries || (visited & 1u << index)) {
		return false;
	}
	const struct descriptor *d = &list[index];

	if (d->flags & TABLED) {
		return !inner && ring.indirect && !(d->flags & NEXT) && d->length % 16 == 0 &&
		       good_buffer(d) && d->address % 8 == 0 &&
		       follow(walk, (const void *)(ram + (d->address - RAM)), d->length / 16, 0, 0,
			      true, write);
	}
	if (!good_buffer(d) || !(d->flags & WRITE) == write) {
		return false;
	}
	walk->at[walk->segments].address = d->address;
	walk->at[walk->segments++].length = d->length;
	return !(d->flags & NEXT) ||
	       follow(walk, list, entries, d->next, visited | 1u << index, inner, write);
}

/* --- compared -----------------------------------------------------------------------------------
 */

static void compare(unsigned head, bool write)
{
	struct walk expected = {0};
	struct io_cursor cursor;
	enum status status;
	unsigned segments = 0;

	expected.good = follow(&expected, table(), ring.size, head, 0, false, write);
	half_word(AVAIL)[2] = (uint16_t)head;
	half_word(AVAIL)[1] = 1;
	assert_int_equal(ring_first(&ring, &cursor), STATUS_OK);
	for (;;) {
		status = ring_segment(&ring, &cursor, write);
		if (status != STATUS_OK) {
			break;
		}
		if (expected.good && (segments >= expected.segments ||
				      cursor.length != expected.at[segments].length ||
				      cursor.at != ram + (expected.at[segments].address - RAM))) {
			fail_msg("segment %u is another", segments);
		}
		if (segments++ > 6) { /* 4, and 2 of an indirect table */
			fail_msg("no end");
		}
	}
	if ((status == STATUS_NOT_FOUND) != expected.good ||
	    (expected.good && segments != expected.segments)) {
		fail_msg("%s, but it is %s", status_name(status), expected.good ? "good" : "bad");
	}
	walks++;
	refused += !expected.good;
}

/* What a descriptor may be: `next` beyond the table, buffers outside, of no length, tables. */
static unsigned alphabet(struct descriptor *letters, unsigned size)
{
	unsigned count = 0;

	for (unsigned next = 0; next <= size; next++) {
		letters[count++] = (struct descriptor){RAM + BUFFER, 64, NEXT, (uint16_t)next};
	}
	letters[count++] = (struct descriptor){RAM + BUFFER + 64, 32, 0, 0};
	letters[count++] = (struct descriptor){RAM + BUFFER, 16, WRITE, 0};
	letters[count++] =
		(struct descriptor){RAM + BUFFER, 16, WRITE | NEXT, (uint16_t)(size - 1)};
	letters[count++] = (struct descriptor){RAM + RAM_SIZE - 8, 9, 0, 0};
	letters[count++] = (struct descriptor){RAM + BUFFER, 0, 0, 0};
	letters[count++] = (struct descriptor){RAM + INDIRECT, 32, TABLED, 0};
	letters[count++] = (struct descriptor){RAM + INDIRECT, 32, TABLED | NEXT, 0};
	letters[count++] = (struct descriptor){RAM + TABLE, 16 * size, TABLED | WRITE, 0};
	return count;
}

static void each_table(uint16_t size, const struct descriptor *letters, unsigned count)
{
	uint64_t total = 1;

	for (unsigned i = 0; i < size; i++) {
		total *= count;
	}
	for (uint64_t n = 0; n < total; n++) {
		uint64_t rest = n;

		for (unsigned i = 0; i < size; i++, rest /= count) {
			table()[i] = letters[rest % count];
		}
		for (unsigned head = 0; head <= size; head++) {
			compare(head, false);
			compare(head, true);
		}
	}
}

static void test_every_ring(void **state)
{
	struct descriptor letters[16], inner[16];

	(void)state;
	walks = refused = 0;
	for (uint16_t size = 1; size <= 4; size *= 2) {
		unsigned count = alphabet(letters, size), inside = alphabet(inner, 2);

		for (unsigned tables = 0; tables < 2; tables++) {
			start(size, tables);
			/* All tables of 2 with rings of 1 and 2, those that differ most with 4. */
			for (unsigned n = 0; n < inside * inside; n += size < 4 ? 1 : 17) {
				tabled()[0] = inner[n % inside];
				tabled()[1] = inner[n / inside];
				each_table(size, letters, count);
			}
		}
	}
	assert_true(walks > 1000000 && refused > walks / 4 && refused < walks);
	print_message("%llu walks, %llu refused\n", (unsigned long long)walks,
		      (unsigned long long)refused);
}

/* Every flag, every combination, lengths and addresses around the limits: one descriptor. */
static void test_every_descriptor(void **state)
{
	static const uint64_t addresses[] = {0,
					     RAM - 1,
					     RAM,
					     RAM + 4,
					     RAM + 8,
					     RAM + INDIRECT,
					     RAM + INDIRECT + 1,
					     RAM + RAM_SIZE - 16,
					     RAM + RAM_SIZE - 1,
					     RAM + RAM_SIZE,
					     RAM + RAM_SIZE + 1,
					     1ull << 63,
					     ~0ull - 15,
					     ~0ull};
	static const uint32_t lengths[] = {0,
					   1,
					   15,
					   16,
					   17,
					   24,
					   32,
					   RAM_SIZE - 16,
					   RAM_SIZE - 1,
					   RAM_SIZE,
					   RAM_SIZE + 1,
					   16 * 256,
					   16 * 257,
					   1u << 31,
					   ~0u,
					   ~0u - 15};

	(void)state;
	for (unsigned tables = 0; tables < 2; tables++) {
		start(1, tables);
		for (unsigned a = 0; a < ARRAY_SIZE(addresses); a++) {
			for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
				for (unsigned flags = 0; flags < 16; flags++) {
					memset(ram + INDIRECT, 0, 32);
					tabled()[0] = (struct descriptor){RAM + BUFFER, 8, 0, 0};
					table()[0] = (struct descriptor){addresses[a], lengths[l],
									 (uint16_t)flags, 0};
					/* A table elsewhere would be the ring itself, or nothing.
					 */
					if (!(flags & TABLED) ||
					    (addresses[a] != RAM && addresses[a] != RAM + 4 &&
					     addresses[a] != RAM + 8)) {
						compare(0, flags & WRITE);
						compare(0, !(flags & WRITE));
					}
				}
			}
		}
	}
}

/* Every distance of the available index, at every place of ours. */
static void test_every_index(void **state)
{
	struct io_cursor cursor;

	(void)state;
	for (uint16_t size = 1; size <= 8; size *= 2) {
		start(size, false);
		for (unsigned taken = 0; taken < 0x10000;
		     taken += taken < 20 || taken > 0xffe0 ? 1 : 0x3f1) {
			for (unsigned avail = 0; avail < 0x10000; avail++) {
				uint16_t ahead = (uint16_t)(avail - taken);

				ring.taken = (uint16_t)taken;
				half_word(AVAIL)[1] = (uint16_t)avail;
				assert_int_equal(ring_first(&ring, &cursor),
						 ahead == 0	 ? STATUS_NOT_FOUND
						 : ahead <= size ? STATUS_OK
								 : STATUS_INVALID);
			}
		}
	}
}

/* Interrupts: exactly when the index that the driver named was among those published. */
static void test_every_event(void **state)
{
	(void)state;
	for (uint16_t size = 1; size <= 8; size *= 2) {
		start(size, false);
		ring.event_index = true;
		for (unsigned told = 0xfff0; told < 0x10010; told++) {
			for (unsigned count = 0; count <= size; count++) {
				for (unsigned event = 0xffe0; event < 0x10020; event++) {
					bool among = false;

					for (unsigned i = 0; i < count; i++) {
						among |= (uint16_t)(told + i) == (uint16_t)event;
					}
					ring.told = (uint16_t)told;
					ring.published = (uint16_t)(told + count);
					half_word(AVAIL)[2 + size] = (uint16_t)event;
					assert_int_equal(ring_interrupts(&ring), among);
					assert_false(ring_interrupts(&ring));
				}
			}
		}
	}
}

/* Used elements lie where they should, for every index, and nothing is written beside them. */
static void test_every_used_element(void **state)
{
	struct io_cursor cursor = {.head = 0xabcd};

	(void)state;
	for (uint16_t size = 1; size <= 8; size *= 2) {
		start(size, false);
		for (unsigned n = 0; n < 0x10000; n += n < 32 || n > 0xffd0 ? 1 : 0x1ff) {
			uint32_t element[2];

			memset(ram, 0x5a, RAM_SIZE);
			ring.taken = (uint16_t)n;
			ring_put(&ring, &cursor, 0x12345678);
			memcpy(element, ram + USED + 4 + 8 * (n % size), sizeof(element));
			assert_int_equal(element[0], 0xabcd);
			assert_int_equal(element[1], 0x12345678);
			assert_int_equal(half_word(USED)[1], 0x5a5a);
			ring_publish(&ring);
			assert_int_equal(half_word(USED)[1], (uint16_t)(n + 1));
			memset(ram + USED + 4 + 8 * (n % size), 0x5a, 8);
			memset(ram + USED + 2, 0x5a, 2);
			for (unsigned i = 0; i < RAM_SIZE; i++) {
				assert_int_equal(ram[i], 0x5a);
			}
		}
	}
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_every_ring),  ROW(test_every_descriptor),   ROW(test_every_index),
		ROW(test_every_event), ROW(test_every_used_element),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
