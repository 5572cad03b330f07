#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# The drop-ins that make one microphone of two: microphones that are wired, found, unplugged and found
# again; what was found is there at the next start.

. "$(dirname "$0")/mics-rig.sh"
. "$(dirname "$0")/terminal-rig.sh"

conf=${WEIR_CONF_DIR:?the folder conf}
rig_need pw-cli pw-link pw-play pw-dump sox jq

# mic_plug NAME: a microphone that hears what is linked to its input.
mic_plug() {
	node_start "alsa_input.$1" Audio/Source/Virtual MONO
}

mic_unplug() {
	pw-cli destroy "$(node_id "alsa_input.$1")"
}

# mic_hear NAME CHANNEL: that channel of what the room says.
mic_hear() {
	wait_for "ports of $1" 5 pw-link "room:output_$2" "alsa_input.$1:input_MONO"
}

room_start() {
	process_start room pw-play -P '{ node.name = room node.autoconnect = false }' \
		"$rig_dir/room.wav"
	mic_hear 1 FL
	mic_hear 2 FR
}

# dropin_start PROCESS FILE: in a process of its own, with the names of our microphones.
dropin_start() {
	mkdir -p "$XDG_CONFIG_HOME/pipewire/$1.conf.d"
	[ "$1" != weir ] || cp "$conf/weir.conf" "$XDG_CONFIG_HOME/pipewire/"
	sed -e "s/alsa_input.YOURS-/alsa_input./; s/alsa_input.YOURS/alsa_input.1/; s/46100/$RIG_PORT/" \
		"$conf/$1.conf.avail/$2" |
		rig_write "pipewire/$1.conf.d/$2"
	process_start "$1" pipewire -c "$1.conf"
}

mics_start() { # [DELAYS]
	room_make "$rig_dir" 120 "$@"
	rig_start
	mic_plug 1
	mic_plug 2
}

# two_mics_start: the microphones, and weir's own process, which is listened to.
two_mics_start() {
	mics_start
	dropin_start weir 50-weir-two-mics.conf
	wait_for "weir.align" 5 node_id weir.align
	room_start
	record_start heard weir.align 1
}

# check_better NODE [VOICE]: than the first microphone.
check_better() {
	record_start merged "$1" 1
	record_start one alsa_input.1 1
	sleep 4
	record_stop one
	record_stop merged
	check "it is better than one microphone" is_better_than "$rig_dir"/{merged,one}.wav "${2:-}"
}

test_two_microphones_are_found() {
	two_mics_start
	wait_for "both are wired" 5 has_links alsa_input.2 weir.align 1
	wait_for "the delay is known" 20 control_is state 1 1
	check "it is 200 ms" control_is delay_ms 150 250
	check "the clocks are the same" control_is sro_ppm -5 5
	# Its noise is known after some seconds: what is known of it rises by 3 dB per second.
	wait_for "both are heard" 15 control_is weight2 0.3 0.7
	check_better weir.align
}

test_a_microphone_that_is_unplugged_is_taken_in_again() {
	two_mics_start
	wait_for "the delay is known" 20 control_is state 1 1
	mic_unplug 2
	wait_for "one microphone is told" 5 control_is state 3 3
	record_stop heard
	record_start alone weir.align 1
	sleep 2
	record_stop alone
	check "the other one is heard" not sound silent "$rig_dir/alone.wav"
	record_start again weir.align 1
	mic_plug 2
	mic_hear 2 FR
	wait_for "it is wired again" 5 has_links alsa_input.2 weir.align 1
	wait_for "it is found again" 20 control_is state 1 1
	wait_for "and heard" 15 control_is weight2 0.3 0.7
	check "at about the same delay" control_is delay_ms 150 250
}

# weir_restart: as systemd does when the sound server was restarted.
weir_restart() {
	process_stop weir
	process_start weir pipewire -c weir.conf
}

# has_read FILTER: does jq's FILTER hold for the latest line of weir watch?
has_read() {
	tail -n 1 "$rig_dir/watch.jsonl" | jq -es "length == 1 and (.[0] | $1)"
}

has_no_other_links() {
	graph --argjson id "$(node_id weir.align)" --argjson reader "$(node_id weir-watch)" '
		[.[] | select(.type == "PipeWire:Interface:Port" and .info.props["node.id"] == $id
			and .info.props["port.name"] == "report") | .id] as $ports
		| ($ports | length == 1) and all(.[] | select(.type == "PipeWire:Interface:Link"
			and .info["output-port-id"] == $ports[0]); .info["input-node-id"] == $reader)'
}

test_the_microphone_reports() {
	local locked='.delay_s > 0.15 and .delay_s < 0.25 and .state == 1'
	two_mics_start
	process_start watch sh -c 'exec weir watch weir.align --only delay_s,state --rate 10 >"$1"' sh \
		"$rig_dir/watch.jsonl"
	wait_for "the delay is told" 20 has_read "$locked"
		check "nobody else hears the report" has_no_other_links
	check "what is reported is named" node_prop weir.align weir.report
	mic_unplug 2
	wait_for "one microphone is told" 5 has_read '.state == 3'
	mic_plug 2
	mic_hear 2 FR
	wait_for "the second is back" 20 has_read "$locked"
	process_stop wireplumber
	process_start wireplumber wireplumber
	wait_for "WirePlumber" 20 rig_is_ready
	process_stop heard
	record_start again weir.align 1
	# PipeWire 1.6 takes the links from the ports that WirePlumber sets up.
	process_stop room
	room_start
	: >"$rig_dir/watch.jsonl"
	wait_for "reports go on with another WirePlumber" 20 has_read "$locked"
	process_stop wireplumber
	process_stop pipewire
	process_start pipewire pipewire
	wait_for "PipeWire" 10 node_id speaker
	process_start wireplumber wireplumber
	wait_for "WirePlumber" 20 rig_is_ready
	mic_plug 1
	mic_plug 2
	weir_restart
	wait_for "weir.align" 5 node_id weir.align
	: >"$rig_dir/watch.jsonl"
	process_stop room
	room_start
	wait_for "and with another daemon" 20 has_read "$locked"
	check "it is told" process_said watch '^weir watch: weir.align is back$'
}

