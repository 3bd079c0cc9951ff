# SPDX-License-Identifier: BSD-2-Clause
# `make help` lists the targets. The floors are kept here: a room sees only what it may know.
BUILD	?= build
CONFIG	?= config/hosting.dts
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
I_io-host		  := -Iio-host/include
I_irq-route/gic		  := -Iirq-route/include
LEG_INCLUDES		  := -Ipci/bus/include -Ipci/virt/include -Ivf/include -Iiommu/include -Iirq-route/include -Iio-host/include
I_hv-glue		  := -Ihv-glue/include $(LEG_INCLUDES)
I_hv-glue/host		  := $(I_hv-glue)
# The hypervisor starts the joint (glue.h) and supplies hv.h; of the rooms behind it it sees the
# IOMMU's contract only, for a partition's tables.
I_hypervisor		  := -Ihypervisor/include -Ihv-glue/include -Iiommu/include
I_hypervisor/arch/aarch64 := $(I_hypervisor)
I_tests			  := -Ihv-glue/host -Ihv-glue $(I_hv-glue) -Ihypervisor/include -Iiommu/smmuv3 -Iirq-route/gic -Iio-host

LEGS	   := pci/bus pci/virt vf iommu iommu/smmuv3 irq-route irq-route/gic io-host hv-glue
HV_ROOMS   := lib lib/arch/aarch64 $(LEGS) hypervisor hypervisor/arch/aarch64
HOST_ROOMS := lib $(LEGS) hv-glue/host
# Parts of the hypervisor that know no instruction of an architecture and are tested on the workstation.
HOST_EXTRA := $(addprefix hypervisor/,config.c fit.c hypercall.c machine.c partition.c partition_init.c \
		release.c vgic.c vgic_bank.c vgic_lpi.c vuart.c $(addprefix arch/aarch64/,stage2.c vgic_lr.c))

LIBFDT	   := $(BUILD)/libfdt-src/libfdt
WARN	   := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
STD	   := -std=gnu11 -fno-common -MMD -MP
HV_FLAGS   := $(STD) -O2 -g -ffreestanding -fomit-frame-pointer -fno-stack-protector -fpie -mgeneral-regs-only \
	      -mno-outline-atomics -march=armv8-a -mstrict-align -fno-asynchronous-unwind-tables -ffunction-sections \
	      -include lib/arch/aarch64/arch_local.h -Ilib/arch/aarch64 -Ilib/include -I$(LIBFDT)
HOST_FLAGS := $(STD) -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	      -fno-sanitize-recover=undefined -Ilib/arch/host -Ilib/include

