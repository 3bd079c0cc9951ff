/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bit fields of hardware words: a field is one mask; get and prep shift by it. field_prep() of a
 * constant too large for its field does not compile.
 */
#ifndef CW_BITS_H
#define CW_BITS_H

#include <stdint.h>

#define BIT(n)		      (1ull << (n))
#define BITS(high, low)	      ((~0ull >> (63 - (high))) & (~0ull << (low)))

#define field_shift(mask)     ((unsigned)__builtin_ctzll(mask))
#define field_get(mask, word) (((uint64_t)(word) & (mask)) >> field_shift(mask))
#define field_max(mask)	      ((uint64_t)(mask) >> field_shift(mask))

#define field_prep(mask, value)                                                                    \
	(__extension__({                                                                           \
		_Static_assert(                                                                    \
			!__builtin_constant_p(value) ||                                            \
				(uint64_t) __builtin_choose_expr(__builtin_constant_p(value),      \
								 (value), 0) <= field_max(mask),   \
			"value does not fit its field");                                           \
		((uint64_t)(value) << field_shift(mask)) & (mask);                                 \
	}))

#endif
