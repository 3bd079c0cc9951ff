/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire_card.h"

#include <string.h>

#include "its_commands.h"

#define QUEUES	     0xa0000u /* offset in RAM; 16 KiB for a card of its partition */
#define BUFFERS	     0xc0000u
#define CARD_BYTES   0x10000u
#define QUEUE_BYTES  0x1000u
#define BUFFER_BYTES 0x8000u
/* VERSION_1, what a wire insists on, MAC, STATUS. */
#define FEATURES (1ull << 32 | 1ull << 1 | 1ull << 7 | 1ull << 8 | 1ull << 5 | 1ull << 16)
#define LINK	 6u /* in the device's configuration */

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

/* --- registers --- */

static uint32_t config(const struct card *card, unsigned reg, unsigned size)
{
	return rig_config_read(card->partition, card->device, reg, size);
}

/* Virtio's vendor capabilities (4.1.4), and MSI-X: all in BAR 0. */
void card_find(struct card *card, partition_id_t partition, unsigned device)
{
	unsigned found = 0;

	*card = (struct card){.partition = partition, .device = device};
	assert_int_equal(config(card, PCI_VENDOR_ID, 4), 0x10411af4);
	assert_true(config(card, PCI_STATUS, 2) & 0x10);
	card->bar = config(card, PCI_BAR0, 4) & ~15u;
	for (unsigned at = config(card, 0x34, 1), hops = 0; at; at = config(card, at + 1, 1)) {
		unsigned type = config(card, at + 3, 1);

		assert_true(++hops < 8);
		if (config(card, at, 1) == 0x11) {
			assert_int_equal(config(card, at + 2, 2), IO_VECTORS - 1);
			assert_int_equal(config(card, at + 4, 4) & 7, 0);
			card->msix = card->bar + config(card, at + 4, 4);
			continue;
		}
		assert_int_equal(config(card, at, 1), 9);
		assert_int_equal(config(card, at + 4, 1), 0);
		uint64_t where = card->bar + config(card, at + 8, 4);

		assert_true(config(card, at + 8, 4) + config(card, at + 12, 4) <= IO_BAR_SIZE);
		found |= 1u << type;
		card->common = type == 1 ? where : card->common;
		card->notify = type == 2 ? where : card->notify;
		card->specific = type == 4 ? where : card->specific;
		card->multiplier = type == 2 ? config(card, at + 16, 4) : card->multiplier;
	}
	assert_int_equal(found, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4);
	assert_true(card->msix);
}

uint32_t card_read(const struct card *card, uint64_t address, unsigned size)
{
	uint64_t value = 0;

	assert_true(hv_host_read(card->partition, address, size, &value));
	return (uint32_t)value;
}

void card_write(const struct card *card, uint64_t address, unsigned size, uint32_t value)
{
	assert_true(hv_host_write(card->partition, address, size, value));
}

uint8_t card_status(const struct card *card)
{
	return (uint8_t)card_read(card, card->common + 0x14, 1);
}

bool card_link(const struct card *card)
{
	return card_read(card, card->specific + LINK, 2) & 1;
}

/* --- memory --- */

static void *at(const struct card *card, uint64_t ipa)
{
	return hv_host_ram(card->partition, ipa);
}

uint64_t card_table(const struct card *card, unsigned queue)
{
	return GUEST_RAM_BASE + QUEUES + card->device * CARD_BYTES + queue * QUEUE_BYTES;
}

static uint16_t *avail(const struct card *card, unsigned queue)
{
	return at(card, card_table(card, queue) + 0x400);
}

static uint16_t *used(const struct card *card, unsigned queue)
{
	return at(card, card_table(card, queue) + 0x800);
}

uint64_t card_buffer(const struct card *card, unsigned queue, unsigned index)
{
	return GUEST_RAM_BASE + BUFFERS + card->device * CARD_BYTES + queue * BUFFER_BYTES +
	       index % CARD_RING * CARD_SLOT;
}

void card_offer(struct card *card, unsigned queue, uint64_t address, uint32_t length,
		uint16_t flags)
{
	unsigned index = card->avail[queue]++ % CARD_RING;
	struct descriptor *table = at(card, card_table(card, queue));

	table[index] = (struct descriptor){address, length, flags, 0};
	avail(card, queue)[2 + index] = (uint16_t)index;
	avail(card, queue)[1] = card->avail[queue];
}

