#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# weir top, in a terminal: what it shows of nodes, and that it follows the terminal's size.

. "$(dirname "$0")/watch-rig.sh"
. "$(dirname "$0")/terminal-rig.sh"

rig_need pw-cli pw-link pw-play sox script
terminal_need
reporter=${WEIR_REPORTER:?the built tests/reporter.c}

bands() {
	seq -s, -62 2 -2 && echo
}

analysis_start() { # NODE
	process_start analysis "$reporter" "$1" peak=-6.02,-12 peak_max=-3.1,-4 rms=-20.5,-30 tp=-6,-12 \
		tp_max=-3,-4 crest=14,18 m=-23.1 s=-22.8 i=-23 lra=4.2 laf=-30.2,-31 las=-31,-32 \
		"oct3=$(bands),$(bands)" f0=442 f0_conf=0.93 bpm=120.04 bpm_conf=0.8 vad=1 \
		centroid=1234.5 mfcc=1,2,nan,inf beat@0.01
	wait_for "$1" 10 node_id "$1"
}

test_an_analysis_is_shown() {
	rig_start
	analysis_start analysis
	terminal_start "weir top analysis"
	wait_for "the levels" 10 shows '^ +1 [█▉▊▋▌▍▎▏]+ .* -20\.5 +-6\.0 +-3\.1$'
	check "the second channel's" shows '^ +2 [█▉▊▋▌▍▎▏]+ .* -30\.0 +-12\.0 +-4\.0$'
	check "a held peak" shows '^ +1 [█▉▊▋▌▍▎▏]+ +\| '
	check "the scale" shows '^ +-60 +-50 +-40 +-30 +-20 +-10 +0 '
	check "the loudness" shows 'Loudness +M +-23\.1 +S +-22\.8 +I +-23\.0 +LRA +4\.2'
	check "the weighted levels" shows 'Level dB +A +-30\.2 +slow +-31\.0 '
	check "the spectrum" shows '[▁▂▃▄▅▆▇█]{20}'
	check "its frequencies" shows '31 +63 +125 +250 +500 +1k +2k +4k +8k +16k'
	check "the pitch" shows 'Pitch +442\.0 Hz +A4 +\+8 \(0\.93\)'
	check "the tempo" shows 'Tempo +120\.0 bpm \(0\.80\)'
	check "the voice" shows 'Voice +speech'
	check "other fields by name" shows 'centroid +(1234|1235) .* mfcc +1 2 -- --'
	check "events" shows 'beat [0-9]+'
	check "the last row" row_shows 24 'q quit'
	terminal send-keys -t top r
	wait_for "what no node counts anew, the page does" 5 shows '^ +1 [█▉▊▋▌▍▎▏]+ .* -20\.5 +-6\.0 +-6\.0$'
	terminal resize-window -t top -x 120 -y 40
	wait_for "it fills a larger terminal" 5 row_shows 40 'q quit'
	wait_for "with a longer meter" 5 shows '^ +1 .{85,} -20\.5 +-6\.0 +-6\.0$'
	terminal resize-window -t top -x 80 -y 10
	wait_for "and a small one" 5 row_shows 10 'q quit'
	wait_for "which keeps the levels" 5 shows '^ +1 [█▉▊▋▌▍▎▏]+ .* -20\.5 +-6\.0'
	terminal resize-window -t top -x 30 -y 5
	wait_for "one too small is told" 5 shows 'too small: enlarge to 80x24'
	terminal resize-window -t top -x 80 -y 24
	wait_for "the levels again" 5 shows '^ +1 [█▉▊▋▌▍▎▏]+ .* -20\.5 +-6\.0'
	process_stop analysis
	wait_for "the node's end is told" 5 shows 'No node "analysis" reports\.'
	analysis_start analysis
	wait_for "its return, too" 5 shows '^ +1 [█▉▊▋▌▍▎▏]+ .* -20\.5 +-6\.0'
	terminal send-keys -t top q
	wait_for "q ends it" 5 shows 'ended with 0'
}

