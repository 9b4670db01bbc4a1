/* SPDX-License-Identifier: MIT */
/*
 * Reads the configuration file. Every mistake is reported with the file and the line of the setting
 * that is wrong; nothing is guessed, and a setting that nobody knows is a mistake.
 */
#include "conf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "poise_names.h"
#include "text.h"

#define ROOT_KEYS    "backend,pool,host_reserve,on_exit,lock,record,state_file,log,control,policy,vms"
#define CONTROL_KEYS "socket,mode,group"
#define VM_KEYS      "name,min,boot,max,weight,basis,static,frozen"

#define HOST_RESERVE_PAGES (64u * 256u)

/* A tunable goes by its field's name; one in 1024ths by its own, as a fraction. */
#define KEY_MS(field, name)        #field
#define KEY_PERMILLE(field, name)  #field
#define KEY_INTERVALS(field, name) #field
#define KEY_Q10(field, name)       #name
static const char policy_keys[] = "name,rules_off"
#define POISE_TUNABLE(field, name, unit, ...) "," KEY_##unit(field, name)
#include "poise_tunables.def"
#undef POISE_TUNABLE
	;

/* In the order of their numbers, behind a comma each. */
static const char policies[] =
#define POISE_POLICY(code, number, name, words) "," name
#include "poise_policies.def"
#undef POISE_POLICY
	;
static const char bases[] =
#define POISE_BASIS(code, number, name, words) "," name
#include "poise_bases.def"
#undef POISE_BASIS
	;

static void read_tunables(struct setting_reader *r, config_setting_t *group, struct config *c)
{
	const struct poise_tunable *t;

	for (uint32_t i = 0; (t = poise_tunable(i)) != NULL; i++) {
		const uint32_t value =
			t->unit == POISE_UNIT_Q10
				? (uint32_t)(setting_number(r, group, t->name, 0.001, 1.0,
							    t->standard / 1024.0) *
						     1024.0 +
					     0.5)
				: (uint32_t)setting_whole(r, group, t->field, t->least, t->most,
							  t->standard);

		memcpy((char *)&c->core + t->offset, &value, sizeof(value));
	}
	if (!r->failed && c->core.freeze_intervals < c->core.hold_intervals) {
		setting_error(r, group, "freeze_intervals is less than hold_intervals");
	}
}

static void read_rules_off(struct setting_reader *r, config_setting_t *group, struct config *c)
{
	config_setting_t *s = group == NULL ? NULL : config_setting_get_member(group, "rules_off");

	if (s == NULL) {
		return;
	}
	if (!config_setting_is_array(s) && !config_setting_is_list(s)) {
		setting_error(r, s, "rules_off has to be an array, [ \"...\", ... ]");
		return;
	}
	for (int i = 0; i < config_setting_length(s); i++) {
		const char *word = config_setting_get_string_elem(s, i);
		uint32_t rule = 0;

		while (rule < POISE_RULE_COUNT &&
		       (word == NULL || strcmp(poise_rule_name(rule), word) != 0)) {
			rule++;
		}
		if (rule == POISE_RULE_COUNT || (POISE_RULE_BIT(rule) & POISE_RULES_NEUTRAL) == 0) {
			setting_error(r, s, "rules_off: no rule that can be left out: %.32s",
				      word != NULL ? word : "(not a text)");
			return;
		}
		c->core.rules_off |= POISE_RULE_BIT(rule);
	}
}

static void read_policy(struct setting_reader *r, config_setting_t *root, struct config *c)
{
	config_setting_t *group = setting_group(r, root, "policy", policy_keys);

	c->core.policy = setting_choice(r, group, "name", policies + 1, 0);
	read_rules_off(r, group, c);
	read_tunables(r, group, c);
}

static void read_control(struct setting_reader *r, config_setting_t *root, struct config *c)
{
	config_setting_t *group = setting_group(r, root, "control", CONTROL_KEYS);
	char mode[8];
	char *end;
	unsigned long value;

	setting_path(r, group, "socket", c->socket, sizeof(c->socket), "/run/poise/control.sock");
	setting_text(r, group, "group", c->group, sizeof(c->group), "");
	setting_text(r, group, "mode", mode, sizeof(mode), "0600");
	value = strtoul(mode, &end, 8);
	if (!r->failed &&
	    (end == mode || *end != '\0' || mode[0] == '-' || mode[0] == '+' || value > 0777)) {
		setting_error(r, config_setting_get_member(group, "mode"),
			      "mode has to be a text of octal digits, as \"0660\"");
	}
	c->mode = (mode_t)value;
}

