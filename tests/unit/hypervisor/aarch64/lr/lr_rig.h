/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A partition of two vCPUs, on cores of the same numbers, with the model's list registers. A vCPU
 * looks at its list registers only when it exits by itself, was kicked, or has a maintenance
 * interrupt: whatever else would be needed is a lost interrupt.
 */
#ifndef CW_LR_RIG_H
#define CW_LR_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch.h"
#include "partition.h"

#define VCPUS	 2
#define WIRE	 77u /* the physical SPI behind line 0 */
#define INTX	 (32u + GUEST_INTX_SPI)
#define UART	 (32u + GUEST_UART_SPI)
#define SPI	 64u /* from here on they are edges, and nobody's: the guest makes them pending */
#define TIMER	 27u
#define LPI	 9000u
#define ON	 0xa1 /* configuration byte of an LPI */
#define SGI_BASE 0x10000ull

extern struct partition p;
extern unsigned current; /* core */
extern bool kicked[VCPUS];

void on(unsigned core);
void enter(unsigned core);
void settle(void);
void gicd(unsigned core, uint64_t offset, unsigned size, uint64_t value);
void gicr(unsigned core, uint64_t offset, uint64_t value);
void priority(unsigned intid, uint8_t value);
void set_bit(uint64_t block, unsigned intid);
void enable(unsigned intid, bool on);
void pend(unsigned intid);
void route(unsigned intid, unsigned vcpu);
unsigned acknowledge(unsigned core);
void end(unsigned core, unsigned intid);
bool signals(unsigned core);
void assert_comes(unsigned core, unsigned intid);
void assert_quiet(void);
void line(unsigned core, bool level);
void wire(void);
void timer(unsigned core);
void map_only(unsigned core, unsigned slot, unsigned vcpu, uint32_t intid, uint8_t property);
void map(unsigned slot, unsigned vcpu, uint32_t intid, uint8_t property);
void ring_only(unsigned slot, unsigned core);
void ring(unsigned slot, unsigned core);
void sgi(unsigned from, unsigned to, unsigned intid);
void power_on(unsigned list_registers, bool lpis_look_active);
int set_up(void **state);
int tear_down(void **state);

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
