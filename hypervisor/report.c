/* SPDX-License-Identifier: BSD-2-Clause */
/* The report: every counter of the running hypervisor, for `make run` and whoever else asks. */
#include "arch.h"
#include "log.h"
#include "partition.h"

/* One number of each class; `suffix` says which. */
static void report_classes(const struct vcpu *vcpu, const char *suffix,
			   const uint64_t n[HV_EXIT_CLASSES])
{
	log_info("@vcpu partition=%s vcpu=%u timer%s=%lu ipi%s=%lu console%s=%lu config%s=%lu "
		 "its%s=%lu inject%s=%lu fault%s=%lu psci%s=%lu other%s=%lu",
		 vcpu->partition->config->name, vcpu->index, suffix, n[HV_EXIT_TIMER], suffix,
		 n[HV_EXIT_IPI], suffix, n[HV_EXIT_CONSOLE], suffix, n[HV_EXIT_CONFIG], suffix,
		 n[HV_EXIT_ITS], suffix, n[HV_EXIT_INJECT], suffix, n[HV_EXIT_FAULT], suffix,
		 n[HV_EXIT_PSCI], suffix, n[HV_EXIT_OTHER]);
}

static void report_vcpu(const struct vcpu *vcpu)
{
	uint64_t count[HV_EXIT_CLASSES], ticks[HV_EXIT_CLASSES], longest[HV_EXIT_CLASSES];

	for (unsigned i = 0; i < HV_EXIT_CLASSES; i++) {
		count[i] = vcpu->exits[i].count;
		ticks[i] = vcpu->exits[i].ticks;
		longest[i] = vcpu->exits[i].longest;
	}
	log_info("@vcpu partition=%s vcpu=%u core=%u", vcpu->partition->config->name, vcpu->index,
		 vcpu->core);
	report_classes(vcpu, "", count);
	report_classes(vcpu, "_insn", ticks);
	report_classes(vcpu, "_max", longest);
}

void report_print(void)
{
	log_info("@report time=%lu freq=%lu", counter_ticks(), counter_frequency());
	for (unsigned i = 0; i < partition_count; i++) {
		const struct partition *partition = &partitions[i];

		log_info("@partition name=%s index=%u state=%s service=%u resets=%u",
			 partition->config->name, i, partition_state_name(partition->state),
			 partition->config->service, partition->resets);
		for (unsigned v = 0; v < partition->config->vcpus; v++) {
			report_vcpu(&partition->vcpus[v]);
		}
	}
	log_info("@pool name=stage2 used=%u", stage2_tables_used());
	partition_hooks.report();
	log_info("@end");
}
