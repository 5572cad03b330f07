#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# The command line of weir-run: what it writes, and what it says when something is wrong.

. "$(dirname "$0")/rig.sh"

rig_need sox soxi

# What libFLAC 1.5.0 itself says of a cut file.
FLAC_WORDS='/^Rewinding, seeking necessary$/d; /^Bitreader was [0-9]* bytes short$/d'

sounds_make() {
	cd "$rig_dir" || exit 1
	sox -n -r 48000 -c 2 -b 32 -e float stereo.wav synth 1 sine 440 sine 880
	sox -n -r 48000 -c 1 -b 32 -e float mono.wav synth 0.5 sine 440
	sox -n -r 44100 -c 1 other-rate.wav synth 0.5 sine 440
}

latency() {
	echo $(($(soxi -s plain.wav 2>/dev/null) - 48000))
}

test_units_and_ports_are_described() {
	check "--list names pitch" grep -q '^pitch ' <(weir-run --list)
	check "--help has ranges and measures" grep -q 'semitones *-24 to 24, default 0 semitones' \
		<(weir-run pitch --help)
}

test_the_list_of_reports_is_what_units_declare() {
	local page=$WEIR_CONF_DIR/../doc/reports.md unit
	cd "$rig_dir" || exit 1
	for unit in $(weir-run --list | cut -d " " -f 1); do
		fields_declared "$unit" >declared
		check "$unit declares fields" [ -s declared ]
		fields_listed "$unit" "$page" >listed
		check "$unit has those that doc/reports.md lists" diff declared listed
	done
}

# fields_declared UNIT: lines NAME|VALUES|MEASURE|WHAT.
fields_declared() {
	weir-run "$1" --help | sed -n '/^Report /,$s/^  \([^ ]*\) *\([^:]*\): /\1|\2|/p' |
		awk -F '|' -v OFS='|' '{ values = 1
			if ($2 == "event") { values = $2; $2 = "" }
			if (match($2, / ?x [0-9]+$/)) {
				values = substr($2, RSTART); gsub(/[x ]/, "", values); $2 = substr($2, 1, RSTART - 1) }
			print $1, values, $2, $3 }'
}

# fields_listed UNIT PAGE: the same of a table, below a heading that names the unit.
fields_listed() {
	local n_inputs
	n_inputs=$(weir-run "$1" --help | sed -n '/^Audio inputs/,/^$/p' | grep -c '^  ')
	awk -F ' *[|] *' -v OFS='|' -v unit="\`$1\`" -v n="$n_inputs" '
		/^## / { inside = index($0, unit) }
		inside && $2 ~ /^`/ {
			gsub(/`/, "", $2)
			if ($3 ~ / per channel$/) $3 = $3 * n
			print $2, $3, $4, $5 }' "$2"
}

test_latency_is_kept_unless_compensated() {
	sounds_make
	weir-run pitch stereo.wav plain.wav
	weir-run pitch --compensate stereo.wav compensated.wav
	check "the output is longer by the latency" [ "$(latency)" -gt 0 ]
	check "the compensated one is as long as the input" [ "$(soxi -s compensated.wav 2>/dev/null)" = 48000 ]
	sox plain.wav plain.raw trim "$(latency)s" 2>/dev/null
	sox compensated.wav compensated.raw 2>/dev/null
	check "and the same but for that" cmp plain.raw compensated.raw
	sox stereo.wav stereo.raw 2>/dev/null
	check "at 0 semitones it is the input, bit for bit" cmp stereo.raw compensated.raw
}

test_more_channels_than_two_are_for_the_wide_unit() {
	sounds_make
	sox -M stereo.wav stereo.wav mono.wav -b 32 -e float five.wav pad 0 0 2>/dev/null
	weir-run pitch --compensate five.wav wide.wav 2>told
	check "it is told" grep 'five.wav has 5 channels: using unit pitch-8' told
	sox five.wav five.raw 2>/dev/null
	sox wide.wav wide.raw remix 1 2 3 5 6 2>/dev/null
	check "front, centre, rear" cmp five.raw wide.raw
	sox wide.wav low.raw remix 4 2>/dev/null
	check "low frequencies are silent" cmp -n 1000 low.raw /dev/zero
	check "too many are refused" says 1 'five.wav has 5 channels, align has 2 inputs' weir-run align five.wav a.wav
}

