/* SPDX-License-Identifier: MIT */
/* The state file; see state.h. JSON, so that a human can read what is not the core's own. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "poised.h"
#include "text.h"

#define FORMAT     1
#define WRITTEN_MS 10000u
#define BOOT_FILE  "/proc/sys/kernel/random/boot_id"
#define BOOT_MAX   40

static bool read_boot(char boot[BOOT_MAX])
{
	const char *reason;
	char *text = text_read(BOOT_FILE, &reason);
	const size_t size = text == NULL ? 0 : strcspn(text, "\n");
	const bool fits = size > 0 && size < BOOT_MAX;

	if (fits) {
		memcpy(boot, text, size);
		boot[size] = '\0';
	}
	free(text);
	return fits;
}

static bool identity_of(const struct poised *d, uint32_t slot, char text[BACKEND_NAME_MAX])
{
	return d->backend->identity != NULL && d->backend->identity(d->ctx, slot, text);
}

/* --- reading --- */

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(struct state *s, const char *hex)
{
	const size_t size = hex == NULL ? 0 : strlen(hex);

	if (size == 0 || size % 2u != 0 || size / 2u > sizeof(s->blob)) {
		return false;
	}
	for (size_t i = 0; i < size; i += 2) {
		const int high = digit(hex[i]), low = digit(hex[i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		s->blob[i / 2u] = (unsigned char)(high << 4 | low);
	}
	s->bytes = size / 2u;
	return true;
}

static bool read_word(const json_t *object, const char *key, char out[BACKEND_NAME_MAX])
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text == NULL || strlen(text) >= BACKEND_NAME_MAX) {
		return false;
	}
	strcpy(out, text);
	return true;
}

static bool read_vms(struct state *s, const json_t *list)
{
	size_t i;
	json_t *vm;

	json_array_foreach(list, i, vm)
	{
		const json_int_t slot = json_is_integer(json_object_get(vm, "slot"))
						? json_integer_value(json_object_get(vm, "slot"))
						: -1;

		if (slot < 0 || slot >= POISE_VM_MAX || s->vm[slot].name[0] != '\0' ||
		    !read_word(vm, "name", s->vm[slot].name) ||
		    !read_word(vm, "identity", s->vm[slot].identity)) {
			return false;
		}
	}
	return json_is_array(list);
}

/* A port for a core that is asked nothing. */
static enum poise_err no_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	(void)ctx;
	(void)vm;
	(void)target_pages;
	(void)epoch;
	return POISE_E_BUSY;
}

static enum poise_err no_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	(void)ctx;
	(void)vm;
	(void)pages;
	return POISE_E_BUSY;
}

static void no_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	(void)ctx;
	(void)vm;
	(void)notice;
}

static void no_event(void *ctx, const struct poise_event *event)
{
	(void)ctx;
	(void)event;
}

/* Whether a core takes the state: tried here, so that it is told once and not for each VM. */
static enum poise_err try_import(const struct poised *d)
{
	static const struct poise_port port = {
		.resize = no_resize, .measure = no_measure, .notify = no_notify, .event = no_event};
	static struct poise core;
	const struct state *s = &d->state;
	enum poise_err err = poise_init(&core, sizeof(core), &d->core.config, &port, NULL);

	return err == POISE_OK ? poise_import(&core, s->blob, s->bytes) : err;
}

/* Returns what is wrong with the file, or NULL. */
static const char *read_all(struct state *s, const json_t *root, const char *backend)
{
	char boot[BOOT_MAX];
	const char *of = json_string_value(json_object_get(root, "boot"));
	const char *by = json_string_value(json_object_get(root, "backend"));
	const json_t *saved = json_object_get(root, "saved_ms");

	if (json_integer_value(json_object_get(root, "format")) != FORMAT) {
		return "of another format";
	}
	if (by == NULL || strcmp(by, backend) != 0) {
		return "of another backend";
	}
	if (of == NULL || !read_boot(boot) || strcmp(of, boot) != 0) {
		return "of another boot of this host";
	}
	if (!json_is_integer(saved) || json_integer_value(saved) < 0 ||
	    (uint64_t)json_integer_value(saved) > clock_now_ms()) {
		return "of a time that has not been yet";
	}
	if (!read_vms(s, json_object_get(root, "vms")) ||
	    !read_hex(s, json_string_value(json_object_get(root, "state")))) {
		return "damaged";
	}
	return NULL;
}

/* Returns the text of the file, or NULL; *wrong says why, and stays NULL if there is none. */
static char *read_file(const char *path, const char **wrong)
{
	struct stat file;

	if (stat(path, &file) != 0) {
		/* No file: this is the first daemon of this boot. */
		*wrong = errno == ENOENT ? NULL : strerror(errno);
		return NULL;
	}
	if (!S_ISREG(file.st_mode)) {
		*wrong = "no regular file"; /* Reading it might never end. */
		return NULL;
	}
	return text_read(path, wrong);
}

