#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# weir plot: pictures of what weir-run and weir watch write, and what it says when something is wrong.

. "$(dirname "$0")/rig.sh"

rig_need gnuplot sox python3

report_make() {
	cd "$rig_dir" || exit 1
	sox -n -r 48000 -c 2 -b 32 -e float burst.wav synth 0.1 sine 440 gain -6 pad 0 0.4
	sox burst.wav bursts.wav repeat 5
	weir-run pitch -s semitones=3 -r report.jsonl bursts.wav
}

# is_svg FILE TEXT...: well-formed, with these texts?
is_svg() {
	python3 - "$@" <<-'END'
	import sys, xml.etree.ElementTree as tree
	root = tree.parse(sys.argv[1]).getroot()
	assert root.tag == "{http://www.w3.org/2000/svg}svg", root.tag
	texts = ["".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text")]
	missing = [t for t in sys.argv[2:] if t not in texts]
	assert not missing, (missing, texts)
	END
}

# many_make: longer than the picture is wide, with a spectrum, and what is never or always the same.
many_make() {
	awk 'BEGIN { for (i = 0; i < 3000; i++) {
		printf "{\"t\":%.2f,\"none\":null,\"same\":3,\"two\":[%g,null],\"oct3\":[", i / 100, i % 7
		for (b = 0; b < 31; b++) printf "%s%d", b ? "," : "", -b
		print "]}"
		if (i % 100 == 50) printf "{\"t\":%.2f,\"ev\":\"beat\",\"at\":%.2f}\n", i / 100, i / 100 - 0.1
		if (i == 1500) print "{\"t\":15,\"lost\":12}"
	} }' >"$rig_dir/many.jsonl"
}

test_reports_become_pictures() {
	report_make
	check "nothing is said" [ -z "$(weir plot report.jsonl out.svg 2>&1)" ]
	check "an SVG with all fields and events" is_svg out.svg semitones onset events 't (s)'
	weir plot report.jsonl out.png
	check "a PNG" grep -q PNG <(head -c 8 out.png)
	many_make
	check "nothing is said of what is odd" [ -z "$(weir plot many.jsonl "it's.svg" 2>&1)" ]
	check "which is drawn" is_svg "it's.svg" none same two 'oct3, dB' beat lost
	weir plot --only two,beat - some.svg <many.jsonl
	check "only what was asked for" is_svg some.svg two beat
	check "nothing else" not is_svg some.svg 'oct3, dB'
}

# is_left_out LINE REPORT: told once, and the rest is drawn?
is_left_out() {
	local output
	printf %b "$2" >part.jsonl
	rm -f part.svg
	output=$(weir plot part.jsonl part.svg 2>&1) && is_svg part.svg && echo "$output" &&
		[ "$(wc -l <<<"$output")" = 1 ] && [[ $output == "weir plot: part.jsonl, line $1: "* ]]
}

# is_no_report REPORT
is_no_report() {
	printf %b "$1" >none.jsonl
	says 1 '^weir plot: none.jsonl, line 1: not a report' weir plot none.jsonl none.svg &&
		[ ! -e none.svg ]
}

test_what_is_left_out_is_told() {
	cd "$rig_dir" || exit 1
	check "a line that was cut off" is_left_out 2 '{"t":1,"a":3}\n{"t":2,"a":[1,'
	check "one that is none" is_left_out 1 'x\n{"t":1,"a":3}\n'
	check "one without a time" is_left_out 2 '{"t":1,"a":3}\n{"a":3}\n{"t":2,"ev":"b"}\n'
	printf %s\\n '{"t":1,"it'"'"'s":1}' '{"t":2,"it'"'"'s":2}' >quoted.jsonl
	check "nothing is odd about a quote" [ -z "$(weir plot quoted.jsonl quoted.svg 2>&1)" ]
	check "in a name" is_svg quoted.svg "it's"
	check "another count" is_left_out 2 '{"t":1,"a":3}\n{"t":2,"a":[1,2]}\n{"t":2,"a":[1,2]}\n'
	check "a name that is too long" is_left_out 1 "{\"t\":1,\"a\":3,\"$(printf 'x%.0s' {1..48})\":[1,2]}\n"
	check "not the rest of its line" is_svg part.svg a
	check "an event of such a name" is_left_out 2 "{\"t\":1,\"a\":3}\n{\"t\":1,\"ev\":\"$(printf 'x%.0s' {1..48})\"}\n"
	printf '{"t":1,"h\xf6he":1}\n{"t":2,"h\xf6he":2}\n' >latin.jsonl
	check "nothing is odd about Latin 1" [ -z "$(weir plot latin.jsonl latin.svg 2>&1)" ]
	check "whose picture is one" is_svg latin.svg 'h?he'
	printf '\r\n%s\r\n\n%s\r\n \n' '{"t":1,"a":1}' '{"t":2,"a":2}' >blank.jsonl
	check "nothing is odd about empty lines" [ -z "$(weir plot blank.jsonl blank.svg 2>&1)" ]
	check "which are no fields" is_svg blank.svg a
	printf '\n\n' >blank.jsonl
	check "nothing but such" says 1 '^weir plot: blank.jsonl is empty$' weir plot blank.jsonl none.svg
	check "nothing but text" is_no_report '{"a":"x"}\n'
	check "with a time" is_no_report '{"t":1,"a":"x"}\n'
	check "cut off in its first line" is_no_report '{"t":1,"a":3,"b":[1,'
	check "no JSON" is_no_report '{"t":1,"a":0x10}\n'
	check "a time that cannot be" is_no_report '{"t":1e300,"a":1}\n'
	check "no time" is_no_report '{"t":null,"a":1}\n'
}

# A graph's time may be that of a year, and a report that of a moment.
test_times_that_are_close_are_drawn() {
	local times first second
	cd "$rig_dir" || exit 1
	for times in '1 1' '1 1.0000000001' '1 1.0001' '1000000 1000000.00002' '1e10 10000000000.00001' '-1 -0.9999999'; do
		read -r first second <<<"$times"
		printf '{"t":%s,"a":1,"b":[1,2,3,4,5,6,7,8,9]}\n' "$first" "$second" >close.jsonl
		check "$times: nothing is said" [ -z "$(weir plot close.jsonl close.svg 2>&1)" ]
		check "it is a picture" is_svg close.svg a b
	done
}

# sound_make: what analyze tells of silence and a tone, and 12 fields more.
sound_make() {
	awk 'BEGIN { for (i = 0; i < 100; i++) {
		printf "{\"t\":%.2f", i / 100
		for (f = 1; f <= 12; f++) printf ",\"field%d\":%d", f, i
		level = i < 50 ? -199.999985 : -10
		printf ",\"peak\":[%g,%g],\"rms\":[%g,%g],\"bpm\":%d", level, level, level, level, 100 + i
		printf ",\"m\":%g,\"none\":null,\"f0\":%d,\"oct3\":[%g", level, 100 + i, level
		for (b = 1; b < 62; b++) printf ",%g", level
		print "]}"
	} }' >"$rig_dir/sound.jsonl"
}

