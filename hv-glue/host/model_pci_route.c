/* SPDX-License-Identifier: BSD-2-Clause */
/* Bus numbers, windows and requester ids: which function an access reaches, and what passes the
 * bridges. */
#include "model_pci_parts.h"

#include <stddef.h>

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

void model_pci_geometry(const struct model_pci_function *pf, uint16_t *offset, uint16_t *stride)
{
	uint16_t n = model_pci_sriov_word(pf, 0x10);

	*offset = 0x80;
	*stride = 2;
	if (pf->sriov_rules.geometry) {
		pf->sriov_rules.geometry(n, model_pci_sriov_word(pf, 0x08) & ARI, offset, stride);
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
	model_pci_geometry(f->pf, &offset, &stride);
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

	return (model_pci_sriov_word(pf, 0x08) & VFE) &&
	       vf->vf_index < model_pci_sriov_word(pf, 0x10) &&
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
				model_pci_violate(f, "two bridges claim bus %02x", number);
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

struct model_pci_function *model_pci_target(struct model_pci *m, uint16_t rid)
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

/* --- what passes the bridges above ----------------------------------------------------------- */

/* [address, address+size) inside a bridge's window of that kind, low or 64-bit prefetchable. */
static bool window_passes(const struct model_pci_function *b, bool io, uint64_t first,
			  uint64_t last)
{
	uint64_t high = (uint64_t)model_pci_get(b->config, 0x28, 4) << 32;
	uint64_t high_limit = (uint64_t)model_pci_get(b->config, 0x2c, 4) << 32;

	if (io) {
		return first >= (b->config[0x1c] & 0xf0u) << 8 &&
		       last <= ((b->config[0x1d] & 0xf0u) << 8 | 0xfff);
	}
	return (first >= (uint64_t)(model_pci_get(b->config, 0x20, 2) & 0xfff0) << 16 &&
		last <= ((uint64_t)(model_pci_get(b->config, 0x22, 2) & 0xfff0) << 16 | 0xfffff)) ||
	       (first >= (high | (uint64_t)(model_pci_get(b->config, 0x24, 2) & 0xfff0) << 16) &&
		last <= (high_limit | (uint64_t)(model_pci_get(b->config, 0x26, 2) & 0xfff0) << 16 |
			 0xfffff));
}

bool model_pci_passes(const struct model_pci_function *f, bool io, uint64_t address, uint64_t size)
{
	for (const struct model_pci_function *b = f->parent; b && !b->expander; b = b->parent) {
		if (!(model_pci_command(b) & (io ? IO : MEMORY)) ||
		    !window_passes(b, io, address, address + size - 1)) {
			return false;
		}
	}
	return true;
}

bool model_pci_masters(const struct model_pci_function *f)
{
	for (; f && !f->expander; f = f->parent) {
		if (!(model_pci_command(f) & MASTER)) {
			return false;
		}
	}
	return true;
}
