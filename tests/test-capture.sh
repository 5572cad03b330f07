#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2317,SC2119,SC2086
# libpipewire-module-weir-capture in a graph. "music" is what the module captures, "game" is not.

. "$(dirname "$0")/rig.sh"

SOURCE=weir.capture.test
SINK=weir.capture.test.sink
MATCH='[ { application.process.binary = pw-cat node.name = music } ]'

capture_conf() {
	cat <<-END
	context.modules = [ { name = libpipewire-module-weir-capture flags = [ nofail ] args = {
		capture.name = test
		$*
	} } ]
	END
}

# daemon_start ARGS: the rig with the module in the daemon.
daemon_start() {
	capture_conf "$@" | rig_write pipewire/pipewire.conf.d/50-capture.conf
	rig_start
	wait_for "the source" 5 node_id $SOURCE
}

# process_host_start ARGS: the module in a process of its own; the rig runs.
process_host_start() {
	rig_write pipewire/weir.conf <<-'END'
	context.spa-libs = { support.* = support/libspa-support }
	context.modules = [
		{ name = libpipewire-module-protocol-native }
		{ name = libpipewire-module-metadata }
	]
	END
	capture_conf "$@" | rig_write pipewire/weir.conf.d/50-capture.conf
	process_start weir pipewire -c weir.conf
	wait_for "the source" 5 node_id $SOURCE
}

# play_start NAME [PROPERTIES]: a long ramp, as a stream of this name.
play_start() {
	local file=$rig_dir/long.wav
	[ -e "$file" ] || sound ramp "$file" 60 48000 2
	process_start "$1" pw-play -P "{ node.name = $1 ${2:-} }" "$file"
	wait_for "$1 plays" 5 node_get "$1" '.info.state == "running"'
}

plays_on() {
	has_links "$1" "$2" 2
}

is_captured() {
	has_links "$1" $SOURCE 2
}

is_at_home() {
	has_links "$1" $SOURCE 0 && has_links "$1" $SINK 0 && plays_on "$1" speaker
}

# One quantum of pw-play. It mixes in its main loop, which is late now and then on a busy machine when
# it has messages to read, too.
QUANTUM=2048
# A process of its own links a stream in a race with the session manager.
PROCESS_MISSING=$((2 * QUANTUM))

# ramp_record CHANNELS: plays a whole ramp as "music" and records speaker and source meanwhile.
ramp_record() {
	sound ramp "$rig_dir/ramp.wav" 2 48000 "$1"
	record_start speaker-recording speaker
	record_start source-recording $SOURCE
	pw-play -P '{ node.name = music }' "$rig_dir/ramp.wav"
	record_stop source-recording
	record_stop speaker-recording
}

# check_redirected MISSING: frames that the source may miss.
check_redirected() {
	check "nothing leaked to the speaker" \
		sound absent "$rig_dir/ramp.wav" "$rig_dir/speaker-recording.wav"
	check "the source has everything" \
		sound compare "$rig_dir/ramp.wav" "$rig_dir/source-recording.wav" "$1"
}

# check_tapped MISSING: frames that the source may miss.
check_tapped() {
	check "the speaker has everything" \
		sound compare "$rig_dir/ramp.wav" "$rig_dir/speaker-recording.wav"
	check "the source has everything" \
		sound compare "$rig_dir/ramp.wav" "$rig_dir/source-recording.wav" "$1"
}

test_daemon_redirects_every_frame() {
	daemon_start "capture.match = $MATCH"
	ramp_record 2
	check_redirected 0
}

test_daemon_redirects_mono_to_both_channels() {
	daemon_start "capture.match = $MATCH"
	ramp_record 1
	check_redirected 0
}

test_daemon_taps_every_frame() {
	daemon_start "capture.match = $MATCH capture.mode = tap"
	ramp_record 2
	check_tapped 0
	check "there is no virtual sink" not node_id $SINK
}

test_process_redirects_every_frame() {
	rig_start
	process_host_start "capture.match = $MATCH"
	wait_for "the virtual sink" 5 node_get $SINK '.info["n-input-ports"] == 2'
	ramp_record 2
	check_redirected $PROCESS_MISSING
}

test_process_redirects_mono_to_both_channels() {
	rig_start
	process_host_start "capture.match = $MATCH"
	wait_for "the virtual sink" 5 node_get $SINK '.info["n-input-ports"] == 2'
	ramp_record 1
	check_redirected $PROCESS_MISSING
}

test_process_taps_every_frame() {
	rig_start
	process_host_start "capture.match = $MATCH capture.mode = tap"
	ramp_record 2
	check_tapped $PROCESS_MISSING
}