# analyze_start NODE [UNIT]: weir.analyze, into the speaker.
analyze_start() {
	rig_write pipewire/pipewire.conf.d/50-weir.conf <<<'context.spa-libs = { weir.* = weir/libspa-weir }'
	rig_start
	pitch_create analysis analyze
	pw-link analysis:out-l speaker:playback_FL
}

# loud_then_quiet_start: 2 s of a tone at -6 dB, then at -26 dB, into the analysis.
loud_then_quiet_start() {
	sox -n -r 48000 -c 2 -b 32 -e float "$rig_dir/loud.wav" synth 2 sine 1000 gain -n -6
	sox -n -r 48000 -c 2 -b 32 -e float "$rig_dir/quiet.wav" synth 90 sine 1000 gain -n -26
	sox "$rig_dir/loud.wav" "$rig_dir/quiet.wav" "$rig_dir/both.wav"
	process_start player pw-play -P '{ node.name = player node.autoconnect = false }' "$rig_dir/both.wav"
	wait_for "the player's ports" 10 pw-link player:output_FL analysis:in-l
	pw-link player:output_FR analysis:in-r
}

test_maxima_are_held() {
	analyze_start
	terminal_start "weir top analysis"
	wait_for "the page" 10 shows 't [0-9.]+ s$'
	loud_then_quiet_start
	wait_for "the quiet part" 20 shows 'Level dB +A +-26\.0 '
	check "the highest levels" shows 'Max dB +A +-6\.0 +slow +-6\.[0-9] +C +-6\.[0-9] +slow +-6\.'
}

is_not_resetting() {
	node_get analysis '.info.params.Props[0].params | .[index("analyze:reset") + 1] == false'
}

test_r_begins_all_maxima_anew() {
	analyze_start
	terminal_start "weir top analysis"
	wait_for "the page" 10 shows 't [0-9.]+ s$'
	loud_then_quiet_start
	wait_for "the quiet part" 20 shows 'Level dB +A +-26\.0 +slow +-26\.'
	check "the loud part's peaks" shows '^ +1 .* -26\.0 +-6\.0$'
	terminal send-keys -t top r
	wait_for "new peaks" 5 shows '^ +1 .* -26\.0 +-26\.0$'
	wait_for "new levels" 5 shows 'Max dB +A +-26\.0 +slow +-26\.'
	wait_for "new true peaks" 5 shows 'Peak dB +true +-26\.0 max +-26\.'
	wait_for "new loudness" 5 shows 'I +-26\.0 .* Mmax +-26\.0'
	wait_for "the control is off again" 5 is_not_resetting
	terminal send-keys -t top r q
	wait_for "q ends it" 5 shows 'ended with 0'
	wait_for "and leaves the control off" 5 is_not_resetting
	pw-cli set-param analysis Props '{ params = [ "analyze:reset" true ] }' >/dev/null
	process_stop player
	process_start player pw-play -P '{ node.name = player node.autoconnect = false }' "$rig_dir/both.wav"
	wait_for "the player again" 10 pw-link player:output_FL analysis:in-l
	terminal respawn-pane -k -t top "weir top analysis; echo ended with \$?; sleep 60"
	wait_for "the loud part" 10 shows '^ +1 .* -6\.0$'
	wait_for "the quiet part" 10 shows '^ +1 .* -26\.0 +-6\.0$'
	sleep 1
	terminal send-keys -t top r
	wait_for "it forgets also when the control was on" 5 shows '^ +1 .* -26\.0 +-26\.0$'
}

