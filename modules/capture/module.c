/* SPDX-License-Identifier: MIT */
/** \page page_module_weir_capture Capture
 *
 * Captures what applications play, and nothing else, into a source that any recorder, browser or
 * OBS can use. Streams are identified by the properties of the application: its binary, process id,
 * name. Its new streams are captured as they start, and follow no default device.
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
 * With `redirect` the application leaves the speaker: its streams play on `capture.sink`, by
 * default the sink of snd-aloop. While that sink is absent, a virtual sink
 * `weir.capture.<name>.sink` takes its place. When `capture.sink` goes away later, the application
 * plays on its own sink again until `capture.sink` is back. With `tap` the application plays on
 * undisturbed. The virtual sink is silent: it becomes the default sink only if somebody chooses it,
 * or if there is no other, and `weir.capture.state` says so then.
 *
 * The source ends with the module. A recorder then takes the default microphone, unless it has the
 * properties `node.dont-fallback = true` and `node.linger = true`.
 *
 * Only output streams are captured, never a microphone; and no filter's stream (`node.link-group`)
 * while that filter plays sound of the source or of another captured stream. The source is stereo
 * and adds no latency. Surround streams are mixed as PipeWire mixes them without settings:
 *
 * | channels of the stream             | in the source         |
 * |------------------------------------|-----------------------|
 * | FL, FLC; FR, FRC                   | left; right           |
 * | RL, SL; RR, SR                     | left; right, at -3 dB |
 * | FC                                 | both, at -3 dB        |
 * | RC                                 | both, at -6 dB        |
 * | LFE                                | both, at -9 dB        |
 * | heights, wides, RLC, RRC, LFE2 ... | nowhere               |
 * | MONO, AUX0 ..., unknown            | both                  |
 *
 * Links have no gain: the source has an input for each of these levels. `in-l` and `in-r` are the
 * inputs of a link that names the source alone; `weir-links` links the others only by their names.
 *
 * In the daemon (pipewire.conf.d) no frame of a redirected application reaches the default sink,
 * and the source has every frame. A process of its own (weir.conf.d, `pipewire -c weir.conf`) races
 * the session manager: the source can miss a stream's first two quanta, and on a busy machine the
 * first few milliseconds of a redirected stream can reach the default sink.
 *
 * If a stream has an output of its own choice, or of yours, when the module starts, it stays there
 * for 0.3 s after the virtual sink has appeared: a session manager that does not know that sink yet
 * would move the stream to the default sink.
 *
 * When the module ends, the streams go back to their previous outputs. A stream that started under
 * a capture in the daemon keeps a `target.object` in the metadata until it ends, "-1" for the
 * default sink, because WirePlumber uses the properties with which the stream started. A captured
 * stream that somebody moves by hand stays there, and stays captured. A capture leaves alone a
 * stream that another capture redirects. When the process is killed, `weir-capture-undo`, which the
 * module started, restores the streams. When that is killed, too, streams on the virtual sink go to
 * the default sink; those on another `capture.sink` stay there until they end, and a stream keeps
 * its rate until it ends.
 *
 * ## Module Name
 *
 * `libpipewire-module-weir-capture`
 *
 * ## Module Options
 *
 * - `capture.name`: names the source `weir.capture.<name>`; 1 to 100 letters a-z, digits and `-`;
 *   required. A second capture of the same name does not start, in whatever process
 * - `capture.match`: an array of objects in the syntax of `matches` in PipeWire's rules: a stream
 *   is captured when all properties of one of the objects are equal, or match the regular
 *   expression when the value begins with `~`. The properties are the stream's and its client's,
 *   e.g. `application.process.binary`, `application.process.id`, `application.name`, `node.name`;
 *   required. With `process.tree = true` in an object, its binary or process id also stands for all
 *   processes that it started, directly or not, such as those of a launcher or a shell. Without, it
 *   stands only for those that run the same program, such as the processes of a browser. Process
 *   ids inside a Flatpak count from 1 again: use `pipewire.access.portal.app_id` (e.g.
 *   `com.spotify.Client`) or `application.name` there
 * - `capture.exclude`: an array as in `capture.match`, of streams that are not captured
 * - `capture.mode` = redirect | tap, default redirect
 * - `capture.sink`: the sink of redirected streams, a `node.name`, or `virtual` for a virtual sink
 *   in any case; default `alsa_output.platform-snd_aloop.0.analog-stereo`
 * - `capture.needs`: the `node.name` of the node through which you hear redirected sound. While no
 *   links lead from both sides of the source through this node to a sink, the application plays on
 *   its own sink; default none. A node of the same `node.link-group` continues the path;
 *   `capture.sink` and weir's own sinks do not end it. Of several nodes of the name one is enough
 * - `capture.rate`: speed of the streams, from 0.25 to 4, default 1: see Varispeed. With this key,
 *   even at 1.0, a later change of the rate needs no fade of 0.2 s
 * - `capture.glide-ms`: duration of a change of the rate, from 0 to 10000 ms, default 0
 *
 * ## The source
 *
 * Properties (`pw-cli info weir.capture.<name>`):
 *
 * - `weir.capture.state`:
 *   - `waiting`: there is nothing to capture
 *   - `captured`
 *   - `silent-paused`: the application has streams, but plays nothing
 *   - `silent-output`: the virtual sink is the default one, so that all programs are silent
 *   - `missing-channel: FR`: this channel lacks a link to the source
 *   - `cannot-move`: the streams may not be moved, or no session manager runs that would move
 *     them; they keep their outputs
 *   - `taken: by weir.capture.NAME`: another capture redirects them
 *   - `virtual-sink: no sink NAME`: `capture.sink` is not there; they play on the virtual sink
 *   - `no-sink`: `capture.sink` went away; the application plays on its own sink, and is captured
 *     there
 *   - `needs-missing: ...`: a node or link is missing on the path through `capture.needs` to a
 *     sink; the application plays on its own sink, and is captured there
 *   - `jack-client: use weir-links`: the application is a JACK client and has no streams
 * - `weir.capture.sink`: the sink of redirected streams, empty for none
 * - `weir.capture.host`: the process that has loaded the module
 * - `weir.capture.streams`: JSON: `[{"name":"mpv","pid":1234,"id":56}]`, with the stream's id
 *
 * Props (`pw-cli set-param weir.capture.<name> Props '{ params = [ "capture:rate" 1.0833 ] }'`):
 *
 * - `capture:rate`, `capture:glide-ms`: as `capture.rate` and `capture.glide-ms`, live
 * - `capture:missing` (read-only): the share of the last 2 s that a live source could not deliver
 *   at this rate, in percent
 *
 * ## Varispeed
 *
 * With a rate of 1.0833 the application plays a song in 12/13 of its time and 1.4 semitones higher,
 * as if 48000 samples were played as 52000. The application itself is asked for more samples, so
 * that no buffer runs dry or fills up, and the latency does not change. This needs an application
 * that can read ahead, such as a music player. Live sound (a call, a radio) cannot play faster than
 * it is sent: when `capture:missing` shows that for 2 s, the rate goes back to 1, with a message.
 * The node weir.pitch raises the pitch of live sound.
 *
 * The stream's resampler has no low-pass for this: with a graph at 48 kHz and a rate r, sound of
 * the application above 24 kHz / r comes back as an alias. Music from lossy formats ends at 16 to
 * 20 kHz, so that rates up to 1.2 are clean; for higher ones run the graph at 96 kHz (`pw-metadata
 * -n settings 0 clock.force-rate 96000`): sinks at 48 kHz then remove what is above their band.
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
 *             { application.process.binary = steam process.tree = true }
 *         ]
 *         #capture.exclude = [ { media.role = Notification } ]
 *         #capture.mode = redirect
 *         #capture.sink = alsa_output.platform-snd_aloop.0.analog-stereo
 *         #capture.rate = 1.0
 *         #capture.glide-ms = 0
 *     }
 *     flags = [ ifexists nofail ]
 * }
 * ]
 *\endcode
 */
