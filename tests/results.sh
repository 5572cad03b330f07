# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Counts for tests/run: a build counts as a test that can fail.

passed=0
failed=0
skipped=0

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
	name=$1
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
	name=$1
	part=$2
	shift 2
	meson test -C "build-tests/$name" --logbase "$part" --no-rebuild --print-errorlogs "$@" 2>&1 |
		grep -E '^ *[0-9]+/[0-9]+ '
}

# tests_count NAME PART: when they have ended.
tests_count() {
	log=build-tests/$1/meson-logs/$2.json
	passed=$((passed + $(count OK "$log")))
	skipped=$((skipped + $(count SKIP "$log")))
	failed=$((failed + $(jq -s 'map(select(.result != "OK" and .result != "SKIP")) | length' "$log")))
	show_failures "$log"
	jq -r '.name as $n | "\(.stdout // "")\n\(.stderr // "")" | split("\n")[]
		| select(test("^ *(skipped|again): ")) | "\($n): \(.)"' "$log"
}

# build_and_test NAME MESON-SETUP-ARGUMENT... -- MESON-TEST-ARGUMENT...
build_and_test() {
	name=$1
	setup=""
	shift
	while [ "$1" != -- ]; do
		setup="$setup $1"
		shift
	done
	shift
	# shellcheck disable=SC2086
	build "$name" $setup || return 0
	tests_start "$name" all "$@"
	tests_count "$name" all
}

# Exits 1 when anything failed, or nothing ran.
results_print() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
