/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the ITS model share: model_its.c (start, what a test sees), model_its_state.c
 * (who and what there is, pending bits, syncs), model_its_commands.c and model_its_registers.c.
 */
#ifndef CW_HOST_MODEL_ITS_PARTS_H
#define CW_HOST_MODEL_ITS_PARTS_H

#include "bits.h"
#include "model_its.h"
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
	bool valid, physical;
	uint16_t vpe;  /* or the core */
	uint32_t vlpi; /* or the physical INTID */
};

/* What a vPE, or a redistributor, has of its LPIs besides the tables in memory. */
struct lpis {
	uint64_t pending_table;
	uint8_t cached[TABLE_BYTES]; /* pending bits not yet in memory */
	uint8_t property[8192];
	bool property_cached[8192];
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
	struct lpis lpis;
};

/* Effects that wait for a VSYNC; physical ones for a SYNC. */
struct effect {
	enum { SET, CLEAR_ONE, DROP_PROPERTY, DROP_ALL } what;
	bool physical;
	uint16_t vpe; /* or the core */
	uint32_t vlpi;
};

struct redistributor {
	uint32_t ctlr;
	uint64_t propbaser, pendbaser, vpropbaser, vpendbaser;
	uint64_t rwp_until, dirty_until;
	struct lpis lpis;
};

extern struct model_its_state {
	struct model_its_config config;
	struct {
		bool enabled;
		uint64_t quiescent_at;
		uint64_t cbaser, cwriter, creadr, baser[8];
		uint64_t progress_at;
		bool stalled, hung;
		unsigned taken, count[64];
		unsigned collection[CORES]; /* the core it is mapped to, + 1 */
	} its;
	struct redistributor rds[CORES];
	struct device devices[SLOTS];
	struct vpe vpes[MODEL_ITS_VPES];
	struct effect effects[4096];
	unsigned effect_count;
	unsigned complaints;
	char first[200];
	void (*watcher)(void *, const struct model_its_command *);
	void *watcher_context;
} model_its;

__attribute__((format(printf, 1, 2))) void mits_complain(const char *format, ...);

/* --- model_its_state.c --------------------------------------------------------------------------
 */

uint8_t *mits_memory(uint64_t address);
bool mits_is_zero(uint64_t address, size_t size);
struct device *mits_device_find(uint32_t id);
struct device *mits_device_get(uint32_t id);
unsigned mits_processor_of(unsigned core);
unsigned mits_core_of(uint64_t rdbase); /* CORES: none */
bool mits_vpe_resident(const struct vpe *vpe);
bool mits_rd_dirty(const struct redistributor *rd);
/* Entries of the table of that GITS_BASER<n>.Type. */
uint64_t mits_table_entries(unsigned type);

/* The LPIs an entry's interrupt is among. */
struct lpis *mits_lpis_of(const struct entry *entry);
bool mits_pending_get(const struct lpis *lpis, uint32_t lpi);
void mits_pending_clear(struct lpis *lpis, uint32_t lpi);
void mits_pending_flush(struct lpis *lpis);
/* Read eagerly, kept until told to forget: the worst that hardware may do. */
void mits_property_fill(const struct entry *entry);
void mits_effect_add(int what, const struct entry *entry);
void mits_vpe_sync(uint16_t id);
void mits_core_sync(unsigned core);

/* --- model_its_commands.c, model_its_registers.c ------------------------------------------------
 */

/* A few commands for each tick of time, none at the instant of the doorbell. */
void mits_progress(void);
void mits_add_frames(void);

#endif
