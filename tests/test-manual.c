/* SPDX-License-Identifier: MIT */
/*
 * Manual pages give the defaults and ranges that modules have. Each option is ".TP", ".B OPTION",
 * and a text that begins with "Required.", "No default.", "Read-only." or "Default VALUE[, from
 * MINIMUM to MAXIMUM].". tests/lint/manual checks that no option is missing.
 *
 * usage: test-manual FOLDER-OF-PAGES
 */
#include <stdio.h>
#include <string.h>

#include <pipewire/pipewire.h>
#include <spa/utils/string.h>

#include "check.h"
#include "graph/log.h"
#include "modules/capture/args.h"
#include "modules/capture/unit.h"
#include "modules/links/args.h"

PW_LOG_TOPIC(weir_topic, "test");

#define MAX_OPTIONS 16
/* By how much values are outside a range. */
#define OUTSIDE 0.01

struct option {
	char name[64], text[256];
	char value[128]; /* the default, "": none */
	double min, max; /* equal: no range */
};

struct section {
	struct option options[MAX_OPTIONS];
	unsigned int n;
};

/* The line that follows, without its end. false: there is none. */
static bool line_read(FILE *page, char *line, size_t size)
{
	if (!fgets(line, (int)size, page))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static void option_read(struct option *option)
{
	char *end;

	if (sscanf(option->text, "Default %127s", option->value) != 1)
		return;
	sscanf(option->text, "Default %*[^,], from %lf to %lf", &option->min, &option->max);
	end = option->value + strlen(option->value) - 1;
	CHECK(*end == ',' || *end == '.');
	*end = '\0';
}

/* heading: the line of the page, from which the section goes to the next heading. */
static struct section section_read(const char *path, const char *heading)
{
	FILE *page = fopen(path, "r");
	struct section section = { .n = 0 };
	char line[512];

	CHECK(page != NULL);
	while (line_read(page, line, sizeof(line)) && !spa_streq(line, heading))
		;
	while (line_read(page, line, sizeof(line)) && !spa_strstartswith(line, ".S")) {
		struct option *option = &section.options[section.n];

		if (!spa_strstartswith(line, ".B ") || strchr(line + 3, ' '))
			continue;
		CHECK(section.n < MAX_OPTIONS);
		snprintf(option->name, sizeof(option->name), "%.63s", line + 3);
		CHECK(line_read(page, option->text, sizeof(option->text)));
		if (strspn(option->text, "DNR") == 0)
			continue;
		option_read(option);
		section.n++;
	}
	fclose(page);
	CHECK(section.n > 0);
	return section;
}

static const struct option *section_find(const struct section *section, const char *name)
{
	unsigned int i;

	for (i = 0; i < section->n; i++) {
		if (spa_streq(section->options[i].name, name))
			return &section->options[i];
	}
	return NULL;
}

static bool is_required(const struct option *option)
{
	return spa_strstartswith(option->text, "Required.");
}

/* A value that the option takes. */
static const char *sample_get(const struct option *option)
{
	if (option->value[0] != '\0')
		return option->value;
	if (spa_streq(option->name, "capture.match") || spa_streq(option->name, "capture.exclude"))
		return "[ { node.name = a } ]";
	return "x";
}

/* All required options but this one. */
static void required_write(char text[1024], const struct section *section,
			   const struct option *without)
{
	size_t length = 0;
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < section->n; i++) {
		const struct option *option = &section->options[i];

		if (is_required(option) && option != without)
			length += (size_t)snprintf(text + length, 1024 - length, "%s = %s ",
						   option->name, sample_get(option));
	}
}

/* What the capture reads of the required options and this one. */
static int capture_read(struct capture_args *args, const struct section *section,
			const struct option *option, const char *value)
{
	char text[1024];

	required_write(text, section, option);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s = %s", option->name, value);
	return capture_args_parse(args, text);
}

static bool capture_accepts(const struct section *section, const struct option *option,
			    double number)
{
	struct capture_args args;
	char value[32];

	snprintf(value, sizeof(value), "%.9g", number);
	if (capture_read(&args, section, option, value) < 0)
		return false;
	capture_args_finish(&args);
	return true;
}

static const struct weir_port *control_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < weir_capture.n_ports; i++) {
		const struct weir_port *port = &weir_capture.ports[i];

		if (spa_streq(port->name, name) &&
		    (port->type == WEIR_CONTROL_IN || port->type == WEIR_CONTROL_OUT))
			return port;
	}
	return NULL;
}