default_source_is() { # NAME
	[ "$(metadata_get default.audio.source | jq -r .name)" = "$1" ]
}

test_it_becomes_the_default_microphone() {
	rig_need pactl pipewire-pulse
	mics_start
	dropin_start weir 50-weir-two-mics.conf
	wait_for "weir.align" 5 node_id weir.align
	process_start pulse pipewire-pulse
	wait_for "the command in its header" 10 pactl set-default-source weir.align
	wait_for "is right" 5 default_source_is weir.align
}

test_weir_top_shows_the_microphone() {
	terminal_need
	two_mics_start
	terminal_start "weir top weir.align"
	wait_for "the lock" 20 shows 'Alignment +LOCKED '
	check "the delay" shows '^ +2 .* (1[5-9][0-9]|2[0-4][0-9])\.[0-9]+ ms '
	mic_unplug 2
	wait_for "one microphone is told" 5 shows 'Alignment +one microphone only'
	mic_plug 2
	mic_hear 2 FR
	wait_for "the lock again" 20 shows 'Alignment +LOCKED '
}

has_state() { # FIELD LOW HIGH
	spa-json-dump "$XDG_STATE_HOME/weir/weir.align.state" |
		jq -e --argjson low "$2" --argjson high "$3" ".$1[0] >= \$low and .$1[0] <= \$high"
}

test_what_was_found_is_there_at_the_next_start() {
	rig_need spa-json-dump
	two_mics_start
	wait_for "the delay is known" 20 control_is state 1 1
	process_stop weir
	check "the delay is kept" has_state delay_s 0.15 0.25
	check "and the drift" has_state sro_ppm -5 5
	check "and that none is upside down" has_state polarity 1 1
	process_start weir pipewire -c weir.conf
	wait_for "the delay is known again" 20 control_is state 1 1
}

test_a_state_that_cannot_be_read_is_told() {
	rig_need spa-json-dump
	mkdir -p "$XDG_STATE_HOME/weir"
	echo 'nonsense' >"$XDG_STATE_HOME/weir/weir.align.state"
	two_mics_start
	check "it is told" process_said weir 'cannot read ".*weir.align.state" \(not a state file\): '
	wait_for "the delay is known" 20 control_is state 1 1
	process_stop weir
	check "it is written anew" has_state delay_s 0.15 0.25
}

test_a_state_that_cannot_be_written_is_told() {
	mkdir -p "$XDG_STATE_HOME/weir/weir.align.state"
	two_mics_start
	wait_for "the delay is known" 20 control_is state 1 1
	process_stop weir
	check "it is told" process_said weir '".*weir.align.state" is not a regular file: no state is saved'
}

test_two_microphones_in_a_filter_chain() {
	mics_start
	dropin_start filter-chain 50-weir-two-mics.conf
	wait_for "the microphone" 5 node_id weir.two-mics
	room_start
	record_start heard weir.two-mics 1
	wait_for "the first is taken in" 5 has_links alsa_input.1 two-mics.input-1 1
	wait_for "and the second" 5 has_links alsa_input.2 two-mics.input-2 1
	sleep 8
	check_better weir.two-mics
	mic_unplug 2
	record_start alone weir.two-mics 1
	sleep 2
	record_stop alone
	check "one is heard alone" not sound silent "$rig_dir/alone.wav"
	mic_plug 2
	mic_hear 2 FR
	wait_for "the second is taken in again" 5 has_links alsa_input.2 two-mics.input-2 1
}

# network_start [DELAYS]: both computers are this one.
network_start() {
	sed -e "s/alsa_input.YOURS/alsa_input.2/; s/46100/$RIG_PORT/" \
		"$conf/pipewire.conf.avail/50-weir-send-microphone.conf" |
		rig_write pipewire/pipewire.conf.d/50-weir-send-microphone.conf
	mics_start "$@"
	dropin_start weir 50-weir-two-mics-remote.conf
	room_start
	wait_for "it is sent" 5 has_links alsa_input.2 weir.send-microphone 1
	wait_for "it arrives" 15 has_links weir.remote-microphone weir.align 1
	record_start heard weir.align 1
	wait_for "the delay is known" 20 control_is state 1 1
}

# PipeWire 1.6 has RTP buffer less where more latency is declared behind it: to nothing, at the end.
network_is_whole() {
	! process_said weir 'higher than the target|overrun|underrun'
}

test_one_microphone_comes_by_network() {
	network_start
	# RTP follows the sender's clock in waves of some hundred ppm at first.
	check_better weir.align 500-1k
	check "the network loses nothing" network_is_whole
	mic_unplug 2
	wait_for "one microphone is told" 10 control_is state 3 3
	mic_plug 2
	mic_hear 2 FR
	wait_for "the delay is known again" 20 control_is state 1 1
}

test_the_microphone_by_network_is_the_earlier_one() {
	network_start "0.5 0"
	# What comes by RTP jumps when its buffer fills for the first time.
	wait_for "it is held back" 15 control_is delay_ms -500 -300
	sleep 5
	check "it stays as it is" control_is delay_ms -500 -300
	check "the network loses nothing" network_is_whole
}

tests_run "$@"