static void read_pool(struct setting_reader *r, config_setting_t *root, struct config *c)
{
	config_setting_t *pool = config_setting_get_member(root, "pool");
	config_setting_t *reserve = config_setting_get_member(root, "host_reserve");

	if (pool == NULL || config_setting_type(pool) != CONFIG_TYPE_STRING ||
	    strcmp(config_setting_get_string(pool), "auto") != 0) {
		c->pool_pages = setting_pages(r, root, "pool", POISE_PAGES_MAX, 0);
	}
	/* The one size that may be nothing. */
	if (reserve != NULL && config_setting_type(reserve) == CONFIG_TYPE_INT &&
	    config_setting_get_int(reserve) == 0) {
		c->host_reserve_pages = 0;
	} else {
		c->host_reserve_pages =
			setting_pages(r, root, "host_reserve", POISE_PAGES_MAX, HOST_RESERVE_PAGES);
	}
	if (!r->failed && c->pool_pages == 0 && c->host_reserve_pages == 0) {
		setting_error(r, reserve, "pool = \"auto\" needs a host_reserve");
	}
}

static bool name_valid(const char *name)
{
	for (; *name != '\0'; name++) {
		if (!isalnum((unsigned char)*name) && strchr("-_.", *name) == NULL) {
			return false;
		}
	}
	return true;
}

static void read_vm_sizes(struct setting_reader *r, config_setting_t *s, struct config_vm *vm)
{
	struct poise_vm_config *core = &vm->core;

	core->min_pages = setting_pages(r, s, "min", POISE_PAGES_MAX, 0);
	core->boot_pages =
		setting_pages(r, s, "boot", POISE_PAGES_MAX, r->failed ? 1 : core->min_pages);
	core->max_pages = setting_pages(r, s, "max", POISE_PAGES_MAX, 0);
	core->weight = (uint32_t)setting_whole(r, s, "weight", 1, UINT16_MAX, 100);
	core->basis = setting_choice(r, s, "basis", bases + 1, 0);
	core->flags |= setting_flag(r, s, "static", false) ? POISE_VM_STATIC : 0u;
	core->flags |= setting_flag(r, s, "frozen", false) ? POISE_VM_FREEZE : 0u;
	if (!r->failed && core->min_pages > core->boot_pages) {
		setting_error(r, config_setting_get_member(s, "boot"), "boot is less than min");
	} else if (!r->failed && core->boot_pages > core->max_pages) {
		setting_error(r, config_setting_get_member(s, "max"), "max is less than %s",
			      config_setting_get_member(s, "boot") != NULL ? "boot" : "min");
	}
}

static void read_vm(struct setting_reader *r, config_setting_t *s, struct config *c)
{
	struct config_vm *vm = &c->vm[c->vm_count];

	if (!config_setting_is_group(s)) {
		setting_error(r, s, "a VM has to be a group, { ... }");
		return;
	}
	setting_known(r, s, VM_KEYS, c->backend->vm_keys);
	vm->line = config_setting_source_line(s);
	setting_text(r, s, "name", vm->name, sizeof(vm->name), NULL);
	if (!r->failed && !name_valid(vm->name)) {
		setting_error(r, s, "name may have letters, digits, '-', '_' and '.'");
	}
	for (uint32_t i = 0; i < c->vm_count; i++) {
		if (strcmp(c->vm[i].name, vm->name) == 0) {
			setting_error(r, s, "there is a VM with name %s already, in line %u",
				      vm->name, c->vm[i].line);
		}
	}
	read_vm_sizes(r, s, vm);
	if (!r->failed) {
		vm->settings = c->backend->vm_read(r, s, vm->name);
		if (vm->settings == NULL) {
			setting_error(r, s, "no memory");
		}
		c->vm_count++;
	}
}

static void read_vms(struct setting_reader *r, config_setting_t *root, struct config *c)
{
	config_setting_t *vms = config_setting_get_member(root, "vms");
	const int count = vms == NULL ? 0 : config_setting_length(vms);

	if (vms == NULL || !config_setting_is_list(vms) || count == 0) {
		setting_error(r, vms != NULL ? vms : root,
			      "vms has to be a list of VMs, ( {...}, {...} )");
		return;
	}
	if (count > POISE_VM_MAX) {
		setting_error(r, vms, "more than %d VMs", POISE_VM_MAX);
	}
	for (int i = 0; i < count && !r->failed; i++) {
		read_vm(r, config_setting_get_elem(vms, (unsigned)i), c);
	}
}

/* The backend decides which other keys are known, so it comes first. */
static void read_backend(struct setting_reader *r, config_setting_t *root, struct config *c)
{
	char name[BACKEND_NAME_MAX];
	config_setting_t *own;

	setting_text(r, root, "backend", name, sizeof(name), NULL);
	for (size_t i = 0; !r->failed && backends[i] != NULL; i++) {
		if (strcmp(backends[i]->name, name) == 0) {
			c->backend = backends[i];
		}
	}
	if (c->backend == NULL) {
		setting_error(r, config_setting_get_member(root, "backend"),
			      "this poised has no backend %s", name);
		return;
	}
	setting_known(r, root, ROOT_KEYS, name);
	own = setting_group(r, root, name, c->backend->own_keys);
	if (!r->failed) {
		c->own = c->backend->own_read(r, own);
		if (c->own == NULL) {
			setting_error(r, root, "no memory");
		}
	}
}

