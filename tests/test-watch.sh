#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# weir watch: what it prints and sends of a running node, and that it holds nothing up.

. "$(dirname "$0")/watch-rig.sh"

examples=${WEIR_EXAMPLES:?the folder of the built examples}
reporter=${WEIR_REPORTER:?the built tests/reporter.c}
sources=$(dirname "${WEIR_CONF_DIR:?the folder conf}")/examples
rig_need pw-cli pw-link pw-play sox python3

# watch_start NAME ARGUMENT...: lines to NAME.jsonl, messages to NAME.log.
watch_start() {
	measure_begin
	process_start "$1" sh -c 'out=$1 && shift && exec weir watch "$@" >>"$out"' sh "$rig_dir/$1.jsonl" "${@:2}"
}

# pipe_start NAME READER NODE: what reads NODE, into NAME.jsonl through the command READER.
pipe_start() {
	mkfifo "$rig_dir/$1.pipe"
	process_start "$1-reader" sh -c "$2" sh "$rig_dir/$1.pipe" "$rig_dir/$1.jsonl"
	process_start "$1" sh -c 'exec weir watch "$1" >"$2"' sh "$3" "$rig_dir/$1.pipe"
}

# all_lines FILE FILTER: is every line JSON for which jq's FILTER holds?
all_lines() {
	[ -s "$1" ] && jq -es "all(.[]; $2)" "$1"
}

ends_quietly() {
	local messages
	messages=$({ "$sources/read-json" <"$rig_dir/all.jsonl" | head -n 1 >/dev/null; } 2>&1) || true
	[ -z "$messages" ]
}

# whole_lines FILE: without a last one that is not complete.
whole_lines() {
	sed -n '/}$/p' "$1" >"$1.whole"
	echo "$1.whole"
}

test_lines_are_json_with_the_time_of_the_graph() {
	graph_start
	bursts_start
	watch_start all
	watch_start only weir.pitch --json --only onset
	watch_start thin weir.pitch --rate 5
	pipe_start json "exec '$sources/read-json' <\"\$1\" >\"\$2\"" weir.pitch
	wait_for "three events" 20 has_lines "$rig_dir/all.jsonl" 3 '.ev == "onset"'
	wait_for "the example reads events" 10 grep -Eq '^onset at [0-9.]+ s$' "$rig_dir/json.jsonl"
	check "and fields" grep -Eq '^[0-9.]+ s: semitones=0$' "$rig_dir/json.jsonl"
	check "and ends without a word when nobody reads it" ends_quietly
	process_stop all INT
	check "Ctrl-C ends it with status 0" [ "$process_status" = 0 ]
	process_stop only
	check "TERM as well" [ "$process_status" = 0 ]
	process_stop thin
	process_stop json
	check "every line is JSON, with a time" all_lines "$rig_dir/all.jsonl" '.t > 0'
	check "with the fields by name" has_lines "$rig_dir/all.jsonl" 50 '.semitones == 0'
	check "with when an event was" all_lines "$rig_dir/only.jsonl" '.ev == "onset" and .at <= .t and .at > .t - 0.2'
	check "one in 10 ms" jq -es '[.[] | select(.semitones) | .t] | [.[1:], .[:-1]] | transpose
		| map(.[0] - .[1]) | (map(select(. > 0.0099 and . < 0.0101)) | length) > 0.9 * length' \
		"$rig_dir/all.jsonl"
	check "one in 0.2 s with --rate 5" jq -es '[.[] | select(.semitones) | .t] | [.[1:], .[:-1]] | transpose
		| map(.[0] - .[1]) | length > 3 and all(.[]; . > 0.18)' "$rig_dir/thin.jsonl"
	check "with all events" has_lines "$rig_dir/thin.jsonl" 2 '.ev == "onset"'
}

