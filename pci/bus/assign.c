/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives every BAR an address and every bridge its windows, in two passes: from the leaves up, how
 * much each bridge must forward; from the root down, where. Within one window the largest
 * alignment comes first, so nothing is lost between BARs. What does not fit is refused, the largest
 * first. All memory is below 4 GiB: a guest has no other window, and no BAR moves.
 *
 * Each memory BAR gets pages of its own: what stage 2 maps for one function shows no other.
 */
#include "bus.h"

#include "bits.h"

enum lane { LANE_MEMORY, LANE_IO, LANES };

struct span {
	uint64_t base, size;
	unsigned order; /* alignment, as a power of two */
};

struct lane_rules {
	const char *no_room;
	unsigned window_order; /* granularity of a bridge window */
	unsigned bar_order;    /* least alignment of a BAR */
	uint64_t end;	       /* addresses beyond are for no BAR of this lane */
};

static const struct lane_rules rules[LANES] = {
	[LANE_MEMORY] = {"finds no room below 4 GiB", 20, 12, GIB(4)},
	[LANE_IO] = {"finds no I/O space", 12, 2, KIB(64)},
};

/* Part of a window of the host; a CPU reaches it `offset` further. */
struct room {
	uint64_t start, end, offset;
};

struct plan {
	struct pci_bus *bus;
	struct room rooms[LANES];
	struct span spans[PCI_BUS_MAX_FUNCTIONS][LANES]; /* what each bridge forwards */
	uint64_t orders[PCI_BUS_MAX_FUNCTIONS][LANES]; /* bit n: a function has something of 2^n */
	bool passes_io[PCI_BUS_MAX_FUNCTIONS];	       /* a bridge, and all above it */
};

static struct plan plan NOINIT; /* boot core, once; each part is set before it is read */

static unsigned highest(uint64_t bits)
{
	return 63u - (unsigned)__builtin_clzll(bits);
}

static enum lane lane_of(const struct pci_bar *bar)
{
	if (bar->space == PCI_SPACE_NONE) {
		return LANES;
	}
	return bar->space == PCI_SPACE_IO ? LANE_IO : LANE_MEMORY;
}

static unsigned bar_order(const struct pci_bar *bar, enum lane lane)
{
	unsigned order = (unsigned)__builtin_ctzll(bar->size);

	return order > rules[lane].bar_order ? order : rules[lane].bar_order;
}

/* Bytes a BAR takes from its lane; a VF BAR's copies lie side by side, aligned to one (9.2.1.1). */
static uint64_t bar_bytes(const struct pci_function *f, unsigned n, const struct pci_bar *bar)
{
	return bar->space == PCI_SPACE_IO ? bar->size
					  : align_up(bar->size * pci_bar_copies(f, n), PAGE_SIZE);
}

/* --- the host's windows ---------------------------------------------------------------------- */

/* The largest window of that kind, as far as BARs may use it; an empty one when there is none. */
static struct room pick_room(const struct pci_host *host, enum lane lane)
{
	uint64_t least = BIT(rules[lane].window_order); /* address 0 means "no address" to many */
	struct room best = {least, least, 0};

	for (unsigned i = 0; i < host->window_count; i++) {
		const struct pci_window *w = &host->windows[i];
		uint64_t base = w->pci_base > least ? w->pci_base : least;
		uint64_t end = w->pci_base + w->size;

		end = end < rules[lane].end ? end : rules[lane].end;
		if ((w->space == PCI_SPACE_IO) == (lane == LANE_IO) && !w->prefetchable &&
		    w->space != PCI_SPACE_NONE && end > base &&
		    end - base > best.end - best.start) {
			best = (struct room){base, end, w->cpu_base.v - w->pci_base};
		}
	}
	return best;
}

/* --- laying out ------------------------------------------------------------------------------ */

