/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of system registers (Arm ARM DDI 0487 D19; GIC: IHI 0069 chapter 12). */
#ifndef CW_SYSREG_H
#define CW_SYSREG_H

#include "arch_sysreg.h"
#include "bits.h"

#define wfi()		 __asm__ volatile("dsb sy\n\twfi" ::: "memory")

#define ICC_CTLR_EOIMODE BIT(1)
#define ICH_HCR_EN	 BIT(0)
#define ICH_HCR_UIE	 BIT(1) /* maintenance interrupt when at most one list register is in use */
#define ICH_HCR_NPIE	 BIT(3) /* maintenance interrupt when no list register is pending */
#define ICH_VTR_LISTREGS BITS(4, 0)
#define ICH_VTR_PREBITS	 BITS(28, 26) /* less one */

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