test_running_stream_is_redirected_and_comes_back() {
	rig_start
	play_start music
	play_start game
	process_host_start "capture.match = $MATCH"
	wait_for "music is captured" 5 is_captured music
	wait_for "music left the speaker" 5 plays_on music $SINK
	check "music plays nowhere else" has_links music speaker 0
	record_start source-recording $SOURCE
	record_stop source-recording
	check "the source has music" not sound silent "$rig_dir/source-recording.wav"
	check "game is untouched" is_at_home game
	process_stop weir TERM
	check "the process ended well" [ $process_status = 0 ]
	wait_for "music is back" 5 is_at_home music
	check "no target is left" not metadata_get target.object "$(node_id music)"
}

test_running_stream_is_tapped_undisturbed() {
	rig_start
	record_start speaker-recording speaker
	sound ramp "$rig_dir/ramp.wav" 3 48000 2
	process_start music pw-play -P '{ node.name = music }' "$rig_dir/ramp.wav"
	wait_for "music plays" 5 plays_on music speaker
	process_host_start "capture.match = $MATCH capture.mode = tap"
	wait_for "music is captured" 5 is_captured music
	wait_for "music ends" 10 not process_is_running music
	record_stop speaker-recording
	check "the speaker has everything" \
		sound compare "$rig_dir/ramp.wav" "$rig_dir/speaker-recording.wav" $QUANTUM
}

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

test_ended_process_is_not_remembered() {
	rig_start
	process_host_start "capture.match = $MATCH"
	play_start music
	wait_for "music is captured" 5 is_captured music
	process_stop music
	process_stop weir TERM
	process_stop wireplumber
	process_start wireplumber wireplumber
	wait_for "WirePlumber" 20 rig_is_ready
	check "its state names no sink of ours" not grep -r "$SINK" "$XDG_STATE_HOME/wireplumber"
	play_start music
	check "the next stream is at home" is_at_home music
}

test_daemon_unloads_the_module() {
	rig_write pipewire/pipewire.conf.d/60-unload.conf <<-END
	context.modules = [ { name = libpipewire-module-weir-unload args = {
		unload.fifo = "$rig_dir/unload"
		unload.name = libpipewire-module-weir-capture
	} } ]
	END
	mkfifo "$rig_dir/unload"
	daemon_start "capture.match = $MATCH"
	play_start music
	wait_for "music is captured" 5 is_captured music
	echo >"$rig_dir/unload"
	wait_for "music is back" 5 is_at_home music
	wait_for "the source is gone" 5 not node_id $SOURCE
	process_stop music
	play_start music
	check "its next stream is at home" is_at_home music
}

sink_conf() {
	cat <<-END
	context.objects = [ { factory = adapter args = {
		factory.name = support.null-audio-sink
		node.name = $1
		node.description = "$1"
		media.class = Audio/Sink
		audio.position = [ FL FR ]
		object.linger = true
	} } ]
	END
}

# headphones_choose: music plays there, and WirePlumber remembers it.
headphones_choose() {
	sink_conf headphones | rig_write pipewire/pipewire.conf.d/20-headphones.conf
	rig_start
	play_start music
	move music headphones
	wait_for "WirePlumber remembers it" 10 grep -qr headphones "$XDG_STATE_HOME/wireplumber"
}

# move STREAM SINK: as pavucontrol does it.
move() {
	pw-metadata "$(node_id "$1")" target.object "$(node_prop "$2" object.serial)" Spa:Id >/dev/null
	wait_for "$1 plays on $2" 5 plays_on "$1" "$2"
}

test_process_gives_back_what_the_session_manager_remembers() {
	headphones_choose
	process_host_start "capture.match = $MATCH"
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	process_stop weir
	wait_for "music is back" 5 plays_on music headphones
	process_stop music
	play_start music
	check "its next stream plays there" plays_on music headphones
}

test_process_redirects_what_the_session_manager_remembers() {
	headphones_choose
	process_stop music
	process_host_start "capture.match = $MATCH"
	wait_for "the virtual sink" 5 node_get $SINK '.info["n-input-ports"] == 2'
	play_start music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	process_stop weir
	wait_for "music is back" 5 plays_on music headphones
}

test_session_manager_restarts_with_its_memory() {
	headphones_choose
	process_host_start "capture.match = $MATCH"
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	process_stop weir
	wait_for "music is back" 5 plays_on music headphones
	process_host_start "capture.match = $MATCH"
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	process_stop wireplumber
	process_start wireplumber wireplumber
	wait_for "WirePlumber" 20 rig_is_ready
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
}

test_daemon_leaves_the_session_managers_memory() {
	headphones_choose
	rig_stop

	daemon_start "capture.match = $MATCH"
	play_start music
	wait_for "music is captured" 5 is_captured music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	rig_stop
	check "the daemon ended well" [ $process_status = 0 ]

	rm "$XDG_CONFIG_HOME/pipewire/pipewire.conf.d/50-capture.conf"
	rig_start
	play_start music
	wait_for "music plays on the headphones" 5 plays_on music headphones
}