sources	= $(foreach r,$(1),$(sort $(wildcard $(r)/*.c $(r)/*.S)))
room	= $(patsubst %/,%,$(dir $(1)))

.DEFAULT_GOAL := all
.PHONY: all help setup hypervisor guests tools mutants run run-rdma test check unit fuzz fuzz-wire qtest lint bench bench-kvm size clean
all: hypervisor guests tools ;@:

#: make run [CONFIG=FILE] [GIC=3] [JSON=1]
#: 			   boot the partitions of CONFIG, run the demo, print the table
#: make run-rdma [JSON=1]		   the same with RDMA programs over the VFs
#: make test			   everything: unit, model, system and hostile tests
#: make check			   what boots nothing: unit, model, qtest, fuzz smoke, lint
#: make bench [ONLY=PART] [STRICT=1]  measurements beside the lines to hold; build/bench.json, build/bench/index.html
#: make bench-kvm [ONLY=PEER]	   the same work under bare Linux and Linux KVM; build/bench-kvm.json
#: make fuzz-wire [SECONDS=N]	   libFuzzer on the wire's ring code (make check replays its corpus)
#: make all			   hypervisor, bare-metal guests and the causeway program
#: make setup			   install what is missing (apt) and fetch the Linux guest
#: make lint			   clang-format, clang-tidy, header and shell checks
#: make size			   lines of code running at EL2
#: make clean			   remove what was built, keep what was downloaded
help:
	@sed -n 's/^#: //p' Makefile

# --- hypervisor -----------------------------------------------------------------------------------
HV_OBJ := $(patsubst %,$(BUILD)/hv/%.o,$(basename $(call sources,$(HV_ROOMS))))
hypervisor: $(BUILD)/hypervisor.bin

HV_SCRIPT := hypervisor/arch/aarch64/hypervisor.ld
HV_LD	:= $(CROSS)gcc -nostdlib -static-pie -Wl,--no-dynamic-linker,-z,norelro,-z,text \
	   -Wl,--build-id=none,--gc-sections,-z,max-page-size=4096,--no-warn-rwx-segments,-T,$(HV_SCRIPT)
, := ,
$(BUILD)/hypervisor.elf: $(HV_OBJ) $(HV_SCRIPT)
	@echo "  LD    $@"
	$(Q)$(HV_LD) -o $@ $(HV_OBJ)
%.bin: %.elf
	$(Q)$(CROSS)objcopy -O binary $< $@
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

$(BUILD)/host/libcauseway.a: $(HOST_OBJ)
	$(Q)rm -f $@; ar rcs $@ $^
$(BUILD)/host/tests/%.o: tests/%.c
	@mkdir -p $(@D); echo "  HOSTCC $<"
	$(Q)$(CC_HOST) $(HOST_FLAGS) $(WARN) $(I_tests) -I$(dir $<) -c $< -o $@
$(BUILD)/host/%.o: %.c
	@mkdir -p $(@D); echo "  HOSTCC $<"
	$(Q)$(CC_HOST) $(HOST_FLAGS) $(WARN) $(I_$(call room,$<)) $(I_FILE_$<) -c $< -o $@
# A test is linked with the fixtures that lie beside it.
fixtures = $(foreach f,$(UNIT_LIB:%.c=$(BUILD)/host/%.o),$(if $(filter $(dir $(1)),$(dir $(f))),$(f)))
.SECONDEXPANSION:
$(UNIT_BIN): %: %.o $$(call fixtures,$$@) $(BUILD)/host/libcauseway.a
	$(Q)$(CC_HOST) $(HOST_FLAGS) $(filter %.o,$^) $(BUILD)/host/libcauseway.a -lcmocka -lfdt -o $@
FUZZ_BIN := $(patsubst %.c,$(BUILD)/host/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
$(BUILD)/host/tests/fuzz/fuzz_vits: $(BUILD)/host/tests/unit/irq-route/gic/irq_rig.o
$(BUILD)/host/tests/fuzz/fuzz_pci_virt: $(BUILD)/host/tests/unit/pci/virt/virt_fixture.o
# A libFuzzer program, replayed from its corpus; make fuzz-wire [SECONDS=N] lets libFuzzer add to it, and then
# build/fuzz/io_host -set_cover_merge=1 NEW tests/fuzz/corpus/io-host keeps in the folder NEW what covers anything.
$(BUILD)/host/tests/fuzz/replay.o: HOST_FLAGS += -DFUZZ_CORPUS='"tests/fuzz/corpus/io-host"'
$(BUILD)/host/tests/fuzz/fuzz_io_host: $(BUILD)/host/tests/fuzz/replay.o $(BUILD)/host/tests/unit/io-host/wire_rig.o
$(FUZZ_BIN): %: %.o $(BUILD)/host/libcauseway.a
	$(Q)$(CC_HOST) $(HOST_FLAGS) $(filter %.o,$^) $(BUILD)/host/libcauseway.a -lcmocka -lfdt -o $@
# QEMU's devices reached from the workstation: linked into the machine's RAM (hv-glue/host/qtest.h).
QTEST_BIN := $(patsubst %.c,$(BUILD)/host/%,$(sort $(wildcard tests/qtest/test_*.c)))
QTEST_LIB := $(patsubst %.c,$(BUILD)/host/%.o,$(filter-out tests/qtest/test_%,$(wildcard tests/qtest/*.c)))
$(QTEST_BIN): %: %.o $(QTEST_LIB) $(BUILD)/host/libcauseway.a
	$(Q)$(CC_HOST) $(HOST_FLAGS) -no-pie -Wl,-Ttext-segment=0x50000000 $(filter %.o,$^) $(BUILD)/host/libcauseway.a \
		-lcmocka -lfdt -o $@
.SECONDARY: $(UNIT_BIN:=.o) $(FUZZ_BIN:=.o) $(QTEST_BIN:=.o)
# A unit test with one guard of ours replaced: tests/unit/tools/test_unit_mutants.py runs them.
mutant_says = $(shell sed -n 's/^ [*] $(1): //p' tests/faults/unit/$*.c)
$(BUILD)/host/mutants/%: tests/faults/unit/%.c $(UNIT_BIN)
	@mkdir -p $(@D); t=$(BUILD)/host/tests/unit/$(call mutant_says,test); \
	$(CC_HOST) $(HOST_FLAGS) $(WARN) $(I_tests) -Ipci/virt $(patsubst %,-Wl$(,)--wrap=%,$(call mutant_says,wraps)) \
		$< $$t.o $$(ls $${t%/*}/*.o | grep -v /test_) $(BUILD)/host/libcauseway.a -lcmocka -lfdt -o $@
fuzz-wire:
	@mkdir -p $(BUILD)/fuzz
	$(Q)clang -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Ilib/arch/host \
		-Ilib/include $(I_tests) tests/fuzz/fuzz_io_host.c tests/unit/io-host/wire_rig.c io-host/*.c \
		hv-glue/host/models.c lib/*.c -I$(LIBFDT) -lcmocka -lfdt -o $(BUILD)/fuzz/io_host
	$(Q)$(BUILD)/fuzz/io_host -max_len=512 -max_total_time=$(or $(SECONDS),60) tests/fuzz/corpus/io-host
unit: $(UNIT_BIN)
fuzz: $(FUZZ_BIN)
qtest: $(QTEST_BIN)

# --- the causeway program -------------------------------------------------------------------------
tools: $(BUILD)/causeway
# Of the rooms it sees what both sides must agree on: a guest's layout, and who can reach whom.
TOOLS_KNOW := lib/include/guest_map.h pci/bus/include/pci_group.h
$(BUILD)/causeway: $(wildcard tools/*.c tools/*.h) $(TOOLS_KNOW) pci/bus/group.c Makefile
	@mkdir -p $(@D); echo "  HOSTCC $@"
	$(Q)$(CC_HOST) -std=gnu11 -O2 -g $(WARN) -Ilib/include -Ipci/bus/include $(wildcard tools/*.c) \
		pci/bus/group.c -lfdt -o $@

# --- mutants: the hypervisor with one guard replaced at link time, for tests that must then fail ---
MUTANTS	:= $(patsubst tests/faults/mutants/%.c,%,$(sort $(wildcard tests/faults/mutants/*.c)))
mutants: $(MUTANTS:%=$(BUILD)/mutants/%/hypervisor.bin) pf-mutants
mutant-%: $(BUILD)/mutants/%/hypervisor.bin ;
I_tests/faults/mutants := $(I_hypervisor) $(I_hv-glue) -Ihv-glue -Iiommu/smmuv3 -Iirq-route/gic -Ipci/virt -Iio-host
.SECONDARY: $(MUTANTS:%=$(BUILD)/mutants/%/hypervisor.elf) $(MUTANTS:%=$(BUILD)/hv/tests/faults/mutants/%.o)
$(BUILD)/mutants/%/hypervisor.elf: $(BUILD)/hv/tests/faults/mutants/%.o $(HV_OBJ) $(HV_SCRIPT)
	@mkdir -p $(@D); echo "  LD    $@"
	$(Q)$(HV_LD) $(patsubst %,-Wl$(,)--wrap=%,$(shell sed -n 's/^ [*] wraps: //p' tests/faults/mutants/$*.c)) \
		-o $@ $(HV_OBJ) $<

# The demo and the tests look into build/, and so do the configs' file names.
ifneq ($(BUILD),build)
ifneq ($(filter run run-rdma test bench bench-kvm,$(MAKECMDGOALS)),)
$(error make $(MAKECMDGOALS) works in build/ only: leave BUILD out)
endif
endif

# --- everything a user types ----------------------------------------------------------------------
# Set-up comes first and in a make of its own: it brings what the other rules look for.
setup:
	@tools/setup/host.sh
	@BUILD=$(BUILD) tools/setup/guests.sh
run: setup
	@$(MAKE) --no-print-directory -j2 all
	@PYTHONPATH=tools $(PYTHON) -B -m demo '$(CONFIG)' $(if $(GIC),--gic '$(GIC)') \
		$(if $(filter-out 0,$(JSON)),--json)
run-rdma: setup
	@$(MAKE) --no-print-directory -j2 all
	@PYTHONPATH=tools $(PYTHON) -B -m demo.rdma $(if $(filter-out 0,$(JSON)),--json)
check:
	@tools/setup/host.sh
	@$(MAKE) --no-print-directory -j2 unit fuzz qtest tools
	@$(PYTHON) -B tests/run.py --build $(BUILD) unit fuzz qtest tools lint
test: setup
	@$(MAKE) --no-print-directory -j2 all unit fuzz qtest mutants
	@$(PYTHON) -B tests/run.py --build $(BUILD) unit fuzz qtest tools lint system
lint:
	@$(PYTHON) -B tests/run.py --build $(BUILD) lint
bench: setup
	@$(MAKE) --no-print-directory -j2 all
	@$(PYTHON) -B tests/bench/bench.py $(if $(ONLY),--only '$(ONLY)') $(if $(filter-out 0,$(STRICT)),--strict)
bench-kvm: setup
	@BUILD=$(BUILD) tools/setup/kvm.sh
	@$(MAKE) --no-print-directory -j2 all
	@$(PYTHON) -B tests/bench/kvm/bench_kvm.py $(if $(ONLY),--only '$(ONLY)')
size:
	@tests/size.sh $(HV_ROOMS)
clean:
	rm -rf $(BUILD)/hv $(BUILD)/host $(BUILD)/guest-obj $(BUILD)/mutants $(BUILD)/pf-mutants $(BUILD)/logs $(BUILD)/*.bin \
		$(BUILD)/*.elf $(BUILD)/*.fit $(BUILD)/causeway

-include $(shell find $(BUILD)/hv $(BUILD)/host -name '*.d' 2>/dev/null)
