#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# The SPA node in a real graph: as a drop-in of the daemon, through pw-cli, in weir's own process.

. "$(dirname "$0")/rig.sh"

conf=${WEIR_CONF_DIR:?the folder conf}
rig_need pw-cli pw-link pw-play pw-metadata sox soxi

# pitch_start SEMITONES: the drop-in with another value.
pitch_start() {
	sed "s/\"pitch:semitones\" = 3.0/\"pitch:semitones\" = $1/" \
		"$conf/pipewire.conf.avail/50-weir-pitch.conf" |
		rig_write pipewire/pipewire.conf.d/50-weir-pitch.conf
	rig_start
	wait_for "weir.pitch" 5 node_id weir.pitch
}

# node_link NODE: the player into NODE, and NODE into the speaker.
node_link() {
	pw-link player:output_FL "$1:in-l"
	pw-link player:output_FR "$1:in-r"
	pw-link "$1:out-l" speaker:playback_FL
	pw-link "$1:out-r" speaker:playback_FR
}

# player_start FILE
player_start() {
	process_start player pw-play -v -P '{ node.name = player node.autoconnect = false }' "$1"
	wait_for "the player's ports" 10 has_ports player 2
}

has_ports() {
	[ "$(pw-link -o | grep -c "^$1:")" = "$2" ]
}

has_input() {
	pw-link -i | grep -qxF "$1"
}

tone() { # FILE SECONDS HZ
	sox -n -r 48000 -c 2 -b 32 -e float "$1" synth "$2" sine "$3" gain -6
}

# frequency FILE START SECONDS: of a sine, in Hz.
frequency() {
	sox "$1" -n remix 1 trim "$2" "$3" stat 2>&1 | sed -n 's/^Rough *frequency: *//p'
}

# is_near A B PERCENT
is_near() {
	jq -en --argjson a "${1:-0}" --argjson b "$2" --argjson p "$3" \
		'($a - $b | if . < 0 then -. else . end) <= $b * $p / 100'
}

plays_at() { # FILE HZ: the last half second
	is_near "$(frequency "$1" -0.6 0.5)" "$2" 2
}

rms() { # FILE EFFECT...: of the last half second
	sox "$1" -n remix 1 trim -0.6 0.5 "${@:2}" stat 2>&1 | sed -n 's/^RMS *amplitude: *//p'
}

# At a quantum of 64 a busy machine may leave gaps: what is heard is that tone, to nine tenths.
is_heard_at() { # HZ
	record_seconds heard speaker 1.5
	jq -en --argjson all "$(rms "$rig_dir/heard.wav")" \
		--argjson tone "$(rms "$rig_dir/heard.wav" bandpass "$1" "$(($1 / 10))h")" \
		'$all > 0.01 and $tone > 0.9 * $all'
}

prop_is() { # NODE KEY VALUE
	[ "$(node_control "$1" "$2")" = "$3" ]
}

# record_seconds NAME NODE SECONDS
record_seconds() {
	record_start "$1" "$2"
	sleep "$3"
	record_stop "$1"
}

test_the_conf_header_holds() {
	local text
	pitch_start 3.0
	check "pw-cli shows ranges" grep -q 'Float -24' <(pw-cli enum-params weir.pitch PropInfo)
	check "pw-cli shows help and unit" grep -q '\[semitones\]' \
		<(pw-cli enum-params weir.pitch PropInfo)
	check "pw-cli shows values" grep -q 'Float 3.0' <(pw-cli enum-params weir.pitch Props)
	check "pw-cli lists the node" grep -q 'node.name = "weir.pitch"' <(pw-cli ls Node)
	check "the description is human" [ "$(node_prop weir.pitch node.description)" = "Pitch (weir)" ]
	pw-cli set-param weir.pitch Props '{ params = [ "pitch:semitones" 5 ] }' >/dev/null
	wait_for "an Int is taken" 2 prop_is weir.pitch pitch:semitones 5
	pw-cli set-param weir.pitch Props '{ params = [ "pitch:semitones" 2.5 "pitch:formant" true ] }' \
		>/dev/null
	wait_for "two at once are taken" 2 prop_is weir.pitch pitch:semitones 2.5
	check "the toggle too" prop_is weir.pitch pitch:formant true
	pw-cli set-param weir.pitch Props '{ params = [ "pitch:semitones" 99 ] }' >/dev/null || true
	wait_for "a wrong value is explained" 2 process_said pipewire \
		'"pitch:semitones" = 99: it must be a number from -24 to 24 semitones'
	for text in nan inf 3,5 3x ""; do
		pw-cli set-param weir.pitch Props "{ params = [ \"pitch:semitones\" \"$text\" ] }" >/dev/null || true
		wait_for "\"$text\" is, too" 2 process_said pipewire \
			"\"pitch:semitones\" = $text: it must be a number from -24 to 24 semitones"
	done
	pw-cli set-param weir.pitch Props '{ params = [ "pitch:semitone" 1 ] }' >/dev/null || true
	wait_for "a wrong name is explained" 2 process_said pipewire \
		'there is no control "pitch:semitone". weir.pitch has: "pitch:semitones"'
	check "and nothing changed" prop_is weir.pitch pitch:semitones 2.5
	check "the report port is there" has_ports weir.pitch 3
	check "and what it reports" [ "$(node_prop weir.pitch weir.report)" = "semitones onset" ]
}

