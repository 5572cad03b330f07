/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/unit.h"
#include "tools/cli/message.h"
#include "tools/session/selection.h"

#define COLUMNS 80
#define INDENT "  "

static const struct {
	const char *name, *fields;
} groups[] = {
	{ "levels", "peak peak_max tp tp_max rms crest laf las lcf lcs lzf lzs laf_max las_max "
		    "lcf_max lcs_max lzf_max lzs_max clips clip" },
	{ "loudness", "m s i lra m_max s_max" },
	{ "thirds", "oct3" },
	{ "features",
	  "zcr energy energy_entropy centroid spread entropy flux rolloff flatness mfcc "
	  "chroma" },
	{ "rhythm", "onset beat bpm bpm_conf" },
	{ "pitch", "f0 f0_conf" },
	{ "voice", "vad speech_start speech_end" },
};

#define N_GROUPS (sizeof(groups) / sizeof(groups[0]))

static const char *find_group(const char *name)
{
	for (size_t i = 0; i < N_GROUPS; i++)
		if (strcmp(groups[i].name, name) == 0)
			return groups[i].fields;
	return NULL;
}

static char *trim(char *name)
{
	size_t length;

	name += strspn(name, " \t");
	length = strlen(name);
	while (length && strchr(" \t", name[length - 1]))
		length--;
	name[length] = '\0';
	return name;
}

void only_parse(struct only *only, char *names)
{
	char *name;

	while ((name = strsep(&names, ","))) {
		name = trim(name);
		if (!*name)
			fail("--only: a name is missing. Write --only FIELD,FIELD");
		if (only->n == ONLY_MAX)
			fail("--only: more than %d names", ONLY_MAX);
		only->name[only->n++] = name;
	}
}

bool only_has(const struct only *only, const char *name)
{
	for (uint32_t i = 0; i < only->n; i++) {
		const char *group = find_group(only->name[i]);

		if (strcmp(only->name[i], name) == 0 || (group && names_has(group, name)))
			return true;
	}
	return !only->n;
}

/* Is one of the group's fields among them? */
static bool has_some(const char *reported, const char *fields)
{
	char *copy = strdup(fields), *rest = copy, *name;
	bool has = false;

	if (!copy)
		fail("%s", strerror(errno));
	while (!has && (name = strsep(&rest, " ")))
		has = names_has(reported, name);
	free(copy);
	return has;
}

/* Words with spaces between them, broken into lines; column: where the first one begins. */
static void print_words(FILE *file, size_t column, const char *words)
{
	while (*words) {
		const size_t length = strcspn(words, " ");

		if (column + 1 + length > COLUMNS) {
			fputs("\n" INDENT, file);
			column = strlen(INDENT);
		} else {
			fputc(' ', file);
			column++;
		}
		fwrite(words, 1, length, file);
		column += length;
		words += length + strspn(words + length, " ");
	}
}

static _Noreturn void fail_unknown(const char *name, const char *node, const char *reported)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	bool has_groups = false;

	if (!file)
		fail("%s", strerror(errno));
	fprintf(file, "%s reports no \"%s\". It reports:", node, name);
	print_words(file, strlen(message_program) + strlen(": ") + (size_t)ftell(file), reported);
	for (size_t i = 0; i < N_GROUPS; i++) {
		if (!has_some(reported, groups[i].fields))
			continue;
		fprintf(file, "%s %s", has_groups ? "" : "\n" INDENT "in groups:", groups[i].name);
		has_groups = true;
	}
	fclose(file);
	fail("%s", text);
}

void only_check(const struct only *only, const char *node, const char *reported)
{
	for (uint32_t i = 0; i < only->n; i++) {
		const char *group = find_group(only->name[i]);

		if (!names_has(reported, only->name[i]) && !(group && has_some(reported, group)))
			fail_unknown(only->name[i], node, reported);
	}
}

char *only_list_fields(const struct only *only)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		fail("%s", strerror(errno));
	for (uint32_t i = 0; i < only->n; i++) {
		const struct weir_field *field = weir_field_find(only->name[i]);

		if (!field || !field->event)
			fprintf(file, "%s%s", ftell(file) ? ", " : "", only->name[i]);
	}
	if (fclose(file))
		fail("%s", strerror(errno));
	return text;
}
