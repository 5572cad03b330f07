#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# The LADSPA plugin in other hosts than PipeWire. Each shifts 440 Hz by 12 semitones and 100 cents, by
# its own way to name controls: 932 Hz says that both values came to their controls.

. "$(dirname "$0")/rig.sh"

rig_need sox

sounds_make() {
	cd "$rig_dir" || exit 1
	sox -n -r 48000 -c 2 -b 16 stereo.wav synth 1.5 sine 440 gain -6
	sox stereo.wav mono.wav remix 1
}

is_932_hz() {
	local hz
	hz=$(sox "$1" -n remix 1 trim 0.5 0.5 stat 2>&1 | sed -n 's/^Rough *frequency: *//p')
	echo "$hz Hz"
	((hz >= 922 && hz <= 942))
}

# There, `pitch` is an effect of its own.
test_sox_needs_no_more_than_the_inputs() {
	sounds_make
	sox mono.wav few.wav ladspa weir pitch-mono 13
	check "one control" is_932_hz few.wav
	sox mono.wav out.wav ladspa weir pitch-mono 12 0 100
	check "three controls" is_932_hz out.wav
	sox mono.wav all.wav ladspa weir pitch-mono 12 0 100 100 1 0
	check "all controls" is_932_hz all.wav
}

test_ecasound_counts_the_inputs() {
	rig_need ecasound
	sounds_make
	ecasound -q -f:s16_le,2,48000 -i stereo.wav -o out.wav -el:pitch,12,0,100,100,1,0 >log 2>&1
	check "all controls" is_932_hz out.wav
	ecasound -q -f:s16_le,2,48000 -i stereo.wav -o id.wav -eli:700,12,0,100,100,1,0 >log 2>&1
	check "by the plugin's number" is_932_hz id.wav
}

test_applyplugin_counts_the_inputs() {
	rig_need applyplugin
	sounds_make
	applyplugin stereo.wav out.wav weir.so pitch 12 0 100 100 1 0 >log
	check "all controls" is_932_hz out.wav
}

test_ffmpeg_counts_the_inputs() {
	rig_need ffmpeg
	sounds_make
	ffmpeg -v error -i stereo.wav -af 'ladspa=file=weir:plugin=pitch:controls=c0=12|c2=100' out.wav
	check "two controls" is_932_hz out.wav
}

tests_run "$@"
