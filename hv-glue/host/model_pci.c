/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_pci.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"

#define FUNCTIONS      1024
#define VFS_MADE       64 /* of one PF; TotalVFs may claim more */
#define MS	       1000000ull
#define ALL_ONES       (~0ull)

#define BRIDGE_CONTROL 0x3e
#define BUS_RESET      0x40

#define COMMAND	       0x04
#define IO	       0x1
#define MEMORY	       0x2
#define MASTER	       0x4
#define BUSES	       0x18
#define VFE	       0x1
#define MSE	       0x8
#define ARI	       0x10
#define FLR	       0x8000
#define PENDING	       0x20

struct model_pci {
	uint8_t first, last;
	bool sealed;
	struct model_pci_function *functions[FUNCTIONS], *vfs[FUNCTIONS * 4];
	unsigned count, vf_count;
	unsigned violations;
	char violation[160];
	struct model_pci_write writes[MODEL_PCI_WRITES];
	unsigned write_count;
};

__attribute__((format(printf, 2, 3))) static void violate(const struct model_pci_function *f,
							  const char *format, ...)
{
	struct model_pci *m = f->model;
	va_list arguments;

	if (m->violations++ == 0) {
		char text[100];

		va_start(arguments, format);
		vsnprintf(text, sizeof(text), format, arguments);
		va_end(arguments);
		snprintf(m->violation, sizeof(m->violation), "%04x: %s", model_pci_rid(f), text);
	}
}

/* --- registers ------------------------------------------------------------------------------- */

static uint32_t get(const uint8_t *row, unsigned offset, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++) {
		value |= (uint32_t)row[offset + i] << (8 * i);
	}
	return value;
}

static void put(uint8_t *row, unsigned offset, unsigned bytes, uint32_t value)
{
	for (unsigned i = 0; i < bytes; i++) {
		row[offset + i] = (uint8_t)(value >> (8 * i));
	}
}

uint32_t model_pci_peek(const struct model_pci_function *f, uint16_t offset, unsigned bytes)
{
	return get(f->config, offset, bytes);
}

void model_pci_poke(struct model_pci_function *f, uint16_t offset, unsigned bytes, uint32_t value)
{
	put(f->config, offset, bytes, value);
	put(f->at_reset, offset, bytes, value);
}

static uint16_t command_of(const struct model_pci_function *f)
{
	return (uint16_t)get(f->config, COMMAND, 2);
}

static uint16_t sriov_get(const struct model_pci_function *pf, unsigned offset)
{
	return (uint16_t)get(pf->config, pf->sriov + offset, 2);
}

/* --- building a tree ------------------------------------------------------------------------- */

static struct model_pci_function *new_function(struct model_pci *m,
					       struct model_pci_function *parent, uint8_t devfn)
{
	struct model_pci_function *f = calloc(1, sizeof(*f));

	if (!f) {
		abort();
	}
	f->model = m;
	f->parent = parent;
	f->devfn = devfn;
	return f;
}

static struct model_pci_function *add(struct model_pci *m, struct model_pci_function *parent,
				      uint8_t devfn, uint16_t vendor, uint16_t device)
{
	struct model_pci_function *f = new_function(m, parent, devfn);

	if (m->count == FUNCTIONS) {
		abort();
	}
	m->functions[m->count++] = f;
	put(f->config, 0, 2, vendor);
	put(f->config, 2, 2, device);
	put(f->writable, COMMAND, 2, 0x0547);
	put(f->clear_on_one, 0x06, 2, 0xf900);
	put(f->writable, 0x0c, 1, 0xff);
	put(f->writable, 0x3c, 1, 0xff);
	for (unsigned i = 0; i < m->count - 1; i++) {
		struct model_pci_function *other = m->functions[i];

		/* Two functions of one device: function 0 says so. */
		if (other->parent == parent && (other->devfn ^ devfn) < 8) {
			other->config[0x0e] |= other->devfn % 8 ? 0 : 0x80;
			f->config[0x0e] |= devfn % 8 ? 0 : 0x80;
		}
	}
	return f;
}

