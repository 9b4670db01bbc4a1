/* SPDX-License-Identifier: MIT */
/*
 * Changes of the configuration while the daemon runs: SIGHUP, and single settings by the control
 * socket. A file or a value with a mistake changes nothing.
 */
#include "change.h"

#include <inttypes.h>
#include <string.h>

#include "pool.h"
#include "service.h"
#include "text.h"
#include "vms.h"

#define PAGES_LEAST 1u

/* Whether the reservations of all VMs would fit, if this one's configuration became `config`. */
static const char *check(const struct poised *d, uint32_t vm, const struct poise_vm_config *config)
{
	uint64_t reserved = config->min_pages;

	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		reserved += d->vm[i].configured && i != vm ? d->vm[i].conf.core.min_pages : 0;
	}
	if (config->min_pages > config->boot_pages || config->boot_pages > config->max_pages) {
		return "min <= boot <= max does not hold";
	}
	if (config->max_pages > d->pool_pages) {
		return "max is more than the pool";
	}
	return reserved > d->pool_pages ? "the reservations of all VMs do not fit into the pool"
					: NULL;
}

static const char *parse_set(struct poise_vm_config *config, const char *key, const char *value)
{
	static const char *const sizes = "min,boot,max";
	uint64_t pages;
	int place = text_find_word(sizes, key);

	if (place >= 0) {
		if (!setting_parse_pages(value, POISE_PAGES_MAX, &pages)) {
			return "the value has to be a size, as 64M";
		}
		*(place == 0   ? &config->min_pages
		  : place == 1 ? &config->boot_pages
			       : &config->max_pages) = pages;
		return NULL;
	}
	if (strcmp(key, "weight") == 0) {
		uint32_t weight = 0;

		for (const char *at = value; *at != '\0'; at++) {
			if (*at < '0' || *at > '9' || weight > UINT16_MAX) {
				return "the value has to be a whole number in 1..65535";
			}
			weight = weight * 10u + (uint32_t)(*at - '0');
		}
		config->weight = weight;
		return weight < PAGES_LEAST || weight > UINT16_MAX
			       ? "the value has to be a whole number in 1..65535"
			       : NULL;
	}
	if (strcmp(key, "basis") == 0) {
		place = text_find_word("auto,active,resident", value);
		config->basis = (uint32_t)place;
		return place < 0 ? "the value has to be one of auto,active,resident" : NULL;
	}
	if (strcmp(key, "static") == 0) {
		place = text_find_word("false,true", value);
		config->flags =
			(config->flags & ~POISE_VM_STATIC) | (place == 1 ? POISE_VM_STATIC : 0u);
		return place < 0 ? "the value has to be true or false" : NULL;
	}
	return "no such key; there are min,boot,max,weight,basis,static";
}

const char *change_set(struct poised *d, uint32_t vm, const char *key, const char *value)
{
	const struct poise_vm_config before = d->vm[vm].conf.core;
	struct poise_vm_config config = before;
	const char *wrong = parse_set(&config, key, value);
	enum poise_err err;

	wrong = wrong != NULL ? wrong : check(d, vm, &config);
	if (wrong != NULL) {
		return wrong;
	}
	d->vm[vm].conf.core = config;
	err = d->vm[vm].running ? vms_apply(d, vm) : POISE_OK;
	if (err != POISE_OK) {
		d->vm[vm].conf.core = before;
		return poise_strerror(err);
	}
	log_line(LOG_LEVEL_INFO, "%s: %s = %s by poisectl", d->vm[vm].conf.name, key, value);
	return NULL;
}

const char *change_freeze(struct poised *d, uint32_t vm, bool frozen)
{
	struct daemon_vm *v = &d->vm[vm];
	const bool before = v->frozen;
	enum poise_err err;

	v->frozen = frozen;
	if (!frozen) {
		v->conf.core.flags &= ~POISE_VM_FREEZE; /* The file's, too: thawed is thawed. */
	}
	err = v->running ? vms_apply(d, vm) : POISE_OK;
	if (err != POISE_OK) {
		v->frozen = before;
		return poise_strerror(err);
	}
	log_line(LOG_LEVEL_INFO, "%s: %s by poisectl", v->conf.name, frozen ? "frozen" : "thawed");
	return NULL;
}

static uint32_t find_conf(const struct config *conf, const char *name)
{
	uint32_t i = 0;

	while (i < conf->vm_count && strcmp(conf->vm[i].name, name) != 0) {
		i++;
	}
	return i;
}

