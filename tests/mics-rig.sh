# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# rig.sh for tests of two microphones that become one.

. "${BASH_SOURCE%/*}/rig.sh"

# room_make FOLDER SECONDS [DELAYS]: FOLDER/room.wav, what the first microphone hears on the left, and the second
# on the right: what swells like words, below 4 kHz, 200 ms later in the second (DELAYS of both in
# seconds: 0 0.2), each with noise of its own.
room_make() {
	local i
	sox -n -r 48000 -c 1 -b 32 -e float "$1/voice.wav" synth "$2" pinknoise \
		tremolo 1 99 sinc -4k gain -12
	for i in 1 2; do
		sox -R -n -r 48000 -c 1 -b 32 -e float "$1/noise-$i.wav" synth "$2" whitenoise \
			gain -48
	done
	# shellcheck disable=SC2086
	sox -M "$1/voice.wav" "$1/voice.wav" -b 32 -e float "$1/voices.wav" delay ${3:-0 0.2}
	sox -M "$1/noise-1.wav" "$1/noise-2.wav" -b 32 -e float "$1/noises.wav"
	sox -m "$1/voices.wav" "$1/noises.wav" -b 32 -e float "$1/room.wav"
	rm "$1"/{voice,voices,noise-1,noise-2,noises}.wav
}

# level_of RECORDING BAND: in the last 3 s.
level_of() {
	sox "$1" -n trim -3 sinc "$2" stat 2>&1 | awk '/RMS.*amplitude/ { print $3 }'
}

# is_better_than RECORDING OTHER [VOICE]: as much voice in that band, and two equal noises, each at half:
# 3 dB less than one. Above 4 kHz nobody speaks.
is_better_than() {
	local voice=${3:-2k-4k} noise=8k-16k levels seconds
	seconds=$(soxi -D "$1" "$2" 2>/dev/null | sort -n | head -n 1)
	if awk "BEGIN { exit $seconds >= 3 }"; then
		echo "recorded for $seconds s only"
		return 1
	fi
	levels="$(level_of "$1" "$voice") $(level_of "$2" "$voice")"
	levels+=" $(level_of "$1" $noise) $(level_of "$2" $noise)"
	awk '{ printf "voice times %.2f, noise times %.2f\n", $1 / $2, $3 / $4
		exit !($3 > 0 && $1 > 0.9 * $2 && $3 < 0.8 * $4) }' <<<"$levels"
}

# control_is CONTROL LOW HIGH: of weir.align.
control_is() {
	node_control weir.align "align:$1" |
		jq -e --argjson low "$2" --argjson high "$3" '. >= $low and . <= $high'
}
