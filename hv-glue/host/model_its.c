/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_its.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bits.h"
#include "models.h"
#include "types.h"

#define CORES	      16u
#define SLOTS	      160u
#define EVENTS	      64u
#define ITT_ENTRY     12u
#define LPI_BASE      8192u
#define TABLE_BYTES   2048u /* of a pending table with 14 bits */
#define QUIET_NS      3000u
#define STEP_COMMANDS 3u

struct entry {
	bool valid;
	uint16_t vpe;
	uint32_t vlpi;
};

struct device {
	bool used, valid, seen_valid;
	uint32_t id;
	unsigned bits;
	uint64_t itt;
	struct entry now[EVENTS], seen[EVENTS];
};

struct vpe {
	bool valid, seen_valid, fresh, leaving;
	unsigned core;
	uint64_t vpt;
	uint8_t cached[TABLE_BYTES]; /* pending bits not yet in memory */
	uint8_t property[8192];
	bool property_cached[8192];
};

/* Effects that wait for a VSYNC. */
struct effect {
	enum { SET, CLEAR_ONE, DROP_PROPERTY, DROP_ALL } what;
	uint16_t vpe;
	uint32_t vlpi;
};

struct redistributor {
	uint32_t ctlr;
	uint64_t propbaser, pendbaser, vpropbaser, vpendbaser;
	uint64_t rwp_until, dirty_until;
	bool mapped;
};

static struct model_its_config config;
static struct {
	bool enabled;
	uint64_t quiescent_at;
	uint64_t cbaser, cwriter, creadr, baser[8];
	uint64_t progress_at;
	bool stalled, hung;
	unsigned taken, count[64];
	bool collection[CORES];
} its;
static struct redistributor rds[CORES];
static struct device devices[SLOTS];
static struct vpe vpes[MODEL_ITS_VPES];
static struct effect effects[4096];
static unsigned effect_count;
static unsigned complaints;
static char first[200];
static void (*watcher)(void *, const struct model_its_command *);
static void *watcher_context;

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
	char text[sizeof(first)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(stderr, "model_its: %s\n", text);
	if (!complaints++) {
		memcpy(first, text, sizeof(first));
	}
}

unsigned model_its_complaints(void)
{
	return complaints;
}

const char *model_its_first_complaint(void)
{
	return complaints ? first : "";
}

void model_its_watch(void (*watch)(void *, const struct model_its_command *), void *context)
{
	watcher = watch;
	watcher_context = context;
}

unsigned model_its_count(unsigned opcode)
{
	return its.count[opcode & 63];
}

void model_its_hang_now(void)
{
	its.hung = true;
}

static uint8_t *memory(uint64_t address)
{
	return (uint8_t *)(uintptr_t)address;
}

static bool is_zero(uint64_t address, size_t size)
{
	const uint8_t *p = memory(address);

	for (size_t i = 0; i < size; i++) {
		if (p[i]) {
			return false;
		}
	}
	return true;
}

/* --- lookups -----------------------------------------------------------------------------------
 */

static struct device *device_find(uint32_t id)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (devices[i].used && devices[i].id == id) {
			return &devices[i];
		}
	}
	return NULL;
}

static struct device *device_get(uint32_t id)
{
	struct device *device = device_find(id);

	for (unsigned i = 0; !device && i < SLOTS; i++) {
		if (!devices[i].used) {
			device = &devices[i];
			device->used = true;
			device->id = id;
		}
	}
	if (!device) {
		complain("the model has no room for another DeviceID");
	}
	return device;
}

static unsigned processor_of(unsigned core)
{
	return config.cores - 1 - core;
}

static uint64_t rdbase_of(unsigned core)
{
	return config.pta ? (MODEL_GICR_BASE + core * MODEL_GICR_STRIDE) >> 16 : processor_of(core);
}

/* CORES: none. */
static unsigned core_of(uint64_t rdbase)
{
	for (unsigned core = 0; core < config.cores; core++) {
		if (rdbase_of(core) == rdbase) {
			return core;
		}
	}
	return CORES;
}

