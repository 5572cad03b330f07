# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# When was this machine late, and was it so in the step of a test that failed? For rig.sh, which
# repeats only such a test: what fails in a step that was in time has failed.
#
# The step of a check is what came after the check or wait before it, and the last measurement: what
# was recorded, or read from a node, from measure_begin to measure_end. Once is late enough there: a
# recording misses what one late cycle spoils. A wait fails after seconds, for milliseconds change
# nothing: then the machine must have been late for a twentieth of it.
#
# WEIR_LATE is tests/late.c, built.

# A quarter of a default quantum, in ms.
LATE_MS=5
LATE_SHARE=0.05

late_pid=
step_us=0
step_is_wait=false
step_is_held=false
measured_us=()

late_start() {
	"${WEIR_LATE:?the built tests/late.c}" $LATE_MS >"$rig_dir/late.txt" 2>&1 </dev/null &
	late_pid=$!
	step_begin
}

late_stop() {
	kill "$late_pid" 2>/dev/null
	wait "$late_pid" 2>/dev/null || true
}

step_begin() {
	step_us=${EPOCHREALTIME//[.,]/}
	step_is_wait=false
	step_is_held=false
}

# step_hold: one step from here to step_begin, whatever is checked and waited for in between.
step_hold() {
	step_begin
	step_is_held=true
}

# For check and wait_for.
step_end() {
	$step_is_held || step_begin
}

wait_begin() {
	$step_is_held || { step_begin && step_is_wait=true; }
}

# measure_begin, measure_end: the last of both count. What never ends is measured to this moment.
measure_begin() {
	measured_us=("${EPOCHREALTIME//[.,]/}")
}

measure_end() {
	measured_us[1]=${EPOCHREALTIME//[.,]/}
}

# step_was_late: and how late.
step_was_late() {
	sleep 0.1 # until what is late now has said so
	awk -v step="$step_us" -v begin="${measured_us[0]:-9e18}" -v end="${measured_us[1]:-9e18}" \
		-v now="${EPOCHREALTIME//[.,]/}" -v share="$($step_is_wait && echo $LATE_SHARE)" '
		$2 > step || (!share && $2 > begin && $1 < end) {
			late = $2 - $1
			sum += late
			if (late > longest)
				longest = late
		}
		END {
			printf "  late in this step: %.0f ms at most, %.0f ms in all\n", longest / 1000, sum / 1000
			exit !(share ? sum > share * (now - step) : sum > 0)
		}' "$rig_dir/late.txt"
}
