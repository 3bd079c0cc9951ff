// SPDX-License-Identifier: BSD-2-Clause
/*
 * pk: a small UDP packet tool, the common work of functional tests and measurements.
 *
 *   pk srv PORT                    echo round trips and acknowledge streams, until killed
 *   pk rr  IP PORT N SIZE          N round trips of SIZE bytes, one outstanding
 *   pk tx  IP PORT N SIZE WINDOW [BATCH [FLOWS]]
 *                                  N datagrams of SIZE bytes, WINDOW of them unacknowledged, handed
 *                                  to the kernel BATCH at a time (UDP segmentation); the same by
 *                                  FLOWS processes at once, N and WINDOW each
 *
 * A client prints one line of key=value results; SIZE is the UDP payload. Times are
 * CLOCK_MONOTONIC, so guest time. Instructions are INST_RETIRED of CPU 0: QEMU has that event
 * only under -icount, where it counts the whole machine; -1 means not available.
 *
 * Exit status: 0 measured (even with losses, which are in the line), 1 no answer or system
 * error, 2 usage.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MAGIC = 0x43776b31,  /* first word of every datagram */
	MAX_PAYLOAD = 65507, /* UDP over IPv4 without jumbograms */
	MAX_COUNT = 10000000,
	MAX_WINDOW = 65536,
	MAX_BATCH = 64, /* the kernel's own limit */
	MAX_PEERS = 16, /* streams a server tracks at a time */
	MAX_FLOWS = 8,
	TIMEOUT_MS = 3000, /* after which a datagram counts as lost: a busy host makes time jump */
	PACE_MS = 300,	   /* between tries that fail at once */
	HELLO_MS = 9000,   /* of trying in all: the server may still boot */
	MAX_STALLS = 5,	   /* unanswered timeouts in a row: the peer is gone */
	WARM_UP = 100,	   /* round trips before measuring */
	SOCKET_BUFFER = 4 << 20,
};

enum op {
	OP_HELLO = 1, /* client: start a session; echoed */
	OP_ECHO,      /* client: round trip; echoed as it is */
	OP_DATA,      /* client: seq of total; acknowledged every `every` and at the end */
	OP_PROBE,     /* client: acknowledge now */
	OP_ACK,	      /* server: seq = highest received + 1, got = number received */
};

/* On the wire, all words big-endian; the rest of the datagram is padding. */
struct header {
	uint32_t magic;
	uint32_t op;
	uint32_t session; /* chosen by the client: late datagrams of an earlier run are ignored */
	uint32_t seq;
	union {
		uint32_t every; /* OP_DATA */
		uint32_t got;	/* OP_ACK */
	};
	uint32_t total; /* OP_DATA */
};

struct client {
	int fd;
	uint32_t session;
	uint32_t count;
	uint32_t size;
	uint32_t window, batch, flows;
	char out[MAX_PAYLOAD];
	char in[MAX_PAYLOAD];
};

/* Results common to both kinds of run. */
struct span {
	uint64_t ns;
	double instructions; /* of the whole span; negative: not available */
};

struct meter {
	int fd;
	uint64_t ns;
	uint64_t instructions;
};

static int fail(const char *what)
{
	fprintf(stderr, "pk: %s: %s\n", what, strerror(errno));
	return 1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- what a span of the run cost ------------------------------------------------------- */

static bool read_instructions(int fd, uint64_t *value)
{
	return fd >= 0 && read(fd, value, sizeof(*value)) == (ssize_t)sizeof(*value);
}

static void span_start(struct meter *m)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
	};

	m->fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);
	if (m->fd >= 0 && !read_instructions(m->fd, &m->instructions)) {
		close(m->fd);
		m->fd = -1;
	}
	m->ns = now_ns();
}

static struct span span_end(struct meter *m)
{
	struct span s = {.ns = now_ns() - m->ns, .instructions = -1};
	uint64_t end;

	if (read_instructions(m->fd, &end) && end > m->instructions) {
		s.instructions = (double)(end - m->instructions);
	}
	if (m->fd >= 0) {
		close(m->fd);
	}
	if (s.ns == 0) {
		s.ns = 1;
	}
	return s;
}

