#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# The command line of weir-run: what it writes, and what it says when something is wrong.

. "$(dirname "$0")/rig.sh"

rig_need sox soxi

sounds_make() {
	cd "$rig_dir" || exit 1
	sox -n -r 48000 -c 2 -b 32 -e float stereo.wav synth 1 sine 440 sine 880
	sox -n -r 48000 -c 1 -b 32 -e float mono.wav synth 0.5 sine 440
	sox -n -r 44100 -c 1 other-rate.wav synth 0.5 sine 440
}

latency() {
	echo $(($(soxi -s plain.wav 2>/dev/null) - 48000))
}

test_units_and_ports_are_described() {
	check "--list names pitch" grep -q '^pitch ' <(weir-run --list)
	check "--help has ranges and measures" grep -q 'semitones *-24 to 24, default 0 semitones' \
		<(weir-run pitch --help)
}

test_latency_is_kept_unless_compensated() {
	sounds_make
	weir-run pitch stereo.wav plain.wav
	weir-run pitch --compensate stereo.wav compensated.wav
	check "the output is longer by the latency" [ "$(latency)" -gt 0 ]
	check "the compensated one is as long as the input" [ "$(soxi -s compensated.wav 2>/dev/null)" = 48000 ]
	sox plain.wav plain.raw trim "$(latency)s" 2>/dev/null
	sox compensated.wav compensated.raw 2>/dev/null
	check "and the same but for that" cmp plain.raw compensated.raw
	sox stereo.wav stereo.raw 2>/dev/null
	check "at 0 semitones it is the input, bit for bit" cmp stereo.raw compensated.raw
}

test_more_channels_than_two_are_for_the_wide_unit() {
	sounds_make
	sox -M stereo.wav stereo.wav mono.wav -b 32 -e float five.wav pad 0 0 2>/dev/null
	weir-run pitch --compensate five.wav wide.wav 2>told
	check "it is told" grep 'five.wav has 5 channels: pitch-8 is taken' told
	sox five.wav five.raw 2>/dev/null
	sox wide.wav wide.raw remix 1 2 3 5 6 2>/dev/null
	check "front, centre, rear" cmp five.raw wide.raw
	sox wide.wav low.raw remix 4 2>/dev/null
	check "low frequencies are silent" cmp -n 1000 low.raw /dev/zero
	check "too many are refused" says 1 'five.wav has 5 channels, align takes 2' weir-run align five.wav a.wav
}

test_inputs_are_connected_as_told() {
	sounds_make
	weir-run pitch --compensate mono.wav both.wav
	sox both.wav left.raw remix 1 2>/dev/null
	sox both.wav right.raw remix 2 2>/dev/null
	check "a mono file feeds both inputs" cmp left.raw right.raw
	weir-run pitch --compensate -i in-l=stereo.wav:2 -i in-r=stereo.wav:1 swapped.wav
	sox stereo.wav expected.raw swap 2>/dev/null
	sox swapped.wav swapped.raw 2>/dev/null
	check "-i picks channels" cmp expected.raw swapped.raw
	weir-run pitch --compensate -i in-r=stereo.wav:2 half.wav
	sox half.wav half.raw remix 1 2>/dev/null
	check "an input that nothing feeds is silent" cmp -n 1000 half.raw /dev/zero
}

test_reports_are_json_lines() {
	sounds_make
	weir-run pitch -s semitones=3 -r report.jsonl stereo.wav out.wav
	check "each line is JSON with a time" jq -se 'all(.t > 0 and .t <= 1.001) and length >= 99' report.jsonl
	check "the ratio is reported" jq -se 'map(select(.semitones)) | all(.semitones > 2.9)' report.jsonl
	check "without an output too" cmp report.jsonl <(weir-run pitch -s semitones=3 -r - stereo.wav)
	check "and with any block" cmp report.jsonl <(weir-run pitch -b 77 -s semitones=3 -r - stereo.wav)
	check "to /dev/null as well" weir-run pitch stereo.wav /dev/null
}

test_mistakes_are_explained() {
	sounds_make
	check "unit" says 1 'there is no unit "pich". weir-run --list' weir-run pich a b
	check "control" says 1 'no control "semitone". It has: semitones formant' \
		weir-run pitch -s semitone=3 stereo.wav out.wav
	check "value" says 1 'must be a number from -24 to 24 semitones' \
		weir-run pitch -s semitones=99 stereo.wav out.wav
	check "no value" says 1 'a value is missing' weir-run pitch -s semitones stereo.wav out.wav
	check "port" says 1 'no audio input "left". It has: in-l in-r' weir-run pitch -i left=stereo.wav out.wav
	check "channel" says 1 'has no channel 3: it has 1 to 2' weir-run pitch -i in-l=stereo.wav:3 out.wav
	check "rates" says 1 'at 44100 Hz, mono.wav at 48000 Hz' weir-run pitch mono.wav other-rate.wav out.wav
	check "too many" says 1 'one input too many' weir-run pitch stereo.wav mono.wav out.wav
	check "no file" says 1 'cannot read none.wav' weir-run pitch none.wav out.wav
	check "not a sound" says 1 'cannot read report' weir-run pitch report out.wav
	check "no input" says 1 'an input file is missing' weir-run pitch out.wav
	check "block" says 1 'the block must be 1 to 8192' weir-run pitch -b 9000 stereo.wav out.wav
	check "nothing was written by all that" not test -e out.wav
	check "folder" says 1 'cannot write none/out.wav' weir-run pitch stereo.wav none/out.wav
	cp stereo.wav copy.wav
	check "overwriting" says 1 'is an input and would be overwritten' weir-run pitch copy.wav ./copy.wav
	check "the input is as it was" cmp stereo.wav copy.wav
}

tests_run "$@"
