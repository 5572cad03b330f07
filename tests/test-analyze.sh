#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# The drop-ins that analyse: what plays on the default output, a microphone, one application; and the
# microphone that is silent unless somebody speaks.

. "$(dirname "$0")/rig.sh"

conf=${WEIR_CONF_DIR:?the folder conf}
rig_need pw-cli pw-link pw-play pw-dump sox jq

# weir_start FILE: a drop-in in weir's own process, with the names that are here.
weir_start() {
	mkdir -p "$XDG_CONFIG_HOME/pipewire"
	cp "$conf/weir.conf" "$XDG_CONFIG_HOME/pipewire/"
	sed -e 's/alsa_input.YOURS:capture_MONO/mic:capture_MONO/; s/= spotify/= pw-cat/' \
		"$conf/weir.conf.avail/$1" | rig_write "pipewire/weir.conf.d/$1"
	process_start weir pipewire -c weir.conf
}

tone_start() { # NAME HZ DB
	sox -n -r 48000 -c 2 -b 32 -e float "$rig_dir/$1.wav" synth 60 sine "$2" gain "$3"
	process_start "$1" pw-play -P "{ node.name = $1 }" "$rig_dir/$1.wav"
}

# meter_is NODE METER LOW HIGH
meter_is() {
	node_control "$1" "$2" | jq -e --argjson low "$3" --argjson high "$4" '. >= $low and . <= $high'
}

# mic_plug: a microphone that hears what is linked to its input.
mic_plug() {
	node_start mic Audio/Source/Virtual MONO
}

# The tone has 21 periods in 1024 frames: a gap of a player that is late begins and ends where the
# tone is zero. A tone of 1 kHz is cut elsewhere, which is a true peak of up to -19.4 dB and is held,
# while a gap of a quantum changes the loudness of 3 s by 0.06 dB.
test_the_output_is_analysed() {
	rig_start "$conf/pipewire.conf.avail/50-weir-analyze-output.conf"
	wait_for "it hears the output" 5 has_links speaker weir.analyze.output 2
	wait_for "the output sleeps" 15 node_get speaker '.info.state != "running"'
	tone_start tone 984.375 -20
	wait_for "a level" 10 meter_is weir.analyze.output analyze:laf -20.1 -19.9
	wait_for "a loudness" 10 meter_is weir.analyze.output analyze:s -20.1 -19.9
	check "a true peak" meter_is weir.analyze.output analyze:tp_max -20.1 -19.9
	wait_for "a frequency" 5 meter_is weir.analyze.output analyze:f0 980 989
	process_stop tone
	wait_for "the output sleeps again" 15 node_get speaker '.info.state != "running"'
}

test_the_new_default_output_is_analysed() {
	rig_start "$conf/pipewire.conf.avail/50-weir-analyze-output.conf"
	wait_for "it hears the output" 5 has_links speaker weir.analyze.output 2
	sink_start other FL,FR 'priority.session = 2000'
	wait_for "it hears the new one" 10 has_links other weir.analyze.output 2
	check "and only that" has_links speaker weir.analyze.output 0
}

# one_sink_links: the sink that the tone plays on, and no other one of its name, is analysed.
one_sink_links() {
	graph --argjson tone "$(node_id tone)" --argjson analysis "$(node_id weir.analyze.output)" '
		[.[] | select(.type == "PipeWire:Interface:Link").info] as $links
		| [$links[] | select(.["output-node-id"] == $tone) | .["input-node-id"]] as $played
		| [$links[] | select(.["input-node-id"] == $analysis) | .["output-node-id"]] as $heard
		| ($heard | length == 2) and ($heard == $played)'
}

# As of two cards of one kind.
test_of_two_outputs_with_one_name_the_default_is_analysed() {
	local twin='priority.session = 2000'
	rig_start "$conf/pipewire.conf.avail/50-weir-analyze-output.conf"
	sink_start twin FL,FR "$twin"
	sink_start twin FL,FR "$twin"
	tone_start tone 1000 -20
	wait_for "one of them is analysed" 10 one_sink_links
	wait_for "its level is the tone's" 10 meter_is weir.analyze.output analyze:laf -20.1 -19.9
	pw-cli destroy "$(node_id twin)"
	wait_for "then the other one" 10 one_sink_links
	sink_start twin FL,FR "$twin"
	wait_for "and no third one" 10 one_sink_links
	wait_for "its level is the tone's" 10 meter_is weir.analyze.output analyze:laf -20.1 -19.9
}

# Two changes a second, and none while nothing changes.
test_meters_change_twice_a_second_at_most() {
	local n
	rig_start "$conf/pipewire.conf.avail/50-weir-analyze-output.conf"
	wait_for "it hears the output" 5 has_links speaker weir.analyze.output 2
	sox -n -r 48000 -c 2 -b 32 -e float "$rig_dir/noise.wav" synth 60 pinknoise gain -12
	process_start noise pw-play "$rig_dir/noise.wav"
	wait_for "a level" 10 meter_is weir.analyze.output analyze:rms_200ms -60 0
	process_start watch pw-dump -m weir.analyze.output
	sleep 4
	process_stop watch
	n=$(jq -s length "$rig_dir/watch.log")
	check "they change: $n times in 4 s" [ "$n" -ge 6 ]
	check "but not too often" [ "$n" -le 12 ]
	process_stop noise
	wait_for "the output sleeps" 15 node_get speaker '.info.state != "running"'
	process_start quiet pw-dump -m weir.analyze.output
	sleep 2
	process_stop quiet
	check "and not at all in silence" [ "$(jq -s length "$rig_dir/quiet.log")" = 1 ]
}

