#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# examples/quickstart as a newcomer runs it, and what it says when something is missing.

. "$(dirname "$0")/rig.sh"

quickstart=$(dirname "$WEIR_CONF_DIR")/examples/quickstart
rig_need sox pw-top

# result NAME: a number of the line "pitch:    ratio 1.19, that is 3.00 semitones ..."
result() {
	sed -n "s/$1/\1/p" "$rig_dir/quickstart.log"
}

is_between() {
	jq -en --argjson x "${1:-null}" --argjson a "$2" --argjson b "$3" '$x >= $a and $x <= $b'
}

test_quickstart_raises_a_real_player_by_3_semitones() {
	local begun=$SECONDS file
	cd "$rig_dir" || exit 1
	process_start quickstart "$quickstart"
	wait_for "quickstart to end" 120 not process_is_running quickstart
	check "it ended well" process_said quickstart '^Next:'
	check "within two minutes" [ $((SECONDS - begun)) -lt 120 ]
	check "3 semitones were measured" is_between "$(result '^pitch:.*that is \([-0-9.]*\) .*')" 2.9 3.1
	check "the delay was measured" is_between "$(result '^latency:.*declared[^,]*, \([0-9.]*\) ms.*')" 20 150
	for file in before.wav after.wav spectrograms.png; do
		check "$file was left" test -s "$rig_dir/$file"
	done
	check "before.wav has sound" not sound silent "$rig_dir/before.wav"
	check "after.wav has sound" not sound silent "$rig_dir/after.wav"
}

test_session_mode_leaves_the_session_as_it_was() {
	local before
	rig_start
	before=$(pw-link -lio)
	cd "$rig_dir" || exit 1
	process_start quickstart "$quickstart" --session
	wait_for "its nodes in this session" 60 node_id weir.quickstart.pitch
	wait_for "quickstart to end" 120 not process_is_running quickstart
	check "3 semitones were measured" is_between "$(result '^pitch:.*that is \([-0-9.]*\) .*')" 2.9 3.1
	wait_for "all of its nodes to go" 5 same "$before" pw-link -lio
}

test_ctrl_c_undoes_everything() {
	local before
	rig_start
	before=$(pw-link -lio)
	cd "$rig_dir" || exit 1
	process_start quickstart "$quickstart" --session
	wait_for "its nodes in this session" 60 node_id weir.quickstart.player
	process_stop quickstart TERM
	wait_for "all of its nodes to go" 5 same "$before" pw-link -lio
}

same() {
	[ "$1" = "$("${@:2}")" ]
}

test_on_an_unknown_system_it_goes_on_and_names_a_missing_file() {
	cd "$rig_dir" || exit 1
	printf 'ID=plan9\nPRETTY_NAME="Plan 9"\n' >os-release
	process_start quickstart env OS_RELEASE="$rig_dir/os-release" "$quickstart" /nonexistent.ogg
	wait_for "quickstart to end" 60 not process_is_running quickstart
	check "it says which packages" process_said quickstart 'libfftw3-dev'
	check "and goes on" process_said quickstart 'going on with what is installed'
	check "what, why and how" process_said quickstart \
		'cannot read /nonexistent.ogg. Name a sound file that exists.'
}

tests_run "$@"
