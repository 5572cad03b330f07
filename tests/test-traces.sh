#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2317,SC2119,SC2086
# At whatever moment a stream, weir, the session manager or the sound server ends: graph, metadata and
# the session manager's memory are then what they were before weir came. Each in_both_ function runs
# with the module in the daemon and in a process of its own.
#
# WEIR_MOMENTS moments (8) of each kind are tried.

. "$(dirname "$0")/capture-rig.sh"

MOMENTS=${WEIR_MOMENTS:-8}
MODES=("capture.mode = redirect" "capture.mode = tap" "capture.mode = tap capture.rate = 1.25"
	"capture.mode = redirect capture.rate = 0.8")

traces_rig_start() {
	switch_conf
	rig_start
}

# weir_start HOST ARGS
weir_start() {
	if [ "$1" = pipewire ]; then
		echo "capture.name = test capture.match = $MATCH ${*:2}" >"$rig_dir/switch"
		wait_for "the source" 5 node_id $SOURCE
	else
		process_host_start "capture.match = $MATCH ${*:2}"
	fi
}

weir_end() {
	if [ "$1" = pipewire ]; then
		echo >"$rig_dir/switch"
	else
		process_stop weir "${2:-TERM}"
	fi
}

# moment NUMBER: the time from the start of something to its end: 0, 40 ms, 80 ms and so on.
moment() {
	sleep "$(printf '%d.%03d' $(($1 * 40 / 1000)) $(($1 * 40 % 1000)))"
}

in_both_weir_ends_while_a_stream_plays() {
	local mode
	traces_rig_start
	noise_start music
	wait_for "music plays" 5 plays_on music speaker
	traces_take before
	for mode in "${MODES[@]}"; do
		weir_start "$1" "$mode"
		wait_for "music is captured" 5 is_captured music
		weir_end "$1"
		check_traces before
	done
}

in_both_stream_plays_where_it_is_captured() {
	local signal
	sink_conf cable | rig_write pipewire/pipewire.conf.d/20-cable.conf
	traces_rig_start
	noise_start music
	wait_for "music plays" 5 plays_on music speaker
	move music cable
	wait_for "WirePlumber remembers it" 10 grep -qr cable "$XDG_STATE_HOME/wireplumber"
	traces_take before
	for signal in TERM KILL; do
		weir_start "$1" "capture.sink = cable"
		wait_for "music is captured" 5 source_is captured
		weir_end "$1" $signal
		check_traces before
	done
}

# links_watch, links_were_made FROM TO: between nodes of these names, since then, however short.
links_watch() {
	rm -f "$rig_dir/watch.log"
	process_start watch pw-dump -m
	wait_for "the watch" 5 process_said watch '"speaker"'
}

links_were_made() {
	process_stop watch
	jq -es --argjson from "$(node_id "$1")" --argjson to "$(node_id "$2")" 'add | any(
		.info["output-node-id"] == $from and .info["input-node-id"] == $to)' "$rig_dir/watch.log"
}

# stays_away STREAM: from the default sink while weir comes.
stays_away() {
	check "the capture comes" links_were_made "$1" $SINK
	check "$1 does not play on the default sink meanwhile" not links_were_made "$1" speaker
}

# weir_captures_music HOST: music, which plays nowhere else on its way.
weir_captures_music() {
	links_watch
	weir_start "$1" "${MODES[0]}"
	wait_for "music is captured" 5 source_is captured
	stays_away music
}

in_both_stream_names_its_target() {
	local signal
	sink_conf headphones | rig_write pipewire/pipewire.conf.d/20-headphones.conf
	traces_rig_start
	play_start music "target.object = headphones"
	wait_for "music plays there" 5 plays_on music headphones
	traces_take before
	for signal in TERM KILL; do
		weir_captures_music "$1"
		# WirePlumber does so while the stream's own target is the default sink.
		pw-metadata -- "$(node_id music)" target.node -1 Spa:Id >/dev/null
		weir_end "$1" $signal
		check_traces before
	done
}

# move_as_pulse STREAM SINK: as pipewire-pulse does it, by two keys.
move_as_pulse() {
	pw-metadata "$(node_id "$1")" target.node "$(node_id "$2")" Spa:Id >/dev/null
	move "$1" "$2"
}

