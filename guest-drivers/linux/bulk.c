// SPDX-License-Identifier: BSD-2-Clause
/*
 * bulk: bytes in both directions of one TCP connection at once, every one of them checked.
 *
 *   bulk srv PORT          serves one connection, then ends
 *   bulk IP PORT MIB       sends MIB MiB and receives as many
 *
 * The stream is blocks of 64 KiB: a number that names direction and block, and bytes of a fixed
 * random table from a place that depends on the block. So what is changed, repeated, left out or
 * put elsewhere differs from what must be there. TCP does not notice: with offloads nobody computes
 * a checksum on a virtual wire.
 *
 * Either end prints one line of key=value results. `corrupt` counts blocks; `needless` are those of
 * its `retransmits` that the other end had already (duplicate SACKs). Exit status: 0 all
 * came, 1 it did not, or a block was wrong; 2 usage.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	BLOCK = 65536,
	TABLE = 1 << 20,
	STEP = 4099, /* bytes between the places of two blocks: a prime */
	MIB_BLOCKS = (1 << 20) / BLOCK,
	MAX_MIB = 1 << 20,
	SILENCE_S = 120, /* without a byte: the other end is gone */
	TRIES = 30,	 /* to connect, one a second: the server may still boot */
};

static uint8_t table[TABLE + BLOCK];

static int fail(const char *what)
{
	fprintf(stderr, "bulk: %s: %s\n", what, strerror(errno));
	return 1;
}

/* The same at both ends (xorshift64). */
static void fill_table(void)
{
	uint64_t x = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < sizeof(table); i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(table + i, &x, sizeof(x));
	}
}

static uint64_t name_of(bool from_server, uint64_t block)
{
	return (uint64_t)from_server << 63 | block;
}

static const uint8_t *bytes_of(uint64_t block)
{
	return table + block * STEP % TABLE;
}

static bool send_block(int fd, uint64_t name, const uint8_t *bytes)
{
	struct iovec parts[2] = {
		{&name, sizeof(name)},
		{(void *)(uintptr_t)bytes, BLOCK - sizeof(name)},
	};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	while (parts[1].iov_len > 0) {
		ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (n <= 0) {
			return false;
		}
		for (unsigned i = 0; i < 2; i++) {
			size_t part = (size_t)n < parts[i].iov_len ? (size_t)n : parts[i].iov_len;

			parts[i].iov_base = (uint8_t *)parts[i].iov_base + part;
			parts[i].iov_len -= part;
			n -= (ssize_t)part;
		}
	}
	return true;
}

static uint64_t send_all(int fd, bool server, uint64_t blocks)
{
	for (uint64_t i = 0; i < blocks; i++) {
		if (!send_block(fd, name_of(server, i), bytes_of(i))) {
			return i;
		}
	}
	return blocks;
}

static uint64_t receive_all(int fd, bool server, uint64_t blocks, uint64_t *corrupt)
{
	static uint8_t block[BLOCK];

	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t name = name_of(!server, i);

		if (recv(fd, block, BLOCK, MSG_WAITALL) != BLOCK) {
			return i;
		}
		*corrupt += memcmp(block, &name, sizeof(name)) != 0 ||
			    memcmp(block + sizeof(name), bytes_of(i), BLOCK - sizeof(name)) != 0;
	}
	return blocks;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A child sends, we receive. */
static int exchange(int fd, bool server, uint64_t blocks)
{
	struct timeval silence = {.tv_sec = SILENCE_S};
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);
	uint64_t corrupt = 0, got;
	double began = now();
	int status = 1;
	char word = 0;
	bool whole;
	pid_t child;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof(silence)) != 0) {
		return fail("setsockopt");
	}
	child = fork();
	if (child < 0) {
		return fail("fork");
	}
	if (child == 0) {
		_exit(send_all(fd, server, blocks) == blocks ? 0 : 1);
	}
	got = receive_all(fd, server, blocks, &corrupt);
	if (waitpid(child, &status, 0) != child) {
		return fail("waitpid");
	}
	/* The client's end is the end of both: it waits for the server's word. */
	whole = server || recv(fd, &word, 1, MSG_WAITALL) == 1;
	(void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
	printf("bulk end=%s mib=%llu received=%llu sent=%s corrupt=%llu retransmits=%u "
	       "needless=%u seconds=%.1f\n",
	       server ? "server" : "client", (unsigned long long)(blocks / MIB_BLOCKS),
	       (unsigned long long)(got / MIB_BLOCKS), status == 0 ? "all" : "part",
	       (unsigned long long)corrupt, info.tcpi_total_retrans, info.tcpi_dsack_dups,
	       now() - began);
	whole = whole && (!server || send(fd, &word, 1, MSG_NOSIGNAL) == 1);
	return whole && got == blocks && status == 0 && corrupt == 0 ? 0 : 1;
}

static int run_server(uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one;
	uint64_t blocks;

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, 1) != 0) {
		return fail("listen");
	}
	one = accept(fd, NULL, NULL);
	if (one < 0 || recv(one, &blocks, sizeof(blocks), MSG_WAITALL) != sizeof(blocks)) {
		return fail("accept");
	}
	return exchange(one, true, blocks);
}

static int run_client(const struct sockaddr_in *to, uint64_t blocks)
{
	for (unsigned i = 0; i < TRIES; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0) {
			return fail("socket");
		}
		if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0) {
			return send(fd, &blocks, sizeof(blocks), 0) == sizeof(blocks)
				       ? exchange(fd, false, blocks)
				       : fail("send");
		}
		close(fd);
		sleep(1);
	}
	return fail("connect");
}

static bool parse_number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *value >= 1 &&
	       *value <= max;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	unsigned long port, mib;

	setvbuf(stdout, NULL, _IOLBF, 0);
	fill_table();
	if (argc == 3 && strcmp(argv[1], "srv") == 0 && parse_number(argv[2], UINT16_MAX, &port)) {
		return run_server((uint16_t)port);
	}
	if (argc == 4 && inet_pton(AF_INET, argv[1], &to.sin_addr) == 1 &&
	    parse_number(argv[2], UINT16_MAX, &port) && parse_number(argv[3], MAX_MIB, &mib)) {
		to.sin_port = htons((uint16_t)port);
		return run_client(&to, mib * MIB_BLOCKS);
	}
	fprintf(stderr, "usage: bulk srv PORT\n       bulk IP PORT MIB\n");
	return 2;
}