static bool vpe_resident(const struct vpe *vpe)
{
	const struct redistributor *rd = &rds[vpe->core];

	return vpe->valid && (rd->vpendbaser & BIT(63)) &&
	       (rd->vpendbaser & BITS(51, 16)) == vpe->vpt;
}

static bool rd_dirty(const struct redistributor *rd)
{
	return models_time() < rd->dirty_until || (config.vpend_hangs && rd->dirty_until);
}

/* --- pending and property ----------------------------------------------------------------------
 */

static void pending_clear(struct vpe *vpe, uint32_t vlpi)
{
	vpe->cached[vlpi / 8] &= (uint8_t) ~(1u << vlpi % 8);
	memory(vpe->vpt)[vlpi / 8] &= (uint8_t) ~(1u << vlpi % 8);
}

static bool pending_get(const struct vpe *vpe, uint32_t vlpi)
{
	return ((vpe->cached[vlpi / 8] | memory(vpe->vpt)[vlpi / 8]) >> vlpi % 8) & 1;
}

static void pending_flush(struct vpe *vpe)
{
	for (unsigned i = 0; i < TABLE_BYTES; i++) {
		if (vpe->cached[i]) {
			memory(vpe->vpt)[i] |= vpe->cached[i];
			vpe->cached[i] = 0;
		}
	}
}

/* Read eagerly, kept until told to forget: the worst that hardware may do. */
static void property_fill(struct vpe *vpe, uint32_t vlpi)
{
	if (vpe_resident(vpe) && !vpe->property_cached[vlpi - LPI_BASE]) {
		uint64_t table = rds[vpe->core].vpropbaser & BITS(51, 12);

		vpe->property[vlpi - LPI_BASE] = memory(table)[vlpi - LPI_BASE];
		vpe->property_cached[vlpi - LPI_BASE] = true;
	}
}

static void effect_add(int what, uint16_t vpe, uint32_t vlpi)
{
	if (effect_count == sizeof(effects) / sizeof(effects[0])) {
		complain("%u effects wait for a VSYNC", effect_count);
		return;
	}
	effects[effect_count++] = (struct effect){.what = what, .vpe = vpe, .vlpi = vlpi};
}

static void effect_apply(const struct effect *effect)
{
	struct vpe *vpe = &vpes[effect->vpe];

	switch (effect->what) {
	case SET:
		vpe->cached[effect->vlpi / 8] |= (uint8_t)(1u << effect->vlpi % 8);
		break;
	case CLEAR_ONE:
		pending_clear(vpe, effect->vlpi);
		break;
	case DROP_PROPERTY:
		vpe->property_cached[effect->vlpi - LPI_BASE] = false;
		property_fill(vpe, effect->vlpi);
		break;
	case DROP_ALL:
		memset(vpe->property_cached, 0, sizeof(vpe->property_cached));
		break;
	}
}

static void vpe_sync(uint16_t id)
{
	unsigned left = 0;

	vpes[id].seen_valid = vpes[id].valid;
	for (unsigned i = 0; i < effect_count; i++) {
		if (effects[i].vpe == id) {
			effect_apply(&effects[i]);
		} else {
			effects[left++] = effects[i];
		}
	}
	effect_count = left;
	for (unsigned i = 0; i < SLOTS; i++) {
		for (unsigned n = 0; devices[i].used && n < EVENTS; n++) {
			struct entry *now = &devices[i].now[n];
			struct entry *seen = &devices[i].seen[n];

			if ((seen->valid && seen->vpe == id) || (now->valid && now->vpe == id)) {
				*seen = *now;
			}
		}
	}
}

static void core_sync(unsigned core)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		struct device *device = &devices[i];

		device->seen_valid = device->valid;
		if (device->used && !device->valid) {
			memset(device->seen, 0, sizeof(device->seen));
			device->used = false;
		}
	}
	for (unsigned i = 0; i < MODEL_ITS_VPES; i++) {
		struct vpe *vpe = &vpes[i];

		if (vpe->core == core && vpe->leaving) {
			pending_flush(vpe);
			vpe->leaving = false;
			vpe->seen_valid = false;
		}
	}
}

/* --- commands ----------------------------------------------------------------------------------
 */

