/* SPDX-License-Identifier: BSD-2-Clause */
/* INTx and I/O ports of whole functions: who hears a line, and what reaches a port. */
#include "glue_rig.h"

#include <string.h>

#include "bits.h"

#define FIRST_LINE 35 /* INTID of line 0 */
#define PORT_BASE  0x3eff0000ull
#define PORTS	   0x10000u

/* Two cards on the root bus, in slots 6 and 10: both on line 2. */
static struct model_pci_function *one, *two;
static partition_id_t red, blue;

/* The machine's I/O window: the last access, and how many there were. */
static struct {
	uint64_t offset, value;
	unsigned bytes, reads, writes;
} port;

static uint64_t port_read(void *context, uint64_t offset, unsigned bytes)
{
	(void)context;
	port.offset = offset;
	port.bytes = bytes;
	port.reads++;
	return 0x8877665544332211ull;
}

static void port_write(void *context, uint64_t offset, unsigned bytes, uint64_t value)
{
	(void)context;
	port.offset = offset;
	port.bytes = bytes;
	port.value = value;
	port.writes++;
}

static struct model_pci_function *card(uint8_t devfn, uint8_t pin)
{
	struct model_pci_function *f = model_pci_endpoint(rig_pci, NULL, devfn, 0x10ec, 0x8029);

	model_pci_bar(f, 0, MODEL_PCI_SPACE_IO, 0x20);
	model_pci_bar(f, 1, MODEL_PCI_MEM32, 0x100);
	model_pci_poke(f, 0x3d, 1, pin);
	return f;
}

static void build(void)
{
	rig_build();
	memset(&port, 0, sizeof(port));
	models_add(&(struct model){PORT_BASE, PORTS, NULL, port_read, port_write});
	red = hv_host_partition("red", 1, 0);
	blue = hv_host_partition("blue", 1, 1);
	one = card(0x30, 1);
	two = card(0x50, 1);
}

static void give(partition_id_t partition, uint8_t devfn)
{
	hv_host_function(partition, devfn == 0x30 ? "one" : "two", (rid_t){devfn})
		->keep_without_reset = true;
}

static void start(partition_id_t partition)
{
	assert_int_equal(rig_hooks.partition_start(partition), STATUS_OK);
}

/* Which of the guest's lines the device's pin leads to, as its interrupt-map says; -1: no pin. */
static int guest_line(partition_id_t partition, unsigned device)
{
	uint32_t pin = rig_config_read(partition, device, 0x3d, 1);

	return pin ? (int)(device + 1 + pin - 1) % GUEST_INTX_LINES : -1;
}

static int wired_line(partition_id_t partition, unsigned intid)
{
	for (unsigned line = 0; line < GUEST_INTX_LINES; line++) {
		if (hv_host_wire(partition, line) == intid) {
			return (int)line;
		}
	}
	return -1;
}

