# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Cost of a capture while one stream plays: user and system time of the daemon, the player, and other
# processes that run for the capture, without the session manager and the recorder.

# cpu_ns NAME: CPU time of a process and its children, from the scheduler's utime + stime in ns.
cpu_ns() {
	local pids=("${process_pids[$1]}") children i
	for ((i = 0; i < ${#pids[@]}; i++)); do
		read -r -a children < <(cat "/proc/${pids[i]}/task"/*/children) || true
		pids+=("${children[@]}")
	done
	awk '{ ns += $1 } END { printf "%.0f", ns }' $(printf '/proc/%s/task/*/schedstat ' "${pids[@]}")
}

# cpu_of LABEL RECORDED SECONDS PORT [PROCESS...]: adds LABEL, RECORDED, us, and ns of daemon, player and
# PROCESSes to $cpu_lines. PORT is recorded if RECORDED is yes.
cpu_of() {
	local name begun=() took=() names=(pipewire music "${@:5}") start
	wait_for "$4" 5 node_id "${4%:*}"
	[ "$2" = no ] || recorder_start "$4"
	sleep 3 # without the work of the start
	start=${EPOCHREALTIME/./}
	for name in "${names[@]}"; do
		begun+=("$(cpu_ns "$name")")
	done
	sleep "$3"
	for name in "${names[@]}"; do
		took+=("$(($(cpu_ns "$name") - begun[${#took[@]}]))")
	done
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" $((${EPOCHREALTIME/./} - start)) "${took[*]}" >>"$cpu_lines"
}

cpu_player_start() {
	quantum_force
	analyse sounds noise "$rig_dir/noise.wav" $(($1 * 11 / 10 + 30))
	player_start music speaker "$rig_dir/noise.wav"
	wait_for "music" 5 runs music
}

cpu_nothing() {
	rig_start
	cpu_player_start "$1"
	cpu_of "no capture" "$2" "$1" music:output_FL
}

# cpu_daemon SECONDS RECORDED LABEL ARGS
cpu_daemon() {
	daemon_start "capture.match = $MATCH $4"
	cpu_player_start "$1"
	wait_for "the capture" 5 is_captured music
	cpu_of "$3" "$2" "$1" "$SOURCE:out-l"
}

cpu_process() {
	rig_start
	process_host_start "capture.match = $MATCH capture.mode = tap"
	cpu_player_start "$1"
	wait_for "the capture" 5 is_captured music
	cpu_of "weir tap in a process" "$2" "$1" "$SOURCE:out-l" weir
}

cpu_loopback() {
	rig_start
	loopback_start speaker
	cpu_player_start "$1"
	cpu_of "pw-loopback" "$2" "$1" loopback:capture_FL loopback
}

cpu_pipe() {
	sinks_conf out
	rig_start
	pipe_start_plain speaker out
	cpu_player_start "$1"
	wait_for "the pipe" 5 plays_on pipe-play out
	cpu_of '`pw-record \| pw-play`' "$2" "$1" pipe-play:output_FL pipe-record pipe-play
}

cpu_table() {
	echo "| CPU, % of a core, in $1 s | recorded | daemon | player | other processes | added |"
	echo "|---|---|---|---|---|---|"
	awk -F '\t' '{
		n = split($4, ns, " ")
		scale = $3 * 10
		others = 0
		for (i = 3; i <= n; i++)
			others += ns[i] / scale
		sum = ns[1] / scale + ns[2] / scale + others
		if (!($2 in nothing))
			nothing[$2] = sum
		printf "| %s | %s | %.2f | %.2f | %.2f | %.2f |\n",
			$1, $2, ns[1] / scale, ns[2] / scale, others, sum - nothing[$2]
	}' "$cpu_lines"
}

measure_cpu() {
	local seconds=${1:-20} recorded cpu_lines
	cpu_lines=$(mktemp)
	for recorded in no yes; do
		in_a_rig cpu_nothing "$seconds" $recorded
		in_a_rig cpu_daemon "$seconds" $recorded "weir redirect in the daemon" ""
		in_a_rig cpu_daemon "$seconds" $recorded "weir tap in the daemon" "capture.mode = tap"
		in_a_rig cpu_daemon "$seconds" $recorded "weir tap in the daemon, rate $RATE" \
			"capture.mode = tap capture.rate = $RATE"
		in_a_rig cpu_process "$seconds" $recorded
		in_a_rig cpu_loopback "$seconds" $recorded
		in_a_rig cpu_pipe "$seconds" $recorded
	done
	cpu_table "$seconds"
	rm "$cpu_lines"
}
