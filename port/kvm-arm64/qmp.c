/* SPDX-License-Identifier: MIT */
/* Reads QMP; see qmp.h. */
#include "qmp.h"

#include <stdio.h>
#include <string.h>

#include "../daemon/shallow.h"
#include "poise.h"

/* The largest whole number that a double holds exactly: numbers are read as doubles, because QEMU
 * writes 2^64-1 for "missing", which is more than jansson's own integers hold. */
#define EXACT_MAX 9007199254740992.0

static enum qmp_kind bad(struct qmp_message *out, const char *why)
{
	snprintf(out->text, sizeof(out->text), "%s", why);
	return out->kind = QMP_BAD;
}

static enum qmp_kind error(struct qmp_message *out, const json_t *object)
{
	const char *class = json_string_value(json_object_get(object, "class"));
	const char *text = json_string_value(json_object_get(object, "desc"));

	if (class == NULL) {
		return bad(out, "an error without a class");
	}
	snprintf(out->text, sizeof(out->text), "%.31s: %.60s", class, text != NULL ? text : "");
	return out->kind = QMP_ERROR;
}

static enum qmp_kind event(struct qmp_message *out, const json_t *name)
{
	if (!json_is_string(name)) {
		return bad(out, "an event without a name");
	}
	snprintf(out->text, sizeof(out->text), "%.63s", json_string_value(name));
	out->value = json_object_get(out->root, "data");
	return out->kind = QMP_EVENT;
}

enum qmp_kind qmp_parse(const char *line, size_t size, struct qmp_message *out)
{
	const json_t *found;

	*out = (struct qmp_message){.kind = QMP_BAD};
	if (size > QMP_LINE_MAX) {
		return bad(out, "a line that is too long");
	}
	if (!json_shallow(line, size, QMP_DEPTH_MAX)) {
		return bad(out, "brackets that nest too deep");
	}
	out->root = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
	if (!json_is_object(out->root)) {
		return bad(out, "no JSON object");
	}
	if (!qmp_number(json_object_get(out->root, "id"), UINT32_MAX, &out->id)) {
		out->id = 0;
	}
	if ((found = json_object_get(out->root, "error")) != NULL) {
		return error(out, found);
	}
	if ((found = json_object_get(out->root, "return")) != NULL) {
		out->value = found;
		return out->kind = QMP_RETURN;
	}
	if ((found = json_object_get(out->root, "event")) != NULL) {
		return event(out, found);
	}
	if (json_object_get(out->root, "QMP") != NULL) {
		return out->kind = QMP_GREETING;
	}
	return bad(out, "an object that is no message");
}

void qmp_free(struct qmp_message *message)
{
	json_decref(message->root);
	message->root = NULL;
	message->value = NULL;
}

bool qmp_number(const json_t *value, uint64_t most, uint64_t *out)
{
	double number;

	if (!json_is_real(value)) {
		return false;
	}
	number = json_real_value(value);
	if (!(number >= 0.0 && number <= EXACT_MAX) || (double)(uint64_t)number != number ||
	    (uint64_t)number > most) {
		return false;
	}
	*out = (uint64_t)number;
	return true;
}

bool qmp_pages(const json_t *value, uint64_t *pages)
{
	uint64_t bytes;

	if (!qmp_number(value, POISE_PAGES_MAX * POISE_ABI_PAGE_BYTES, &bytes) ||
	    bytes < POISE_ABI_PAGE_BYTES) {
		return false;
	}
	*pages = bytes / POISE_ABI_PAGE_BYTES;
	return true;
}