/* Bits that a command may have set; a zero row: unknown. */
static const uint64_t legal[64][4] = {
	[0x03] = {BITS(63, 32) | 0xff, BITS(31, 0)},			   /* INT */
	[0x04] = {BITS(63, 32) | 0xff, BITS(31, 0)},			   /* CLEAR */
	[0x0c] = {BITS(63, 32) | 0xff, BITS(31, 0)},			   /* INV */
	[0x0f] = {BITS(63, 32) | 0xff, BITS(31, 0)},			   /* DISCARD */
	[0x05] = {0xff, 0, BITS(51, 16)},				   /* SYNC */
	[0x08] = {BITS(63, 32) | 0xff, BITS(4, 0), BIT(63) | BITS(51, 8)}, /* MAPD */
	[0x09] = {0xff, 0, BIT(63) | BITS(51, 0)},			   /* MAPC */
	[0x0d] = {0xff, 0, BITS(15, 0)},				   /* INVALL */
	[0x21] = {BITS(63, 32) | 0xff, BITS(47, 0), BITS(63, 32) | 1},	   /* VMOVI */
	[0x25] = {0xff, BITS(47, 32)},					   /* VSYNC */
	[0x29] = {0xff, BITS(47, 32), BIT(63) | BITS(51, 16),
		  BITS(51, 16) | BITS(4, 0)},		    /* VMAPP */
	[0x2a] = {BITS(63, 32) | 0xff, BITS(47, 0), ~0ull}, /* VMAPTI */
	[0x2d] = {0xff, BITS(47, 32)},			    /* VINVALL */
};

static uint64_t table_entries(unsigned type)
{
	for (unsigned n = 0; n < 8; n++) {
		uint64_t baser = its.baser[n];
		uint64_t page = KIB(4) << (2 * field_get(BITS(9, 8), baser));

		if (field_get(BITS(58, 56), baser) == type && (baser & BIT(63))) {
			return (field_get(BITS(7, 0), baser) + 1) * page /
			       (field_get(BITS(52, 48), baser) + 1);
		}
	}
	return 0;
}

static bool device_ok(const struct model_its_command *c)
{
	if (!c->device) {
		complain("command 0x%02x names DeviceID 0", c->opcode);
		return false;
	}
	if (c->device >= table_entries(1) ||
	    c->device >> (config.device_bits ? config.device_bits : 16)) {
		complain("command 0x%02x: DeviceID 0x%x is out of range", c->opcode, c->device);
		return false;
	}
	return true;
}

/* The event's entry, when its device is mapped and its ITT reaches so far. */
static struct entry *entry_of(const struct model_its_command *c, struct device **found)
{
	struct device *device = device_ok(c) ? device_find(c->device) : NULL;

	if (!device || !device->valid) {
		complain("command 0x%02x: DeviceID 0x%x is not mapped", c->opcode, c->device);
		return NULL;
	}
	if (c->event >> device->bits) {
		complain("command 0x%02x: DeviceID 0x%x EventID 0x%x is beyond its ITT", c->opcode,
			 c->device, c->event);
		return NULL;
	}
	*found = device;
	return &device->now[c->event];
}

static struct entry *mapped_entry_of(const struct model_its_command *c, struct device **found)
{
	struct entry *entry = entry_of(c, found);

	if (entry && !entry->valid) {
		complain("command 0x%02x: DeviceID 0x%x EventID 0x%x is not mapped", c->opcode,
			 c->device, c->event);
		return NULL;
	}
	return entry;
}

static bool vpe_ok(const struct model_its_command *c)
{
	if (c->vpe >= table_entries(2) || c->vpe >= MODEL_ITS_VPES || !vpes[c->vpe].valid) {
		complain("command 0x%02x: vPE %u is not mapped", c->opcode, c->vpe);
		return false;
	}
	return true;
}

