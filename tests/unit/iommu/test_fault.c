/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "iommu.h"

static void every_fault_has_its_own_name(void **state)
{
	(void)state;
	for (int a = 0; a <= IOMMU_FAULT_OTHER; a++) {
		assert_non_null(iommu_fault_name((enum iommu_fault)a));
		for (int b = 0; b < a; b++) {
			assert_string_not_equal(iommu_fault_name((enum iommu_fault)a),
						iommu_fault_name((enum iommu_fault)b));
		}
	}
	assert_string_equal(iommu_fault_name((enum iommu_fault)99), "unknown fault");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_has_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
