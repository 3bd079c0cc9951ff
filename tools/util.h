/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every part of the program leans on: exit codes, memory that lives as long as the program,
 * files, and other programs (dtc, mkimage, QEMU).
 */
#ifndef TOOLS_UTIL_H
#define TOOLS_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdnoreturn.h>

#define PRINTF(text, first) __attribute__((format(printf, text, first)))

#define VERSION		    "0.1"

/* The program's exit codes; docs/config.md and --help list them. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_CONFIG = 1,  /* the config has errors */
	EXIT_USAGE = 2,	  /* the command line is wrong */
	EXIT_TOOL = 3,	  /* a file or a program is missing or failed */
	EXIT_MACHINE = 4, /* run: the machine ended with failure or ran out of time */
};

/* Prints "causeway: MESSAGE" and ends the program. */
noreturn void die(enum exit_code code, const char *format, ...) PRINTF(2, 3);

/* --- memory: never freed before the program ends --- */

void *keep_alloc(size_t size); /* zeroed */
char *keep_printf(const char *format, ...) PRINTF(1, 2);

/* --- files; each dies with EXIT_TOOL and a clear message when it fails --- */

struct bytes {
	uint8_t *data;
	size_t size;
};

/* Why it is no regular file that may be read, as the end of a sentence; NULL: it is one. */
const char *file_trouble(const char *path);
struct bytes file_read(const char *path);
/* As a whole, or not at all; what is no file (/dev/null) is written to, and stays what it is. */
void file_write(const char *path, const void *data, size_t size);
/* Text that becomes a file as a whole. */
struct draft {
	FILE *out;
	char *text;
	size_t size;
};

void draft_open(struct draft *draft);
void draft_write(struct draft *draft, const char *path); /* closes it */
/* Dies with EXIT_USAGE when they are one file, which writing `output` would destroy. */
void file_keep(const char *input, const char *output);
/* Zeroes, unless it is there already. */
void file_make(const char *path, size_t size);
void folder_make(const char *path); /* likewise */
/* The file's name without folders and without its last extension. */
char *file_stem(const char *path);

/* A path in a temporary folder that is removed, with all such files, when the program ends. */
char *temp_path(const char *name);

/* --- words of a command line --- */

#define WORDS_MAX 2047

struct words {
	char *word[WORDS_MAX + 1]; /* NULL-terminated */
	unsigned count;
};

void words_add(struct words *words, const char *format, ...) PRINTF(2, 3);
/* Prints the command so that a shell takes it back word for word, one option to a line. */
void words_print(const struct words *words);

/*
 * Runs a program found in PATH and waits. Its standard output and error go to `log` when that is
 * not NULL. Returns its exit status, 128 + signal when a signal ended it. Dies with EXIT_TOOL when
 * it cannot be started.
 */
int program_run(const struct words *words, const char *log);

/*
 * The same for a program in the foreground: the terminal is its own, SIGTERM and SIGHUP are passed
 * on to it, and it dies with us. After `timeout` seconds (0: never) it is ended and *timed_out set.
 */
int program_run_foreground(const struct words *words, unsigned timeout, bool *timed_out);

#endif
