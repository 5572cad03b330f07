/* SPDX-License-Identifier: MIT */
/** \page page_module_weir_capture Capture
 *
 * Captures what an application plays, and nothing else, into a source that any recorder, browser
 * or OBS can use. The streams are told by the properties of the application: its binary, process
 * id, name. New streams of it are captured as they start, and follow no default device.
 *
 *                redirect:                                  tap:
 *
 *      music player       game                  music player       game
 *        |     |            |                     |     |            |
 *        |     v            v                     |     v            v
 *        |  capture.sink  default sink            |    the sinks they play on
 *        v                                        v
 *      weir.capture.<name>                      weir.capture.<name>
 *
 * With `redirect` the application is not heard any more: its streams play on `capture.sink`, by
 * default snd-aloop's. Where that is absent a virtual sink `weir.capture.<name>.sink` takes its
 * place until it appears. With `tap` the application plays on undisturbed.
 *
 * Only output streams are captured, never a microphone. The source is stereo: left and right
 * channels of the stream go to FL and FR, MONO and all others to both.
 *
 * In the daemon (pipewire.conf.d) no frame of a redirected application reaches the default sink,
 *and the source has every frame. A process of its own (weir.conf.d, `pipewire -c weir.conf`) races
 *the session manager: the source can miss a stream's first two quanta, and on a busy machine the
 * default sink can get the start of a redirected one.
 *
 * When the module ends, the streams go back to where they were. What somebody moves by hand after
 * it was captured stays there, and stays captured. When the process is killed, streams on the
 *virtual sink go to the default sink; those on another `capture.sink` stay there until they end.
 *
 * ## Module Name
 *
 * `libpipewire-module-weir-capture`
 *
 * ## Module Options
 *
 * - `capture.name`: names the source `weir.capture.<name>`; letters a-z, digits and `-`; required
 * - `capture.match`: an array of objects in the syntax of `matches` in PipeWire's rules: a stream
 *is captured when all properties of one of the objects are equal, or match the regular expression
 *when the value begins with `~`. The properties are the stream's and its client's, e.g.
 *`application.process.binary`, `application.process.id`, `application.name`, `node.name`; required
 * - `capture.mode` = redirect | tap, default redirect
 * - `capture.sink`: where redirected streams play, a `node.name`, default
 *                   `alsa_output.platform-snd_aloop.0.analog-stereo`
 *
 * ## Example configuration
 *
 *\code{.unparsed}
 * # ~/.config/pipewire/pipewire.conf.d/50-weir-capture-redirect.conf
 *
 * context.modules = [
 * {   name = libpipewire-module-weir-capture
 *     args = {
 *         capture.name = music
 *         capture.match = [
 *             { application.process.binary = spotify }
 *             { application.name = "~mpv.*" }
 *         ]
 *         #capture.mode = redirect
 *         #capture.sink = alsa_output.platform-snd_aloop.0.analog-stereo
 *     }
 *     flags = [ ifexists nofail ]
 * }
 * ]
 *\endcode
 */
#include <errno.h>
#include <string.h>

#include <spa/utils/json.h>
#include <spa/utils/string.h>

#include "capture.h"
#include "log.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define RULES_KEY "weir.capture.rules"
#define ALOOP_SINK "alsa_output.platform-snd_aloop.0.analog-stereo"

PW_LOG_TOPIC(weir_topic, "mod.weir-capture");

static const struct spa_dict_item module_props[] = {
	{ PW_KEY_MODULE_AUTHOR, "weir" },
	{ PW_KEY_MODULE_DESCRIPTION, "Capture what an application plays" },
	{ PW_KEY_MODULE_USAGE, "capture.name=<name> capture.match=<array of matches> "
			       "( capture.mode=redirect|tap ) ( capture.sink=<node.name> )" },
	{ PW_KEY_MODULE_VERSION, WEIR_VERSION },
};

/* Nothing would ever match without an object. */
static bool is_match_array(const char *match)
{
	struct spa_json top, array, object;

	spa_json_init(&top, match, strlen(match));
	return spa_json_enter_array(&top, &array) > 0 && spa_json_enter_object(&array, &object) > 0;
}

static int name_check(const char *name)
{
	if (name == NULL)
		name = "";
	if (*name != '\0' && name[strspn(name, NAME_CHARACTERS)] == '\0')
		return 0;
	pw_log_error("weir-capture: capture.name is \"%s\": it names the source and consists of "
		     "a-z, 0-9 and -. Write e.g. capture.name = music",
		     name);
	return -EINVAL;
}

static int match_check(const char *name, const char *match)
{
	if (match != NULL && is_match_array(match))
		return 0;
	pw_log_error("weir.capture.%s: capture.match is %s: it says which streams to capture. "
		     "Write e.g. capture.match = [ { application.process.binary = spotify } ]",
		     name, match != NULL ? "not an array of objects" : "missing");
	return -EINVAL;
}

static int mode_check(const char *name, const char *mode)
{
	if (mode == NULL || spa_streq(mode, "redirect") || spa_streq(mode, "tap"))
		return 0;
	pw_log_error("weir.capture.%s: capture.mode is \"%s\": it says whether you go on hearing "
		     "the application. Write capture.mode = tap (yes) or redirect (no)",
		     name, mode);
	return -EINVAL;
}

/* Points args into its props. 0, or -errno after one message that says what is wrong. */
static int args_parse(struct capture_args *args)
{
	const char *match = pw_properties_get(args->props, "capture.match");
	const char *mode = pw_properties_get(args->props, "capture.mode");
	int res;

	args->name = pw_properties_get(args->props, "capture.name");
	if ((res = name_check(args->name)) < 0 || (res = match_check(args->name, match)) < 0 ||
	    (res = mode_check(args->name, mode)) < 0)
		return res;
	args->redirect = !spa_streq(mode, "tap");
	pw_properties_setf(args->props, RULES_KEY,
			   "[ { matches = %s actions = { capture = true } } ]", match);
	args->rules = pw_properties_get(args->props, RULES_KEY);
	args->sink = pw_properties_get(args->props, "capture.sink");
	if (args->sink == NULL)
		args->sink = ALOOP_SINK;
	return args->rules != NULL ? 0 : -ENOMEM;
}

SPA_EXPORT int pipewire__module_init(struct pw_impl_module *module, const char *string);

int pipewire__module_init(struct pw_impl_module *module, const char *string)
{
	struct capture_args args = {
		.props = pw_properties_new_string(string != NULL ? string : ""),
	};
	int res;

	PW_LOG_TOPIC_INIT(weir_topic);
	if (args.props == NULL)
		return -errno;
	res = args_parse(&args);
	if (res < 0) {
		pw_properties_free(args.props);
		return res;
	}
	res = capture_create(module, &args);
	if (res == 0)
		pw_impl_module_update_properties(module, &SPA_DICT_INIT_ARRAY(module_props));
	return res;
}
