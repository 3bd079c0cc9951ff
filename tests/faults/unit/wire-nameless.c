/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wire whose requester ids the ITS does not know is built half-way.
 * wraps: pci_bus_device_id
 * test: hv-glue/test_wire_lives
 * fails: no_device_ids
 */
#include "pci_bus.h"

enum status __wrap_pci_bus_device_id(const struct pci_bus *bus, rid_t rid, device_id_t *device);

enum status __wrap_pci_bus_device_id(const struct pci_bus *bus, rid_t rid, device_id_t *device)
{
	*device = (device_id_t){rid.v};
	return bus ? STATUS_OK : STATUS_INVALID;
}