create_node() { # NAME SEMITONES [PROPS]
	timeout 5 pw-cli create-node spa-node-factory "{ factory.name = weir.pitch node.name = $1
		object.linger = true \"pitch:semitones\" = $2 ${3:-} }" >/dev/null
	wait_for "$1" 5 node_id "$1"
}

# The session manager links both channels at once: by hand, the first would run ahead.
test_sound_passes_bit_exactly() {
	sound ramp "$rig_dir/ramp.wav" 2 48000 2
	rig_write pipewire/pipewire.conf.d/50-weir.conf <<<'context.spa-libs = { weir.* = weir/libspa-weir }'
	rig_start
	create_node sink 0.0 'media.class = Audio/Sink'
	pw-link sink:out-l speaker:playback_FL
	pw-link sink:out-r speaker:playback_FR
	record_start after speaker
	process_start player pw-play --target sink -P '{ node.name = player }' "$rig_dir/ramp.wav"
	wait_for "the player to end" 10 not process_is_running player
	sleep 0.3
	record_stop after
	check "every frame arrives as it was" sound compare "$rig_dir/ramp.wav" "$rig_dir/after.wav"
}

test_controls_change_live() {
	tone "$rig_dir/tone.wav" 30 440
	pitch_start 0.0
	player_start "$rig_dir/tone.wav"
	node_link weir.pitch
	record_seconds plain speaker 1.5
	check "440 Hz at 0 semitones" plays_at "$rig_dir/plain.wav" 440
	record_start changing speaker
	pw-cli set-param weir.pitch Props '{ params = [ "pitch:semitones" 12.0 ] }' >/dev/null
	sleep 1.5
	record_stop changing
	check "880 Hz at 12 semitones" plays_at "$rig_dir/changing.wav" 880
}

latency_frames() {
	node_get weir.pitch '.info.params.ProcessLatency[0].rate'
}

# The window has a size that suits an FFT, so its duration differs by a few percent from rate to rate.
latency_is_near() { # FRAMES
	is_near "$(latency_frames)" "$1" 5
}

test_rate_and_quantum_change_while_running() {
	local at_48000
	tone "$rig_dir/tone.wav" 60 440
	pitch_start 12.0
	at_48000=$(latency_frames)
	player_start "$rig_dir/tone.wav"
	node_link weir.pitch
	for rate in 44100 96000 48000; do
		pw-metadata -n settings 0 clock.force-rate $rate >/dev/null
		wait_for "latency in frames of $rate Hz" 5 latency_is_near \
			$((at_48000 * rate / 48000))
		record_seconds "rate-$rate" speaker 1.5
		check "880 Hz at a rate of $rate" plays_at "$rig_dir/rate-$rate.wav" 880
	done
	for quantum in 64 8192 256 1024; do
		pw-metadata -n settings 0 clock.force-quantum $quantum >/dev/null
		sleep 0.3
		check "880 Hz at a quantum of $quantum" in_three_tries is_heard_at 880
	done
}

rate_force() { # HZ
	pw-metadata -n settings 0 clock.force-rate "$1" >/dev/null
}

state_is() {
	[ "$(node_prop weir.pitch weir.state)" = "$1" ]
}

test_no_rate_silences_the_sound() {
	tone "$rig_dir/tone.wav" 60 440
	pitch_start 12.0
	player_start "$rig_dir/tone.wav"
	node_link weir.pitch
	for _ in 1 2; do
		rate_force 768000
		wait_for "no unit runs at 768 kHz" 5 state_is \
			"cannot run at 768000 Hz: sound passes through"
		wait_for "the latency goes" 2 latency_is_near 0
		check "the sound stays" in_three_tries is_heard_at 440
		rate_force 48000
		wait_for "it runs again" 5 state_is ready
		check "and works again" in_three_tries is_heard_at 880
	done
	check "the log says so each time" [ "$(grep -c "cannot run at" "$rig_dir/pipewire.log")" = 2 ]
}

