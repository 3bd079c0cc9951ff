/* SPDX-License-Identifier: BSD-2-Clause */
#include "util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

noreturn void die(enum exit_code code, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("causeway: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(code);
}

/* --- memory --------------------------------------------------------------------------------- */

struct kept {
	struct kept *next;
	max_align_t data[];
};

static struct kept *kept_blocks; /* keeps every block reachable until the end */

void *keep_alloc(size_t size)
{
	struct kept *block = calloc(1, sizeof(*block) + size);

	if (!block) {
		die(EXIT_TOOL, "out of memory");
	}
	block->next = kept_blocks;
	kept_blocks = block;
	return block->data;
}

static char *keep_vprintf(const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);

	int length = vsnprintf(NULL, 0, format, again);

	va_end(again);
	if (length < 0) {
		die(EXIT_TOOL, "cannot format a message");
	}

	char *text = keep_alloc((size_t)length + 1);

	vsnprintf(text, (size_t)length + 1, format, args);
	return text;
}

char *keep_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);

	char *text = keep_vprintf(format, args);

	va_end(args);
	return text;
}

/* --- files ---------------------------------------------------------------------------------- */

const char *file_trouble(const char *path)
{
	struct stat info;

	if (stat(path, &info) != 0) {
		return errno == ENOENT ? "is not there" : "cannot be reached";
	}
	if (!S_ISREG(info.st_mode)) {
		return "is not a file";
	}
	return access(path, R_OK) == 0 ? NULL : "may not be read: permission denied";
}

struct bytes file_read(const char *path)
{
	struct stat info;
	FILE *file = fopen(path, "rb");

	if (!file || fstat(fileno(file), &info) != 0) {
		die(EXIT_TOOL, "%s: %s", path, strerror(errno));
	}
	if (!S_ISREG(info.st_mode)) {
		die(EXIT_TOOL, "%s: not a file", path);
	}

	struct bytes bytes = {keep_alloc((size_t)info.st_size + 1), (size_t)info.st_size};

	if (fread(bytes.data, 1, bytes.size, file) != bytes.size) {
		die(EXIT_TOOL, "%s: cannot be read", path);
	}
	fclose(file);
	return bytes;
}

void file_keep(const char *input, const char *output)
{
	struct stat in, out;

	if (stat(input, &in) == 0 && stat(output, &out) == 0 && S_ISREG(in.st_mode) &&
	    in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
		die(EXIT_USAGE, "%s would be overwritten: write to another file", input);
	}
}

/* Written aside and renamed, so that nobody ever sees half a file. */
void file_write(const char *path, const void *data, size_t size)
{
	struct stat info;
	bool special = stat(path, &info) == 0 && !S_ISREG(info.st_mode);
	const char *aside = special ? path : keep_printf("%s.%ld.part", path, (long)getpid());
	FILE *file = fopen(aside, "wb");

	if (!file) {
		die(EXIT_TOOL, "%s: %s", path, strerror(errno));
	}

	bool written = fwrite(data, 1, size, file) == size;

	written &= fclose(file) == 0;
	if (!written || (!special && rename(aside, path) != 0)) {
		int error = errno;

		if (!special) {
			unlink(aside);
		}
		die(EXIT_TOOL, "%s: %s", path, strerror(error));
	}
}

void draft_open(struct draft *draft)
{
	*draft = (struct draft){0};
	draft->out = open_memstream(&draft->text, &draft->size);
	if (!draft->out) {
		die(EXIT_TOOL, "out of memory");
	}
}

void draft_write(struct draft *draft, const char *path)
{
	bool failed = ferror(draft->out);

	if (fclose(draft->out) != 0 || failed) {
		die(EXIT_TOOL, "out of memory");
	}
	file_write(path, draft->text, draft->size);
	free(draft->text);
}

void file_make(const char *path, size_t size)
{
	const char *trouble = file_trouble(path);
	FILE *file;

	if (!trouble) {
		return;
	}
	file = fopen(path, "wbx");
	if (!file && errno == EEXIST) {
		die(EXIT_TOOL, "%s %s", path, trouble);
	}
	if (!file || ftruncate(fileno(file), (off_t)size) != 0 || fclose(file) != 0) {
		die(EXIT_TOOL, "%s: %s", path, strerror(errno));
	}
}

void folder_make(const char *path)
{
	if (mkdir(path, 0777) != 0 && errno != EEXIST) {
		die(EXIT_TOOL, "%s: %s", path, strerror(errno));
	}
	if (access(keep_printf("%s/.", path), W_OK) != 0) {
		die(EXIT_TOOL, "%s: %s", path, strerror(errno));
	}
}

char *file_stem(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *stem = keep_printf("%s", slash ? slash + 1 : path);
	char *dot = strrchr(stem, '.');

	if (dot && dot != stem) {
		*dot = '\0';
	}
	return stem;
}

/* --- the temporary folder ------------------------------------------------------------------- */

#define TEMP_FILES_MAX 64

static char *temp_folder;
static char *temp_files[TEMP_FILES_MAX];
static unsigned temp_file_count;

static void temp_remove(void)
{
	for (unsigned i = 0; i < temp_file_count; i++) {
		unlink(temp_files[i]);
	}
	rmdir(temp_folder);
}

char *temp_path(const char *name)
{
	if (!temp_folder) {
		const char *parent = getenv("TMPDIR");

		temp_folder =
			keep_printf("%s/causeway-XXXXXX", parent && *parent ? parent : "/tmp");
		if (!mkdtemp(temp_folder)) {
			die(EXIT_TOOL, "%s: %s", temp_folder, strerror(errno));
		}
		atexit(temp_remove);
	}

	char *path = keep_printf("%s/%s", temp_folder, name);

	if (temp_file_count < TEMP_FILES_MAX) {
		temp_files[temp_file_count++] = path;
	}
	return path;
}

/* --- words ---------------------------------------------------------------------------------- */

void words_add(struct words *words, const char *format, ...)
{
	va_list args;

	if (words->count == WORDS_MAX) {
		die(EXIT_USAGE, "the command line for %s is too long", words->word[0]);
	}
	va_start(args, format);
	words->word[words->count++] = keep_vprintf(format, args);
	va_end(args);
}

static void print_quoted(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_./,=:+@%";

	if (*word && strspn(word, plain) == strlen(word)) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++) {
		if (*word == '\'') {
			fputs("'\\''", stdout);
		} else {
			putchar(*word);
		}
	}
	putchar('\'');
}

void words_print(const struct words *words)
{
	for (unsigned i = 0; i < words->count; i++) {
		if (i > 0) {
			fputs(words->word[i][0] == '-' ? " \\\n  " : " ", stdout);
		}
		print_quoted(words->word[i]);
	}
	putchar('\n');
}
