/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS       64  /* of a command line */
#define TEXT        512 /* of one word */
#define REGION      65536u
#define LARGE       (4u << 20)
#define DISK        (200ll << 20)
#define IVSHMEM_MIB 160u
/* The device tree machine: its memory; a region below /reserved-memory, and two pages on a bus. */
#define TREE_MIB      128u
#define TREE_RAM      0x40000000ull
#define TREE_RESERVED 0x47000000ull
#define TREE_GUEST    0x47010000ull
#define TREE_HOST     0x47020000ull

/* A command line under construction. */
struct words {
	char text[WORDS][TEXT];
	char *argv[WORDS + 1];
	size_t count;
};

static void word(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void word(struct words *w, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	if (w->count == WORDS ||
	    vsnprintf(w->text[w->count], TEXT, format, arguments) >= (int)TEXT) {
		fprintf(stderr, "machine: the command line of QEMU is too long\n");
		exit(2);
	}
	va_end(arguments);
	w->argv[w->count] = w->text[w->count];
	w->argv[++w->count] = NULL;
}

/* Adds words that are separated by blanks. */
static void words(struct words *w, const char *list)
{
	char *copy = strdup(list);
	for (char *next = strtok(copy, " "); next != NULL; next = strtok(NULL, " ")) {
		word(w, "%s", next);
	}
	free(copy);
}

static void common(struct words *w, const struct machine_files *files, unsigned mib)
{
	word(w, "%s", files->qemu);
	words(w, "-cpu cortex-a72 -display none -monitor none -serial stdio -parallel none "
		 "-nic none -no-reboot -kernel");
	word(w, "%s", files->kernel);
	word(w, "-initrd");
	word(w, "%s", files->initramfs);
	word(w, "-append");
	word(w, "console=ttyAMA0 quiet panic=-1");
	word(w, "-m");
	word(w, "%u", mib);
}

/* Makes a file of that size, filled with `byte`, and maps it. Returns NULL (said) if it cannot. */
static char *file_map(const char *path, size_t bytes, int byte)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *memory = MAP_FAILED;
	if (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0) {
		memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	if (memory == MAP_FAILED) {
		perror(path);
		memory = NULL;
	} else if (byte != 0) {
		memset(memory, byte, bytes);
	}
	if (fd >= 0) {
		close(fd);
	}
	return memory;
}

/* An ivshmem device at a slot, on memory that this process maps too. */
static char *ivshmem(struct words *w, const struct machine_files *files, unsigned slot,
		     size_t bytes, int byte)
{
	char path[TEXT / 2];
	snprintf(path, sizeof(path), "%s/region%u", files->work, slot);
	word(w, "-object");
	word(w, "memory-backend-file,id=m%u,mem-path=%s,size=%zu,share=on", slot, path, bytes);
	word(w, "-device");
	word(w, "ivshmem-plain,memdev=m%u,addr=%u", slot, slot);
	return file_map(path, bytes, byte);
}

static bool start(struct machine *m, const struct machine_files *files, struct words *w,
		  const char *name)
{
	char log[TEXT];
	snprintf(log, sizeof(log), "%s/%s.log", files->work, name);
	return console_start(&m->console, w->argv, log);
}

/* QEMU's answers are not read: what they bring about is. */
static void qmp_say(struct machine *m, const char *text)
{
	if (write(m->qmp, text, strlen(text)) != (ssize_t)strlen(text)) {
		fail_msg("QMP: %s", strerror(errno));
	}
}

static bool qmp_connect(struct machine *m, const struct machine_files *files)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int length =
		snprintf(address.sun_path, sizeof(address.sun_path), "%s/qmp", files->work);
	m->qmp = socket(AF_UNIX, SOCK_STREAM, 0);
	if (length >= (int)sizeof(address.sun_path) || m->qmp < 0 ||
	    connect(m->qmp, (struct sockaddr *)&address, sizeof(address)) != 0) {
		perror("QMP");
		return false;
	}
	qmp_say(m, "{\"execute\": \"qmp_capabilities\"}\n");
	return true;
}

