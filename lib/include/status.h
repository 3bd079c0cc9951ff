/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one error vocabulary. A call that can fail returns enum status, which must be looked at;
 * values come back through a pointer that is written only on STATUS_OK.
 */
#ifndef CW_STATUS_H
#define CW_STATUS_H

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

enum status {
	STATUS_OK = 0,
	STATUS_INVALID,	    /* an argument breaks the contract or a format is malformed */
	STATUS_NOT_FOUND,   /* no such function, node, image or mapping */
	STATUS_RANGE,	    /* a number is outside what the hardware or the owner has */
	STATUS_BUSY,	    /* the thing has an owner already, or is in use */
	STATUS_STATE,	    /* not a legal transition from the present state */
	STATUS_NO_MEMORY,   /* a fixed pool is exhausted */
	STATUS_NO_SPACE,    /* no address-space window has room */
	STATUS_TIMEOUT,	    /* hardware did not answer within its bound */
	STATUS_DENIED,	    /* the caller does not own what it asks for */
	STATUS_UNSUPPORTED, /* the hardware lacks the feature */
	STATUS_HARDWARE,    /* hardware reported an error */
	STATUS_COUNT
};

/* A short lower-case name, never NULL: "not found". */
const char *status_name(enum status status);

/* The hardware may have done what it was told, or not. */
static inline bool status_is_unconfirmed(enum status status)
{
	return status == STATUS_TIMEOUT || status == STATUS_HARDWARE;
}

#endif
