/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <errno.h>
#include <string.h>

#include <pipewire/properties.h>
#include <spa/utils/json.h>
#include <spa/utils/string.h>

#include "graph/args.h"
#include "graph/log.h"
#include "unit.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
/* Names that contain it must fit into texts of 256 characters. */
#define MAX_NAME 100
#define ALOOP_SINK "alsa_output.platform-snd_aloop.0.analog-stereo"

static const char *const keys[] = {
	"capture.name", "capture.match", "capture.exclude", "capture.mode",
	"capture.sink", "capture.needs", "capture.rate",    "capture.glide-ms",
};

static bool is_key(const char *name)
{
	unsigned int i;

	for (i = 0; i < SPA_N_ELEMENTS(keys); i++) {
		if (spa_streq(keys[i], name))
			return true;
	}
	return false;
}

/* A misspelt key, of an exclusion for example, must not be ignored without a word. */
static int keys_check(const struct spa_dict *args)
{
	const struct spa_dict_item *item;

	spa_dict_for_each(item, args)
	{
		if (is_key(item->key))
			continue;
		pw_log_error("weir-capture: there is no key \"%s\". Write capture.name, "
			     "capture.match, capture.exclude, capture.mode, capture.sink, "
			     "capture.needs, capture.rate or capture.glide-ms",
			     item->key);
		return -EINVAL;
	}
	return 0;
}

static int name_check(const char *name)
{
	if (name == NULL)
		name = "";
	if (*name != '\0' && name[strspn(name, NAME_CHARACTERS)] == '\0' &&
	    strlen(name) <= MAX_NAME)
		return 0;
	pw_log_error("weir-capture: capture.name is \"%s\": it names the source and consists of "
		     "1 to %d of a-z, 0-9 and -. Write e.g. capture.name = music",
		     name, MAX_NAME);
	return -EINVAL;
}

static int matches_parse(struct capture_args *args)
{
	const char *match = pw_properties_get(args->props, "capture.match");
	const char *exclude = pw_properties_get(args->props, "capture.exclude");
	int res;

	if (match == NULL) {
		pw_log_error("weir.capture.%s: capture.match is missing: it says which streams to "
			     "capture. Write e.g. capture.match = [ { "
			     "application.process.binary = spotify } ]",
			     args->name);
		return -EINVAL;
	}
	res = capture_match_parse(&args->match, args->name, "capture.match", match);
	if (res < 0 || exclude == NULL)
		return res;
	return capture_match_parse(&args->exclude, args->name, "capture.exclude", exclude);
}

static int number_check(const struct capture_args *args, const char *key, double min, double max,
			const char *meaning)
{
	const char *text = pw_properties_get(args->props, key);
	double value;

	if (text == NULL || (spa_atod(text, &value) && value >= min && value <= max))
		return 0;
	pw_log_error("weir.capture.%s: %s is \"%s\": %s, a number from %g to %g", args->name, key,
		     text, meaning, min, max);
	return -EINVAL;
}

static int numbers_check(const struct capture_args *args)
{
	const int res = number_check(args, "capture.rate", CAPTURE_MIN_RATE, CAPTURE_MAX_RATE,
				     "it sets the speed of the application. Write e.g. 1.0833 for "
				     "48000 played as 52000");

	if (res < 0)
		return res;
	return number_check(args, "capture.glide-ms", 0.0, CAPTURE_MAX_GLIDE_MS,
			    "it sets the duration of a change of the rate, in milliseconds");
}

static int mode_check(const char *name, const char *mode)
{
	if (mode == NULL || spa_streq(mode, "redirect") || spa_streq(mode, "tap"))
		return 0;
	pw_log_error("weir.capture.%s: capture.mode is \"%s\": it decides whether the application "
		     "stays on its output. Write capture.mode = tap (yes) or redirect (no)",
		     name, mode);
	return -EINVAL;
}

static int redirect_check(const struct capture_args *args, const char *key)
{
	if (args->redirect || pw_properties_get(args->props, key) == NULL)
		return 0;
	pw_log_error("weir.capture.%s: %s excludes capture.mode = tap: a tapped application goes "
		     "on playing where it does. Remove %s, or write capture.mode = redirect",
		     args->name, key, key);
	return -EINVAL;
}

/* A node of an impossible name would never come: a redirected application would stay silent. */
static int node_name_check(const struct capture_args *args, const char *key, const char *example)
{
	const char *text = pw_properties_get(args->props, key);

	if (text == NULL || (*text != '\0' && *text != '~' && *text != '@' &&
			     !spa_json_is_container(text, strlen(text))))
		return 0;
	pw_log_error("weir.capture.%s: %s is \"%s\": it must be the node.name of one node, neither "
		     "a regular expression nor a default node. Write e.g. %s = %s; pw-cli ls Node "
		     "lists the names",
		     args->name, key, text, key, example);
	return -EINVAL;
}

static int args_check(struct capture_args *args)
{
	const char *mode = pw_properties_get(args->props, "capture.mode");
	int res;

	args->name = pw_properties_get(args->props, "capture.name");
	args->redirect = !spa_streq(mode, "tap");
	if ((res = keys_check(&args->props->dict)) < 0 || (res = name_check(args->name)) < 0 ||
	    (res = mode_check(args->name, mode)) < 0 ||
	    (res = redirect_check(args, "capture.sink")) < 0 ||
	    (res = redirect_check(args, "capture.needs")) < 0 ||
	    (res = node_name_check(args, "capture.sink", "virtual")) < 0 ||
	    (res = node_name_check(args, "capture.needs", "weir.pitch")) < 0 ||
	    (res = numbers_check(args)) < 0 || (res = matches_parse(args)) < 0)
		return res;
	args->has_rate = pw_properties_get(args->props, "capture.rate") != NULL;
	args->needs = pw_properties_get(args->props, "capture.needs");
	args->sink = pw_properties_get(args->props, "capture.sink");
	if (args->sink == NULL)
		args->sink = ALOOP_SINK;
	return 0;
}

int capture_args_parse(struct capture_args *args, const char *text)
{
	int res;

	*args = (struct capture_args){ .props = pw_properties_new_string(text) };
	if (args->props == NULL)
		return -errno;
	res = weir_args_check_text("weir-capture", text);
	if (res == 0)
		res = args_check(args);
	if (res < 0)
		capture_args_finish(args);
	return res;
}

void capture_args_finish(struct capture_args *args)
{
	capture_match_finish(&args->match);
	capture_match_finish(&args->exclude);
	pw_properties_free(args->props);
}
