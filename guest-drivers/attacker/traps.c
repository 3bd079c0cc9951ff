/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's instructions ask of EL2 or of the machine: calls, debug halts, registers, fetches.
 */
#include "attack.h"

#include "guest_map.h"

#define RET	   0xd65f03c0u
#define SMC	   0xd4000003u
#define WRITE	   0xd5000000u /* MSR or SYS, from x0 */
#define READ	   0xd5200000u /* MRS or SYSL, to x0 */
#define EC(esr)	   ((unsigned)((esr) >> 26 & 0x3f))
#define EC_UNKNOWN 0x00u
#define EC_FETCH   0x21u
#define REFUSED	   (~0ull) /* NOT_SUPPORTED */

#define FUNCTIONS  256u

/* Functions of one instruction each. */
static volatile uint32_t code[FUNCTIONS][2] __attribute__((aligned(4096)));

static void write_function(unsigned n, uint32_t instruction)
{
	code[n][0] = instruction;
	code[n][1] = RET;
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" ::"r"(code[n])
			 : "memory");
}

/* With x0 = argument; `value` is x0 after it. */
static struct probe_result call_function(unsigned n, uint64_t argument)
{
	return probe_call((uint64_t(*)(uint64_t))(uintptr_t)code[n], argument);
}

static struct probe_result execute(uint32_t instruction, uint64_t argument)
{
	write_function(0, instruction);
	return call_function(0, argument);
}

static bool undefined(const struct probe_result *result)
{
	return result->faulted && EC(result->esr) == EC_UNKNOWN;
}

/* QEMU's semihosting, where it is on, answers HLT 0xf000 and lets the guest open the host's files.
 */
void attack_instructions(void)
{
	static const struct {
		const char *name;
		uint32_t word;
		uint64_t argument;
	} rows[] = {
		{"hlt-semihosting", 0xd45e0000, 0x11 /* SYS_TIME: answered without an effect */},
		{"hlt", 0xd4400000, 0},
		{"dcps1", 0xd4a00001, 0},
		{"dcps2", 0xd4a00002, 0},
		{"dcps3", 0xd4a00003, 0},
		{"drps", 0xd6bf03e0, 0},
		{"udf", 0x00000000, 0},
		{"eretaa", 0xd69f0bff, 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct probe_result result = execute(rows[i].word, rows[i].argument);

		report(rows[i].name, undefined(&result) ? "undefined" : "answered",
		       "esr=0x%lx value=0x%lx", result.esr, result.value);
	}
}

/* --- calls ------------------------------------------------------------------------------------ */

static void answer(const char *step, uint64_t function, uint64_t value, bool refused)
{
	report(step, refused ? "refused" : "answered", "function=0x%lx value=0x%lx", function,
	       value);
}

/* What PSCI serves, and must not serve here: by SMC everything, by HVC what nobody knows. */
static void unknown_calls(void)
{
	static const uint64_t known[] = {
		0x80000000, 0x84000000, 0x84000002, 0x84000003, 0xc4000003,
		0xc4000004, 0x84000008, 0x84000009, 0x8400000a, 0xc6000001,
	};
	static const uint64_t unknown[] = {
		0x00000000, 0xffffffff, 0x80000001, 0x80008000, 0x84000001, 0xc4000001, 0x84000005,
		0xc4000005, 0x84000007, 0x8400000b, 0xc400000c, 0x8400000d, 0xc400000e, 0x8400000f,
		0xc4000012, 0x84000013, 0xc4000014, 0x84000050, 0x86000001, 0x8600ff01, 0xbf00ff01,
		0xc5000020, 0xc6000000, 0xc6000002, 0xc600ffff, 0xc4000008, 0xc4000009, 0x04000008,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		struct probe_result smc = execute(SMC, known[i]);

		answer("smc", known[i], smc.value, !smc.faulted && smc.value == REFUSED);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct probe_result smc = execute(SMC, unknown[i]);
		uint64_t hvc = hypercall(unknown[i], 0, 0, 0);

		answer("smc", unknown[i], smc.value, !smc.faulted && smc.value == REFUSED);
		answer("hvc", unknown[i], hvc, hvc == REFUSED);
	}
}

void attack_calls(void)
{
	static const struct {
		uint64_t function, a, b;
	} wrong[] = {
		{0xc4000003, 0, GUEST_RAM_BASE}, /* on already */
		{0xc4000003, 1, GUEST_RAM_BASE}, /* nobody's */
		{0xc4000003, GUEST_MAX_VCPUS, GUEST_RAM_BASE},
		{0xc4000003, 1ull << 32, GUEST_RAM_BASE},
		{0xc4000003, ~0ull, GUEST_RAM_BASE},
		{0xc4000003, 0, 0},
		{0xc4000003, 0, GUEST_RAM_BASE - 1},
		{0xc4000003, 0, ~0ull},
		{0xc4000004, 1, 0},
		{0xc4000004, GUEST_MAX_VCPUS, 0},
		{0xc4000004, ~0ull, 0},
		{0x8400000a, 0xc4000001, 0},
		{0x8400000a, ~0ull, 0},
	};

	unknown_calls();
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		uint64_t value = hypercall(wrong[i].function, wrong[i].a, wrong[i].b, 0);

		answer("wrong", wrong[i].function, value, value >> 63);
	}
}

