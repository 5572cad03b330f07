# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The rig for tests that need a graph: a private PipeWire and WirePlumber with the stereo null sink
# "speaker" as default sink. No sound card, session or privileges; nothing of the user's is touched.
#
#	. "$(dirname "$0")/rig.sh"
#
#	test_a_tone_reaches_the_speaker() {
#		rig_drop conf/pipewire.conf.avail/50-weir-x.conf
#		rig_start
#		process_start weir pipewire -c weir.conf
#		wait_for "node weir.x" 5 node_id weir.x
#		check "it has a gain" node_get weir.x '.info.params.Props[0].params'
#	}
#
#	tests_run "$@"
#
# Every test runs in a subshell under `set -e` with a fresh $rig_dir, which also holds each process'
# output as NAME.log. A failed test prints these logs. tests_run takes the names of tests to run.
#
# These tests measure in real time. A machine that is late by a quarter of a quantum loses sound with or
# without weir: a test that fails while it is late (lateness.sh) is made again, up to twice. What fails
# on a machine in time, fails. With WEIR_REPEATS, a file, these tests are not made again at once, beside
# others, but named there, for tests/run to make them again when nothing else runs.
#
# From the environment: SPA_PLUGIN_DIR, PIPEWIRE_MODULE_DIR, LADSPA_PATH (build folders first, then
# the system's, colon-separated), PIPEWIRE_DEBUG, WEIR_SOUND (tests/sound.c, built), WEIR_LATE
# (tests/late.c) and WEIR_REPEATS.

# jq's variables look like the shell's.
# shellcheck disable=SC2016

set -u -o pipefail

rig_dir=
rig_output=1 # what a test says, also while something is redirected
declare -A process_pids=()
process_names=()
process_status=0

LATE_STATUS=75

# For UDP, of this process alone: tests run side by side.
RIG_PORT=$((20000 + $$ % 10000))

. "${BASH_SOURCE%/*}/lateness.sh"

# Recordings are the instrument: they must not lose what the graph has.
recorder=()
chrt --fifo 10 true 2>/dev/null && recorder=(chrt --fifo 10)

# rig_skip REASON
rig_skip() {
	echo "  skipped: $*"
	exit 77
}

# rig_need COMMAND...: skips where one is not installed.
rig_need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || rig_skip "$tool is not installed"
	done
}

# rig_drop FILE...: into pipewire.conf.d, before rig_start.
rig_drop() {
	cp -- "$@" "$XDG_CONFIG_HOME/pipewire/pipewire.conf.d/"
}

# rig_write PATH: standard input to $XDG_CONFIG_HOME/PATH, e.g. pipewire/weir.conf.
rig_write() {
	mkdir -p "$XDG_CONFIG_HOME/$(dirname "$1")"
	cat >"$XDG_CONFIG_HOME/$1"
}