test_no_rate_silences_a_filter_chain() {
	tone "$rig_dir/tone.wav" 60 440
	mkdir -p "$XDG_CONFIG_HOME/pipewire/filter-chain.conf.d"
	sed 's/"semitones" = 3.0/"semitones" = 12.0/' \
		"$conf/filter-chain.conf.avail/50-weir-pitch-sink.conf" \
		>"$XDG_CONFIG_HOME/pipewire/filter-chain.conf.d/pitch.conf"
	rig_start
	rate_force 768000
	process_start filter-chain pipewire -c filter-chain.conf
	wait_for "the pitch sink" 5 node_id weir.pitch.sink
	process_start player pw-play --target weir.pitch.sink -P '{ node.name = player }' "$rig_dir/tone.wav"
	wait_for "the player" 5 has_links player weir.pitch.sink 2
	check "the sound passes" in_three_tries is_heard_at 440
	check "the log says why" process_said filter-chain 'pitch cannot run at 768000 Hz'
	rate_force 48000
	check "and is shifted at another rate" in_three_tries is_heard_at 880
	rate_force 768000
	check "and passes again" in_three_tries is_heard_at 440
}

# latency_get NODE PORT DIRECTION: [ minRate, maxRate ] of its latency in this direction.
latency_get() {
	graph -c --argjson id "$(node_id "$1")" --arg port "$2" --arg direction "$3" '[.[]
		| select(.type == "PipeWire:Interface:Port" and .info.props["node.id"] == $id
			and .info.props["port.name"] == $port)
		| .info.params.Latency[] | select(.direction == $direction)] | .[0] | [.minRate, .maxRate]'
}

latency_is() { # NODE PORT DIRECTION FRAMES
	[ "$(latency_get "$1" "$2" "$3")" = "[$4,$4]" ]
}

# delay_get NAME: frames that a player plays ahead. pw-play -v tells once a second what
# pw_stream_get_time_n says.
delay_get() {
	tail -n 2 "$rig_dir/$1.log" | sed -n '$s/.*delay:\([0-9]*\) .*/\1/p'
}

delay_is() { # NAME FRAMES
	[ "$(delay_get "$1")" = "$2" ]
}

test_two_nodes_made_by_pw_cli_stand_in_a_row() {
	local alone own speaker
	tone "$rig_dir/tone.wav" 30 440
	rig_write pipewire/pipewire.conf.d/50-weir.conf <<<'context.spa-libs = { weir.* = weir/libspa-weir }'
	rig_start
	create_node up 12.0
	create_node down -12.0
	player_start "$rig_dir/tone.wav"
	node_link up
	record_seconds up-only speaker 1.5
	check "the first alone raises by an octave" plays_at "$rig_dir/up-only.wav" 880
	alone=$(delay_get player)
	pw-link -d up:out-l speaker:playback_FL
	pw-link -d up:out-r speaker:playback_FR
	pw-link up:out-l down:in-l
	pw-link up:out-r down:in-r
	pw-link down:out-l speaker:playback_FL
	pw-link down:out-r speaker:playback_FR
	record_seconds both speaker 1.5
	check "both give the tone back" plays_at "$rig_dir/both.wav" 440
	own=$(node_get down '.info.params.ProcessLatency[0].rate')
	speaker=$(latency_get speaker playback_FL Input | jq '.[0]')
	check "the latencies add up" latency_is up in-l Input $((2 * own + speaker))
	check "for the player's other channel too" latency_is up in-r Input $((2 * own + speaker))
	check "and from the player on" latency_is down out-l Output $((2 * own))
	# From PipeWire 1.6 on, quanta of the speaker are in it as well.
	wait_for "the player plays ahead by that of the second, too" 5 delay_is player $((alone + own))
	process_start reader "$WEIR_EXAMPLES/read-reports"
	wait_for "the reader's port" 5 has_input read-reports:input
	pw-link up:report read-reports:input
	pw-link -d down:out-r speaker:playback_FR
	sleep 0.3
	check "neither a reader nor a missing link changes that" \
		latency_is up in-l Input $((2 * own + speaker))
	pw-link -d up:out-l down:in-l
	pw-link -d up:out-r down:in-r
	wait_for "without links its own is left" 2 latency_is up in-l Input "$own"
}

test_reports_come_through_the_graph() {
	tone "$rig_dir/tone.wav" 30 440
	pitch_start 5.0
	player_start "$rig_dir/tone.wav"
	node_link weir.pitch
	process_start reader "$WEIR_EXAMPLES/read-reports"
	wait_for "the reader's port" 5 has_input read-reports:input
	pw-link weir.pitch:report read-reports:input
	wait_for "reports of the ratio" 5 process_said reader '^[0-9]+ /pitch/semitones 5$'
	sleep 1
	process_stop reader
	check "one every 10 ms, by the graph's time" awk '
		$2 == "/pitch/semitones" { if (n++ && $1 - last != 480) bad++; last = $1 }
		END { exit !(n > 50 && bad <= 1) }' "$rig_dir/reader.log"
}

# reports NODE: the first line that weir watch reads.
reports() {
	timeout 5 weir watch "$1" --only semitones | head -n 1 | grep '"semitones":12'
}