void machine_balloon(struct machine *m, uint64_t pages)
{
	char text[96];
	snprintf(text, sizeof(text),
		 "{\"execute\": \"balloon\", \"arguments\": {\"value\": %llu}}\n",
		 (unsigned long long)pages * 4096u);
	qmp_say(m, text);
}

bool machine_start_ivshmem(struct machine *m, const struct machine_files *files)
{
	struct words w = {.count = 0};
	char disk[TEXT / 2];
	*m = (struct machine){.total_pages = IVSHMEM_MIB * 256u, .mapped = REGION};
	common(&w, files, IVSHMEM_MIB);
	words(&w, "-M virt -smp 2");
	/* The module meets them in this order. */
	m->foreign =
		(unsigned char *)ivshmem(&w, files, 2, MACHINE_FOREIGN_BYTES, MACHINE_FOREIGN_BYTE);
	char *large = ivshmem(&w, files, 3, LARGE, 0);
	m->memory = ivshmem(&w, files, 4, REGION, 0);
	if (m->foreign == NULL || large == NULL || m->memory == NULL) {
		return false;
	}
	munmap(large, LARGE);
	snprintf(disk, sizeof(disk), "%s/disk", files->work);
	const int fd = open(disk, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, DISK) != 0) {
		perror(disk);
		return false;
	}
	close(fd);
	word(&w, "-drive");
	word(&w, "file=%s,if=none,id=disk,format=raw,readonly=on", disk);
	words(&w,
	      "-device virtio-blk-pci,drive=disk,addr=5 -device virtio-balloon-pci,addr=6 -qmp");
	word(&w, "unix:%s/qmp,server=on,wait=off", files->work);
	m->guest = (struct poise_guest_page *)(void *)m->memory;
	m->host = (struct poise_host_page *)(void *)(m->memory + POISE_ABI_PAGE_BYTES);
	return start(m, files, &w, "ivshmem") && qmp_connect(m, files);
}

/* The machine's own device tree with our node in it. */
static bool tree_make(const struct machine_files *files)
{
	char command[4 * TEXT];
	snprintf(command, sizeof(command),
		 "set -e; cd '%s'; '%s' -M virt,dumpdtb=plain.dtb -cpu cortex-a72 -smp 1 -m %u "
		 "-display none -nic none >dumpdtb.log 2>&1; "
		 "dtc -q -I dtb -O dts -o tree.dts plain.dtb; cat >>tree.dts <<END\n"
		 "/ { reserved-memory {\n"
		 "#address-cells = <2>; #size-cells = <2>; ranges;\n"
		 "wrong@47030000 { compatible = \"poise,shared-pages\"; no-map;\n"
		 "reg = <0 0x47030000 0 0x10000>, <0 0x47040000 0 0x10000>; };\n"
		 "one@%llx { compatible = \"poise,shared-pages\"; no-map;\n"
		 "reg = <0 0x%llx 0 0x10000>; };\n"
		 "hole@%llx { no-map; reg = <0 0x%llx 0 0x20000>; };\n"
		 "};\n"
		 "two@%llx { compatible = \"poise,shared-pages\";\n"
		 "reg = <0 0x%llx 0 0x10000>, <0 0x%llx 0 0x10000>; }; };\n"
		 "END\n"
		 "dtc -q -I dts -O dtb -o tree.dtb tree.dts",
		 files->work, files->qemu, TREE_MIB, TREE_RESERVED, TREE_RESERVED, TREE_GUEST,
		 TREE_GUEST, TREE_GUEST, TREE_GUEST, TREE_HOST);
	if (system(command) != 0) {
		fprintf(stderr, "machine: no device tree; see %s\n", files->work);
		return false;
	}
	return true;
}

