#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2317,SC2119,SC2086
# capture.rate in a graph: a tone of 440 Hz, heard at the speaker as a tone of another pitch, without
# gap or click whatever happens to the rate. WEIR_TONE is tests/tone.c, built, and WEIR_VARIABLE_RATE
# tests/variable-rate.c where libpulse is installed.

. "$(dirname "$0")/capture-rig.sh"

TAP="capture.match = $MATCH capture.mode = tap"

# In a fade of 20 ms each sample has another volume.
FADE_BEND=1.5
# Without a glide the slope changes from that of 550 Hz to that of 220 Hz, at worst in a zero.
KINK_BEND=9

# tone_play SECONDS: as music.
tone_play() {
	sox -n -r 48000 -c 2 -b 32 -e floating-point "$rig_dir/tone.wav" synth "$1" sine 440 gain -6
	process_start music pw-play -P '{ node.name = music }' "$rig_dir/tone.wav"
	wait_for "music plays" 5 plays_on music speaker
}

# tone_start SECONDS: plays it as music, which is captured, and records the speaker.
tone_start() {
	tone_play "$1"
	wait_for "music is captured" 5 is_captured music
	record_start speaker-recording speaker
}

# tone_end HZ MAX_HZ [MAX_BEND]: what the speaker plays now, and what it may have played until now.
tone_end() {
	sleep 0.6 # of the tone as it is now
	record_stop speaker-recording
	process_stop music
	check "one tone" "${WEIR_TONE:?the built tests/tone.c}" "$rig_dir/speaker-recording.wav" "$@"
}

# rate_set RATE: live, at the source.
rate_set() {
	pw-cli set-param "$(node_id $SOURCE)" Props "{ params = [ \"capture:rate\" $1 ] }"
}

# control_is CONTROL VALUE: of the source.
control_is() {
	[ "$(node_control $SOURCE "$1")" = "$2" ]
}

test_daemon_plays_at_another_rate() {
	daemon_start "$TAP capture.rate = 1.25"
	record_start speaker-recording speaker
	tone_play 8
	tone_end 550 550
}

test_process_plays_at_another_rate() {
	rig_start
	process_host_start "$TAP capture.rate = 0.8"
	record_start speaker-recording speaker
	tone_play 8
	tone_end 352 440
}

test_rate_is_changed_while_playing() {
	daemon_start "$TAP capture.rate = 1.0"
	tone_start 15
	sleep 0.5
	rate_set 1.25 >/dev/null
	sleep 0.5
	rate_set 1.0 >/dev/null
	sleep 0.5
	rate_set 0.5 >/dev/null
	sleep 0.5
	rate_set 1.25 >/dev/null
	tone_end 550 550 $KINK_BEND
}

test_stream_that_was_not_made_ready_is_faded() {
	daemon_start "$TAP"
	tone_start 10
	sleep 0.5
	rate_set 1.25 >/dev/null
	sleep 0.5
	tone_end 550 550 $FADE_BEND
}

test_running_stream_is_faded() {
	rig_start
	tone_play 10
	record_start speaker-recording speaker
	process_host_start "$TAP capture.rate = 1.25"
	wait_for "music is captured" 5 is_captured music
	sleep 0.5
	tone_end 550 550 $FADE_BEND
}

# stored_volumes: in the session manager's state file, as it is on disk.
stored_volumes() {
	grep -oE '"volume":[0-9.]+' "$XDG_STATE_HOME/wireplumber/stream-properties" | sort -u
}

# fades_leave_no_trace: a stream that ends SECONDS into its fade.
fades_leave_no_trace() {
	local seconds
	for seconds in 0 0.03 0.06 0.1 0.15 0.2 0.3; do
		tone_play 10
		wait_for "music is captured" 5 is_captured music
		rate_set 1.25 >/dev/null
		sleep $seconds
		process_stop music KILL
		wait_for "music is gone" 5 not node_id music
		rate_set 1.0 >/dev/null
		sleep 1.2 # The session manager writes its state a second after a change.
		check "ended after $seconds s" [ "$(stored_volumes)" = '"volume":1.000000' ]
	done
	tone_play 10
	check "its next stream has its volume" node_get music '.info.params.Props[0].volume == 1'
	check "and may store it" not node_get music '.info.props["state.restore-props"] == "false"'
}