# has_values SVG LEAST MOST: all texts that are below 0 are between these?
has_values() {
	python3 - "$@" <<-'END'
	import sys, xml.etree.ElementTree as tree
	texts = ["".join(e.itertext()) for e in tree.parse(sys.argv[1]).iter("{http://www.w3.org/2000/svg}text")]
	values = [float(t) for t in texts if t.startswith("-")]
	assert values and min(values) == float(sys.argv[2]) and max(values) <= float(sys.argv[3]), values
	END
}

test_what_matters_is_drawn_with_its_measures() {
	cd "$rig_dir" || exit 1
	sound_make
	check "not all is" says 0 '^weir plot: drawing 6 of 19 fields\. Choose .* --only' \
		weir plot sound.jsonl sound.svg
	check "but the best, with measures" is_svg sound.svg 'm, LUFS' 'rms, dB' 'peak, dBFS' 'f0, Hz' bpm
	check "a spectrum for each channel" is_svg sound.svg 'oct3 1, dB' 'oct3 2, dB' '20 Hz' '20 kHz'
	check "nothing else" not is_svg sound.svg field1
	weir plot --only rms sound.jsonl rms.svg
	check "silence does not press the rest" has_values rms.svg -90 0
	weir plot --only oct3 sound.jsonl oct3.svg
	check "nor in spectra" has_values oct3.svg -100 0
}

# curves SVG: how many pieces does its curve have?
curves() {
	tr '\n' ' ' <"$1" | grep -o "<path stroke='rgb([^>]*" | tr -dc M | wc -c
}

test_a_time_that_goes_back_begins_a_new_line() {
	cd "$rig_dir" || exit 1
	local n
	for n in 100 5000; do
		awk -v n=$n 'BEGIN { for (i = 0; i < n; i++) printf "{\"t\":%.3f,\"zcr\":0.%d}\n", i / 1000, i % 10 }' >once.jsonl
		cat once.jsonl once.jsonl >twice.jsonl
		weir plot once.jsonl once.svg
		check "$n: one" [ "$(curves once.svg)" = 1 ]
		check "$n: it is told" says 0 "^weir plot: twice.jsonl, line $((n + 1)): the time jumps back" \
			weir plot twice.jsonl twice.svg
		check "$n: two" [ "$(curves twice.svg)" = 2 ]
	done
}

