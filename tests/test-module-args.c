/* SPDX-License-Identifier: MIT */
/*
 * What the modules read from their configuration, right and wrong: nothing in it may harm the sound
 * server that loads them. Under AddressSanitizer it says so of every cut and many changes.
 */
#include <stdlib.h>
#include <string.h>

#include <pipewire/pipewire.h>

#include "check.h"
#include "graph/args.h"
#include "graph/log.h"
#include "modules/capture/match.h"
#include "modules/links/args.h"

PW_LOG_TOPIC(weir_topic, "test");

#define N_CHANGES 20000

static const char *const links_texts[] = {
	"{ links = [ { from = a to = \"b:FL\" passive = true } { from = \"~^x[0-9]+:FL\" to = b } "
	"] }",
	"links = [ { \"from\": \"@DEFAULT_AUDIO_SINK@:FL\", \"to\": c, passive = \"false\" } ]",
};

static const char *const match_texts[] = {
	"[ { application.process.binary = mpv process.tree = true } { node.name = \"~^mus.c$\" } ]",
	"[ { \"application.name\": \"!~x\\u00e4\", a = 1 }, { media.class = null } ]",
};

/* 0, or an error. */
static int links_read(const char *text)
{
	struct links_args args = { .n_rules = 0 };
	const int res = links_args_init(&args, text);

	if (res == 0)
		links_args_finish(&args);
	return res;
}

static int match_read(const char *text)
{
	struct capture_match match;
	const int res = capture_match_parse(&match, "test", "capture.match", text);

	if (res == 0)
		capture_match_finish(&match);
	return res;
}

/* In memory of just its size. */
static void text_read(int (*read)(const char *text), const char *text, size_t length)
{
	char *copy = strndup(text, length);

	read(copy);
	free(copy);
}

static void text_mistreat(int (*read)(const char *text), const char *text)
{
	static const char marks[] = "\"'[]{}=:,~\\# \n0at\xff";
	const size_t length = strlen(text);
	char *changed = strdup(text);
	size_t i;

	CHECK(read(text) == 0);
	for (i = 0; i < length; i++)
		text_read(read, text, i);
	for (i = 0; i < N_CHANGES; i++) {
		changed[(size_t)rand() % length] = marks[(size_t)rand() % (sizeof(marks) - 1)];
		text_read(read, changed, length);
		if (i % 8 == 7)
			memcpy(changed, text, length);
	}
	free(changed);
}

static void test_anything_is_read_or_refused(void)
{
	unsigned int i;

	for (i = 0; i < SPA_N_ELEMENTS(links_texts); i++) {
		text_mistreat(links_read, links_texts[i]);
		text_mistreat(match_read, match_texts[i]);
	}
}

static void test_keys_that_are_there_twice_are_refused(void)
{
	CHECK(links_read("links = [ { from = \"~^a\" from = b to = c } ]") == -EINVAL);
	CHECK(links_read("links = [ { from = a to = \"~c:FL\" to = c } ]") == -EINVAL);
	CHECK(links_read("links = [ { from = a to = c passive = true passive = false } ]") ==
	      -EINVAL);
	CHECK(links_read("links = [ { from = a to = b } ] links = [ { from = b to = c } ]") ==
	      -EINVAL);
	CHECK(match_read("[ { node.name = a node.name = b } ]") == -EINVAL);
	CHECK(match_read("[ { node.name = a process.tree = true process.tree = false } ]") ==
	      -EINVAL);
	CHECK(weir_args_check_text("test", "{ capture.name = a capture.name = b }") == -EINVAL);
	CHECK(weir_args_check_text(
		      "test", "capture.name = a capture.match = [ { a = b } { a = b } ]") == 0);
}

static void test_what_is_cut_off_is_refused(void)
{
	CHECK(links_read("links = [ { from = a to = b") == -EINVAL);
	CHECK(links_read("links = [ { from = a to = ") == -EINVAL);
	CHECK(links_read("links = [ { from = a to = b } ] more") == -EINVAL);
	CHECK(match_read("[ { node.name = a") == -EINVAL);
	CHECK(match_read("[ { node.name = } ]") == -EINVAL);
}

static void test_yes_and_no_are_read_as_people_write_them(void)
{
	static const struct {
		const char *text;
		bool is_read, value;
	} cases[] = {
		{ "true", true, true },	      { "\"true\"", true, true },   { "1", true, true },
		{ "false", true, false },     { "\"false\"", true, false }, { "0", true, false },
		{ "yes", false, false },      { "2", false, false },	    { "", false, false },
		{ "[ true ]", false, false },
	};
	unsigned int i;

	for (i = 0; i < SPA_N_ELEMENTS(cases); i++) {
		bool value = false;

		CHECK(weir_args_parse_bool(cases[i].text, (int)strlen(cases[i].text), &value) ==
		      cases[i].is_read);
		CHECK(value == cases[i].value);
	}
}

int main(int argc, char *argv[])
{
	pw_init(&argc, &argv);
	pw_log_set_level(SPA_LOG_LEVEL_NONE);
	srand(1);
	test_keys_that_are_there_twice_are_refused();
	test_what_is_cut_off_is_refused();
	test_yes_and_no_are_read_as_people_write_them();
	test_anything_is_read_or_refused();
	pw_deinit();
	return EXIT_SUCCESS;
}