test_a_calibration_moves_scales() {
	analyze_start
	loud_then_quiet_start
	terminal_start "weir top analysis"
	wait_for "the quiet part" 20 shows 'Level dB +A +-26\.0 +slow +-26\.'
	check "the spectrum's scale" shows ' 0 dB$'
	terminal capture-pane -p -t top >"$rig_dir/before"
	pw-cli set-param analysis Props '{ params = [ "analyze:calibration-db" 114.0 ] }' >/dev/null
	wait_for "sound pressure levels" 5 shows 'Level dB +A +88\.0 '
	wait_for "a scale of them" 5 shows ' 114 dB$'
	check "its other end" shows ' 24 dB$'
	wait_for "maxima of them" 5 shows 'Max dB +A +88\.0 '
	check "meters of dBFS" shows '^ +1 .* -26\.0 +-26\.0 +-6\.0$'
	for row in '^ +1 ' '▁▁|▂▂|▃▃|▄▄|▅▅|▆▆|▇▇'; do
		check "the same bars in rows of $row" diff <(grep -E "$row" "$rig_dir/before" | sed 's/ [0-9-]* dB$//') \
			<(terminal capture-pane -p -t top | grep -E "$row" | sed 's/ [0-9-]* dB$//')
	done
	pw-cli set-param analysis Props '{ params = [ "analyze:calibration-db" 0.0 ] }' >/dev/null
	wait_for "maxima of full scale again" 5 shows 'Max dB +A +-26\.0 '
}

test_what_is_no_longer_reported_is_blank() {
	analyze_start
	loud_then_quiet_start
	terminal_start "weir top analysis"
	terminal resize-window -t top -x 100 -y 40
	wait_for "the quiet part" 20 shows 'Level dB +A +-26\.0 '
	wait_for "the range" 5 shows 'LRA +[0-9]'
	check "levels" shows 'Level dB +A +-[0-9]+'
	check "the spectrum" shows '[▁▂▃▄▅▆▇█]{10}'
	wait_for "the pitch" 5 shows 'Pitch +1000\.'
	wait_for "the other fields" 5 shows 'centroid +0\.0'
	terminal send-keys -t top r
	wait_for "no range after a reset" 2 shows 'LRA +--'
	wait_for "the range is known again" 10 shows 'LRA +[0-9]'
	pw-cli set-param analysis Props '{ params = [ "analyze:loudness" false "analyze:thirds" false
		"analyze:pitch" false "analyze:features" false ] }' >/dev/null
	wait_for "no loudness" 3 shows 'Loudness +M +-- +S +-- +I +-- +LRA +-- +Mmax +-- +Smax +--'
	wait_for "no spectrum" 3 not shows '[▁▂▃▄▅▆▇█]{10}.*[▁▂▃▄▅▆▇█] *$'
	check "no pitch" shows 'Pitch +-- '
	check "no features" shows 'centroid +--'
	check "levels as before" shows '^ +1 .* -26\.0 +-26\.0 +-26\.0$'
	pw-cli set-param analysis Props '{ params = [ "analyze:levels" false ] }' >/dev/null
	wait_for "no levels" 3 shows '^ +1 +-- +-- +--$'
	check "no weighted ones" shows 'Level dB +A +-- +slow +-- '
	check "no maxima of them" shows 'Max dB +A +-- +slow +-- '
}

test_every_node_has_a_page() {
	rig_write pipewire/pipewire.conf.d/50-weir-capture.conf <<-'END'
	context.modules = [ { name = libpipewire-module-weir-capture args = {
		capture.name = app capture.mode = tap capture.match = [ { node.name = player } ]
	} } ]
	END
	graph_start
	bursts_start
	pitch_create weir.align align
	pw-link player:output_FL weir.align:mic-1
	pw-link player:output_FR weir.align:mic-2
	terminal_start "weir top"
	wait_for "all nodes" 10 row_shows 1 'weir top  1 .* 2 .* 3 '
	terminal send-keys -t top q
	wait_for "q ends it" 5 shows 'ended with 0'
	terminal respawn-pane -k -t top "weir top weir.align; echo ended with \$?; sleep 60"
	wait_for "an alignment" 20 shows 'Alignment +(searching|LOCKED|coasting|one microphone only)'
	check "weights and SNR" shows '^ +1 .* [0-9.]+ +-?[0-9.]+ dB'
	check "no lag yet" shows '^ +2 .* dB +-- +--'
	process_start mics "$reporter" mics delay_s=0.0123 sro_ppm=-45 locked=1 confidence=0.75 \
		polarity=1 state=1 weight1=0.6 weight2=0.4 snr1=21 snr2=18.5
	wait_for "another node" 5 row_shows 1 ' 4 mics$'
	terminal send-keys -t top 4
	wait_for "the lock" 5 shows 'Alignment +LOCKED +confidence +[█▉▊▋▌▍▎▏]+ +0\.75'
	check "lag and drift" shows '^ +2 +[█▉▊▋▌▍▎▏]+ +0\.40 +18\.5 dB +12\.300 ms +-45\.0 ppm$'
	for key in Tab Tab Tab; do
		terminal send-keys -t top $key
		sleep 0.3
		! shows 'semitones' || break
	done
	check "a pitch node's fields" shows 'semitones +0'
	wait_for "and events" 5 shows 'onset [0-9]+'
	for key in Left Left Left; do
		! shows 'PID +stream' || break
		terminal send-keys -t top $key
		sleep 0.3
	done
	check "what is captured" shows 'Capture +(captured|waiting|silent-paused)'
	process_stop wireplumber
	process_stop pipewire
	wait_for "the daemon's end is told" 5 shows 'The connection to PipeWire is lost'
	terminal send-keys -t top C-c
	wait_for "Ctrl-C ends it" 5 shows 'ended with 0'
}