struct model_pci_function *model_pci_endpoint(struct model_pci *m,
					      struct model_pci_function *parent, uint8_t devfn,
					      uint16_t vendor, uint16_t device)
{
	struct model_pci_function *f = add(m, parent, devfn, vendor, device);

	put(f->config, 0x08, 4, 0x02000001);
	put(f->config, 0x2c, 4, 0x00011af4);
	put(f->writable, 0x30, 4, 0xfffff801);
	return f;
}

struct model_pci_function *model_pci_bridge(struct model_pci *m, struct model_pci_function *parent,
					    uint8_t devfn, enum model_pci_port port)
{
	struct model_pci_function *f = add(m, parent, devfn, 0x1b36, 0x000c);

	f->is_bridge = true;
	f->config[0x0e] |= 1;
	put(f->config, 0x08, 4, 0x06040000);
	put(f->writable, BUSES, 4, 0x00ffffff);
	put(f->writable, 0x1c, 2, 0xf0f0);
	put(f->clear_on_one, 0x1e, 2, 0xf900);
	put(f->writable, 0x20, 4, 0xfff0fff0);
	put(f->config, 0x24, 4, 0x00010001);
	put(f->writable, 0x24, 4, 0xfff0fff0);
	put(f->writable, 0x28, 4, ~0u);
	put(f->writable, 0x2c, 4, ~0u);
	put(f->writable, 0x38, 4, 0xfffff801);
	put(f->writable, 0x3e, 2, 0x0fff);
	if (port != MODEL_PCI_CONVENTIONAL) {
		model_pci_express(f, 0x54, (uint8_t)port, false);
		put(f->config, f->express + 0x24, 4, 0x20); /* ARI Forwarding Supported */
		put(f->writable, f->express + 0x28, 2, 0x20);
	}
	return f;
}

struct model_pci_function *model_pci_expander(struct model_pci *m, uint8_t devfn, uint8_t number)
{
	struct model_pci_function *f = model_pci_endpoint(m, NULL, devfn, 0x1b36, 0x000b);

	put(f->config, 0x08, 4, 0x06000000);
	f->expander = number;
	return f;
}

static void make_bar(struct model_pci_function *f, struct model_pci_bar *bars, unsigned at,
		     unsigned index, uint32_t type, uint64_t size)
{
	uint64_t mask = ~(size - 1) & ~(type & 1 ? 3ull : 15ull);

	bars[index] = (struct model_pci_bar){true, type, size};
	put(f->config, at + 4 * index, 4, type);
	put(f->writable, at + 4 * index, 4, (uint32_t)mask);
	if (type & MODEL_PCI_MEM64) {
		put(f->writable, at + 4 * index + 4, 4, (uint32_t)(mask >> 32));
	}
}

void model_pci_bar(struct model_pci_function *f, unsigned index, uint32_t type, uint64_t size)
{
	make_bar(f, f->bars, 0x10, index, type, size);
}

void model_pci_vf_bar(struct model_pci_function *pf, unsigned index, uint32_t type, uint64_t size)
{
	make_bar(pf, pf->vf_bars, pf->sriov + 0x24u, index, type, size);
}

void model_pci_capability(struct model_pci_function *f, uint8_t id, uint8_t offset)
{
	f->config[0x06] |= 0x10;
	f->config[f->last_capability ? f->last_capability + 1u : 0x34] = offset;
	f->config[offset] = id;
	f->last_capability = offset;
}

void model_pci_extended(struct model_pci_function *f, uint16_t id, uint16_t offset)
{
	if (f->last_extended) {
		uint32_t last = get(f->config, f->last_extended, 4);

		put(f->config, f->last_extended, 4, (last & 0xfffff) | (uint32_t)offset << 20);
	} else if (offset != 0x100) {
		put(f->config, 0x100, 4,
		    0x10000u | (uint32_t)offset << 20); /* the null capability */
	}
	put(f->config, offset, 4, 0x10000u | id);
	f->last_extended = offset;
}