static void do_mapd(const struct model_its_command *c, unsigned bits, uint64_t itt)
{
	struct device *device = device_ok(c) ? device_get(c->device) : NULL;

	if (!device) {
		return;
	}
	if (device->valid == c->valid) {
		complain("MAPD V=%d of DeviceID 0x%x twice", c->valid, c->device);
	}
	memset(device->now, 0, sizeof(device->now));
	device->valid = c->valid;
	if (!c->valid) {
		return;
	}
	if (bits > 6 || !is_zero(itt, (size_t)ITT_ENTRY << bits)) {
		complain("MAPD DeviceID 0x%x: %u bits, ITT %s", c->device, bits,
			 bits > 6 ? "too large for the model" : "not clear");
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		struct device *other = &devices[i];
		uint64_t size = (uint64_t)ITT_ENTRY << (bits > other->bits ? bits : other->bits);

		if (other != device && other->used && itt < other->itt + size &&
		    other->itt < itt + size) {
			complain("MAPD DeviceID 0x%x: its ITT is DeviceID 0x%x's", c->device,
				 other->id);
		}
	}
	device->bits = bits;
	device->itt = itt;
}

static void do_vmapp(const struct model_its_command *c, unsigned bits, uint64_t vpt)
{
	struct vpe *vpe = &vpes[c->vpe % MODEL_ITS_VPES];

	if (c->vpe >= table_entries(2) || c->vpe >= MODEL_ITS_VPES) {
		complain("VMAPP: vPE %u is out of range", c->vpe);
		return;
	}
	if (vpe->valid == c->valid || vpe_resident(vpe)) {
		complain("VMAPP V=%d of vPE %u: mapped so already, or resident", c->valid, c->vpe);
	}
	vpe->valid = c->valid;
	if (!c->valid) {
		if (rd_dirty(&rds[vpe->core])) {
			complain("VMAPP V=0 of vPE %u: its redistributor is still Dirty", c->vpe);
		}
		vpe->leaving = true;
		return;
	}
	if (c->core == CORES || bits != 14) {
		complain("VMAPP vPE %u: no such redistributor, or %u bits", c->vpe, bits);
	}
	if (vpe->leaving) {
		complain("VMAPP vPE %u: no SYNC since it was unmapped", c->vpe);
	}
	for (unsigned i = 0; i < MODEL_ITS_VPES; i++) {
		if (&vpes[i] != vpe && vpes[i].valid && vpes[i].vpt == vpt) {
			complain("VMAPP vPE %u: its pending table is vPE %u's", c->vpe, i);
		}
	}
	if (!is_zero(vpt, TABLE_BYTES / 2)) {
		complain("VMAPP vPE %u: the first half of its pending table is not clear", c->vpe);
	}
	vpe->fresh = true;
	vpe->core = c->core % CORES;
	vpe->vpt = vpt;
}

static void do_vmapti(const struct model_its_command *c, uint32_t doorbell)
{
	struct device *device;
	struct entry *entry = entry_of(c, &device);

	if (!entry || !vpe_ok(c)) {
		return;
	}
	if (entry->valid) {
		complain("VMAPTI: DeviceID 0x%x EventID 0x%x is mapped already", c->device,
			 c->event);
	}
	if (c->intid < LPI_BASE || c->intid >> 14 || doorbell != 1023) {
		complain("VMAPTI: vINTID %u, doorbell %u", c->intid, doorbell);
		return;
	}
	*entry = (struct entry){.valid = true, .vpe = c->vpe, .vlpi = c->intid};
	memory(device->itt)[(size_t)c->event * ITT_ENTRY] = 0x5a;
	property_fill(&vpes[c->vpe], c->intid);
}

static void do_vmovi(const struct model_its_command *c)
{
	struct device *device;
	struct entry *entry = mapped_entry_of(c, &device);

	if (!entry || !vpe_ok(c)) {
		return;
	}
	if (pending_get(&vpes[entry->vpe], entry->vlpi)) {
		effect_add(SET, c->vpe, entry->vlpi);
		effect_add(CLEAR_ONE, entry->vpe, entry->vlpi);
	}
	entry->vpe = c->vpe;
	property_fill(&vpes[c->vpe], entry->vlpi);
}

static void do_event(const struct model_its_command *c)
{
	struct device *device;
	struct entry *entry = mapped_entry_of(c, &device);

	if (!entry) {
		return;
	}
	switch (c->opcode) {
	case 0x03:
		effect_add(SET, entry->vpe, entry->vlpi);
		break;
	case 0x0c:
		effect_add(DROP_PROPERTY, entry->vpe, entry->vlpi);
		break;
	case 0x0f:
		effect_add(CLEAR_ONE, entry->vpe, entry->vlpi);
		entry->valid = false;
		memory(device->itt)[(size_t)c->event * ITT_ENTRY] = 0xa5;
		break;
	default:
		effect_add(CLEAR_ONE, entry->vpe, entry->vlpi);
		break;
	}
}

