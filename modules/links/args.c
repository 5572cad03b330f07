/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/utils/json.h>
#include <spa/utils/string.h>

#include "graph/args.h"
#include "graph/log.h"

#define EXAMPLE "{ from = \"weir.pitch\" to = \"speaker\" }"
#define DEFAULT_SINK "@DEFAULT_AUDIO_SINK@"
/* The text after the last ":" of a regular expression is a port if it has none of these. */
#define REGEX_CHARACTERS "[](){}*+?|^$\\."

static char *value_get_string(const char *value, int length)
{
	char *string = calloc(1, (size_t)length + 1);

	if (string != NULL && (spa_json_is_container(value, length) ||
			       spa_json_parse_stringn(value, length, string, length + 1) <= 0))
		*string = '\0';
	return string;
}

static int end_parse_regex(struct links_end *end, unsigned int index)
{
	char message[256];
	char *port = strrchr(end->text, ':');
	int res;

	if (port != NULL && port[1 + strcspn(port + 1, REGEX_CHARACTERS)] == '\0') {
		*port = '\0';
		end->regex_port = port + 1;
	}
	res = regcomp(&end->regex, end->text + 1, REG_EXTENDED | REG_NOSUB);
	if (port != NULL && end->regex_port != NULL)
		*port = ':';
	end->is_regex = res == 0;
	if (end->is_regex)
		return 0;
	regerror(res, &end->regex, message, sizeof(message));
	pw_log_error("weir-links: links[%u]: %s = \"%s\" is not a regular expression (%s), as a "
		     "value that begins with ~ must be. Write e.g. %s = \"~^alsa_output\"",
		     index, end->key, end->text, message, end->key);
	return -EINVAL;
}

static int end_parse(struct links_end *end, unsigned int index, const char *value, int length)
{
	const size_t default_length = strlen(DEFAULT_SINK);

	end->text = value_get_string(value, length);
	if (end->text == NULL)
		return -ENOMEM;
	if (*end->text == '\0') {
		pw_log_error("weir-links: links[%u]: %s is not a name. Write e.g. " EXAMPLE, index,
			     end->key);
		return -EINVAL;
	}
	if (*end->text == '~')
		return end_parse_regex(end, index);
	end->follows_default =
		strncmp(end->text, DEFAULT_SINK, default_length) == 0 &&
		(end->text[default_length] == '\0' || end->text[default_length] == ':');
	return 0;
}

static int passive_parse(struct links_rule *rule, const char *value, int length)
{
	if (weir_args_parse_bool(value, length, &rule->passive))
		return 0;
	pw_log_error("weir-links: links[%u]: passive is \"%.*s\": it decides whether the link lets "
		     "its nodes sleep. Write passive = true (yes) or false (no)",
		     rule->index, length, value);
	return -EINVAL;
}

static int rule_parse_key(struct links_rule *rule, const char *key, int key_length,
			  const char *value, int length)
{
	char name[16] = "";

	if (spa_json_parse_stringn(key, key_length, name, sizeof(name)) <= 0)
		*name = '\0';
	if (spa_streq(name, rule->from.key))
		return end_parse(&rule->from, rule->index, value, length);
	if (spa_streq(name, rule->to.key))
		return end_parse(&rule->to, rule->index, value, length);
	if (spa_streq(name, "passive"))
		return passive_parse(rule, value, length);
	pw_log_error("weir-links: links[%u] has an unknown key \"%.*s\": the keys are from, to "
		     "and passive. Write e.g. " EXAMPLE,
		     rule->index, key_length, key);
	return -EINVAL;
}

static int end_check(const struct links_end *end, const struct links_rule *rule, const char *what)
{
	if (end->text != NULL)
		return 0;
	pw_log_error("weir-links: links[%u] has no \"%s\": it names the %s node. Write "
		     "e.g. " EXAMPLE,
		     rule->index, end->key, what);
	return -EINVAL;
}

static int rule_parse(struct links_rule *rule, struct spa_json *array)
{
	struct spa_json object;
	char who[64];
	const char *key, *value = "";
	int key_length, length, res;

	if (spa_json_enter_object(array, &object) <= 0) {
		pw_log_error("weir-links: links[%u] is not an object. Write e.g. " EXAMPLE,
			     rule->index);
		return -EINVAL;
	}
	snprintf(who, sizeof(who), "weir-links: links[%u]", rule->index);
	res = weir_args_check_object(who, &object);
	if (res < 0)
		return res;
	while ((key_length = spa_json_next(&object, &key)) > 0) {
		length = spa_json_next(&object, &value);
		res = rule_parse_key(rule, key, key_length, value, SPA_MAX(length, 0));
		if (res < 0)
			return res;
	}
	if ((res = end_check(&rule->from, rule, "source")) < 0)
		return res;
	return end_check(&rule->to, rule, "destination");
}

static int array_parse(struct links_args *args, const char *links)
{
	struct spa_json top, array, rest;
	const char *value;
	int res = 0;

	spa_json_init(&top, links, strlen(links));
	if (spa_json_enter_array(&top, &array) <= 0)
		return 0;
	rest = array;
	while (spa_json_next(&rest, &value) > 0)
		args->n_rules++;
	args->rules = calloc(args->n_rules, sizeof(*args->rules));
	if (args->rules == NULL)
		args->n_rules = 0;
	for (unsigned int i = 0; i < args->n_rules && res == 0; i++) {
		args->rules[i] = (struct links_rule){
			.index = i,
			.from = { .key = "from", .direction = "out" },
			.to = { .key = "to", .direction = "in" },
		};
		res = rule_parse(&args->rules[i], &array);
		args->follow_default = args->follow_default ||
				       args->rules[i].from.follows_default ||
				       args->rules[i].to.follows_default;
	}
	return res;
}

static int keys_check(const struct pw_properties *props)
{
	const struct spa_dict_item *item;

	spa_dict_for_each(item, &props->dict)
	{
		if (spa_streq(item->key, "links"))
			continue;
		pw_log_error(
			"weir-links: unknown key \"%s\": the only key is links. Write e.g. links = "
			"[ " EXAMPLE " ]",
			item->key);
		return -EINVAL;
	}
	return 0;
}

static int args_parse(struct links_args *args, const struct pw_properties *props)
{
	const char *links = pw_properties_get(props, "links");
	int res = keys_check(props);

	if (res == 0 && links != NULL)
		res = array_parse(args, links);
	if (res < 0 || args->n_rules > 0)
		return res;
	pw_log_error(
		"weir-links: links is %s: it names sources and destinations. Write e.g. links = "
		"[ " EXAMPLE " ]",
		links == NULL ? "missing" : "empty or not an array");
	return -EINVAL;
}

int links_args_init(struct links_args *args, const char *string)
{
	struct pw_properties *props = pw_properties_new_string(string != NULL ? string : "");
	int res;

	if (props == NULL)
		return -errno;
	res = weir_args_check_text("weir-links", string != NULL ? string : "");
	if (res == 0)
		res = args_parse(args, props);
	pw_properties_free(props);
	if (res < 0)
		links_args_finish(args);
	return res;
}

static void end_finish(struct links_end *end)
{
	if (end->is_regex)
		regfree(&end->regex);
	free(end->text);
}

void links_args_finish(struct links_args *args)
{
	unsigned int i;

	for (i = 0; i < args->n_rules; i++) {
		end_finish(&args->rules[i].from);
		end_finish(&args->rules[i].to);
	}
	free(args->rules);
}
