/* SPDX-License-Identifier: BSD-2-Clause */
/* F18: GICD_ and GICR_ at every offset and width; and what the registers that exist mean. */
#include "hv_fixture.h"

#include <stdlib.h>
#include <string.h>

#define SGI	 0x10000ull /* second frame of a redistributor */
#define FRAME(v) ((v)*GUEST_GICR_STRIDE)

static struct partition *p;

static int set_up(void **state)
{
	(void)state;
	fixture_partitions(2);
	p = &partitions[0];
	return 0;
}

static uint64_t gicd(uint64_t offset)
{
	return vgic_distributor_read(p, offset, 4);
}

static void gicd_write(uint64_t offset, uint64_t value)
{
	vgic_distributor_write(p, offset, 4, value);
}

/* The trap handler cuts a value to its access's size. */
static uint64_t gicr(uint64_t offset)
{
	return (uint32_t)vgic_redistributor_read(p, offset, 4);
}

static void gicr_write(uint64_t offset, uint64_t value)
{
	vgic_redistributor_write(p, offset, 4, value);
}

static bool in(uint64_t offset, uint64_t base, uint64_t size)
{
	return offset >= base && offset < base + size;
}

/* What may read other than 0, once everything was written with ones. */
static bool distributor_has(uint64_t at)
{
	static const uint16_t bitmaps[] = {0x080, 0x100, 0x180, 0x200, 0x280};

	for (unsigned i = 0; i < ARRAY_SIZE(bitmaps); i++) {
		if (in(at, bitmaps[i] + 4, 4 * VGIC_SPI_BANKS)) {
			return true;
		}
	}
	return in(at, 0, 12) || in(at, 0xffe8, 4) || in(at, 0x420, 32 * VGIC_SPI_BANKS) ||
	       in(at, 0xc08, 8 * VGIC_SPI_BANKS) || in(at, 0x6100, 8 * 32 * VGIC_SPI_BANKS);
}

static void assert_sane(void)
{
	assert_false(p->gic.control & ~3u);
	for (unsigned b = 0; b < VGIC_SPI_BANKS; b++) {
		const struct vgic_bank *bank = &p->gic.spis[b];

		assert_int_equal(bank->line | bank->queued | bank->active | bank->held, 0);
		for (unsigned i = 0; i < 32; i++) {
			assert_true(bank->target[i] < p->config->vcpus);
			assert_int_equal(bank->priority[i] & 7, 0);
		}
	}
}

static void every_distributor_register(void **state)
{
	(void)state;
	srand(1);
	for (unsigned round = 0; round < 4; round++) {
		for (uint64_t at = 0; at < GUEST_GICD_SIZE; at++) {
			for (unsigned size = 1; size <= 8; size *= 2) {
				uint64_t value = round == 3 ? 0 : ~0ull;

				if (round == 1) {
					value = ((uint64_t)rand() << 32) ^ (uint64_t)rand();
				}
				if (is_aligned(at, size)) {
					vgic_distributor_write(p, at, size, value);
					(void)vgic_distributor_read(p, at, size);
				}
			}
		}
		assert_sane();
		if (round != 0) {
			continue;
		}
		for (uint64_t at = 0; at < GUEST_GICD_SIZE; at += 4) {
			if (!distributor_has(at)) {
				assert_int_equal(gicd(at), 0);
			}
		}
	}
}

static bool redistributor_has(uint64_t at)
{
	static const uint64_t bitmaps[] = {0x080, 0x100, 0x180, 0x200, 0x280};

	for (unsigned i = 0; i < ARRAY_SIZE(bitmaps); i++) {
		if (at == SGI + bitmaps[i]) {
			return true;
		}
	}
	return in(at, 0, 0x18) || in(at, 0x70, 16) || at == 0xffe8 || in(at, SGI + 0x400, 32) ||
	       in(at, SGI + 0xc00, 8);
}

static void every_redistributor_register(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < FRAME(2); at++) {
		for (unsigned size = 1; size <= 8; size *= 2) {
			if (is_aligned(at, size)) {
				vgic_redistributor_write(p, at, size, ~0ull);
				(void)vgic_redistributor_read(p, at, size);
			}
		}
	}
	for (uint64_t at = 0; at < FRAME(2); at += 4) {
		if (!redistributor_has(at % GUEST_GICR_STRIDE)) {
			assert_int_equal(gicr(at), 0);
		}
	}
	for (unsigned v = 0; v < 2; v++) {
		const struct vgic_cpu *cpu = &p->vcpus[v].gic;

		assert_int_equal(cpu->private.line | cpu->private.queued | cpu->private.active, 0);
		assert_int_equal(cpu->used, 0);
		assert_int_equal(cpu->private.held, 1u << 27 | 1u << 30);
	}
	assert_sane();
	/* The neighbour's is as it was. */
	assert_int_equal(partitions[1].gic.control | partitions[1].gic.spis[0].enabled, 0);
	assert_int_equal(partitions[1].vcpus[0].gic.private.enabled, 0);
}