static void control_check(const struct option *option, const struct weir_port *port)
{
	if (port->type == WEIR_CONTROL_OUT) {
		CHECK(spa_strstartswith(option->text, "Read-only."));
		return;
	}
	CHECK(strtod(option->value, NULL) == (double)port->def);
	CHECK(option->min == (double)port->min && option->max == (double)port->max);
}

/* The default is what the module takes without the option. */
static void default_check(const struct section *section, const struct option *option)
{
	struct capture_args with, without;
	char text[1024];

	CHECK(capture_read(&with, section, option, option->value) == 0);
	required_write(text, section, NULL);
	CHECK(capture_args_parse(&without, text) == 0);
	CHECK(with.redirect == without.redirect);
	CHECK(spa_streq(with.sink, without.sink));
	CHECK(spa_streq(with.needs, without.needs));
	capture_args_finish(&with);
	capture_args_finish(&without);
}

static void capture_option_check(const struct section *section, const struct option *option)
{
	struct capture_args args;
	char text[1024];

	CHECK(capture_read(&args, section, option, sample_get(option)) == 0);
	capture_args_finish(&args);
	required_write(text, section, option);
	CHECK((capture_args_parse(&args, text) < 0) == is_required(option));
	if (!is_required(option))
		capture_args_finish(&args);
	if (option->value[0] != '\0')
		default_check(section, option);
	if (option->min == option->max)
		return;
	control_check(option, control_find(option->name + strlen("capture.")));
	CHECK(capture_accepts(section, option, option->min));
	CHECK(capture_accepts(section, option, option->max));
	CHECK(!capture_accepts(section, option, option->min - OUTSIDE));
	CHECK(!capture_accepts(section, option, option->max + OUTSIDE));
}

static void test_options_of_capture_are_what_the_module_reads(const char *path)
{
	const struct section section = section_read(path, ".SH MODULE OPTIONS");
	unsigned int i;

	for (i = 0; i < section.n; i++)
		capture_option_check(&section, &section.options[i]);
}

static void test_props_of_capture_are_the_controls_of_its_unit(const char *path)
{
	const struct section section = section_read(path, ".SS Props");
	unsigned int i, n_controls = 0;

	for (i = 0; i < weir_capture.n_ports; i++) {
		const struct weir_port *port = control_find(weir_capture.ports[i].name);
		const struct option *option;
		char name[64];

		if (port == NULL)
			continue;
		snprintf(name, sizeof(name), "capture:%s", port->name);
		option = section_find(&section, name);
		CHECK(option != NULL);
		control_check(option, port);
		n_controls++;
	}
	CHECK(section.n == n_controls);
}

/* What a link's keys are read as: 0, or an error. */
static int rule_read(const char *keys, bool *passive)
{
	struct links_args args = { .n_rules = 0 };
	char text[1200];
	int res;

	snprintf(text, sizeof(text), "links = [ { %s } ]", keys);
	res = links_args_init(&args, text);
	if (res < 0)
		return res;
	*passive = args.rules[0].passive;
	links_args_finish(&args);
	return 0;
}

static void test_options_of_links_are_what_the_module_reads(const char *path)
{
	struct section section = section_read(path, ".SH MODULE OPTIONS");
	bool passive = false, by_default = false;
	char keys[1024];
	unsigned int i;

	CHECK(spa_streq(section.options[0].name, "links") && is_required(&section.options[0]));
	section.n--;
	memmove(section.options, section.options + 1, section.n * sizeof(section.options[0]));
	required_write(keys, &section, NULL);
	CHECK(rule_read(keys, &by_default) == 0);
	for (i = 0; i < section.n; i++) {
		const struct option *option = &section.options[i];

		required_write(keys, &section, option);
		CHECK((rule_read(keys, &passive) < 0) == is_required(option));
		snprintf(keys + strlen(keys), sizeof(keys) - strlen(keys), "%s = %s", option->name,
			 sample_get(option));
		CHECK(rule_read(keys, &passive) == 0 && passive == by_default);
	}
}

int main(int argc, char *argv[])
{
	char capture[4096], links[4096];

	CHECK(argc == 2);
	snprintf(capture, sizeof(capture), "%s/libpipewire-module-weir-capture.7", argv[1]);
	snprintf(links, sizeof(links), "%s/libpipewire-module-weir-links.7", argv[1]);
	pw_init(&argc, &argv);
	pw_log_set_level(SPA_LOG_LEVEL_NONE);
	test_options_of_capture_are_what_the_module_reads(capture);
	test_props_of_capture_are_the_controls_of_its_unit(capture);
	test_options_of_links_are_what_the_module_reads(links);
	pw_deinit();
	return EXIT_SUCCESS;
}
