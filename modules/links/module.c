/* SPDX-License-Identifier: MIT */
/** \page page_module_weir_links Links
 *
 * Keeps links between nodes: makes the links of `pw-link FROM TO`, and makes them again whenever
 * one of the two ends has gone and come back, because a program was started again, a card was
 * plugged in, or the session manager or the sound server was restarted. Files in pipewire.conf.d
 * link the nodes that they create in this way.
 *
 *      weir.capture.music ──▶ weir.pitch ──▶ the default sink
 *                         └─▶ analyser
 *
 * The module runs in the daemon (pipewire.conf.d) and in a process of its own (weir.conf.d,
 * `pipewire -c weir.conf`), which waits for the daemon and connects again after a restart.
 *
 * Links are made as soon as both ports exist, a few messages later. A program that is just starting
 * can lose its first quantum or two: to have its first frame for certain, use
 * libpipewire-module-weir-capture and link `weir.capture.<name>`.
 *
 * ## Module Name
 *
 * `libpipewire-module-weir-links`
 *
 * ## Module Options
 *
 * - `links`: an array of objects with these keys; required
 *   - `from`: the source node: one of the names below; required
 *   - `to`: the destination node: one of the names below; required
 *   - `passive` = true | false: whether the nodes may sleep while only this link connects them.
 *     With false, an idle sink and the nodes that are linked to it stay awake (and a card stays at
 *     work) as long as the link exists. With true, a destination that is linked to the monitor of a
 *     sink is awake while something plays there, and a microphone while its destination is. But the
 *     destination of a microphone may sleep on while another program records from the microphone.
 *     Default false, as with pw-link
 *
 * ## Names
 *
 * - `weir.pitch`: the node with this `node.name`. `from` takes its outputs, of a sink those of its
 *   monitor, which have the sound that plays on the sink; `to` takes its inputs. No other node is
 *   ever linked: no microphone that is not named. Only audio ports count, no MIDI, video or reports
 * - `weir.pitch:in-l`: one port of any kind, by its `port.name` (`pw-link -io` lists all)
 * - `speaker:FL`: one port, by its channel
 * - `~^alsa_output`: all nodes whose name matches this extended regular expression, anywhere in the
 *   name unless the expression has ^ and $. Each node is linked with each, but no node with itself
 * - `~^alsa_output:FL`: one port of each. The text after the last `:` is a port unless it contains
 *   one of the characters `[](){}*+?|^$\.`; for a `:` in the name of the node itself write `[:]`
 * - `@DEFAULT_AUDIO_SINK@`, also with `:FL` or a port: the default sink, and after a change the new
 *   one
 *
 * A name stands for all nodes that have it, such as the streams of one program. A name with a `:`
 * is the whole name of a node if there is such a node, and otherwise a node and its port. Names
 * with a `:` must be quoted.
 *
 * ## Channels
 *
 * Two ports that are both named are linked as they are. Otherwise outputs and inputs of the same
 * channel are linked: FL to FL, FR to FR; channels that only one side has stay unlinked. Where the
 * two sides have no channel in common, a single port (mono) is linked to all ports of the other
 * side: its sound goes to all of them, or it gets the sum of all. Several ports are linked in their
 * order, the first to the first, as pw-link does. The name of a captured source stands for its
 * inputs `in-l` and `in-r` only.
 *
 * ## What others do
 *
 * - The module leaves alone a link that already exists, and does not remove it at its end. When
 *   that link goes, the module makes its own. Two entries for the same ports make one link, with
 *   the `passive` of the first.
 * - A link of the module that somebody removes (`pw-link -d`) stays removed until one of its ports
 *   has gone and come back: the program was started again, the card plugged in again.
 * - A link that cannot be made or that fails (between ports of different kinds, for example) is
 *   tried for up to a second, then again when one of its ports has gone and come back. The log has
 *   the reason.
 * - When the module or its process ends, in whatever way, its links end, and no others.
 *
 * PipeWire 1.4 ignores `passive` in links that another process makes, and the log says so, unless
 * one of the nodes has `node.passive`, or pipewire.conf.d has this:
 *
 *     module.link-factory.args = { allow.link.passive = true }
 *
 * ## Messages
 *
 * Every link that is made or lost is logged at level info (`PIPEWIRE_DEBUG=2,mod.weir-links:3`). A
 * node or port that is missing for 2 s is logged once: as a warning if the node was never there, or
 * if it does not have the port, with the names of the ports that it has.
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