static void give_buffer(struct card *card)
{
	card_offer(card, CARD_RX, card_buffer(card, CARD_RX, card->avail[CARD_RX]), CARD_SLOT,
		   CARD_WRITE);
}

static uint8_t byte(unsigned seed, uint32_t i)
{
	return (uint8_t)(seed * 29 + i * 3 + (i >> 8));
}

void card_send(struct card *card, uint32_t size, unsigned seed)
{
	uint64_t buffer = card_buffer(card, CARD_TX, card->avail[CARD_TX]);
	uint8_t *bytes = at(card, buffer);

	memset(bytes, 0, IO_HEADER);
	for (uint32_t i = 0; i < size; i++) {
		bytes[IO_HEADER + i] = byte(seed, i);
	}
	card_offer(card, CARD_TX, buffer, IO_HEADER + size, 0);
}

void card_kick(const struct card *card, unsigned queue)
{
	card_write(card, card->notify + queue * card->multiplier, 2, queue);
}

unsigned card_back(const struct card *card, unsigned queue)
{
	return (uint16_t)(used(card, queue)[1] - card->seen[queue]);
}

uint32_t card_receive(struct card *card, unsigned seed)
{
	uint32_t element[2];
	const uint8_t *bytes;

	assert_true(card_back(card, CARD_RX) > 0);
	memcpy(element, used(card, CARD_RX) + 2 + 4 * (card->seen[CARD_RX]++ % CARD_RING),
	       sizeof(element));
	assert_in_range(element[0], 0, CARD_RING - 1);
	assert_in_range(element[1], IO_HEADER, CARD_SLOT);
	bytes = at(card, card_buffer(card, CARD_RX, element[0]));
	for (uint32_t i = 0; i < element[1] - IO_HEADER; i++) {
		assert_int_equal(bytes[IO_HEADER + i], byte(seed, i));
	}
	give_buffer(card);
	return element[1] - IO_HEADER;
}

void card_talk(struct card *from, struct card *to, unsigned seed)
{
	static const uint32_t sizes[] = {14, 60, 1514, CARD_SLOT - IO_HEADER};

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		card_send(from, sizes[i], seed + i);
	}
	card_kick(from, CARD_TX);
	assert_int_equal(card_back(from, CARD_TX), ARRAY_SIZE(sizes));
	from->seen[CARD_TX] = from->avail[CARD_TX];
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(card_receive(to, seed + i), sizes[i]);
	}
	assert_int_equal(card_back(to, CARD_RX), 0);
	card_kick(to, CARD_RX);
}

/* --- start --- */

static void set_vectors(const struct card *card, uint64_t doorbell)
{
	for (uint32_t v = 0; v < IO_VECTORS; v++) {
		card_write(card, card->msix + 16 * v, 4, (uint32_t)doorbell);
		card_write(card, card->msix + 16 * v + 4, 4, (uint32_t)(doorbell >> 32));
		card_write(card, card->msix + 16 * v + 8, 4, v);
		card_write(card, card->msix + 16 * v + 12, 4, 0);
	}
	rig_config_write(card->partition, card->device, 0x42, 2, 0x8000);
	assert_int_equal(config(card, 0x42, 2), 0x8000 | (IO_VECTORS - 1));
}

static void set_queue(struct card *card, unsigned queue)
{
	const uint64_t areas[] = {card_table(card, queue), card_table(card, queue) + 0x400,
				  card_table(card, queue) + 0x800};

	memset(at(card, areas[0]), 0, QUEUE_BYTES);
	card->avail[queue] = card->seen[queue] = 0;
	card_write(card, card->common + 0x16, 2, queue);
	card_write(card, card->common + 0x18, 2, CARD_RING);
	card_write(card, card->common + 0x1a, 2, 1 + queue);
	for (unsigned i = 0; i < 3; i++) {
		card_write(card, card->common + 0x20 + 8 * i, 4, (uint32_t)areas[i]);
		card_write(card, card->common + 0x24 + 8 * i, 4, (uint32_t)(areas[i] >> 32));
	}
	card_write(card, card->common + 0x1c, 2, 1);
}