# The recorder and the player are linked last, so that every frame is heard.
test_a_stopped_reader_holds_nothing_up() {
	local i
	sound ramp "$rig_dir/ramp.wav" 5 48000 1
	graph_start
	pitch_create mono pitch-mono
	for i in 1 2 3 4 5 6 7 8; do
		watch_start "watch-$i" mono
	done
	pw-link mono:out-mono speaker:playback_FL
	for i in 1 2 3 4 5 6 7 8; do
		wait_for "reader $i" 10 has_reader_links "$i"
	done
	record_start after speaker
	process_start player pw-play -P '{ node.name = player node.autoconnect = false }' "$rig_dir/ramp.wav"
	wait_for "the player" 10 pw-link player:output_MONO mono:in-mono
	wait_for "reports" 5 has_lines "$rig_dir/watch-1.jsonl" 20 '.semitones == 0'
	kill -STOP "${process_pids[watch-1]}"
	process_stop watch-2 KILL
	sleep 2
	kill -CONT "${process_pids[watch-1]}"
	wait_for "the stopped one tells what it lost" 10 has_lines "$rig_dir/watch-1.jsonl" 1 '.lost > 100 and .lost < 400'
	wait_for "in words, too" 5 process_said watch-1 '^weir watch: [0-9]+ reports lost: weir watch was suspended or late'
	wait_for "the player to end" 15 not process_is_running player
	sleep 0.3
	record_stop after
	sox "$rig_dir/after.wav" -b 32 -e float "$rig_dir/left.wav" remix 1
	check "every frame arrives as it was" sound compare "$rig_dir/ramp.wav" "$rig_dir/left.wav"
	for i in 3 4 5 6 7 8; do
		process_stop "watch-$i"
		check "reader $i has heard it all" has_lines "$rig_dir/watch-$i.jsonl" 450 '.semitones == 0'
	done
}

# The bursts are 0.1 s of 0.5 s: the hop at which a line is due is mostly silent.
test_a_thin_line_has_the_highest_of_all_hops() {
	graph_start
	pitch_create meter analyze
	bursts_start
	pw-link player:output_FL meter:in-l
	pw-link player:output_FR meter:in-r
	watch_start thin meter --rate 1.3 --only peak,tp,laf_max,rms
	wait_for "some lines" 20 has_lines "$rig_dir/thin.jsonl" 8 .rms
	process_stop thin
	sed -i '1,2d' "$rig_dir/thin.jsonl"
	check "peaks" all_lines "$rig_dir/thin.jsonl" '.peak[0] > -6.5 and .tp[1] > -6.5'
	check "maxima of levels" all_lines "$rig_dir/thin.jsonl" '.laf_max[0] > -20'
	check "other fields are the hop's" has_lines "$rig_dir/thin.jsonl" 1 '.rms[0] < -100'
}

# Of the bursts: events of clipping and speech are not among them.
has_all_fields() { # NAMES
	jq -es --arg names "$1" '($names | split(" ")) - ["clip", "speech_start", "speech_end"]
		- (map(.ev // empty) + map(keys) | flatten) == []' "$rig_dir/all.jsonl"
}

set_groups() { # VALUE GROUP...
	pw-cli >/dev/null set-param meter Props "{ params = [ $(printf "\"analyze:%s\" $1 " "${@:2}") ] }"
}

test_groups_are_names_of_their_fields() {
	local groups=(levels loudness thirds features rhythm pitch voice)
	graph_start
	pitch_create meter analyze
	bursts_start
	pw-link player:output_FL meter:in-l
	pw-link player:output_FR meter:in-r
	watch_start all meter --only "$(IFS=, && echo "${groups[*]}")"
	wait_for "every field is in a group" 20 has_all_fields "$(node_prop meter weir.report)"
	weir watch meter --only level >"$rig_dir/wrong" 2>&1 || true
	check "a wrong name lists all in lines of 80" awk 'length > 80 { exit 1 }
		/^weir watch: meter reports no "level". It reports: peak / { a = 1 }
		/^  in groups: levels loudness thirds features rhythm pitch voice$/ { b = 1 }
		END { exit !(a && b && NR > 5) }' "$rig_dir/wrong"
	watch_start some meter --only 'loudness , pitch'
	wait_for "fields of two groups" 10 has_lines "$rig_dir/some.jsonl" 20 .i
	check "and no others" all_lines "$rig_dir/some.jsonl" 'keys - ["t","m","s","i","lra","m_max","s_max","f0","f0_conf"] == []'
	set_groups false loudness
	watch_start off meter --only m,s
	watch_start events meter --only onset
	wait_for "what does not come is told" 10 process_said off '^weir watch: meter reports, but not m, s: no value yet, or the group is off\. Check with: pw-cli enum-params [0-9]+ Props'
	set_groups true loudness
	wait_for "until it comes" 10 has_lines "$rig_dir/off.jsonl" 20 .m
	set_groups false rhythm
	sleep 3
	check "events are rare" not process_said events 'reports, but'
	set_groups false "${groups[@]}"
	wait_for "nothing at all is told" 10 process_said events '^weir watch: meter (runs but reports nothing|reports, but)'
}