# gnuplot_fake COMMAND: what runs instead of it.
gnuplot_fake() {
	mkdir -p fake
	printf '#!/bin/sh\n%s\n' "$1" >fake/gnuplot
	chmod +x fake/gnuplot
}

# keeps_the_old PATTERN: with a message that grep -E finds, and nothing beside it?
keeps_the_old() {
	echo old >old.svg
	says 1 "^weir plot: $1" env PATH="$rig_dir/fake:$PATH" \
		bash -c 'trap "" XFSZ; ulimit -f 64; weir plot report.jsonl old.svg' &&
		[ "$(cat old.svg)" = old ] && [ "$(echo old.svg*)" = old.svg ]
}

test_a_picture_is_written_whole_or_not_at_all() {
	report_make
	gnuplot_fake 'cat >/dev/null; echo half; exit 1'
	check "gnuplot fails" keeps_the_old 'gnuplot failed to draw'
	gnuplot_fake 'cat >/dev/null'
	check "it draws nothing" keeps_the_old 'gnuplot returned an empty picture'
	gnuplot_fake 'cat >/dev/null; head -c 1000000 /dev/zero'
	check "the disk is full" keeps_the_old 'cannot write old.svg: File too large'
	ln -s /dev/full full.svg
	check "a device is full" says 1 '^weir plot: cannot write full.svg: No space' \
		weir plot report.jsonl full.svg
	check "it is still there" [ -L full.svg ]
	mkdir folder.svg
	check "a folder" says 1 '^weir plot: cannot write folder.svg: Is a dir' weir plot report.jsonl folder.svg
	mkdir elsewhere
	echo old >elsewhere/real.svg
	chmod 640 elsewhere/real.svg
	ln -s elsewhere/real.svg link.svg
	weir plot report.jsonl link.svg
	check "a link is followed" is_svg elsewhere/real.svg onset
	check "and stays" [ -L link.svg ]
	check "who may read it stays" [ "$(stat -c %a elsewhere/real.svg)" = 640 ]
	(umask 027 && weir plot report.jsonl new.svg)
	check "a new one is read by whom umask says" [ "$(stat -c %a new.svg)" = 640 ]
	weir plot report.jsonl "$(printf 'x%.0s' {1..251}).svg"
	check "the longest name there may be" is_svg "$(printf 'x%.0s' {1..251}).svg" onset
	mkfifo pipe.svg
	cat pipe.svg >piped.svg &
	weir plot report.jsonl pipe.svg
	wait $!
	check "a pipe is written to" is_svg piped.svg onset
}

test_what_is_wrong_is_told() {
	report_make
	echo nonsense >bad.jsonl
	: >empty.jsonl
	check "no report" says 1 '^weir plot: bad.jsonl, line 1: not a report' weir plot bad.jsonl out.svg
	check "an empty one" says 1 '^weir plot: empty.jsonl is empty' weir plot empty.jsonl out.svg
	check "none" says 1 '^weir plot: cannot read none.jsonl: No such file' weir plot none.jsonl out.svg
	check "a field" says 1 '^weir plot: the report has no "x"\. It has: semitones onset' \
		weir plot --only x report.jsonl out.svg
	check "a picture of another kind" says 1 '^weir plot: out.pdf: the picture must be named' \
		weir plot report.jsonl out.pdf
	check "fields twice" says 1 '^weir plot: --only is given twice' \
		weir plot --only semitones --only onset report.jsonl out.svg
	cp report.jsonl same.svg
	check "the report as picture" says 1 '^weir plot: same.svg is the report and would be overwritten' \
		weir plot same.svg same.svg
	check "from a redirection too" says 1 'would be overwritten' sh -c 'weir plot - same.svg <same.svg'
	check "it is as it was" cmp report.jsonl same.svg
	check "a folder" says 1 '^weir plot: cannot write no/out.svg' weir plot report.jsonl no/out.svg
	check "arguments" says 1 '^weir plot: give one report and one picture' weir plot report.jsonl
	check "nothing was drawn" [ ! -e out.svg ]
	check "gnuplot is missing" says 1 '^weir plot: gnuplot, which draws the picture, is not installed\. .*apt install' \
		env PATH="$(dirname "$(command -v weir)")" weir plot report.jsonl out.svg
}

tests_run "$@"
