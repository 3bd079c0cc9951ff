/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PF service: reads the contract from its device tree, brings the PF up, serves for ever. When
 * it crashes, or the part does not answer, it starts anew; the hypervisor's quota of restarts ends
 * that.
 */
#include "pf.h"

#include <libfdt.h>
#include <string.h>

#include "runtime.h"

#define BUSY_NS	 1000000ull /* between rounds, while VFs start or talk */
#define IDLE_NS	 4000000ull
#define START_NS 2000000000ull
#define TALK_NS	 100000000ull

static uint32_t cell(const void *fdt, int node, const char *name, uint32_t fallback)
{
	int length;
	const fdt32_t *value = fdt_getprop(fdt, node, name, &length);

	return value && length == 4 ? fdt32_ld(value) : fallback;
}

/* /causeway/vf@N { index; mac-address; vlan }: one node for each VF that has an owner. */
static void read_contract(struct pf_contract contracts[IGB_VF_MAX])
{
	const void *fdt = guest_fdt();
	int parent = fdt ? fdt_path_offset(fdt, "/causeway") : -1;
	int node = parent < 0 ? -1 : fdt_first_subnode(fdt, parent);

	for (; node >= 0; node = fdt_next_subnode(fdt, node)) {
		uint32_t index = cell(fdt, node, "index", ~0u);
		uint32_t vlan = cell(fdt, node, "vlan", 0);
		int length;
		const uint8_t *mac = fdt_getprop(fdt, node, "mac-address", &length);

		if (index >= IGB_VF_MAX || !mac || length != 6 || (mac[0] & 1) || vlan > 4094) {
			say("pf-service: contract %s is not valid; ignored",
			    fdt_get_name(fdt, node, NULL));
			continue;
		}
		contracts[index].present = true;
		contracts[index].vlan = (uint16_t)vlan;
		memcpy(contracts[index].mac, mac, 6);
	}
}

static _Noreturn void serve(struct pf *pf)
{
	uint64_t started = clock_ns(), talked = started;

	for (;;) {
		uint64_t now;

		if (pf_round(pf)) {
			talked = clock_ns();
		}
		now = clock_ns();
		clock_sleep_ns(now - started < START_NS || now - talked < TALK_NS ? BUSY_NS
										  : IDLE_NS);
	}
}

void guest_main(void)
{
	static struct pf_contract contracts[IGB_VF_MAX];
	static struct pf pf;
	struct pci_device device;
	enum status status;
	uint64_t bar;

	restart_on_crash();
	if (!pci_find(IGB_VENDOR, IGB_DEVICE_PF, 0, &device) || !(bar = pci_bar(&device, 0))) {
		say("pf-service: no igb physical function on this partition's bus; powering off");
		return;
	}
	read_contract(contracts);
	pci_enable(&device);
	status = pf_setup(&pf, (mmio_t){bar}, contracts, IGB_VF_MAX);
	if (status != STATUS_OK) {
		say("pf-service: the PF's reset %s; starting anew", status_name(status));
		power_reset();
	}
	serve(&pf);
}
