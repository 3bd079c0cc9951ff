/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A config as the program works with it. docs/config.md describes the file; schema.c says what may
 * stand in it, config.c reads it, rules*.c say what makes sense.
 */
#ifndef TOOLS_CONFIG_H
#define TOOLS_CONFIG_H

#include "pci_group.h"
#include "report.h"

#define CONFIG_COMPATIBLE "causeway,config-v1"

/* Limits of the hypervisor (hv.h, guest_map.h, irq_route.h). */
#define MAX_PARTITIONS	    8
#define MAX_VCPUS	    8
#define MAX_DEVICES	    8 /* of one partition, ends of wires among them */
#define MAX_WIRES	    16
#define MAX_CORES	    16
#define MAX_MACHINE_DEVICES 64
#define MAX_NAME	    15 /* characters of a partition's or device's name */
#define MAX_COMMAND_LINE    2047

#define BLOCK		    (2ull << 20) /* memory is given out in blocks of 2 MiB */

/* --- the machine --- */

struct machine_device {
	const char *path, *name;
	const char *model_name, *network, *disk;
	const struct model *model; /* NULL: unknown */
	bool has_at;
	int at;		    /* on the machine's own root bus; -1: none or unreadable */
	const char *behind; /* or: name of the port */
	uint32_t slot, function;
	bool acs_off, smmu_bypass; /* a port's; an expander's */
	uint32_t bus_number;	   /* an expander's */
	/* Set by machine_number(). */
	const struct machine_device *parent; /* the port above; NULL: on the machine's root bus */
	int devfn;			     /* place on its bus; -1: unknown */
	int rid;			     /* bus:device.function; -1: unknown */
	int secondary;			     /* of a port: the bus below it; 0: none */
	int requester;			     /* what its DMA carries; -1: unknown */
	const struct machine_device *group;  /* the first of its isolation group */
	bool has_mac, has_total_vfs;
	uint8_t mac[6];
	uint32_t total_vfs; /* the model's unless the config says less */
};

/* What QEMU calls a device, and what we must know about it. */
struct model {
	const char *name;
	const char *options;  /* always given to QEMU */
	uint32_t vfs;	      /* TotalVFs */
	uint32_t usable_vfs;  /* of those */
	bool port;	      /* a device may sit behind it */
	uint8_t express_type; /* of a port; PCI_EXPRESS_NONE: an expander, with a root bus below */
	bool acs;	      /* of a port: it has ACS */
	bool flr;	      /* has a function-level reset */
	bool network;
	bool disk;	/* keeps its data in a file */
	bool intx_only; /* it has neither MSI nor MSI-X */
};

struct machine {
	bool has_cores, has_memory_size;
	uint32_t cores;
	uint64_t memory_size;
	const char *cpu;
	uint32_t gic;
	bool its_off, smmu_off, smmu_bypass;
	bool dump_pci;	     /* the hypervisor logs the PCI functions, see dump.h */
	uint32_t smmu_stage; /* 1: it has stage 1 alone; 2: both */
	struct machine_device devices[MAX_MACHINE_DEVICES];
	unsigned device_count, devices_left_out;
	bool measured; /* the devices are those of a dump: numbered, grouped, and there */
};

#define MACHINE_DISK_SIZE (64ull << 20) /* of a file that `run` makes */

/* QEMU's `virt`: where RAM begins, and where it puts -initrd when there are 256 MiB or more. */
#define MACHINE_RAM_BASE   0x40000000ull
#define MACHINE_FIT_BASE   0x48000000ull
#define MACHINE_MEMORY_MIN 0x10000000ull
#define MACHINE_MEMORY_MAX (255ull << 30)
/* Kept for the hypervisor from RAM's beginning on, and for the machine's own device tree. */
#define MACHINE_HYPERVISOR_SIZE (64ull << 20)
#define MACHINE_DTB_SIZE	BLOCK