/* Places what function `i` wants of `lane` at alignment `order`; returns the first free address. */
static uint64_t layout_function(unsigned i, enum lane lane, unsigned order, uint64_t at,
				bool commit)
{
	struct pci_function *f = &plan.bus->functions[i];
	struct span *span = &plan.spans[i][lane];

	for (unsigned n = 0; n < PCI_BAR_ROW; n++) {
		struct pci_bar *bar = pci_bar_nth(f, n);

		if (lane_of(bar) != lane || bar_order(bar, lane) != order) {
			continue;
		}
		at = align_up(at, 1ull << order);
		if (commit) {
			bar->pci_address = at;
			bar->cpu_address.v = at + plan.rooms[lane].offset;
		}
		at += bar_bytes(f, n, bar);
	}
	if (span->size && span->order == order) {
		at = align_up(at, 1ull << order);
		span->base = commit ? at : 0;
		at += span->size;
	}
	return at;
}

/*
 * Lays out the bus below `parent` from `base` on; returns its end, and its largest alignment. Only
 * the alignments that occur cost a turn.
 */
static uint64_t layout(uint16_t parent, enum lane lane, uint64_t base, bool commit,
		       unsigned *largest)
{
	const struct pci_bus *bus = plan.bus;
	unsigned first = parent == PCI_BUS_ROOT ? 0 : bus->functions[parent].below, end;
	uint64_t orders = 0;

	for (end = first; end < bus->function_count && bus->functions[end].parent == parent;
	     end++) {
		orders |= plan.orders[end][lane];
	}
	*largest = orders ? highest(orders) : 0;
	for (; orders; orders &= ~BIT(highest(orders))) {
		for (unsigned i = first; i < end; i++) {
			if (plan.orders[i][lane] & BIT(highest(orders))) {
				base = layout_function(i, lane, highest(orders), base, commit);
			}
		}
	}
	return base;
}

/* What function `i` wants of `lane`, all below it included; what is below was asked before. */
static void ask(unsigned i, enum lane lane)
{
	struct pci_function *f = &plan.bus->functions[i];
	struct span *span = &plan.spans[i][lane];
	uint64_t orders = 0;

	for (unsigned n = 0; n < PCI_BAR_ROW; n++) {
		const struct pci_bar *bar = pci_bar_nth(f, n);

		orders |= lane_of(bar) == lane ? BIT(bar_order(bar, lane)) : 0;
	}
	*span = (struct span){0};
	if (f->secondary) {
		unsigned least = rules[lane].window_order;

		span->size =
			align_up(layout((uint16_t)i, lane, 0, false, &span->order), BIT(least));
		span->order = span->order > least ? span->order : least;
		orders |= span->size ? BIT(span->order) : 0;
	}
	plan.orders[i][lane] = orders;
}

/* By how many bytes it is too much for the host's window; 0: it fits. */
static uint64_t excess(enum lane lane)
{
	const struct room *room = &plan.rooms[lane];
	unsigned ignored;

	for (unsigned i = plan.bus->function_count; i-- > 0;) {
		ask(i, lane);
	}
	uint64_t end = layout(PCI_BUS_ROOT, lane, room->start, false, &ignored);

	return end > room->end ? end - room->end : 0;
}

static void commit(enum lane lane)
{
	unsigned ignored;

	layout(PCI_BUS_ROOT, lane, plan.rooms[lane].start, true, &ignored);
	for (unsigned i = 0; i < plan.bus->function_count; i++) {
		if (plan.spans[i][lane].size) {
			layout((uint16_t)i, lane, plan.spans[i][lane].base, true, &ignored);
		}
	}
}

/* --- what does not fit ----------------------------------------------------------------------- */

/*
 * First of all, a BAR that could not even be alone in its lane: this bounds every sum that follows
 * (7680 BARs and VF BARs of at most 4 GiB each).
 */
