/* SPDX-License-Identifier: BSD-2-Clause */
/* Building a tree of functions: bridges, endpoints, their capabilities, their VFs. */
#include "model_pci_parts.h"

#include <stdlib.h>
#include <string.h>

#define VFS_MADE 64 /* of one PF; TotalVFs may claim more */

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
	model_pci_put(f->config, 0, 2, vendor);
	model_pci_put(f->config, 2, 2, device);
	model_pci_put(f->writable, COMMAND, 2, 0x0547);
	model_pci_put(f->clear_on_one, 0x06, 2, 0xf900);
	model_pci_put(f->writable, 0x0c, 1, 0xff);
	model_pci_put(f->writable, 0x3c, 1, 0xff);
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

	model_pci_put(f->config, 0x08, 4, 0x02000001);
	model_pci_put(f->config, 0x2c, 4, 0x00011af4);
	model_pci_put(f->writable, 0x30, 4, 0xfffff801);
	return f;
}

struct model_pci_function *model_pci_bridge(struct model_pci *m, struct model_pci_function *parent,
					    uint8_t devfn, enum model_pci_port port)
{
	struct model_pci_function *f = add(m, parent, devfn, 0x1b36, 0x000c);

	f->is_bridge = true;
	f->config[0x0e] |= 1;
	model_pci_put(f->config, 0x08, 4, 0x06040000);
	model_pci_put(f->writable, BUSES, 4, 0x00ffffff);
	model_pci_put(f->writable, 0x1c, 2, 0xf0f0);
	model_pci_put(f->clear_on_one, 0x1e, 2, 0xf900);
	model_pci_put(f->writable, 0x20, 4, 0xfff0fff0);
	model_pci_put(f->config, 0x24, 4, 0x00010001);
	model_pci_put(f->writable, 0x24, 4, 0xfff0fff0);
	model_pci_put(f->writable, 0x28, 4, ~0u);
	model_pci_put(f->writable, 0x2c, 4, ~0u);
	model_pci_put(f->writable, 0x38, 4, 0xfffff801);
	model_pci_put(f->writable, 0x3e, 2, 0x0fff);
	if (port != MODEL_PCI_CONVENTIONAL) {
		model_pci_express(f, 0x54, (uint8_t)port, false);
		model_pci_put(f->config, f->express + 0x24, 4, 0x20); /* ARI Forwarding Supported */
		model_pci_put(f->writable, f->express + 0x28, 2, 0x20);
	}
	return f;
}

struct model_pci_function *model_pci_expander(struct model_pci *m, uint8_t devfn, uint8_t number)
{
	struct model_pci_function *f = model_pci_endpoint(m, NULL, devfn, 0x1b36, 0x000b);

	model_pci_put(f->config, 0x08, 4, 0x06000000);
	f->expander = number;
	return f;
}

static void make_bar(struct model_pci_function *f, struct model_pci_bar *bars, unsigned at,
		     unsigned index, uint32_t type, uint64_t size)
{
	uint64_t mask = ~(size - 1) & ~(type & 1 ? 3ull : 15ull);

	bars[index] = (struct model_pci_bar){true, type, size};
	model_pci_put(f->config, at + 4 * index, 4, type);
	model_pci_put(f->writable, at + 4 * index, 4, (uint32_t)mask);
	if (type & MODEL_PCI_MEM64) {
		model_pci_put(f->writable, at + 4 * index + 4, 4, (uint32_t)(mask >> 32));
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
		uint32_t last = model_pci_get(f->config, f->last_extended, 4);

		model_pci_put(f->config, f->last_extended, 4,
			      (last & 0xfffff) | (uint32_t)offset << 20);
	} else if (offset != 0x100) {
		model_pci_put(f->config, 0x100, 4,
			      0x10000u | (uint32_t)offset << 20); /* the null capability */
	}
	model_pci_put(f->config, offset, 4, 0x10000u | id);
	f->last_extended = offset;
}

void model_pci_express(struct model_pci_function *f, uint8_t offset, uint8_t type, bool flr)
{
	model_pci_capability(f, 0x10, offset);
	f->express = offset;
	model_pci_put(f->config, offset + 2u, 2, 2u | (uint32_t)type << 4);
	model_pci_put(f->config, offset + 4u, 4, flr ? 0x10000000 : 0);
	model_pci_put(f->writable, offset + 8u, 2, 0x7fff);
	model_pci_put(f->writable, offset + 0x10u, 2, 0x01cb);
	model_pci_put(f->clear_on_one, offset + 0xau, 2, 0xf);
}

void model_pci_msix(struct model_pci_function *f, uint8_t offset, uint16_t vectors, uint8_t bar,
		    uint32_t table)
{
	model_pci_capability(f, 0x11, offset);
	model_pci_put(f->config, offset + 2u, 2, vectors - 1u);
	model_pci_put(f->writable, offset + 2u, 2, 0xc000);
	model_pci_put(f->config, offset + 4u, 4, table | bar);
	model_pci_put(f->config, offset + 8u, 4, (table + 0x2000) | bar);
}

void model_pci_acs(struct model_pci_function *port, uint16_t offset, uint16_t able)
{
	model_pci_extended(port, 0x000d, offset);
	model_pci_put(port->config, offset + 4u, 2, able);
	model_pci_put(port->writable, offset + 6u, 2, able);
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
	model_pci_put(vf->config, 0, 4, ~0u); /* 9.3.4.1.1: the ids are the PF's to tell */
	model_pci_put(vf->writable, COMMAND, 2, MASTER); /* decode is hardwired to 0 */
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
	model_pci_put(pf->writable, offset + 0x08u, 2, VFE | MSE | ARI);
	model_pci_put(pf->config, offset + 0x0cu, 2, rules->initial);
	model_pci_put(pf->config, offset + 0x0eu, 2, rules->total);
	model_pci_put(pf->writable, offset + 0x10u, 2, 0xffff);
	model_pci_put(pf->config, offset + 0x1au, 2, rules->vf_device);
	model_pci_put(pf->config, offset + 0x1cu, 4, rules->page_sizes);
	model_pci_put(pf->config, offset + 0x20u, 4,
		      0x10); /* 64 KiB: whoever forgets it gets larger BARs */
	model_pci_put(pf->writable, offset + 0x20u, 4, ~0u);
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
void model_pci_resize_vf_bars(struct model_pci_function *pf)
{
	uint64_t page = (uint64_t)model_pci_get(pf->config, pf->sriov + 0x20u, 4) * 4096;

	for (unsigned i = 0; i < MODEL_PCI_BARS; i++) {
		const struct model_pci_bar *bar = &pf->vf_bars[i];
		uint64_t mask = ~((bar->size > page ? bar->size : page) - 1) & ~15ull;

		if (bar->present) {
			model_pci_put(pf->writable, pf->sriov + 0x24u + 4 * i, 4, (uint32_t)mask);
		}
	}
}

void model_pci_seal(struct model_pci *m)
{
	for (unsigned i = 0; !m->sealed && i < m->count; i++) {
		memcpy(m->functions[i]->at_reset, m->functions[i]->config, 4096);
		if (m->functions[i]->sriov) {
			model_pci_resize_vf_bars(m->functions[i]);
		}
	}
	for (unsigned i = 0; !m->sealed && i < m->vf_count; i++) {
		memcpy(m->vfs[i]->at_reset, m->vfs[i]->config, 4096);
	}
	m->sealed = true;
}
