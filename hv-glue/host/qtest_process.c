/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "qtest_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "qtest.h"
#include "types.h"

#define QEMU	      "qemu-system-aarch64"
#define MAX_ARGUMENTS 96
#define LINE	      256

static const uint32_t idle[] = {0xd503207f, 0x17ffffff}; /* wfi; b . - 4 */

static pid_t child;
static int ram = -1;
static int ports[QTEST_PORTS];
static char log_file[LINE], error_file[LINE + 8];

const char *qtest_process_log(void)
{
	return log_file;
}

void qtest_process_die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "qtest: ");
	vfprintf(stderr, format, arguments);
	fprintf(stderr, "; QEMU's own words are in %s\n", error_file);
	va_end(arguments);
	qtest_process_stop();
	exit(1);
}

/* --- memory: what the linker placed at an address is at that address of the machine ---------- */

extern char __bss_start[], _end[];

static void map_ram(char *at, size_t size, off_t offset)
{
	void *mapped = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram, offset);

	if (mapped != at) {
		qtest_process_die("cannot map the machine's RAM: %s", strerror(errno));
	}
}

/*
 * The pages of .bss change from private memory to the machine's, with the same bytes. Nothing else
 * runs meanwhile. The raw system call: red zones are copied too.
 */
static void share_memory(void)
{
	/* Where .bss begins: its biggest tables are aligned so. */
	char *first = (char *)align_up((uintptr_t)__bss_start, KIB(64));
	size_t size = align_up((uintptr_t)_end - (uintptr_t)first, PAGE_SIZE);
	off_t offset = first - (char *)QTEST_RAM;

	if ((uintptr_t)first < QTEST_PROGRAM ||
	    (uintptr_t)first + size > QTEST_RAM + QTEST_RAM_SIZE) {
		qtest_process_die("this program is not linked into the machine's RAM");
	}
	ram = memfd_create("ram", 0);
	if (ram < 0 || ftruncate(ram, QTEST_RAM_SIZE) != 0 ||
	    syscall(SYS_pwrite64, ram, first, size, offset) != (long)size) {
		qtest_process_die("no memory for the machine's RAM: %s", strerror(errno));
	}
	map_ram(first, size, offset);
	map_ram((char *)QTEST_RAM, QTEST_PROGRAM - QTEST_RAM, 0);
}

/* --- the process ----------------------------------------------------------------------------- */

/* build/logs/qtest, found from build/host/tests/qtest/PROGRAM. */
static void name_logs(const char *name)
{
	char program[LINE] = "";
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *end = length > 0 ? strstr(program, "/host/tests/") : NULL;
	char folder[LINE - 64];

	if (end) {
		*end = '\0';
	}
	snprintf(folder, sizeof(folder), "%.150s/logs", end ? program : "build");
	mkdir(folder, 0777);
	strcat(folder, "/qtest");
	mkdir(folder, 0777);
	snprintf(log_file, sizeof(log_file), "%s/%.40s.log", folder, name);
	snprintf(error_file, sizeof(error_file), "%s/%.40s.err", folder, name);
}

struct arguments {
	char text[32][LINE];
	char *word[MAX_ARGUMENTS + 1];
	unsigned texts, count;
};

static void add(struct arguments *arguments, const char *word)
{
	if (arguments->count == MAX_ARGUMENTS) {
		qtest_process_die("too many options for QEMU");
	}
	arguments->word[arguments->count++] = (char *)(uintptr_t)word;
}

__attribute__((format(printf, 2, 3))) static void add_text(struct arguments *arguments,
							   const char *format, ...)
{
	char *text = arguments->text[arguments->texts++];
	va_list values;

	va_start(values, format);
	vsnprintf(text, LINE, format, values);
	va_end(values);
	add(arguments, text);
}