/* --- system registers ------------------------------------------------------------------------- */

#define REGISTER(op0, op1, crn, crm, op2)                                                          \
	((op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
#define REGISTER_BLOCK 128u			    /* one CRn: all CRm and op2 */
#define FIRST_REGISTER REGISTER(1u, 0u, 0u, 0u, 0u) /* op0 = 0 are hints and PSTATE */
#define LAST_REGISTER  REGISTER(3u, 7u, 15u, 15u, 7u)

/* Each reads as zero and keeps nothing, or is undefined: never the machine's own, never a panic. */
void attack_registers(void)
{
	static const struct {
		const char *name;
		uint32_t which;
	} rows[] = {
		{"actlr", REGISTER(3u, 0u, 1u, 0u, 1u)},
		{"oslar", REGISTER(2u, 0u, 1u, 0u, 4u)},
		{"oslsr", REGISTER(2u, 0u, 1u, 1u, 4u)},
		{"osdlr", REGISTER(2u, 0u, 1u, 3u, 4u)},
		{"dbgprcr", REGISTER(2u, 0u, 1u, 4u, 4u)},
		{"mdrar", REGISTER(2u, 0u, 1u, 0u, 0u)},
		{"trcprgctlr", REGISTER(2u, 1u, 0u, 1u, 0u)},
		{"trcoslar", REGISTER(2u, 1u, 1u, 0u, 4u)},
		{"trcauthstatus", REGISTER(2u, 1u, 7u, 14u, 6u)},
		{"trfcr", REGISTER(3u, 0u, 1u, 2u, 1u)},
		{"erridr", REGISTER(3u, 0u, 5u, 3u, 0u)},
		{"errselr", REGISTER(3u, 0u, 5u, 3u, 1u)},
		{"erxfr", REGISTER(3u, 0u, 5u, 4u, 0u)},
		{"erxctlr", REGISTER(3u, 0u, 5u, 4u, 1u)},
		{"erxstatus", REGISTER(3u, 0u, 5u, 4u, 2u)},
		{"erxmisc0", REGISTER(3u, 0u, 5u, 5u, 0u)},
		{"lorsa", REGISTER(3u, 0u, 10u, 4u, 0u)},
		{"lorid", REGISTER(3u, 0u, 10u, 4u, 7u)},
		{"mpam1", REGISTER(3u, 0u, 10u, 5u, 0u)},
		{"pmscr", REGISTER(3u, 0u, 9u, 9u, 0u)},
		{"pmblimitr", REGISTER(3u, 0u, 9u, 10u, 0u)},
		{"trblimitr", REGISTER(3u, 0u, 9u, 11u, 0u)},
		{"amcr", REGISTER(3u, 3u, 13u, 2u, 0u)},
		{"amevcntr0", REGISTER(3u, 3u, 13u, 4u, 0u)},
		{"scxtnum", REGISTER(3u, 0u, 13u, 0u, 7u)},
		{"cpuactlr", REGISTER(3u, 0u, 15u, 1u, 0u)},
		{"cpuectlr", REGISTER(3u, 0u, 15u, 1u, 4u)},
		{"dc-isw", REGISTER(1u, 0u, 7u, 6u, 2u)},
		{"dc-cisw", REGISTER(1u, 0u, 7u, 14u, 2u)},
		{"icc-asgi1r", REGISTER(3u, 0u, 12u, 11u, 6u)},
		{"icc-sgi0r", REGISTER(3u, 0u, 12u, 11u, 7u)},
		{"icc-sre-el2", REGISTER(3u, 4u, 12u, 9u, 5u)},
		{"ich-hcr", REGISTER(3u, 4u, 12u, 11u, 0u)},
		{"ich-lr0", REGISTER(3u, 4u, 12u, 12u, 0u)},
		{"cnthp-ctl", REGISTER(3u, 4u, 14u, 2u, 1u)},
		{"hcr", REGISTER(3u, 4u, 1u, 1u, 0u)},
		{"vttbr", REGISTER(3u, 4u, 2u, 1u, 0u)},
		{"tpidr-el2", REGISTER(3u, 4u, 13u, 0u, 2u)},
		{"sctlr-el3", REGISTER(3u, 6u, 1u, 0u, 0u)},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct probe_result before = execute(READ | rows[i].which, ~0ull);
		struct probe_result write = execute(WRITE | rows[i].which, ~0ull);
		struct probe_result after = execute(READ | rows[i].which, ~0ull);
		bool quiet = (undefined(&before) || (!before.faulted && before.value == 0)) &&
			     (undefined(&write) || !write.faulted) &&
			     (undefined(&after) || (!after.faulted && after.value == 0));

		report(rows[i].name, quiet ? "quiet" : "open", "value=0x%lx after=0x%lx esr=0x%lx",
		       before.value, after.value, before.esr);
	}
}

struct sweep {
	unsigned values, undefined, other, writes;
};

/* Reads each, and writes back what it read. An instruction, such as DC or AT, gets own RAM. */
static void sweep_block(uint32_t first, struct sweep *sweep)
{
	uint64_t page = scratch_page(0);

	for (uint32_t i = 0; i < REGISTER_BLOCK; i++) {
		write_function(2 * i, READ | first | i << 5);
		write_function(2 * i + 1, WRITE | first | i << 5);
	}
	for (uint32_t i = 0; i < REGISTER_BLOCK; i++) {
		struct probe_result read = call_function(2 * i, page);
		bool instruction = first < REGISTER(2u, 0u, 0u, 0u, 0u);

		sweep->values += !read.faulted;
		sweep->undefined += undefined(&read);
		sweep->other += read.faulted && !undefined(&read);
		sweep->writes += !call_function(2 * i + 1, instruction ? page : read.value).faulted;
	}
}

/* Every system register and system instruction there could be. */
void attack_register_sweep(void)
{
	struct sweep sweep = {0};

	for (uint32_t at = FIRST_REGISTER; at <= LAST_REGISTER;
	     at += REGISTER(0u, 0u, 1u, 0u, 0u)) {
		sweep_block(at, &sweep);
	}
	report("sweep", "ok", "values=%u undefined=%u other=%u writes=%u", sweep.values,
	       sweep.undefined, sweep.other, sweep.writes);
}

/* --- the interrupt controller's frames -------------------------------------------------------- */

static void sweep_frame(const char *step, uint64_t base, uint64_t size)
{
	unsigned faults = 0, values = 0;

	for (uint64_t at = base; at < base + size; at += 4) {
		for (unsigned width = 1; width <= (at & 4 ? 4 : 8); width *= 2) {
			struct probe_result before = probe_read(at, width);

			faults += before.faulted;
			values += before.value != 0;
			faults += probe_write(at, width, ~0ull).faulted;
			faults += probe_write(at, width, 0).faulted;
		}
	}
	report(step, "ok", "faults=%u values=%u", faults, values);
}

REG32(GICR_CTLR, 0x0000);
REG64(GICR_PROPBASER, 0x0070);
REG64(GICR_PENDBASER, 0x0078);

/* LPIs on, with tables wherever a register can point. */
static void sweep_lpi_tables(void)
{
	const mmio_t frame = {GUEST_GICR_BASE};

	for (unsigned bit = 0; bit <= 64; bit++) {
		uint64_t value = bit == 64 ? ~0ull : 1ull << bit;

		mmio_write64(frame, GICR_PROPBASER, value);
		mmio_write64(frame, GICR_PENDBASER, value);
		mmio_write32(frame, GICR_CTLR, 1);
		mmio_write64(frame, GICR_PROPBASER, ~value);
		mmio_write64(frame, GICR_PENDBASER, ~value);
		mmio_write32(frame, GICR_CTLR, 0);
	}
	outcome("lpi-tables", "ok");
}

/* F18: every offset and width, whatever it means; the guest's interrupts are its own to lose. */
void attack_gic_sweep(void)
{
	uint32_t before;

	sweep_frame("distributor", GUEST_GICD_BASE, GUEST_GICD_SIZE);
	sweep_frame("redistributor", GUEST_GICR_BASE, GUEST_GICR_STRIDE);
	sweep_frame("its", GUEST_ITS_BASE, GUEST_ITS_DOORBELL - GUEST_ITS_BASE);
	sweep_lpi_tables();
	if (gic_start_distributor() != STATUS_OK || gic_start_core() != STATUS_OK) {
		outcome("control", "failed");
		return;
	}
	before = irq_count_all();
	clock_sleep_ns(1000000); /* ends with the timer's interrupt */
	report("control", "ok", "stray=%u", irq_count_all() - before);
}

/* The longest vectors it can ask for: EL2's copies keep 128 bits of each (arch_copy.S). */
void attack_vectors(void)
{
	struct probe_result length;

	execute(0xd5181040, 0x330000);	 /* CPACR_EL1: FPEN, ZEN */
	execute(0xd5181200, 15);	 /* ZCR_EL1 */
	length = execute(0x04bf5020, 0); /* RDVL x0, #1 */
	report("length", length.faulted ? "none" : "bytes", "bytes=%lu", length.value);
}

/* --- fetches ---------------------------------------------------------------------------------- */

static void try_fetch(const char *step, uint64_t address)
{
	struct probe_result result = probe_call((uint64_t(*)(uint64_t))(uintptr_t)address, address);
	bool fault = result.faulted && EC(result.esr) == EC_FETCH && result.far == address;

	report(step, fault ? "fault" : "ran", "address=0x%lx esr=0x%lx far=0x%lx", address,
	       result.esr, result.far);
}

void attack_fetch(void)
{
	static const struct {
		const char *name;
		uint64_t address;
	} rows[] = {
		{"hole", 0x00003000},
		{"distributor", GUEST_GICD_BASE},
		{"its", GUEST_ITS_BASE},
		{"doorbell", GUEST_ITS_DOORBELL},
		{"redistributor", GUEST_GICR_BASE},
		{"uart", GUEST_UART_BASE},
		{"window", GUEST_PCI_MMIO_BASE},
		{"ecam", GUEST_ECAM_BASE},
		{"last", (1ull << 39) - 4},
	};
	uint64_t block = scratch_page(0), base, end;

	guest_ram(&base, &end);
	fetch_anywhere();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		try_fetch(rows[i].name, rows[i].address);
	}
	try_fetch("ram-end", end);
	if (hypercall(0xc6000001, block, 512, 0) == 0) {
		try_fetch("released", block + PAGE_SIZE);
	}
}
