/* SPDX-License-Identifier: MIT */
/*
 * One VM by /dev/kvm: set-up and the run loop. Each exit is decoded here
 * as far as its kind; what a load or store means is calls.c's.
 */
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SLOT_RAM        0u
#define SLOT_GUEST_PAGE 1u
#define SLOT_HOST_PAGE  2u
#define LOOK_EVERY_S    1

/* The register ID of Xn or PC. */
#define CORE_REG(field)                                        \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 (offsetof(struct kvm_regs, field) / sizeof(uint32_t)))

extern const char vmm_guest_image[], vmm_guest_image_end[];

void vmm_die(const char *format, ...)
{
	va_list list;
	fputs("poise-vmm: ", stderr);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
	exit(VMM_EXIT_INPUT);
}

/* An ioctl that has to work. */
static int must(const char *what, int result)
{
	if (result < 0) {
		vmm_die("%s: %s", what, strerror(errno));
	}
	return result;
}

/* A signal that comes while the kernel locks this process's memory makes it give up. */
static int create_vm(int kvm_fd)
{
	int fd;
	do {
		fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	} while (fd < 0 && errno == EINTR);
	return must("KVM_CREATE_VM", fd);
}

/* Only there to make KVM_RUN return from time to time, so that vmm_run can look at the clock. */
static void on_alarm(int number)
{
	(void)number;
}

int vmm_kvm_open(const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		vmm_die("%s: %s", path, strerror(errno));
	}
	const int version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		vmm_die("%s: not KVM with API version %d", path, KVM_API_VERSION);
	}
	if (ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) <= 0) {
		vmm_die("%s: no read-only memory slots", path);
	}
	if (sysconf(_SC_PAGESIZE) != (long)PAGE_BYTES) {
		vmm_die("this host's pages are not of 4 KiB, so that what is counted here would "
			"not be pages of 4 KiB either");
	}
	/* What is written is not to be cut short; KVM_RUN returns all the same. */
	const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	const struct itimerval every = {{LOOK_EVERY_S, 0}, {LOOK_EVERY_S, 0}};
	must("sigaction", sigaction(SIGALRM, &action, NULL));
	must("setitimer", setitimer(ITIMER_REAL, &every, NULL));
	return fd;
}

bool vmm_mode_there(int kvm_fd, enum kvm_dirty_mode mode)
{
	struct kvm_dirty dirty;
	const int fd = create_vm(kvm_fd);
	const int result = kvm_dirty_open(&dirty, fd, mode);
	close(fd);
	if (result < 0 && result != -ENOTSUP) {
		vmm_die("mode %s: %s", kvm_dirty_mode_name(mode), strerror(-result));
	}
	return result == 0;
}

void vmm_mode_must(int kvm_fd, enum kvm_dirty_mode mode)
{
	if (!vmm_mode_there(kvm_fd, mode)) {
		vmm_die("mode %s of dirty logging: this kernel does not have it",
			kvm_dirty_mode_name(mode));
	}
}

static void *memory(size_t bytes)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED) {
		vmm_die("%zu bytes of memory: %s", bytes, strerror(errno));
	}
	/* A huge page would bring pages back that are in the balloon. Not there: then no huge page
	 * either. */
	(void)madvise(map, bytes, MADV_NOHUGEPAGE);
	return map;
}

static void slots_open(struct vmm *vm)
{
	const struct kvm_userspace_memory_region region[] = {
		{.slot = SLOT_RAM,
		 .guest_phys_addr = VMM_RAM_BASE,
		 .memory_size = vm->config.ram_pages * PAGE_BYTES,
		 .userspace_addr = (uintptr_t)vm->ram},
		{.slot = SLOT_GUEST_PAGE,
		 .guest_phys_addr = VMM_GUEST_PAGE,
		 .memory_size = PAGE_BYTES,
		 .userspace_addr = (uintptr_t)vm->guest_page},
		{.slot = SLOT_HOST_PAGE,
		 .flags = KVM_MEM_READONLY,
		 .guest_phys_addr = VMM_HOST_PAGE,
		 .memory_size = PAGE_BYTES,
		 .userspace_addr = (uintptr_t)vm->host_page},
	};
	const int result = kvm_dirty_slot_add(&vm->dirty, &region[0]);
	if (result < 0) {
		vmm_die("memory slot of %llu bytes: %s", (unsigned long long)region[0].memory_size,
			strerror(-result));
	}
	must("guest page", ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region[1]));
	must("host page", ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region[2]));
}