static void fill(struct arguments *arguments, const char *machine, unsigned cores, int kernel,
		 const int theirs[QTEST_PORTS])
{
	static const char *const fixed[] = {QEMU,
					    "-cpu",
					    "neoverse-n1",
					    "-m",
					    "512M",
					    "-accel",
					    "tcg",
					    "-icount",
					    "shift=0,sleep=off",
					    "-nodefaults",
					    "-d",
					    "guest_errors",
					    "-qtest",
					    "chardev:qtest",
					    "-qtest-log",
					    "none",
					    "-display",
					    "none",
					    "-mon",
					    "chardev=monitor,mode=readline"};

	for (unsigned i = 0; i < ARRAY_SIZE(fixed); i++) {
		add(arguments, fixed[i]);
	}
	add(arguments, "-M");
	add_text(arguments, "virt,virtualization=on,dtb-randomness=off,memory-backend=ram,%s",
		 machine);
	add(arguments, "-object");
	add_text(arguments,
		 "memory-backend-file,id=ram,size=512M,share=on,mem-path=/proc/self/fd/%d", ram);
	add(arguments, "-smp");
	add_text(arguments, "%u", cores);
	add(arguments, "-D");
	add_text(arguments, "%s", log_file);
	add(arguments, "-kernel");
	add_text(arguments, "/proc/self/fd/%d", kernel);
	add(arguments, "-chardev");
	add_text(arguments, "socket,id=qtest,fd=%d", theirs[QTEST_PORT]);
	add(arguments, "-chardev");
	add_text(arguments, "socket,id=monitor,fd=%d", theirs[QTEST_MONITOR]);
}

/* In the child: it ends with us, and its words go to a file. */
static noreturn void become(char **words)
{
	int words_to = open(error_file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	int none = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(none, STDIN_FILENO);
	dup2(words_to, STDOUT_FILENO);
	dup2(words_to, STDERR_FILENO);
	execvp(words[0], words);
	dprintf(STDERR_FILENO, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

void qtest_process_start(const char *name, const char *machine, unsigned cores,
			 const char *const *devices)
{
	static struct arguments arguments;
	int theirs[QTEST_PORTS];
	int kernel = memfd_create("idle", 0);

	qtest_process_stop();
	name_logs(name);
	unlink(log_file);
	if (ram < 0) {
		share_memory();
	}
	for (unsigned i = 0; i < QTEST_PORTS; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
			qtest_process_die("no socket: %s", strerror(errno));
		}
		ports[i] = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
		close(pair[0]);
		theirs[i] = pair[1];
	}
	if (kernel < 0 || write(kernel, idle, sizeof(idle)) != (ssize_t)sizeof(idle)) {
		qtest_process_die("no memory for its program: %s", strerror(errno));
	}
	memset(&arguments, 0, sizeof(arguments));
	fill(&arguments, machine, cores, kernel, theirs);
	for (; *devices; devices++) {
		add(&arguments, *devices);
	}
	pid_t started = fork(); /* in the child our statics are shared: it writes none */

	if (started == 0) {
		become(arguments.word);
	}
	child = started;
	for (unsigned i = 0; i < QTEST_PORTS; i++) {
		close(theirs[i]);
	}
	close(kernel);
}

void qtest_process_stop(void)
{
	pid_t ended = child;

	if (!ended) {
		return;
	}
	child = 0;
	kill(ended, SIGKILL);
	waitpid(ended, NULL, 0);
	for (unsigned i = 0; i < QTEST_PORTS; i++) {
		close(ports[i]);
	}
}

/* --- the sockets ----------------------------------------------------------------------------- */

void qtest_process_send(enum qtest_port port, const char *text, size_t length)
{
	if (!child) {
		qtest_process_die("QEMU does not run");
	}
	while (length) {
		ssize_t sent = send(ports[port], text, length, MSG_NOSIGNAL);

		if (sent <= 0) {
			qtest_process_die("QEMU ended");
		}
		text += sent;
		length -= (size_t)sent;
	}
}

size_t qtest_process_until(enum qtest_port port, const char *end, char *text, size_t size,
			   int timeout_ms)
{
	struct pollfd poll_port = {ports[port], POLLIN, 0};
	size_t used = 0, tail = strlen(end);

	while (used < tail || memcmp(text + used - tail, end, tail) != 0) {
		if (used == size - 1) {
			qtest_process_die("an answer is too long");
		}
		if (poll(&poll_port, 1, timeout_ms) <= 0) {
			qtest_process_die("QEMU is silent");
		}
		ssize_t got =
			read(ports[port], text + used, port == QTEST_PORT ? 1 : size - 1 - used);

		if (got <= 0) {
			qtest_process_die("QEMU ended");
		}
		used += (size_t)got;
	}
	text[used] = '\0';
	return used;
}

void qtest_process_line(char *line, size_t size, int timeout_ms)
{
	size_t used = qtest_process_until(QTEST_PORT, "\n", line, size, timeout_ms);

	line[used - 1] = '\0';
}