static void do_collection(const struct model_its_command *c, unsigned icid)
{
	if (icid >= CORES || icid >= table_entries(4)) {
		complain("command 0x%02x: collection %u", c->opcode, icid);
	} else if (c->opcode == 0x09) {
		if (c->core == CORES || !c->valid) {
			complain("MAPC: no such redistributor");
		}
		if (c->core != CORES && !(rds[c->core].ctlr & 1)) {
			complain("MAPC to a redistributor whose LPIs are off");
		}
		its.collection[icid] = true;
	} else if (!its.collection[icid]) {
		complain("INVALL of collection %u, not mapped", icid);
	}
}

static void execute(const uint64_t *w)
{
	struct model_its_command c = {
		.opcode = (unsigned)(w[0] & 0xff),
		.device = (uint32_t)(w[0] >> 32),
		.event = (uint32_t)w[1],
		.vpe = (uint16_t)(w[1] >> 32),
		.intid = (uint32_t)w[2],
		.core = core_of(field_get(BITS(51, 16), w[2])),
		.valid = w[2] >> 63,
	};

	if (c.opcode >= 64 || !legal[c.opcode][0]) {
		complain("unknown command 0x%02x", c.opcode);
		return;
	}
	for (unsigned i = 0; i < 4; i++) {
		if (w[i] & ~legal[c.opcode][i]) {
			complain("command 0x%02x: reserved bits in word %u: 0x%llx", c.opcode, i,
				 (unsigned long long)w[i]);
		}
	}
	its.count[c.opcode]++;
	if (watcher) {
		watcher(watcher_context, &c);
	}
	switch (c.opcode) {
	case 0x05:
		if (c.core == CORES) {
			complain("SYNC: no such redistributor");
		} else {
			core_sync(c.core);
		}
		break;
	case 0x08:
		do_mapd(&c, (unsigned)(w[1] & 31) + 1, w[2] & BITS(51, 8));
		break;
	case 0x09:
	case 0x0d:
		do_collection(&c, (unsigned)(w[2] & 0xffff));
		break;
	case 0x21:
		do_vmovi(&c);
		break;
	case 0x25:
		if (vpe_ok(&c)) {
			vpe_sync(c.vpe);
		}
		break;
	case 0x29:
		do_vmapp(&c, (unsigned)(w[3] & 31) + 1, w[3] & BITS(51, 16));
		break;
	case 0x2a:
		do_vmapti(&c, (uint32_t)(w[2] >> 32));
		break;
	case 0x2d:
		if (vpe_ok(&c)) {
			effect_add(DROP_ALL, c.vpe, 0);
		}
		break;
	default:
		do_event(&c);
		break;
	}
}

/* A few commands for each tick of time, none at the instant of the doorbell. */
static void progress(void)
{
	uint64_t size = (field_get(BITS(7, 0), its.cbaser) + 1) * KIB(4);

	if (!its.enabled || its.hung || its.stalled || models_time() <= its.progress_at) {
		return;
	}
	its.progress_at = models_time();
	for (unsigned i = 0; i < STEP_COMMANDS && its.creadr != its.cwriter; i++) {
		its.taken++;
		its.hung = config.hang_at && its.taken >= config.hang_at;
		its.stalled = config.stall_at && its.taken >= config.stall_at;
		if (its.hung || its.stalled) {
			return;
		}
		execute((const uint64_t *)(const void *)memory((its.cbaser & BITS(51, 12)) +
							       its.creadr));
		its.creadr = (its.creadr + 32) % size;
	}
}

/* --- ITS registers ------------------------------------------------------------------------------
 */

