# SPDX-License-Identifier: BSD-2-Clause
# Hypervisors with one guard broken on purpose: `make mutants` gives $(BUILD)/mutants/NAME/hypervisor.bin
# for each tests/faults/mutants/NAME.c. The functions a mutant replaces stand in its line `wraps:`; the
# linker's --wrap puts it in front of them, all else is the hypervisor's own objects. Included by the
# Makefile after HV_LD and HV_OBJ.
MUTANTS	   := $(notdir $(basename $(wildcard tests/faults/mutants/*.c)))
MUTANT_ELF := $(MUTANTS:%=$(BUILD)/mutants/%/hypervisor.elf)
WRAPS	    = $(addprefix -Wl$(,)--wrap=,$(shell sed -n 's/^ \* wraps: //p' $(1)))

.PHONY: mutants
mutants: $(MUTANT_ELF:%.elf=%.bin)
$(MUTANT_ELF): $(BUILD)/mutants/%/hypervisor.elf: tests/faults/mutants/%.c $(HV_OBJ) $(HV_SCRIPT)
	@mkdir -p $(@D); echo "  MUTANT $*"
	$(Q)$(CROSS)gcc $(HV_FLAGS) $(WARN) $(I_tests) -c $< -o $(@D)/mutant.o
	$(Q)$(HV_LD) $(call WRAPS,$<) -o $@ $(HV_OBJ) $(@D)/mutant.o
