#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# The drop-in that makes one microphone of two, in weir's own process: microphones that are wired by
# the links module, found, unplugged and found again.

. "$(dirname "$0")/rig.sh"

conf=${WEIR_CONF_DIR:?the folder conf}
rig_need pw-cli pw-link pw-play pw-dump sox jq

# mic_plug NAME: a microphone that hears what is linked to its input.
mic_plug() {
	pw-cli >/dev/null create-node adapter "{ factory.name = support.null-audio-sink
		node.name = $1 media.class = Audio/Source/Virtual audio.position = [ MONO ]
		object.linger = true }"
	wait_for "$1" 5 node_id "$1"
}

# mic_hear NAME CHANNEL: that channel of what the room says.
mic_hear() {
	wait_for "ports of $1" 5 pw-link "room:output_$2" "$1:input_MONO"
}

# What sounds like syllables, 200 ms later in the second microphone, each with noise of its own. Each
# of the two is heard some part of a quantum later than it is said, so the rest is not exact.
room_make() {
	local i
	sox -n -r 48000 -c 1 -b 32 -e float "$rig_dir/voice.wav" synth "$1" pinknoise \
		tremolo 3 95 gain -12
	for i in 1 2; do
		sox -R -n -r 48000 -c 1 -b 32 -e float "$rig_dir/noise-$i.wav" synth "$1" whitenoise \
			gain -$((48 + i))
	done
	sox -M "$rig_dir/voice.wav" "$rig_dir/voice.wav" -b 32 -e float "$rig_dir/voices.wav" \
		delay 0 0.2
	sox -M "$rig_dir/noise-1.wav" "$rig_dir/noise-2.wav" -b 32 -e float "$rig_dir/noises.wav"
	sox -m "$rig_dir/voices.wav" "$rig_dir/noises.wav" -b 32 -e float "$rig_dir/room.wav"
}

two_mics_start() {
	room_make 120
	mkdir -p "$XDG_CONFIG_HOME/pipewire/weir.conf.d"
	cp "$conf/weir.conf" "$XDG_CONFIG_HOME/pipewire/"
	sed -e 's/alsa_input.YOURS/mic/' "$conf/weir.conf.avail/50-weir-two-mics.conf" |
		rig_write pipewire/weir.conf.d/50-weir-two-mics.conf
	rig_start
	mic_plug mic-1
	mic_plug mic-2
	process_start weir pipewire -c weir.conf
	wait_for "weir.align" 5 node_id weir.align
	process_start room pw-play -P '{ node.name = room node.autoconnect = false }' \
		"$rig_dir/room.wav"
	mic_hear mic-1 FL
	mic_hear mic-2 FR
	record_start heard weir.align 1
}

# control CONTROL: its value in weir.align
control() {
	pw-dump weir.align | jq -e --arg name "align:$1" '[.[].info.params.Props[]?.params // [] |
		. as $all | range(0; length; 2) | select($all[.] == $name) | $all[. + 1]][0]'
}

control_is() { # CONTROL LOW HIGH
	control "$1" | jq -e --argjson low "$2" --argjson high "$3" '. >= $low and . <= $high'
}

test_two_microphones_are_found() {
	two_mics_start
	wait_for "both are wired" 5 has_links mic-2 weir.align 1
	wait_for "the delay is known" 20 control_is state 1 1
	check "it is 200 ms" control_is delay-ms 150 250
	check "the clocks are the same" control_is drift-ppm -5 5
	check "both are heard" control_is weight-2 0.3 0.7
	record_stop heard
	check "so they are in the recording" not sound silent "$rig_dir/heard.wav"
}

test_a_microphone_that_is_unplugged_is_taken_in_again() {
	two_mics_start
	wait_for "the delay is known" 20 control_is state 1 1
	pw-cli destroy "$(node_id mic-2)"
	wait_for "one microphone is told" 5 control_is state 3 3
	record_stop heard
	record_start alone weir.align 1
	sleep 2
	record_stop alone
	check "the other one is heard" not sound silent "$rig_dir/alone.wav"
	record_start again weir.align 1
	mic_plug mic-2
	mic_hear mic-2 FR
	wait_for "it is wired again" 5 has_links mic-2 weir.align 1
	wait_for "it is found again" 20 control_is state 1 1
	wait_for "and heard" 5 control_is weight-2 0.3 0.7
	check "at about the same delay" control_is delay-ms 150 250
}

tests_run "$@"