test_every_width_is_used() {
	rig_start
	analysis_start analysis
	terminal_start "weir top analysis"
	wait_for "two columns for each band" 10 shows '^ +[▁▂▃▄▅▆▇█]{3,62} -90 dB$'
	terminal resize-window -t top -x 200 -y 40
	wait_for "more in a wide terminal" 5 shows '[█]{100} *.* -90 dB$'
	check "their frequencies" shows '31 {16}63 {16}125 {15}250 {15}500 {15}1k '
	terminal resize-window -t top -x 40 -y 24
	wait_for "one in a narrow one" 5 shows '[▁▂▃▄▅▆▇█]{3,31} -90$'
	check "fewer frequencies" shows '^ +31 +125 +500 +2k +8k$'
	check "a scale with fewer levels" row_shows 3 '^ +-60 +0 +RMS '
	check "a field in a row" shows '^ centroid +(1234|1235)$'
	check "numbers that are whole" shows 'Loudness +M +-23\.1 S +-22\.8 …$'
	terminal resize-window -t top -x 60 -y 24
	wait_for "more levels" 5 row_shows 3 '^ +-60 +-40 +-20 +0 +RMS '
}

test_a_wrong_name_ends_it() {
	rig_start
	analysis_start analysis
	process_start mics "$reporter" mics semitones=3
	wait_for "two nodes" 10 node_id mics
	process_start player pw-play -P '{ node.name = player node.autoconnect = false }' /dev/zero --raw
	wait_for "a player" 10 node_id player
	check "one that is not there" says 1 '^weir top: there is no node "nosuch"\. Nodes to show: analysis, mics' \
		weir top nosuch
	check "a sink" says 1 '^weir top: speaker has no report\. To measure it: weir watch --target speaker$' \
		weir top speaker
	check "a player" says 1 '^weir top: player has no report\. Nodes to show: analysis, mics$' weir top player
	check "before the page" not grep -q $'\e' <(script -qec 'weir top nosuch' /dev/null)
	terminal_start "weir top $(node_id mics)"
	wait_for "a node by its id" 5 shows 'semitones +3'
	process_stop mics
	wait_for "its end is told" 5 shows 'No node "mics" reports\. Waiting\. Other nodes: analysis$'
	terminal send-keys -t top Tab
	wait_for "the first of those that are there" 5 shows ' -20\.5 +-6\.0'
}

test_lists_end_with_an_ellipsis() {
	rig_start
	for name in analysis-{of-the-output,of-a-microphone,of-an-application,that-is-last}; do
		process_start "$name" "$reporter" "$name" "semitones=${#name}" "mfcc=$(seq -s, 1.111 14)"
		wait_for "$name" 10 node_id "$name"
	done
	terminal_start "weir top analysis-of-the-output"
	wait_for "the first nodes" 10 row_shows 1 '^ weir top  1 analysis-of-the-output   2 .*…$'
	wait_for "whole numbers" 5 shows '^ semitones +22 .* mfcc +1\.111 2\.111 3\.111 …$'
	terminal send-keys -t top 4
	wait_for "the last one" 5 row_shows 1 ' 4 analysis-that-is-last$'
	wait_for "its page" 5 shows '^ .*semitones +21'
	process_stop analysis-that-is-last
	wait_for "what there is" 5 shows 'Other nodes: analysis-of-.*…$'
}

