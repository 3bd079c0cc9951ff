/* SPDX-License-Identifier: BSD-2-Clause */
/* The report: every counter of the running hypervisor, for `make run` and whoever else asks. */
#include "arch.h"
#include "log.h"
#include "partition.h"

static void report_vcpu(const struct vcpu *vcpu)
{
	static const char *const classes[HV_EXIT_CLASSES] = {"other",  "timer", "ipi",	"console",
							     "config", "its",	"wire", "inject",
							     "fault",  "psci"};
	const char *name = vcpu->partition->config->name;

	log_info("@vcpu partition=%s vcpu=%u core=%u", name, vcpu->index, vcpu->core);
	for (unsigned i = 0; i < HV_EXIT_CLASSES; i++) {
		const struct exit_cost *cost = &vcpu->exits[i];

		log_info("@vcpu partition=%s vcpu=%u %s=%lu %s_insn=%lu %s_max=%lu", name,
			 vcpu->index, classes[i], cost->count, classes[i], cost->ticks, classes[i],
			 cost->longest);
	}
}

void report_print(void)
{
	log_info("@report time=%lu freq=%lu", counter_ticks(), counter_frequency());
	for (unsigned i = 0; i < partition_count; i++) {
		const struct partition *partition = &partitions[i];

		log_info("@partition name=%s index=%u state=%s service=%u resets=%u memory=0x%lx",
			 partition->config->name, i, partition_state_name(partition->state),
			 partition->config->service, partition->resets, partition->memory.v);
		for (unsigned v = 0; v < partition->config->vcpus; v++) {
			report_vcpu(&partition->vcpus[v]);
		}
	}
	log_info("@pool name=stage2 used=%u", stage2_tables_used());
	partition_hooks.report();
	log_info("@end");
}