static double per(double total, uint32_t n)
{
	return total < 0 ? -1 : total / n;
}

/* --- server ---------------------------------------------------------------------------- */

struct peer {
	struct sockaddr_in addr;
	uint32_t session;
	uint32_t end; /* highest sequence number received + 1 */
	uint32_t got;
	uint64_t used; /* for replacement: when last heard of */
};

static struct peer *find_peer(struct peer *peers, const struct sockaddr_in *addr, uint32_t session)
{
	static uint64_t clock;
	struct peer *oldest = &peers[0];

	for (struct peer *p = peers; p < peers + MAX_PEERS; p++) {
		if (p->used != 0 && p->session == session && p->addr.sin_port == addr->sin_port &&
		    p->addr.sin_addr.s_addr == addr->sin_addr.s_addr) {
			p->used = ++clock;
			return p;
		}
		if (p->used < oldest->used) {
			oldest = p;
		}
	}
	*oldest = (struct peer){.addr = *addr, .session = session, .used = ++clock};
	return oldest;
}

static void send_ack(int fd, const struct peer *p)
{
	struct header ack = {
		.magic = htonl(MAGIC),
		.op = htonl(OP_ACK),
		.session = p->session,
		.seq = htonl(p->end),
		.got = htonl(p->got),
	};

	/* A lost acknowledgement is the client's business: it probes. */
	(void)sendto(fd, &ack, sizeof(ack), 0, (const struct sockaddr *)&p->addr, sizeof(p->addr));
}

static void serve_data(int fd, struct peer *p, const struct header *h)
{
	uint32_t next = ntohl(h->seq) + 1;
	uint32_t every = ntohl(h->every);

	p->got++;
	if (next > p->end) {
		p->end = next;
	}
	if ((every != 0 && next % every == 0) || next == ntohl(h->total)) {
		send_ack(fd, p);
	}
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int size = SOCKET_BUFFER;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0) {
		/* Not privileged: what the system allows has to do. */
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	return fd;
}

static int run_server(uint16_t port)
{
	static char buffer[MAX_PAYLOAD];
	static struct peer peers[MAX_PEERS];
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = open_socket();

	if (fd < 0) {
		return fail("socket");
	}
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		return fail("bind");
	}
	printf("pk srv port=%u\n", port);
	for (;;) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from,
				       &from_len);
		struct header h;

		if (len < 0 && errno != EINTR && errno != ECONNREFUSED) {
			return fail("recvfrom");
		}
		if (len < (ssize_t)sizeof(h)) {
			continue;
		}
		memcpy(&h, buffer, sizeof(h));
		if (ntohl(h.magic) != MAGIC) {
			continue;
		}
		switch (ntohl(h.op)) {
		case OP_ECHO:
		case OP_HELLO:
			(void)sendto(fd, buffer, (size_t)len, 0, (struct sockaddr *)&from,
				     from_len);
			break;
		case OP_DATA:
			serve_data(fd, find_peer(peers, &from, h.session), &h);
			break;
		case OP_PROBE:
			send_ack(fd, find_peer(peers, &from, h.session));
			break;
		default:
			break;
		}
	}
}

/* --- client ---------------------------------------------------------------------------- */

/* `count` datagrams of `len` bytes, numbered from `seq` on. */
static bool send_batch(struct client *c, enum op op, uint32_t seq, size_t len, uint32_t count)
{
	struct header h = {
		.magic = htonl(MAGIC),
		.op = htonl(op),
		.session = c->session,
		.every = htonl(c->window > 1 ? c->window / 2 : 1),
		.total = htonl(c->count),
	};

	for (uint32_t i = 0; i < count; i++) {
		h.seq = htonl(seq + i);
		memcpy(c->out + i * len, &h, sizeof(h));
	}
	return send(c->fd, c->out, count * len, 0) == (ssize_t)(count * len);
}

static bool send_op(struct client *c, enum op op, uint32_t seq, size_t len)
{
	return send_batch(c, op, seq, len, 1);
}