static void distributor_says_what_it_is(void **state)
{
	(void)state;
	assert_int_equal(gicd(0xffe8) >> 4 & 15, 3);
	assert_int_equal(gicd(4) & 31, VGIC_BANKS - 1);
	assert_int_equal(gicd(4) >> 17 & 1, 1);
	assert_int_equal(gicd(4) >> 19 & 31, 13);
	assert_int_equal(gicd(0), 0x50); /* ARE, DS */
	gicd_write(0, ~0u);
	assert_int_equal(gicd(0), 0x53);
	gicd_write(0, 0);
	assert_int_equal(gicd(0), 0x50);
	p->gic.has_lpis = false;
	assert_int_equal(gicd(4) >> 17 & 1, 0);
}

static void spi_bits(void **state)
{
	(void)state;
	for (unsigned bank = 1; bank < VGIC_BANKS; bank++) {
		uint64_t b = 4 * bank;
		const struct vgic_bank *spis = &p->gic.spis[bank - 1];

		gicd_write(0x080 + b, 0xf0f0f0f0);
		assert_int_equal(gicd(0x080 + b), 0xf0f0f0f0);
		gicd_write(0x100 + b, 0x00ff00ff);
		gicd_write(0x180 + b, 0x000000ff);
		assert_int_equal(gicd(0x100 + b), 0x00ff0000);
		assert_int_equal(gicd(0x180 + b), 0x00ff0000);
		gicd_write(0x200 + b, 0x11111111);
		gicd_write(0x280 + b, 0x01010101);
		assert_int_equal(gicd(0x200 + b), 0x10101010);
		assert_int_equal(spis->pending, 0x10101010);
		gicd_write(0x300 + b, ~0u); /* active state is the list registers' */
		assert_int_equal(gicd(0x300 + b), 0);
		gicd_write(0xd00 + b, ~0u);
		assert_int_equal(gicd(0xd00 + b), 0);
		gicd_write(0xc00 + 8 * bank, 0xaaaaaaaa);
		assert_int_equal(gicd(0xc00 + 8 * bank), 0xaaaaaaaa);
		assert_int_equal(gicd(0xc04 + 8 * bank), 0);
		assert_int_equal(spis->level, 0xffff0000);
		vgic_distributor_write(p, 0x400 + 32 * bank + 5, 1, 0xab);
		assert_int_equal(gicd(0x404 + 32 * bank), 0xa800);
		assert_int_equal(spis->priority[5], 0xa8);
	}
	/* The first 32 are the redistributors': RAZ/WI here. */
	for (uint64_t at = 0x80; at < 0x400; at += 0x80) {
		gicd_write(at, ~0u);
		assert_int_equal(gicd(at), 0);
	}
	gicd_write(0x400, ~0u);
	assert_int_equal(gicd(0x400), 0);
	assert_int_equal(p->vcpus[0].gic.private.enabled | p->vcpus[0].gic.private.pending, 0);
}

/* A level input is pending while it is high, whatever is written to ICPENDR. */
static void level_input(void **state)
{
	(void)state;
	p->gic.spis[0].line = 2;
	assert_int_equal(gicd(0x204), 2);
	gicd_write(0x284, ~0u);
	assert_int_equal(gicd(0x204), 2);
	gicd_write(0xc08, 8); /* an edge now */
	assert_int_equal(gicd(0x204), 0);
}

/* The blocks themselves trust nobody: also what a trap handler would have refused stays inside. */
static void bank_edges(void **state)
{
	struct vgic_bank bank;

	(void)state;
	for (uint64_t offset = 0; offset < 0x1100; offset++) {
		for (unsigned size = 1; size <= 8; size++) {
			memset(&bank, 0, sizeof(bank));
			(void)vgic_bank_write(&bank, offset, size, ~0ull);
			(void)vgic_bank_read(&bank, offset, size);
			assert_int_equal(bank.line | bank.queued | bank.active | bank.held, 0);
			for (unsigned i = 0; i < 32; i++) {
				assert_int_equal(bank.target[i], 0);
			}
		}
	}
}

static void routers(void **state)
{
	const uint64_t spi33 = 0x6000 + 8 * 33;

	(void)state;
	vgic_distributor_write(p, spi33, 8, 1);
	assert_int_equal(vgic_distributor_read(p, spi33, 8), 1);
	assert_int_equal(gicd(spi33), 1);
	assert_int_equal(gicd(spi33 + 4), 0);
	for (unsigned shift = 1; shift < 40; shift++) {
		uint64_t wrong = 1ull << shift;

		vgic_distributor_write(p, spi33, 8, wrong);
		/* IRM and reserved bits are ignored; an affinity nobody has is. */
		assert_true(vgic_distributor_read(p, spi33, 8) < 2);
	}
	gicd_write(spi33 + 4, ~0u); /* Aff3 alone */
	assert_true(gicd(spi33) < 2);
	assert_int_equal(vgic_distributor_read(p, 0x6000, 8), 0); /* no router for SGIs */
	assert_int_equal(vgic_distributor_read(p, 0x6000 + 8 * VGIC_INTIDS, 8), 0);
}

