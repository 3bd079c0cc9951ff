/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers and their fields (Arm ARM DDI 0487 D19; GIC: IHI 0069 chapter 12). */
#ifndef CW_SYSREG_H
#define CW_SYSREG_H

#include <stdint.h>

#include "bits.h"

#define sysreg_read(name)                                                                          \
	(__extension__({                                                                           \
		uint64_t value_;                                                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory");                       \
		value_;                                                                            \
	}))

#define sysreg_write(name, value)                                                                  \
	do {                                                                                       \
		uint64_t written_ = (value);                                                       \
		__asm__ volatile("msr " #name ", %0" ::"r"(written_) : "memory");                  \
	} while (0)

#define isb() __asm__ volatile("isb" ::: "memory")
#define wfi() __asm__ volatile("dsb sy\n\twfi" ::: "memory")

/* GIC registers by encoding: assemblers differ in which names they know. */
#define ICC_IAR1_EL1	 S3_0_C12_C12_0
#define ICC_EOIR1_EL1	 S3_0_C12_C12_1
#define ICC_DIR_EL1	 S3_0_C12_C11_1
#define ICC_SGI1R_EL1	 S3_0_C12_C11_5
#define ICC_CTLR_EL1	 S3_0_C12_C12_4
#define ICC_CTLR_EOIMODE BIT(1)
#define ICC_IGRPEN1_EL1	 S3_0_C12_C12_7
#define ICC_PMR_EL1	 S3_0_C4_C6_0
#define ICC_SRE_EL2	 S3_4_C12_C9_5
#define ICH_HCR_EL2	 S3_4_C12_C11_0
#define ICH_HCR_EN	 BIT(0)
#define ICH_HCR_UIE	 BIT(1) /* maintenance interrupt when at most one list register is in use */
#define ICH_HCR_NPIE	 BIT(3) /* maintenance interrupt when no list register is pending */
#define ICH_VTR_EL2	 S3_4_C12_C11_1
#define ICH_VTR_LISTREGS BITS(4, 0)
#define ICH_ELRSR_EL2	 S3_4_C12_C11_5
#define ICH_AP0R0_EL2	 S3_4_C12_C8_0
#define ICH_AP0R1_EL2	 S3_4_C12_C8_1
#define ICH_AP0R2_EL2	 S3_4_C12_C8_2
#define ICH_AP0R3_EL2	 S3_4_C12_C8_3
#define ICH_AP1R0_EL2	 S3_4_C12_C9_0
#define ICH_AP1R1_EL2	 S3_4_C12_C9_1
#define ICH_AP1R2_EL2	 S3_4_C12_C9_2
#define ICH_AP1R3_EL2	 S3_4_C12_C9_3
#define ICH_VTR_PREBITS	 BITS(28, 26) /* less one */
#define ICH_VMCR_EL2	 S3_4_C12_C11_7

#define ICH_LR0_EL2	 S3_4_C12_C12_0
#define ICH_LR_PINTID	 BITS(44, 32)
#define ICH_LR_EOI	 BIT(41) /* with HW=0: maintenance interrupt when deactivated */
#define ICH_LR_PRIORITY	 BITS(55, 48)
#define ICH_LR_GROUP1	 BIT(60)
#define ICH_LR_HW	 BIT(61)
#define ICH_LR_PENDING	 BIT(62)
#define ICH_LR_ACTIVE	 BIT(63)

#define HCR_VM		 BIT(0)
#define HCR_SWIO	 BIT(1)
#define HCR_PTW		 BIT(2) /* a stage 1 walk through device memory faults */
#define HCR_FMO		 BIT(3)
#define HCR_IMO		 BIT(4)
#define HCR_AMO		 BIT(5)
#define HCR_FB		 BIT(9)
#define HCR_BSU_IS	 BIT(10)
#define HCR_TSC		 BIT(19) /* SMC to EL2, not to the firmware */
#define HCR_TIDCP	 BIT(20)
#define HCR_TACR	 BIT(21)
#define HCR_TSW		 BIT(22)
#define HCR_RW		 BIT(31)
#define HCR_TLOR	 BIT(35)
#define HCR_TERR	 BIT(36)
#define HCR_TEA		 BIT(37)
#define HCR_APK		 BIT(40)
#define HCR_API		 BIT(41)

#define ESR_EC		 BITS(31, 26)
#define ESR_ISS_ISV	 BIT(24)
#define ESR_ISS_SAS	 BITS(23, 22)
#define ESR_ISS_SSE	 BIT(21)
#define ESR_ISS_SRT	 BITS(20, 16)
#define ESR_ISS_SF	 BIT(15)
#define ESR_ISS_CM	 BIT(8)
#define ESR_ISS_WNR	 BIT(6)

#define EC_UNKNOWN	 0x00
#define EC_HVC64	 0x16
#define EC_SMC64	 0x17
#define EC_SYSREG	 0x18
#define EC_IABT_LOWER	 0x20
#define EC_DABT_LOWER	 0x24

#endif