void state_load(struct poised *d)
{
	const char *path = d->conf->state_file;
	const char *wrong = NULL;
	char *text = read_file(path, &wrong);
	json_t *root;

	if (text != NULL) {
		root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		wrong = root == NULL ? "damaged" : read_all(&d->state, root, d->backend->name);
		json_decref(root);
		free(text);
		if (wrong == NULL) {
			const enum poise_err err = try_import(d);

			wrong = err == POISE_OK ? NULL : poise_strerror(err);
		}
	}
	if (wrong != NULL) {
		d->state = (struct state){0};
		log_line(LOG_LEVEL_WARNING, "%s: not used: %s", path, wrong);
	}
}

enum poise_err state_vm_add(struct poised *d, uint32_t slot, const struct poise_vm_config *config,
			    uint64_t pages)
{
	struct state *s = &d->state;
	const char *name = d->vm[slot].conf.name;
	char identity[BACKEND_NAME_MAX];
	uint32_t old = 0;
	enum poise_err err;

	while (old < POISE_VM_MAX && strcmp(s->vm[old].name, name) != 0) {
		old++;
	}
	if (s->bytes == 0 || old == POISE_VM_MAX) {
		return POISE_E_NOT_FOUND;
	}
	s->vm[old].name[0] = '\0'; /* Once: what comes later is another start of it. */
	if (!identity_of(d, slot, identity) || strcmp(identity, s->vm[old].identity) != 0) {
		log_line(LOG_LEVEL_INFO, "%s: has been started anew: its history is not used",
			 name);
		return POISE_E_NOT_FOUND;
	}
	err = poise_vm_import(&d->core, slot, config, pages, s->blob, s->bytes, old);
	if (err != POISE_OK) {
		log_line(LOG_LEVEL_WARNING, "%s: its history is not used: %s", name,
			 poise_strerror(err));
		return POISE_E_NOT_FOUND;
	}
	log_line(LOG_LEVEL_INFO, "%s: goes on with its history", name);
	return POISE_OK;
}

/* --- writing --- */

static json_t *vms_json(const struct poised *d)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		char identity[BACKEND_NAME_MAX];

		if (d->vm[i].running && identity_of(d, i, identity)) {
			json_array_append_new(list,
					      json_pack("{s:i, s:s, s:s}", "slot", (int)i, "name",
							d->vm[i].conf.name, "identity", identity));
		}
	}
	return list;
}

static char *state_text(const struct poised *d)
{
	static const char digits[] = "0123456789abcdef";
	static unsigned char blob[POISE_EXPORT_BYTES];
	static char hex[2u * POISE_EXPORT_BYTES + 1u];
	char boot[BOOT_MAX];
	char *text = NULL;
	size_t bytes = 0;
	json_t *root;

	if (!read_boot(boot) || poise_export(&d->core, blob, sizeof(blob), &bytes) != POISE_OK) {
		return NULL;
	}
	for (size_t i = 0; i < bytes; i++) {
		hex[2u * i] = digits[blob[i] >> 4];
		hex[2u * i + 1u] = digits[blob[i] & 15u];
	}
	hex[2u * bytes] = '\0';
	root = json_pack("{s:i, s:s, s:s, s:s, s:I, s:o, s:s}", "format", FORMAT, "core",
			 POISE_VERSION, "backend", d->backend->name, "boot", boot, "saved_ms",
			 (json_int_t)clock_now_ms(), "vms", vms_json(d), "state", hex);
	if (root != NULL) {
		text = json_dumps(root, JSON_INDENT(1));
	}
	json_decref(root);
	return text;
}

/*
 * Beside its name, and moved there when all is written: there is a whole file at any time. What
 * lies there already is nobody's: a daemon was killed while it wrote, or somebody else has put it
 * there.
 */
static bool write_file(const char *path, const char *text)
{
	char temporary[CONFIG_PATH_MAX + 8];
	const size_t size = strlen(text);
	size_t done = 0;
	int fd, error;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return false;
	}
	error = 0;
	while (done < size && error == 0) {
		/* The disk may be full after a part of it; then the next part says so. */
		const ssize_t written = write(fd, text + done, size - done);

		done += written > 0 ? (size_t)written : 0u;
		error = written < 0 ? errno : 0;
	}
	error = close(fd) != 0 && error == 0 ? errno : error;
	if (error == 0 && rename(temporary, path) != 0) {
		error = errno;
	}
	if (error != 0) {
		(void)unlink(temporary);
		errno = error;
	}
	return error == 0;
}

void state_save(struct poised *d, bool at_once)
{
	struct state *s = &d->state;
	const uint64_t now = clock_now_ms();
	char *text;
	bool done;

	if (d->ticks == 0 || (!at_once && now - s->written_ms < WRITTEN_MS)) {
		return;
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].configured && d->vm[i].adopting) {
			return; /* What the file has of it is still wanted. */
		}
	}
	s->written_ms = now;
	text = state_text(d);
	done = text != NULL && write_file(d->conf->state_file, text);
	if (!done && !s->failed) {
		log_line(LOG_LEVEL_WARNING, "%s: cannot be written: %s", d->conf->state_file,
			 text == NULL ? "no memory" : strerror(errno));
	}
	s->failed = !done;
	free(text);
}
