# SPDX-License-Identifier: BSD-2-Clause
# Bare-metal guests: `make guests` gives $(BUILD)/NAME.bin for each name of GUESTS. Included by the
# Makefile, which sets BUILD, CROSS, Q, WARN, STD and LIBFDT.
GUESTS	      := pf-service attacker selftest probe peer
GUEST_DIR     := guest-drivers
GUEST_FLAGS   := $(STD) -O2 -g -ffreestanding -fno-builtin -fno-tree-loop-distribute-patterns -fno-stack-protector -fno-pic -fno-pie -mgeneral-regs-only \
		 -mno-outline-atomics -march=armv8-a -mstrict-align -fno-asynchronous-unwind-tables \
		 -Ilib/arch/aarch64 -Ilib/include -I$(LIBFDT)
GUEST_FDT_C   := fdt fdt_ro

# Floors: what each room may include besides lib and the runtime.
I_guest-drivers/igb	   := -I$(GUEST_DIR)/igb
I_guest-drivers/pf-service := -I$(GUEST_DIR)/igb
I_guest-drivers/peer	   := -I$(GUEST_DIR)/igb
I_guest-drivers/attacker   := -I$(GUEST_DIR)/igb -I$(GUEST_DIR)/edu -I$(GUEST_DIR)/virtio
I_guest-drivers/probe	   := -I$(GUEST_DIR)/edu
I_guest-drivers/selftest   := -I$(GUEST_DIR)/igb -I$(GUEST_DIR)/edu -I$(GUEST_DIR)/pf-service

guest_objects = $(patsubst %,$(BUILD)/guest-obj/%.o,$(basename $(sort $(wildcard $(addsuffix /*.c,$(1)) $(addsuffix /*.S,$(1))))))
GUEST_COMMON  := $(call guest_objects,$(GUEST_DIR)/runtime) $(BUILD)/guest-obj/lib/format.o $(BUILD)/guest-obj/lib/log.o \
		 $(BUILD)/guest-obj/lib/status.o $(GUEST_FDT_C:%=$(BUILD)/guest-obj/libfdt/%.o)
GUEST_OBJ_pf-service := $(call guest_objects,$(GUEST_DIR)/pf-service)
GUEST_OBJ_peer	     := $(call guest_objects,$(GUEST_DIR)/peer $(GUEST_DIR)/igb)
GUEST_OBJ_attacker   := $(call guest_objects,$(GUEST_DIR)/attacker $(GUEST_DIR)/igb $(GUEST_DIR)/edu $(GUEST_DIR)/virtio)
GUEST_OBJ_selftest   := $(call guest_objects,$(GUEST_DIR)/selftest $(GUEST_DIR)/igb $(GUEST_DIR)/edu) \
			$(filter-out %/main.o,$(GUEST_OBJ_pf-service))
GUEST_OBJ_probe	     := $(call guest_objects,$(GUEST_DIR)/probe $(GUEST_DIR)/edu)
GUEST_ELF     := $(GUESTS:%=$(BUILD)/%.elf)

GUEST_LD      := $(CROSS)gcc -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments \
		 -Wl,-T,$(GUEST_DIR)/runtime/guest.ld

guests: $(GUESTS:%=$(BUILD)/%.bin)
$(BUILD)/pf-service.elf: $(GUEST_OBJ_pf-service)
$(BUILD)/peer.elf: $(GUEST_OBJ_peer)
$(BUILD)/attacker.elf: $(GUEST_OBJ_attacker)
$(BUILD)/selftest.elf: $(GUEST_OBJ_selftest)
$(BUILD)/probe.elf: $(GUEST_OBJ_probe)
$(GUEST_ELF): $(GUEST_COMMON) $(GUEST_DIR)/runtime/guest.ld
	@echo "  LD    $@"
	$(Q)$(GUEST_LD) -o $@ $(filter %.o,$^)
$(GUESTS:%=$(BUILD)/%.bin): %.bin: %.elf
	$(Q)$(CROSS)objcopy -O binary $< $@
$(BUILD)/guest-obj/libfdt/%.o: $(LIBFDT)/%.c
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(GUEST_FLAGS) -c $< -o $@
$(BUILD)/guest-obj/%.o: %.c
	@mkdir -p $(@D); echo "  CC    $<"
	$(Q)$(CROSS)gcc $(GUEST_FLAGS) $(WARN) -I$(GUEST_DIR)/runtime/include $(I_$(patsubst %/,%,$(dir $<))) -c $< -o $@
$(BUILD)/guest-obj/%.o: %.S
	@mkdir -p $(@D); echo "  AS    $<"
	$(Q)$(CROSS)gcc $(GUEST_FLAGS) -c $< -o $@

# The PF service with one of its functions replaced at link time: broken on purpose, or turned rogue.
PF_MUTANTS    := $(patsubst tests/faults/pf/%.c,%,$(sort $(wildcard tests/faults/pf/*.c)))
I_tests/faults/pf := -I$(GUEST_DIR)/igb -I$(GUEST_DIR)/pf-service
.SECONDARY: $(PF_MUTANTS:%=$(BUILD)/pf-mutants/%.elf) $(PF_MUTANTS:%=$(BUILD)/guest-obj/tests/faults/pf/%.o)
pf-mutants: $(PF_MUTANTS:%=$(BUILD)/pf-mutants/%.bin)
$(BUILD)/pf-mutants/%.elf: $(BUILD)/guest-obj/tests/faults/pf/%.o $(GUEST_OBJ_pf-service) $(GUEST_COMMON) $(GUEST_DIR)/runtime/guest.ld
	@mkdir -p $(@D); echo "  LD    $@"
	$(Q)$(GUEST_LD) $(patsubst %,-Wl$(,)--wrap=%,$(shell sed -n 's/^ [*] wraps: //p' tests/faults/pf/$*.c)) \
		-o $@ $(filter %.o,$^)
-include $(shell find $(BUILD)/guest-obj -name '*.d' 2>/dev/null)
