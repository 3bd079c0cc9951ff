/* SPDX-License-Identifier: BSD-2-Clause */
/* What is well formed but cannot work: each rule reports what is wrong and what to do. */
#ifndef TOOLS_RULES_H
#define TOOLS_RULES_H

#include "config.h"

/* All of them. `fit_size`: how much of the machine's memory the FIT will take. */
void rules_check(struct config *config, uint64_t fit_size, struct report *report);

/* The parts of it that have files of their own. */
void rules_check_machine(struct machine *machine, struct report *report);
void rules_check_devices(struct config *config, unsigned partition, struct report *report);

/* The device of the machine at this address; NULL after saying why it cannot be given away. */
const struct machine_device *rules_given_device(struct config *config, const struct device *device,
						int function, struct report *report);

void rules_check_wires(struct config *config, struct report *report);

void rules_check_group(const struct config *config, unsigned partition, const struct device *device,
		       struct report *report);

/* Of one device: an interrupt line that it shares with another partition's. */
void rules_check_intx(struct config *config, unsigned partition, const struct device *device,
		      struct report *report);

/* A MAC address that no device can have; one that another device has too. */
void rules_check_mac(const char *path, const uint8_t mac[6], struct report *report);
void rules_check_mac_twin(const char *path, const uint8_t mac[6], const char *other_path,
			  const uint8_t other[6], struct report *report);

#endif