# rig_start [FILE...]: FILEs are dropped in first. Returns when sound can be played.
rig_start() {
	[ $# = 0 ] || rig_drop "$@"
	process_start dbus dbus-daemon --session --nofork --nopidfile \
		--address="$DBUS_SESSION_BUS_ADDRESS"
	wait_for "D-Bus" 10 test -S "$XDG_RUNTIME_DIR/bus"
	process_start pipewire pipewire
	wait_for "PipeWire" 10 node_id speaker
	process_start wireplumber wireplumber
	wait_for "WirePlumber" 20 rig_is_ready
}

rig_is_ready() {
	[ "$(metadata_get default.audio.sink | jq -r .name)" = speaker ]
}

# rig_stop: everything, newest first. Runs by itself at the end of a test.
rig_stop() {
	local i
	for ((i = ${#process_names[@]} - 1; i >= 0; i--)); do
		process_stop "${process_names[i]}"
	done
}

rig_prepare() {
	exec {rig_output}>&1
	rig_dir=$(mktemp -d -t weir.XXXXXX)
	trap 'rig_finish $?' EXIT
	trap 'echo "  FAILED: a signal at line $LINENO: $BASH_COMMAND" >&"$rig_output"; exit 1' INT TERM
	export HOME=$rig_dir
	export XDG_RUNTIME_DIR=$rig_dir/run XDG_CONFIG_HOME=$rig_dir/config
	export XDG_STATE_HOME=$rig_dir/state XDG_DATA_HOME=$rig_dir/data XDG_CACHE_HOME=$rig_dir/cache
	export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
	unset PIPEWIRE_REMOTE PIPEWIRE_CORE PIPEWIRE_RUNTIME_DIR PIPEWIRE_CONFIG_DIR \
		PIPEWIRE_CONFIG_NAME PIPEWIRE_PROPS PULSE_SERVER PULSE_RUNTIME_PATH DISPLAY
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	late_start
	mkdir -p "$XDG_CONFIG_HOME/pipewire/pipewire.conf.d"

	rig_write pipewire/pipewire.conf.d/10-speaker.conf <<-'END'
	context.objects = [ { factory = adapter args = {
		factory.name = support.null-audio-sink
		node.name = speaker
		node.description = "Speaker"
		media.class = Audio/Sink
		audio.position = [ FL FR ]
		priority.session = 1000
	} } ]
	END
	# The developer's own sound card must stay silent.
	rig_write wireplumber/wireplumber.conf.d/10-no-hardware.conf <<-'END'
	wireplumber.profiles = { main = {
		hardware.audio = disabled
		hardware.bluetooth = disabled
		hardware.video-capture = disabled
	} }
	END
}

rig_finish() {
	local log status=$1
	# The end may come while wait_for asks.
	exec >&"$rig_output"
	if [ "$status" != 0 ] && [ "$status" != 77 ]; then
		! step_was_late || status=$LATE_STATUS
		rig_stop
		for log in "$rig_dir"/*.log; do
			[ ! -s "$log" ] || { echo "---- ${log##*/}" && tail -n 60 "$log"; }
		done
	fi
	rig_stop
	late_stop
	! [ -e "$rig_dir/again.txt" ] || cat "$rig_dir/again.txt"
	rm -rf "$rig_dir"
	exit "$status"
}

# process_start NAME COMMAND...: output to $rig_dir/NAME.log.
process_start() {
	local name=$1
	shift
	"$@" >>"$rig_dir/$name.log" 2>&1 </dev/null {rig_output}>&- &
	process_pids[$name]=$!
	process_names+=("$name")
}

process_is_running() {
	kill -0 "${process_pids[$1]:-}" 2>/dev/null
}

# process_stop NAME [SIGNAL]: TERM, and KILL for what is still there after 5 s. The exit status is
# in process_status; nothing happens to what was stopped before.
process_stop() {
	local deadline=$((SECONDS + 5))
	[ -n "${process_pids[$1]:-}" ] || return 0
	kill -s "${2:-TERM}" "${process_pids[$1]}" 2>/dev/null || true
	while process_is_running "$1"; do
		((SECONDS <= deadline)) || kill -s KILL "${process_pids[$1]}" 2>/dev/null || true
		sleep 0.02
	done
	process_status=0
	wait "${process_pids[$1]}" 2>/dev/null || process_status=$?
	unset "process_pids[$1]"
}

# process_said NAME PATTERN: is there a line in its output that grep -E finds?
process_said() {
	grep -Eq -- "$2" "$rig_dir/$1.log"
}

# check DESCRIPTION COMMAND...: ends the test when the command fails; else shows its first line.
check() {
	local description=$1 output
	shift
	if ! output=$("$@" 2>&1); then
		printf '  FAILED %s\n  command: %s\n%s\n' "$description" "$*" "$output"
		exit 1
	fi
	output=${output%%$'\n'*}
	echo "  ok $description${output:+: $output}"
	step_end
}

# wait_for DESCRIPTION SECONDS COMMAND...: ends the test when the command does not succeed in time.
wait_for() {
	local description=$1 seconds=$2
	local deadline=$((SECONDS + seconds))
	shift 2
	wait_begin
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS > deadline)); then
			printf '  FAILED %s: not within %s s\n  command: %s\n' \
				"$description" "$seconds" "$*"
			exit 1
		fi
		sleep 0.02
	done
	step_end
}

not() {
	! "$@"
}

# graph JQ_ARGUMENTS...: pw-dump's array through jq -er; fails on null, false or nothing.
graph() {
	timeout 10 pw-dump | jq -er "$@"
}

# node_start NAME CLASS CHANNELS [PROPERTIES]: plays nothing, or has nobody hear it.
node_start() {
	pw-cli >/dev/null create-node adapter "{ factory.name = support.null-audio-sink node.name = \"$1\"
		node.description = \"$1\" media.class = $2 audio.position = \"$3\" object.linger = true ${4:-} }"
	wait_for "node $1" 5 node_get "$1" '.info["n-input-ports"] > 0'
}

sink_start() {
	node_start "$1" Audio/Sink "${2:-FL,FR}" "${3:-}"
}

# node_get NAME FILTER: jq FILTER on the first node with this node.name.
node_get() {
	graph --arg name "$1" "[.[] | select(.type == \"PipeWire:Interface:Node\"
		and .info.props[\"node.name\"] == \$name)] | first(.[]) | $2"
}

node_id() {
	node_get "$1" .id
}

# node_prop NAME KEY
node_prop() {
	node_get "$1" ".info.props[\"$2\"]"
}

# node_control NODE UNIT:CONTROL: its value in Props.
node_control() {
	# jq from 1.7 on prints a number as it was read (5.000000) until it has computed with it.
	node_get "$1" ".info.params.Props[0].params | .[index(\"$2\") + 1]
		| if type == \"number\" then . + 0 else . end"
}

# has_links FROM TO COUNT: are there exactly COUNT links between nodes of these names?
has_links() {
	graph --arg from "$1" --arg to "$2" --argjson count "$3" '
		(map(select(.type == "PipeWire:Interface:Node")
			| {key: "\(.id)", value: .info.props["node.name"]}) | from_entries) as $name
		| map(select(.type == "PipeWire:Interface:Link"
			and $name["\(.info["output-node-id"])"] == $from
			and $name["\(.info["input-node-id"])"] == $to)) | length == $count'
}

# metadata_get KEY [SUBJECT]: from the metadata "default".
metadata_get() {
	graph --arg key "$1" --argjson subject "${2:-0}" '[.[]
		| select(.props["metadata.name"] == "default") | .metadata[]
		| select(.key == $key and .subject == $subject) | .value] | first(.[])'
}

# record_start NAME NODE [CHANNELS]: the source, or the sink's monitor, NODE into $rig_dir/NAME.wav as
# 48 kHz float, stereo without CHANNELS. Returns when the recording runs; it never falls back to
# another node.
record_start() {
	local is_sink=false channels=${3:-2}
	[[ $(node_prop "$2" media.class) != Audio/Sink* ]] || is_sink=true
	measure_begin
	process_start "$1" "${recorder[@]}" pw-record --target "$2" --rate 48000 --channels "$channels" --format f32 \
		-P "{ node.name = \"$1\" node.dont-fallback = true node.dont-reconnect = true
			stream.capture.sink = $is_sink }" "$rig_dir/$1.wav"
	wait_for "recording of $2" 10 record_is_running "$1" "$2" "$channels"
}

