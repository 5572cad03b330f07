#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2317,SC2119,SC2086
# libpipewire-module-weir-capture in a graph. "music" is what the module captures, "game" is not.

. "$(dirname "$0")/capture-rig.sh"

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

test_ended_process_is_not_remembered() {
	rig_start
	process_host_start "capture.match = $MATCH"
	play_start music
	wait_for "music is captured" 5 is_captured music
	process_stop music
	process_stop weir TERM
	session_manager_restart
	check "its state names no sink of ours" not grep -r "target.*$SINK" "$XDG_STATE_HOME/wireplumber"
	play_start music
	check "the next stream is at home" is_at_home music
}

test_daemon_unloads_the_module() {
	switch_conf
	daemon_start "capture.match = $MATCH"
	play_start music
	wait_for "music is captured" 5 is_captured music
	echo >"$rig_dir/switch"
	wait_for "music is back" 5 is_at_home music
	wait_for "the source is gone" 5 not node_id $SOURCE
	process_stop music
	play_start music
	check "its next stream is at home" is_at_home music
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

# choice_survives: a stream ends while it is redirected, or its capture is killed.
choice_survives() {
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	process_stop music
	sleep 1.2 # The session manager writes its state a second after a change.
	check "WirePlumber remembers the headphones" \
		grep -q '"target":"headphones"' "$XDG_STATE_HOME/wireplumber/stream-properties"
}

test_process_leaves_the_session_managers_memory() {
	headphones_choose
	process_host_start "capture.match = $MATCH"
	choice_survives
	play_start music
	choice_survives
	play_start music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	process_stop weir KILL
	wait_for "music plays on the headphones" 5 plays_on music headphones
	check "no other target is left" not metadata_get target.node "$(node_id music)"
	sleep 1.2
	check "WirePlumber remembers the headphones" \
		grep -q '"target":"headphones"' "$XDG_STATE_HOME/wireplumber/stream-properties"
}

test_session_manager_restarts_with_its_memory() {
	headphones_choose
	process_host_start "capture.match = $MATCH"
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	process_stop weir
	wait_for "music is back" 5 plays_on music headphones
	process_host_start "capture.match = $MATCH"
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	session_manager_restart
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

streams_are() {
	[ "$(node_prop $SOURCE weir.capture.streams | jq -c 'map([.name, .pid])')" = "$1" ]
}

# state_follows: what the source says of itself while music comes, pauses and goes.
state_follows() {
	wait_for "it waits" 5 source_is waiting
	check "for no stream" streams_are '[]'
	play_start music
	wait_for "it captures" 5 source_is captured
	check "music" streams_are "[[\"pw-play\",${process_pids[music]}]]"
	process_stop music
	process_start music pw-play --target 0 -P '{ node.name = music }' "$rig_dir/long.wav"
	wait_for "music is there, but plays nowhere" 5 source_is silent-paused
	process_stop music
	wait_for "it waits again" 5 source_is waiting
	check "for no stream" streams_are '[]'
}

test_daemon_says_why_it_is_silent() {
	daemon_start "capture.match = $MATCH"
	state_follows
}

test_process_says_why_it_is_silent() {
	rig_start
	process_host_start "capture.match = $MATCH"
	state_follows
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

# capture_start HOST ARGS
capture_start() {
	if [ "$1" = pipewire ]; then
		daemon_start "$2"
	else
		rig_start
		process_host_start "$2"
	fi
}

ALL='capture.match = [ { media.class = Stream/Output/Audio } ] capture.mode = tap'

# loop_start PROPERTIES ENDS: a filter of two nodes, the second of which is a stream.
loop_start() {
	rig_need pw-loopback
	process_start loop pw-loopback -m '[ FL FR ]' \
		--capture-props="{ node.name = loop-in node.dont-fallback = true $1 }" \
		--playback-props='{ node.name = loop }'
	wait_for "the loopback" 5 plays_on loop speaker
}

# source_has_it_once: what the source has of music, which plays a ramp.
source_has_it_once() {
	sleep 0.5
	record_start source-recording $SOURCE
	sleep 1
	record_stop source-recording
	check "the source has music" not sound absent "$rig_dir/long.wav" "$rig_dir/source-recording.wav"
	check "once" sound compare "$rig_dir/long.wav" "$rig_dir/source-recording.wav" $((60 * 48000))
}

# What comes out of a filter into which music plays is captured as music is.
in_both_filter_that_plays_what_is_captured() {
	capture_start "$1" "$ALL"
	loop_start "media.class = Audio/Sink"
	wait_for "the filter is captured" 5 is_captured loop
	play_start music "target.object = loop-in"
	wait_for "music is captured" 5 is_captured music
	wait_for "the filter is not" 5 has_links loop $SOURCE 0
	check "it plays on" plays_on loop speaker
	source_has_it_once
	process_stop music
	wait_for "the filter is captured again" 5 is_captured loop
}

# Who hears the source through a filter does not lead that back.
in_both_filter_that_plays_the_source() {
	capture_start "$1" "$ALL"
	loop_start "target.object = $SOURCE"
	play_start music
	wait_for "music is captured" 5 is_captured music
	wait_for "the filter is not" 5 has_links loop $SOURCE 0
	check "it plays on" plays_on loop speaker
	source_has_it_once
}

# A node that is a sink and a source in one.
test_duplex_node_is_a_sink() {
	rig_start
	node_start cable Audio/Duplex FL,FR
	process_host_start "capture.match = $MATCH capture.sink = cable"
	play_start music
	wait_for "music plays on the cable" 5 plays_on music cable
	wait_for "the state says captured" 5 source_is captured
	check "there is no virtual sink" not node_id $SINK
	pw-cli destroy "$(node_id cable)"
	wait_for "music is heard again" 5 plays_on music speaker
}

test_default_sink_is_aloop() {
	daemon_start "capture.match = $MATCH"
	wait_for "the log says how to get it" 10 process_said pipewire \
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

# default_sink_set NAME: as pavucontrol does it.
default_sink_set() {
	pw-metadata 0 default.configured.audio.sink "{ \"name\": \"$1\" }" Spa:String:JSON >/dev/null
	wait_for "the default sink is $1" 5 default_sink_is "$1"
}

default_sink_is() {
	[ "$(metadata_get default.audio.sink | jq -r .name)" = "$1" ]
}

test_redirected_stream_ignores_the_default_sink() {
	switch_conf
	sink_conf headphones | rig_write pipewire/pipewire.conf.d/20-headphones.conf
	daemon_start "capture.match = $MATCH"
	play_start music
	play_start game
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	default_sink_set headphones
	wait_for "game follows" 5 plays_on game headphones
	check "music does not" plays_on music $SINK
	check "music is still captured" is_captured music
	echo >"$rig_dir/switch"
	wait_for "music is where it belongs now" 5 plays_on music headphones
}

# The default sink changes to the other one while it plays. PipeWire drops what a stream has ready when
# it moves it, capture or not; on a late machine it drops more.
source_has_everything() {
	local other=headphones
	[ "$(metadata_get default.audio.sink | jq -r .name)" = speaker ] || other=speaker
	record_start source-recording $SOURCE
	process_start music pw-play -P '{ node.name = music }' "$rig_dir/ramp.wav"
	wait_for "music is captured" 5 is_captured music
	default_sink_set $other
	wait_for "music follows" 5 plays_on music $other
	check "music is still captured" is_captured music
	wait_for "music ends" 10 not process_is_running music
	process_stop music
	record_stop source-recording
	sound compare "$rig_dir/ramp.wav" "$rig_dir/source-recording.wav" $QUANTUM
}

test_tapped_stream_follows_the_default_sink() {
	sink_conf headphones | rig_write pipewire/pipewire.conf.d/20-headphones.conf
	daemon_start "capture.match = $MATCH capture.mode = tap"
	sound ramp "$rig_dir/ramp.wav" 4 48000 2
	check "the source has everything" in_three_tries source_has_everything
}

# volume_get STREAM
volume_get() {
	node_get "$1" '.info.params.Props[0] | [.channelVolumes[0] + 0, .mute] | join(" ")'
}

test_volume_and_mute_stay() {
	switch_conf
	daemon_start "capture.match = $MATCH"
	play_start music
	wait_for "music plays on the virtual sink" 5 plays_on music $SINK
	pw-cli set-param music Props '{ channelVolumes = [ 0.25 0.25 ] mute = true }' >/dev/null
	record_start source-recording $SOURCE
	record_stop source-recording
	check "the source is muted" sound silent "$rig_dir/source-recording.wav"
	echo >"$rig_dir/switch"
	wait_for "music is back" 5 plays_on music speaker
	check "its volume is what it was" [ "$(volume_get music)" = "0.25 true" ]
}

# reader_costs_nothing: a tap that nobody records does not run; the stream does.
reader_costs_nothing() {
	play_start music
	wait_for "music is captured" 5 is_captured music
	check "the source rests" not node_get $SOURCE '.info.state == "running"'
	record_start source-recording $SOURCE
	check "it runs for a reader" node_get $SOURCE '.info.state == "running"'
	record_stop source-recording
	check "with sound" not sound silent "$rig_dir/source-recording.wav"
	wait_for "it rests again" 5 not node_get $SOURCE '.info.state == "running"'
	check "music still plays" node_get music '.info.state == "running"'
}

test_missing_reader_costs_nothing_in_the_daemon() {
	daemon_start "capture.match = $MATCH capture.mode = tap"
	reader_costs_nothing
}

test_missing_reader_costs_nothing_in_a_process() {
	rig_start
	process_host_start "capture.match = $MATCH capture.mode = tap"
	reader_costs_nothing
}

test_microphone_is_never_captured() {
	sink_conf microphone | sed 's|Audio/Sink|Audio/Source/Virtual|' |
		rig_write pipewire/pipewire.conf.d/20-microphone.conf
	daemon_start 'capture.match = [ { node.name = "~.*" } ]'
	record_start source-recording $SOURCE
	record_stop source-recording
	check "the source is silent" sound silent "$rig_dir/source-recording.wav"
	check "nothing leads to it" has_links microphone $SOURCE 0
	check "it says why" source_is waiting
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
	check_match '[ { application.process.binary = pw-cat } ] capture.exclude = [ { node.name = game } ]'
}

test_pulse_clients_have_their_own_process_id() {
	rig_need paplay
	rig_start
	pulse_start
	sound ramp "$rig_dir/long.wav" 60 48000 2
	process_start music paplay --property=node.name=music "$rig_dir/long.wav"
	wait_for "music plays" 5 plays_on music speaker
	play_start game
	check_match '[ { application.process.id = '"${process_pids[music]}"' } ]'
	check_match '[ { application.process.binary = pacat } ]'
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

# Two captures link it at the same time, in the daemon with what the other one knows of it.
test_no_channel_is_missing_beside_another_capture() {
	local i
	daemon_start "capture.match = $MATCH capture.mode = tap"
	SOURCE=weir.capture.other process_host_start "capture.match = $MATCH capture.sink = virtual"
	for ((i = 0; i < 12; i++)); do
		play_start music
		wait_for "the other one has it" 5 has_links music weir.capture.other.sink 2
		wait_for "both channels are tapped" 1 is_captured music
		process_stop music
	done
}

# check_mix CHANNELS TONES HZ STEP: plays a file to surround and speaker, and records what the source
# makes of it, and PipeWire.
check_mix() {
	local channels=$1 n
	n=$(tr , '\n' <<<"$channels" | wc -l)
	sound tones "$rig_dir/tones.wav" "$n" "$3" "$4"
	record_start source-recording $SOURCE
	pw-play --target surround -P '{ node.name = music }' --channel-map "[$channels]" "$rig_dir/tones.wav"
	record_stop source-recording
	record_start speaker-recording speaker
	pw-play --target speaker -P '{ node.name = game }' --channel-map "[$channels]" "$rig_dir/tones.wav"
	record_stop speaker-recording
	check "$channels" sound mix "$rig_dir/source-recording.wav" "$rig_dir/speaker-recording.wav" \
		"$2" "$3" "$4"
}

# mixes_as_pipewire CHANNELS: each channel's own tone, and all at once, one and the same.
mixes_as_pipewire() {
	sink_conf surround | sed "s/FL FR/${1//,/ }/" | rig_write pipewire/pipewire.conf.d/20-surround.conf
	daemon_start "capture.match = $MATCH capture.mode = tap"
	check_mix "$1" "$(tr , '\n' <<<"$1" | wc -l)" 500 100
	check_mix "$1" 1 500 0
}

test_stereo_is_mixed_as_by_pipewire() {
	mixes_as_pipewire FL,FR
}

test_quad_is_mixed_as_by_pipewire() {
	mixes_as_pipewire FL,FR,RL,RR
}

test_5_1_is_mixed_as_by_pipewire() {
	mixes_as_pipewire FL,FR,FC,LFE,RL,RR
}

test_7_1_is_mixed_as_by_pipewire() {
	mixes_as_pipewire FL,FR,FC,LFE,RL,RR,SL,SR
}

test_rear_centre_is_mixed_as_by_pipewire() {
	mixes_as_pipewire FL,FR,FC,LFE,RC,SL,SR,FLC,FRC
}

test_heights_are_mixed_as_by_pipewire() {
	mixes_as_pipewire FL,FR,TC,TFL,TFC,TFR,TRL,TRC,TRR,TSL,TSR,FLH,FCH,FRH
}

test_wides_are_mixed_as_by_pipewire() {
	mixes_as_pipewire FL,FR,FLW,FRW,RLC,RRC,LFE2,RLFE,BC,BLC,BRC,TFLC,TFRC
}

state_reads() {
	[ "$(node_prop $SOURCE weir.capture.state)" = "$1" ]
}

# Nothing that is played there is heard.
test_virtual_sink_becomes_the_default_one_for_nobody_who_did_not_ask() {
	daemon_start "capture.match = $MATCH capture.sink = virtual"
	wait_for "the virtual sink" 5 node_get $SINK '.info["n-input-ports"] == 2'
	sink_start later FL,FR "priority.session = 1"
	pw-cli destroy "$(node_id speaker)"
	wait_for "the other sink as default" 5 default_is later
	play_start music
	wait_for "it is captured" 5 state_reads captured
	default_set $SINK
	wait_for "the state says so" 5 state_reads "silent-output: choose another output device"
	check "and the log" process_said pipewire 'weir.capture.test: silent-output'
	default_set later
	wait_for "all is well again" 5 state_reads captured
}

# default_set NAME: as when somebody chose it, but kept by nobody.
default_set() {
	pw-metadata 0 default.audio.sink "{ \"name\": \"$1\" }" Spa:String:JSON >/dev/null
}

default_is() {
	[ "$(metadata_get default.audio.sink | jq -r .name)" = "$1" ]
}

# recorder_start NAME [PROPERTIES]: of the source, whether it is there or not.
recorder_start() {
	process_start "$1" pw-record --target $SOURCE -P "{ node.name = $1 ${2:-} }" "$rig_dir/$1.wav"
	wait_for "$1" 5 node_id "$1"
}

# hears_another NAME: the microphone, or what plays.
hears_another() {
	not has_links microphone "$1" 0 || not has_links speaker "$1" 0
}

test_recorder_that_waits_never_hears_the_microphone() {
	sink_conf microphone | sed 's|Audio/Sink|Audio/Source/Virtual|' |
		rig_write pipewire/pipewire.conf.d/20-microphone.conf
	rig_start
	recorder_start patient "node.dont-fallback = true node.linger = true"
	recorder_start careless
	wait_for "one without these properties hears another source" 5 hears_another careless
	check "the other one waits" not hears_another patient
	process_host_start "capture.match = $MATCH capture.mode = tap"
	wait_for "it records" 5 has_links $SOURCE patient 2
	process_stop weir
	wait_for "the source to go" 5 has_links $SOURCE patient 0
	recorder_start late
	wait_for "one without hears another source again" 5 hears_another late
	check "it waits again" not hears_another patient
	check "it runs" process_is_running patient
	process_stop patient
	process_stop careless
	process_stop late
}

# dropin_start MODE NAME: conf/'s file with the one change that a user has to make.
dropin_start() {
	sed 's/= spotify/= pw-cat/' "${WEIR_CONF_DIR:-$(dirname "$0")/../conf}/pipewire.conf.avail/50-weir-capture-$1.conf" |
		rig_write "pipewire/pipewire.conf.d/50-weir-capture-$1.conf"
	switch_conf
	rig_start
	play_start music
	wait_for "music is captured" 5 has_links music "weir.capture.$2" 2
}

test_redirect_drop_in_works_with_one_change() {
	dropin_start redirect redirected
	wait_for "music plays on the virtual sink" 5 plays_on music weir.capture.redirected.sink
	check "nothing on the speaker" has_links music speaker 0
}

test_tap_drop_in_works_with_one_change() {
	dropin_start tap app
	check "music is on the speaker" plays_on music speaker
}

tests_in_both
tests_run "$@"
