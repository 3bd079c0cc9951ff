/* SPDX-License-Identifier: BSD-2-Clause */
/* One model, one bus; every test ends with no violation unless it says so. */
#ifndef CW_TEST_BUS_FIXTURE_H
#define CW_TEST_BUS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model_pci.h"
#include "model_pci_host.h"
#include "models.h"
#include "pci_bus.h"

static struct model_pci *model;
static struct pci_host host;
static struct pci_bus bus;

static inline int set_up(void **state)
{
	(void)state;
	models_reset();
	model = model_pci_new(MODEL_PCI_ECAM, 0, 255);
	model_pci_host(&host);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	model_pci_free(model);
	return 0;
}

static inline void assert_no_violation(void)
{
	assert_string_equal(model_pci_violation(model), "");
}

static inline struct pci_function *found(const struct model_pci_function *f)
{
	return pci_bus_find(&bus, (rid_t){model_pci_rid(f)});
}

#define BUS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
