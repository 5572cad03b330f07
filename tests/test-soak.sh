#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2317,SC2119,SC2086
# The capture module is loaded and unloaded WEIR_CYCLES (200) times in one daemon, while streams
# come and go: no leak, no link, node or target left behind, no file descriptor more.
#
# With AddressSanitizer WEIR_SANITIZER is its runtime and tests/keep-loaded.c for the daemon:
#
#	CC=clang-22 meson setup build-asan -Db_sanitize=address -Db_lundef=false -Dtripwire=false
#	meson test -C build-asan soak

. "$(dirname "$0")/capture-rig.sh"

CYCLES=${WEIR_CYCLES:-200}
ARGS="capture.name = test capture.match = [ { node.name = ~music } ]"
MODES=(redirect tap)

# The daemon itself is the system's. Its libraries have no frame pointers for the fast unwinding.
pipewire() {
	local options=detect_leaks=1:fast_unwind_on_malloc=0
	exec env LD_PRELOAD="${WEIR_SANITIZER:-}" ASAN_OPTIONS=$options pipewire "$@"
}

module_load() {
	echo "$ARGS $*" >"$rig_dir/switch"
}

module_unload() {
	echo >"$rig_dir/switch"
}

# crowd: short streams for ever, captured ones and others, whole ones and killed ones.
crowd() {
	local i
	for ((i = 0;; i++)); do
		pw-play -P "{ node.name = music-$i }" "$rig_dir/short.wav" &
		{ timeout -s KILL 0.3 pw-play -P "{ node.name = music-$i-killed }" "$rig_dir/long.wav"; } \
			2>/dev/null || true
		pw-play -P "{ node.name = game-$i }" "$rig_dir/short.wav"
	done
}

# Nothing of the module is there, and music plays as before.
is_clean() {
	state_is '.nodes == [] and [.links[] | select(startswith("music>"))] == ["music>speaker 2"]'
}

# In a quiet daemon: its streams are music, and nothing else is connected that is not always there.
has_descriptors() {
	[ "$(descriptors)" = "$1" ]
}

descriptors() {
	find "/proc/${process_pids[pipewire]}/fd" -type l | wc -l
}

# cycle NUMBER: every fourth time it is unloaded before it could do anything.
cycle() {
	module_load "capture.mode = ${MODES[$1 % 2]}"
	if (($1 % 4 != 3)); then
		wait_for "music is captured in cycle $1" 10 is_captured music
	fi
	module_unload
	wait_for "music is back in cycle $1" 10 is_clean
}

test_module_is_loaded_and_unloaded() {
	local i before
	switch_conf
	rig_start
	[ -z "${WEIR_SANITIZER:-}" ] ||
		check "the daemon is watched" grep -q asan "/proc/${process_pids[pipewire]}/maps"
	sound ramp "$rig_dir/short.wav" 0.1 48000 2
	sound ramp "$rig_dir/long.wav" 60 48000 2
	noise_start music
	for ((i = 0; i < 4; i++)); do
		cycle $i
	done
	before=$(descriptors)
	process_start crowd crowd
	for (( ; i < CYCLES; i++)); do
		cycle $i
	done
	process_stop crowd
	wait_for "$before descriptors" 10 has_descriptors "$before"
	check "$before descriptors are open before and after $CYCLES cycles" has_descriptors "$before"
	process_stop music
	process_stop pipewire
	check "the daemon ended well, without a leak" [ $process_status = 0 ]
}

tests_run "$@"
