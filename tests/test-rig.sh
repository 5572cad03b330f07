#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# rig.sh repeats a test that failed in a step in which the machine was late, and no other.
#
# shellcheck disable=SC2016

tests=$(dirname "$(realpath "$0")")
folder=$(mktemp -d -t weir-rig.XXXXXX)
trap 'rm -rf "$folder"' EXIT
unset WEIR_REPEATS
printf '#!/bin/sh\nexec sleep 60\n' >"$folder/never-late"
chmod +x "$folder/never-late"

# run_rig FUNCTION-BODY: runs it as a test, and adds its output to $folder/output.
run_rig() {
	: >"$folder/runs"
	WEIR_LATE=$folder/never-late RUNS=$folder/runs bash -c '
		. "$1/rig.sh"
		late() { # MILLISECONDS
			sleep 0.01
			echo "$((${EPOCHREALTIME//[.,]/} - $1 * 1000)) ${EPOCHREALTIME//[.,]/}" >>"$rig_dir/late.txt"
			sleep 0.01
		}
		once() { # MILLISECONDS
			[ -e "$rig_dir/once" ] || { touch "$rig_dir/once" && late "$1"; }
			false
		}
		eval "test_it() { echo >>\"\$RUNS\"; $2; }"
		tests_run' "$tests/test-it.sh" "$tests" "$1" >"$folder/output" 2>&1
}

# expect DESCRIPTION STATUS RUNS BODY
expect() {
	local status=0 runs
	run_rig "$4" || status=$?
	runs=$(wc -l <"$folder/runs")
	if [ "$status $runs" != "$2 $3" ]; then
		echo "FAILED $1: status $status after $runs runs, $2 after $3 expected"
		cat "$folder/output"
		exit 1
	fi
	echo "ok $1"
}

expect "what passes runs once" 0 1 'late 9; check a true'
expect "what fails in time runs once" 1 1 'check a false'
expect "also after it was late" 1 1 'late 9; check a true; check b false'
expect "a late step runs three times" 1 3 'check a true; late 9; check b false'
expect "also a command's" 1 3 'check a true; late 9; false'
expect "and passes when one of them does" 0 2 'late 9; check a [ $(wc -l <"$RUNS") = 2 ]'
expect "a late recording is judged later" 1 3 'measure_begin; late 9; measure_end; check a true; check b false'
expect "not what comes after it" 1 1 'measure_begin; measure_end; late 9; check a true; check b false'
expect "nor the recording before the last" 1 1 \
	'measure_begin; late 9; measure_end; measure_begin; measure_end; check a true; check b false'
expect "a wait of seconds does not fail of milliseconds" 1 1 'wait_for a 1 once 9'
expect "but of a twentieth of it" 1 3 'wait_for a 1 once 1000'
expect "a step that is held goes on" 1 3 'step_hold; late 9; wait_for a 1 true; check a true; check b false'
expect "what was tried in time is not tried again" 0 1 \
	'late 9; check a true; n=0; second() { [ $((++n)) = 2 ]; }; check b not in_three_tries second'
expect "but when it was late" 0 1 'n=0; three() { late 9; [ $((++n)) = 3 ]; }; check a in_three_tries three'

export WEIR_REPEATS=$folder/repeats
expect "what is to be made again later is named" 0 1 'late 9; check b false'
expect "beside others" 0 1 'late 9; check b false'
[ "$(cat "$WEIR_REPEATS")" = "$(printf 'test-it.sh test_it\n%.0s' 1 2)" ] || {
	echo "FAILED: $(cat "$WEIR_REPEATS")"
	exit 1
}