void model_pci_express(struct model_pci_function *f, uint8_t offset, uint8_t type, bool flr)
{
	model_pci_capability(f, 0x10, offset);
	f->express = offset;
	put(f->config, offset + 2u, 2, 2u | (uint32_t)type << 4);
	put(f->config, offset + 4u, 4, flr ? 0x10000000 : 0);
	put(f->writable, offset + 8u, 2, 0x7fff);
	put(f->writable, offset + 0x10u, 2, 0x01cb);
	put(f->clear_on_one, offset + 0xau, 2, 0xf);
}

void model_pci_msix(struct model_pci_function *f, uint8_t offset, uint16_t vectors, uint8_t bar,
		    uint32_t table)
{
	model_pci_capability(f, 0x11, offset);
	put(f->config, offset + 2u, 2, vectors - 1u);
	put(f->writable, offset + 2u, 2, 0xc000);
	put(f->config, offset + 4u, 4, table | bar);
	put(f->config, offset + 8u, 4, (table + 0x2000) | bar);
}

void model_pci_acs(struct model_pci_function *port, uint16_t offset, uint16_t able)
{
	model_pci_extended(port, 0x000d, offset);
	put(port->config, offset + 4u, 2, able);
	put(port->writable, offset + 6u, 2, able);
}

void model_pci_ari(struct model_pci_function *f, uint16_t offset, uint8_t next_function)
{
	model_pci_extended(f, 0x000e, offset);
	f->config[offset + 5u] = next_function;
}

static void make_vf(struct model_pci_function *pf, unsigned index)
{
	struct model_pci *m = pf->model;
	struct model_pci_function *vf = new_function(m, pf->parent, 0);

	if (m->vf_count == FUNCTIONS * 4) {
		abort();
	}
	m->vfs[m->vf_count++] = vf;
	vf->pf = pf;
	vf->vf_index = index;
	put(vf->config, 0, 4, ~0u);	       /* 9.3.4.1.1: the ids are the PF's to tell */
	put(vf->writable, COMMAND, 2, MASTER); /* decode is hardwired to 0 */
	if (!(pf->sriov_rules.blank_vfs >> (index & 31) & 1)) {
		model_pci_msix(vf, 0x70, pf->sriov_rules.vf_vectors, 3, 0);
		model_pci_express(vf, 0xa0, 0, true);
		model_pci_ari(vf, 0x150, 0);
	}
}

void model_pci_sriov(struct model_pci_function *pf, uint16_t offset,
		     const struct model_pci_sriov *rules)
{
	model_pci_extended(pf, 0x0010, offset);
	pf->sriov = offset;
	pf->sriov_rules = *rules;
	put(pf->writable, offset + 0x08u, 2, VFE | MSE | ARI);
	put(pf->config, offset + 0x0cu, 2, rules->initial);
	put(pf->config, offset + 0x0eu, 2, rules->total);
	put(pf->writable, offset + 0x10u, 2, 0xffff);
	put(pf->config, offset + 0x1au, 2, rules->vf_device);
	put(pf->config, offset + 0x1cu, 4, rules->page_sizes);
	put(pf->config, offset + 0x20u, 4, 0x10); /* 64 KiB: whoever forgets it gets larger BARs */
	put(pf->writable, offset + 0x20u, 4, ~0u);
	for (unsigned i = 0; i < rules->total && i < VFS_MADE; i++) {
		make_vf(pf, i);
	}
}

