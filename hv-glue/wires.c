/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual wires. Each end is a function of its partition's bus, behind the partition's devices:
 * its configuration space lies in memory, its registers are io-host's, and its interrupts are
 * events of a device that no hardware is, raised by ITS commands. Show it to the guest, hide it.
 */
#include "hooks.h"

#include <string.h>

#include "clock.h"
#include "io_host.h"
#include "log.h"

#define PORTS		(2 * HV_MAX_WIRES)
#define GITS_TRANSLATER (GUEST_ITS_DOORBELL + 0x40)
#define MSIX_CAPABILITY 0x40 /* in io_end_image() */
#define MSIX_ENABLE	0x80 /* in the upper byte of its Message Control */
#define MSIX_MASK	0x40
#define WIRE_MTU	1500
#define WORK_MAX	2048u /* for one access: more than full queues need, and a flood gets */
#define OWED_NS		50000 /* then a step at a time: its driver need not kick again */
#define FAULT_LINES	4     /* a second */

struct port {
	partition_id_t owner;
	const struct hv_wire_request *request;
	unsigned slot;
	uint64_t bar;
	rid_t rid;
	device_id_t device;
	bool shown;
	struct io_end *end;
	unsigned owed;	  /* atomic: 1 more than the core whose alarm goes on; 0: nothing is left */
	const char *said; /* of its faults, the last */
	struct log_quota quota;
};

static struct io_wire wires[HV_MAX_WIRES];
static struct port ports[PORTS];
static unsigned port_count;
static uint8_t spaces[PORTS][PCI_BUS_SOFT_BYTES];

static void raise(void *context, uint64_t address, uint32_t data)
{
	const struct port *port = context;

	if (address == GITS_TRANSLATER) {
		irq_device_raise(&glue.sides[port->owner.v].irq, port->device, data);
	}
}

static uint64_t read_bar(void *context, uint64_t offset, unsigned size)
{
	const struct port *port = context;

	return port->shown ? io_end_read(port->end, offset, size) : 0;
}

/* Whichever of its ends' drivers broke a rule: one line for it. */
static void say_fault(struct port *port)
{
	const char *fault = port->end->fault;

	if (fault && fault != port->said &&
	    log_allowed(&port->quota, clock_ns(), FAULT_LINES, CLOCK_SECOND)) {
		log_warn("%s (%s): its driver broke a rule: %s; the card waits for a reset",
			 hv_partition_name(port->owner), port->request->label, fault);
	}
	port->said = fault;
}

static void owe(struct port *port)
{
	__atomic_store_n(&port->owed, 1 + hv_alarm(OWED_NS), __ATOMIC_RELAXED);
}

/* Cleared before the work: what another core leaves over meanwhile is not forgotten. */
void wires_alarm(unsigned core)
{
	for (struct port *port = ports; port < &ports[port_count]; port++) {
		unsigned here = core + 1;

		if (__atomic_compare_exchange_n(&port->owed, &here, 0, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED) &&
		    io_end_work(port->end)) {
			owe(port);
		}
	}
}

/* Writing the same again, when an interrupt has cut the work, changes nothing. */
static void write_bar(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct port *port = context;

	if (!port->shown) {
		return;
	}
	io_end_write(port->end, offset, size, value);
	for (unsigned i = 1; io_end_work(port->end) && !hv_again(); i++) {
		if (i == WORK_MAX) {
			owe(port);
			break;
		}
	}
	say_fault(port);
	say_fault(&ports[(port - ports) ^ 1]);
}

static enum status init_port(struct port *port)
{
	struct partition_side *side = &glue.sides[port->owner.v];

	port->slot = 1 + side->count + side->wire_ends++;
	port->bar = WIRES_BASE + (port->slot - 1) * IO_BAR_SIZE;

	const struct hv_mmio_region region = {{port->bar}, IO_BAR_SIZE, HV_EXIT_WIRE,
					      port,	   read_bar,	write_bar};
	enum status status = pci_bus_device_id(&glue.bus, port->rid, &port->device);

	return status == STATUS_OK ? hv_trap_region(port->owner, &region) : status;
}

static enum status init_wire(const struct hv_wire_request *request, struct io_wire *wire)
{
	struct io_end_config configs[2];
	enum status status = STATUS_OK;

	for (unsigned i = 0; i < 2 && status == STATUS_OK; i++) {
		struct port *port = &ports[port_count];
		unsigned vcpus = hv_partition(request->ends[i]).vcpus;

		*port = (struct port){
			.owner = request->ends[i],
			.request = request,
			.rid.v = (uint16_t)(glue.bus.soft.first.v + port_count++),
			.end = &wire->ends[i],
		};
		configs[i] = (struct io_end_config){
			.device = {.pairs = (uint16_t)(vcpus < IO_PAIRS ? vcpus : IO_PAIRS),
				   .mtu = WIRE_MTU},
			.offload = !request->no_offload,
			.memory = hv_guest_memory(request->ends[i]),
			.raise = raise,
			.context = port,
		};
		memcpy(configs[i].device.mac, request->macs[i], sizeof(request->macs[i]));
		status = init_port(port);
	}
	if (status == STATUS_OK) {
		io_wire_init(wire, configs);
	}
	return status;
}