/*
 * Waits for a datagram of this session with operation `op`; false after TIMEOUT_MS without any.
 * The header comes back in host order (session apart), *len is the datagram's length.
 */
static bool receive_op(struct client *c, enum op op, struct header *h, size_t *len)
{
	for (;;) {
		ssize_t n = recv(c->fd, c->in, sizeof(c->in), 0);

		if (n < 0) {
			return false;
		}
		if (n < (ssize_t)sizeof(*h)) {
			continue;
		}
		memcpy(h, c->in, sizeof(*h));
		if (ntohl(h->magic) == MAGIC && h->session == c->session && ntohl(h->op) == op) {
			h->seq = ntohl(h->seq);
			h->got = ntohl(h->got);
			*len = (size_t)n;
			return true;
		}
	}
}

enum echo { ECHO_OK, ECHO_LOST, ECHO_CORRUPT };

static enum echo round_trip(struct client *c, uint32_t seq)
{
	struct header h;
	size_t len;

	if (!send_op(c, OP_ECHO, seq, c->size)) {
		return ECHO_LOST;
	}
	do {
		if (!receive_op(c, OP_ECHO, &h, &len)) {
			return ECHO_LOST;
		}
	} while (h.seq != seq);
	return len == c->size && memcmp(c->in, c->out, len) == 0 ? ECHO_OK : ECHO_CORRUPT;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int run_rr(struct client *c)
{
	uint64_t *rtt = calloc(c->count, sizeof(*rtt));
	uint32_t lost = 0, corrupt = 0, in_a_row = 0, got = 0, done;
	uint64_t sum = 0;
	struct meter meter;
	struct span span;

	if (rtt == NULL) {
		return fail("calloc");
	}
	for (uint32_t i = 0; i < WARM_UP; i++) {
		if (round_trip(c, c->count + i) == ECHO_LOST && ++in_a_row == MAX_STALLS) {
			break;
		}
	}
	in_a_row = 0;
	span_start(&meter);
	for (done = 0; done < c->count && in_a_row < MAX_STALLS; done++) {
		uint64_t start = now_ns();
		enum echo e = round_trip(c, done);

		if (e == ECHO_LOST) {
			lost++;
			in_a_row++;
			continue;
		}
		in_a_row = 0;
		corrupt += e == ECHO_CORRUPT;
		rtt[got++] = now_ns() - start;
	}
	span = span_end(&meter);
	lost += c->count - done;
	if (got == 0) {
		printf("pk rr n=%u size=%u lost=%u error=no-answer\n", c->count, c->size, lost);
		free(rtt);
		return 1;
	}
	qsort(rtt, got, sizeof(*rtt), compare_u64);
	for (uint32_t i = 0; i < got; i++) {
		sum += rtt[i];
	}
	printf("pk rr n=%u size=%u lost=%u corrupt=%u rtt_ns_avg=%llu rtt_ns_min=%llu "
	       "rtt_ns_p50=%llu rtt_ns_p99=%llu rtt_ns_max=%llu pps=%.1f insn_per_rt=%.0f\n",
	       c->count, c->size, lost, corrupt, (unsigned long long)(sum / got),
	       (unsigned long long)rtt[0], (unsigned long long)rtt[got / 2],
	       (unsigned long long)rtt[(uint64_t)got * 99 / 100], (unsigned long long)rtt[got - 1],
	       got * 1e9 / (double)span.ns, per(span.instructions, done));
	free(rtt);
	return 0;
}

/* Of a stream, or of several. */
struct tally {
	uint32_t got, stalls;
};

static struct tally stream(struct client *c)
{
	uint32_t sent = 0, acked = 0, in_a_row = 0;
	struct tally t = {0};