static void settle(struct pci_function *f, unsigned n)
{
	struct pci_bar *bar = pci_bar_nth(f, n);
	enum lane lane = lane_of(bar);
	bool passed = lane != LANE_IO || f->parent == PCI_BUS_ROOT || plan.passes_io[f->parent];

	if (lane != LANES &&
	    !(bar->size <= rules[lane].end && passed &&
	      bar_bytes(f, n, bar) <= plan.rooms[lane].end - plan.rooms[lane].start)) {
		pci_refuse_bar(f, n, rules[lane].no_room);
	}
}

/* Refuses BARs of `lane`, the largest first, until that many bytes are free. */
static void shed(enum lane lane, uint64_t bytes)
{
	for (unsigned order = 63; order > 0; order--) {
		for (unsigned i = 0; i < plan.bus->function_count * PCI_BAR_ROW && bytes; i++) {
			struct pci_function *f = &plan.bus->functions[i / PCI_BAR_ROW];
			const struct pci_bar *bar = pci_bar_nth(f, i % PCI_BAR_ROW);
			uint64_t size = bar_bytes(f, i % PCI_BAR_ROW, bar);

			if (lane_of(bar) == lane && highest(size) == order) {
				pci_refuse_bar(f, i % PCI_BAR_ROW, rules[lane].no_room);
				bytes -= size < bytes ? size : bytes;
			}
		}
	}
}

/*
 * A quarter of what is too much in each turn: few turns, and yet little goes that would have fitted
 * once the rest was laid out anew. An empty lane fits.
 */
static void fit(enum lane lane)
{
	uint64_t over;

	while ((over = excess(lane)) != 0) {
		shed(lane, over / 4 + 1);
	}
}

/* --- writing it down ------------------------------------------------------------------------- */

/* No more decode than there are BARs for. */
static uint16_t decode_used(const struct pci_function *f)
{
	uint16_t used = 0;

	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		if (f->bars[i].space != PCI_SPACE_NONE) {
			used |= f->bars[i].space == PCI_SPACE_IO ? PCI_COMMAND_IO
								 : PCI_COMMAND_MEMORY;
		}
	}
	return f->decode & used;
}

static void open_function(struct pci_bus *bus, unsigned i)
{
	struct pci_function *f = &bus->functions[i];
	uint16_t command = PCI_COMMAND_INTX_OFF;

	f->decode = decode_used(f);
	pci_write_bars(bus, f);
	if (f->secondary) {
		const struct span *spans = plan.spans[i];

		pci_bridge_set_io(bus, f->rid, spans[LANE_IO].base, spans[LANE_IO].size);
		pci_bridge_set_memory(bus, f->rid, spans[LANE_MEMORY].base,
				      spans[LANE_MEMORY].size);
		/* Mastering passes on what comes from below: DMA and MSIs (PCIe 7.5.1.1.3). */
		command |= PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	} else if (!pci_is_bridge(f)) {
		command |= f->decode;
	}
	pci_config_write16(bus, f->rid, PCI_COMMAND, command);
	f->intx_stoppable = pci_config_read16(bus, f->rid, PCI_COMMAND) & PCI_COMMAND_INTX_OFF;
}

void pci_assign(struct pci_bus *bus)
{
	plan.bus = bus;
	for (unsigned lane = 0; lane < LANES; lane++) {
		plan.rooms[lane] = pick_room(&bus->host, lane);
	}
	for (unsigned i = 0; i < bus->function_count; i++) {
		struct pci_function *f = &bus->functions[i];

		plan.passes_io[i] = pci_is_bridge(f) && pci_bridge_has_io(bus, f->rid) &&
				    (f->parent == PCI_BUS_ROOT || plan.passes_io[f->parent]);
		pci_size_bars(bus, f);
		for (unsigned n = 0; n < PCI_BAR_ROW; n++) {
			settle(f, n);
		}
	}
	for (unsigned lane = 0; lane < LANES; lane++) {
		fit(lane);
		commit(lane);
	}
	for (unsigned i = 0; i < bus->function_count; i++) {
		open_function(bus, i);
	}
}
