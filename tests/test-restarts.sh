#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2317,SC2119,SC2086
# Whoever restarts, in whatever order, a capture ends in its right state: "music" (pw-play) and
# "tune" (paplay) play on the virtual sink and into the source, "game" on the speaker, and there is
# not one link, node or target besides.
#
# WEIR_ROUNDS rounds (20) per host of the module, in the order that WEIR_SEED (1) gives. The whole
# proof is
#
#	for seed in 1 2 3; do
#		WEIR_ROUNDS=100 WEIR_SEED=$seed meson test -C build restarts --timeout-multiplier 5
#	done

. "$(dirname "$0")/capture-rig.sh"

ROUNDS=${WEIR_ROUNDS:-20}
MATCH='[ { node.name = music } { node.name = tune } ]'
CAPTURED='["game>speaker 2", "music>weir.capture.test 2", "music>weir.capture.test.sink 2",
	"tune>weir.capture.test 2", "tune>weir.capture.test.sink 2"]'
HOME_LINKS='["game>speaker 2", "music>speaker 2", "tune>speaker 2"]'

is_right() {
	state_is ".links == $CAPTURED and [\"$SOURCE\", \"$SINK\"] - .nodes == [] and .nodes == (.nodes | unique)
		and all(.targets[]; . == \"music $SINK\" or . == \"tune $SINK\")"
}

is_home() {
	state_is ".links == $HOME_LINKS and .nodes == []"
}

# The daemon's streams were made with our target: while they last, the default sink must be named.
has_no_targets() {
	state_is 'all(.targets[]; endswith(" -1"))'
}

tune_start() {
	noise_write
	process_start tune paplay --property=node.name=tune "$rig_dir/noise.wav"
}

# app_start NAME COMMAND...: unless it runs.
app_start() {
	if [ -n "${process_pids[$1]:-}" ] && process_is_running "$1"; then
		return
	fi
	process_stop "$1"
	"${@:2}"
}

apps_start() {
	app_start music noise_start music
	app_start tune tune_start
	app_start game noise_start game
}

# party_stop NAME [SIGNAL]: it has not crashed, now or before.
party_stop() {
	process_stop "$@"
	case $process_status in
	132 | 134 | 135 | 136 | 139) check "$1 did not crash" false ;;
	esac
}

# RANDOM follows its seed only outside of $(...).
party_stop_somehow() {
	local signals=(TERM KILL)
	party_stop "$1" "${signals[RANDOM % 2]}"
}

restart_app() {
	local apps=(music tune game)
	party_stop_somehow "${apps[RANDOM % 3]}"
}

# Now and then PipeWire 1.4.2 stops reading from all clients that just bind the metadata of a new
# session manager, and from that one; it does so without our module, too.
restart_session_manager() {
	local deadline=$((SECONDS + 10))
	party_stop wireplumber
	process_start wireplumber wireplumber
	until rig_is_ready 2>/dev/null; do
		if ((SECONDS > deadline)) && ! timeout 5 pw-dump >/dev/null; then
			echo "  note: PipeWire hangs and is restarted"
			restart_daemon
			return
		fi
		((SECONDS <= deadline)) || check "WirePlumber is back" rig_is_ready
		sleep 0.02
	done
}

# Its clients end with it.
restart_pulse() {
	party_stop_somehow pulse
	rm -f "$XDG_RUNTIME_DIR/pulse/native"
	wait_for "tune's end" 5 not process_is_running tune
	pulse_start
}

# Whoever does not end with the daemon is ended, as by systemd's BindsTo.
restart_daemon() {
	local name
	party_stop_somehow pipewire
	for name in music tune game weir pulse wireplumber; do
		party_stop $name
	done
	process_start pipewire pipewire
	wait_for "PipeWire" 10 node_id speaker
	session_manager_start
	pulse_start
	host_restarted
}

# Its streams are back home in between.
restart_weir() {
	party_stop weir
	check "the process ended well" [ $process_status = 0 ]
	apps_start
	wait_for "home" 10 is_home
	check "no target is left" has_no_targets
	host_restarted
}

restart_weir_at_once() {
	party_stop_somehow weir
	host_restarted
}

restart_killed_weir() {
	party_stop weir KILL
	apps_start
	wait_for "home" 10 is_home
	host_restarted
}

# rounds PARTY...
rounds() {
	local i n parties=("$@") party told
	RANDOM=${WEIR_SEED:-1}
	for ((i = 1; i <= ROUNDS; i++)); do
		told=
		for ((n = 1 + RANDOM % 2; n > 0; n--)); do
			party=${parties[RANDOM % $#]}
			told+=" $party"
			echo "round $i:$told" >"$rig_dir/round.log"
			"restart_$party"
		done
		apps_start
		wait_for "the right state in round $i ($told )" 10 is_right
	done
}

# check_sound: links that are there carry sound, and the right one.
check_sound() {
	record_start source-recording $SOURCE
	record_stop source-recording
	check "the source has sound" not sound silent "$rig_dir/source-recording.wav"
	process_stop game
	record_start speaker-recording speaker
	record_stop speaker-recording
	check "the speaker has none of it" sound silent "$rig_dir/speaker-recording.wav"
	apps_start
}

# check_home: after the module is gone.
check_home() {
	wait_for "home" 10 is_home
	check "no target is left" has_no_targets
	process_stop music
	process_stop tune
	apps_start
	wait_for "home again" 10 is_home
	check "no stream has a target" state_is '.targets == []'
	process_stop wireplumber
	check "the session manager remembers nothing" \
		not grep -rE "\"target\": *\"$SINK" "$XDG_STATE_HOME/wireplumber"
}

test_daemon() {
	host_restarted() {
		wait_for "the source" 5 node_id $SOURCE
	}
	switch_conf
	daemon_start "capture.match = $MATCH"
	pulse_start
	apps_start
	wait_for "the right state" 10 is_right
	rounds app session_manager pulse daemon
	check_sound
	echo >"$rig_dir/switch"
	check_home
}

test_process() {
	host_restarted() {
		process_host_start "capture.match = $MATCH"
	}
	rig_start
	pulse_start
	host_restarted
	apps_start
	wait_for "the right state" 10 is_right
	rounds app session_manager pulse daemon weir weir_at_once killed_weir
	check_sound
	process_stop weir
	check "the process ended well" [ $process_status = 0 ]
	check_home
}

tests_run "$@"
