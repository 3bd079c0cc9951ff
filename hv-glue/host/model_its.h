/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A strict GICv4.0, or GICv3: one ITS and the LPI registers of its redistributors. From IHI 0069H,
 * apart from irq-route/, whose encodings it checks. What real hardware would not forgive is a
 * complaint: reserved bits, unknown commands, tables that are not clear, registers changed in use.
 *
 * It is slow on purpose: CREADR moves only with time, and what a command changed is seen by devices
 * and redistributors only after its SYNC or VSYNC. Pending bits are cached until a vPE leaves.
 */
#ifndef CW_HOST_MODEL_ITS_H
#define CW_HOST_MODEL_ITS_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_ITS_BASE	  0x08080000ul
#define MODEL_GICR_BASE	  0x080a0000ul
#define MODEL_GICR_STRIDE 0x40000ul
#define MODEL_ITS_VPES	  128u
#define MODEL_ITS_DEVICES 65536u

struct model_its_config {
	unsigned cores;	      /* at most 16; processor numbers run backwards */
	bool no_physical;     /* GITS_TYPER.Physical = 0 */
	bool no_plpis;	      /* GICR_TYPER.PLPIS = 0 */
	bool no_virtual;      /* GITS_TYPER.Virtual = 0 */
	bool no_vlpis;	      /* GICR_TYPER.VLPIS = 0 */
	bool gicv41;	      /* GICR_TYPER.RVPEID = 1 */
	bool pta;	      /* RDbase is an address */
	bool not_snooping;    /* shareability reads as 0 everywhere */
	bool its_on;	      /* firmware left the ITS enabled */
	bool lpis_on;	      /* firmware left EnableLPIs set */
	bool lpis_stuck;      /* and it cannot be cleared */
	bool types_shuffled;  /* GITS_BASER<n>.Type in another order */
	bool vpend_hangs;     /* VPENDBASER.Dirty never clears */
	unsigned page_code;   /* the one GITS_BASER page size; 3: any */
	unsigned device_bits; /* 0: 16 */
	unsigned hang_at;     /* CREADR stops before the n-th command; 0: never */
	unsigned stall_at;    /* and says Stalled */
};

/* After models_reset(). Adds its frames to the models. */
void model_its_start(const struct model_its_config *config);
void model_its_hang_now(void); /* CREADR moves no more */

/* Complaints since the start; the first is kept (and all go to stderr). */
unsigned model_its_complaints(void);
const char *model_its_first_complaint(void);

/* One physical command, as the ITS understood it. Called before it takes effect. */
struct model_its_command {
	unsigned opcode;
	uint32_t device, event, intid;
	uint16_t vpe;
	unsigned core; /* of RDbase */
	bool valid;
};
void model_its_watch(void (*watch)(void *context, const struct model_its_command *command),
		     void *context);
unsigned model_its_count(unsigned opcode); /* commands taken since the start */

/* A device writes GITS_TRANSLATER. */
struct model_its_delivery {
	bool dropped, physical;
	uint16_t vpe;  /* or the core */
	uint32_t vlpi; /* or the physical INTID */
};
struct model_its_delivery model_its_msi(uint32_t device, uint32_t event);

/* Is it pending, and would its vCPU take it now (resident, enabled)? */
bool model_its_pending(uint16_t vpe, uint32_t vlpi);
bool model_its_signalled(uint16_t vpe, uint32_t vlpi);
unsigned model_its_pending_count(uint16_t vpe);

/* Physical: what this core reads from ICC_IAR1, no longer pending then; 1023: none is signalled. */
uint32_t model_its_acknowledge(unsigned core);
unsigned model_its_physical_pending(unsigned core);

/* What devices see: after the SYNCs. */
bool model_its_device_mapped(uint32_t device);
bool model_its_event_mapped(uint32_t device, uint32_t event);

#endif