/* VMs that are no longer in the file, or are reached in another way. A running one cannot be
 * forgotten: its memory would count as free. */
static void drop_vms(struct poised *d, const struct config *next)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct daemon_vm *v = &d->vm[i];
		const uint32_t at = v->configured ? find_conf(next, v->conf.name) : 0;
		const bool same =
			v->configured && at < next->vm_count &&
			d->backend->vm_settings_equal(v->conf.settings, next->vm[at].settings);

		if (!v->configured || same) {
			continue;
		}
		if (v->running) {
			log_line(LOG_LEVEL_WARNING,
				 "%s: %s: cannot be %s while the VM runs; it stays as it is",
				 d->conf_path, v->conf.name,
				 at < next->vm_count ? "reached in another way" : "taken out");
			continue;
		}
		vms_close(d, i);
	}
}

static uint32_t free_slot(const struct poised *d)
{
	uint32_t i = 0;

	while (i < POISE_VM_MAX && d->vm[i].configured) {
		i++;
	}
	return i;
}

static void change_vm(struct poised *d, uint32_t slot, const struct config_vm *vm)
{
	const struct poise_vm_config before = d->vm[slot].conf.core;
	enum poise_err err = POISE_OK;

	d->vm[slot].conf.core = vm->core;
	if (d->vm[slot].running) {
		err = vms_apply(d, slot);
	}
	if (err != POISE_OK) {
		d->vm[slot].conf.core = before;
		log_line(LOG_LEVEL_WARNING, "%s:%u: %s: %s; it stays as it is", d->conf_path,
			 vm->line, vm->name, poise_strerror(err));
	}
}

/* `lower`: only those whose reservation does not rise, which makes room for the others. */
static void change_vms(struct poised *d, struct config *next, bool lower)
{
	for (uint32_t i = 0; i < next->vm_count; i++) {
		struct config_vm *vm = &next->vm[i];
		uint32_t slot = vms_find(d, vm->name);

		if (slot < POISE_VM_MAX) {
			const uint64_t min_now = d->vm[slot].conf.core.min_pages;

			if ((vm->core.min_pages <= min_now) == lower) {
				change_vm(d, slot, vm);
			}
			continue;
		}
		slot = free_slot(d);
		if (lower) {
			continue;
		}
		if (slot == POISE_VM_MAX || vms_open(d, slot, vm) != 0) {
			log_line(LOG_LEVEL_WARNING, "%s:%u: %s: no room for another VM",
				 d->conf_path, vm->line, vm->name);
		}
	}
}

static void change_pool(struct poised *d, uint64_t pool_pages)
{
	const uint64_t before = d->pool_pages;

	d->pool_pages = pool_pages;
	pool_update(d);
	if (d->core.config.pool_pages > pool_pages) {
		d->pool_pages = before;
		log_line(LOG_LEVEL_WARNING, "%s: pool: %s; it stays as it is", d->conf_path,
			 poise_strerror(POISE_E_INFEASIBLE));
	} else {
		log_line(LOG_LEVEL_INFO, "pool: %" PRIu64 " pages", pool_pages);
	}
}

void change_reload(struct poised *d)
{
	char error[CONFIG_ERROR_MAX];
	struct config *next = conf_read(d->conf_path, error);
	const char *fixed = NULL;
	uint64_t pool;

	if (next == NULL) {
		log_line(LOG_LEVEL_ERROR, "not reloaded: %s", error);
		return;
	}
	service_reloading();
	fixed = conf_fixed_difference(d->conf, next);
	if (fixed != NULL) {
		log_line(LOG_LEVEL_WARNING,
			 "%s: %s cannot be changed while poised runs; restart it for that",
			 d->conf_path, fixed);
	}
	pool = next->pool_pages != 0 ? next->pool_pages : d->pool_pages;
	if (next->backend != d->backend) {
		log_line(LOG_LEVEL_ERROR, "%s: nothing has been changed", d->conf_path);
	} else {
		d->conf->host_reserve_pages = next->host_reserve_pages;
		d->conf->boot_on_exit = next->boot_on_exit;
		log_open(next->log, -1);
		drop_vms(d, next);
		if (pool > d->pool_pages) {
			change_pool(d, pool);
		}
		change_vms(d, next, true);
		change_vms(d, next, false);
		if (pool < d->pool_pages) {
			change_pool(d, pool);
		}
		log_line(LOG_LEVEL_INFO, "%s: reloaded", d->conf_path);
	}
	conf_free(next);
	service_ready();
}
