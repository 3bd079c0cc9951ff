# SPDX-License-Identifier: BSD-2-Clause
# `make help` lists the targets. The floors are kept here: a room sees only what it may know.
BUILD	?= build
CONFIG	?= config/two-vfs.dts
CROSS	?= aarch64-linux-gnu-
CC_HOST	?= gcc
PYTHON	?= /usr/bin/python3
Q	:= $(if $(V),,@)

# --- floors: what the files of a room may include, besides their own folder and lib ---------------
I_pci/bus		  := -Ipci/bus/include
I_pci/virt		  := -Ipci/virt/include -Ipci/bus/include
I_vf			  := -Ivf/include -Ipci/bus/include
I_iommu			  := -Iiommu/include
I_iommu/smmuv3		  := -Iiommu/include
I_irq-route		  := -Iirq-route/include
I_irq-route/gic		  := -Iirq-route/include
LEG_INCLUDES		  := -Ipci/bus/include -Ipci/virt/include -Ivf/include -Iiommu/include -Iirq-route/include
I_hv-glue		  := -Ihv-glue/include $(LEG_INCLUDES)
I_hv-glue/host		  := $(I_hv-glue)
# The hypervisor starts the joint (glue.h) and supplies hv.h; of the rooms behind it it sees the
# IOMMU's contract only, for a partition's tables.
I_hypervisor		  := -Ihypervisor/include -Ihv-glue/include -Iiommu/include
I_hypervisor/arch/aarch64 := $(I_hypervisor)
I_tests			  := -Ihv-glue/host $(I_hv-glue) -Ihypervisor/include -Iiommu/smmuv3 -Iirq-route/gic

LEGS	   := pci/bus pci/virt vf iommu iommu/smmuv3 irq-route irq-route/gic hv-glue
HV_ROOMS   := lib $(LEGS) hypervisor hypervisor/arch/aarch64
HOST_ROOMS := lib $(LEGS) hv-glue/host
# Parts of the hypervisor that know no architecture and are tested on the workstation.
HOST_EXTRA := $(wildcard hypervisor/config.c hypervisor/fit.c)

LIBFDT	   := $(BUILD)/libfdt-src/libfdt
LIBFDT_C   := fdt fdt_ro fdt_addresses fdt_strerror
WARN	   := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
STD	   := -std=gnu11 -fno-common -MMD -MP
HV_FLAGS   := $(STD) -O2 -g -ffreestanding -fno-stack-protector -fpie -mgeneral-regs-only \
	      -mno-outline-atomics -march=armv8-a -mstrict-align -fno-asynchronous-unwind-tables -ffunction-sections \
	      -Ilib/arch/aarch64 -Ilib/include -I$(LIBFDT)
HOST_FLAGS := $(STD) -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	      -fno-sanitize-recover=undefined -Ilib/arch/host -Ilib/include

sources	= $(foreach r,$(1),$(sort $(wildcard $(r)/*.c $(r)/*.S)))
room	= $(patsubst %/,%,$(dir $(1)))

.DEFAULT_GOAL := all
.PHONY: all help setup hypervisor guests tools run test check unit lint size clean
all: hypervisor guests tools

#: make run [CONFIG=FILE] [JSON=1]  boot the partitions of CONFIG, run the demo, print the table
#: make test			   everything: unit, model, system and hostile tests
#: make check			   the host-only part: unit, model, fuzz smoke, lint
#: make bench			   measurements, not tests
#: make all			   hypervisor, bare-metal guests and the causeway program
#: make setup			   install what is missing (apt) and fetch the Linux guest
#: make lint			   clang-format, clang-tidy, header and shell checks
#: make size			   lines of code running at EL2
#: make clean			   remove what was built, keep what was downloaded
help:
	@sed -n 's/^#: //p' Makefile

# --- hypervisor -----------------------------------------------------------------------------------
HV_OBJ := $(patsubst %,$(BUILD)/hv/%.o,$(basename $(call sources,$(HV_ROOMS)))) \
	  $(LIBFDT_C:%=$(BUILD)/hv/libfdt/%.o)
hypervisor: $(BUILD)/hypervisor.bin

$(BUILD)/hypervisor.elf: $(HV_OBJ) hypervisor/arch/aarch64/hypervisor.ld
	@echo "  LD    $@"
	$(Q)$(CROSS)gcc -nostdlib -static-pie -Wl,--no-dynamic-linker,-z,norelro,-z,text -Wl,--build-id=none,--gc-sections -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments \
		-Wl,-T,hypervisor/arch/aarch64/hypervisor.ld $(HV_LINK) -o $@ $(HV_OBJ) $(HV_EXTRA_OBJ)
%.bin: %.elf
	$(Q)$(CROSS)objcopy -O binary $< $@
$(BUILD)/hv/libfdt/%.o: $(LIBFDT)/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(HV_FLAGS) -c $< -o $@
$(BUILD)/hv/%.o: %.c Makefile
	@mkdir -p $(@D); echo "  CC    $<"
	$(Q)$(CROSS)gcc $(HV_FLAGS) $(WARN) $(I_$(call room,$<)) $(I_FILE_$<) -c $< -o $@
$(BUILD)/hv/%.o: %.S Makefile
	@mkdir -p $(@D); echo "  AS    $<"
	$(Q)$(CROSS)gcc $(HV_FLAGS) $(I_$(call room,$<)) -c $< -o $@

-include guest-drivers/guests.mk

# --- unit and model tests on the workstation: tests/unit mirrors the tree -------------------------
HOST_OBJ := $(patsubst %.c,$(BUILD)/host/%.o,$(filter %.c,$(call sources,$(HOST_ROOMS)) $(HOST_EXTRA)))
UNIT_SRC := $(sort $(shell find tests/unit -name 'test_*.c' 2>/dev/null))
UNIT_LIB := $(sort $(shell find tests/unit -name '*.c' ! -name 'test_*.c' 2>/dev/null))
UNIT_BIN := $(UNIT_SRC:%.c=$(BUILD)/host/%)

$(BUILD)/host/libcauseway.a: $(HOST_OBJ) $(UNIT_LIB:%.c=$(BUILD)/host/%.o)
	$(Q)rm -f $@; ar rcs $@ $^
$(BUILD)/host/tests/%.o: tests/%.c
	@mkdir -p $(@D); echo "  HOSTCC $<"
	$(Q)$(CC_HOST) $(HOST_FLAGS) $(WARN) $(I_tests) -I$(dir $<) -c $< -o $@
$(BUILD)/host/%.o: %.c
	@mkdir -p $(@D); echo "  HOSTCC $<"
	$(Q)$(CC_HOST) $(HOST_FLAGS) $(WARN) $(I_$(call room,$<)) $(I_FILE_$<) -c $< -o $@
$(UNIT_BIN): %: %.o $(BUILD)/host/libcauseway.a
	$(Q)$(CC_HOST) $(HOST_FLAGS) $< $(BUILD)/host/libcauseway.a -lcmocka -lfdt -o $@
unit: $(UNIT_BIN)
	$(Q)for t in $(UNIT_BIN); do echo "  TEST  $${t#$(BUILD)/host/tests/unit/}"; $$t || exit 1; done
