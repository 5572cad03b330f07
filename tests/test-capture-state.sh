#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2317,SC2119,SC2086
# What a capture says of itself, weir.capture.state, where a stream is not captured as asked: the graph
# decides, not what was asked for.

. "$(dirname "$0")/capture-rig.sh"

# host_start NAME CAPTURE ARGS: a capture in a process of its own, beside others.
host_start() {
	local host=$1 name=$2
	shift 2
	rig_write "pipewire/$host.conf" <<-END
	context.spa-libs = { support.* = support/libspa-support }
	context.modules = [
		{ name = libpipewire-module-protocol-native }
		{ name = libpipewire-module-metadata }
		{ name = libpipewire-module-client-node }
		{ name = libpipewire-module-weir-capture flags = [ nofail ] args = {
			capture.name = $name
			$*
		} }
	]
	END
	process_start "$host" pipewire -c "$host.conf"
}

# state_of CAPTURE STATE
state_of() {
	[ "$(node_prop "weir.capture.$1" weir.capture.state)" = "$2" ]
}

# target_changes: of streams, until now.
target_changes() {
	grep -c "key:'target.object'" "$rig_dir/metadata.log" || true
}

metadata_watch() {
	process_start metadata pw-metadata -m
}

test_stream_that_is_not_to_be_moved() {
	rig_start
	play_start music "node.dont-move = true"
	process_host_start "capture.match = $MATCH"
	wait_for "the state says so" 5 source_is cannot-move
	check "music plays where it did" plays_on music speaker
	check "the log says what to do" process_said weir 'cannot move.*capture.mode = tap'
	check "no target is left" not metadata_get target.object "$(node_id music)"
}

test_session_manager_that_moves_nothing() {
	rig_start
	pw-metadata -n sm-settings 0 linking.allow-moving-streams false Spa:String:JSON >/dev/null
	sleep 0.5
	play_start music
	process_host_start "capture.match = $MATCH"
	wait_for "the state says so" 6 source_is cannot-move
	check "music plays where it did" plays_on music speaker
	pw-metadata -n sm-settings 0 linking.allow-moving-streams true Spa:String:JSON >/dev/null
	process_stop music
	play_start music
	wait_for "the next stream is captured" 5 source_is captured
}

test_no_session_manager() {
	rig_start
	play_start music
	process_stop wireplumber
	wait_for "nobody links" 5 has_links music speaker 0
	process_host_start "capture.match = $MATCH"
	check "nothing is wrong with what does not play" not source_is cannot-move
	pw-link music:output_FL speaker:playback_FL
	pw-link music:output_FR speaker:playback_FR
	wait_for "the state says so" 6 source_is cannot-move
	check "so does the log" process_said weir 'cannot move "pw-play" .*: there is no session manager'
	check "music is heard" plays_on music speaker
	check "the source hears it" has_links music $SOURCE 2
	process_start wireplumber wireplumber
	wait_for "music is captured" 20 source_is captured
	check "music plays on the virtual sink" has_links music $SINK 2
}

test_daemon_redirects_what_is_not_to_be_moved_later() {
	daemon_start "capture.match = $MATCH"
	play_start music "node.dont-move = true"
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	wait_for "the state says so" 5 source_is captured
}

test_channel_without_a_link() {
	daemon_start "capture.match = $MATCH capture.mode = tap"
	play_start music
	wait_for "music is captured" 5 source_is captured
	pw-link -d music:output_FR $SOURCE:in-r
	wait_for "the state says which" 5 source_is "missing-channel: FR"
	check "so does the log" process_said pipewire 'weir.capture.test: missing-channel: FR'
	# pw-link waits for a link to run, which this one does for recorders only.
	timeout 2 pw-link music:output_FR $SOURCE:in-r || true
	wait_for "it is complete again" 5 source_is captured
}

# What comes in one channel goes to both sides.
test_side_without_a_link() {
	daemon_start "capture.match = $MATCH capture.mode = tap"
	sound ramp "$rig_dir/mono.wav" 60 48000 1
	process_start music pw-play -P '{ node.name = music stream.dont-remix = true }' "$rig_dir/mono.wav"
	wait_for "music is captured" 5 source_is captured
	check "on both sides" has_links music $SOURCE 2
	pw-link -d music:output_MONO $SOURCE:in-r
	wait_for "the state says which" 5 source_is "missing-channel: MONO"
	timeout 2 pw-link music:output_MONO $SOURCE:in-r || true
	wait_for "it is complete again" 5 source_is captured
}

# are_active FROM TO COUNT: are COUNT links between nodes of these names active, and all of them?
are_active() {
	has_links "$@" && graph --argjson from "$(node_id "$1")" --argjson to "$(node_id "$2")" '
		[.[] | select(.type == "PipeWire:Interface:Link" and .info["output-node-id"] == $from
			and .info["input-node-id"] == $to) | .info.state == "active"] | all'
}