const struct model *machine_model(const char *name);
/* The models' names, separated by commas. */
const char *machine_model_names(void);
bool machine_makes_vfs(const struct machine_device *device);
bool machine_is_expander(const struct machine_device *device);
/* Numbers buses as the hypervisor will, and finds the isolation groups (topology.c). */
void machine_number(struct machine *machine);
/* The bus bypasses the SMMU; NULL: it does not; otherwise which property says so. */
const char *machine_bypass(const struct machine *machine, const struct machine_device *device);
/* Has an isolation group more in it than this device? */
bool machine_shares_group(const struct machine *machine, const struct machine_device *device);
struct machine_device *machine_find(struct machine *machine, const char *name);
/* Another device in that place of the bus below `parent`; NULL: none. */
const struct machine_device *machine_at_place(const struct machine *machine,
					      const struct machine_device *parent, int devfn,
					      const struct machine_device *except);
const struct machine_device *machine_at(const struct machine *machine, int rid);

/* "0000:01:10.2", lower-case, domain 0; -1 when it is not that. */
int bdf_parse(const char *text);
const char *bdf_text(int rid);
const char *mac_text(const uint8_t mac[6]);

/* --- partitions --- */

/* How a partition reaches a device: docs/config.md. */
enum device_path { PATH_DIRECT, PATH_HOSTED, PATH_AUTO, PATH_UNKNOWN };

struct device {
	const char *path, *name;
	int function; /* the whole function; -1: none or unreadable */
	int vf_of;    /* the PF whose VF is wanted; -1: likewise */
	bool has_function, has_vf_of;
	bool has_index, has_mac, has_vlan, keep_without_reset;
	uint32_t index, vlan;
	uint8_t mac[6];
	enum device_path way;
	bool chosen;	/* of `auto`, by paths_decide(): `index` */
	bool has_to;	/* who hosts it is named; else it is the adapter's owner */
	const char *to; /* by this name; NULL: unreadable */
};

/*
 * A virtual wire between two partitions: a node `wire`, or a device that is hosted. The port is the
 * end at `to`.
 */
struct wire {
	const char *path, *name;
	const char *why; /* a device is hosted; NULL: the config says so */
	unsigned from;	 /* number of the partition that has it in its config */
	int to;		 /* likewise of the other; -1: `to_name` names none */
	const char *to_name;
	bool has_mac, has_port_mac;
	uint8_t mac[6], port_mac[6];
	bool no_offload;
};

/* Where everything lies in the guest's memory (guest-physical addresses). */
struct layout {
	uint64_t kernel_load, entry;
	uint64_t ramdisk_load, ramdisk_size; /* 0: none */
	uint64_t dtb_load;
};

/* A file of the FIT; partitions that name the same content share it. */
struct image {
	const char *name, *type;
	const char *file; /* as the config names it; NULL: made by us */
	struct bytes content;
};

struct partition {
	const char *path, *name;
	uint32_t cores[MAX_VCPUS];
	unsigned vcpus, cores_left_out;
	uint64_t memory_size;
	bool has_memory_size, has_memory_at, pf_service, io_host;
	uint64_t memory_at;
	const char *kernel, *ramdisk, *command_line; /* NULL: none */
	struct device devices[MAX_DEVICES];
	unsigned device_count, devices_left_out;
	/* Set by images_load(). */
	const struct image *kernel_image, *ramdisk_image;
	struct layout layout;
	struct bytes dtb;
};

struct config {
	const char *file;
	struct bytes fdt;
	struct machine machine;
	struct partition partitions[MAX_PARTITIONS];
	unsigned partition_count, partitions_left_out;
	struct wire wires[MAX_WIRES];
	unsigned wire_count, wires_left_out;
};

/*
 * Reads FILE, device-tree source or blob. False when it is not a device tree at all; the report
 * then says why. Values that are missing or have the wrong shape are left at 0, NULL or -1 and are
 * schema_check()'s to report.
 */
bool config_read(struct config *config, const char *file, struct report *report);

/*
 * The one place where direct or hosted is decided: gives each `auto` its VF, and makes a wire of
 * what is hosted, which is then no device of its partition any more.
 */
void paths_decide(struct config *config, struct report *report);
/* How many ends of wires a partition has; they follow its devices on its bus. */
unsigned config_wire_ends(const struct config *config, unsigned partition);
/* Adds a wire to the config; NULL: it has as many as it can have. */
struct wire *config_add_wire(struct config *config);

/* Reports every node and property that must not be there, is missing, or has the wrong shape. */
void schema_check(const struct config *config, struct report *report);

#endif
