# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# One player captured and pulled at $RATE, and one at rate 1, whose sink is piped into players set to
# another rate: all at once, in one recording of noise that never repeats.

nightcore() {
	local name raw="--raw --format s16 --rate 48000 --channels 2"
	sinks_conf pipes
	daemon_start "capture.match = $MATCH capture.mode = tap capture.rate = $RATE"
	quantum_force
	analyse sounds noise "$rig_dir/noise.wav" $(($1 * 11 / 10 + 20))
	process_start music pw-play -v --target speaker -P '{ node.name = music }' "$rig_dir/noise.wav"
	player_start other pipes "$rig_dir/noise.wav"
	wait_for "music is captured" 5 is_captured music
	wait_for "other" 5 plays_on other pipes
	pipe_start aplay pipes "$raw" aplay -q -D pipewire -t raw -f S16_LE -c 2 -r 52000
	pipe_start pw-play pipes "$raw" \
		pw-play --raw --format s16 --channels 2 --rate 52000 -P '{ node.name = pw-play-play }' -
	wait_for "aplay" 5 plays_on alsa_playback.aplay speaker
	wait_for "pw-play" 5 plays_on pw-play-play speaker
	recorder_start music:output_FL "$SOURCE:out-l" other:output_FL \
		alsa_playback.aplay:output_FL pw-play-play:output_FL
	sleep "$1"
	record_stop recorder
	for name in aplay-play pw-play-play aplay-record pw-play-record other music; do
		process_stop $name
	done
	if process_said pipewire '" is live'; then
		echo "weir took the player for a live source, and went back to rate 1: no figures"
		exit 1
	fi
	analyse nightcore "$rig_dir/recorder.wav" "$rig_dir/noise.wav" "$RATE" "$rig_dir/music.log"
}

measure_nightcore() {
	in_a_rig nightcore "${1:-60}"
}