test_a_media_class_lets_the_session_manager_link() {
	tone "$rig_dir/tone.wav" 30 440
	rig_write pipewire/pipewire.conf.d/50-weir.conf <<-'END'
	context.spa-libs = { weir.* = weir/libspa-weir }
	context.objects = [ { factory = adapter args = {
		factory.name = support.null-audio-sink node.name = mono media.class = Audio/Sink
		audio.position = [ MONO ]
	} } ]
	END
	rig_start
	create_node sink 12.0 'media.class = Audio/Sink node.description = Sink'
	process_start app pw-play --target sink -P '{ node.name = app }' "$rig_dir/tone.wav"
	wait_for "links from the app" 10 has_links app sink 2
	pw-link sink:out-l speaker:playback_FL
	pw-link sink:out-r speaker:playback_FR
	record_seconds sunk speaker 1.5
	check "the app plays through it" plays_at "$rig_dir/sunk.wav" 880
	check "a sink reports" reports sink
	process_stop app
	create_node stream 12.0 'media.class = Stream/Output/Audio node.description = Stream
		node.autoconnect = true'
	wait_for "links to the speaker" 10 has_links stream speaker 2
	create_node mono-stream 12.0 'media.class = Stream/Output/Audio node.autoconnect = true
		target.object = mono'
	wait_for "a link to a mono sink" 10 has_links mono-stream mono 1
	check "a stream reports" reports mono-stream
	create_node source 12.0 'media.class = Audio/Source/Virtual node.description = Source'
	record_start sourced source
	player_start "$rig_dir/tone.wav"
	pw-link player:output_FL source:in-l
	pw-link player:output_FR source:in-r
	sleep 1.5
	record_stop sourced
	check "a recorder takes the source" plays_at "$rig_dir/sourced.wav" 880
	record_start again source
	check "a source reports" reports source
}

weir_start() {
	cp "$conf/weir.conf" "$XDG_CONFIG_HOME/pipewire/"
	mkdir -p "$XDG_CONFIG_HOME/pipewire/weir.conf.d"
	cp "$conf/weir.conf.avail/50-weir-pitch.conf" "$XDG_CONFIG_HOME/pipewire/weir.conf.d/"
	process_start weir pipewire -c weir.conf
	wait_for "weir.pitch from another process" 5 node_id weir.pitch
}

# A client that does not know the limit loses sound at such a quantum (1.4.2), or crashes (1.6.9).
test_large_quanta_are_whole() {
	local process
	tone "$rig_dir/tone.wav" 60 440
	for process in pipewire weir client; do
		rig_write pipewire/$process.conf.d/20-quantum.conf \
			<<<'context.properties = { default.clock.quantum-limit = 16384 }'
	done
	rig_start
	weir_start
	player_start "$rig_dir/tone.wav"
	node_link weir.pitch
	pw-cli set-param weir.pitch Props '{ params = [ "pitch:semitones" 12.0 ] }' >/dev/null
	pw-metadata -n settings 0 clock.force-quantum 16384 >/dev/null
	sleep 1
	check "880 Hz at a quantum of 16384" in_three_tries is_heard_at 880
}

test_a_crash_of_weir_leaves_all_other_sound() {
	tone "$rig_dir/tone.wav" 60 440
	tone "$rig_dir/other.wav" 60 1000
	rig_start
	weir_start
	player_start "$rig_dir/tone.wav"
	node_link weir.pitch
	pw-cli set-param weir.pitch Props '{ params = [ "pitch:semitones" 12.0 ] }' >/dev/null
	record_seconds before speaker 1.5
	check "weir plays from its own process" plays_at "$rig_dir/before.wav" 880
	process_start other pw-play -P '{ node.name = other }' "$rig_dir/other.wav"
	wait_for "another player" 10 has_links other speaker 2
	process_stop weir KILL
	wait_for "the node to go" 5 not node_id weir.pitch
	record_seconds after speaker 1.5
	check "the daemon runs" process_is_running pipewire
	check "the other player is heard" plays_at "$rig_dir/after.wav" 1000
	process_start weir pipewire -c weir.conf
	wait_for "weir.pitch again" 5 node_id weir.pitch
}

test_a_suspended_node_comes_back() {
	tone "$rig_dir/tone.wav" 60 440
	pitch_start 12.0
	player_start "$rig_dir/tone.wav"
	node_link weir.pitch
	record_seconds first speaker 1.5
	for command in Suspend Pause; do
		timeout 5 pw-cli send-command weir.pitch $command '{}' >/dev/null || true
		timeout 5 pw-cli send-command weir.pitch Start '{}' >/dev/null || true
		record_seconds "$command" speaker 1.5
		check "880 Hz after $command and Start" plays_at "$rig_dir/$command.wav" 880
	done
}

tests_run "$@"
