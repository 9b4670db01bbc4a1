# SPDX-License-Identifier: MIT
# Real guests under real KVM on an emulated arm64 host, balanced by poised: make run-kvm, test-kvm.
# Included by the top Makefile after linux.mk, module.mk, daemon.mk and sim.mk.
#
# PERCENT	length of the scenario's phases in percent (100)
# CASES		only these failure cases: make test-kvm CASES=qmp,liar (all)
KVM_OUT := $(OUT)/kvm
PERCENT ?= 100
CASES ?=

# What runs in guests, and words in the host: small static programs.
KVM_PROGRAMS := $(KVM_OUT)/load $(KVM_OUT)/lie $(KVM_OUT)/words
KVM_CFLAGS := -static -O2 -g -D_GNU_SOURCE $(WARN) $(INCLUDES)
$(KVM_OUT)/load: test/kvm/load.c
$(KVM_OUT)/lie: test/kvm/lie.c guestdrv/publish.c
$(KVM_OUT)/words: test/kvm/words.c
$(KVM_PROGRAMS): | $(LINUX_STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $@")
	$(Q)$(LINUX_CC) $(LINUX_CFLAGS) $(KVM_CFLAGS) -o $@ $(filter %.c,$^)

KVM_GUEST := $(KVM_OUT)/guest.cpio
$(KVM_GUEST): test/kvm/guest.sh $(KVM_PROGRAMS) $(MODULE) test/linux/init test/linux/initramfs.sh $(LINUX_STAMP)
	@echo "  CPIO    $@"
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX) job=$< file=$(KVM_OUT)/load:/bin/load file=$(KVM_OUT)/lie:/bin/lie \
		module=$(MODULE) modules=virtio_pci,virtio_blk,virtio_console,virtio_balloon

# The host, with one of its jobs: tv, cases. What they share is in its /lib.
KVM_HOSTS := $(KVM_OUT)/tv.cpio $(KVM_OUT)/cases.cpio
KVM_SHARED := $(addprefix test/kvm/,host.sh conditions.sh watcher.sh)
$(KVM_HOSTS): $(KVM_OUT)/%.cpio: test/kvm/%.sh $(KVM_SHARED) $(KVM_GUEST) $(POISED_ARM64) $(POISECTL_ARM64)
	@echo "  CPIO    $@"
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX) job=$< $(foreach f,$(KVM_SHARED),file=$f:/lib/$(notdir $f)) \
		file=$(KVM_GUEST):/boot/guest.cpio file=$(LINUX_KERNEL):/boot/vmlinuz file=$(KVM_OUT)/words:/bin/words \
		file=$(POISED_ARM64):/bin/poised file=$(POISECTL_ARM64):/bin/poisectl \
		bin=/usr/bin/qemu-system-aarch64 bin=/usr/bin/jq bin=/usr/bin/socat \
		modules=virtio_pci,virtio_blk

# The closing line comes last, after the recording has been replayed on this machine.
.PHONY: run-kvm
run-kvm: $(KVM_OUT)/tv.cpio $(SIM) ## the same on KVM/arm64: three Linux guests, poised; recording in build/run-kvm
	@QEMU=$(QEMU) test/kvm/run.sh $(LINUX) $< $(OUT)/run-kvm 3000 poise.percent=$(PERCENT)
	@$(SIM) replay $(OUT)/run-kvm/balanced.txt
	@cat $(OUT)/run-kvm/result

# The same, and everything that can go wrong; two boots side by side.
KVM_RUNS := kvm-tv kvm-cases
$(foreach r,tv cases,$(eval RUN_kvm-$(r) := env QEMU=$(QEMU) test/kvm/test.sh $(r) $(OUT)/test/kvm-$(r) \
	$(LINUX) $(KVM_OUT)/$(r).cpio $(SIM) \
	poise.percent=$(PERCENT) poise.cases=$(CASES)))
TEST_GROUPS += kvm
.PHONY: test-kvm kvm-runs
kvm-runs: $(KVM_HOSTS) $(SIM)
	$(call run_all,$(KVM_RUNS),kvm)

test-kvm: kvm-runs vmm-runs ## real guests under real KVM: the scenario, and one fault after the other
	@test/sum.sh total $(OUT)/test/kvm $(OUT)/test/vmm
# Alone, since all groups have an order of their own in `make test`.
ifeq ($(filter test test-kvm,$(MAKECMDGOALS)),test-kvm)
vmm-runs: | kvm-runs
endif
