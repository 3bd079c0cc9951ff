/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel 82576 (datasheet 320961, revision 2.63): the registers the PF service and the VF driver
 * touch, and the mailbox messages stock igbvf drivers speak.
 */
#ifndef IGB_REGS_H
#define IGB_REGS_H

#include "bits.h"
#include "mmio.h"

#define IGB_VENDOR    0x8086u
#define IGB_DEVICE_PF 0x10c9u
#define IGB_DEVICE_VF 0x10cau
#define IGB_POOLS     8u /* one for each VF; the last shares its queues with the PF */
#define IGB_VF_MAX    7u

/* --- both functions -------------------------------------------------------------------------- */
REG32(IGB_CTRL, 0x0000);
#define CTRL_MASTER_DISABLE BIT(2)
#define CTRL_SLU	    BIT(6)
#define CTRL_RST	    BIT(26)
REG32(IGB_STATUS, 0x0008);
#define STATUS_LINK_UP	 BIT(1)
#define STATUS_VFS	 BITS(17, 14) /* how many are enabled */
#define STATUS_MASTER_ON BIT(19)
REG32(IGB_VMBMEM, 0x0800); /* VF view: its own 16 words; PF view: 16 words for each VF */
#define MAILBOX_WORDS 16u
REG32(IGB_IVAR0, 0x1700); /* PF view: queues n and n+8; VF view: queues 0 and 1 */
#define IVAR_VALID BIT(7)

/* --- PF (8.2) -------------------------------------------------------------------------------- */
REG32(IGB_EECD, 0x0010);
#define EECD_AUTO_READ BIT(9)
REG32(IGB_CTRL_EXT, 0x0018);
#define CTRL_EXT_PFRSTD BIT(14)
REG32(IGB_MDIC, 0x0020);
#define MDIC_DATA     BITS(15, 0)
#define MDIC_REGISTER BITS(20, 16)
#define MDIC_PHY      BITS(25, 21)
#define MDIC_WRITE    BIT(26)
#define MDIC_READY    BIT(28)
#define MDIC_ERROR    BIT(30)
#define PHY_ADDRESS   1u
#define PHY_BMCR      0u
#define BMCR_AUTONEG  0x1200u /* enable, restart */
REG32(IGB_RCTL, 0x0100);
#define RCTL_EN	   BIT(1)
#define RCTL_LPE   BIT(5)
#define RCTL_BAM   BIT(15)
#define RCTL_VFE   BIT(18)
#define RCTL_SECRC BIT(26)
REG32(IGB_TCTL, 0x0400);
#define TCTL_EN	  BIT(1)
#define TCTL_PSP  BIT(3)
#define TCTL_CT	  BITS(11, 4)
#define TCTL_RTLC BIT(24)
REG32(IGB_MBVFICR,
      0x0c80);		  /* a request in bit n, an acknowledgement in bit 16+n; write 1 to clear */
REG32(IGB_VFLRE, 0x0c88); /* VF n was reset; write 1 to clear */
REG32(IGB_VFRE, 0x0c8c);
REG32(IGB_VFTE, 0x0c90);
REG32(IGB_P2VMAILBOX0, 0x0c00);
#define P2V_STS	 BIT(0)
#define P2V_ACK	 BIT(1)
#define P2V_PFU	 BIT(3)
#define P2V_RVFU BIT(4)
REG32(IGB_GPIE, 0x1514);
#define GPIE_NSICR	 BIT(0)
#define GPIE_MSIX_MODE	 BIT(4)
#define GPIE_EIAME	 BIT(30)
#define GPIE_PBA_SUPPORT BIT(31)
REG32(IGB_EIMC, 0x1528);
REG32(IGB_EITR0, 0x1680); /* one for each of the 25 vectors */
REG32(IGB_EICR, 0x1580);
REG32(IGB_IMC, 0x150c);
REG32(IGB_QDE, 0x2408);
REG32(IGB_RLPML, 0x5004);
REG32(IGB_DTXSWC, 0x3500);
#define DTXSWC_MAC_SPOOF  BITS(7, 0)
#define DTXSWC_VLAN_SPOOF BITS(15, 8)
#define DTXSWC_LOOPBACK	  BIT(31)
REG32(IGB_DTXCTL, 0x3590);
#define DTXCTL_VLAN_ADDED BIT(4)
REG32(IGB_VMVIR0, 0x3700);
#define VMVIR_DEFAULT BIT(30)
#define VMVIR_NEVER   BIT(31)
REG32(IGB_MTA0, 0x5200);
#define MTA_WORDS 128u
REG32(IGB_RAL0, 0x5400); /* and RAH at +4; 16 pairs */
REG32(IGB_RAH0, 0x5404);
#define RAR_COUNT 16u
#define RAH_POOL0 BIT(18)
#define RAH_AV	  BIT(31)
REG32(IGB_VFTA0, 0x5600);
#define VFTA_WORDS 128u
REG32(IGB_MRQC, 0x5818);
#define MRQC_VMDQ 3u
REG32(IGB_VT_CTL, 0x581c);
#define VT_CTL_DEFAULT_POOL BITS(9, 7)
#define VT_CTL_NO_DEFAULT   BIT(29)
#define VT_CTL_REPLICATE    BIT(30)
REG32(IGB_VMOLR0, 0x5ad0);
#define VMOLR_RLPML	BITS(13, 0)
#define VMOLR_LPE	BIT(16)
#define VMOLR_AUPE	BIT(24)
#define VMOLR_ROMPE	BIT(25)
#define VMOLR_BAM	BIT(27)
#define VMOLR_STRIP_TAG BIT(30)
#define VMOLR_STRIP_CRC BIT(31)
REG32(IGB_RPLOLR, 0x5af0);
#define RPLOLR_STRIP_TAG BIT(30)
REG32(IGB_VLVF0, 0x5d00);
#define VLVF_COUNT  32u
#define VLVF_POOL0  BIT(12)
#define VLVF_ENABLE BIT(31)