struct model_pci_function *model_pci_igb(struct model_pci *m, struct model_pci_function *parent,
					 uint8_t devfn)
{
	static const struct model_pci_sriov rules = {.total = 8,
						     .initial = 8,
						     .vf_device = 0x10ca,
						     .vf_vectors = 3,
						     .page_sizes = 0x553};
	struct model_pci_function *f = model_pci_endpoint(m, parent, devfn, 0x8086, 0x10c9);

	model_pci_bar(f, 0, MODEL_PCI_MEM32, 0x20000);
	model_pci_bar(f, 1, MODEL_PCI_MEM32, 0x20000);
	model_pci_bar(f, 2, MODEL_PCI_SPACE_IO, 0x20);
	model_pci_bar(f, 3, MODEL_PCI_MEM32, 0x4000);
	model_pci_msix(f, 0x70, 10, 3, 0);
	model_pci_express(f, 0xa0, 0, true);
	model_pci_extended(f, 0x0001, 0x100);
	model_pci_ari(f, 0x150, 0);
	model_pci_sriov(f, 0x160, &rules);
	model_pci_vf_bar(f, 0, MODEL_PCI_MEM64 | MODEL_PCI_PREFETCH, 0x4000);
	model_pci_vf_bar(f, 3, MODEL_PCI_MEM64 | MODEL_PCI_PREFETCH, 0x4000);
	return f;
}

/* A VF BAR is never smaller than the System Page Size (9.2.1.1.1). */
static void resize_vf_bars(struct model_pci_function *pf)
{
	uint64_t page = (uint64_t)get(pf->config, pf->sriov + 0x20u, 4) * 4096;

	for (unsigned i = 0; i < MODEL_PCI_BARS; i++) {
		const struct model_pci_bar *bar = &pf->vf_bars[i];
		uint64_t mask = ~((bar->size > page ? bar->size : page) - 1) & ~15ull;

		if (bar->present) {
			put(pf->writable, pf->sriov + 0x24u + 4 * i, 4, (uint32_t)mask);
		}
	}
}

void model_pci_seal(struct model_pci *m)
{
	for (unsigned i = 0; !m->sealed && i < m->count; i++) {
		memcpy(m->functions[i]->at_reset, m->functions[i]->config, 4096);
		if (m->functions[i]->sriov) {
			resize_vf_bars(m->functions[i]);
		}
	}
	for (unsigned i = 0; !m->sealed && i < m->vf_count; i++) {
		memcpy(m->vfs[i]->at_reset, m->vfs[i]->config, 4096);
	}
	m->sealed = true;
}

/* --- who is addressed ------------------------------------------------------------------------ */

static bool covers(const struct model_pci_function *bridge, unsigned number)
{
	return number && number >= bridge->config[BUSES + 1] &&
	       number <= bridge->config[BUSES + 2] && bridge->config[BUSES + 1];
}

static unsigned bus_below(const struct model_pci *m, const struct model_pci_function *bridge)
{
	if (bridge && bridge->expander) {
		return bridge->expander;
	}
	return bridge ? bridge->config[BUSES + 1] : m->first;
}

static void geometry(const struct model_pci_function *pf, uint16_t *offset, uint16_t *stride)
{
	uint16_t n = sriov_get(pf, 0x10);

	*offset = 0x80;
	*stride = 2;
	if (pf->sriov_rules.geometry) {
		pf->sriov_rules.geometry(n, sriov_get(pf, 0x08) & ARI, offset, stride);
	}
	if (n == 0) {
		*offset = *stride = 0xbad; /* undefined (9.3.3.9) */
	}
}

uint16_t model_pci_rid(const struct model_pci_function *f)
{
	uint16_t offset;
	uint16_t stride;

	if (!f->pf) {
		return (uint16_t)(bus_below(f->model, f->parent) << 8 | f->devfn);
	}
	geometry(f->pf, &offset, &stride);
	return (uint16_t)(model_pci_rid(f->pf) + offset + f->vf_index * stride);
}

uint16_t model_pci_requester(const struct model_pci_function *f)
{
	uint16_t requester = model_pci_rid(f);

	for (f = f->parent; f; f = f->parent) {
		unsigned type = f->express ? f->config[f->express + 2u] >> 4 : 0;

		if (f->is_bridge && type == MODEL_PCI_TO_PCI) {
			requester = (uint16_t)(bus_below(f->model, f) << 8);
		} else if (f->is_bridge && !f->express) {
			requester = model_pci_rid(f);
		}
	}
	return requester;
}

