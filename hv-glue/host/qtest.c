/* SPDX-License-Identifier: BSD-2-Clause */
/* The qtest protocol and the monitor of one QEMU (qemu:system/qtest.c). */
#include "qtest.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "models.h"
#include "qtest_process.h"

#define PROMPT	"(qemu) "
#define TIMEOUT 10000 /* ms */

static void (*before_write)(uintptr_t, uint64_t);
static uint64_t accesses;
static char complaint[256];

/* --- the protocol: one line there, one back -------------------------------------------------- */

static uint64_t transfer(const char *line, size_t length)
{
	char answer[128];
	uint64_t value = 0;

	accesses++;
	qtest_process_send(QTEST_PORT, line, length);
	do {
		qtest_process_line(answer, sizeof(answer), TIMEOUT);
	} while (strncmp(answer, "IRQ ", 4) == 0);
	if (sscanf(answer, "OK %" SCNx64, &value) != 1 && strcmp(answer, "OK") != 0) {
		qtest_process_die("'%.*s' was answered by '%s'", (int)length - 1, line, answer);
	}
	return value;
}

static char width(unsigned bytes)
{
	return bytes == 1 ? 'b' : bytes == 2 ? 'w' : bytes == 4 ? 'l' : 'q';
}

static uint64_t read_device(void *base, uint64_t offset, unsigned bytes)
{
	char line[64];
	int length = snprintf(line, sizeof(line), "read%c 0x%" PRIx64 "\n", width(bytes),
			      (uintptr_t)base + offset);

	return transfer(line, (size_t)length);
}

static void write_device(void *base, uint64_t offset, unsigned bytes, uint64_t value)
{
	char line[64];
	int length = snprintf(line, sizeof(line), "write%c 0x%" PRIx64 " 0x%" PRIx64 "\n",
			      width(bytes), (uintptr_t)base + offset, value);

	if (before_write) {
		before_write((uintptr_t)base + offset, value);
	}
	transfer(line, (size_t)length);
}

static void route(uintptr_t base, size_t size)
{
	models_add(&(struct model){base, size, (void *)base, read_device, write_device});
}

/* --- the monitor: it echoes what it reads, and ends an answer with its prompt ---------------- */

void qtest_monitor(const char *command, char *answer, size_t size)
{
	static char text[256 * 1024];
	size_t used;

	if (command) {
		qtest_process_send(QTEST_MONITOR, command, strlen(command));
		qtest_process_send(QTEST_MONITOR, "\n", 1);
	}
	used = qtest_process_until(QTEST_MONITOR, PROMPT, text, sizeof(text), TIMEOUT);
	text[used - strlen(PROMPT)] = '\0';
	if (answer) {
		const char *after = strchr(text, '\n');

		snprintf(answer, size, "%s", after ? after + 1 : "");
	}
}

void qtest_freeze(bool frozen)
{
	qtest_monitor(frozen ? "stop" : "cont", NULL, 0);
}

bool qtest_wait32(uintptr_t address, uint32_t mask, uint32_t value)
{
	for (unsigned i = 0; i < TIMEOUT; i++) {
		if (((uint32_t)read_device((void *)address, 0, 4) & mask) == value) {
			return true;
		}
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	return false;
}

void qtest_before_write(void (*hook)(uintptr_t, uint64_t))
{
	before_write = hook;
}

uint64_t qtest_accesses(void)
{
	return accesses;
}

/* --- start and stop -------------------------------------------------------------------------- */

void qtest_start(const char *name, const char *machine, unsigned cores, const char *const *devices)
{
	qtest_process_start(name, machine, cores, devices);
	qtest_monitor(NULL, NULL, 0); /* its greeting */
	models_reset();
	route(0x08000000, 0x38000000); /* all below RAM but the flash */
	route(QTEST_ECAM, 0x10000000);
	route(0x8000000000, 0x8000000000);
	before_write = NULL;
	accesses = 0;
}

/* That a DMA was refused is told by the event queue, too. */
static bool is_refused_dma(const char *line)
{
	return strncmp(line, "smmuv3-iommu-memory-region", 26) == 0 ||
	       strncmp(line, "invalid STE", 11) == 0;
}

const char *qtest_complaint(void)
{
	FILE *log = fopen(qtest_process_log(), "r");
	bool found = false;

	while (log && !found && fgets(complaint, sizeof(complaint), log)) {
		found = !is_refused_dma(complaint);
	}
	if (log) {
		fclose(log);
	}
	complaint[found ? strcspn(complaint, "\n") : 0] = '\0';
	return complaint;
}

void qtest_stop(void)
{
	qtest_process_stop();
}
