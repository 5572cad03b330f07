# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Tones up to the end of the band at several rates: the level of the strongest component beside the
# tone, in a recording at 48 kHz. Beside it a player that is given another rate, and has a low-pass.

ALIAS_RATES=(1.0 1.0833 1.125 1.2 1.25 1.5 2.0)

# tones_play FILE_RATE RATE PORT: PORT is recorded until all tones have been played.
tones_play() {
	analyse sounds tones "$rig_dir/tones.wav" "$source_hz" "$2" "$1"
	recorder_start "$3"
	player_start music speaker "$rig_dir/tones.wav"
	wait_for "music" 5 runs music
	sleep "$(awk -v s="$(soxi -D "$rig_dir/tones.wav")" -v r="$2" -v f="$1" -v hz="$source_hz" \
		'BEGIN { print s * f / hz / r + 0.2 }')"
	record_stop recorder
	process_stop music
	wait_for "the end of music" 5 not node_id music
}

weir_play() {
	pw-cli set-param "$(node_id "$SOURCE")" Props "{ params = [ \"capture:rate\" $1 ] }" >/dev/null
	wait_for "the rate" 5 node_get "$SOURCE" ".info.params.Props[0].params
		| .[index(\"capture:rate\") + 1] | . - $1 | fabs < 1e-6"
	tones_play "$source_hz" "$1" "$SOURCE:out-l"
}

peer_play() {
	local hz
	hz=$(awk -v r="$1" -v hz="$source_hz" 'BEGIN { printf "%.0f", r * hz }')
	tones_play "$hz" "$1" speaker:monitor_FL
}

# alias_row LABEL PLAY
alias_row() {
	local rate try cell row="| $1, player at $source_hz Hz |"
	for rate in "${ALIAS_RATES[@]}"; do
		# What a busy machine drops would count as an alias.
		for ((try = 1; ; try++)); do
			"$2" "$rate"
			! cell=$(analyse alias "$source_hz" "$rate" "$rig_dir/recorder.wav") || break
			((try < 10)) || exit 1
		done
		row+=" $cell |"
	done
	echo "$row"
}

# alias_rig LABEL GRAPH_HZ PLAY SOURCE_HZ
alias_rig() {
	local source_hz=$4
	if [ "$3" = weir_play ]; then
		daemon_start "capture.match = $MATCH capture.mode = tap capture.rate = 1.0"
	else
		rig_start
	fi
	quantum_force
	pw-metadata -n settings 0 clock.force-rate "$2" >/dev/null
	alias_row "$1" "$3"
}

measure_alias() {
	local hz
	echo "| aliases, dB, in music up to 16 / 20 / 22 kHz |$(printf ' %s |' "${ALIAS_RATES[@]}")"
	echo "|---|$(printf -- '---|%.0s' "${ALIAS_RATES[@]}")"
	for hz in 48000 44100; do
		in_a_rig alias_rig "weir, graph at 48 kHz" 48000 weir_play $hz
		in_a_rig alias_rig "weir, graph at 96 kHz" 96000 weir_play $hz
		in_a_rig alias_rig '`pw-play --rate`, graph at 48 kHz' 48000 peer_play $hz
	done
}
