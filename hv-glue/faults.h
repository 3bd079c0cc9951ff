/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA that was refused: who did it, whose it is, where, why. */
#ifndef CW_FAULTS_H
#define CW_FAULTS_H

/* The SMMU's interrupt: drains what is recorded, in bounded steps; ends a storm. */
void faults_handle(void);
/* One log line with the machine's totals. */
void faults_report(void);

#endif