# Of 300 bytes, in Latin 1, and with what a terminal obeys.
test_names_of_any_kind_are_shown() {
	local key long bad=$'bad\xf6\e[31mname'
	long=$(printf 'ö%.0s' {1..150})
	rig_start
	process_start long "$reporter" "$long" semitones=1
	process_start bad "$reporter" "$bad" semitones=2
	terminal_start "weir top"
	wait_for "a node" 10 shows '^ semitones +[12]$'
	terminal send-keys -t top 1
	terminal resize-window -t top -x 200 -y 24
	wait_for "both" 10 row_shows 1 '^ weir top .* ö{150}( |$)'
	check "the other one" row_shows 1 ' [12] bad\?\?\[31mname( |$)'
	terminal resize-window -t top -x 80 -y 24
	wait_for "as much as there is room for" 5 row_shows 1 'ö{40,}…$'
	for key in 1 2; do
		terminal send-keys -t top $key
		wait_for "page $key" 5 shows "^ semitones +[12]\$"
	done
	terminal resize-window -t top -x 200 -y 24
	process_stop bad
	process_stop long
	wait_for "the end of both is told" 5 shows 'No node "(ö{150}|bad\?\?\[31mname)" reports'
}

# are_captured COUNT: is the property JSON, with so many names in UTF-8?
are_captured() {
	node_prop weir.capture.app weir.capture.streams |
		jq -e --argjson count "$1" --arg long "$long" 'length == $count
			and any(.[]; .name == $long) and any(.[]; .name == "bad?name \"2\"")'
}

test_programs_of_any_name_are_shown() {
	local long
	long=$(printf 'ö%.0s' {1..150})
	rig_write pipewire/pipewire.conf.d/50-weir-capture.conf <<-'END'
	context.modules = [ { name = libpipewire-module-weir-capture args = {
		capture.name = app capture.mode = tap capture.match = [ { test.name = true } ]
	} } ]
	END
	rig_start
	sox -n -r 48000 -c 2 "$rig_dir/tone.wav" synth 60 sine 440 gain -20
	cp "$(command -v pw-cat)" "$rig_dir/"$'bad\xf6name "2"'
	process_start bad "$rig_dir/"$'bad\xf6name "2"' -p -P '{ test.name = true }' "$rig_dir/tone.wav"
	process_start long pw-play -P "{ test.name = true application.name = \"$long\" }" "$rig_dir/tone.wav"
	wait_for "both are captured" 10 are_captured 2
	terminal_start "weir top weir.capture.app"
	wait_for "the bad name" 5 shows ' bad\?name "2"$'
	check "the long one" shows ' ö{50,}…$'
}

test_nodes_of_one_name_have_pages() {
	rig_start
	process_start one "$reporter" twin semitones=1
	wait_for "the first" 10 node_id twin
	process_start two "$reporter" twin centroid=2
	wait_for "two nodes" 10 has_nodes twin 2
	terminal_start "weir top twin"
	wait_for "their ids" 10 row_shows 1 ' 1 twin \([0-9]+\)   2 twin \([0-9]+\)$'
	wait_for "the first page" 5 shows '^ semitones +1$'
	terminal send-keys -t top Right
	wait_for "the second" 5 shows '^ centroid +2$'
	terminal send-keys -t top Left
	wait_for "the first again" 5 shows '^ semitones +1$'
	terminal send-keys -t top 2
	wait_for "the second by its number" 5 shows '^ centroid +2$'
	process_stop two
	wait_for "when it goes, the other one of its name" 5 shows '^ semitones +1$'
	terminal send-keys -t top q
	wait_for "q ends it" 5 shows 'ended with 0'
	process_start two "$reporter" twin centroid=2
	wait_for "two nodes" 10 has_nodes twin 2
	terminal respawn-pane -k -t top "weir top $(node_ids twin | tr -d '"' | cut -d , -f 2); echo ended with \$?; sleep 60"
	wait_for "a page by its id" 5 shows '^ centroid +2$'
}