bool machine_start_device_tree(struct machine *m, const struct machine_files *files)
{
	struct words w = {.count = 0};
	char ram[TEXT / 2];
	*m = (struct machine){.total_pages = TREE_MIB * 256u, .mapped = (size_t)TREE_MIB << 20};
	snprintf(ram, sizeof(ram), "%s/ram", files->work);
	m->memory = file_map(ram, m->mapped, 0);
	if (m->memory == NULL || !tree_make(files)) {
		return false;
	}
	common(&w, files, TREE_MIB);
	words(&w, "-smp 1 -icount shift=0,sleep=off -M virt,memory-backend=ram -object");
	word(&w, "memory-backend-file,id=ram,mem-path=%s,size=%zu,share=on", ram, m->mapped);
	word(&w, "-dtb");
	word(&w, "%s/tree.dtb", files->work);
	m->guest = (struct poise_guest_page *)(void *)(m->memory + (TREE_GUEST - TREE_RAM));
	m->host = (struct poise_host_page *)(void *)(m->memory + (TREE_HOST - TREE_RAM));
	return start(m, files, &w, "device-tree");
}

void machine_tree_reserved(struct machine *m)
{
	char *region = m->memory + (TREE_RESERVED - TREE_RAM);
	m->guest = (struct poise_guest_page *)(void *)region;
	m->host = (struct poise_host_page *)(void *)(region + POISE_ABI_PAGE_BYTES);
}

int machine_end(struct machine *m)
{
	const int status = console_end(&m->console);
	munmap(m->memory, m->mapped);
	if (m->qmp > 0) {
		close(m->qmp);
	}
	if (m->foreign != NULL) {
		munmap((void *)(uintptr_t)m->foreign, MACHINE_FOREIGN_BYTES);
	}
	return status;
}

uint64_t machine_status(struct machine *m, const char *name)
{
	return console_number(console_run(&m->console, MACHINE_STATUS), name);
}

static void breathe(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

void machine_wait_status(struct machine *m, const char *name, uint64_t least)
{
	const uint64_t limit = console_ms() + CONSOLE_LIMIT_S * 1000u;
	uint64_t value;
	while ((value = machine_status(m, name)) < least) {
		if (console_ms() > limit) {
			fail_msg("%s stays at %llu, below %llu", name, (unsigned long long)value,
				 (unsigned long long)least);
		}
		breathe();
	}
}

struct poise_sample machine_sample(struct machine *m)
{
	const uint64_t limit = console_ms() + CONSOLE_LIMIT_S * 1000u;
	struct poise_sample sample;
	enum poise_err err;
	while ((err = poise_page_read(m->guest, m->total_pages, &sample)) == POISE_E_TORN) {
		if (console_ms() > limit) {
			fail_msg("the page stays odd");
		}
		breathe();
	}
	if (err != POISE_OK) {
		fail_msg("the guest page makes no sense: %s", poise_err_name(err));
	}
	return sample;
}

struct poise_sample machine_wait_boot(struct machine *m, uint64_t boot_id)
{
	const uint64_t limit = console_ms() + CONSOLE_LIMIT_S * 1000u;
	struct poise_sample sample = machine_sample(m);
	while (sample.boot_id == boot_id) {
		if (console_ms() > limit) {
			fail_msg("no new boot generation");
		}
		breathe();
		sample = machine_sample(m);
	}
	return sample;
}

struct poise_sample machine_wait_sample(struct machine *m, uint64_t number)
{
	const uint64_t limit = console_ms() + CONSOLE_LIMIT_S * 1000u;
	struct poise_sample sample = machine_sample(m);
	while (sample.body.sample < number) {
		if (console_ms() > limit) {
			fail_msg("no sample %llu", (unsigned long long)number);
		}
		breathe();
		sample = machine_sample(m);
	}
	return sample;
}

struct poise_notice machine_notice(struct machine *m)
{
	return (struct poise_notice){.boot_id = machine_sample(m).boot_id,
				     .interval_ms = 100,
				     .target_pages = m->total_pages,
				     .epoch = 1,
				     .state = POISE_HOST_STATE_MANAGED};
}

void machine_order(struct machine *m, const struct poise_notice *notice)
{
	poise_host_page_write(m->host, &m->writer, notice);
}

void machine_no_complaint(struct machine *m)
{
	/* "taints" is what any module from outside the kernel is told. */
	if (console_status(&m->console, "dmesg | grep -E 'BUG|WARN|Oops|Call trace|stall|hung|"
					"refcount|leak|Unable to handle'") == 0) {
		fail_msg("the kernel complains: %s", m->console.text);
	}
}
