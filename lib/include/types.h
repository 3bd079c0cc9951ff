/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses and identifiers that must not be mixed up: each is a type of its own, so passing one
 * where another belongs does not compile. `.v` is the raw number.
 */
#ifndef CW_TYPES_H
#define CW_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
typedef struct { uint64_t v; } pa_t;		/* physical address, as the memory bus sees it */
typedef struct { uint64_t v; } ipa_t;		/* intermediate physical address, as a guest sees it */
typedef struct { uint16_t v; } rid_t;		/* PCI requester id: bus[15:8] device[7:3] function[2:0] */
typedef struct { uint32_t v; } stream_id_t;	/* SMMU StreamID */
typedef struct { uint32_t v; } device_id_t;	/* ITS DeviceID */
typedef struct { uint32_t v; } event_id_t;	/* ITS EventID */
typedef struct { uint32_t v; } intid_t;		/* GIC INTID */
typedef struct { uint16_t v; } vmid_t;		/* VMID, shared by the CPUs' and the SMMU's stage 2 */
typedef struct { uint8_t v; } partition_id_t;	/* index of a partition, in the order of the config */
/* clang-format on */

/* Nobody: the owner of a quarantined function. Not a legal partition index. */
#define PARTITION_NONE ((partition_id_t){0xff})

static inline bool partition_is(partition_id_t a, partition_id_t b)
{
	return a.v == b.v;
}

#define KIB(n)	  ((uint64_t)(n) << 10)
#define MIB(n)	  ((uint64_t)(n) << 20)
#define GIB(n)	  ((uint64_t)(n) << 30)

#define PAGE_SIZE 4096u

/* A variable that is not zero at start: whoever hands a part of it out sees to that. */
#define NOINIT	      __attribute__((section(".bss.noinit")))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

static inline bool is_aligned(uint64_t value, uint64_t alignment)
{
	return (value & (alignment - 1)) == 0;
}

/* Does [base, base+size) lie inside [outer, outer+outer_size)? Safe against wrap-around. */
static inline bool range_inside(uint64_t base, uint64_t size, uint64_t outer, uint64_t outer_size)
{
	return base >= outer && size <= outer_size && base - outer <= outer_size - size;
}

/* Memory the CPU and devices address by the same number: identity-mapped at EL2, plain on a host.
 */
static inline pa_t pa_of(const volatile void *pointer)
{
	return (pa_t){(uintptr_t)pointer};
}

static inline void *va_of(pa_t address)
{
	return (void *)(uintptr_t)address.v;
}

#endif
