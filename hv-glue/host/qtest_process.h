/* SPDX-License-Identifier: BSD-2-Clause */
/* The process behind qtest.h: QEMU, its two sockets and the RAM it shares with us. */
#ifndef CW_HOST_QTEST_PROCESS_H
#define CW_HOST_QTEST_PROCESS_H

#include <stddef.h>
#include <stdnoreturn.h>

enum qtest_port { QTEST_PORT, QTEST_MONITOR, QTEST_PORTS };

/* Ends QEMU and the program, with a message and where QEMU's own words are. */
noreturn void qtest_process_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

void qtest_process_start(const char *name, const char *machine, unsigned cores,
			 const char *const *devices);
void qtest_process_stop(void);
const char *qtest_process_log(void); /* what QEMU says about its guests */

void qtest_process_send(enum qtest_port port, const char *text, size_t length);
/* Reads until `end`; returns the length, `end` included. Dies after `timeout_ms`. */
size_t qtest_process_until(enum qtest_port port, const char *end, char *text, size_t size,
			   int timeout_ms);
/* A line of the qtest port, without its end. */
void qtest_process_line(char *line, size_t size, int timeout_ms);

#endif