has_reader_links() { # COUNT
	graph --argjson count "$1" '[.[] | select(.type == "PipeWire:Interface:Node"
		and .info.props["node.name"] == "weir-watch")] | length >= $count'
	has_links mono weir-watch "$1" || has_links mono weir-watch 8
}

# What is in the pipe and in the ring is kept; then whole hops are left out.
# The sound server makes no link and starts no device while a program owes it an answer.
test_a_stopped_reader_holds_up_no_new_node() {
	graph_start
	bursts_start
	process_start watch weir watch weir.pitch
	wait_for "reports" 5 has_lines "$rig_dir/watch.log" 10 .t
	kill -STOP "${process_pids[watch]}"
	pw-cli >/dev/null destroy "$(node_id weir.pitch)"
	pitch_create weir.pitch
	check "it plays" timeout 5 pw-link weir.pitch:out-l speaker:playback_FL
	kill -CONT "${process_pids[watch]}"
}

test_a_reader_that_is_stopped_by_its_terminal_holds_up_no_sound() {
	rig_write pipewire/pipewire.conf.d/50-weir.conf <<-'END'
	context.spa-libs = { weir.* = weir/libspa-weir }
	context.objects = [ { factory = spa-node-factory args = {
		factory.name = weir.analyze node.name = analyze node.passive = true } } ]
	END
	rig_start
	timeout 1 pw-link speaker:monitor_FL analyze:in-l || true
	sox -n -r 48000 -c 2 "$rig_dir/tone.wav" synth 60 sine 440 gain -6
	process_start watch weir watch analyze
	process_start player pw-play "$rig_dir/tone.wav"
	wait_for "reports" 5 has_lines "$rig_dir/watch.log" 10 .t
	process_stop player
	wait_for "silence" 5 node_get speaker '.info.state == "idle"'
	kill -TSTP "${process_pids[watch]}"
	wait_for "it to stop" 5 grep -q 'State:.T' "/proc/${process_pids[watch]}/status"
	process_start player pw-play "$rig_dir/tone.wav"
	wait_for "the tone is heard" 5 node_get speaker '.info.state == "running"'
	kill -CONT "${process_pids[watch]}"
	wait_for "it tells what is missing" 5 process_said watch 'was suspended: the reports'
	wait_for "and reads on" 5 grows "$rig_dir/watch.log"
}

# grows FILE: does it, while we look?
grows() {
	local size
	size=$(stat -c %s "$1")
	sleep 0.3
	(($(stat -c %s "$1") > size))
}

test_who_reads_slowly_loses_whole_hops() {
	rig_start
	pw-metadata -n settings 0 clock.force-quantum 512 >/dev/null
	process_start reporter "$reporter" big "$(seq -s, 1 1800 | sed 's/^/many=/')"
	wait_for "the node" 10 node_id big
	pipe_start slow 'exec <"$1" >"$2"; sleep 3; exec cat' big
	pipe_start fast 'exec head -n 3 <"$1" >"$2"' big
	wait_for "who has enough ends us" 10 not process_is_running fast
	wait_for "what was lost is told" 20 has_lines "$rig_dir/slow.jsonl" 1 '.lost > 50'
	wait_for "and what follows" 10 has_lines "$rig_dir/slow.jsonl" 300 .many
	check "in words, too" process_said slow '^weir watch: [0-9]+ reports lost: weir watch was suspended or late'
	process_stop slow
	check "every line is whole" all_lines "$(whole_lines "$rig_dir/slow.jsonl")" \
		'(.many | length == 1800) or .lost'
	jq -c '{t, lost}' "$rig_dir/slow.jsonl.whole" >"$rig_dir/times.jsonl"
	check "every hop is there or counted" jq -es '(map(.lost // 1) | add)
		/ ((last.t - first.t) * 48000 / 512 + 1) | ., (. > 0.9 and . < 1.1)' "$rig_dir/times.jsonl"
}