void card_start_with(struct card *card, uint64_t doorbell)
{
	rig_guest_map(card->partition, card->device, IO_VECTORS);
	card_write(card, card->common + 0x14, 1, 0);
	card_write(card, card->common + 0x14, 1, 3);
	for (unsigned half = 0; half < 2; half++) {
		card_write(card, card->common + 0x08, 4, half);
		card_write(card, card->common, 4, half);
		card_write(card, card->common + 0x0c, 4,
			   card_read(card, card->common + 0x04, 4) &
				   (uint32_t)(FEATURES >> 32 * half));
	}
	card_write(card, card->common + 0x14, 1, 0x0b);
	assert_int_equal(card_status(card), 0x0b);
	set_vectors(card, doorbell);
	card_write(card, card->common + 0x10, 2, 0);
	set_queue(card, CARD_RX);
	set_queue(card, CARD_TX);
	for (unsigned i = 0; i < CARD_RING; i++) {
		give_buffer(card);
	}
	card_write(card, card->common + 0x14, 1, CARD_SOUND);
	card_kick(card, CARD_RX);
}

void card_start(struct card *card)
{
	card_start_with(card, CARD_DOORBELL);
}

/* --- interrupts --- */

/* Injected: the core takes the physical LPIs that are signalled to it. */
static void take_physical(void)
{
	for (unsigned core = 0; core < RIG_CORES; core++) {
		for (uint32_t intid; (intid = model_its_acknowledge(core)) != 1023;) {
			hv_host_lpi_taken(rig_hooks.lpi(core, intid));
		}
	}
}

bool card_interrupted(const struct card *card, unsigned vector)
{
	const struct irq_partition *irq = &glue.sides[card->partition.v].irq;
	uint32_t vlpi = RIG_VLPI + 8 * card->device + vector;

	if (!irq->why_injected) {
		bool pending = model_its_signalled(irq->vpes[0].id, vlpi);

		if (pending) {
			rig_guest_event(card->partition, ITS_CLEAR, card->device, vector);
		}
		return pending;
	}
	take_physical();
	for (unsigned slot = 0; slot < HV_LPI_SLOTS; slot++) {
		const struct hv_host_lpi *lpi = hv_host_lpi(card->partition, slot);

		if (lpi->intid == vlpi && lpi->pending) {
			hv_lpi_clear(card->partition, slot);
			return true;
		}
	}
	return false;
}

/* --- the machine --- */

const struct hv_wire_request wires_requests[2] = {
	{"eth0", "asked", false, {{0}, {1}}, {{0x52, 0x54, 0, 0, 0, 1}, {0x52, 0x54, 0, 0, 0, 2}}},
	{"wire", "wire", true, {{2}, {1}}, {{0x52, 0x54, 0, 0, 0, 3}, {0x52, 0x54, 0, 0, 0, 4}}},
};
partition_id_t red, blue, green;
struct card left, right, third, fourth;

void wires_machine(const struct rig_options *options)
{
	struct rig_options wired = options ? *options : (struct rig_options){0};

	rig_build();
	red = hv_host_partition("red", 1, 0);
	blue = hv_host_partition("blue", 2, 1);
	green = hv_host_partition("green", 1, 3);
	hv_host_vf(blue, "eth0", RIG_PF, 2);
	if (!wired.wires) {
		wired.wires = wires_requests;
		wired.wire_count = ARRAY_SIZE(wires_requests);
	}
	hv_host_agains = 0;
	assert_int_equal(rig_start_with(&wired), STATUS_OK);
}

void wires_boot_one(partition_id_t partition)
{
	assert_int_equal(rig_hooks.partition_start(partition), STATUS_OK);
	rig_guest_boot(partition);
}

void wires_halt(partition_id_t partition)
{
	rig_guest_halt(partition);
	rig_hooks.partition_stop(partition);
}

void wires_boot(void)
{
	wires_boot_one(red);
	wires_boot_one(blue);
	wires_boot_one(green);
	card_find(&left, red, 0);
	card_find(&right, blue, 1);
	card_find(&third, green, 0);
	card_find(&fourth, blue, 2);
}

void wires_start_all(const struct rig_options *options)
{
	wires_machine(options);
	wires_boot();
	card_start(&left);
	card_start(&right);
	card_start(&third);
	card_start(&fourth);
}

void wires_report_says(const char *text)
{
	rig_hooks.report();
	if (!models_log_count(text)) {
		fail_msg("no line with '%s'", text);
	}
}
