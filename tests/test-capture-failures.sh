#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2317,SC2119,SC2086
# libpipewire-module-weir-capture when what it needs, or itself, is killed, removed or wrong: what it
# captures is heard where it was before.

. "$(dirname "$0")/capture-rig.sh"

test_killed_process_gives_the_stream_back() {
	rig_start
	process_host_start "capture.match = $MATCH"
	play_start music
	wait_for "music is captured" 5 is_captured music
	process_stop weir KILL
	wait_for "music is back" 5 is_at_home music
	process_stop music
	play_start music
	check "its next stream is at home" is_at_home music
}

test_killed_process_gives_streams_on_a_real_sink_back() {
	sink_conf cable | rig_write pipewire/pipewire.conf.d/20-cable.conf
	rig_start
	process_host_start "capture.match = $MATCH capture.sink = cable"
	play_start music
	wait_for "music plays on the cable" 5 plays_on music cable
	process_stop weir KILL
	wait_for "music is back" 5 plays_on music speaker
	check "no target is left" not metadata_get target.object "$(node_id music)"
	process_stop music
	play_start music
	check "its next stream is at home" plays_on music speaker
}

test_killed_process_gives_back_what_the_session_manager_remembers() {
	headphones_choose
	process_host_start "capture.match = $MATCH"
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	process_stop weir KILL
	wait_for "music is back" 5 plays_on music headphones
	process_stop music
	play_start music
	check "its next stream plays there" plays_on music headphones
}

cable_plug() {
	pw-cli >/dev/null create-node adapter '{ factory.name = support.null-audio-sink node.name = cable
		media.class = Audio/Sink audio.position = "FL,FR" object.linger = true }'
	wait_for "music plays on the cable" 5 plays_on music cable
}

test_stream_follows_the_sink() {
	daemon_start "capture.match = $MATCH capture.sink = cable"
	play_start music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	wait_for "the log says so" 10 process_said pipewire "weir.capture.test: no sink \"cable\""
	cable_plug
	wait_for "the virtual sink is gone" 5 not node_id $SINK
	check "music is still captured" is_captured music
	pw-cli destroy "$(node_id cable)"
	wait_for "music is heard again" 5 plays_on music speaker
	wait_for "the state says so" 5 source_is no-sink
	check "the log says so" process_said pipewire "sink \"cable\" is gone"
	process_stop music
	play_start music
	check "its next stream is heard as well" plays_on music speaker
	cable_plug
	check "music is captured again" is_captured music
	check "nothing on the speaker" has_links music speaker 0
	wait_for "the state says so" 5 source_is captured
}

# voice_start, voice_link: the node through which music is heard, and the links that weir-links would
# make; voice is a sink whose monitor leads on.
voice_start() {
	node_start voice Audio/Duplex FL,FR
}

# links_start NAME FROM TO: as long as the process NAME runs.
links_start() {
	rig_write "pipewire/$1.conf" <<-END
	context.modules = [
		{ name = libpipewire-module-protocol-native }
		{ name = libpipewire-module-metadata }
		{ name = libpipewire-module-weir-links args = {
			links = [ { from = $2 to = $3 passive = true } ] } }
	]
	END
	process_start "$1" pipewire -c "$1.conf"
}

needs_is() {
	source_is "needs-missing: $1"
}

test_stream_is_heard_without_the_node_it_needs() {
	daemon_start "capture.match = $MATCH capture.sink = virtual capture.needs = voice"
	play_start music
	check "music is heard" plays_on music speaker
	wait_for "the state says so" 5 needs_is "no node voice"
	wait_for "the log says why" 6 process_said pipewire 'weir.capture.test: no node voice'
	voice_start
	wait_for "links are missing" 5 needs_is "no link from $SOURCE to voice"
	check "music is heard" plays_on music speaker
	links_start in $SOURCE voice
	wait_for "one is missing" 5 needs_is "no link from voice to a sink"
	check "music is heard" plays_on music speaker
	links_start out voice speaker
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	wait_for "the state says so" 5 source_is captured
	check "and through the node" has_links voice speaker 2
	process_stop out
	wait_for "music is heard again" 5 plays_on music speaker
	wait_for "the state says why" 5 needs_is "no link from voice to a sink"
	check "so does the log" process_said pipewire 'weir.capture.test: no link from voice to a sink'
	links_start out voice speaker
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	pw-cli destroy "$(node_id voice)"
	wait_for "music is heard again" 5 plays_on music speaker
	process_stop music
	play_start music
	check "its next stream is heard as well" plays_on music speaker
	check "nothing is said of a sink" not process_said pipewire "no sink"
}

