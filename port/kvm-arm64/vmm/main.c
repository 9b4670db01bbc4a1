/* SPDX-License-Identifier: MIT */
/* poise-vmm: the command line. All of it is checked before the first VM is made. */
#include "vmm.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX 8u

static const char usage[] =
	"usage: poise-vmm experiment [--slot SIZE]... [--mode MODE] [--kvm PATH]\n"
	"       poise-vmm balance [--source dirty|guest] [--record FILE] [--mode MODE] [--kvm "
	"PATH]\n"
	"A VMM of a few hundred lines on /dev/kvm (arm64) with Poise and its dirty log in it.\n"
	"  experiment  dirty pages between two calls of a guest, next to the true number\n"
	"  balance     two VMs with a pool for one and a quarter, static, then balanced\n"
	"  --slot      RAM of the guest, 1M to 1G; default 2M, then 32M, then 1G\n"
	"  --mode      log, clear or ring; default: experiment all that the kernel has,\n"
	"              balance the best of them\n"
	"  --source    what the core goes by: the dirty log, or what the guests publish\n"
	"  --cheat     one guest touches what is in its balloon, and is ended for it\n"
	"  --record    recording of the balanced run, for poise-sim replay\n"
	"  --kvm       the device, default /dev/kvm\n"
	"  --help, --version\n";

struct arguments {
	const char *kvm;
	enum kvm_dirty_mode mode;
	struct vmm_balance_options balance;
	uint64_t slot[SLOTS_MAX + 1]; /* pages; 0 ends */
	unsigned slots;
};

static enum kvm_dirty_mode mode_of(const char *text)
{
	for (unsigned m = KVM_DIRTY_MODE_LOG; m < KVM_DIRTY_MODE_COUNT; m++) {
		if (strcmp(text, kvm_dirty_mode_name((enum kvm_dirty_mode)m)) == 0) {
			return (enum kvm_dirty_mode)m;
		}
	}
	vmm_die("--mode %s: not log, clear or ring", text);
}

/* A size with K, M or G behind it, in pages. */
static uint64_t pages_of(const char *text)
{
	static const char units[] = "KMG";
	char *end = NULL;
	errno = 0;
	uint64_t bytes = strtoull(text, &end, 10);
	const char *const unit =
		strchr(units, end[0]); /* a number alone is bytes: its end is found */
	if (text[0] < '0' || text[0] > '9' || errno != 0 || unit == NULL ||
	    (end[0] != '\0' && end[1] != '\0')) {
		vmm_die("--slot %s: not a size, such as 512K, 2M or 1G", text);
	}
	for (long i = 0; end[0] != '\0' && i <= unit - units; i++) {
		bytes = bytes > VMM_RAM_MAX ? bytes : bytes * 1024u;
	}
	if (bytes < VMM_RAM_MIN || bytes > VMM_RAM_MAX || bytes % PAGE_BYTES != 0) {
		vmm_die("--slot %s: not 1M to 1G in pages of 4K", text);
	}
	return bytes / PAGE_BYTES;
}

static void slot_add(struct arguments *a, const char *text)
{
	if (a->slots == SLOTS_MAX) {
		vmm_die("--slot: more than %u", SLOTS_MAX);
	}
	a->slot[a->slots++] = pages_of(text);
}

static bool source_of(const char *text)
{
	if (strcmp(text, "dirty") != 0 && strcmp(text, "guest") != 0) {
		vmm_die("--source %s: not dirty or guest", text);
	}
	return text[0] == 'g';
}

/* Options from argv[1] on; argv[0] is the command. Those that a command does not know are not in
 * its list. */
static struct arguments parse(int argc, char **argv, const struct option *options)
{
	struct arguments a = {.kvm = "/dev/kvm"};
	int option;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (option) {
		case 's':
			slot_add(&a, optarg);
			break;
		case 'm':
			a.mode = mode_of(optarg);
			break;
		case 'o':
			a.balance.guest_source = source_of(optarg);
			break;
		case 'r':
			a.balance.record = optarg;
			break;
		case 'c':
			a.balance.cheat = true;
			break;
		case 'k':
			a.kvm = optarg;
			break;
		case ':':
			vmm_die("%s: needs a value", argv[optind - 1]);
		default:
			vmm_die("%s: no such option of %s; see --help", argv[optind - 1], argv[0]);
		}
	}
	if (optind != argc) {
		vmm_die("%s: not an option; see --help", argv[optind]);
	}
	return a;
}

static int run_experiment(int argc, char **argv)
{
	static const struct option options[] = {{"slot", required_argument, NULL, 's'},
						{"mode", required_argument, NULL, 'm'},
						{"kvm", required_argument, NULL, 'k'},
						{NULL, 0, NULL, 0}};
	struct arguments a = parse(argc, argv, options);
	if (a.slots == 0) {
		slot_add(&a, "2M");
		slot_add(&a, "32M");
		slot_add(&a, "1G");
	}
	return vmm_experiment(vmm_kvm_open(a.kvm), a.slot, a.mode);
}

static int run_balance(int argc, char **argv)
{
	static const struct option options[] = {
		{"source", required_argument, NULL, 'o'}, {"record", required_argument, NULL, 'r'},
		{"cheat", no_argument, NULL, 'c'},        {"mode", required_argument, NULL, 'm'},
		{"kvm", required_argument, NULL, 'k'},    {NULL, 0, NULL, 0}};
	struct arguments a = parse(argc, argv, options);
	a.balance.mode = a.mode;
	return vmm_balance(vmm_kvm_open(a.kvm), &a.balance);
}

/* Output that could not be written is no success. */
static int finish(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		vmm_die("standard output: %s", strerror(errno));
	}
	return status;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			fputs(usage, stdout);
			return finish(0);
		}
		if (strcmp(argv[i], "--version") == 0) {
			puts("poise-vmm " POISE_VERSION);
			return finish(0);
		}
	}
	if (argc < 2) {
		vmm_die("no command; see --help");
	}
	if (strcmp(argv[1], "experiment") == 0) {
		return finish(run_experiment(argc - 1, argv + 1));
	}
	if (strcmp(argv[1], "balance") == 0) {
		return finish(run_balance(argc - 1, argv + 1));
	}
	vmm_die("%s: no such command; see --help", argv[1]);
}
