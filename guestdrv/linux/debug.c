// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* /sys/kernel/debug/poise_guest/status: what was published last, one "name value" a line. */
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "poise_guest.h"

static struct dentry *dir;

#define BODY(field)                                               \
	{                                                         \
#field, offsetof(struct poise_status, body.field) \
	}

/* Numbers of 64 bits, by name. */
static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	{"generations", offsetof(struct poise_status, generations)},
	{"updates", offsetof(struct poise_status, updates)},
	{"interval_ms", offsetof(struct poise_status, interval_ms)},
	BODY(sample),
	BODY(guest_ms),
	BODY(total_pages),
	BODY(balloon_pages),
	BODY(free_pages),
	BODY(active_file_pages),
	BODY(inactive_file_pages),
	BODY(active_anon_pages),
	BODY(inactive_anon_pages),
	BODY(unevictable_pages),
	BODY(swap_used_pages),
	BODY(available_pages),
	BODY(swap_out_pages),
	BODY(swap_in_pages),
	BODY(refault_anon_pages),
	BODY(refault_file_pages),
	BODY(committed_pages),
	BODY(direct_reclaims),
	BODY(oom_kills),
	BODY(floor_pages),
	{"host_update", offsetof(struct poise_status, gd.host_update)},
	{"host_target_pages", offsetof(struct poise_status, host.target_pages)},
	{"host_epoch", offsetof(struct poise_status, host.epoch)},
	{"bad_host_pages", offsetof(struct poise_status, gd.bad_host_pages)},
	{"raised_background", offsetof(struct poise_status, raised[0])},
	{"raised_direct", offsetof(struct poise_status, raised[1])},
	{"raised_oom", offsetof(struct poise_status, raised[2])},
	{"update_ns_last", offsetof(struct poise_status, cost_ns[0])},
	{"update_ns_highest", offsetof(struct poise_status, cost_ns[1])},
	{"write_ns_last", offsetof(struct poise_status, write_ns[0])},
	{"write_ns_highest", offsetof(struct poise_status, write_ns[1])},
};

static void line(struct seq_file *out, const char *name, u64 value)
{
	seq_printf(out, "%-22s %llu\n", name, (unsigned long long)value);
}

static int status_show(struct seq_file *out, void *unused)
{
	struct poise_status *s = kmalloc(sizeof(*s), GFP_KERNEL);
	u64 noticed[3];
	size_t i;

	if (!s) {
		return -ENOMEM;
	}
	poise_status(s);
	poise_pressure_counts(noticed);
	seq_printf(out, "%-22s %s %s\n", "source", s->kind, s->name);
	seq_printf(out, "%-22s %016llx\n", "boot_id", (unsigned long long)s->gd.boot_id);
	seq_printf(out, "%-22s 0x%x\n", "features", s->gd.features);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		u64 value;

		memcpy(&value, (const char *)s + numbers[i].offset, sizeof(value));
		line(out, numbers[i].name, value);
	}
	line(out, "host_state", s->host.state);
	line(out, "urgent", s->gd.urgent);
	line(out, "noticed_background", noticed[0]);
	line(out, "noticed_direct", noticed[1]);
	line(out, "noticed_oom", noticed[2]);
	if (s->updates != 0) {
		line(out, "update_ns_mean", div64_u64(s->cost_ns[2], s->updates));
		line(out, "write_ns_mean", div64_u64(s->write_ns[2], s->updates));
	}
	kfree(s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

int poise_debug_init(void)
{
	/* No error of debugfs is a reason not to publish. */
	dir = debugfs_create_dir(POISE_NAME, NULL);
	debugfs_create_file("status", 0400, dir, NULL, &status_fops);
	return 0;
}

void poise_debug_exit(void)
{
	debugfs_remove(dir);
}