# What a port sends goes on until the daemon has unlinked it.
test_a_page_has_nothing_of_the_page_before() {
	local i
	rig_start
	process_start one "$reporter" one semitones=1
	wait_for "the first" 10 node_id one
	process_start two "$reporter" two centroid=2
	wait_for "the second" 10 node_id two
	terminal_start "weir top one"
	for i in {1..40}; do
		wait_for "the first page, $i" 5 shows '^ semitones +1$'
		! shows centroid || check "nothing of the second" false
		terminal send-keys -t top Tab
		wait_for "the second page, $i" 5 shows '^ centroid +2$'
		! shows semitones || check "nothing of the first" false
		terminal send-keys -t top Tab
	done
}

# They would be drawn over, and gone with the page.
test_ctrl_z_leaves_the_graph() {
	local bars='^ +1 [█▉▊▋▌▍▎▏]+ .* -20\.5 +-6\.0 +-3\.1$'
	rig_start
	analysis_start analysis
	terminal_start "bash --norc -i"
	terminal send-keys -t top "weir top analysis" Enter
	wait_for "the page" 10 shows "$bars"
	check "it is in the graph" node_id weir-top
	terminal send-keys -t top C-z
	wait_for "the shell" 5 shows 'Stopped'
	check "it left the graph" not node_id weir-top
	terminal send-keys -t top fg Enter
	wait_for "the page again" 10 shows "$bars"
	terminal send-keys -t top q
	wait_for "the shell again" 5 not node_id weir-top
}

test_messages_stay_to_be_read() {
	local files
	rig_start
	analysis_start analysis
	terminal_start "PIPEWIRE_DEBUG=pw.context:D weir top analysis"
	wait_for "the page" 10 shows '^ +1 [█▉▊▋▌▍▎▏]+ .* -20\.5 +-6\.0 +-3\.1$'
	check "in its place" row_shows 1 '^ weir top  1 analysis *$'
	check "the latest message" row_shows 23 '^ \[D\].* pw\.context '
	terminal resize-window -t top -x 80 -y 60
	terminal send-keys -t top q
	wait_for "q ends it" 5 shows 'ended with 0'
	check "all messages" shows '^\[D\].* pw\.context '
	for files in 16 17 18 19; do
		terminal respawn-pane -k -t top "sh -c 'ulimit -n $files; weir top analysis'; echo ended with \$?; sleep 60"
		wait_for "what ended it, with $files files" 10 shows '^weir top: .+'
		wait_for "and its status" 5 shows 'ended with 1'
	done
}

test_the_size_is_that_of_the_terminal() {
	local size
	rig_start
	analysis_start analysis
	for size in 'LINES=10 COLUMNS=40' 'LINES=100 COLUMNS=100000' 'LINES=-5 COLUMNS=x' 'LINES= COLUMNS='; do
		if process_is_running tmux; then
			terminal respawn-pane -k -t top "$size weir top analysis; echo ended with \$?; sleep 60"
		else
			terminal_start "$size weir top analysis"
		fi
		wait_for "the last row, with $size" 10 row_shows 24 '^ q quit'
		check "the first one" row_shows 1 '^ weir top  1 analysis *$'
		terminal send-keys -t top q
		wait_for "its end" 5 shows 'ended with 0'
	done
}

test_without_a_terminal_it_says_so() {
	rig_start
	check "no terminal" grep -q '^weir top: standard input and output must be a terminal' \
		<(weir top 2>&1 </dev/null)
	check "one that cannot" grep -q '^weir top: cannot draw on a terminal of type TERM=nonsense' \
		<(TERM=nonsense script -qec 'weir top' /dev/null)
	check "one without a cursor" grep -q '^weir top: cannot draw on a terminal of type TERM=dumb' \
		<(TERM=dumb script -qec 'weir top' /dev/null | tr -d '\r')
	check "which ends it" not env TERM=dumb script -qec 'weir top' /dev/null
	check "an argument too many" grep -q '^weir top: unexpected argument "b"' <(weir top a b 2>&1)
}

tests_run "$@"