test_stream_follows_the_sink() {
	daemon_start "capture.match = $MATCH capture.sink = cable"
	play_start music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	wait_for "the log says so" 5 process_said pipewire "weir.capture.test: no sink \"cable\""
	pw-cli >/dev/null create-node adapter '{ factory.name = support.null-audio-sink node.name = cable
		media.class = Audio/Sink audio.position = "FL,FR" object.linger = true }'
	wait_for "music plays on the cable" 5 plays_on music cable
	wait_for "the virtual sink is gone" 5 not node_id $SINK
	check "music is still captured" is_captured music
	pw-cli destroy "$(node_id cable)"
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	check "music is still captured" is_captured music
}

test_present_sink_is_used_at_once() {
	sink_conf cable | rig_write pipewire/pipewire.conf.d/20-cable.conf
	rig_start
	process_host_start "capture.match = $MATCH capture.sink = cable"
	play_start music
	wait_for "music plays on the cable" 5 plays_on music cable
	wait_for "music is captured" 5 is_captured music
	check "there is no virtual sink" not node_id $SINK
	process_stop weir
	wait_for "music is back" 5 is_at_home music
}

test_default_sink_is_aloop() {
	daemon_start "capture.match = $MATCH"
	wait_for "the log says how to get it" 5 process_said pipewire \
		'snd-aloop not loaded .*no action needed.*sudo modprobe snd-aloop'
}

test_moved_by_hand_is_respected() {
	rig_start
	process_host_start "capture.match = $MATCH"
	play_start music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	move music speaker
	check "music is still captured" is_captured music
	process_stop weir
	check "music stays there" plays_on music speaker
}

test_session_manager_restarts() {
	daemon_start "capture.match = $MATCH"
	play_start music
	wait_for "music is captured" 5 is_captured music
	process_stop wireplumber
	process_start wireplumber wireplumber
	wait_for "WirePlumber" 20 rig_is_ready
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	wait_for "music is captured" 5 is_captured music
	check "nothing on the speaker" has_links music speaker 0
}

# check_match MATCH: captures music, and nothing else.
check_match() {
	process_host_start "capture.match = $1 capture.mode = tap"
	wait_for "captured: $1" 5 is_captured music
	check "game is untouched" has_links game $SOURCE 0
	process_stop weir
	wait_for "the source is gone" 5 not node_id $SOURCE
}

test_streams_are_told_by_their_properties() {
	rig_start
	play_start music 'application.name = "My Player"'
	play_start game
	check_match '[ { application.process.id = '"${process_pids[music]}"' } ]'
	check_match '[ { application.name = "My Player" } ]'
	check_match '[ { node.name = "~^mus.c$" } ]'
	check_match '[ { application.name = nobody } { node.name = music } ]'
	check_match '[ { application.process.binary = "~^pw-c" node.name = !game } ]'
}

test_pulse_clients_have_their_own_process_id() {
	rig_need pipewire-pulse paplay
	rig_start
	process_start pulse pipewire-pulse
	wait_for "pipewire-pulse" 10 test -S "$XDG_RUNTIME_DIR/pulse/native"
	sound ramp "$rig_dir/long.wav" 60 48000 2
	process_start music paplay --property=node.name=music "$rig_dir/long.wav"
	wait_for "music plays" 5 plays_on music speaker
	play_start game
	check_match '[ { application.process.id = '"${process_pids[music]}"' } ]'
	check_match '[ { application.process.binary = pacat } ]'
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

# The recorders are pw-cat, too.
test_recording_streams_are_never_captured() {
	daemon_start 'capture.match = [ { application.process.binary = pw-cat } ]'
	record_start rec speaker
	play_start music
	wait_for "music is captured" 5 is_captured music
	check "the recorder is not" has_links rec $SOURCE 0
	check "it records what it did" plays_on speaker rec
}

# dropin_start MODE: conf/'s file with the one change that a user has to make.
dropin_start() {
	sed 's/= spotify/= pw-cat/' "${WEIR_CONF_DIR:-$(dirname "$0")/../conf}/pipewire.conf.avail/50-weir-capture-$1.conf" |
		rig_write "pipewire/pipewire.conf.d/50-weir-capture-$1.conf"
	rig_start
	play_start music
	wait_for "music is captured" 5 has_links music weir.capture.app 2
}

test_redirect_drop_in_works_with_one_change() {
	dropin_start redirect
	wait_for "music plays on the virtual sink" 5 plays_on music weir.capture.app.sink
	check "nothing on the speaker" has_links music speaker 0
}

test_tap_drop_in_works_with_one_change() {
	dropin_start tap
	check "music is on the speaker" plays_on music speaker
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
	check_refused "capture.match = { node.name = music }" 'capture.match is not an array'
	check_refused "capture.match = $MATCH capture.name = Two_Words" 'capture.name is "Two_Words"'
}

tests_run "$@"
