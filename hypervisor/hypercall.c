/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest may ask by HVC: PSCI 1.1 for its own partition (Arm DEN 0022), SMCCC's discovery
 * calls (Arm DEN 0028) and Causeway's. Everything else is refused.
 */
#include "arch.h"
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
#define CAUSEWAY_RELEASE       0xc6000001u /* x1: IPA of 2 MiB, x2: 512 pages of 4 KiB */

#define PSCI_OK		       0
#define PSCI_INVALID	       (-2)
#define PSCI_DENIED	       (-3)
#define PSCI_ALREADY_ON	       (-4)

static int64_t cpu_on(struct partition *partition, uint64_t target, uint64_t entry,
		      uint64_t argument)
{
	if (target >= partition->config->vcpus ||
	    !range_inside(entry, 4, GUEST_RAM_BASE, partition->config->memory_size)) {
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
	static const uint32_t known[] = {
		SMCCC_VERSION,	 PSCI_VERSION,		PSCI_CPU_OFF,	    PSCI_CPU_ON_32,
		PSCI_CPU_ON,	 PSCI_AFFINITY_INFO_32, PSCI_AFFINITY_INFO, PSCI_MIGRATE_INFO_TYPE,
		PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET,	PSCI_FEATURES,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i] == function) {
			return PSCI_OK;
		}
	}
	return PSCI_NOT_SUPPORTED;
}

static int64_t release(struct partition *partition, uint64_t ipa, uint64_t pages)
{
	if (pages != STAGE2_BLOCK / PAGE_SIZE || !is_aligned(ipa, STAGE2_BLOCK) ||
	    !range_inside(ipa, STAGE2_BLOCK, GUEST_RAM_BASE, partition->config->memory_size)) {
		return PSCI_INVALID;
	}
	return partition_release_block(partition, (ipa_t){ipa}) == STATUS_OK ? PSCI_OK
									     : PSCI_DENIED;
}

int64_t hypercall(struct vcpu *vcpu, const uint64_t x[4])
{
	struct partition *partition = vcpu->partition;

	switch ((uint32_t)x[0]) {
	case SMCCC_VERSION:
	case PSCI_VERSION:
		return 0x10001; /* 1.1 */
	case PSCI_CPU_ON_32:
	case PSCI_CPU_ON:
		return cpu_on(partition, x[1], x[2], x[3]);
	case PSCI_CPU_OFF:
		vcpu->stop = true;
		vcpu_alert(vcpu);
		break;
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO:
		return affinity_info(partition, x[1]);
	case PSCI_MIGRATE_INFO_TYPE:
		return 2; /* not required */
	case PSCI_SYSTEM_OFF:
		partition_request(partition, REQUEST_OFF);
		break;
	case PSCI_SYSTEM_RESET:
		partition_request(partition, REQUEST_RESET);
		break;
	case PSCI_FEATURES:
		return features((uint32_t)x[1]);
	case CAUSEWAY_RELEASE:
		return release(partition, x[1], x[2]);
	default:
		break;
	}
	return PSCI_NOT_SUPPORTED;
}