# PipeWire 1.4 forgets the second link of a node that is suspended while it runs. The session manager does
# that to a new node.
suspensions_leave_both_sides() {
	play_start music
	for _ in 1 2 3 4 5; do
		wait_for "both sides are heard" 3 are_active music $SOURCE 2
		pw-cli >/dev/null send-command "$(node_id $SOURCE)" Suspend '{}'
	done
	wait_for "both sides are heard" 3 are_active music $SOURCE 2
	check "it is said to be captured" source_is captured
}

test_both_sides_are_heard_after_a_suspension() {
	rig_start
	process_host_start "capture.match = $MATCH capture.mode = tap capture.rate = 1.01"
	suspensions_leave_both_sides
}

test_both_sides_are_heard_after_a_suspension_in_the_daemon() {
	daemon_start "capture.match = $MATCH capture.mode = tap capture.rate = 1.01"
	suspensions_leave_both_sides
}

test_channel_that_no_mix_has_is_not_missing() {
	sink_conf surround | sed "s/FL FR/FL FR BC/" | rig_write pipewire/pipewire.conf.d/20-surround.conf
	daemon_start "capture.match = $MATCH capture.mode = tap"
	play_start music "target.object = surround"
	wait_for "music plays" 5 has_links music surround 3
	wait_for "the state says captured" 5 source_is captured
	check "only left and right are" is_captured music
}

test_sink_that_does_not_exist() {
	daemon_start "capture.match = $MATCH capture.sink = speakr"
	play_start music
	wait_for "the state says so" 5 source_is "virtual-sink: no sink speakr"
}

test_sink_that_is_the_virtual_one() {
	daemon_start "capture.match = $MATCH capture.sink = $SINK"
	play_start music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	wait_for "the state says so" 5 source_is captured
}

# jack_start: a node as libjack makes it, without media.class.
jack_start() {
	rig_write pipewire/jack.conf <<-'END'
	context.properties = { client.api = jack }
	context.spa-libs = { weir.* = weir/libspa-weir }
	context.modules = [
		{ name = libpipewire-module-protocol-native }
		{ name = libpipewire-module-client-node }
		{ name = libpipewire-module-spa-node-factory }
	]
	context.objects = [ { factory = spa-node-factory args = {
		factory.name = weir.pitch node.name = music object.export = true } } ]
	END
	process_start jack pipewire -c jack.conf
	wait_for "the client" 5 node_id music
}

test_jack_client() {
	daemon_start 'capture.match = [ { node.name = music } ]'
	jack_start
	wait_for "the state says what to use" 10 source_is "jack-client: use weir-links"
	check "so does the log" process_said pipewire 'jack-client: use weir-links'
	process_stop jack
	wait_for "it waits" 5 source_is waiting
}

# one_has_it A B: captures of which the first keeps the stream.
one_has_it() {
	wait_for "$1 has music" 5 state_of "$1" captured
	wait_for "$2 says who has it" 5 state_of "$2" "taken: by weir.capture.$1"
	check "music plays on one sink" plays_on music "weir.capture.$1.sink"
	check "it is in one source" has_links music "weir.capture.$2" 0
	sleep 1
	check "nobody fights" [ "$(target_changes)" -le 4 ]
}

# winner_is_known: which of the captures "first" and "second" has the stream, and in which process each
# is. The first one to see the stream keeps it.
winner_is_known() {
	for winner in first second; do
		case $winner in
		first) loser=second winner_host=one loser_host=two ;;
		second) loser=first winner_host=two loser_host=one ;;
		esac
		state_of $winner captured && state_of $loser "taken: by weir.capture.$winner" && return
	done
	return 1
}

test_two_redirects_of_one_stream() {
	local winner loser winner_host loser_host
	rig_start
	metadata_watch
	host_start one first "capture.match = $MATCH"
	wait_for "the first" 5 node_id weir.capture.first.sink
	host_start two second "capture.match = $MATCH"
	wait_for "the second" 5 node_id weir.capture.second.sink
	play_start music
	wait_for "one of them has music" 5 winner_is_known
	one_has_it $winner $loser
	check "the other's log names both" process_said $loser_host \
		"weir.capture.$loser: weir.capture.$winner already redirects"
	process_stop $winner_host
	wait_for "the other takes over" 5 state_of $loser captured
	check "music plays there" plays_on music weir.capture.$loser.sink
	process_stop $loser_host
	wait_for "music is back" 5 plays_on music speaker
	check "no target is left" not metadata_get target.object "$(node_id music)"
}