static void one_partition_shares_a_line(void **state)
{
	(void)state;
	build();
	give(red, 0x30);
	give(red, 0x50);
	rig_start();
	start(red);
	assert_int_equal(wired_line(red, FIRST_LINE + 2), guest_line(red, 0));
	assert_int_equal(wired_line(red, FIRST_LINE + 2), guest_line(red, 1));
	assert_int_not_equal(guest_line(red, 0), -1);
	assert_int_equal(model_pci_peek(one, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF, 0);
	rig_config_write(red, 0, PCI_COMMAND, 2, PCI_COMMAND_INTX_OFF);
	assert_int_equal(model_pci_peek(one, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF,
			 PCI_COMMAND_INTX_OFF);
	assert_int_equal(model_pci_peek(two, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF, 0);
	rig_config_write(red, 0, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	rig_hooks.report();
	assert_int_equal(models_log_count("interrupts=intx"), 2);
	rig_hooks.partition_stop(red);
	assert_int_equal(wired_line(red, FIRST_LINE + 2), -1);
	assert_int_equal(model_pci_peek(one, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF,
			 PCI_COMMAND_INTX_OFF);
	start(red); /* and again */
	assert_int_equal(wired_line(red, FIRST_LINE + 2), guest_line(red, 1));
	rig_hooks.partition_stop(red);
	rig_check();
}

/* F36: one that cannot be shown leaves its line alone. */
static void not_given_not_wired(void **state)
{
	(void)state;
	build();
	give(red, 0x30);
	rig_start();
	hv_host_fail_map(1, STATUS_NO_MEMORY);
	start(red);
	assert_int_equal(models_log_count("red (one): cannot show it"), 1);
	assert_int_equal(wired_line(red, FIRST_LINE + 2), -1);
	rig_hooks.partition_stop(red);
	start(red);
	assert_int_equal(wired_line(red, FIRST_LINE + 2), guest_line(red, 0));
	rig_hooks.partition_stop(red);
	rig_check();
}

/* Both are refused, whoever comes first, and each line names both. */
static void two_partitions_need_a_line(void **state)
{
	(void)state;
	build();
	give(red, 0x30);
	give(blue, 0x50);
	rig_start();
	start(red);
	start(blue);
	assert_int_equal(
		models_log_count("0000:00:06.0 red (one): refused: it shares interrupt line "
				 "37 with 0000:00:0a.0 of blue"),
		1);
	assert_int_equal(models_log_count("0000:00:0a.0 blue (two): refused: it shares interrupt "
					  "line 37 with 0000:00:06.0 of red"),
			 1);
	assert_false(rig_assignment(red, 0)->attached || rig_assignment(blue, 0)->attached);
	assert_int_equal(wired_line(red, FIRST_LINE + 2) + wired_line(blue, FIRST_LINE + 2), -2);
	rig_check();
}

/* The one that can do with messages does, and keeps off the line for good. */
static void one_of_two_can_do_without(void **state)
{
	(void)state;
	for (unsigned order = 0; order < 2; order++) {
		build();
		model_pci_capability(two, PCI_CAP_ID_MSI, 0x40);
		model_pci_poke(two, 0x42, 2, 0x0080);
		give(red, 0x30);
		give(blue, 0x50);
		rig_start();
		start(order ? red : blue);
		start(order ? blue : red);
		assert_int_equal(wired_line(red, FIRST_LINE + 2), guest_line(red, 0));
		assert_int_not_equal(guest_line(red, 0), -1);
		assert_int_equal(guest_line(blue, 0), -1);
		rig_config_write(blue, 0, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
		assert_int_equal(model_pci_peek(two, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF,
				 PCI_COMMAND_INTX_OFF);
		rig_hooks.partition_stop(red);
		rig_hooks.partition_stop(blue);
		rig_check();
		rig_tear_down(NULL);
	}
}

/* A function of PCI 2.2 cannot be told to leave the line alone: it counts as one that needs it. */
static void one_that_cannot_be_silenced(void **state)
{
	(void)state;
	build();
	model_pci_capability(two, PCI_CAP_ID_MSI, 0x40);
	model_pci_poke(two, 0x42, 2, 0x0080);
	two->writable[PCI_COMMAND + 1] &= (uint8_t) ~(PCI_COMMAND_INTX_OFF >> 8);
	give(red, 0x30);
	give(blue, 0x50);
	rig_start();
	start(red);
	start(blue);
	assert_int_equal(models_log_count("refused: it shares interrupt line 37"), 2);
	rig_check();
}

/* What a guest has left asserted must not come out while its function is reset, or nobody's. */
static void a_reset_leaves_the_line_alone(void **state)
{
	(void)state;
	build();
	model_pci_capability(two, PCI_CAP_ID_MSI, 0x40);
	model_pci_express(two, 0x60, 0, true);
	give(red, 0x30);
	give(blue, 0x50);
	rig_start();

	unsigned from = model_pci_write_count(rig_pci), off = 0;

	start(red);
	for (unsigned life = 0; life < 2; life++) {
		start(blue);
		rig_config_write(blue, 0, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
		two->pending_until = models_time() + 500000000;
		rig_hooks.partition_stop(blue);
		assert_int_equal(model_pci_peek(two, PCI_COMMAND, 2),
				 PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_OFF);
	}
	assert_int_equal(two->resets, 4);
	while ((from = model_pci_write_find(rig_pci, from, 0x50, PCI_COMMAND)) <
	       model_pci_write_count(rig_pci)) {
		assert_true(model_pci_write_nth(rig_pci, from++)->value & PCI_COMMAND_INTX_OFF);
		off++;
	}
	assert_true(off > 8); /* hidden, silenced, reset, shown, and what its guest wrote */
	rig_hooks.partition_stop(red);
	rig_check();
}

static void pins_and_lines(void **state)
{
	intid_t line;

	(void)state;
	build();
	for (unsigned pin = 0; pin < 8; pin++) {
		struct pci_function f = {
			.rid = {0x30}, .interrupt_pin = (uint8_t)pin, .parent = PCI_BUS_ROOT};

		if (pin == 0) {
			rig_start();
		}
		assert_int_equal(pci_bus_line(&glue.bus, &f, &line), pin >= 1 && pin <= 4);
		if (pin >= 1 && pin <= 4) {
			assert_int_equal(line.v, FIRST_LINE + (6 + pin - 1) % 4);
		}
	}
	/* Behind the conventional bridge of slot 3 as device 1: swizzled by 1, then by 3. */
	struct pci_function behind = *pci_bus_find(&glue.bus, RIG_BEHIND);

	behind.interrupt_pin = 2;
	assert_true(pci_bus_line(&glue.bus, &behind, &line));
	assert_int_equal(line.v, FIRST_LINE + (1 + 1 + 3) % 4);
	rig_check();
}

static uint64_t guest_in(partition_id_t partition, uint64_t at, unsigned size)
{
	uint64_t value = 0;

	assert_true(hv_host_read(partition, GUEST_PCI_PIO_BASE + at, size, &value));
	return value;
}

static void ports(void **state)
{
	(void)state;
	build();
	give(red, 0x30);
	give(red, 0x50);
	rig_start();
	start(red);

	uint64_t at = rig_config_read(red, 0, PCI_BAR0, 4) & ~3u;

	assert_int_equal(rig_config_read(red, 0, PCI_BAR0, 4) & 3, 1);
	for (unsigned size = 1; size <= 4; size *= 2) {
		for (uint64_t inside = 0; inside < 0x20; inside += size) {
			unsigned reads = port.reads, writes = port.writes;

			assert_int_equal(guest_in(red, at + inside, size) & BITS(8 * size - 1, 0),
					 0x44332211u & BITS(8 * size - 1, 0));
			assert_true(hv_host_write(red, GUEST_PCI_PIO_BASE + at + inside, size,
						  0x11111111 & BITS(8 * size - 1, 0)));
			assert_int_equal(port.reads, reads + 1);
			assert_int_equal(port.writes, writes + 1);
			assert_int_equal(port.offset, at + inside);
			assert_int_equal(port.bytes, size);
			assert_int_equal(port.value, 0x11111111 & BITS(8 * size - 1, 0));
		}
	}
	/* F23 for ports: 8 bytes, over the end, between and beyond, and somebody else's. */
	unsigned reads = port.reads, writes = port.writes;
	uint64_t other = rig_config_read(red, 1, PCI_BAR0, 4) & ~3u;

	for (uint64_t odd = 0; odd < PORTS; odd += 4) {
		bool own = range_inside(odd, 4, at, 0x20) || range_inside(odd, 4, other, 0x20);

		if (!own) {
			assert_int_equal(guest_in(red, odd, 4), 0xffffffff);
			assert_true(hv_host_write(red, GUEST_PCI_PIO_BASE + odd, 4, 0));
		}
		assert_int_equal(guest_in(red, odd & ~7ull, 8), ~0ull);
		assert_int_equal(guest_in(blue, odd, 4), 0xffffffff);
		assert_true(hv_host_write(blue, GUEST_PCI_PIO_BASE + odd, 1, 0));
	}
	rig_hooks.partition_stop(red);
	assert_int_equal(guest_in(red, at, 1), 0xff);
	assert_int_equal(port.reads, reads);
	assert_int_equal(port.writes, writes);
	rig_check();
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(one_partition_shares_a_line),
		RIG_TEST(not_given_not_wired),
		RIG_TEST(two_partitions_need_a_line),
		RIG_TEST(one_of_two_can_do_without),
		RIG_TEST(one_that_cannot_be_silenced),
		RIG_TEST(a_reset_leaves_the_line_alone),
		RIG_TEST(pins_and_lines),
		RIG_TEST(ports),
	};

	return cmocka_run_group_tests_name("hv-glue intx", tests, NULL, NULL);
}