test_daemon_leaves_no_trace_of_a_fade() {
	daemon_start "$TAP"
	fades_leave_no_trace
}

test_process_leaves_no_trace_of_a_fade() {
	rig_start
	process_host_start "$TAP"
	fades_leave_no_trace
}

test_killed_process_leaves_no_trace_of_a_fade() {
	rig_start
	process_host_start "$TAP"
	tone_play 10
	wait_for "music is captured" 5 is_captured music
	rate_set 1.25 >/dev/null
	process_stop weir KILL
	wait_for "the volume is what it was" 2 node_get music '.info.params.Props[0].volume == 1'
	sleep 1.2
	check "and was stored so" [ "$(stored_volumes)" = '"volume":1.000000' ]
}

test_volume_is_stored_again_after_a_fade() {
	daemon_start "$TAP"
	tone_start 10
	rate_set 1.25 >/dev/null
	sleep 1
	check "the volume is what it was" node_get music '.info.params.Props[0].volume == 1'
	check "and may be stored" not node_get music '.info.props["state.restore-props"] == "false"'
	record_stop speaker-recording
}

test_rate_glides() {
	daemon_start "$TAP capture.rate = 1.0 capture.glide-ms = 2000"
	tone_start 10
	rate_set 1.25 >/dev/null
	sleep 1
	check "the rate is asked for" control_is capture:rate 1.25
	sleep 1
	tone_end 550 550
}

test_glide_takes_its_time() {
	daemon_start "$TAP capture.rate = 1.0 capture.glide-ms = 4000"
	tone_start 10
	rate_set 2.0 >/dev/null
	sleep 1.4
	record_stop speaker-recording
	check "it is not there yet" not "$WEIR_TONE" "$rig_dir/speaker-recording.wav" 880 880
}

test_daemon_unloads_without_a_click() {
	switch_conf
	daemon_start "$TAP capture.rate = 1.25"
	tone_start 10
	sleep 0.5
	echo >"$rig_dir/switch"
	wait_for "the source is gone" 5 not node_id $SOURCE
	tone_end 440 550 $KINK_BEND
}

test_process_ends_without_a_click() {
	rig_start
	process_host_start "$TAP capture.rate = 1.25"
	tone_start 10
	sleep 0.5
	process_stop weir
	tone_end 440 550 $KINK_BEND
}

test_killed_process_gives_the_rate_back() {
	rig_start
	process_host_start "$TAP capture.rate = 1.25"
	tone_start 10
	sleep 0.5
	process_stop weir KILL
	sleep 0.3
	tone_end 440 550 $KINK_BEND
}

test_paused_stream_comes_back_at_its_rate() {
	daemon_start "$TAP capture.rate = 1.25"
	tone_start 12
	record_stop speaker-recording
	pw-link -d music:output_FL speaker:playback_FL
	pw-link -d music:output_FR speaker:playback_FR
	wait_for "music is silent" 5 node_get music '.info.state != "running"'
	record_start speaker-recording speaker
	pw-link music:output_FL speaker:playback_FL
	pw-link music:output_FR speaker:playback_FR
	tone_end 550 550
}

test_drop_in_works_with_one_change() {
	sed 's/= spotify/= pw-cat/' "${WEIR_CONF_DIR:?}/pipewire.conf.avail/50-weir-nightcore.conf" |
		rig_write pipewire/pipewire.conf.d/50-weir-nightcore.conf
	switch_conf
	rig_start
	tone_play 10
	record_start speaker-recording speaker
	tone_end 476.652 477
}

test_impossible_rates_are_refused() {
	daemon_start "$TAP capture.rate = 1.25"
	check "0" rate_set 0
	wait_for "the log says so" 5 process_said pipewire '"capture:rate" = 0: .* from 0.25 to 4'
	check "a word" rate_set '"fast"'
	wait_for "the log says so" 5 process_said pipewire '"capture:rate" = fast: .* from 0.25 to 4'
	check "the rate is as it was" control_is capture:rate 1.25
}