test_inputs_are_connected_as_told() {
	sounds_make
	weir-run pitch --compensate mono.wav both.wav
	sox both.wav left.raw remix 1 2>/dev/null
	sox both.wav right.raw remix 2 2>/dev/null
	check "a mono file feeds both inputs" cmp left.raw right.raw
	weir-run pitch --compensate -i in-l=stereo.wav:2 -i in-r=stereo.wav:1 swapped.wav
	sox stereo.wav expected.raw swap 2>/dev/null
	sox swapped.wav swapped.raw 2>/dev/null
	check "-i picks channels" cmp expected.raw swapped.raw
	weir-run pitch --compensate -i in-r=stereo.wav:2 half.wav
	sox half.wav half.raw remix 1 2>/dev/null
	check "an input that nothing feeds is silent" cmp -n 1000 half.raw /dev/zero
}

test_reports_are_json_lines() {
	sounds_make
	weir-run pitch -s semitones=3 -r report.jsonl stereo.wav out.wav
	check "each line is JSON with a time" jq -se 'all(.t > 0 and .t <= 1.001) and length >= 99' report.jsonl
	check "the ratio is reported" jq -se 'map(select(.semitones)) | all(.semitones > 2.9)' report.jsonl
	check "without an output too" cmp report.jsonl <(weir-run pitch -s semitones=3 -r - stereo.wav)
	check "and with any block" cmp report.jsonl <(weir-run pitch -b 77 -s semitones=3 -r - stereo.wav)
	check "to /dev/null as well" weir-run pitch stereo.wav /dev/null
}

# Integrated loudness, of a report on standard input; null: never above the gate.
loudness() {
	jq -s 'map(.i // empty) | last'
}

# measured FILE: without the groups that take long.
measured() {
	weir-run analyze -s thirds=0 -s features=0 -s rhythm=0 -s pitch=0 -s voice=0 -r - "$1" 2>told
}

# weighs FILE WEIGHT: as loud as half.wav, times WEIGHT.
weighs() {
	local is
	is=$(measured "$1" | loudness)
	echo "$is LUFS; $(cat told)"
	jq -ne --argjson is "$is" --argjson mono "$mono" --argjson weight "$2" \
		'if $weight == 0 then $is == null else ($is - $mono) - 10 * ($weight | log10) | fabs < 0.05 end'
}

tone_make() {
	sox -n -r 48000 -c 1 -b 16 tone.wav synth 2 sine 1000 gain -20
	sox -v 0.5 tone.wav half.wav
	mono=$(measured half.wav | loudness)
}

# channels_make FILE LAYOUT [CHANNEL]: half of tone.wav in every channel, or in one of them; by 1,
# FFmpeg 5.1 leaves out the third of three.
channels_make() {
	local names pan="$2" name i=0
	names=$(ffmpeg -v error -layouts | awk -v layout="$2" '$1 == layout { gsub(/[+]/, " ", $2); print $2 }')
	for name in $names; do
		pan+="|c$i=$([ "${3:-$name}" = "$name" ] && echo 0.5 || echo 0)*c0"
		i=$((i + 1))
	done
	ffmpeg -nostdin -v error -y -i tone.wav -af "pan=$pan" -strict -2 "$1"
}