static void read_root(struct setting_reader *r, config_setting_t *root, struct config *c)
{
	static const enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO,
						LOG_LEVEL_DEBUG};
	char error[CONFIG_ERROR_MAX];

	read_backend(r, root, c);
	if (r->failed) {
		return;
	}
	read_pool(r, root, c);
	c->boot_on_exit = setting_choice(r, root, "on_exit", "leave,boot", 0) == 1;
	setting_path(r, root, "lock", c->lock, sizeof(c->lock), "/run/poise/poised.lock");
	setting_path(r, root, "record", c->record, sizeof(c->record), "");
	setting_path(r, root, "state_file", c->state_file, sizeof(c->state_file),
		     "/run/poise/poised.state");
	c->log = levels[setting_choice(r, root, "log", "error,warning,info,debug", 2)];
	read_control(r, root, c);
	read_policy(r, root, c);
	if (!r->failed) {
		read_vms(r, root, c);
	}
	if (!r->failed && c->pool_pages != 0 && conf_fits(c, c->pool_pages, error) != NULL) {
		setting_error(r, config_setting_get_member(root, "pool"), "%s", error);
	}
}

const char *conf_fits(const struct config *c, uint64_t pool_pages, char error[CONFIG_ERROR_MAX])
{
	uint64_t reserved = 0;

	for (uint32_t i = 0; i < c->vm_count; i++) {
		reserved += c->vm[i].core.min_pages;
		if (c->vm[i].core.max_pages > pool_pages) {
			snprintf(error, CONFIG_ERROR_MAX, "max of VM %s is more than the pool",
				 c->vm[i].name);
			return error;
		}
	}
	if (reserved > pool_pages) {
		snprintf(error, CONFIG_ERROR_MAX,
			 "the reservations (min) of all VMs are %llu pages, the pool has %llu",
			 (unsigned long long)reserved, (unsigned long long)pool_pages);
		return error;
	}
	return NULL;
}

struct config *conf_read_text(const char *path, const char *text, char error[CONFIG_ERROR_MAX])
{
	struct setting_reader r = {
		.path = path, .error = error, .size = CONFIG_ERROR_MAX, .printable = true};
	struct config *c = calloc(1, sizeof(*c));
	config_t file;

	config_init(&file);
	if (c == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "%s:0: no memory", path);
		r.failed = true;
	} else if (strstr(text, "@include") != NULL) {
		/* A file that is read must not decide which others are. */
		snprintf(error, CONFIG_ERROR_MAX, "%s:0: @include is not allowed", path);
		r.failed = true;
	} else if (config_read_string(&file, text) != CONFIG_TRUE) {
		snprintf(error, CONFIG_ERROR_MAX, "%s:%d: %s", path, config_error_line(&file),
			 config_error_text(&file));
		r.failed = true;
	} else {
		read_root(&r, config_root_setting(&file), c);
	}
	config_destroy(&file);
	if (r.failed) {
		conf_free(c);
		return NULL;
	}
	return c;
}

struct config *conf_read(const char *path, char error[CONFIG_ERROR_MAX])
{
	const char *reason;
	char *text = text_read(path, &reason);
	struct config *c = NULL;

	if (text == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "%s:0: %s", path, reason);
	} else {
		c = conf_read_text(path, text, error);
		free(text);
	}
	return c;
}

void conf_free(struct config *c)
{
	if (c == NULL) {
		return;
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (c->vm[i].settings != NULL) {
			c->backend->vm_settings_free(c->vm[i].settings);
		}
	}
	if (c->own != NULL) {
		c->backend->own_settings_free(c->own);
	}
	free(c);
}

const char *conf_fixed_difference(const struct config *now, const struct config *then)
{
	/* The pool's size apart, which can be changed. */
	if (now->backend != then->backend) {
		return "backend";
	}
	if (!now->backend->own_settings_equal(now->own, then->own)) {
		return now->backend->name;
	}
	if (memcmp(&now->core, &then->core, sizeof(now->core)) != 0) {
		return "policy";
	}
	if (strcmp(now->socket, then->socket) != 0 || now->mode != then->mode ||
	    strcmp(now->group, then->group) != 0) {
		return "control";
	}
	if (strcmp(now->lock, then->lock) != 0) {
		return "lock";
	}
	if (strcmp(now->state_file, then->state_file) != 0) {
		return "state_file";
	}
	return strcmp(now->record, then->record) != 0 ? "record" : NULL;
}
