/* SPDX-License-Identifier: BSD-2-Clause */
/* The QEMU command line of a config's machine. */
#include "qemu.h"

#include <string.h>

/* QEMU's option lists end a value at a comma; a doubled one stands for itself. */
static const char *escape_commas(const char *value)
{
	char *escaped = keep_alloc(2 * strlen(value) + 1), *end = escaped;

	for (; *value; value++) {
		if (*value == ',') {
			*end++ = ',';
		}
		*end++ = *value;
	}
	return escaped;
}

static void add_machine(struct words *words, const struct machine *machine,
			const struct qemu_options *options)
{
	words_add(words, "-M");
	/* From 9.2 on the board insists on both stages. */
	words_add(words, "virt%s,virtualization=on,gic-version=%u%s%s%s,dtb-randomness=off",
		  machine->smmu_stage == 1 ? "-9.1" : "", machine->gic,
		  machine->its_off ? ",its=off" : "", machine->smmu_off ? "" : ",iommu=smmuv3",
		  machine->smmu_bypass ? ",default-bus-bypass-iommu=on" : "");
	if (machine->smmu_stage == 1) {
		words_add(words, "-global");
		words_add(words, "arm-smmuv3.stage=1");
	}
	words_add(words, "-cpu");
	words_add(words, "%s%s", machine->cpu, options->icount ? ",cntfrq=1000000000" : "");
	words_add(words, "-smp");
	words_add(words, "%u", machine->cores);
	words_add(words, "-m");
	words_add(words, "%lluM", (unsigned long long)(machine->memory_size >> 20));
	words_add(words, "-nodefaults");
	words_add(words, "-display");
	words_add(words, "none");
	words_add(words, "-no-reboot");
	if (options->icount) {
		words_add(words, "-accel");
		words_add(words, "tcg,thread=single");
		words_add(words, "-icount");
		words_add(words, "shift=0,sleep=on");
		words_add(words, "-seed");
		words_add(words, "1");
		words_add(words, "-rtc");
		words_add(words, "base=2026-01-01T00:00:00,clock=vm");
	}
}

static void add_console(struct words *words, const struct qemu_options *options)
{
	words_add(words, "-chardev");
	if (options->serial_socket) {
		words_add(words, "socket,id=console,path=%s,server=on,wait=on,logfile=%s",
			  escape_commas(options->serial_socket), escape_commas(options->log));
	} else {
		words_add(words, "stdio,id=console,signal=on,logfile=%s",
			  escape_commas(options->log));
	}
	words_add(words, "-serial");
	words_add(words, "chardev:console");
	words_add(words, "-d");
	words_add(words, "guest_errors");
	words_add(words, "-D");
	words_add(words, "%s.qemu.log", options->log);
}

#define HUB_LAN	    0
#define HUB_OUTSIDE (MAX_MACHINE_DEVICES + 1) /* a card's own is its number, from 1 on */

static bool is_external(const struct machine_device *device)
{
	return device->network && strcmp(device->network, "external") == 0;
}

static unsigned external_cards(const struct machine *machine)
{
	unsigned count = 0;

	for (unsigned i = 0; i < machine->device_count; i++) {
		count += is_external(&machine->devices[i]);
	}
	return count;
}

/* The cable to the outside, `name`: the two sockets. */
static void add_outside(struct words *words, const char *name, const struct qemu_options *options)
{
	words_add(words, "-netdev");
	words_add(words,
		  "dgram,id=%s,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", name,
		  escape_commas(options->local), escape_commas(options->remote));
}

/* The card's cable: to the outside alone, or to a hub. */
static void add_netdev(struct words *words, const struct machine *machine,
		       const struct machine_device *device, const struct qemu_options *options)
{
	bool lan = device->network && strcmp(device->network, "lan") == 0;
	bool several = is_external(device) && external_cards(machine) > 1;
	unsigned number = (unsigned)(device - machine->devices) + 1;

	if (is_external(device) && options->local && !several) {
		add_outside(words, keep_printf("net-%s", device->name), options);
		return;
	}
	words_add(words, "-netdev");
	words_add(words, "hubport,id=net-%s,hubid=%u", device->name,
		  several ? HUB_OUTSIDE
		  : lan	  ? HUB_LAN
			  : number);
}

