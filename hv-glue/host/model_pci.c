/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_pci_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"

#define MS	       1000000ull
#define ALL_ONES       (~0ull)
#define BRIDGE_CONTROL 0x3e
#define BUS_RESET      0x40
#define FLR	       0x8000
#define PENDING	       0x20

void model_pci_violate(const struct model_pci_function *f, const char *format, ...)
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

uint32_t model_pci_peek(const struct model_pci_function *f, uint16_t offset, unsigned bytes)
{
	return model_pci_get(f->config, offset, bytes);
}

void model_pci_poke(struct model_pci_function *f, uint16_t offset, unsigned bytes, uint32_t value)
{
	model_pci_put(f->config, offset, bytes, value);
	model_pci_put(f->at_reset, offset, bytes, value);
}

/* --- who answers ---------------------------------------------------------------------------- */

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
			model_pci_violate(f, "VF accessed less than 100 ms after VFE");
		}
		return false;
	}
	if (now < f->resetting_until) {
		if (now + f->slow_reset_ns < f->resetting_until + 100 * MS) {
			model_pci_violate(f, "accessed less than 100 ms after FLR");
		}
		return false;
	}
	if (f->sriov && offset >= f->sriov && offset < f->sriov + 0x40u &&
	    now < f->sriov_closed_until) {
		model_pci_violate(f,
				  "SR-IOV capability accessed less than 1 s after VFE was cleared");
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
	f = model_pci_target(m, rid);
	if (!f || bytes > 4 || at % bytes || !answers(f, at) || (!f->express && at >= 0x100)) {
		return ALL_ONES >> (64 - 8 * bytes);
	}
	if (f->sriov) {
		uint16_t vf_offset;
		uint16_t stride;

		model_pci_geometry(f, &vf_offset, &stride);
		model_pci_put(f->config, f->sriov + 0x14u, 2, vf_offset);
		model_pci_put(f->config, f->sriov + 0x16u, 2, stride);
	}
	if (f->express) {
		f->config[f->express + 0xau] &= (uint8_t)~PENDING;
		f->config[f->express + 0xau] |= models_time() < f->pending_until ? PENDING : 0;
	}
	return model_pci_get(f->config, at, bytes);
}

static void reset_function(struct model_pci_function *f)
{
	struct model_pci *m = f->model;

	if (model_pci_command(f) & MASTER) {
		model_pci_violate(f, "FLR with bus mastering on");
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
		model_pci_resize_vf_bars(f);
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
		model_pci_violate(bridge, "bus reset held for less than 1 ms");
	}
	bridge->bus_reset_from = models_time();
	for (unsigned i = 0; i < m->count; i++) {
		struct model_pci_function *f = m->functions[i];

		if (f->parent != bridge) {
			continue;
		}
		if (on && (model_pci_command(f) & MASTER)) {
			model_pci_violate(f, "bus reset with bus mastering on");
		}
		f->bus_resets += on;
		if (!f->ignores_reset) {
			memcpy(f->config, f->at_reset, 4096);
		}
		if (f->sriov) {
			model_pci_resize_vf_bars(f);
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
	uint16_t control = model_pci_sriov_word(f, 0x08);

	if (at == 0x08) {
		uint16_t num = model_pci_sriov_word(f, 0x10);

		if ((value & VFE) && !(control & VFE) &&
		    (num == 0 || num > model_pci_sriov_word(f, 0x0e))) {
			model_pci_violate(f, "VFE with NumVFs %u", num);
			return false;
		}
		if ((value & control & VFE) && ((value ^ control) & ARI)) {
			model_pci_violate(f, "ARI bit changed with VFE set");
			return false;
		}
	} else if ((at == 0x10 || at == 0x20) && (control & VFE)) {
		model_pci_violate(f, "SR-IOV +%02x written with VFE set", at);
		return false;
	} else if (at == 0x20 && ((value & (value - 1)) || !(value & f->sriov_rules.page_sizes))) {
		return false; /* not one supported size: stays as it was */
	} else if (at >= 0x24 && at < 0x3c && (control & MSE)) {
		model_pci_violate(f, "VF BAR moved while decoding");
	} else if (at < 0x40 && bytes != (at >= 0x20 ? 4 : 2)) {
		model_pci_violate(f, "SR-IOV +%02x written as %u bytes", at, bytes);
	}
	return true;
}

static void sriov_changed(struct model_pci_function *f, uint16_t before)
{
	uint16_t control = model_pci_sriov_word(f, 0x08);
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
		model_pci_violate(f, "VF header written at %02x", at);
	}
	if (at >= 0x10 && at < bars_end && (model_pci_command(f) & (IO | MEMORY))) {
		model_pci_violate(f, "BAR moved while decoding");
	}
	if (f->is_bridge && at >= 0x1c && at < 0x34 && (model_pci_command(f) & (IO | MEMORY))) {
		model_pci_violate(f, "bridge window moved while forwarding");
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
	f = model_pci_target(m, rid);
	log_write(m, rid, at, bytes, value);
	if (!f || bytes > 4 || at % bytes || !answers(f, at) ||
	    !write_allowed(f, at, bytes, value) || (!f->express && at >= 0x100)) {
		return;
	}
	uint16_t before = f->sriov ? model_pci_sriov_word(f, 0x08) : 0;
	bool was_reset = f->is_bridge && (f->config[BRIDGE_CONTROL] & BUS_RESET);
	uint32_t mask = model_pci_get(f->writable, at, bytes);
	uint32_t now = (model_pci_get(f->config, at, bytes) & ~mask) | (value & mask);

	now &= ~(value & model_pci_get(f->clear_on_one, at, bytes));
	model_pci_put(f->config, at, bytes, now);
	if (f->sriov) {
		sriov_changed(f, before);
		model_pci_resize_vf_bars(f);
	}
	if (at == 4 && (now & (MEMORY | MASTER)) && payloads_differ(f)) {
		model_pci_violate(f, "it is turned on with another Max Payload Size than its port");
	}
	if (f->is_bridge && was_reset != ((f->config[BRIDGE_CONTROL] & BUS_RESET) != 0)) {
		reset_bus(f, !was_reset);
	}
	if (f->express && at == f->express + 8u && (value & FLR)) {
		if (model_pci_get(f->config, f->express + 4u, 4) & 0x10000000) {
			reset_function(f);
		} else {
			model_pci_violate(f, "FLR where there is none");
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