	/* Ends when the server has answered for the last datagram, or is gone. */
	while (acked < c->count && in_a_row < MAX_STALLS) {
		struct header h;
		size_t len;

		while (sent < c->count && sent - acked + c->batch <= c->window) {
			/* A full queue (ENOBUFS) loses it: the stream counts, it does not repeat.
			 */
			uint32_t n = c->count - sent < c->batch ? c->count - sent : c->batch;

			(void)send_batch(c, OP_DATA, sent, c->size, n);
			sent += n;
		}
		if (receive_op(c, OP_ACK, &h, &len)) {
			in_a_row = 0;
			acked = h.seq > acked && h.seq <= sent ? h.seq : acked;
			t.got = h.got > t.got ? h.got : t.got;
			continue;
		}
		/* What is out is lost, or its acknowledgement is: ask, and grant new credit. */
		t.stalls++;
		in_a_row++;
		if (send_op(c, OP_PROBE, 0, sizeof(h)) && receive_op(c, OP_ACK, &h, &len)) {
			in_a_row = 0;
			t.got = h.got > t.got ? h.got : t.got;
			acked = sent;
		}
	}
	return t;
}

static int print_tx(const struct client *c, const struct tally *t, const struct span *span)
{
	uint32_t n = c->count * c->flows, lost = t->got < n ? n - t->got : 0;

	if (t->got == 0) {
		printf("pk tx n=%u size=%u window=%u lost=%u error=no-answer\n", n, c->size,
		       c->window, lost);
		return 1;
	}
	printf("pk tx n=%u size=%u window=%u batch=%u flows=%u lost=%u stalls=%u "
	       "ns_per_packet=%.1f pps=%.1f mbit=%.2f insn_per_packet=%.0f\n",
	       n, c->size, c->window, c->batch, c->flows, lost, t->stalls,
	       (double)span->ns / t->got, t->got * 1e9 / (double)span->ns,
	       (double)t->got * c->size * 8e3 / (double)span->ns, per(span->instructions, t->got));
	return 0;
}

static int run_tx(struct client *c)
{
	struct meter meter;
	struct tally t;

	span_start(&meter);
	t = stream(c);

	struct span span = span_end(&meter);

	return print_tx(c, &t, &span);
}

/* Greets until the server answers, so that address resolution and its start are not measured. */
static bool greet(struct client *c)
{
	struct header h;
	size_t len;

	for (uint32_t spent = 0; spent < HELLO_MS;) {
		bool sent = send_op(c, OP_HELLO, 0, sizeof(h));

		if (sent && receive_op(c, OP_HELLO, &h, &len)) {
			return true;
		}
		if (sent && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			spent += TIMEOUT_MS;
		} else { /* refused or unreachable: it comes back at once */
			usleep(PACE_MS * 1000);
			spent += PACE_MS;
		}
	}
	return false;
}

static bool connect_to(struct client *c, const struct sockaddr_in *to)
{
	struct timeval timeout = {.tv_sec = TIMEOUT_MS / 1000, .tv_usec = TIMEOUT_MS % 1000 * 1000};

	c->fd = open_socket();
	if (c->fd < 0) {
		fail("socket");
		return false;
	}
	if (connect(c->fd, (const struct sockaddr *)to, sizeof(*to)) != 0 ||
	    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0) {
		fail("connect");
		return false;
	}
	c->session = (uint32_t)getpid() ^ (uint32_t)now_ns();
	for (size_t i = 0; i < (size_t)c->size * c->batch; i++) {
		c->out[i] = (char)(i % c->size * 37 + 11);
	}
	if (!greet(c)) {
		printf("pk error=no-server\n");
		return false;
	}
	if (c->batch > 1 &&
	    setsockopt(c->fd, IPPROTO_UDP, UDP_SEGMENT, &(int){(int)c->size}, sizeof(int)) != 0) {
		fail("UDP_SEGMENT");
		return false;
	}
	return true;
}

/* Child: connects, says so, streams when `go` is closed, says how it went. */
static int run_flow(struct client *c, const struct sockaddr_in *to, int go, int said)
{
	struct tally t = {0};
	char none;

	if (!connect_to(c, to) || write(said, &t, sizeof(t)) != sizeof(t)) {
		return 1;
	}
	if (read(go, &none, 1) != 0) {
		return 1;
	}
	t = stream(c);
	return write(said, &t, sizeof(t)) == sizeof(t) ? 0 : 1;
}

/* Adds up what each flow says; false when one ended without a word. */
static bool collect(int said, uint32_t flows, struct tally *sum)
{
	struct tally t;

	for (uint32_t i = 0; i < flows; i++) {
		if (read(said, &t, sizeof(t)) != sizeof(t)) {
			return false;
		}
		sum->got += t.got;
		sum->stalls += t.stalls;
	}
	return true;
}

static int run_flows(struct client *c, const struct sockaddr_in *to)
{
	struct tally t = {0};
	struct meter meter;
	int go[2], said[2];
	bool whole;

	if (pipe(go) != 0 || pipe(said) != 0) {
		return fail("pipe");
	}
	for (uint32_t i = 0; i < c->flows; i++) {
		pid_t child = fork();

		if (child < 0) {
			return fail("fork");
		}
		if (child == 0) {
			close(go[1]);
			close(said[0]);
			_exit(run_flow(c, to, go[0], said[1]));
		}
	}
	close(said[1]);
	whole = collect(said[0], c->flows, &t);
	span_start(&meter);
	close(go[1]);
	whole = whole && collect(said[0], c->flows, &t);

	struct span span = span_end(&meter);

	while (wait(NULL) > 0) {
	}
	if (!whole) {
		printf("pk tx error=a-flow-ended\n");
		return 1;
	}
	return print_tx(c, &t, &span);
}

static int run_client(struct client *c, const struct sockaddr_in *to, int (*run)(struct client *))
{
	return connect_to(c, to) ? run(c) : 1;
}

/* --- command line ---------------------------------------------------------------------- */

static bool parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || v < min || v > max) {
		fprintf(stderr, "pk: %s: not a number from %u to %u\n", text, min, max);
		return false;
	}
	*value = (uint32_t)v;
	return true;
}