static void its_enable(bool enable)
{
	if (enable == its.enabled) {
		return;
	}
	its.enabled = enable;
	its.quiescent_at = models_time() + QUIET_NS;
	if (!enable) {
		return;
	}
	if (!(its.cbaser & BIT(63)) || !table_entries(1) || !table_entries(4)) {
		complain("the ITS was enabled without a queue or a table");
		return;
	}
	for (unsigned n = 0; n < 8; n++) {
		uint64_t page = KIB(4) << (2 * field_get(BITS(9, 8), its.baser[n]));
		uint64_t size = (field_get(BITS(7, 0), its.baser[n]) + 1) * page;

		if (!(its.baser[n] & BIT(63))) {
			continue;
		}
		if ((its.baser[n] & BITS(47, 12)) & (page - 1)) {
			complain("GITS_BASER%u is not aligned to its page size", n);
		} else if (!is_zero(its.baser[n] & BITS(47, 12), size)) {
			complain("the table of GITS_BASER%u is not clear", n);
		}
	}
}

static uint64_t shareable(uint64_t value)
{
	return config.not_snooping ? value & ~BITS(11, 10) : value;
}

static void baser_write(unsigned n, uint64_t value)
{
	uint64_t fixed = its.baser[n] & (BITS(58, 56) | BITS(52, 48));

	if (its.enabled || models_time() < its.quiescent_at) {
		complain("GITS_BASER%u written while the ITS is enabled or not quiescent", n);
	}
	if (!field_get(BITS(58, 56), fixed)) {
		complain("GITS_BASER%u is not implemented", n);
		return;
	}
	if (config.page_code != 3) {
		value = (value & ~BITS(9, 8)) | (uint64_t)config.page_code << 8;
	}
	value &= ~BIT(62); /* flat tables only */
	its.baser[n] = fixed | shareable(value & ~(BITS(58, 56) | BITS(52, 48)));
}

static uint64_t its_typer(void)
{
	uint64_t device_bits = config.device_bits ? config.device_bits : 16;

	return (uint64_t)!config.no_physical | (uint64_t)!config.no_virtual << 1 |
	       (ITT_ENTRY - 1) << 4 | 15ull << 8 | (device_bits - 1) << 13 |
	       (uint64_t)config.pta << 19 | 0x3full << 32;
}

static uint64_t its_read(void *context, uint64_t offset, unsigned bytes)
{
	(void)context;
	if (offset == 0x00 && bytes == 4) {
		return its.enabled |
		       (!its.enabled && models_time() >= its.quiescent_at ? BIT(31) : 0);
	}
	if (bytes == 8 && offset >= 0x100 && offset < 0x140) {
		return its.baser[(offset - 0x100) / 8];
	}
	if (bytes == 8) {
		switch (offset) {
		case 0x08:
			return its_typer();
		case 0x80:
			return its.cbaser;
		case 0x88:
			return its.cwriter;
		case 0x90:
			progress();
			return its.creadr | its.stalled;
		default:
			break;
		}
	}
	complain("%u-byte read of ITS register 0x%llx", bytes, (unsigned long long)offset);
	return 0;
}

static void its_write(void *context, uint64_t offset, unsigned bytes, uint64_t value)
{
	(void)context;
	if (offset == 0x00 && bytes == 4) {
		its_enable(value & 1);
	} else if (bytes == 8 && offset >= 0x100 && offset < 0x140) {
		baser_write((unsigned)(offset - 0x100) / 8, value);
	} else if (bytes == 8 && offset == 0x80) {
		if (its.enabled || models_time() < its.quiescent_at) {
			complain("GITS_CBASER written while the ITS is enabled");
		}
		its.cbaser = shareable(value);
		its.creadr = 0;
	} else if (bytes == 8 && offset == 0x88) {
		uint64_t size = (field_get(BITS(7, 0), its.cbaser) + 1) * KIB(4);

		if (value & ~BITS(19, 5) || value >= size) {
			complain("GITS_CWRITER 0x%llx", (unsigned long long)value);
		}
		its.cwriter = value & BITS(19, 5);
		its.progress_at = models_time();
	} else {
		complain("%u-byte write of ITS register 0x%llx", bytes, (unsigned long long)offset);
	}
}

/* --- redistributors -----------------------------------------------------------------------------
 */

static struct vpe *vpe_with_table(unsigned core, uint64_t table)
{
	for (unsigned i = 0; i < MODEL_ITS_VPES; i++) {
		if (vpes[i].seen_valid && vpes[i].vpt == table && vpes[i].core == core) {
			return &vpes[i];
		}
	}
	return NULL;
}