#include <errno.h>

#include "capture.h"
#include "graph/log.h"

PW_LOG_TOPIC(weir_topic, "mod.weir-capture");

static const struct spa_dict_item module_props[] = {
	{ PW_KEY_MODULE_AUTHOR, "weir" },
	{ PW_KEY_MODULE_DESCRIPTION, "Capture what an application plays" },
	{ PW_KEY_MODULE_USAGE,
	  "capture.name=<name> capture.match=<array of matches> "
	  "( capture.exclude=<array of matches> ) ( capture.mode=redirect|tap ) "
	  "( capture.sink=<node.name> ) ( capture.needs=<node.name> ) ( capture.rate=<0.25 to 4> ) "
	  "( capture.glide-ms=<0 to 10000> )" },
	{ PW_KEY_MODULE_VERSION, WEIR_VERSION },
};

SPA_EXPORT int pipewire__module_init(struct pw_impl_module *module, const char *string);

int pipewire__module_init(struct pw_impl_module *module, const char *string)
{
	struct capture_args args;
	int res;

	PW_LOG_TOPIC_INIT(weir_topic);
	res = capture_args_parse(&args, string != NULL ? string : "");
	if (res < 0)
		return res;
	res = capture_create(module, &args);
	if (res == 0)
		pw_impl_module_update_properties(module, &SPA_DICT_INIT_ARRAY(module_props));
	return res;
}
