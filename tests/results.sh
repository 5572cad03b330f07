# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Counts for tests/run: a build counts as a test that can fail.

counts_reset() {
	passed=0
	failed=0
	skipped=0
	repeated=0
}

counts_reset

# skip REASON
skip() {
	echo "skipped: $1"
	skipped=$((skipped + 1))
}

# count RESULT FILE: the tests in meson's log that ended so.
count() {
	jq -s --arg result "$1" 'map(select(.result == $result)) | length' "$2"
}

# show_failures FILE
show_failures() {
	jq -r 'select(.result != "OK" and .result != "SKIP")
		| "==== \(.name): \(.result)\n\(.stdout // "")\n\(.stderr // "")"' "$1" | tail -n 200
}

# build NAME MESON-SETUP-ARGUMENT...: into build-tests/NAME; fails when that is not possible.
build() {
	local name=$1
	shift
	echo "== $name"
	rm -rf "build-tests/$name"
	if ! { meson setup "build-tests/$name" "$@" && ninja -C "build-tests/$name"; } \
		>"build-tests-$name.log" 2>&1; then
		grep -E -A8 'error|ERROR|warning' "build-tests-$name.log" | head -n 60
		failed=$((failed + 1))
		return 1
	fi
	rm -f "build-tests-$name.log"
	passed=$((passed + 1))
}

# tests_start NAME PART MESON-TEST-ARGUMENT...: of a build. PART names the log.
tests_start() {
	local name=$1 part=$2
	meson test -C "build-tests/$name" --logbase "$part" --no-rebuild --print-errorlogs "${@:3}" 2>&1 |
		grep -E '^ *[0-9]+/[0-9]+ '
}

# tests_count NAME PART: when they have ended.
tests_count() {
	local log=build-tests/$1/meson-logs/$2.json
	passed=$((passed + $(count OK "$log")))
	skipped=$((skipped + $(count SKIP "$log")))
	failed=$((failed + $(jq -s 'map(select(.result != "OK" and .result != "SKIP")) | length' "$log")))
	show_failures "$log"
	repeated=$((repeated + $(said again "$log" | wc -l)))
	said 'skipped|again' "$log"
}

# tests_run NAME PART MESON-TEST-ARGUMENT...
tests_run() {
	tests_start "$@"
	tests_count "$1" "$2"
}

# said WORDS FILE: lines of tests in meson's log that begin with one of these words.
said() {
	jq -r --arg words "$1" '.name as $n | "\(.stdout // "")\n\(.stderr // "")" | split("\n")[]
		| select(test("^ *(" + $words + "): ")) | "\($n): \(.)"' "$2"
}

# repeats_run NAME FILE: what rig.sh has named there of a build, "test-SCRIPT.sh TEST" in each line. As a
# part of SCRIPT it has been counted already: here it can only fail.
repeats_run() {
	local script before=$passed
	for script in $(cut -d' ' -f1 "$2" | sort -u); do
		script=${script#test-}
		script=${script%.sh}
		tests_run "$1" "repeats-$script" "$script" \
			--test-args "$(sed -n "s/^test-$script.sh //p" "$2" | tr '\n' ' ')"
	done
	passed=$before
}

# counts_write FILE, counts_add FILE: from a process to the one that started it.
counts_write() {
	echo "$passed $failed $skipped $repeated" >"$1"
}

counts_add() {
	local counts
	read -ra counts <"$1" || counts=(0 1 0 0)
	passed=$((passed + counts[0]))
	failed=$((failed + counts[1]))
	skipped=$((skipped + counts[2]))
	repeated=$((repeated + counts[3]))
}

# Exits 1 when anything failed, or nothing ran.
results_print() {
	echo "$repeated repeated because the machine was late"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