static void vpend_write(unsigned core, uint64_t value)
{
	struct redistributor *rd = &rds[core];
	bool was = rd->vpendbaser & BIT(63);
	bool now = value & BIT(63);
	struct vpe *vpe = vpe_with_table(core, value & BITS(51, 16));

	if (rd_dirty(rd)) {
		complain("core %u: VPENDBASER written while Dirty", core);
	}
	if (!vpe) {
		complain("core %u: VPENDBASER is no pending table of a vPE mapped here", core);
		return;
	}
	rd->dirty_until = models_time() + QUIET_NS;
	if (was && now) {
		complain("core %u: VPENDBASER changed while Valid", core);
	} else if (now) {
		if (field_get(BITS(4, 0), rd->vpropbaser) != 13) {
			complain("core %u: VPROPBASER.IDbits is not the vPE's", core);
		}
		if (vpe->fresh != (bool)(value & BIT(62))) {
			complain("core %u: IDAI of the vPE's table is wrong", core);
		}
		if (!(value & BIT(61)) && !is_zero(vpe->vpt + TABLE_BYTES / 2, TABLE_BYTES / 2)) {
			complain("core %u: PendingLast = 0, but something is", core);
		}
		rd->vpendbaser = shareable(value);
	} else if (was) {
		pending_flush(vpe);
		vpe->fresh = false;
		memory(vpe->vpt)[8] = 0x5a; /* the IMPLEMENTATION DEFINED area, used */
		rd->vpendbaser = value & ~(BIT(62) | BIT(61));
	}
}

static uint64_t rd_read(void *context, uint64_t offset, unsigned bytes)
{
	unsigned core = (unsigned)(offset / MODEL_GICR_STRIDE);
	struct redistributor *rd = &rds[core];
	bool last = core == config.cores - 1;

	(void)context;
	switch ((offset % MODEL_GICR_STRIDE) << 4 | bytes) {
	case 0x00 << 4 | 4:
		return rd->ctlr | (models_time() < rd->rwp_until ? BIT(3) : 0);
	case 0x08 << 4 | 8:
		return (uint64_t)!config.no_plpis | (uint64_t)!config.no_vlpis << 1 | BIT(2) |
		       (uint64_t)last << 4 | (uint64_t)config.gicv41 << 7 |
		       (uint64_t)processor_of(core) << 8;
	case 0x70 << 4 | 8:
		return rd->propbaser;
	case 0x78 << 4 | 8:
		return rd->pendbaser & ~BIT(62);
	case 0x20070 << 4 | 8:
		return rd->vpropbaser;
	case 0x20078 << 4 | 8:
		return rd->vpendbaser | (rd_dirty(rd) ? BIT(60) : 0);
	default:
		complain("%u-byte read of redistributor register 0x%llx", bytes,
			 (unsigned long long)offset);
		return 0;
	}
}

static void rd_tables_write(unsigned core, uint64_t offset, uint64_t value)
{
	struct redistributor *rd = &rds[core];

	if (rd->ctlr & 1) {
		complain("core %u: LPI table registers written while LPIs are on", core);
	}
	if (offset == 0x70) {
		rd->propbaser = shareable(value);
		if (!is_zero(value & BITS(51, 12), 8192)) {
			complain("core %u: the physical property table enables something", core);
		}
	} else {
		rd->pendbaser = shareable(value);
		if (!(value & BIT(62)) || !is_zero(value & BITS(51, 16), TABLE_BYTES)) {
			complain("core %u: PENDBASER.PTZ, but not clear", core);
		}
	}
}

static void ctlr_write(unsigned core, uint32_t value)
{
	struct redistributor *rd = &rds[core];

	if (config.lpis_stuck && (rd->ctlr & 1)) {
		value |= 1;
	}
	if (!(rd->ctlr & 1) && (value & 1) &&
	    (field_get(BITS(4, 0), rd->propbaser) != 13 || !(rd->pendbaser & BITS(51, 16)))) {
		complain("core %u: LPIs enabled without tables", core);
	}
	rd->ctlr = value & 1;
	rd->rwp_until = models_time() + QUIET_NS;
}