# What leads back into the capture's own sink is not heard.
test_stream_is_heard_when_the_way_leads_back() {
	daemon_start "capture.match = $MATCH capture.sink = virtual capture.needs = voice"
	voice_start
	links_start in $SOURCE voice
	links_start out voice $SINK
	play_start music
	wait_for "the state says so" 5 needs_is "no link from voice to a sink"
	check "music is heard" plays_on music speaker
}

test_stream_is_heard_when_the_way_leads_to_its_own_sink() {
	sink_conf cable | rig_write pipewire/pipewire.conf.d/20-cable.conf
	daemon_start "capture.match = $MATCH capture.sink = cable capture.needs = voice"
	voice_start
	links_start in $SOURCE voice
	links_start out voice cable
	play_start music
	wait_for "the way is there" 5 has_links voice cable 2
	wait_for "the state says so" 5 needs_is "no link from voice to a sink"
	check "music is heard" plays_on music speaker
}

# ports_link FROM TO: two ports, by their numbers. pw-link waits for links to run, which these do later.
ports_link() {
	timeout 2 pw-link "$1" "$2" || true
	check "$1 is linked to $2" graph --argjson from "$1" --argjson to "$2" 'any(.[];
		.info["output-port-id"] == $from and .info["input-port-id"] == $to)'
}

# port_of NODE PORT: its number, of the newest node of this name.
port_of() {
	graph --arg node "$1" --arg port "$2" '([.[] | select(.info.props["node.name"]? == $node) | .id] | max) as $id
		| .[] | select(.info.props["node.id"]? == $id and .info.props["port.name"]? == $port) | .id'
}

test_one_of_two_nodes_of_the_name_leads_on() {
	daemon_start "capture.match = $MATCH capture.sink = virtual capture.needs = voice"
	voice_start
	voice_start
	wait_for "both" 5 graph '[.[] | select(.info.props["node.name"]? == "voice")] | length == 2'
	play_start music
	wait_for "its ports" 5 port_of voice playback_FR
	ports_link "$(port_of $SOURCE out-l)" "$(port_of voice playback_FL)"
	ports_link "$(port_of $SOURCE out-r)" "$(port_of voice playback_FR)"
	ports_link "$(port_of voice capture_FL)" "$(port_of speaker playback_FL)"
	ports_link "$(port_of voice capture_FR)" "$(port_of speaker playback_FR)"
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	wait_for "the state says so" 5 source_is captured
}

test_stream_is_heard_when_one_side_is_missing() {
	daemon_start "capture.match = $MATCH capture.sink = virtual capture.needs = voice"
	voice_start
	links_start in $SOURCE voice
	links_start out voice speaker
	play_start music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	pw-link -d voice:capture_FR speaker:playback_FR
	wait_for "music is heard again" 5 plays_on music speaker
	wait_for "the state says why" 5 needs_is "no link from voice:capture_FR"
	process_stop out
	links_start out voice speaker
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	pw-link -d $SOURCE:out-r voice:playback_FR
	wait_for "music is heard again" 5 plays_on music speaker
	wait_for "the state says why" 5 needs_is "no link from $SOURCE:out-r"
}

test_default_sink_changes_behind_the_node_it_needs() {
	daemon_start "capture.match = $MATCH capture.sink = virtual capture.needs = voice"
	sink_start headphones
	voice_start
	links_start in $SOURCE voice
	links_start out voice '"@DEFAULT_AUDIO_SINK@"'
	play_start music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	pw-metadata 0 default.configured.audio.sink '{ "name": "headphones" }' Spa:String:JSON >/dev/null
	wait_for "the way leads there" 5 has_links voice headphones 2
	sleep 1
	check "music was never heard directly" plays_on music $SINK
	check "nothing is said" not process_said pipewire 'weir.capture.test: no link from voice'
}

test_session_manager_restarts() {
	daemon_start "capture.match = $MATCH"
	play_start music
	wait_for "music is captured" 5 is_captured music
	session_manager_restart
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	wait_for "music is captured" 5 is_captured music
	check "nothing on the speaker" has_links music speaker 0
}

# The session manager sets parameters of the source, and the daemon reads nothing from it until weir has
# answered. weir first reads that there is metadata, and binds it: it must not wait for an answer then.
test_session_manager_waits_for_the_process() {
	rig_start
	process_host_start "capture.match = $MATCH"
	process_stop wireplumber
	kill -s STOP "${process_pids[weir]}"
	process_start wireplumber wireplumber
	wait_for "a session manager that waits" 20 not timeout 3 pw-dump
	kill -s CONT "${process_pids[weir]}"
	wait_for "WirePlumber" 20 rig_is_ready
	play_start music
	wait_for "music is captured" 5 is_captured music
}