# As a meter with a pause key: what was counted stays, what is heard is told again.
test_measuring_goes_on_after_a_suspension() {
	rig_start "$conf/pipewire.conf.avail/50-weir-analyze-output.conf"
	wait_for "it hears the output" 5 has_links speaker weir.analyze.output 2
	tone_start loud 1000 -10
	wait_for "it is loud" 10 meter_is weir.analyze.output analyze:s -10.1 -9.9
	process_stop loud
	wait_for "the output sleeps" 15 node_get speaker '.info.state != "running"'
	pw-cli >/dev/null send-command "$(node_id weir.analyze.output)" Suspend '{}'
	wait_for "it is suspended" 5 node_get weir.analyze.output '.info.state == "suspended"'
	tone_start soft 1000 -40
	wait_for "it is soft" 10 meter_is weir.analyze.output analyze:m -40.1 -39.9
	check "the integrated loudness stays" meter_is weir.analyze.output analyze:i -13 -9.9
	check "and the true peak" meter_is weir.analyze.output analyze:tp_max -10.1 0
}

test_a_microphone_is_analysed() {
	rig_start
	mic_plug
	weir_start 50-weir-analyze-microphone.conf
	wait_for "it hears the microphone" 5 has_links mic weir.analyze.microphone 1
	sox -n -r 48000 -c 1 -b 32 -e float "$rig_dir/tone.wav" synth 60 sawtooth 220 gain -12
	process_start tone pw-play -P '{ node.name = tone node.autoconnect = false }' "$rig_dir/tone.wav"
	wait_for "it is heard" 5 pw-link tone:output_MONO mic:input_MONO
	wait_for "its frequency" 5 meter_is weir.analyze.microphone analyze-mono:f0 219 221
	pw-cli >/dev/null set-param weir.analyze.microphone Props \
		'{ params = [ "analyze-mono:calibration-db" 100.0 ] }'
	wait_for "its level in dB SPL" 5 meter_is weir.analyze.microphone analyze-mono:laf 70 100
}

# application_hear: the drop-in runs.
application_hear() {
	wait_for "the capture" 5 node_id weir.capture.analyze
	tone_start tone 440 -12
	wait_for "it is analysed" 10 meter_is weir.analyze.app analyze:f0 438 442
	record_start heard speaker
	sleep 1
	record_stop heard
	check "and heard where it was" not sound silent "$rig_dir/heard.wav"
}

test_an_application_is_analysed() {
	sed 's/= spotify/= pw-cat/' "$conf/pipewire.conf.avail/50-weir-analyze-app.conf" |
		rig_write pipewire/pipewire.conf.d/50-weir-analyze-app.conf
	rig_start
	application_hear
}

test_an_application_is_analysed_in_a_process_of_its_own() {
	rig_start
	weir_start 50-weir-analyze-app.conf
	application_hear
	process_stop weir
	check "and heard when it ends" has_links tone speaker 2
}

# gate_hear FILE: what comes out of the gate, into FILE-gated.wav.
gate_hear() {
	record_start gated weir.speech-gate 1
	process_start voice pw-play -P '{ node.name = voice node.autoconnect = false }' "$rig_dir/$1.wav"
	wait_for "it is heard" 5 pw-link voice:output_MONO mic:input_MONO
	wait_for "it ends" 20 not process_is_running voice
	process_stop voice
	record_stop gated
	mv "$rig_dir/gated.wav" "$rig_dir/$1-gated.wav"
}

rms_of() { # FILE
	sox "$1" -n stat 2>&1 | awk '/RMS.*amplitude/ { print $3 }'
}

test_the_gate_is_open_while_somebody_speaks() {
	rig_need espeak-ng
	espeak-ng -w "$rig_dir/words.wav" "Turn the lights off in the kitchen, and close the window, please."
	sox "$rig_dir/words.wav" -r 48000 -c 1 -b 32 -e float "$rig_dir/voice.wav" gain -n -12 pad 1 2
	sox -R -n -r 48000 -c 1 -b 32 -e float "$rig_dir/noise.wav" synth 4 brownnoise gain -12 pad 2
	rig_start
	mic_plug
	mkdir -p "$XDG_CONFIG_HOME/pipewire/filter-chain.conf.d"
	cp "$conf/filter-chain.conf.avail/50-weir-speech-gate.conf" \
		"$XDG_CONFIG_HOME/pipewire/filter-chain.conf.d/"
	process_start filter-chain pipewire -c filter-chain.conf
	wait_for "the gate" 10 node_id weir.speech-gate
	pw-metadata >/dev/null 0 default.configured.audio.source '{ "name": "mic" }' Spa:String:JSON
	gate_hear voice
	gate_hear noise
	check "a voice passes" jq -en --argjson a "$(rms_of "$rig_dir/voice-gated.wav")" \
		--argjson b "$(rms_of "$rig_dir/voice.wav")" '$a > 0.7 * $b'
	check "noise does not" jq -en --argjson a "$(rms_of "$rig_dir/noise-gated.wav")" \
		--argjson b "$(rms_of "$rig_dir/noise.wav")" '$a < 0.05 * $b'
}

tests_run "$@"