# ITU-R BS.1770-5, table 4: 1.41 from 60 to 120 degrees, nothing for low frequencies, else 1.
test_loudness_weighs_channels_by_their_places() {
	local layout weight
	rig_need ffmpeg
	sounds_make
	tone_make
	while read -r layout weight; do
		channels_make layout.wav "$layout"
		check "$layout" weighs layout.wav "$weight"
	done <<-END
		stereo 2
		2.1 2
		3.0 3
		3.0(back) 3
		3.1 3
		4.0 4
		4.1 4
		quad 4.82
		quad(side) 4.82
		5.0 5.82
		5.0(side) 5.82
		5.1 5.82
		5.1(side) 5.82
		6.0 6.82
		6.1 6.82
		6.1(back) 6.82
		6.1(front) 6.82
		7.0 7.82
		7.1 7.82
		7.1(wide) 7.82
		7.1(wide-side) 7.82
		hexagonal 6.82
	END
	sox -M half.wav half.wav pair.wav
	while read -r layout weight; do
		ffmpeg -nostdin -v error -y -i pair.wav -af "channelmap=$layout" layout.wav
		check "$layout alone" weighs layout.wav "$weight"
	done <<-END
		0-FL|1-FR 2
		0-SL|1-SR 2.82
		0-BL|1-BR 2.82
		0-FC|1-BC 2
		0-FR|1-LFE 1
	END
}

test_every_format_has_its_own_order() {
	local format channel
	rig_need ffmpeg
	sounds_make
	tone_make
	for format in wav w64 flac ogg opus; do
		for channel in FL FC LFE BL SR; do
			channels_make sound.$format 7.1 $channel
			case $channel in
			LFE) check "$format: LFE" weighs sound.$format 0 ;;
			SR) check "$format: SR" weighs sound.$format 1.41 ;;
			*) check "$format: $channel" weighs sound.$format 1 ;;
			esac
		done
	done
	for channel in FC LFE BR; do
		channels_make sound.caf 5.1 $channel
		case $channel in
		LFE) check "caf: LFE" weighs sound.caf 0 ;;
		BR) check "caf: BR" weighs sound.caf 1.41 ;;
		*) check "caf: $channel" weighs sound.caf 1 ;;
		esac
	done
}

test_what_loudness_is_of_is_said() {
	rig_need ffmpeg
	sounds_make
	tone_make
	sox -M half.wav half.wav both.wav
	check "two channels are twice as loud as one" weighs both.wav 2
	check "a mono file is measured as one channel" weighs half.wav 1
	check "which is said" grep '^weir-run: half.wav has 1 channel: using unit analyze-mono$' told
	weir-run analyze-8 -r - half.wav >wide.jsonl
	check "by the wide unit as well" jq -ne --argjson mono "$mono" --argjson is "$(loudness <wide.jsonl)" \
		'$is - $mono | fabs < 0.001'
	channels_make layout.wav 6.1
	measured layout.wav >report.jsonl
	check "6.1" grep -x 'weir-run: layout.wav has 7 channels: using unit analyze-8, FL FR FC LFE RC SL SR, RC as in-rl' told
	channels_make layout.wav octagonal
	check "more places than inputs" says 1 'has the channels FL FR FC RL RR RC SL SR' weir-run analyze -r - layout.wav
	sox -M stereo.wav stereo.wav four.au 2>/dev/null
	measured four.au >report.jsonl
	check "a file that does not say" grep 'does not name the channels: assuming FL FR RL RR$' told
	sox -M stereo.wav stereo.wav -b 16 -e signed four.amb 2>/dev/null
	check "ambisonic by its name" says 1 'four.amb is ambisonic' weir-run analyze -r - four.amb
	cp four.amb four.wav
	check "by its header" says 1 'four.wav is ambisonic' weir-run analyze -r - four.wav
	channels_make layout.wav 5.1
	weir-run pitch layout.wav wide.wav 2>/dev/null
	measured wide.wav >report.jsonl
	check "what is written says what it has" grep 'FL FR FC LFE RL RR SL SR$' told
}

