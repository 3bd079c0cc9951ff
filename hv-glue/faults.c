/* SPDX-License-Identifier: BSD-2-Clause */
#include "hooks.h"

#include "log.h"

#define ROUNDS 8  /* of the event queue's own bound, before a storm is ended */
#define STORMS 16 /* at once; more leave the queue full, and faults unreported */

static uint64_t distinct; /* boot core only, in its interrupt handler */

/* The map's inverse. */
static struct pci_name name_of(stream_id_t stream)
{
	for (unsigned i = 0; i < glue.bus.host.iommu_map_count; i++) {
		const struct pci_id_map *map = &glue.bus.host.iommu_map[i];
		uint32_t offset = stream.v - map->out_base;

		if (stream.v >= map->out_base && offset < map->length) {
			return pci_name_of((rid_t){(uint16_t)(map->rid_base + offset)});
		}
	}
	return (struct pci_name){"unknown"};
}

static void report_fault(void *context, const struct iommu_event *event)
{
	(void)context;
	distinct++;
	log_warn("dma fault: function=%s partition=%s address=0x%lx %s reason=%s",
		 name_of(event->stream).text, hv_partition_name(event->owner), event->address.v,
		 event->write ? "write" : "read", event->reason);
}

static void end_storm(stream_id_t stream)
{
	log_error("dma fault storm: function=%s cut off until its partition restarts: %s",
		  name_of(stream).text, status_name(iommu_silence(stream)));
}

/* The next interrupt comes only once the queue was empty: however many flood it, it must be. */
void faults_handle(void)
{
	stream_id_t stream, ended = {UINT32_MAX};

	for (unsigned round = 1; iommu_events(report_fault, NULL) && round < STORMS * ROUNDS;
	     round++) {
		if (round % ROUNDS == 0 && iommu_flooding_stream(0, &stream) &&
		    stream.v != ended.v) {
			end_storm(stream);
			ended = stream;
		}
	}
	if (iommu_flooding_stream(IOMMU_FLOOD, &stream)) {
		end_storm(stream);
	}
}

/* Also of functions that nobody owns. */
static void report_function(rid_t rid)
{
	stream_id_t stream;

	if (pci_bus_stream_id(&glue.bus, rid, &stream) == STATUS_OK) {
		struct iommu_counters counters = iommu_stream_counters(stream);

		if (counters.faults) {
			log_info("@stream function=%s faults=%lu distinct=%lu", pci_name(rid),
				 counters.faults, counters.distinct);
		}
	}
}

void faults_report(void)
{
	struct iommu_totals totals = iommu_totals();

	for (unsigned i = 0; i < glue.bus.function_count; i++) {
		const struct pci_function *f = &glue.bus.functions[i];

		/* Those behind a conventional bridge stand side by side and have one stream. */
		if (!i || !f->behind_conventional_bridge || f[-1].requester.v != f->requester.v) {
			report_function(f->requester);
		}
	}
	for (unsigned p = 0; p < glue.pool_count; p++) {
		for (unsigned i = 0; i < glue.pools[p].count; i++) {
			report_function(glue.pools[p].vfs[i].rid);
		}
	}
	log_info("@faults total=%lu distinct=%lu overflows=%lu", totals.records, distinct,
		 totals.overflows);
}
