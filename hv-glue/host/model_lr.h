/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual CPU interfaces of a machine: list registers and what the guest does with them (Arm
 * IHI 0069H, 4.6, 6 and 12.4), one for each core. Registers are found by name, on the core that
 * model_lr_core() says.
 *
 * Strict: two list registers with one INTID, a hardware interrupt that is not active, reserved
 * bits, a register that is not there, or a maintenance interrupt that never ends, is a violation.
 */
#ifndef CW_HOST_MODEL_LR_H
#define CW_HOST_MODEL_LR_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_LR_CORES	  4
#define MODEL_LR_SPURIOUS 1023u

struct model_lr_config {
	unsigned list_registers;
	unsigned preemption_bits; /* 5 to 7 */
	bool lpis_look_active;	  /* until their EOI, as on QEMU; the architecture frees at once */
};

/* Every core as after a reset: list registers hold nonsense. */
void model_lr_reset(struct model_lr_config config);
/* The core that now runs; `tpidr_el2` is what its register holds. */
void model_lr_core(unsigned core, void *tpidr_el2);

/* The guest on that core: its vector would be taken. Interrupts of group 1 are on, PMR lets all in.
 */
bool model_lr_signals(void);
/* ICC_IAR1_EL1; MODEL_LR_SPURIOUS. */
unsigned model_lr_acknowledge(void);
/* ICC_EOIR1_EL1 with EOImode 0: the priority drops, the interrupt is inactive. */
void model_lr_end(unsigned intid);

/* ICH_MISR_EL2: the maintenance interrupt's line. */
bool model_lr_maintenance(void);

/* A physical interrupt that EL2 has acknowledged, here if it is private: the HW bit ends it. */
void model_lr_physical(unsigned intid);
bool model_lr_physical_active(unsigned intid);

unsigned model_lr_violations(void);
const char *model_lr_violation(void); /* the first; "" when none */

#endif