test_pipes_end() {
	local format codec
	rig_need ffmpeg
	sounds_make
	weir-run pitch -s semitones=3 -r file.jsonl mono.wav file.wav
	sox file.wav file.raw 2>/dev/null
	for format in wav au aiff; do
		codec=pcm_f32be
		[ $format != wav ] || codec=pcm_f32le
		ffmpeg -v error -i mono.wav -c:a $codec -f $format - | cat >piped
		# shellcheck disable=SC2002 # a pipe, not a file
		check "$format without its length" timeout 20 sh -c \
			"cat piped | weir-run pitch -s semitones=3 -r piped.jsonl - piped.wav"
		check "has the same report" cmp file.jsonl piped.jsonl
		sox piped.wav piped.raw 2>/dev/null
		check "and the same sound" cmp file.raw piped.raw
	done
	# shellcheck disable=SC2002
	cat mono.wav | timeout 20 weir-run pitch -s semitones=3 -r piped.jsonl -i in-l=/dev/stdin -i in-r=- out.wav
	check "one pipe feeds two inputs" cmp file.jsonl piped.jsonl
	weir-run pitch -s semitones=3 mono.wav - | sox -t au - piped.raw 2>/dev/null
	check "sound goes into a pipe as well" cmp file.raw piped.raw
	check "or into a file" sh -c 'weir-run pitch -s semitones=3 mono.wav - >piped.wav && cmp file.wav piped.wav'
	check "that is closed" sh -c 'trap "" PIPE; weir-run pitch mono.wav - | head -c 10 >/dev/null'
	check "which is an error" says 1 'cannot write -' sh -c \
		'trap "" PIPE; { weir-run pitch mono.wav -; echo $? >rc; } | head -c 10 >/dev/null; exit "$(cat rc)"'
	check "a full disk" says 1 'the report: No space' weir-run pitch -r /dev/full mono.wav
	check "what cannot be read from a pipe" says 1 'cannot read -: .* from a pipe wav, aiff, au' sh -c \
		'sox -V1 mono.wav -t flac - | weir-run pitch - out.wav'
	check "a pipe without sound" says 1 'cannot read -' sh -c ': | weir-run pitch - out.wav'
	ffmpeg -v error -i mono.wav -f caf sound.caf
	ffmpeg -v error -i mono.wav -f wav -rf64 always sound.rf64
	ffmpeg -v error -i mono.wav sound.w64
	for format in caf rf64 w64; do
		check "$format" says 1 'cannot read -: .* cannot be read from a pipe' sh -c \
			"cat sound.$format | weir-run pitch - out.wav"
	done
}

test_a_file_that_is_cut_is_told() {
	local format size
	sounds_make
	rig_need ffmpeg
	for format in wav au aiff flac w64 rf64; do
		case $format in
		rf64) ffmpeg -v error -i stereo.wav -f wav -rf64 always whole.rf64 ;;
		*) sox stereo.wav -b 24 whole.$format 2>/dev/null || sox stereo.wav whole.$format ;;
		esac
		size=$(stat -c %s whole.$format)
		head -c $((size * 2 / 3)) whole.$format >cut.$format
		check "a whole $format" not says 0 . weir-run pitch -r report.jsonl whole.$format
		check "a cut one" says 0 'cut.* is incomplete: it ends after 0\.[56].* s, and its header gives 1.00 s' \
			sh -c "weir-run pitch -r report.jsonl cut.$format 2>messages && sed '$FLAC_WORDS' messages >&2"
		check "is measured to its end" jq -se 'last.t | . > 0.5 and . < 0.7' report.jsonl
	done
	for size in 0.1 1 5; do
		sox -n -r 48000 whole.ogg synth $size pinknoise gain -6
		check "a whole ogg of $size s" not says 0 . weir-run pitch -r report.jsonl whole.ogg
	done
	head -c 20000 whole.ogg >cut.ogg
	check "ogg" says 0 'cut.ogg is incomplete: it ends after .* without the end of the Ogg' timeout 20 weir-run pitch -r report.jsonl cut.ogg
	check "in a pipe" says 0 'is incomplete: .* its header gives 1.00 s' sh -c \
		'cat cut.wav | weir-run pitch -r report.jsonl -'
	check "in a pipe" says 0 'is incomplete: .* without the end of the Ogg' sh -c 'cat cut.ogg | weir-run pitch -r report.jsonl -'
	check "which a whole one is not" not says 0 . sh -c 'cat whole.ogg | weir-run pitch -r report.jsonl -'
	check "what is without a sample is refused" says 1 'empty.wav is empty.*sox --ignore-length empty.wav' sh -c \
		'sox -n -r 48000 empty.wav trim 0 0 2>/dev/null; weir-run pitch -r report.jsonl empty.wav'
}

