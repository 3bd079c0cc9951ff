/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A libFuzzer program without libFuzzer: the corpus that is kept in the tree, then as many inputs
 * made from it by chance, the same ones each time.
 *
 * Usage: fuzz_NAME [INPUTS [SEED [FILE...]]]
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_replay.h"

#define INPUTS	20000u
#define SEED	0x9e3779b97f4a7c15ull
#define KEPT	512u
#define LONGEST 2048u

static uint8_t corpus[KEPT][LONGEST];
static size_t sizes[KEPT];
static unsigned kept;
static uint64_t random_state;

static unsigned below(unsigned bound) /* xorshift64* */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (unsigned)(random_state * 0x2545f4914f6cdd1dull >> 33) % bound;
}

static void load(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (file && kept < KEPT) {
		sizes[kept] = fread(corpus[kept], 1, LONGEST, file);
		kept++;
	}
	if (file) {
		fclose(file);
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_all(const char *folder)
{
	struct dirent **names;
	int count = scandir(folder, &names, NULL, by_name);

	for (int i = 0; i < count; i++) {
		char path[1024];

		if (names[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
			load(path);
		}
		free(names[i]);
	}
	if (count >= 0) {
		free(names);
	}
}

/* The front of one, the end of another, some bytes changed. */
static size_t make(uint8_t *input)
{
	unsigned a = below(kept), b = below(kept);
	size_t front = below((unsigned)sizes[a] + 1), end = below((unsigned)sizes[b] + 1);

	memcpy(input, corpus[a], front);
	memcpy(input + front, corpus[b] + sizes[b] - end, end);
	for (unsigned changes = below(8); changes-- > 0 && front + end > 0;) {
		input[below((unsigned)(front + end))] = (uint8_t)below(256);
	}
	return front + end;
}

int main(int argc, char **argv)
{
	unsigned long inputs = argc > 1 ? strtoul(argv[1], NULL, 0) : INPUTS;
	static uint8_t input[2 * LONGEST];

	random_state = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : SEED;
	for (int i = 3; i < argc; i++) {
		load(argv[i]);
	}
	if (argc <= 3) {
		load_all(FUZZ_CORPUS);
	}
	if (kept == 0) {
		fprintf(stderr, "%s: no corpus in %s\n", argv[0], FUZZ_CORPUS);
		return 1;
	}
	for (unsigned i = 0; i < kept; i++) {
		(void)LLVMFuzzerTestOneInput(corpus[i], sizes[i]);
	}
	for (unsigned long i = 0; i < inputs; i++) {
		size_t size = make(input);

		(void)LLVMFuzzerTestOneInput(input, size);
	}
	printf("%u inputs of the corpus, %lu made from them\n", kept, inputs);
	return 0;
}
