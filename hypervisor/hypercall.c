/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest may ask by HVC: PSCI 1.1 for its own partition (Arm DEN 0022), SMCCC's discovery
 * calls (Arm DEN 0028) and Causeway's. Everything else is refused.
 */
#include "log.h"
#include "partition.h"
#include "trap.h"

#define SMCCC_VERSION	       0x80000000u
#define PSCI_VERSION	       0x84000000u
#define PSCI_CPU_OFF	       0x84000002u
#define PSCI_CPU_ON_32	       0x84000003u
#define PSCI_CPU_ON	       0xc4000003u
#define PSCI_AFFINITY_INFO_32  0x84000004u
#define PSCI_AFFINITY_INFO     0xc4000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF	       0x84000008u
#define PSCI_SYSTEM_RESET      0x84000009u
#define PSCI_FEATURES	       0x8400000au
#define CAUSEWAY_RELEASE       0xc6000001u /* x1: IPA, x2: number of 4 KiB pages */

#define PSCI_OK		       0
#define PSCI_INVALID	       (-2)
#define PSCI_DENIED	       (-3)
#define PSCI_ALREADY_ON	       (-4)
#define RELEASE_MAX_PAGES      512

static int64_t cpu_on(struct partition *partition, uint64_t target, uint64_t entry,
		      uint64_t argument)
{
	if (target >= partition->config->vcpus) {
		return PSCI_INVALID;
	}
	if (!range_inside(entry, 4, GUEST_RAM_BASE, partition->config->memory_size)) {
		return PSCI_INVALID;
	}
	return vcpu_power_on(&partition->vcpus[target], entry, argument) == STATUS_OK
		       ? PSCI_OK
		       : PSCI_ALREADY_ON;
}

static int64_t affinity_info(const struct partition *partition, uint64_t target)
{
	if (target >= partition->config->vcpus) {
		return PSCI_INVALID;
	}
	return __atomic_load_n(&partition->vcpus[target].state, __ATOMIC_ACQUIRE) == VCPU_OFF;
}

static int64_t features(uint32_t function)
{
	switch (function) {
	case SMCCC_VERSION:
	case PSCI_VERSION:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON_32:
	case PSCI_CPU_ON:
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
		return PSCI_OK;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

static int64_t release(struct partition *partition, uint64_t ipa, uint64_t pages)
{
	if (pages == 0 || pages > RELEASE_MAX_PAGES) {
		return PSCI_INVALID;
	}

	enum status status = partition_release_memory(partition, (ipa_t){ipa}, pages * PAGE_SIZE);

	return status == STATUS_OK	  ? PSCI_OK
	       : status == STATUS_INVALID ? PSCI_INVALID
					  : PSCI_DENIED;
}

enum hv_exit_class hypercall(struct vcpu *vcpu, struct guest_registers *regs)
{
	struct partition *partition = vcpu->partition;
	int64_t result = PSCI_NOT_SUPPORTED;

	switch ((uint32_t)regs->x[0]) {
	case SMCCC_VERSION:
	case PSCI_VERSION:
		result = 0x10001; /* 1.1 */
		break;
	case PSCI_CPU_ON_32:
	case PSCI_CPU_ON:
		result = cpu_on(partition, regs->x[1], regs->x[2], regs->x[3]);
		break;
	case PSCI_CPU_OFF:
		__atomic_store_n(&vcpu->stop, true, __ATOMIC_RELEASE);
		break;
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO:
		result = affinity_info(partition, regs->x[1]);
		break;
	case PSCI_MIGRATE_INFO_TYPE:
		result = 2; /* not required */
		break;
	case PSCI_SYSTEM_OFF:
		partition_request(partition, REQUEST_OFF);
		break;
	case PSCI_SYSTEM_RESET:
		partition_request(partition, REQUEST_RESET);
		break;
	case PSCI_FEATURES:
		result = features((uint32_t)regs->x[1]);
		break;
	case CAUSEWAY_RELEASE:
		result = release(partition, regs->x[1], regs->x[2]);
		break;
	default:
		break;
	}
	regs->x[0] = (uint64_t)result;
	return HV_EXIT_PSCI;
}
