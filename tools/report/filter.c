/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/unit.h"
#include "tools/cli/message.h"

#define COLUMNS 80
#define INDENT "  "

/* names: separated by spaces. */
static bool list_has(const char *names, const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = names; (at = strstr(at, name)); at += length)
		if ((at == names || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	return false;
}

static void list_add(char names[LIST_BYTES], const char *name)
{
	const size_t used = strlen(names);

	if (!list_has(names, name))
		snprintf(names + used, LIST_BYTES - used, " %s", name);
}

/* Names of the fields of the group, in any unit, each with a space before it. */
static void group_list_fields(const char *group, char names[LIST_BYTES])
{
	const struct weir_unit *unit;

	names[0] = '\0';
	for (uint32_t u = 0; (unit = weir_unit_get(u)); u++)
		for (uint32_t i = 0; i < unit->n_fields; i++) {
			const struct weir_field *field = &unit->fields[i];

			if (field->group && strcmp(field->group, group) == 0)
				list_add(names, field->name);
		}
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

void filter_parse(struct filter *filter, char *names)
{
	char *name;

	while ((name = strsep(&names, ","))) {
		name = trim(name);
		if (!*name)
			die("--only: a name is missing. Write --only FIELD,FIELD");
		if (filter->n == FILTER_MAX)
			die("--only: more than %d names", FILTER_MAX);
		group_list_fields(name, filter->members[filter->n]);
		filter->name[filter->n++] = name;
	}
}

bool filter_has(const struct filter *filter, const char *name)
{
	for (uint32_t i = 0; i < filter->n; i++)
		if (strcmp(filter->name[i], name) == 0 || list_has(filter->members[i], name))
			return true;
	return !filter->n;
}

/* Breaks words that spaces separate into lines; column: where the first word begins. */
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

/* The groups of the reported fields. */
static void list_groups(const char *reported, char groups[LIST_BYTES])
{
	const struct weir_unit *unit;

	for (uint32_t u = 0; (unit = weir_unit_get(u)); u++)
		for (uint32_t i = 0; i < unit->n_fields; i++) {
			const struct weir_field *field = &unit->fields[i];

			if (field->group && list_has(reported, field->name))
				list_add(groups, field->group);
		}
}

static _Noreturn void die_unknown(const char *name, const char *node, const char *reported,
				  const char *groups)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		die("%s", strerror(errno));
	fprintf(file, "%s reports no \"%s\". It reports:", node, name);
	print_words(file, strlen(message_program) + strlen(": ") + (size_t)ftell(file), reported);
	if (groups[0])
		fprintf(file, "\n" INDENT "in groups:%s", groups);
	fclose(file);
	die("%s", text);
}

void filter_check(const struct filter *filter, const char *node, const char *reported)
{
	char groups[LIST_BYTES] = "";

	list_groups(reported, groups);
	for (uint32_t i = 0; i < filter->n; i++)
		if (!list_has(reported, filter->name[i]) && !list_has(groups, filter->name[i]))
			die_unknown(filter->name[i], node, reported, groups);
}

char *filter_list_fields(const struct filter *filter)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		die("%s", strerror(errno));
	for (uint32_t i = 0; i < filter->n; i++) {
		const struct weir_field *field = weir_field_find(filter->name[i]);

		if (!field || !field->event)
			fprintf(file, "%s%s", ftell(file) ? ", " : "", filter->name[i]);
	}
	if (fclose(file))
		die("%s", strerror(errno));
	return text;
}
