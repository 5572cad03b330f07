/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <errno.h>
#include <string.h>

#include <pipewire/properties.h>
#include <spa/utils/string.h>

#include "log.h"

bool weir_args_parse_bool(const char *value, int length, bool *result)
{
	char text[8];

	if (spa_json_is_container(value, length) ||
	    spa_json_parse_stringn(value, length, text, sizeof(text)) <= 0)
		return false;
	*result = spa_atob(text);
	return *result || spa_streq(text, "false") || spa_streq(text, "0");
}

int weir_args_get_key(struct spa_json *object, char *key, int size)
{
	const char *value;
	const int length = spa_json_next(object, &value);

	if (length <= 0)
		return length;
	return spa_json_parse_stringn(value, length, key, size) > 0 ? 1 : -EINVAL;
}

int weir_args_enter_object(struct spa_json *array, struct spa_json *object)
{
	const char *value;
	const int length = spa_json_next(array, &value);

	if (length <= 0)
		return length;
	if (!spa_json_is_object(value, length))
		return -EINVAL;
	spa_json_enter(array, object);
	return 1;
}

/* Otherwise the second value would silently replace the first, or be added to it. */
static int keys_check(const char *who, struct spa_json *object, struct pw_properties *seen)
{
	const char *value;
	char key[256];
	int found;

	while ((found = weir_args_get_key(object, key, sizeof(key))) > 0) {
		if (pw_properties_get(seen, key) != NULL) {
			pw_log_error("%s: \"%s\" is set twice: remove one", who, key);
			return -EINVAL;
		}
		pw_properties_set(seen, key, "");
		if (spa_json_next(object, &value) <= 0) {
			pw_log_error("%s: \"%s\" has no value. Write %s = VALUE", who, key, key);
			return -EINVAL;
		}
	}
	if (found == 0)
		return 0;
	pw_log_error("%s: what follows %u keys is not a key. Write KEY = VALUE, and close every "
		     "\" [ {",
		     who, seen->dict.n_items);
	return -EINVAL;
}

int weir_args_check_object(const char *who, const struct spa_json *object)
{
	struct pw_properties *seen = pw_properties_new(NULL, NULL);
	struct spa_json copy = *object;
	int res;

	if (seen == NULL)
		return -errno;
	res = keys_check(who, &copy, seen);
	pw_properties_free(seen);
	return res;
}

int weir_args_check_text(const char *who, const char *object)
{
	struct spa_json top, inner;

	spa_json_init(&top, object, strlen(object));
	if (spa_json_enter_object(&top, &inner) <= 0)
		spa_json_init(&inner, object, strlen(object));
	return weir_args_check_object(who, &inner);
}