static void rd_write(void *context, uint64_t offset, unsigned bytes, uint64_t value)
{
	unsigned core = (unsigned)(offset / MODEL_GICR_STRIDE);
	struct redistributor *rd = &rds[core];

	(void)context;
	switch ((offset % MODEL_GICR_STRIDE) << 4 | bytes) {
	case 0x00 << 4 | 4:
		ctlr_write(core, (uint32_t)value);
		break;
	case 0x70 << 4 | 8:
	case 0x78 << 4 | 8:
		rd_tables_write(core, offset % MODEL_GICR_STRIDE, value);
		break;
	case 0x20070 << 4 | 8:
		if ((rd->vpendbaser & BIT(63)) || rd_dirty(rd)) {
			complain("core %u: VPROPBASER written while a vPE is resident", core);
		}
		rd->vpropbaser = shareable(value);
		break;
	case 0x20078 << 4 | 8:
		vpend_write(core, value);
		break;
	default:
		complain("%u-byte write of redistributor register 0x%llx", bytes,
			 (unsigned long long)offset);
		break;
	}
}

/* --- what a test sees ----------------------------------------------------------------------------
 */

struct model_its_delivery model_its_msi(uint32_t device_id, uint32_t event)
{
	const struct model_its_delivery dropped = {.dropped = true};
	const struct device *device = device_find(device_id);

	if (!its.enabled || !device || !device->seen_valid || event >> device->bits) {
		return dropped;
	}
	const struct entry *entry = &device->seen[event];

	if (!entry->valid || !vpes[entry->vpe].seen_valid) {
		return dropped;
	}
	vpes[entry->vpe].cached[entry->vlpi / 8] |= (uint8_t)(1u << entry->vlpi % 8);
	return (struct model_its_delivery){.vpe = entry->vpe, .vlpi = entry->vlpi};
}

bool model_its_pending(uint16_t vpe, uint32_t vlpi)
{
	return vpes[vpe].seen_valid && pending_get(&vpes[vpe], vlpi);
}

bool model_its_signalled(uint16_t vpe, uint32_t vlpi)
{
	if (!model_its_pending(vpe, vlpi) || !vpe_resident(&vpes[vpe])) {
		return false;
	}
	property_fill(&vpes[vpe], vlpi);
	return vpes[vpe].property[vlpi - LPI_BASE] & 1;
}

unsigned model_its_pending_count(uint16_t vpe)
{
	unsigned count = 0;

	for (uint32_t vlpi = LPI_BASE; vlpi < TABLE_BYTES * 8; vlpi++) {
		count += model_its_pending(vpe, vlpi);
	}
	return count;
}

bool model_its_device_mapped(uint32_t device_id)
{
	const struct device *device = device_find(device_id);

	return device && device->seen_valid;
}

bool model_its_event_mapped(uint32_t device_id, uint32_t event)
{
	const struct device *device = device_find(device_id);

	return device && device->seen_valid && !(event >> device->bits) &&
	       device->seen[event].valid;
}

void model_its_start(const struct model_its_config *wanted)
{
	const uint64_t types[2][3] = {{1, 4, 2}, {4, 2, 1}};

	config = *wanted;
	memset(&its, 0, sizeof(its));
	memset(rds, 0, sizeof(rds));
	memset(devices, 0, sizeof(devices));
	memset(vpes, 0, sizeof(vpes));
	effect_count = 0;
	its.enabled = config.its_on;
	complaints = 0;
	watcher = NULL;
	for (unsigned i = 0; i < 3; i++) {
		its.baser[i + 2 * config.types_shuffled] =
			types[config.types_shuffled][i] << 56 | 7ull << 48;
	}
	for (unsigned core = 0; core < config.cores; core++) {
		rds[core].ctlr = config.lpis_on;
	}
	models_add(&(struct model){
		.base = MODEL_ITS_BASE, .size = 0x10000, .read = its_read, .write = its_write});
	models_add(&(struct model){.base = MODEL_GICR_BASE,
				   .size = config.cores * MODEL_GICR_STRIDE,
				   .read = rd_read,
				   .write = rd_write});
}
