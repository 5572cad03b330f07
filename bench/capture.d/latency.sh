# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Delay of the captured sound after the output of the application's stream: noise, both in one recording.
# The monitor of a sink that drives the graph, which the others capture, is itself a quantum late.

# latency_row LABEL STARTS PORT [PEER_COMMAND...]: the peer is started and ended with each start.
latency_row() {
	local i name
	for ((i = 0; i < $2; i++)); do
		[ $# = 3 ] || "${@:4}"
		player_start music speaker "$rig_dir/noise.wav"
		wait_for "music" 5 runs music
		wait_for "$3" 5 node_id "${3%:*}"
		recorder_start music:output_FL "$3"
		sleep 4
		record_stop recorder
		mv "$rig_dir/recorder.wav" "$rig_dir/latency-$i.wav"
		for name in music loopback pipe-record pipe-play; do
			process_stop $name
		done
		wait_for "the end of music" 5 not node_id music
	done
	analyse latency "$1" "$rig_dir"/latency-*.wav
}

latency_daemon() {
	daemon_start "capture.match = $MATCH $3"
	quantum_force
	analyse sounds noise "$rig_dir/noise.wav" 10
	latency_row "$2" "$1" "$SOURCE:out-l"
}

latency_process() {
	rig_start
	quantum_force
	analyse sounds noise "$rig_dir/noise.wav" 10
	process_host_start "capture.match = $MATCH capture.mode = tap"
	latency_row "weir tap in a process" "$1" "$SOURCE:out-l"
}

latency_peers() {
	sinks_conf out
	rig_start
	quantum_force
	analyse sounds noise "$rig_dir/noise.wav" 10
	latency_row "the sink's monitor itself" "$1" speaker:monitor_FL
	latency_row "pw-loopback" "$1" loopback:capture_FL loopback_start speaker
	latency_row '`pw-record \| pw-play`' "$1" pipe-play:output_FL \
		pipe_start_plain speaker out
}

measure_latency() {
	local starts=${1:-5}
	echo "| late by, frames, in $starts starts | min | median | max | difference, dB |"
	echo "|---|---|---|---|---|"
	in_a_rig latency_daemon "$starts" "weir redirect in the daemon" "capture.mode = redirect"
	in_a_rig latency_daemon "$starts" "weir tap in the daemon" "capture.mode = tap"
	in_a_rig latency_daemon "$starts" "weir tap in the daemon, rate $RATE" \
		"capture.mode = tap capture.rate = $RATE"
	in_a_rig latency_process "$starts"
	in_a_rig latency_peers "$starts"
}