test_second_redirect_comes_later() {
	rig_start
	metadata_watch
	host_start one first "capture.match = $MATCH"
	play_start music
	wait_for "the first has music" 5 state_of first captured
	host_start two second "capture.match = $MATCH"
	one_has_it first second
	process_stop one KILL
	wait_for "the second takes over" 5 state_of second captured
	process_stop two
}

test_two_redirects_in_the_daemon() {
	capture_conf "capture.match = $MATCH" | sed 's/name = test/name = first/' |
		rig_write pipewire/pipewire.conf.d/50-capture-1.conf
	capture_conf "capture.match = $MATCH" | sed 's/name = test/name = second/' |
		rig_write pipewire/pipewire.conf.d/50-capture-2.conf
	rig_start
	metadata_watch
	play_start music
	one_has_it first second
	rig_stop
}

test_redirects_in_the_daemon_and_a_process() {
	switch_conf
	daemon_start "capture.match = $MATCH"
	metadata_watch
	host_start two second "capture.match = $MATCH"
	wait_for "the second" 5 node_id weir.capture.second.sink
	play_start music
	one_has_it test second
	echo >"$rig_dir/switch"
	wait_for "the second takes over" 5 plays_on music weir.capture.second.sink
	wait_for "and says so" 5 state_of second captured
	process_stop two
	wait_for "music is back" 5 plays_on music speaker
}

# second_is_refused HOST FIRST: the second of this name, in the log of a process that runs on.
second_is_refused() {
	wait_for "the log names both" 5 process_said "$1" \
		"weir.capture.test: the capture in \"$2.conf, process [0-9]+\".* in \"$1.conf, process [0-9]+\" does not start"
	play_start music
	wait_for "music is captured" 5 is_captured music
	check "once" [ "$(pw-dump | jq '[.[] | select(.info.props["node.name"]? == "weir.capture.test")] | length')" = 1 ]
	check "one sink" [ "$(pw-dump | jq '[.[] | select(.info.props["node.name"]? == "weir.capture.test.sink")] | length')" = 1 ]
	check "it runs on" process_is_running "$1"
}

test_second_of_a_name_in_the_daemon() {
	capture_conf "capture.match = $MATCH" | rig_write pipewire/pipewire.conf.d/51-again.conf
	daemon_start "capture.match = $MATCH"
	second_is_refused pipewire pipewire
	rig_stop
}

test_second_of_a_name_in_a_process() {
	daemon_start "capture.match = $MATCH"
	host_start weir test "capture.match = $MATCH"
	second_is_refused weir pipewire
	process_stop weir
	check "the first goes on" is_captured music
	rig_stop
}

test_second_process_of_a_name() {
	rig_start
	process_host_start "capture.match = $MATCH"
	host_start two test "capture.match = $MATCH"
	second_is_refused two weir
	process_stop weir
	process_stop two
	host_start two test "capture.match = $MATCH"
	wait_for "now it starts" 5 is_captured music
	process_stop two
}

test_two_of_a_name_at_once() {
	rig_start
	host_start one test "capture.match = $MATCH"
	host_start two test "capture.match = $MATCH"
	play_start music
	wait_for "music is captured" 5 is_captured music
	sleep 1
	check "once" [ "$(pw-dump | jq '[.[] | select(.info.props["node.name"]? == "weir.capture.test")] | length')" = 1 ]
	process_stop one
	process_stop two
}

test_shipped_files_go_together() {
	local file
	for file in "${WEIR_CONF_DIR:?}"/pipewire.conf.avail/50-weir-*.conf; do
		grep -oE '^ *capture.name *= *[a-z-]+' "$file" || true
	done | sort | uniq -d >"$rig_dir/names.log"
	check "no two have one capture.name" [ ! -s "$rig_dir/names.log" ]
}

# Whoever moves a stream with a mixer writes a serial.
test_target_given_as_serial() {
	rig_start
	process_host_start "capture.match = $MATCH"
	play_start music
	wait_for "music is captured" 5 source_is captured
	move music speaker
	wait_for "music plays where it was moved" 5 plays_on music speaker
	move music $SINK
	wait_for "and on the sink again" 5 plays_on music $SINK
	process_stop weir
	wait_for "music is back" 5 plays_on music speaker
	check "no target is left" not metadata_get target.object "$(node_id music)"
}

test_target_that_went_is_not_left() {
	local serial
	rig_start
	sink_start headphones
	play_start music
	move music headphones
	process_host_start "capture.match = $MATCH"
	wait_for "music is captured" 5 source_is captured
	pw-cli destroy "$(node_id headphones)"
	sink_start headphones
	process_stop weir
	wait_for "music plays there again" 5 plays_on music headphones
	serial=$(node_prop headphones object.serial)
	check "the target is the new serial" [ "$(metadata_get target.object "$(node_id music)")" = "$serial" ]
}

tests_run "$@"