test_nodes_come_and_go() {
	graph_start
	check "nobody reports by another name" says 124 \
		'^weir watch: no node "weir.pich" reports. Reporting now: weir.pitch. Waiting' \
		timeout 1 weir watch weir.pich
	pitch_create other
	check "one must be named" says 1 '^weir watch: several nodes report: (weir.pitch, other|other, weir.pitch). Name one' \
		weir watch
	watch_start idle other
	pipe_start left 'exec sleep 1 <"$1"' other
	wait_for "when nobody reads any more we end, also in silence" 10 not process_is_running left
	wait_for "silence is told" 10 process_said idle '^weir watch: other is idle: nothing is linked to other:in-l and its other inputs'
	check "nobody is kept awake" node_get other '.info.state != "running"'
	process_stop idle
	pw-cli destroy "$(node_id other)"
	check "a wrong field" says 1 '^weir watch: weir.pitch reports no "onse". It reports: semitones onset$' \
		weir watch weir.pitch --only semitones,onse
	check "a name that is missing" says 1 '^weir watch: --only: a name is missing' weir watch --only semitones,,onset
	check "also at the end" says 1 '^weir watch: --only: a name is missing' weir watch --only semitones,
	check "a wrong rate" says 1 '^weir watch: --rate 0: the rate must be a number from 0.001 to 1000 Hz' \
		weir watch --rate 0
	check "a wrong option" says 1 '^weir watch: unrecognized option' weir watch --nonsense
	check "a wrong command" says 1 '^weir: there is no command "wtch". weir --help lists all' weir wtch
	check "a unit without a target" says 1 '^weir watch: --unit needs --target' weir watch weir.pitch --unit pitch
	check "help is a command" sh -c 'weir help | grep "^usage: weir COMMAND"'
	for command in 'weir --version' 'weir -V' 'weir watch --version' 'weir plot -V'; do
		check "$command" sh -c "$command | grep -E '^weir [0-9.]+'"
	done
	check "a host that is not there" says 1 '^weir watch: --osc: cannot find the host "no.such.host.invalid" \(.*Write --osc HOST:PORT' \
		weir watch --osc no.such.host.invalid:9000
	check "IPv6" says 1 '^weir watch: --osc: "\[::1\]" is not an IPv4 address' weir watch --osc '[::1]:9000'
	check "a URL" says 1 '^weir watch: --osc: "osc.udp://localhost:9000" is a URL. Write --osc HOST:PORT' \
		weir watch --osc osc.udp://localhost:9000
	check "a sink that is not there" says 124 \
		'^weir watch: there is no sink or source "speeker". Sinks and sources: .*speaker' \
		timeout 1 weir watch --target speeker
	watch_start watch weir.pitch
	bursts_start
	wait_for "reports" 10 has_lines "$rig_dir/watch.jsonl" 10 .semitones==0
	pw-cli destroy "$(node_id weir.pitch)"
	wait_for "its end is told" 5 process_said watch '^weir watch: weir.pitch is gone. Waiting'
	pitch_create weir.pitch
	wait_for "its return, too" 5 process_said watch '^weir watch: weir.pitch is back$'
	: >"$rig_dir/watch.jsonl"
	pw-link player:output_FL weir.pitch:in-l
	pw-link weir.pitch:out-l speaker:playback_FL
	wait_for "reports again" 10 has_lines "$rig_dir/watch.jsonl" 10 .semitones==0
	process_stop player
	process_stop wireplumber
	: >"$rig_dir/watch.log"
	process_stop pipewire
	wait_for "the daemon's end is told" 5 process_said watch '^weir watch: the connection to PipeWire is lost. Waiting'
	check "no daemon" says 1 '^weir watch: no connection to PipeWire .*Is it running\?' weir watch weir.pitch
	process_start pipewire pipewire
	wait_for "PipeWire" 10 node_id speaker
	process_start wireplumber wireplumber
	wait_for "WirePlumber" 20 rig_is_ready
	pitch_create weir.pitch
	wait_for "we are back" 5 process_said watch '^weir watch: weir.pitch is back$'
	: >"$rig_dir/watch.jsonl"
	pw-link weir.pitch:out-l speaker:playback_FL
	bursts_start
	wait_for "reports once more" 10 has_lines "$rig_dir/watch.jsonl" 10 .semitones==0
}