test_stuck_recorder_does_not_disturb_the_stream() {
	daemon_start "capture.match = $MATCH capture.mode = tap"
	sound ramp "$rig_dir/ramp.wav" 3 48000 2
	record_start stuck $SOURCE
	record_start speaker-recording speaker
	process_start music pw-play -P '{ node.name = music }' "$rig_dir/ramp.wav"
	wait_for "music is captured" 5 is_captured music
	kill -s STOP "${process_pids[stuck]}"
	wait_for "music ends" 10 not process_is_running music
	record_stop speaker-recording
	kill -s CONT "${process_pids[stuck]}"
	check "the speaker has everything" \
		sound compare "$rig_dir/ramp.wav" "$rig_dir/speaker-recording.wav" $QUANTUM
}

# source_goes: somebody removes it.
source_goes() {
	play_start music
	wait_for "music is captured" 5 is_captured music
	pw-cli destroy "$(node_id $SOURCE)"
	wait_for "music is back" 5 is_at_home music
	wait_for "its nodes are gone" 5 not node_id $SINK
	process_stop music
	play_start music
	check "its next stream is at home" is_at_home music
}

test_daemon_ends_without_its_source() {
	daemon_start "capture.match = $MATCH"
	source_goes
	check "the log says so" process_said pipewire 'weir.capture.test: another program removed the source'
}

test_process_ends_without_its_source() {
	rig_start
	process_host_start "capture.match = $MATCH"
	source_goes
	check "the log says so" process_said weir 'weir.capture.test: another program removed the source'
}

test_stream_is_heard_without_the_virtual_sink() {
	daemon_start "capture.match = $MATCH"
	play_start music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	pw-cli destroy "$(node_id $SINK)"
	wait_for "music is heard again" 5 plays_on music speaker
	wait_for "the state says so" 5 source_is no-sink
	check "the log says why" process_said pipewire 'weir.capture.test: no virtual sink'
	process_stop music
	play_start music
	check "its next stream is heard as well" plays_on music speaker
}

test_long_names_do_no_harm() {
	local name
	name=$(printf 'x%.0s' {1..300})
	daemon_start "capture.match = $MATCH"
	play_start music "application.name = \"$name\""
	wait_for "music is captured" 5 is_captured music
	check "the list of streams can be read" [ "$(node_prop $SOURCE weir.capture.streams | jq length)" = 1 ]
	check "the daemon runs" process_is_running pipewire
}

# check_refused ARGS PATTERN: the message, and a daemon that runs on.
check_refused() {
	capture_conf "$1" | rig_write pipewire/pipewire.conf.d/50-capture.conf
	rig_start
	check "the log says: $2" process_said pipewire "$2"
	check "there is no source" not node_id $SOURCE
	rig_stop
}

test_wrong_arguments_are_named() {
	check_refused "capture.match = $MATCH capture.mode = steal" 'capture.mode is "steal"'
	check_refused "" 'capture.match is missing'
	check_refused "capture.match = []" 'capture.match is not an array'
	check_refused "capture.match = [ {} ]" 'capture.match has an object without properties'
	check_refused "capture.match = { node.name = music }" 'capture.match is not an array'
	check_refused 'capture.match = [ { node.name = "~(" } ]' 'is not a regular expression'
	check_refused 'capture.match = [ { node.name = x process.tree = 3 } ]' 'neither true nor false'
	check_refused "capture.match = $MATCH capture.exclude = music" 'capture.exclude is not an array'
	SOURCE=weir.capture.Two_Words check_refused "capture.match = $MATCH" 'capture.name is "Two_Words"'
	check_refused "capture.match = $MATCH capture.name = twice" '"capture.name" is set twice'
	check_refused "capture.match = $MATCH capture.exlude = []" 'no key "capture.exlude"'
	check_refused "capture.match = $MATCH capture.mode = tap capture.sink = cable" \
		'capture.sink excludes capture.mode = tap'
	check_refused "capture.match = $MATCH capture.mode = tap capture.needs = voice" \
		'capture.needs excludes capture.mode = tap'
	SOURCE=weir.capture.$(printf 'x%.0s' {1..101}) check_refused "capture.match = $MATCH" '1 to 100 of a-z'
	check_refused "capture.match = $MATCH capture.sink = @DEFAULT_AUDIO_SINK@" \
		'capture.sink is "@DEFAULT_AUDIO_SINK@": it must be the node.name of one node'
	check_refused "capture.match = $MATCH capture.sink = \"~alsa.*\"" 'capture.sink is "~alsa.*"'
	check_refused "capture.match = $MATCH capture.sink = [ a b ]" 'capture.sink is "\[ a b \]"'
	check_refused "capture.match = $MATCH capture.needs = \"\"" 'capture.needs is ""'
	check_refused "capture.match = $MATCH capture.rate = 0" 'capture.rate is "0".*from 0.25 to 4'
	check_refused "capture.match = $MATCH capture.rate = fast" 'capture.rate is "fast"'
	check_refused "capture.match = $MATCH capture.glide-ms = -1" 'capture.glide-ms is "-1"'
}

tests_run "$@"