in_both_stream_was_moved() {
	local signal
	sink_conf headphones | rig_write pipewire/pipewire.conf.d/20-headphones.conf
	traces_rig_start
	noise_start music
	wait_for "music plays" 5 plays_on music speaker
	move_as_pulse music headphones
	traces_take before
	for signal in TERM KILL; do
		weir_captures_music "$1"
		weir_end "$1" $signal
		check_traces before
	done
}

in_both_stream_is_moved_meanwhile() {
	local signal
	sink_conf headphones | rig_write pipewire/pipewire.conf.d/20-headphones.conf
	sink_conf earphones | rig_write pipewire/pipewire.conf.d/21-earphones.conf
	traces_rig_start
	noise_start music
	wait_for "music plays" 5 plays_on music speaker
	move_as_pulse music headphones
	for signal in TERM KILL; do
		weir_start "$1" "${MODES[0]}"
		wait_for "music is captured" 5 source_is captured
		move_as_pulse music earphones
		traces_memory >"$rig_dir/chosen.memory"
		check "the session manager remembers the choice" grep -F '"target":"earphones"' "$rig_dir/chosen.memory"
		weir_end "$1" $signal
		wait_for "the end" 5 not node_id $SOURCE
		check "music stays where it was moved" plays_on music earphones
		wait_for "no process that waits" 5 no_undo_waits
		check "by both keys" [ "$(metadata_get target.node "$(node_id music)")" = "$(node_id earphones)" ]
		check "the session manager remembers it still" memory_is_like chosen
		move_as_pulse music headphones
		traces_memory >"$rig_dir/chosen.memory"
		check "and the next choice" grep -F '"target":"headphones"' "$rig_dir/chosen.memory"
	done
}

in_both_weir_ends_at_any_moment() {
	local i
	traces_rig_start
	noise_start music
	wait_for "music plays" 5 plays_on music speaker
	traces_take before
	for ((i = 0; i < MOMENTS; i++)); do
		weir_start "$1" "${MODES[i % ${#MODES[@]}]}"
		moment $i
		weir_end "$1"
		wait_for "the graph as it was ($i)" 5 graph_is_like before
	done
	check_traces before
}

in_both_stream_ends_at_any_moment() {
	local i
	traces_rig_start
	noise_write
	traces_take before
	weir_start "$1" "capture.mode = redirect capture.rate = 1.0"
	for ((i = 0; i < MOMENTS; i++)); do
		noise_start music
		moment $i
		process_stop music KILL
	done
	weir_end "$1"
	check_traces before
}

in_both_session_manager_ends_at_any_moment() {
	local i
	traces_rig_start
	noise_start music
	wait_for "music plays" 5 plays_on music speaker
	traces_take before
	for ((i = 0; i < MOMENTS / 2; i++)); do
		weir_start "$1" "${MODES[i % ${#MODES[@]}]}"
		moment $i
		process_stop wireplumber KILL
		session_manager_start
		weir_end "$1"
		wait_for "the graph as it was ($i)" 5 graph_is_like before
	done
	check_traces before
}

in_both_weir_ends_without_session_manager() {
	traces_rig_start
	noise_start music
	wait_for "music plays" 5 plays_on music speaker
	traces_take before
	weir_start "$1" "${MODES[0]}"
	wait_for "music is captured" 5 plays_on music $SINK
	process_stop wireplumber
	weir_end "$1"
	session_manager_start
	check_traces before
}

test_process_is_killed_at_any_moment() {
	local i
	traces_rig_start
	noise_start music
	wait_for "music plays" 5 plays_on music speaker
	traces_take before
	for ((i = 0; i < MOMENTS; i++)); do
		weir_start weir "${MODES[i % ${#MODES[@]}]}"
		moment $i
		weir_end weir KILL
		wait_for "the graph as it was ($i)" 5 graph_is_like before
	done
	check_traces before
}

test_daemon_ends_and_comes_back() {
	local signal
	traces_rig_start
	traces_take before
	for signal in TERM KILL; do
		weir_start weir "${MODES[0]}"
		noise_start music
		wait_for "music is captured" 5 is_captured music
		process_stop pipewire $signal
		process_stop music
		process_stop weir
		process_stop wireplumber
		process_start pipewire pipewire
		wait_for "PipeWire" 10 node_id speaker
		session_manager_start
		check_traces before
	done
}

tests_in_both
tests_run "$@"