static void redistributors(void **state)
{
	(void)state;
	for (uint64_t v = 0; v < 2; v++) {
		uint64_t typer = vgic_redistributor_read(p, FRAME(v) + 8, 8);

		assert_int_equal(typer >> 32, v);
		assert_int_equal(typer >> 8 & 0xffff, v);
		assert_int_equal(typer >> 4 & 1, v == 1);
		assert_int_equal(typer & 1, 1);
		assert_int_equal(gicr(FRAME(v) + 8), typer & 0xffffffff);
		assert_int_equal(gicr(FRAME(v) + 12), v);
		assert_int_equal(gicr(FRAME(v) + 0x14), 6);
		gicr_write(FRAME(v) + 0x14, 0);
		assert_int_equal(gicr(FRAME(v) + 0x14), 0);
	}
	gicr_write(FRAME(1) + SGI + 0x100, 0x8000ffff);
	assert_int_equal(gicr(FRAME(1) + SGI + 0x100), 0x8000ffff);
	assert_int_equal(gicr(FRAME(0) + SGI + 0x100), 0);
	gicr_write(SGI + 0xc00, 0); /* SGIs are edges, PPIs levels, whatever is written */
	gicr_write(SGI + 0xc04, ~0u);
	assert_int_equal(gicr(SGI + 0xc00), 0xaaaaaaaa);
	assert_int_equal(gicr(SGI + 0xc04), 0);
	assert_int_equal(p->vcpus[0].gic.private.level, 0xffff0000);
	/* A timer's pending state is its physical interrupt's. */
	p->vcpus[0].gic.private.pending = 1u << 27 | 1;
	gicr_write(SGI + 0x280, ~0u);
	assert_int_equal(p->vcpus[0].gic.private.pending, 1u << 27);
}

static void lpis(void **state)
{
	(void)state;
	vgic_redistributor_write(p, FRAME(1) + 0x70, 8, 0x1234);
	vgic_redistributor_write(p, FRAME(1) + 0x78, 8, 0x5678);
	assert_int_equal(fixture.lpi[1][0], 0x1234);
	assert_int_equal(fixture.lpi[1][1], 0x5678);
	assert_int_equal(vgic_redistributor_read(p, FRAME(1) + 0x78, 8), 0x5678);
	gicr_write(FRAME(0), 1);
	assert_int_equal(gicr(FRAME(0)), 1);
	assert_int_equal(gicr(FRAME(1)), 0);
	unsigned calls = fixture.lpi_calls;

	gicr_write(FRAME(0), 1); /* the same again is no change */
	assert_int_equal(fixture.lpi_calls, calls);
	p->gic.has_lpis = false;
	gicr_write(FRAME(1), 1);
	vgic_redistributor_write(p, FRAME(1) + 0x70, 8, 1);
	assert_int_equal(vgic_redistributor_read(p, FRAME(1) + 0x70, 8), 0);
	assert_int_equal(gicr(FRAME(1)), 0);
	assert_int_equal(gicr(FRAME(1) + 8) & 1, 0);
	assert_int_equal(fixture.lpi_calls, calls);
}

/* Whoever writes, all of the partition's vCPUs look; only those that run are interrupted. */
static void kicks(void **state)
{
	(void)state;
	p->vcpus[0].state = p->vcpus[1].state = VCPU_RUNNING;
	partitions[1].vcpus[0].state = VCPU_RUNNING;
	memset(fixture.kicks, 0, sizeof(fixture.kicks));
	gicd_write(0x104, 1);
	assert_true(p->vcpus[0].alert && p->vcpus[1].alert);
	assert_int_equal(fixture.kicks[0], 0);
	assert_int_equal(fixture.kicks[1], 1);
	assert_int_equal(fixture.kicks[2], 0);
	assert_false(partitions[1].vcpus[0].alert);
	p->vcpus[1].state = VCPU_OFF;
	gicd_write(0x104, 1);
	assert_int_equal(fixture.kicks[1], 1);
}

static void reset(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < GUEST_GICD_SIZE; at += 4) {
		gicd_write(at, ~0u);
	}
	for (uint64_t at = 0; at < FRAME(2); at += 4) {
		gicr_write(at, ~0u);
	}
	vgic_reset(p);
	assert_int_equal(p->gic.control, 0);
	assert_true(p->gic.has_lpis);
	for (unsigned b = 0; b < VGIC_SPI_BANKS; b++) {
		const struct vgic_bank *bank = &p->gic.spis[b];

		assert_int_equal(bank->enabled | bank->pending | bank->group1, 0);
		assert_int_equal(bank->level, ~0u);
	}
	assert_int_equal(p->vcpus[1].gic.private.enabled, 0);
	assert_false(p->vcpus[1].gic.lpis_enabled);
	assert_true(p->vcpus[1].gic.asleep);
	assert_int_equal(p->gic.lock.next, p->gic.lock.serving);
}

#define T(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_distributor_register),
		T(every_redistributor_register),
		T(distributor_says_what_it_is),
		T(spi_bits),
		T(level_input),
		T(bank_edges),
		T(routers),
		T(redistributors),
		T(lpis),
		T(kicks),
		T(reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