test_a_rate_that_is_too_high_is_told() {
	graph_start
	bursts_start
	watch_start watch weir.pitch
	wait_for "reports" 10 has_lines "$rig_dir/watch.jsonl" 10 .semitones==0
	pw-metadata -n settings 0 clock.force-rate 768000 >/dev/null
	wait_for "what the node says" 10 process_said watch \
		'^weir watch: weir.pitch reports nothing, because its unit cannot run at 768000 Hz: sound passes through'
	pw-metadata -n settings 0 clock.force-rate 48000 >/dev/null
	: >"$rig_dir/watch.jsonl"
	wait_for "reports again" 10 has_lines "$rig_dir/watch.jsonl" 10 .semitones==0
}

test_nodes_of_one_name_have_ids() {
	local ids
	graph_start
	bursts_start
	watch_start first weir.pitch
	watch_start only
	wait_for "reports" 10 has_lines "$rig_dir/first.jsonl" 10 .semitones==0
	pitch_create weir.pitch
	wait_for "another one of its name" 5 has_nodes weir.pitch 2
	ids=$(node_ids weir.pitch | tr -d '"')
	check "ids are told: $ids" says 1 "^weir watch: 2 nodes are named \"weir.pitch\". Give the id of one: ${ids/,/, }\$" \
		weir watch weir.pitch
	check "also without a name" says 1 \
		"^weir watch: several nodes report: weir.pitch \\(${ids%,*}\\), weir.pitch \\(${ids#*,}\\). Name one" weir watch
	watch_start second "${ids%,*}"
	wait_for "an id is a name" 10 has_lines "$rig_dir/second.jsonl" 10 .semitones==0
	check "who read the first one goes on" process_is_running first
	check "also without a name" process_is_running only
	check "no output" says 1 '^weir watch: standard output is closed' sh -c 'exec weir watch weir.pitch >&-'
	check "an empty name" says 1 '^weir watch: the name of the node is empty' weir watch ''
	check "also of a target" says 1 '^weir watch: the name of the node is empty' weir watch --target ''
}

# Without a session manager the ports of a source come a second after it.
test_a_report_port_that_comes_later_is_waited_for() {
	local i
	graph_start
	process_stop wireplumber
	for i in 1 2 3; do
		pw-cli >/dev/null create-node spa-node-factory "{ factory.name = weir.pitch node.name = late-$i
			media.class = Audio/Source/Virtual object.linger = true }"
		watch_start "watch-$i" "late-$i"
		wait_for "its port" 5 has_links "late-$i" weir-watch 1
	done
}

# pitch_create_with ID: nodes, until one has this id.
pitch_create_with() {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		pitch_create "other-$i"
		[ "$(node_id "other-$i")" != "$1" ] || return 0
	done
	return 1
}

test_an_id_stands_for_the_node_that_had_it() {
	local id
	graph_start
	pitch_create named
	id=$(node_id named)
	watch_start watch "$id"
	wait_for "it is read" 10 has_links named weir-watch 1
	pw-cli destroy "$id"
	wait_for "its end is told" 5 process_said watch '^weir watch: named is gone'
	check "its id is another's" pitch_create_with "$id"
	pitch_create named
	wait_for "its return is told" 5 process_said watch '^weir watch: named is back'
	wait_for "it is read" 10 has_links named weir-watch 1
	check "nothing else was" sh -c "! grep -v 'named is' '$rig_dir/watch.log'"
}

test_what_measures_a_sink_is_not_chosen() {
	graph_start
	watch_start sink --target speaker
	wait_for "a node of ours" 10 has_links speaker weir.analyze.probe 2
	bursts_start
	watch_start only
	wait_for "one node is left" 10 has_lines "$rig_dir/only.jsonl" 10 .semitones==0
	check "it is not in lists" says 124 'Reporting now: weir.pitch. Waiting' timeout 1 weir watch nonsense
	watch_start named weir.analyze.probe
	wait_for "its name is one" 10 has_lines "$rig_dir/named.jsonl" 10 .rms
}

test_the_default_nodes_are_measured() {
	rig_start
	watch_start sink --target @DEFAULT_AUDIO_SINK@
	wait_for "it is measured" 10 has_links speaker weir.analyze.probe 2
	sink_start other FL,FR 'priority.session = 2000'
	wait_for "the next one, too" 10 has_links other weir.analyze.probe 2
	check "and only that" has_links speaker weir.analyze.probe 0
	check "it is told" process_said sink '^weir watch: other is @DEFAULT_AUDIO_SINK@ now$'
	watch_start source --target @DEFAULT_AUDIO_SOURCE@ --unit pitch
	node_start mic Audio/Source/Virtual FL,FR 'priority.session = 3000'
	wait_for "the default source, too" 10 has_links mic weir.pitch.probe 2
}