# header_cut FILE RIFF DATA OUT: with these lengths, 4 bytes each, as printf %b writes them.
header_cut() {
	cp "$1" "$4"
	printf %b "$2" | dd of="$4" bs=1 seek=4 conv=notrunc status=none
	printf %b "$3" | dd of="$4" bs=1 seek=40 conv=notrunc status=none
}

test_a_length_that_was_never_written() {
	local zero='\0\0\0\0' ones='\0377\0377\0377\0377'
	sounds_make
	sox -n -r 48000 -c 1 -b 16 known.wav synth 0.5 sine 440 gain -6
	check "its sound begins at 44" [ "$(dd if=known.wav bs=1 skip=36 count=4 status=none)" = data ]
	weir-run pitch -r known.jsonl known.wav
	header_cut known.wav "$ones" "$ones" unknown.wav
	check "reading decides the end" weir-run pitch -r unknown.jsonl unknown.wav
	check "of the same sound" cmp known.jsonl unknown.jsonl
	header_cut known.wav "$zero" "$zero" killed.wav
	check "a killed recorder's file" says 1 'killed.wav is empty.* repair the file: sox --ignore-length killed.wav WHOLE.wav' \
		weir-run pitch -r unknown.jsonl killed.wav
	sox --ignore-length killed.wav whole.wav
	check "is repaired so" weir-run pitch -r unknown.jsonl whole.wav
	check "to the same sound" cmp known.jsonl unknown.jsonl
}

test_what_cannot_be_written_is_an_error() {
	local command
	sounds_make
	for command in --list --help 'pitch --help' 'pitch -r - stereo.wav' 'pitch stereo.wav -'; do
		check "$command, full" says 1 '^weir-run: cannot (write|finish)' sh -c "weir-run $command >/dev/full; exit \$?"
		check "$command, closed" says 1 '^weir-run: cannot (write|finish)' sh -c "weir-run $command >&-; exit \$?"
	done
	weir-run pitch stereo.wav plain.wav
	check "without any descriptor" sh -c 'weir-run pitch stereo.wav out.wav <&- >&- 2>&-'
	check "the sound is the same" cmp plain.wav out.wav
	check "messages are not written into it" not sh -c 'weir-run pitch none.wav out.wav <&- >&- 2>&-'
	check "nor is anything else" cmp plain.wav out.wav
}

# keeps_the_old STATUS PATTERN COMMAND...: and nothing unfinished beside it?
keeps_the_old() {
	says "$@" && [ "$(cat old.wav)" = old ] && [ -z "$(find . -name '.weir-*')" ]
}

