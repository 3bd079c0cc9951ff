/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions in memory: their configuration spaces, exactly so large, and the hardware beside them.
 */
#include "bus_fixture.h"

#include <stdlib.h>
#include <string.h>

#define FIRST ((rid_t){0x0200})
#define COUNT 3u
#define BYTES PCI_BUS_SOFT_BYTES

/* On the heap, exactly: what is beyond is poisoned. */
static uint8_t (*spaces)[BYTES];
static struct model_pci_function *hardware;

static void build(void)
{
	struct model_pci_function *port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);

	hardware = model_pci_endpoint(model, port, 0, 0x8086, 0x10c9);
	model_pci_bar(hardware, 0, MODEL_PCI_MEM32, 0x1000);
	assert_int_equal(pci_bus_enumerate(&bus, &host), STATUS_OK);
	assert_int_equal(bus.bus_count, 2);
	spaces = calloc(COUNT, BYTES);
	assert_non_null(spaces);
	bus.soft = (struct pci_soft){.first = FIRST, .count = COUNT, .spaces = spaces};
}

static rid_t soft(unsigned index)
{
	return (rid_t){(uint16_t)(FIRST.v + index)};
}

static void fill(void)
{
	for (unsigned i = 0; i < COUNT * BYTES; i++) {
		spaces[i / BYTES][i % BYTES] = (uint8_t)(i * 7 + (i >> 8));
	}
}

static void sizes(void **state)
{
	(void)state;
	build();
	fill();
	for (unsigned f = 0; f < COUNT; f++) {
		for (unsigned bytes = 1; bytes <= 4; bytes *= 2) {
			for (unsigned at = 0; at < BYTES; at += bytes) {
				uint32_t wanted = 0;

				memcpy(&wanted, &spaces[f][at], bytes);
				assert_int_equal(pci_config_read(&bus, soft(f), at, bytes), wanted);
			}
		}
	}
	assert_no_violation();
	free(spaces);
}

/* A write is kept in its bytes, and in no others: of the same function or another. */
static void writes(void **state)
{
	uint8_t before[COUNT][BYTES];

	(void)state;
	build();
	for (unsigned bytes = 1; bytes <= 4; bytes *= 2) {
		for (unsigned at = 0; at < BYTES; at += bytes) {
			fill();
			memcpy(before, spaces, sizeof(before));
			pci_config_write(&bus, soft(1), at, bytes, 0xa5c3966bu);
			if (at != PCI_STATUS) {
				memcpy(&before[1][at], "\x6b\x96\xc3\xa5", bytes);
			}
			assert_memory_equal(spaces, before, sizeof(before));
		}
	}
	assert_no_violation();
	free(spaces);
}

/* Beyond a space, and beyond the last function: as where nothing is. */
static void bounds(void **state)
{
	const unsigned beyond[] = {BYTES, BYTES + 4, 0xffc};
	uint8_t before[COUNT][BYTES];

	(void)state;
	build();
	fill();
	memcpy(before, spaces, sizeof(before));
	for (unsigned f = 0; f < COUNT; f++) {
		for (unsigned i = 0; i < ARRAY_SIZE(beyond); i++) {
			assert_int_equal(pci_config_read(&bus, soft(f), beyond[i], 4), ~0u);
			pci_config_write(&bus, soft(f), beyond[i], 4, 0);
		}
	}
	for (unsigned n = COUNT; n < 256; n++) {
		assert_int_equal(pci_config_read(&bus, soft(n), 0, 4), ~0u);
		pci_config_write(&bus, soft(n), 0, 4, 0);
	}
	assert_memory_equal(spaces, before, sizeof(before));
	free(spaces);
}

/* Hardware stays hardware: the number before the first, and those far away. */
static void neighbours(void **state)
{
	rid_t rid;

	(void)state;
	build();
	fill();
	rid = (rid_t){model_pci_rid(hardware)};
	assert_int_equal(pci_config_read(&bus, rid, 0, 4), 0x10c98086);
	assert_int_equal(pci_config_read(&bus, (rid_t){FIRST.v - 1}, 0, 4), ~0u);
	pci_config_write(&bus, rid, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_int_equal(model_pci_peek(hardware, PCI_COMMAND, 2), PCI_COMMAND_MASTER);
	assert_int_equal(pci_config_read(&bus, (rid_t){0xffff}, 0, 4), ~0u);
	assert_null(pci_bus_find(&bus, soft(0))); /* nobody can ask for one */
	bus.soft.count = 0;
	assert_int_equal(pci_config_read(&bus, soft(0), 0, 4), ~0u);
	assert_no_violation();
	free(spaces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {BUS_TEST(sizes), BUS_TEST(writes), BUS_TEST(bounds),
					   BUS_TEST(neighbours)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