static void register_set(const struct vmm *vm, uint64_t id, uint64_t value)
{
	const struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};
	must("KVM_SET_ONE_REG", ioctl(vm->vcpu_fd, KVM_SET_ONE_REG, &reg));
}

static void vcpu_open(struct vmm *vm, int kvm_fd)
{
	struct kvm_vcpu_init init = {0};
	vm->vcpu_fd = must("KVM_CREATE_VCPU", ioctl(vm->fd, KVM_CREATE_VCPU, 0));
	must("KVM_ARM_PREFERRED_TARGET", ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init));
	must("KVM_ARM_VCPU_INIT", ioctl(vm->vcpu_fd, KVM_ARM_VCPU_INIT, &init));
	vm->run_bytes =
		(size_t)must("KVM_GET_VCPU_MMAP_SIZE", ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0));
	vm->run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu_fd, 0);
	if (vm->run == MAP_FAILED) {
		vmm_die("struct kvm_run: %s", strerror(errno));
	}
	const int result = kvm_dirty_vcpu_add(&vm->dirty, vm->vcpu_fd);
	if (result < 0) {
		vmm_die("dirty ring: %s", strerror(-result));
	}
	register_set(vm, CORE_REG(regs.pc), VMM_RAM_BASE);
	register_set(vm, CORE_REG(regs.regs[0]), vm->config.ram_pages);
	register_set(vm, CORE_REG(regs.regs[1]), vm->config.boot_pages);
	register_set(vm, CORE_REG(regs.regs[2]), vm->config.boot_id);
	register_set(vm, CORE_REG(regs.regs[3]), vm->config.publish);
}

void vmm_open(struct vmm *vm, int kvm_fd, const struct vmm_config *config)
{
	*vm = (struct vmm){.config = *config, .allowed_pages = config->boot_pages};
	vm->ram = memory(config->ram_pages * PAGE_BYTES);
	vm->guest_page = memory(PAGE_BYTES);
	vm->host_page = memory(PAGE_BYTES);
	vm->given = memory((config->ram_pages / 64 + 1) * sizeof(uint64_t));
	const uint64_t rest = config->ram_pages - config->boot_pages;
	if (vmm_inflate(vm, config->boot_pages, rest) != rest) {
		vmm_die("the balloon cannot be filled: %s", strerror(errno));
	}
	memcpy(vm->ram, vmm_guest_image,
	       (uintptr_t)vmm_guest_image_end - (uintptr_t)vmm_guest_image);
	vm->fd = create_vm(kvm_fd);
	const int result = kvm_dirty_open(&vm->dirty, vm->fd, config->mode);
	if (result < 0) {
		vmm_die("mode %s of dirty logging: %s", kvm_dirty_mode_name(config->mode),
			strerror(-result));
	}
	slots_open(vm);
	vcpu_open(vm, kvm_fd);
}

void vmm_close(struct vmm *vm)
{
	kvm_dirty_close(&vm->dirty);
	munmap(vm->run, vm->run_bytes);
	close(vm->vcpu_fd);
	close(vm->fd);
	munmap(vm->ram, vm->config.ram_pages * PAGE_BYTES);
	munmap(vm->guest_page, PAGE_BYTES);
	munmap(vm->host_page, PAGE_BYTES);
	munmap(vm->given, (vm->config.ram_pages / 64 + 1) * sizeof(uint64_t));
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

enum vmm_call vmm_run(struct vmm *vm, uint64_t answer)
{
	enum vmm_call call = VMM_CALL_COUNT;
	const uint64_t begin_ms = now_ms();
	memcpy(vm->run->mmio.data, &answer, sizeof(answer));
	while (call == VMM_CALL_COUNT) {
		if (now_ms() - begin_ms > VMM_TURN_MS) {
			return vmm_fail(vm, "no call for %u ms", VMM_TURN_MS);
		}
		if (ioctl(vm->vcpu_fd, KVM_RUN, 0) < 0) {
			if (errno != EINTR && errno != EAGAIN) {
				return vmm_fail(vm, "%s",
						errno == EFAULT
							? "it touched what is in its balloon"
							: strerror(errno));
			}
		} else if (vm->run->exit_reason == KVM_EXIT_MMIO) {
			call = vmm_mmio(vm);
		} else if (vm->run->exit_reason == KVM_EXIT_DIRTY_RING_FULL) {
			const int result = kvm_dirty_ring_full(&vm->dirty);
			vm->ring_exits++;
			if (result < 0) {
				return vmm_fail(vm, "dirty ring: %s", strerror(-result));
			}
		} else {
			return vmm_fail(vm, "exit of unknown kind %u", vm->run->exit_reason);
		}
	}
	return call;
}