test_sound_is_written_whole_or_not_at_all() {
	local signal name
	sounds_make
	echo old >old.wav
	check "the disk is full" keeps_the_old 1 '^weir-run: cannot (write|finish) old.wav' \
		bash -c 'trap "" XFSZ; ulimit -f 64; weir-run pitch stereo.wav old.wav'
	check "without an answer" keeps_the_old 153 . bash -c 'ulimit -f 64; weir-run pitch stereo.wav old.wav; exit $?'
	sox stereo.wav -b 16 whole.flac
	{ head -c 60 whole.flac; cat mono.wav; } >broken.flac
	check "the input is broken" keeps_the_old 1 'cannot read broken.flac' weir-run pitch broken.flac old.wav
	sox stereo.wav -b 16 known.wav repeat 9 2>/dev/null
	header_cut known.wav '\0377\0377\0377\0377' '\0377\0377\0377\0377' long.wav
	for signal in HUP TERM KILL; do
		rm -f pipe
		mkfifo pipe
		exec 3<>pipe
		process_start run weir-run pitch -r live.jsonl pipe old.wav
		cat long.wav >&3
		wait_for "it has begun" 10 test -s live.jsonl
		process_stop run $signal
		check "ended by $signal" [ "$(cat old.wav)" = old ]
		[ $signal = KILL ] || check "and nothing is beside it" [ -z "$(find . -name '.weir-*')" ]
		rm -f live.jsonl .weir-*
	done
	exec 3>&-
	echo '{"t":1}' >report.jsonl
	check "no folder" says 1 '^weir-run: cannot write none/out.wav: No such' \
		weir-run pitch -r report.jsonl stereo.wav none/out.wav
	check "leaves the older report" [ "$(cat report.jsonl)" = '{"t":1}' ]
	sox mono.wav -r 4000 slow.wav 2>/dev/null
	check "a rate that it cannot have" keeps_the_old 1 'pitch cannot run at 4000 Hz. Convert .* sox IN.wav -r 48000' \
		weir-run pitch -r report.jsonl slow.wav old.wav
	check "leaves it, too" [ "$(cat report.jsonl)" = '{"t":1}' ]
	name=$(printf 'x%.0s' {1..251}).wav
	check "the longest name" weir-run pitch stereo.wav "$name"
	check "is there" test -s "$name"
	mkdir elsewhere
	echo old >elsewhere/real.wav
	chmod 640 elsewhere/real.wav
	ln -s elsewhere/real.wav link.wav
	weir-run pitch stereo.wav link.wav
	check "a link is followed" cmp link.wav "$name"
	check "and stays" [ -L link.wav ]
	check "who may read it stays" [ "$(stat -c %a elsewhere/real.wav)" = 640 ]
	(umask 027 && weir-run pitch stereo.wav new.wav)
	check "a new one is read by whom umask says" [ "$(stat -c %a new.wav)" = 640 ]
}

test_files_of_inputs_leave_the_last_for_the_output() {
	sounds_make
	sox stereo.wav left.wav remix 1
	sox stereo.wav right.wav remix 2
	check "without a report" weir-run align -i mic-1=left.wav -i mic-2=right.wav both.wav
	rm both.wav
	check "with one" weir-run align -i mic-1=left.wav -i mic-2=right.wav -r report.jsonl both.wav
	check "it is written" test -s both.wav -a -s report.jsonl
	sox -M stereo.wav stereo.wav stereo.wav stereo.wav both.wav 2>/dev/null
	check "over what was there" says 0 '^$' weir-run align -i mic-1=left.wav -i mic-2=right.wav -r report.jsonl both.wav
	check "which never was an input" [ "$(soxi -c both.wav)" = 1 ]
	check "with an input that is not fed" weir-run pitch -i in-l=left.wav -r report.jsonl half.wav
	check "a report alone" weir-run align -i mic-1=left.wav -i mic-2=right.wav -r alone.jsonl
	check "is the same" cmp report.jsonl <(weir-run pitch -i in-l=left.wav -r -)
}