static int usage(void)
{
	fprintf(stderr, "usage: pk srv PORT\n"
			"       pk rr IP PORT N SIZE\n"
			"       pk tx IP PORT N SIZE WINDOW [BATCH [FLOWS]]\n");
	return 2;
}

static int parse_client(char **args, bool stream)
{
	static struct client c;
	struct sockaddr_in to = {.sin_family = AF_INET};
	uint32_t port;

	if (inet_pton(AF_INET, args[0], &to.sin_addr) != 1) {
		fprintf(stderr, "pk: %s: not an IPv4 address\n", args[0]);
		return 2;
	}
	c.window = c.batch = c.flows = 1;
	if (!parse_number(args[1], 1, UINT16_MAX, &port) ||
	    !parse_number(args[2], 1, MAX_COUNT, &c.count) ||
	    !parse_number(args[3], sizeof(struct header), MAX_PAYLOAD, &c.size) ||
	    (stream && !parse_number(args[4], 1, MAX_WINDOW, &c.window)) ||
	    (stream && args[5] && !parse_number(args[5], 1, MAX_BATCH, &c.batch)) ||
	    (stream && args[5] && args[6] && !parse_number(args[6], 1, MAX_FLOWS, &c.flows))) {
		return 2;
	}
	if (c.batch > c.window || c.size * c.batch > MAX_PAYLOAD) {
		fprintf(stderr, "pk: BATCH is more than WINDOW, or %d bytes\n", MAX_PAYLOAD);
		return 2;
	}
	to.sin_port = htons((uint16_t)port);
	if (c.flows > 1) {
		return run_flows(&c, &to);
	}
	return run_client(&c, &to, stream ? run_tx : run_rr);
}

int main(int argc, char **argv)
{
	uint32_t port;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && strcmp(argv[1], "srv") == 0) {
		return parse_number(argv[2], 1, UINT16_MAX, &port) ? run_server((uint16_t)port) : 2;
	}
	if (argc == 6 && strcmp(argv[1], "rr") == 0) {
		return parse_client(argv + 2, false);
	}
	if (argc >= 7 && argc <= 9 && strcmp(argv[1], "tx") == 0) {
		return parse_client(argv + 2, true);
	}
	return usage();
}