static bool vf_exists(const struct model_pci_function *vf)
{
	const struct model_pci_function *pf = vf->pf;

	return (sriov_get(pf, 0x08) & VFE) && vf->vf_index < sriov_get(pf, 0x10) &&
	       !(pf->sriov_rules.absent_vfs >> (vf->vf_index & 31) & 1);
}

/* An expander's own bus, and what the bridges there cover. */
static bool expands(const struct model_pci *m, const struct model_pci_function *expander,
		    unsigned number)
{
	bool found = number == expander->expander;

	for (unsigned i = 0; i < m->count; i++) {
		const struct model_pci_function *f = m->functions[i];

		found |= f->parent == expander && f->is_bridge && covers(f, number);
	}
	return found;
}

/* The bridge whose child that routes to `number`, or NULL; two of them are a violation. */
static struct model_pci_function *route(struct model_pci *m, struct model_pci_function *above,
					unsigned number)
{
	struct model_pci_function *found = NULL;

	for (unsigned i = 0; i < m->count; i++) {
		struct model_pci_function *f = m->functions[i];

		if (f->parent == above && ((f->is_bridge && covers(f, number)) ||
					   (f->expander && expands(m, f, number)))) {
			if (found) {
				violate(f, "two bridges claim bus %02x", number);
			}
			found = f;
		}
	}
	return found;
}

static bool passes_device(const struct model_pci_function *bridge, unsigned devfn)
{
	unsigned type = bridge && bridge->express ? bridge->config[bridge->express + 2u] >> 4 : 0;

	return (type != MODEL_PCI_ROOT_PORT && type != MODEL_PCI_DOWNSTREAM) || devfn < 8 ||
	       (bridge->config[bridge->express + 0x28u] & 0x20);
}

static struct model_pci_function *target(struct model_pci *m, uint16_t rid)
{
	struct model_pci_function *above = NULL;
	unsigned number = rid >> 8;

	for (unsigned hops = 0; number != bus_below(m, above) && hops < 256; hops++) {
		struct model_pci_function *next = route(m, above, number);

		if (!next) {
			break;
		}
		above = next;
	}
	for (unsigned i = 0; i < m->count && number == bus_below(m, above); i++) {
		struct model_pci_function *f = m->functions[i];

		if (f->parent == above && f->ghosts && (f->devfn & 7) == (rid & 7)) {
			return f;
		}
	}
	if (number == bus_below(m, above) && !passes_device(above, rid & 0xff)) {
		return NULL;
	}
	for (unsigned i = 0; i < m->count; i++) {
		if (m->functions[i]->parent == above && model_pci_rid(m->functions[i]) == rid) {
			return m->functions[i];
		}
	}
	for (unsigned i = 0; i < m->vf_count; i++) {
		if (m->vfs[i]->parent == above && vf_exists(m->vfs[i]) &&
		    model_pci_rid(m->vfs[i]) == rid) {
			return m->vfs[i];
		}
	}
	return NULL;
}

static bool held_in_reset(const struct model_pci_function *f)
{
	for (f = f->parent; f; f = f->parent) {
		if (f->is_bridge && (f->config[BRIDGE_CONTROL] & BUS_RESET)) {
			return true;
		}
	}
	return false;
}

/* Does it answer now? To ask too early is a violation. */
static bool answers(struct model_pci_function *f, unsigned offset)
{
	uint64_t now = models_time();

	if (f->gone || (f->pf && f->pf->gone) || held_in_reset(f)) {
		return false;
	}
	if (f->pf && now < f->pf->vfs_from) {
		if (now + f->pf->sriov_rules.settle_ns < f->pf->vfs_from + 100 * MS) {
			violate(f, "VF accessed less than 100 ms after VFE");
		}
		return false;
	}
	if (now < f->resetting_until) {
		if (now + f->slow_reset_ns < f->resetting_until + 100 * MS) {
			violate(f, "accessed less than 100 ms after FLR");
		}
		return false;
	}
	if (f->sriov && offset >= f->sriov && offset < f->sriov + 0x40u &&
	    now < f->sriov_closed_until) {
		violate(f, "SR-IOV capability accessed less than 1 s after VFE was cleared");
	}
	return true;
}

