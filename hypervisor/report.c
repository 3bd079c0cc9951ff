/* SPDX-License-Identifier: BSD-2-Clause */
/* The report: every counter of the running hypervisor, for `make run` and whoever else asks. */
#include "arch.h"
#include "log.h"
#include "partition.h"

static void report_vcpu(const struct partition *partition, const struct vcpu *vcpu)
{
	const uint64_t *n = vcpu->exits, *t = vcpu->ticks;

	log_info("@vcpu partition=%s vcpu=%u core=%u timer=%lu ipi=%lu console=%lu config=%lu "
		 "its=%lu "
		 "inject=%lu fault=%lu psci=%lu other=%lu",
		 partition->config->name, vcpu->index, vcpu->core, n[HV_EXIT_TIMER], n[HV_EXIT_IPI],
		 n[HV_EXIT_CONSOLE], n[HV_EXIT_CONFIG], n[HV_EXIT_ITS], n[HV_EXIT_INJECT],
		 n[HV_EXIT_FAULT], n[HV_EXIT_PSCI], n[HV_EXIT_OTHER]);
	log_info("@vcpu partition=%s vcpu=%u timer_insn=%lu ipi_insn=%lu console_insn=%lu "
		 "config_insn=%lu its_insn=%lu inject_insn=%lu fault_insn=%lu psci_insn=%lu "
		 "other_insn=%lu",
		 partition->config->name, vcpu->index, t[HV_EXIT_TIMER], t[HV_EXIT_IPI],
		 t[HV_EXIT_CONSOLE], t[HV_EXIT_CONFIG], t[HV_EXIT_ITS], t[HV_EXIT_INJECT],
		 t[HV_EXIT_FAULT], t[HV_EXIT_PSCI], t[HV_EXIT_OTHER]);
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
			report_vcpu(partition, &partition->vcpus[v]);
		}
	}
	partition_hooks.report();
	log_info("@end");
}
