/* SPDX-License-Identifier: MIT */
#include "match.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pipewire/conf.h>
#include <pipewire/keys.h>
#include <spa/utils/json.h>
#include <spa/utils/string.h>

#include "graph/args.h"
#include "graph/log.h"
#include "process.h"

#define STREAM_CLASS "Stream/Output/Audio"
#define TREE_KEY "process.tree"
#define EXAMPLE "[ { application.process.binary = spotify } ]"
/* No process has more ancestors: ends a loop in the contents of /proc. */
#define MAX_ANCESTORS 64

struct parser {
	const char *name;
	const char *key;
	FILE *rules;
	FILE *tree_rules;
};

static int refuse(const struct parser *parser, const char *what)
{
	pw_log_error("weir.capture.%s: %s %s: it selects streams by their properties. Write e.g. "
		     "%s = " EXAMPLE,
		     parser->name, parser->key, what, parser->key);
	return -EINVAL;
}

/* PipeWire would log an error each time a stream starts, and match nothing. */
static int regex_check(const struct parser *parser, const char *key, const char *value, int length)
{
	char text[1024], reason[256];
	const char *pattern = text;
	regex_t regex;
	int res;

	if (spa_json_parse_stringn(value, length, text, sizeof(text)) < 0)
		return refuse(parser, "has a value that is too long");
	pattern += *pattern == '!';
	if (*pattern != '~')
		return 0;
	res = regcomp(&regex, pattern + 1, REG_EXTENDED | REG_NOSUB);
	if (res == 0) {
		regfree(&regex);
		return 0;
	}
	regerror(res, &regex, reason, sizeof(reason));
	pw_log_error(
		"weir.capture.%s: %s: \"%s\" is not a regular expression (%s), in %s. To match "
		"a special character itself, write \\ before it",
		parser->name, parser->key, pattern + 1, reason, key);
	return -EINVAL;
}

static int property_parse(const struct parser *parser, const char *key, const char *value,
			  int length, FILE *out, bool *tree)
{
	if (spa_json_is_container(value, length))
		return refuse(parser, "has an array or object as value");
	if (spa_streq(key, TREE_KEY)) {
		if (!weir_args_parse_bool(value, length, tree))
			return refuse(parser, "has a " TREE_KEY " that is neither true nor false");
		return 0;
	}
	fprintf(out, " \"%s\" = %.*s", key, length, value);
	return regex_check(parser, key, value, length);
}

/* Writes one object, without its process.tree, to one or both of the arrays. */
static int object_parse(const struct parser *parser, struct spa_json *object)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	char key[256];
	const char *value;
	bool tree = false;
	char who[256];
	int length, found = 0, res;

	if (out == NULL)
		return -errno;
	snprintf(who, sizeof(who), "weir.capture.%s: %s", parser->name, parser->key);
	res = weir_args_check_object(who, object);
	while (res == 0 && (found = weir_args_get_key(object, key, sizeof(key))) > 0) {
		length = spa_json_next(object, &value);
		res = length > 0 ? property_parse(parser, key, value, length, out, &tree)
				 : refuse(parser, "has a property without value");
	}
	fclose(out);
	if (res == 0 && found < 0)
		res = refuse(parser, "has a property whose name is too long");
	if (res == 0 && size == 0)
		res = refuse(parser, "has an object without properties");
	if (res == 0) {
		fprintf(parser->rules, " {%s }", text);
		if (tree)
			fprintf(parser->tree_rules, " {%s }", text);
	}
	free(text);
	return res;
}

static int array_parse(const struct parser *parser, const char *text)
{
	struct spa_json top, array, object;
	int n_objects = 0, entered, res;

	spa_json_init(&top, text, strlen(text));
	if (spa_json_enter_array(&top, &array) <= 0)
		return refuse(parser, "is not an array of objects");
	while ((entered = weir_args_enter_object(&array, &object)) > 0) {
		res = object_parse(parser, &object);
		if (res < 0)
			return res;
		n_objects++;
	}
	if (entered < 0 || n_objects == 0)
		return refuse(parser, "is not an array of objects");
	return 0;
}

int capture_match_parse(struct capture_match *match, const char *name, const char *key,
			const char *text)
{
	struct parser parser = { .name = name, .key = key };
	size_t size;
	int res;

	*match = (struct capture_match){ NULL };
	parser.rules = open_memstream(&match->rules, &size);
	parser.tree_rules = open_memstream(&match->tree_rules, &size);
	if (parser.rules == NULL || parser.tree_rules == NULL) {
		res = -errno;
	} else {
		fputs("[ { matches = [", parser.rules);
		fputs("[ { matches = [", parser.tree_rules);
		res = array_parse(&parser, text);
		fputs(" ] actions = { capture = true } } ]", parser.rules);
		fputs(" ] actions = { capture = true } } ]", parser.tree_rules);
	}
	if (parser.rules != NULL)
		fclose(parser.rules);
	if (parser.tree_rules != NULL)
		fclose(parser.tree_rules);
	if (res < 0)
		capture_match_finish(match);
	return res;
}