/* --- reads and writes ------------------------------------------------------------------------ */

static uint64_t model_read(void *context, uint64_t offset, unsigned bytes)
{
	struct model_pci *m = context;
	uint16_t rid = (uint16_t)((offset >> 12) + (m->first << 8));
	unsigned at = offset & 0xfff;
	struct model_pci_function *f;

	model_pci_seal(m);
	f = target(m, rid);
	if (!f || bytes > 4 || at % bytes || !answers(f, at) || (!f->express && at >= 0x100)) {
		return ALL_ONES >> (64 - 8 * bytes);
	}
	if (f->sriov) {
		uint16_t vf_offset;
		uint16_t stride;

		geometry(f, &vf_offset, &stride);
		put(f->config, f->sriov + 0x14u, 2, vf_offset);
		put(f->config, f->sriov + 0x16u, 2, stride);
	}
	if (f->express) {
		f->config[f->express + 0xau] &= (uint8_t)~PENDING;
		f->config[f->express + 0xau] |= models_time() < f->pending_until ? PENDING : 0;
	}
	return get(f->config, at, bytes);
}

static void reset_function(struct model_pci_function *f)
{
	struct model_pci *m = f->model;

	if (command_of(f) & MASTER) {
		violate(f, "FLR with bus mastering on");
	}
	f->resets++;
	if (f->ignores_reset) {
		return;
	}
	for (unsigned i = 0; i < m->vf_count; i++) {
		if (m->vfs[i]->pf == f) {
			memcpy(m->vfs[i]->config, m->vfs[i]->at_reset, 4096);
		}
	}
	memcpy(f->config, f->at_reset, 4096);
	if (f->sriov) {
		resize_vf_bars(f);
	}
	f->gone = f->dies_on_reset;
	f->resetting_until = models_time() + (f->slow_reset_ns ? f->slow_reset_ns : 100 * MS);
}

/* Bridge Control's reset bit: all below loses its state, and may be asked 100 ms after it is off.
 */
static void reset_bus(struct model_pci_function *bridge, bool on)
{
	struct model_pci *m = bridge->model;

	if (!on && models_time() < bridge->bus_reset_from + MS) {
		violate(bridge, "bus reset held for less than 1 ms");
	}
	bridge->bus_reset_from = models_time();
	for (unsigned i = 0; i < m->count; i++) {
		struct model_pci_function *f = m->functions[i];

		if (f->parent != bridge) {
			continue;
		}
		if (on && (command_of(f) & MASTER)) {
			violate(f, "bus reset with bus mastering on");
		}
		f->bus_resets += on;
		if (!f->ignores_reset) {
			memcpy(f->config, f->at_reset, 4096);
		}
		if (f->sriov) {
			resize_vf_bars(f);
		}
		f->gone |= f->dies_on_reset;
		f->resetting_until =
			models_time() + (f->slow_reset_ns ? f->slow_reset_ns : 100 * MS);
		if (f->is_bridge) {
			reset_bus(f, on);
		}
	}
}

/* SR-IOV registers: what may not change while VFE is set does not (9.3.3.3.1, 9.3.3.7, 9.3.3.13).
 */
static bool sriov_write_allowed(struct model_pci_function *f, unsigned at, unsigned bytes,
				uint32_t value)
{
	uint16_t control = sriov_get(f, 0x08);

	if (at == 0x08) {
		uint16_t num = sriov_get(f, 0x10);

		if ((value & VFE) && !(control & VFE) && (num == 0 || num > sriov_get(f, 0x0e))) {
			violate(f, "VFE with NumVFs %u", num);
			return false;
		}
		if ((value & control & VFE) && ((value ^ control) & ARI)) {
			violate(f, "ARI bit changed with VFE set");
			return false;
		}
	} else if ((at == 0x10 || at == 0x20) && (control & VFE)) {
		violate(f, "SR-IOV +%02x written with VFE set", at);
		return false;
	} else if (at == 0x20 && ((value & (value - 1)) || !(value & f->sriov_rules.page_sizes))) {
		return false; /* not one supported size: stays as it was */
	} else if (at >= 0x24 && at < 0x3c && (control & MSE)) {
		violate(f, "VF BAR moved while decoding");
	} else if (at < 0x40 && bytes != (at >= 0x20 ? 4 : 2)) {
		violate(f, "SR-IOV +%02x written as %u bytes", at, bytes);
	}
	return true;
}

