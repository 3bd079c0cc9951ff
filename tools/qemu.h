/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_QEMU_H
#define TOOLS_QEMU_H

#include "config.h"

struct qemu_options {
	const char *program, *hypervisor, *fit;
	const char *log;	    /* the console's; QEMU's own goes to LOG.qemu.log */
	const char *serial_socket;  /* NULL: the console is standard input and output */
	const char *local, *remote; /* sockets of the external network; NULL: none */
	bool icount;
};

/* Builds the command that starts the machine. Its devices' models and places are sound. */
void qemu_command(struct words *words, const struct machine *machine,
		  const struct qemu_options *options);

#endif