void capture_match_finish(struct capture_match *match)
{
	free(match->rules);
	free(match->tree_rules);
	*match = (struct capture_match){ NULL };
}

static int rule_matched(void *data, const char *location, const char *action, const char *str,
			size_t len)
{
	bool *matched = data;

	(void)location;
	(void)action;
	(void)str;
	(void)len;
	*matched = true;
	return 0;
}

static bool rules_fit(const char *rules, const struct pw_properties *props)
{
	bool matched = false;

	pw_conf_match_rules(rules, strlen(rules), "capture.match", &props->dict, rule_matched,
			    &matched);
	return matched;
}

/* Tries the processes that started this one, the nearest first. Changes props. */
static bool ancestors_fit(const struct capture_match *match, struct process *process,
			  struct pw_properties *props)
{
	const char *program = strdupa(process->exe);
	bool same_program = true;
	int i;

	for (i = 0; i < MAX_ANCESTORS && process_read(process, process->parent); i++) {
		same_program = same_program && spa_streq(process->exe, program);
		pw_properties_setf(props, PW_KEY_APP_PROCESS_ID, "%d", process->id);
		pw_properties_set(props, PW_KEY_APP_PROCESS_BINARY, process_get_binary(process));
		if (rules_fit(same_program ? match->rules : match->tree_rules, props))
			return true;
	}
	return false;
}

/* Ids inside a container count from 1 again: outside, the id is another process's. */
static bool is_process_of(const struct process *process, const char *binary)
{
	return binary == NULL || spa_streq(process_get_binary(process), binary);
}

static bool fits(const struct capture_match *match, const struct pw_properties *props)
{
	return match->rules != NULL && rules_fit(match->rules, props);
}

/*
 * Does one of the processes that started the stream's fit in its place: one with the same program,
 * and with process.tree any of them?
 */
static bool fits_ancestor(const struct capture_match *match, const struct pw_properties *props)
{
	struct pw_properties *ancestor;
	struct process process;
	bool found;

	if (match->rules == NULL ||
	    !process_read(&process, pw_properties_get_int32(props, PW_KEY_APP_PROCESS_ID, 0)) ||
	    !is_process_of(&process, pw_properties_get(props, PW_KEY_APP_PROCESS_BINARY)))
		return false;
	ancestor = pw_properties_copy(props);
	if (ancestor == NULL)
		return false;
	found = ancestors_fit(match, &process, ancestor);
	pw_properties_free(ancestor);
	return found;
}

/* NULL: it is that of pipewire-pulse, which serves all PulseAudio clients. */
static const char *client_pid(const struct spa_dict *node, const struct spa_dict *client)
{
	const char *api = spa_dict_lookup(client, PW_KEY_CLIENT_API);

	if (api == NULL)
		api = spa_dict_lookup(node, PW_KEY_CLIENT_API);
	return spa_streq(api, "pipewire-pulse") ? NULL : spa_dict_lookup(client, PW_KEY_SEC_PID);
}

struct pw_properties *capture_merge_props(const struct spa_dict *node,
					  const struct spa_dict *client)
{
	struct pw_properties *props = pw_properties_new(NULL, NULL);
	const char *pid = client != NULL ? client_pid(node, client) : NULL;

	if (props == NULL)
		return NULL;
	if (client != NULL)
		pw_properties_update(props, client);
	pw_properties_update(props, node);
	if (pid != NULL)
		pw_properties_set(props, PW_KEY_APP_PROCESS_ID, pid);
	return props;
}

/* Of a stream or another player. */
static enum capture_fit player_get_fit(const struct capture_match *match,
				       const struct capture_match *exclude,
				       const struct spa_dict *node, const struct spa_dict *client)
{
	struct pw_properties *props = capture_merge_props(node, client);
	enum capture_fit fit = CAPTURE_FIT_NONE;

	if (props == NULL)
		return CAPTURE_FIT_NONE;
	if (fits(match, props))
		fit = CAPTURE_FIT_ITSELF;
	else if (fits_ancestor(match, props))
		fit = CAPTURE_FIT_ANCESTOR;
	if (fit != CAPTURE_FIT_NONE && (fits(exclude, props) || fits_ancestor(exclude, props)))
		fit = CAPTURE_FIT_NONE;
	pw_properties_free(props);
	return fit;
}

enum capture_fit capture_match_get_fit(const struct capture_match *match,
				       const struct capture_match *exclude,
				       const struct spa_dict *node, const struct spa_dict *client)
{
	if (!spa_streq(spa_dict_lookup(node, PW_KEY_MEDIA_CLASS), STREAM_CLASS))
		return CAPTURE_FIT_NONE;
	return player_get_fit(match, exclude, node, client);
}

bool capture_match_fits_jack(const struct capture_match *match, const struct capture_match *exclude,
			     const struct spa_dict *node, const struct spa_dict *client)
{
	return client != NULL && spa_dict_lookup(node, PW_KEY_MEDIA_CLASS) == NULL &&
	       spa_streq(spa_dict_lookup(client, PW_KEY_CLIENT_API), "jack") &&
	       player_get_fit(match, exclude, node, client) != CAPTURE_FIT_NONE;
}
