# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# How long from the appearance of a new stream in the registry to its links; and for what comes to a
# stream that plays, from its connecting to the daemon.

watch_start() {
	process_start watch "${WEIR_WATCH:?bench/watch, built}"
	wait_for "the watch" 5 process_said watch ' node .* speaker$'
}

# Asking the daemon would keep it busy while it is measured.
links_seen() {
	grep -c ' link ' "$rig_dir/watch.log" || true
}

links_are() {
	(($(links_seen) >= $1))
}

# new_streams STARTS N_LINKS LABEL TARGET...
new_streams() {
	local i before
	watch_start
	for ((i = 0; i < $1; i++)); do
		before=$(links_seen)
		player_start music speaker "$rig_dir/sound.wav"
		wait_for "$3" 5 links_are $((before + $2))
		sleep 0.1 # for what else may still come
		process_stop music
		wait_for "the end of music" 5 not node_id music
	done
	analyse attach "$rig_dir/watch.log" "$3" stream music 2 "${@:4}"
}

# 440 Hz for SECONDS
tone_write() {
	sox -n -r 48000 -c 2 "$rig_dir/sound.wav" synth "$1" sine 440 gain -20
}

attach_nothing() {
	rig_start
	quantum_force
	tone_write 60
	new_streams "$1" 2 "new stream, no capture" speaker
}

attach_new() {
	local target=speaker
	[ "$2" = tap ] || target=$SINK
	daemon_start "capture.match = $MATCH capture.mode = $2"
	quantum_force
	tone_write 60
	new_streams "$1" 4 "new stream, weir $2 in the daemon" "$SOURCE" "$target"
}

streams_start() {
	local i
	rig_start
	quantum_force
	tone_write 600
	for ((i = 0; i < $1; i++)); do
		player_start "music$i" speaker "$rig_dir/sound.wav"
		wait_for "music$i" 5 plays_on "music$i" speaker
	done
}

are_at_home() {
	local i
	for ((i = 0; i < $1; i++)); do
		is_at_home "music$i" || return 1
	done
}

# attach_running STARTS N_STREAMS
attach_running() {
	local i before all='[ { application.process.binary = pw-cat } ]'
	streams_start "$2"
	process_host_start "capture.match = $all"
	process_stop weir
	wait_for "the streams" 5 are_at_home "$2"
	watch_start
	for ((i = 0; i < $1; i++)); do
		before=$(links_seen)
		process_start weir pipewire -c weir.conf
		wait_for "the links" 5 links_are $((before + 4 * $2))
		sleep 0.1
		process_stop weir
		wait_for "the streams" 5 are_at_home "$2"
	done
	analyse attach "$rig_dir/watch.log" "running streams: $2, weir redirect in a process" \
		client "$SOURCE" $((2 * $2)) "$SOURCE" "$SINK"
}

attach_loopback() {
	local i before
	streams_start 1
	watch_start
	for ((i = 0; i < $1; i++)); do
		before=$(links_seen)
		loopback_start speaker
		wait_for "pw-loopback" 5 links_are $((before + 2))
		process_stop loopback
		wait_for "the end of pw-loopback" 5 not node_id loopback-in
	done
	analyse attach "$rig_dir/watch.log" "running stream, pw-loopback of its sink" \
		client loopback-in 2 loopback-in
}

attach_pipe() {
	local i before
	sinks_conf out
	streams_start 1
	watch_start
	for ((i = 0; i < $1; i++)); do
		before=$(links_seen)
		pipe_start_plain speaker out
		wait_for "the pipe" 5 links_are $((before + 4))
		process_stop pipe-record
		process_stop pipe-play
		wait_for "the end of pw-play" 5 not node_id pipe-play
	done
	analyse attach "$rig_dir/watch.log" 'running stream, `pw-record \| pw-play` of its sink' \
		client pipe-record 2 pipe-record pipe-play
}

measure_attach() {
	local starts=${1:-20}
	echo "| attach, ms, of $starts starts | to the source: min | median | max |" \
		"to the sink: min | median | max |"
	echo "|---|---|---|---|---|---|---|"
	in_a_rig attach_nothing "$starts"
	in_a_rig attach_new "$starts" redirect
	in_a_rig attach_new "$starts" tap
	in_a_rig attach_running "$starts" 1
	in_a_rig attach_running "$starts" 4
	in_a_rig attach_loopback "$starts"
	in_a_rig attach_pipe "$starts"
}