# As of two cards of one kind.
test_of_two_sinks_with_one_name_the_default_is_measured() {
	rig_start
	sink_start twin FL,FR 'priority.session = 2000'
	sink_start twin FL,FR 'priority.session = 2000'
	wait_for "two of them" 5 has_nodes twin 2
	watch_start sink --target @DEFAULT_AUDIO_SINK@
	wait_for "one of them is measured" 10 has_links twin weir.analyze.probe 2
	pw-cli destroy "$(node_id twin)"
	wait_for "one is left" 5 has_nodes twin 1
	wait_for "it is measured then" 10 has_links twin weir.analyze.probe 2
}

# channels_set CHANNELS: as when a card gets another profile: its ports go, others come.
channels_set() {
	local n
	n=$(awk -F, '{ print NF }' <<<"$1")
	pw-cli >/dev/null send-command "$(node_id speaker)" Suspend '{}'
	wait_for "no sound" 5 node_get speaker '.info.state == "suspended"'
	pw-cli >/dev/null set-param "$(node_id speaker)" PortConfig "{ direction: Input mode: dsp monitor: true
		format: { mediaType: audio mediaSubtype: raw format: F32P rate: 48000 channels: $n position: [ $1 ] } }"
	wait_for "$n channels" 5 node_get speaker ".info[\"n-input-ports\"] == $n"
}

# plays_into_watch NAME: does it read what begins to play now?
plays_into_watch() {
	process_start player pw-play "$rig_dir/tone.wav"
	: >"$rig_dir/$1.jsonl"
	wait_for "what it plays" 10 has_lines "$rig_dir/$1.jsonl" 20 '.rms[0] > -20'
	process_stop player
	wait_for "silence" 5 node_get speaker '.info.state != "running"'
}

# Ids are given again: the next port may have the id of one that is gone.
test_a_sink_is_measured_whatever_its_ports_do() {
	local i
	rig_start
	sox -n -r 48000 -c 2 "$rig_dir/tone.wav" synth 60 sine 440 gain -6
	watch_start sink --target speaker
	wait_for "a node of ours" 10 has_links speaker weir.analyze.probe 2
	plays_into_watch sink
	for i in 1 2 3 4 5; do
		channels_set FL,FR,RL,RR
		channels_set FL,FR
		wait_for "it is linked, $i" 10 has_links speaker weir.analyze.probe 2
		plays_into_watch sink
	done
	for i in 1 2 3; do
		pw-cli destroy "$(node_id speaker)"
		sink_start speaker
		wait_for "another one is linked, $i" 10 has_links speaker weir.analyze.probe 2
	done
	plays_into_watch sink
}

node_is_async() { # NODE VALUE
	[ "$(node_prop "$1" node.async)" = "$2" ]
}

test_the_graph_waits_for_readers_of_old_daemons_only() {
	local version async preload=${WEIR_OLD_DAEMON:?the built tests/old-daemon.c}
	pipewire() {
		WEIR_DAEMON_VERSION=$version LD_PRELOAD=$preload exec pipewire "$@"
	}
	while read -r version async; do
		graph_start
		watch_start watch weir.pitch
		wait_for "async is $async with $version" 10 node_is_async weir-watch "$async"
		rig_stop
	done <<-'END'
	0.3.65 false
	1.0.5 false
	1.2.0 true
	2.0.0 true
	END
}

# Of 300 bytes, in Latin 1, and with what a terminal obeys.
test_names_of_any_kind_are_told() {
	local long bad=$'bad\xf6\e[31mname'
	long=$(printf 'ö%.0s' {1..150})
	rig_start
	process_start long "$reporter" "$long" semitones=1
	process_start bad "$reporter" "$bad" semitones=2
	wait_for "the first" 10 node_id "$long"
	wait_for "the second" 10 has_reporters 2
	check "in messages" says 124 "Reporting now: ($long, )?bad\?\?\[31mname" timeout 1 weir watch nosuch
	watch_start watch "$long"
	wait_for "its reports" 10 has_lines "$rig_dir/watch.jsonl" 10 .semitones==1
	process_start receiver "$examples/receive-osc" "$RIG_PORT"
	process_start sender weir watch "$long" --osc "$RIG_PORT"
	wait_for "in OSC" 10 process_said receiver '^/weir/_{255}/all/semitones 1$'
	process_stop sender
	process_start sender weir watch "$bad" --osc "$RIG_PORT"
	wait_for "the other one" 10 process_said receiver '^/weir/bad__.31mname/all/semitones 2$'
	process_stop long
	wait_for "that it is gone" 5 process_said watch "^weir watch: $long is gone"
}

