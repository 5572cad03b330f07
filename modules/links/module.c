/* SPDX-License-Identifier: MIT */
/** \page page_module_weir_links Links
 *
 * Keeps links between nodes: what `pw-link FROM TO` does once, and again whenever one of the ends
 * has gone and come back, be it that a program was started again, a card was plugged in, or the
 * session manager or the sound server was restarted. This is how files in pipewire.conf.d wire the
 * nodes that they make.
 *
 *      weir.capture.music ──▶ weir.pitch ──▶ the default sink
 *                         └─▶ analyser
 *
 * It runs in the daemon (pipewire.conf.d) and in a process of its own (weir.conf.d, `pipewire -c
 * weir.conf`), which waits for the daemon and connects again after it was restarted.
 *
 * Links are made as soon as both ports are there, a few messages later. That can cost the first
 * quantum or two of a program that is just starting: to have its first frame for certain, use
 * libpipewire-module-weir-capture and link `weir.capture.<name>`.
 *
 * ## Module Name
 *
 * `libpipewire-module-weir-links`
 *
 * ## Module Options
 *
 * - `links`: an array of objects with these keys; required
 *   - `from`: what is heard: one of the names below; required
 *   - `to`: what hears it: one of the names below; required
 *   - `passive` = true | false: whether the link alone lets its nodes sleep. Without, an idle sink
 *     and what is linked to it stay awake (and a card at work) as long as the link is there. With
 *     it, what hears a sink is awake while something plays there, and a microphone while what it is
 *     linked to is. But what hears a microphone by such a link may sleep on while another program
 *     records from that. Default false, as with pw-link
 *
 * ## Names
 *
 * - `weir.pitch`: the node with this `node.name`. `from` takes its outputs, of a sink those of its
 *   monitor, that is what plays on it; `to` takes its inputs. Never anything else: no microphone
 *   takes part that is not named. Only ports for sound count, no MIDI, video or reports
 * - `weir.pitch:in-l`: one port, by its `port.name` (`pw-link -io` lists all), of whatever kind
 * - `speaker:FL`: one port, by its channel
 * - `~^alsa_output`: all nodes whose name fits this extended regular expression, anywhere in the
 *   name unless it says ^ and $. The links of each with each are made, but none from a node to
 *   itself
 * - `~^alsa_output:FL`: one port of each. What follows the last `:` is a port unless it has one of
 *   the characters `[](){}*+?|^$\.` in it; for a `:` in the name of the node itself write `[:]`
 * - `@DEFAULT_AUDIO_SINK@`, also with `:FL` or a port: the default sink, and when that changes the
 *   new one
 *
 * Several nodes of the same name, such as the streams of one program, are all meant. A name with a
 * `:` is the whole name of a node if there is such a node, and else a node and its port. Names with
 * a `:` must stand in quotes.
 *
 * ## Channels
 *
 * Two ports that are both named are linked as they are. Otherwise outputs and inputs of the same
 * channel are: FL to FL, FR to FR; channels that only one side has stay unlinked. Where no channel
 * is on both sides, a single port (mono) is linked to all of the other side: it is heard on all, or
 * it hears the sum of all. Several ports are linked in their order, the first to the first, as
 * pw-link does. Of a captured source's inputs only `in-l` and `in-r` are meant by its name.
 *
 * ## What others do
 *
 * - A link that is already there is left alone, and is not removed when the module ends. When it
 *   goes, the module makes its own. Two links that name the same ports are made once; the first
 *   one's `passive` counts.
 * - A link of the module that somebody removes (`pw-link -d`) stays removed until one of its ports
 *   has gone and come back: the program was started again, the card plugged in again.
 * - A link that cannot be made or that fails (ports of different kinds, say) is tried for up to a
 *   second, then again when one of its ports has gone and come back. The log says why.
 * - When the module ends, or its process, however that happens, its links go, and no others.
 *
 * PipeWire 1.4 ignores `passive` when it comes from another process, unless told otherwise in
 * pipewire.conf.d, or one of the nodes has `node.passive`; the log says so then:
 *
 *     module.link-factory.args = { allow.link.passive = true }
 *
 * ## Messages
 *
 * Every link that is made or lost is told at level info (`PIPEWIRE_DEBUG=2,mod.weir-links:3`).
 * What is missing for 2 s is told once: a node that was never there, or a port that its node does
 * not have, as a warning, and with the names of the ports that it has.
 *
 * ## Example configuration
 *
 *\code{.unparsed}
 * # ~/.config/pipewire/pipewire.conf.d/50-weir-links.conf
 *
 * context.modules = [
 * {   name = libpipewire-module-weir-links
 *     args = {
 *         links = [
 *             { from = weir.capture.music       to = weir.pitch               passive = true }
 *             { from = weir.pitch               to = "@DEFAULT_AUDIO_SINK@"   passive = true }
 *             { from = "weir.pitch:report"      to = "~^analy[sz]er:control" }
 *         ]
 *     }
 *     flags = [ ifexists nofail ]
 * }
 * ]
 *\endcode
 */
#include <errno.h>

#include "graph/log.h"
#include "links.h"

PW_LOG_TOPIC(weir_topic, "mod.weir-links");

static const struct spa_dict_item module_props[] = {
	{ PW_KEY_MODULE_AUTHOR, "weir" },
	{ PW_KEY_MODULE_DESCRIPTION, "Keep links between nodes" },
	{ PW_KEY_MODULE_USAGE, "links=[ { from=<node[:port]> to=<node[:port]> "
			       "( passive=true|false ) } ... ]" },
	{ PW_KEY_MODULE_VERSION, WEIR_VERSION },
};

SPA_EXPORT int pipewire__module_init(struct pw_impl_module *module, const char *string);

int pipewire__module_init(struct pw_impl_module *module, const char *string)
{
	struct links_args args = { .n_rules = 0 };
	int res;

	PW_LOG_TOPIC_INIT(weir_topic);
	res = links_args_init(&args, string);
	if (res < 0)
		return res;
	res = links_create(module, &args);
	if (res == 0)
		pw_impl_module_update_properties(module, &SPA_DICT_INIT_ARRAY(module_props));
	return res;
}