/* Of each of the 16 queues, 64 bytes apart; queues n and n+8 are VF n's. */
REG32(IGB_RDBAL0, 0xc000);
REG32(IGB_RDBAH0, 0xc004);
REG32(IGB_RDLEN0, 0xc008);
REG32(IGB_SRRCTL0, 0xc00c);
REG32(IGB_RDH0, 0xc010);
REG32(IGB_RDT0, 0xc018);
REG32(IGB_RXDCTL0, 0xc028);
#define RXDCTL_RESET 0x00010000u /* as after the part's reset: write back at once */
REG32(IGB_TDBAL0, 0xe000);
REG32(IGB_TDBAH0, 0xe004);
REG32(IGB_TDLEN0, 0xe008);
REG32(IGB_TDH0, 0xe010);
REG32(IGB_TDT0, 0xe018);
REG32(IGB_TXDCTL0, 0xe028);
REG32(IGB_TDWBAL0, 0xe038);
REG32(IGB_TDWBAH0, 0xe03c);
#define QUEUE_STRIDE 0x40u
/* The PF's mirror of a VF's interrupt registers, 256 bytes apart. */
REG32(IGB_PVTEIMS0, 0x10024);
REG32(IGB_PVTEIAC0, 0x1002c);
REG32(IGB_PVTEIAM0, 0x10030);
REG32(IGB_PVTEICR0, 0x10080); /* reading clears */
#define MIRROR_STRIDE 0x100u
/* Not on the part: QEMU's model keeps what a VF wrote to its IVAR and IVAR_MISC here. */
REG32(IGB_MODEL_VTIVAR0, 0x11700);
REG32(IGB_MODEL_VTIVAR_MISC0, 0x11720);

/* --- VF (8.26) ------------------------------------------------------------------------------- */
REG32(IGBVF_MAILBOX, 0x0c40); /* reading clears PFSTS, PFACK and RSTD */
#define V2P_REQ	  BIT(0)
#define V2P_ACK	  BIT(1)
#define V2P_VFU	  BIT(2)
#define V2P_PFSTS BIT(4)
#define V2P_PFACK BIT(5)
#define V2P_RSTI  BIT(6)
#define V2P_RSTD  BIT(7)
REG32(IGBVF_EICS, 0x1520);
REG32(IGBVF_EIMS, 0x1524);
REG32(IGBVF_EIMC, 0x1528);
REG32(IGBVF_EIAC, 0x152c);
REG32(IGBVF_EIAM, 0x1530);
REG32(IGBVF_EICR, 0x1580);
REG32(IGBVF_RDBAL, 0x2800);
REG32(IGBVF_RDBAH, 0x2804);
REG32(IGBVF_RDLEN, 0x2808);
REG32(IGBVF_SRRCTL, 0x280c);
#define SRRCTL_ADVANCED BIT(25) /* one buffer */
#define SRRCTL_DROP	BIT(31)
REG32(IGBVF_RDH, 0x2810);
REG32(IGBVF_RDT, 0x2818);
REG32(IGBVF_RXDCTL, 0x2828);
REG32(IGBVF_TDBAL, 0x3800);
REG32(IGBVF_TDBAH, 0x3804);
REG32(IGBVF_TDLEN, 0x3808);
REG32(IGBVF_TDH, 0x3810);
REG32(IGBVF_TDT, 0x3818);
REG32(IGBVF_TXDCTL, 0x3828);
REG32(IGBVF_TDWBAL, 0x3838);
REG32(IGBVF_TDWBAH, 0x383c);
#define DCTL_ENABLE BIT(25)

/* Advanced descriptors (7.1.5, 7.2.2.3). */
#define TXD_DATA	 0x00300000u
#define TXD_EOP		 0x01000000u
#define TXD_IFCS	 0x02000000u
#define TXD_RS		 0x08000000u
#define TXD_DEXT	 0x20000000u
#define TXD_PAYLEN_SHIFT 14
#define DESC_DONE	 1u

/* --- mailbox messages: type in bits 15:0, information in 23:16, flags above --------------------
 */
#define MBX_TYPE BITS(15, 0)
#define MBX_INFO BITS(23, 16)
#define MBX_CTS	 BIT(29) /* clear to send: the VF has been reset and is known */
#define MBX_NACK BIT(30)
#define MBX_ACK	 BIT(31)

enum mailbox_type {
	MBX_VF_RESET = 1,
	MBX_SET_MAC = 2,
	MBX_SET_MULTICAST = 3,
	MBX_SET_VLAN = 4,
	MBX_SET_LPE = 5, /* largest frame */
	MBX_SET_PROMISC = 6,
	MBX_PF_CONTROL = 0x100, /* from the PF: look at the link */
};
#define MAC_FILTER_CLEAR 1u
#define MULTICAST_MAX	 30u
#define FRAME_MAX	 9728u
#define FRAME_MIN	 64u

#endif
