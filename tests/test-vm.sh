#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Capture with real sound cards, two of snd-aloop, in a virtual machine: vm/boot starts it, vm/guest
# holds the tests that run in it, and recordings that take much computing are judged here, in the
# test of the same name.
#
#	tests/test-vm.sh [TEST...]
#	WEIR_MINUTES=10 tests/test-vm.sh test_the_smallest_quantum_is_kept_while_all_is_analysed
#
# The kernel is downloaded once, into the folder "vm" beside $WEIR_SOUND. To look around in the guest:
#
#	tests/vm/boot --shell build/tests/vm
#	modprobe snd-aloop && udevadm trigger --subsystem-match=sound

. "$(dirname "$0")/mics-rig.sh"

# Meson ends this test after 900 s, and the machine with it. A minute in it can take ten.
GUEST_SECONDS=${WEIR_MINUTES:+$((WEIR_MINUTES * 600 + 1500))}
GUEST_SECONDS=${GUEST_SECONDS:-1500}

vm=$(cd "$(dirname "$0")/vm" && pwd)

# with_libraries FILE...: their names, and those of all libraries that they are linked with.
with_libraries() {
	{ printf '%s\n' "$@" && ldd "$@" | sed -nE 's/.*[[:blank:]](\/[^ :]+) \(.*/\1/p'; } |
		sort -u | while read -r file; do
		# The link, by a path without links, and what it leads to.
		echo "$(realpath "${file%/*}")/${file##*/}"
		realpath "$file"
	done | sort -u
}

# What the guest reads while sound plays.
files_list() {
	local modules spa folder programs
	modules=$(pkg-config --variable=moduledir libpipewire-0.3)
	spa=$(pkg-config --variable=plugindir libspa-0.2)
	mapfile -t programs < <(type -P bash cat stat sed grep awk cp mv rm mkdir mktemp sleep timeout tail \
		dbus-daemon jq pipewire wireplumber pw-cli pw-dump pw-link pw-metadata pw-play pw-record pw-top \
		arecord aplay amixer chrt)
	with_libraries "${programs[@]}" "$WEIR_SOUND" "${modules%/*}"/wireplumber-*/*.so \
		"$spa"/{alsa,audioconvert,audiomixer,control,support}/*.so
	for folder in /usr/share/{pipewire,wireplumber,alsa,alsa-card-profile} /usr/lib/locale/C.utf8; do
		[ ! -d "$folder" ] || find "$folder" -type f ! -path '*/ucm*'
	done
	echo /etc/ld.so.cache
}

raised_by_3_semitones() {
	local semitones
	read -r _ semitones _ < <("$WEIR_EXAMPLES/compare" "$shared"/{Loopback,Speaker}.wav)
	echo "$semitones semitones"
	awk -v semitones="$semitones" 'BEGIN { exit !(semitones > 2.95 && semitones < 3.05) }'
}

test_a_captured_program_is_raised_on_its_way_to_the_speaker() {
	check "it is raised by 3" raised_by_3_semitones
}

test_a_captured_program_plays_faster_for_a_minute() {
	check "there is no gap" "$vm/sweep.py" gaps "$shared/nightcore.wav"
	# PipeWire 1.4 cuts 48000 * 1.0833 down to a whole number: 0.46 ms in a minute.
	check "the latency is constant to 1 ms" \
		"$vm/sweep.py" latency "$shared/nightcore.wav" 1.0833 1
}

test_a_shell_pipeline_plays_faster() {
	check "it has gaps" not "$vm/sweep.py" gaps "$shared/pipeline.wav"
}

# check_merged NAME: higher up the two do not stay in phase while the sound server adapts.
check_merged() {
	check "it is better than microphone 1" is_better_than "$shared/$1"-{merged,1}.wav 500-1k
	check "and than microphone 2" is_better_than "$shared/$1"-{merged,2}.wav 500-1k
}

test_a_card_that_is_80_ppm_fast_and_another_one() {
	check_merged fast
}

test_a_card_that_is_300_ppm_slow_and_another_one() {
	check_merged slow
}

rig_need setpriv arecord amixer sox pkg-config /usr/bin/python3
/usr/bin/python3 -c 'import scipy' 2>/dev/null || rig_skip "python3-scipy is not installed"
shared=$(mktemp -d -t weir-vm.XXXXXX)
trap 'kill $! 2>/dev/null; wait; rm -rf "$shared"' EXIT
trap 'exit 1' INT TERM
files_list >"$shared/files"
"$vm/sweep.py" write "$shared/sweep.wav" 66
room_make "$shared" 70
for i in 1 2; do
	sox -V1 "$shared/room.wav" -b 32 -e signed "$shared/mic-$i.wav" remix $i $i
done
sox -V1 /usr/share/games/frozen-bubble/snd/introzik.ogg -r 48000 -c 2 "$shared/music.wav" trim 20 5

setpriv --pdeathsig TERM "$vm/boot" "$(dirname "$WEIR_SOUND")/vm" "$shared" "$GUEST_SECONDS" "$vm/guest" "$shared" "$@" &
status=0
wait $! || status=$?
case $status in
77) exit 77 ;;
124) echo "  FAILED the guest did not end within $GUEST_SECONDS s" ;;
125) echo "  FAILED the guest ended early" ;;
esac
mapfile -t judged < <(comm -12 <(compgen -A function test_ | sort) \
	<([ $# != 0 ] && printf '%s\n' "$@" | sort || compgen -A function test_ | sort))
[ ${#judged[@]} = 0 ] || (tests_run "${judged[@]}") || status=1
exit $status