# What another node plays, recorded and played again: 48000 frames per second, and not one more.
test_live_source_goes_back_to_1() {
	sink_conf radio | rig_write pipewire/pipewire.conf.d/20-radio.conf
	daemon_start 'capture.match = [ { node.name = music } ] capture.mode = tap capture.rate = 1.2'
	pulse_start
	sox -n -r 48000 -c 2 -b 32 -e floating-point "$rig_dir/tone.wav" synth 30 sine 440 gain -6
	process_start station pw-play --target radio "$rig_dir/tone.wav"
	# shellcheck disable=SC2016
	process_start music bash -c 'pw-record --target radio --rate 48000 --channels 2 --format f32 --raw \
		-P "{ stream.capture.sink = true }" - | paplay --raw --format=float32le --rate=48000 \
		--channels=2 --latency-msec=50 --property=node.name=music'
	wait_for "music is captured" 5 is_captured music
	wait_for "the log says what to use instead" 10 process_said pipewire '"paplay" is live.*weir.pitch'
	check "the rate is 1" control_is capture:rate 1
}

# What such a player misses now and then is as much as what a live source misses always.
test_player_that_stutters_is_not_live() {
	daemon_start "$TAP capture.rate = 1.25"
	tone_play 30
	wait_for "music is captured" 5 is_captured music
	for _ in {1..8}; do
		kill -s STOP "${process_pids[music]}"
		sleep 0.15
		kill -s CONT "${process_pids[music]}"
		sleep 0.2
	done
	sleep 3 # until nothing of that is in what capture:missing counts
	check "the rate is as it was" control_is capture:rate 1.25
	check "nothing is said" not process_said pipewire 'is live'
}

# variable_start: a PulseAudio client with a rate of its own plays the tone as music, which is captured.
variable_start() {
	[ -n "${WEIR_VARIABLE_RATE:-}" ] || rig_skip "tests/variable-rate.c is not built"
	pulse_start
	mkfifo "$rig_dir/own-rates"
	process_start music sh -c "exec '$WEIR_VARIABLE_RATE' music <'$rig_dir/own-rates'"
	exec {own_rates}>"$rig_dir/own-rates"
	wait_for "music plays" 5 plays_on music speaker
	wait_for "music is captured" 5 is_captured music
	sleep 0.5
}

# own_rate_set HZ: by the client.
own_rate_set() {
	echo "$1" >&"$own_rates"
	sleep 0.7 # The client's change is looked for twice a second.
}

# variable_hear HZ: what the speaker plays now.
variable_hear() {
	record_start speaker-recording speaker
	sleep 0.7
	record_stop speaker-recording
	"${WEIR_TONE:?}" "$rig_dir/speaker-recording.wav" "$1" "$1"
}

# keeps_own_rate: music's own rate of 1.05 and the capture's are multiplied, whoever changes which.
keeps_own_rate() {
	own_rate_set 50400
	check "the client's rate" variable_hear 462
	rate_set 1.25 >/dev/null
	sleep 0.5
	check "with the capture's" variable_hear 577.5
	own_rate_set 43200
	check "the client's next rate, with the capture's" variable_hear 495
	own_rate_set 48000
	check "the capture's alone" variable_hear 550
	own_rate_set 50400
	rate_set 1.1 >/dev/null
	sleep 0.5
	check "with the capture's next rate" variable_hear 508.2
	rate_set 1.0 >/dev/null
	sleep 0.5
	check "the client's rate again" variable_hear 462
	rate_set 1.25 >/dev/null
	sleep 0.5
}

VARIABLE='capture.match = [ { node.name = music } ] capture.mode = tap'

test_daemon_multiplies_with_own_rate() {
	daemon_start "$VARIABLE"
	variable_start
	keeps_own_rate
	echo >"$rig_dir/switch"
	wait_for "the source is gone" 5 not node_id $SOURCE
	check "its own rate stays" variable_hear 462
	process_stop music
}

test_process_multiplies_with_own_rate() {
	rig_start
	process_host_start "$VARIABLE capture.rate = 1.0"
	variable_start
	keeps_own_rate
	process_stop weir
	check "its own rate stays" variable_hear 462
	process_stop music
}

test_killed_process_leaves_own_rate() {
	rig_start
	process_host_start "$VARIABLE capture.rate = 1.25"
	variable_start
	own_rate_set 50400
	check "multiplied" variable_hear 577.5
	process_stop weir KILL
	sleep 0.3
	check "its own rate stays" variable_hear 462
	process_stop music
}

tests_run "$@"
