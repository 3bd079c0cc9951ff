/* SPDX-License-Identifier: BSD-2-Clause */
/* An igb behind a root port, enumerated; its PF and an empty pool. */
#ifndef CW_TEST_VF_FIXTURE_H
#define CW_TEST_VF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "model_pci.h"
#include "model_pci_host.h"
#include "models.h"
#include "vf.h"

#define MS    1000000ull
#define PF    0x0100
#define SRIOV 0x160

static struct model_pci *model;
static struct model_pci_function *port, *igb;
static struct pci_bus bus;
static struct pci_function *pf;
static struct vf_pool pool;

static inline void enumerate(void)
{
	struct pci_host host;

	model_pci_host(&host);
	assert_int_equal(pci_bus_enumerate(&bus, &host), STATUS_OK);
	pf = pci_bus_find(&bus, (rid_t){PF});
	assert_non_null(pf);
}

static inline int set_up(void **state)
{
	(void)state;
	models_reset();
	model = model_pci_new(MODEL_PCI_ECAM, 0, 255);
	port = model_pci_bridge(model, NULL, 0x08, MODEL_PCI_ROOT_PORT);
	igb = model_pci_igb(model, port, 0);
	memset(&pool, 0, sizeof(pool));
	enumerate();
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

static inline uint32_t sriov(uint16_t offset)
{
	return model_pci_peek(igb, SRIOV + offset, offset >= PCI_SRIOV_SUPPORTED_PAGES ? 4 : 2);
}

#define VF_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