static void add_drive(struct words *words, const struct machine_device *device)
{
	words_add(words, "-drive");
	words_add(words, "if=none,id=disk-%s,format=raw,file=%s", device->name,
		  escape_commas(device->disk));
}

/* A function 0 that is not alone in its slot must say so. */
static bool is_multifunction(const struct machine *machine, const struct machine_device *device)
{
	bool more = false;

	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *other = &machine->devices[i];

		more |= other != device && other->parent == device->parent &&
			other->devfn >> 3 == device->devfn >> 3;
	}
	return more && (device->devfn & 7) == 0;
}

/* What distinguishes one port from another. */
static const char *port_options(const struct machine_device *device, unsigned number)
{
	const char *options = "";

	if (pci_express_is_link(device->model->express_type)) {
		options = keep_printf(",chassis=%u,slot=%u", number, number);
	}
	if (machine_is_expander(device)) {
		options = keep_printf(",bus_nr=%u%s", device->bus_number,
				      device->smmu_bypass ? ",bypass_iommu=on" : "");
	}
	return device->acs_off ? keep_printf("%s,disable-acs=on", options) : options;
}

static void add_device(struct words *words, const struct machine *machine, unsigned index,
		       const struct qemu_options *options)
{
	const struct machine_device *device = &machine->devices[index];
	const char *own = device->model->options;
	const char *addr = device->parent && device->devfn == 0
				   ? ""
				   : keep_printf(",addr=%02x.%x", (unsigned)device->devfn >> 3,
						 (unsigned)device->devfn & 7);

	if (device->model->port) {
		own = port_options(device, index + 1);
	} else if (device->model->network) {
		add_netdev(words, machine, device, options);
		own = keep_printf("%s,netdev=net-%s%s%s", own, device->name,
				  device->has_mac ? ",mac=" : "",
				  device->has_mac ? mac_text(device->mac) : "");
	} else if (device->model->disk) {
		add_drive(words, device);
		own = keep_printf("%s,drive=disk-%s,serial=%s", own, device->name, device->name);
	}
	words_add(words, "-device");
	words_add(words, "%s,id=%s,bus=%s%s%s%s", device->model->name, device->name,
		  device->behind ? device->behind : "pcie.0", addr,
		  is_multifunction(machine, device) ? ",multifunction=on" : "", own);
}

/* How many ports are above it. */
static unsigned depth_of(const struct machine_device *device)
{
	unsigned depth = 0;

	while (device->parent && depth <= MAX_MACHINE_DEVICES) {
		device = device->parent;
		depth++;
	}
	return depth;
}

/* Ports first, from the root down: QEMU wants to know a bus before a device names it. */
static void add_devices(struct words *words, const struct machine *machine,
			const struct qemu_options *options)
{
	if (options->local && external_cards(machine) > 1) {
		add_outside(words, "outside", options);
		words_add(words, "-netdev");
		words_add(words, "hubport,id=hub-outside,hubid=%u,netdev=outside", HUB_OUTSIDE);
	}
	for (unsigned depth = 0; depth <= machine->device_count; depth++) {
		for (unsigned i = 0; i < machine->device_count; i++) {
			const struct machine_device *device = &machine->devices[i];

			if (device->model->port && depth_of(device) == depth) {
				add_device(words, machine, i, options);
			}
		}
	}
	for (unsigned i = 0; i < machine->device_count; i++) {
		if (!machine->devices[i].model->port) {
			add_device(words, machine, i, options);
		}
	}
}

void qemu_command(struct words *words, const struct machine *machine,
		  const struct qemu_options *options)
{
	words_add(words, "%s", options->program);
	add_machine(words, machine, options);
	add_console(words, options);
	words_add(words, "-kernel");
	words_add(words, "%s", options->hypervisor);
	words_add(words, "-initrd");
	words_add(words, "%s", options->fit);
	add_devices(words, machine, options);
}