record_is_running() {
	has_links "$2" "$1" "$3" && node_get "$1" '.info.state == "running"'
}

# record_stop NAME: the file is complete afterwards, with everything that played before this call.
record_stop() {
	local deadline=$((SECONDS + 2)) enough
	# pw-record drops what its main loop has not yet fetched: a few quanta, at most 8192 frames.
	enough=$(($(stat -c %s "$rig_dir/$1.wav") + 8192 * 8))
	while (($(stat -c %s "$rig_dir/$1.wav") < enough && SECONDS < deadline)); do
		sleep 0.02
	done
	process_stop "$1" INT
	measure_end
}

# says STATUS PATTERN COMMAND...: it ends so, with a first line of messages that grep -E finds.
says() {
	local output status=0
	output=$(timeout 10 "${@:3}" 2>&1 >/dev/null) || status=$?
	echo "$output"
	[ $status = "$1" ] && head -n 1 <<<"$output" | grep -Eq -- "$2"
}

# in_three_tries COMMAND...: for what one late cycle of a busy machine spoils, a step each.
in_three_tries() {
	for _ in 1 2; do
		step_begin
		! "$@" || return 0
		step_was_late || return 1
		echo "  again: $1, for the machine was late" >>"$rig_dir/again.txt"
	done
	"$@"
}

# sound VERB...: tests/sound.c
sound() {
	"${WEIR_SOUND:?the built tests/sound.c}" "$@"
}

# rig_end: what all tests of a file check at their end.
rig_end() {
	:
}

# run_test TEST: once. Status 77: skipped, LATE_STATUS: failed while the machine was late.
run_test() {
	echo "$1"
	(
		set -eE
		rig_prepare
		trap 'echo "  FAILED at line $LINENO: $BASH_COMMAND" >&"$rig_output"' ERR
		"$1"
		rig_end
	)
}

# run_again TEST: which failed while the machine was late. Later, or up to twice now.
run_again() {
	local status
	if [ -n "${WEIR_REPEATS:-}" ]; then
		echo "  again: $1, at the end, for the machine was late"
		echo "${0##*/} $1" >>"$WEIR_REPEATS"
		return 0
	fi
	for _ in 1 2; do
		echo "  again: $1, for the machine was late"
		run_test "$1"
		status=$?
		[ $status = $LATE_STATUS ] || break
	done
	return $status
}

# tests_run [TEST...]: all test_ functions, or these.
tests_run() {
	local name status passed=0 failed=0 names=("$@")
	[ $# != 0 ] || mapfile -t names < <(compgen -A function test_)
	for name in "${names[@]}"; do
		run_test "$name"
		status=$?
		[ $status != $LATE_STATUS ] || { run_again "$name"; status=$?; }
		case $status in
		0) passed=$((passed + 1)) ;;
		77) ;;
		*) failed=$((failed + 1)) ;;
		esac
	done
	[ $failed = 0 ] || exit 1
	[ $passed != 0 ] || exit 77
	exit 0
}

rig_need pipewire wireplumber dbus-daemon jq pw-dump pw-record