static void sriov_changed(struct model_pci_function *f, uint16_t before)
{
	uint16_t control = sriov_get(f, 0x08);
	const struct model_pci_sriov *rules = &f->sriov_rules;

	if ((control & ~before) & VFE) {
		f->vfs_from = models_time() + (rules->settle_ns ? rules->settle_ns : 100 * MS);
		for (unsigned i = 0; i < f->model->vf_count; i++) {
			struct model_pci_function *vf = f->model->vfs[i];

			if (vf->pf == f) {
				memcpy(vf->config, vf->at_reset, 4096);
			}
		}
	} else if ((before & ~control) & VFE) {
		f->sriov_closed_until = models_time() + 1000 * MS;
	}
}

static bool write_allowed(struct model_pci_function *f, unsigned at, unsigned bytes, uint32_t value)
{
	unsigned bars_end = f->is_bridge ? 0x18 : 0x28;

	if (f->pf && at != COMMAND && at < 0x40) {
		violate(f, "VF header written at %02x", at);
	}
	if (at >= 0x10 && at < bars_end && (command_of(f) & (IO | MEMORY))) {
		violate(f, "BAR moved while decoding");
	}
	if (f->is_bridge && at >= 0x1c && at < 0x34 && (command_of(f) & (IO | MEMORY))) {
		violate(f, "bridge window moved while forwarding");
	}
	if (f->sriov && at >= f->sriov && at < f->sriov + 0x40u) {
		return sriov_write_allowed(f, at - f->sriov, bytes, value);
	}
	return true;
}

static void log_write(struct model_pci *m, uint16_t rid, unsigned at, unsigned bytes,
		      uint32_t value)
{
	if (m->write_count < MODEL_PCI_WRITES) {
		m->writes[m->write_count] = (struct model_pci_write){
			rid, (uint16_t)at, (uint8_t)bytes, value, models_time()};
		m->write_count++;
	}
}

/* Both ends of a link have one Max Payload Size (7.5.3.4). A VF has none of its own. */
static bool payloads_differ(const struct model_pci_function *f)
{
	const struct model_pci_function *port = f->parent;

	return !f->pf && f->express && port && port->express &&
	       (f->config[f->express + 8u] ^ port->config[port->express + 8u]) & 0xe0;
}

static void model_write(void *context, uint64_t offset, unsigned bytes, uint64_t wide)
{
	struct model_pci *m = context;
	uint16_t rid = (uint16_t)((offset >> 12) + (m->first << 8));
	unsigned at = offset & 0xfff;
	uint32_t value = (uint32_t)wide;
	struct model_pci_function *f;

	model_pci_seal(m);
	f = target(m, rid);
	log_write(m, rid, at, bytes, value);
	if (!f || bytes > 4 || at % bytes || !answers(f, at) ||
	    !write_allowed(f, at, bytes, value) || (!f->express && at >= 0x100)) {
		return;
	}
	uint16_t before = f->sriov ? sriov_get(f, 0x08) : 0;
	bool was_reset = f->is_bridge && (f->config[BRIDGE_CONTROL] & BUS_RESET);
	uint32_t mask = get(f->writable, at, bytes);
	uint32_t now = (get(f->config, at, bytes) & ~mask) | (value & mask);

	now &= ~(value & get(f->clear_on_one, at, bytes));
	put(f->config, at, bytes, now);
	if (f->sriov) {
		sriov_changed(f, before);
		resize_vf_bars(f);
	}
	if (at == 4 && (now & (MEMORY | MASTER)) && payloads_differ(f)) {
		violate(f, "it is turned on with another Max Payload Size than its port");
	}
	if (f->is_bridge && was_reset != ((f->config[BRIDGE_CONTROL] & BUS_RESET) != 0)) {
		reset_bus(f, !was_reset);
	}
	if (f->express && at == f->express + 8u && (value & FLR)) {
		if (get(f->config, f->express + 4u, 4) & 0x10000000) {
			reset_function(f);
		} else {
			violate(f, "FLR where there is none");
		}
	}
}

