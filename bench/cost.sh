# SPDX-License-Identifier: MIT
# shellcheck shell=sh

# cost_instructions FUNCTION BLOCK COMMAND...: callgrind's instructions per frame, of FUNCTION and all that
# it calls. COMMAND runs 2 s in blocks, as bench/cost does: callgrind counts all three passes.
cost_instructions() {
	cost_function=$1
	cost_frames=$((3 * (2 * 48000 / $2) * $2))
	shift 2
	echo $(($(valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		"--toggle-collect=$cost_function" "$@" 2>&1 >/dev/null |
		sed -n 's/^==[0-9]*== *Collected *: *//p') / cost_frames))
}