/*
 * Their requester ids are on the next bus, which no hardware has. On one error none of them is
 * there: their partitions run without.
 */
void wires_init(const struct glue_machine *machine)
{
	unsigned bus = glue.bus.host.bus_first + glue.bus.bus_count;
	enum status status = bus > UINT8_MAX ? STATUS_NO_SPACE : STATUS_OK;

	port_count = 0;
	glue.bus.soft.first.v = (uint16_t)(bus << 8);
	for (unsigned i = 0; i < machine->wire_count && status == STATUS_OK; i++) {
		status = init_wire(&machine->wires[i], &wires[i]);
	}
	if (status != STATUS_OK && machine->wire_count) {
		log_error("none of the wires is there: %s", status_name(status));
		port_count = 0;
	}
	glue.bus.soft.count = port_count;
	glue.bus.soft.spaces = spaces;
	glue.bus.bus_count += port_count > 0;
}

static enum status show(struct port *port)
{
	struct partition_side *side = &glue.sides[port->owner.v];
	struct pci_virt_identity identity = {
		.rid = port->rid,
		.vendor = (uint16_t)io_end_image[0],
		.device = (uint16_t)(io_end_image[0] >> 16),
		.class_revision = io_end_image[2],
		.subsystem_vendor = (uint16_t)io_end_image[11],
		.subsystem = (uint16_t)(io_end_image[11] >> 16),
		.bars[0] = {.pci_address = port->bar,
			    .size = IO_BAR_SIZE,
			    .space = PCI_SPACE_MEM32},
		.caps.msix = MSIX_CAPABILITY,
		.msix_vectors = IO_VECTORS,
	};
	uint8_t *space = spaces[port - ports];
	enum status status = side->irq_ready
				     ? irq_device_bind(&side->irq, port->device,
						       (device_id_t){port->slot << 3}, IO_VECTORS)
				     : STATUS_NOT_FOUND;

	memcpy(space, io_end_image, sizeof(io_end_image));
	space[PCI_COMMAND] = PCI_COMMAND_MEMORY;
	status = status == STATUS_OK ? pci_virt_add(&side->bridge, port->slot, &identity) : status;
	if (status != STATUS_OK) { /* when it is bound */
		(void)!irq_device_unbind(&side->irq, port->device, hv_pause);
	}
	return status;
}

static const char *peer_name(const struct port *port)
{
	return hv_partition_name(ports[(port - ports) ^ 1].owner);
}

void wires_start(partition_id_t id)
{
	for (struct port *port = ports; port < &ports[port_count]; port++) {
		if (port->owner.v == id.v) {
			enum status status = show(port);

			port->shown = status == STATUS_OK;
			log_info("%s (%s): a wire to %s (%s)%s%s", hv_partition_name(id),
				 port->request->label, peer_name(port), port->request->why,
				 port->shown ? "" : ": not given: ",
				 port->shown ? "" : status_name(status));
			hv_pause();
		}
	}
}

static void hide(struct port *port)
{
	struct partition_side *side = &glue.sides[port->owner.v];

	port->shown = false;
	pci_virt_remove(&side->bridge, port->slot);
	io_end_reset(port->end);
	for (unsigned i = 0; i < WORK_MAX && io_end_work(port->end); i++) {
		hv_pause();
	}
	if (irq_device_unbind(&side->irq, port->device, hv_pause) != STATUS_OK) {
		log_error("%s (%s): its interrupts did not stop", hv_partition_name(port->owner),
			  port->request->label);
	}
}

void wires_stop(partition_id_t id)
{
	for (struct port *port = ports; port < &ports[port_count]; port++) {
		if (port->owner.v == id.v && port->shown) {
			hide(port);
		}
	}
}

void wires_configured(partition_id_t id, unsigned slot)
{
	for (struct port *port = ports; port < &ports[port_count]; port++) {
		if (port->owner.v == id.v && port->slot == slot && port->shown) {
			unsigned control = spaces[port - ports][MSIX_CAPABILITY + 3];

			io_end_msix(port->end, control & MSIX_ENABLE, control & MSIX_MASK);
		}
	}
}

void wires_report(void)
{
	for (const struct port *port = ports; port < &ports[port_count]; port++) {
		const struct io_counters *c = &port->end->inlet.counters;

		log_info("@wire partition=%s peer=%s label=%s why=%s guest=0000:00:%02x.0 "
			 "state=%s packets=%lu bytes=%lu link=%lu size=%lu header=%lu room=%lu "
			 "blocked=%lu",
			 hv_partition_name(port->owner), peer_name(port), port->request->label,
			 port->request->why, port->slot,
			 !port->shown			    ? "off"
			 : port->end->fault		    ? "failed"
			 : port->end->registers.device.link ? "up"
							    : "down",
			 c->packets, c->bytes, c->dropped[IO_DROP_LINK], c->dropped[IO_DROP_SIZE],
			 c->dropped[IO_DROP_HEADER], c->dropped[IO_DROP_ROOM], c->blocked);
	}
}