/* --- what a test asks ------------------------------------------------------------------------ */

struct model_pci *model_pci_new(uintptr_t base, uint8_t first, uint8_t last)
{
	struct model_pci *m = calloc(1, sizeof(*m));

	if (!m) {
		abort();
	}
	m->first = first;
	m->last = last;
	models_add(&(struct model){base, (size_t)(last - first + 1) << 20, m, model_read,
				   model_write});
	return m;
}

void model_pci_free(struct model_pci *m)
{
	for (unsigned i = 0; i < m->count; i++) {
		free(m->functions[i]);
	}
	for (unsigned i = 0; i < m->vf_count; i++) {
		free(m->vfs[i]);
	}
	free(m);
}

struct model_pci_function *model_pci_vf(struct model_pci_function *pf, unsigned index)
{
	for (unsigned i = 0; i < pf->model->vf_count; i++) {
		if (pf->model->vfs[i]->pf == pf && pf->model->vfs[i]->vf_index == index) {
			return pf->model->vfs[i];
		}
	}
	return NULL;
}

unsigned model_pci_count(const struct model_pci *m)
{
	return m->count;
}

struct model_pci_function *model_pci_nth(const struct model_pci *m, unsigned index)
{
	return m->functions[index];
}

/* [address, address+size) inside a bridge's window of that kind, low or 64-bit prefetchable. */
static bool window_passes(const struct model_pci_function *b, bool io, uint64_t first,
			  uint64_t last)
{
	uint64_t high = (uint64_t)get(b->config, 0x28, 4) << 32;
	uint64_t high_limit = (uint64_t)get(b->config, 0x2c, 4) << 32;

	if (io) {
		return first >= (b->config[0x1c] & 0xf0u) << 8 &&
		       last <= ((b->config[0x1d] & 0xf0u) << 8 | 0xfff);
	}
	return (first >= (uint64_t)(get(b->config, 0x20, 2) & 0xfff0) << 16 &&
		last <= ((uint64_t)(get(b->config, 0x22, 2) & 0xfff0) << 16 | 0xfffff)) ||
	       (first >= (high | (uint64_t)(get(b->config, 0x24, 2) & 0xfff0) << 16) &&
		last <= (high_limit | (uint64_t)(get(b->config, 0x26, 2) & 0xfff0) << 16 |
			 0xfffff));
}

bool model_pci_passes(const struct model_pci_function *f, bool io, uint64_t address, uint64_t size)
{
	for (const struct model_pci_function *b = f->parent; b && !b->expander; b = b->parent) {
		if (!(command_of(b) & (io ? IO : MEMORY)) ||
		    !window_passes(b, io, address, address + size - 1)) {
			return false;
		}
	}
	return true;
}

bool model_pci_masters(const struct model_pci_function *f)
{
	for (; f && !f->expander; f = f->parent) {
		if (!(command_of(f) & MASTER)) {
			return false;
		}
	}
	return true;
}

unsigned model_pci_violations(const struct model_pci *m)
{
	return m->violations;
}

const char *model_pci_violation(const struct model_pci *m)
{
	return m->violation;
}

unsigned model_pci_write_count(const struct model_pci *m)
{
	return m->write_count;
}

const struct model_pci_write *model_pci_write_nth(const struct model_pci *m, unsigned index)
{
	return &m->writes[index];
}

unsigned model_pci_write_find(const struct model_pci *m, unsigned from, uint16_t rid,
			      uint16_t offset)
{
	while (from < m->write_count &&
	       (m->writes[from].rid != rid || m->writes[from].offset != offset)) {
		from++;
	}
	return from;
}
