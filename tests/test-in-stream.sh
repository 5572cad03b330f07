#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# conf/wireplumber.conf.avail/50-weir-pitch-app.conf: a program's own stream plays at another pitch, by
# either way into PipeWire; other programs do not. Without the script or the plugin nothing is lost.
# WEIR_TONE is tests/tone.c, built.

. "$(dirname "$0")/rig.sh"

conf=${WEIR_CONF_DIR:?the folder conf}
rig_need pw-play paplay pipewire-pulse sox

# drop_in SCRIPT: for pw-play and paplay; SCRIPT is the folder weir, or one that is not there.
drop_in() {
	mkdir -p "$XDG_CONFIG_HOME/wireplumber/wireplumber.conf.d" "$XDG_DATA_HOME/wireplumber/scripts"
	sed 's/application.process.binary = mpv/application.process.binary = "~(pw-cat|paplay|pacat)"/' \
		"$conf/wireplumber.conf.avail/50-weir-pitch-app.conf" \
		>"$XDG_CONFIG_HOME/wireplumber/wireplumber.conf.d/50-weir-pitch-app.conf"
	ln -s "$1" "$XDG_DATA_HOME/wireplumber/scripts/weir"
}

plays() {
	has_links "$1" speaker 2
}

# one_tone HZ: at the speaker, for half a second.
one_tone() {
	record_start heard speaker
	sleep 0.6
	record_stop heard
	"${WEIR_TONE:?the built tests/tone.c}" "$rig_dir/heard.wav" "$1" "$1"
}

# plays_at HZ NAME COMMAND...: COMMAND plays a tone of 440 Hz, as a stream whose node is NAME.
plays_at() {
	local hz=$1 name=$2
	shift 2
	process_start player "$@"
	wait_for "$name plays" 10 plays "$name"
	sleep 1 # until the plugin is loaded
	check "$name: one tone of $hz Hz" in_three_tries one_tone "$hz"
	process_stop player
	wait_for "$name has gone" 5 not plays "$name"
}

start() {
	rig_start
	sox -n -r 48000 -c 2 -b 32 -e floating-point "$rig_dir/tone.wav" synth 20 sine 440 gain -6
	process_start pulse pipewire-pulse
	wait_for "PulseAudio's socket" 5 test -S "$XDG_RUNTIME_DIR/pulse/native"
	export PULSE_SERVER=unix:$XDG_RUNTIME_DIR/pulse/native
}

native() {
	plays_at "$1" native pw-play -P '{ node.name = native }' "$rig_dir/tone.wav"
}

test_a_native_program_plays_higher() {
	drop_in "$conf/wireplumber/weir"
	start
	native 523.251
	check "it complains about nothing" not process_said wireplumber '^[EW] .*weir'
}

test_a_pulseaudio_program_plays_higher() {
	drop_in "$conf/wireplumber/weir"
	start
	plays_at 523.251 paplay paplay "$rig_dir/tone.wav"
	check "PulseAudio's server runs" process_is_running pulse
}

stream_param() {
	node_get native '.info.params.Props[] | .params? // empty 
		| (index("pitch:semitones") // empty) as $i | .[$i + 1]'
}

test_the_pitch_is_changed_while_it_plays() {
	drop_in "$conf/wireplumber/weir"
	start
	process_start player pw-play -P '{ node.name = native }' "$rig_dir/tone.wav"
	wait_for "the control is there" 5 stream_param
	pw-cli set-param "$(node_id native)" Props '{ params = [ "pitch:semitones" -12.0 ] }' \
		>"$rig_dir/set.log"
	sleep 1
	check "an octave lower" in_three_tries one_tone 220
}

test_another_program_plays_as_before() {
	drop_in "$conf/wireplumber/weir"
	sed -i 's/pw-cat|paplay|pacat/mpv/' \
		"$XDG_CONFIG_HOME/wireplumber/wireplumber.conf.d/50-weir-pitch-app.conf"
	start
	native 440
}

test_without_the_plugin_it_plays_as_before() {
	export LADSPA_PATH=/nonexistent
	drop_in "$conf/wireplumber/weir"
	start
	native 440
	plays_at 440 paplay paplay "$rig_dir/tone.wav"
}

test_without_the_script_it_plays_as_before() {
	drop_in /nonexistent
	start
	native 440
}

tests_run "$@"