has_reporters() { # COUNT
	graph --argjson count "$1" '[.[] | select(.type == "PipeWire:Interface:Node"
		and .info.props["weir.report"] == "semitones")] | length == $count'
}

test_help_that_cannot_be_written_is_an_error() {
	local command
	for command in --help --version help 'watch --help' 'top --help' 'plot --help'; do
		[[ $command != top* ]] || weir --help | grep -q '^  top ' || continue
		check "$command" says 1 '^weir.*: cannot write to standard output: No space' sh -c "weir $command >/dev/full; exit \$?"
	done
}

test_an_option_is_there_once() {
	local option
	for option in --rate --target --unit --osc; do
		check "$option" says 1 "^weir watch: $option is given twice: $option 5 and $option 6$" \
			weir watch $option 5 $option 6
	done
}

test_numbers_are_checked() {
	local text
	for text in x "" 0 65536 " 9000" +9000 9000x 0x2328 -18446744073709542616; do
		check "the port \"$text\"" says 1 "^weir watch: --osc: \"[+]?${text#+}\" is not a port" \
			weir watch --osc "localhost:$text"
	done
	for text in x "" 0 -1 nan inf 1e9 1,5 "1 2"; do
		check "the rate \"$text\"" says 1 "^weir watch: --rate $text: the rate must be a number" weir watch --rate "$text"
	done
}

test_osc_arrives() {
	graph_start
	bursts_start
	process_start receiver "$examples/receive-osc" "$RIG_PORT"
	process_start sender weir watch weir.pitch --osc "localhost:$RIG_PORT"
	wait_for "a field" 10 process_said receiver '^/weir/weir.pitch/all/semitones 0$'
	wait_for "an event" 10 process_said receiver '^/weir/weir.pitch/all/onset 0\.[0-9]+$'
	process_stop receiver
	process_start receiver "$examples/receive-osc" "$RIG_PORT"
	sleep 0.3
	: >"$rig_dir/receiver.log"
	wait_for "a receiver that returns gets on" 10 process_said receiver '^/weir/weir.pitch/all/semitones 0$'
	process_stop sender
	check "status 0" [ "$process_status" = 0 ]
}

test_a_sink_is_measured_and_not_kept_awake() {
	local name
	rig_start
	watch_start sink --target speaker --unit pitch
	wait_for "a node of ours" 10 has_links speaker weir.pitch.probe 2
	wait_for "silence is told" 10 process_said sink '^weir watch: speaker is connected but idle'
	wait_for "the sink sleeps" 10 node_get speaker '.info.state != "running"'
	sox -n -r 48000 -c 2 "$rig_dir/tone.wav" synth 20 sine 440 gain -6
	process_start player pw-play "$rig_dir/tone.wav"
	wait_for "what it plays" 10 has_lines "$rig_dir/sink.jsonl" 20 '.semitones == 0'
	for name in a b c d; do
		watch_start $name --target speaker
		wait_for "a level" 10 has_lines "$rig_dir/$name.jsonl" 1 .rms
		process_stop $name
		check "the first line is not silence" sh -c "head -n 1 '$rig_dir/$name.jsonl' | jq -e '.rms[0] > -20'"
	done
	process_stop sink
	wait_for "the node goes with us" 5 not node_id weir.pitch.probe
	check "a unit that is not there" says 1 '^weir watch: there is no unit "nonsense". Units: pitch, .*analyze-8$' \
		weir watch --target speaker --unit nonsense
	check "a sink by itself" says 1 '^weir watch: speaker has no report. To measure it: weir watch --target speaker' \
		weir watch speaker
	check "what is no sink" says 1 '^weir watch: pw-play is neither a sink nor a source' \
		weir watch --target pw-play
}

tests_run "$@"