test_mistakes_are_explained() {
	local block option
	sounds_make
	check "unit" says 1 'there is no unit "pich". To list all units: weir-run --list' weir-run pich a b
	check "control" says 1 'no control "semitone". It has: semitones formant' \
		weir-run pitch -s semitone=3 stereo.wav out.wav
	check "value" says 1 'must be a number from -24 to 24 semitones' \
		weir-run pitch -s semitones=99 stereo.wav out.wav
	check "no value" says 1 'a value is missing' weir-run pitch -s semitones stereo.wav out.wav
	check "port" says 1 'no audio input "left". It has: in-l in-r' weir-run pitch -i left=stereo.wav out.wav
	check "channel" says 1 'has no channel 3: it has 1 to 2' weir-run pitch -i in-l=stereo.wav:3 out.wav
	check "rates" says 1 'at 44100 Hz, mono.wav at 48000 Hz' weir-run pitch mono.wav other-rate.wav out.wav
	check "too many" says 1 'mono.wav has no input left' weir-run pitch stereo.wav mono.wav out.wav
	check "no file" says 1 'cannot read none.wav' weir-run pitch none.wav out.wav
	check "not a sound" says 1 'cannot read report' weir-run pitch report out.wav
	check "no input" says 1 'an input file is missing' weir-run pitch out.wav
	check "a value between two" says 1 'mode=1.5: the value must be one of: low-latency balanced quality' \
		weir-run pitch -s mode=1.5 stereo.wav out.wav
	check "half a truth" says 1 'must be true or false' weir-run pitch -s formant=0.5 stereo.wav out.wav
	check "no number" says 1 'must be a number' weir-run pitch -s semitones=nan stereo.wav out.wav
	check "an empty value" says 1 'a value is missing' weir-run pitch -s semitones= stereo.wav out.wav
	check "a control twice" says 1 'semitones is set already' \
		weir-run pitch -s semitones=3 -s semitones=4 stereo.wav out.wav
	check "two reports" says 1 '-r is given twice' weir-run pitch -r a -r b stereo.wav
	check "two blocks" says 1 '-b is given twice' weir-run pitch -b 1 -b 2 stereo.wav out.wav
	check "a port twice" says 1 'mono.wav already feeds in-l' \
		weir-run pitch -i in-l=mono.wav -i in-l=stereo.wav out.wav
	check "a port without a file" says 1 'a file is missing' weir-run pitch -i in-l= out.wav
	check "channels without an input" says 1 'stereo.wav has 2 channels, and align has inputs for 1' \
		weir-run align mono.wav stereo.wav out.wav
	check "a folder as input" says 1 'cannot read .: Is a directory' weir-run pitch . out.wav
	check "a folder as output" says 1 'cannot write .: ' weir-run pitch stereo.wav .
	check "a folder as report" says 1 'cannot write .: ' weir-run pitch -r . stereo.wav
	check "another format" says 1 'out.flac: the output is always WAV' weir-run pitch stereo.wav out.flac
	check "one file for both" says 1 'both the report and the output' weir-run pitch -r ./out.wav stereo.wav out.wav
	check "one pipe for both" says 1 'both the report and the output' \
		sh -c 'weir-run pitch -r - stereo.wav /dev/stdout | cat; exit 1'
	check "an empty name" says 1 'cannot write : No such file' weir-run pitch stereo.wav ""
	check "of an input" says 1 'cannot read : No such file' weir-run pitch "" out.wav
	for option in --version -V; do
		check "$option" grep -Eq '^weir-run [0-9.]+' <(weir-run $option)
	done
	check "-h" grep -q '^pitch ' <(weir-run -h)
	if command -v setpriv >/dev/null && [ "$(id -u)" = 0 ]; then
		chmod 755 . && install -m 600 stereo.wav secret.wav
		check "one that may not be read" says 1 '^weir-run: cannot read secret.wav: Permission denied$' \
			setpriv --reuid 65534 --regid 65534 --clear-groups "$(command -v weir-run)" pitch secret.wav out.wav
	fi
	check "an unknown option" says 1 '^weir-run: invalid option' weir-run pitch -x stereo.wav out.wav
	for block in 9000 0 "" " 16" +16 -16 0x10 16x 1e3 4294967297 -18446744073709551600; do
		check "block \"$block\"" says 1 'the block must be 1 to 8192' weir-run pitch -b "$block" stereo.wav out.wav
	done
	check "no channel" says 1 'has no channel 4294967297: it has 1 to 2' \
		weir-run pitch -i in-l=stereo.wav:4294967297 out.wav
	check "nothing was written by all that" not test -e out.wav
	check "folder" says 1 'cannot write none/out.wav' weir-run pitch stereo.wav none/out.wav
	cp stereo.wav copy.wav
	check "overwriting" says 1 'is an input and would be overwritten' weir-run pitch copy.wav ./copy.wav
	check "by its report" says 1 'is an input and would be overwritten' weir-run pitch -r copy.wav copy.wav
	check "of -i" says 1 'is an input and would be overwritten' \
		weir-run pitch -i in-l=copy.wav -r report.jsonl copy.wav
	check "the input is as it was" cmp stereo.wav copy.wav
}

tests_run "$@"
