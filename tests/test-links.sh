#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# libpipewire-module-weir-links in a graph. Each in_both_ function runs twice: with the module in the
# daemon, and in a process of its own. Both hosts, "pipewire" and "weir", are names of processes.

. "$(dirname "$0")/capture-rig.sh"

# Also what the module tells only those who ask.
export PIPEWIRE_DEBUG=2,mod.weir-links:3

links_conf() {
	cat <<-END
	context.modules = [ { name = libpipewire-module-weir-links flags = [ ifexists nofail ] args = {
		$*
	} } ]
	END
}

# links_rig_start: everything but the module.
links_rig_start() {
	echo 'context.spa-libs = { weir.* = weir/libspa-weir }' |
		rig_write pipewire/pipewire.conf.d/60-plugin.conf
	switch_conf links
	rig_write pipewire/weir.conf <<-'END'
	context.modules = [
		{ name = libpipewire-module-protocol-native }
		{ name = libpipewire-module-metadata }
	]
	END
	rig_start
}

# module_start HOST LINKS
module_start() {
	if [ "$1" = pipewire ]; then
		echo "links = [ ${2//$'\n'/ } ]" >"$rig_dir/switch"
	else
		links_conf "links = [ $2 ]" | rig_write pipewire/weir.conf.d/50-links.conf
		process_start weir pipewire -c weir.conf
	fi
}

module_stop() {
	if [ "$1" = pipewire ]; then
		echo >"$rig_dir/switch"
	else
		process_stop weir
	fi
}

links_start() {
	links_rig_start
	module_start "$@"
}

source_start() {
	node_start "$1" Audio/Source/Virtual "${2:-FL,FR}" "${3:-}"
}

node_stop() {
	pw-cli >/dev/null destroy "$(node_id "$1")"
	wait_for "$1 to go" 5 not node_id "$1"
}

# link_names: "from:port to:port" of every link, one per line.
link_names() {
	graph -r '
		(map(select(.type == "PipeWire:Interface:Node")
			| {key: "\(.id)", value: .info.props["node.name"]}) | from_entries) as $node
		| (map(select(.type == "PipeWire:Interface:Port")
			| {key: "\(.id)", value: "\($node["\(.info.props["node.id"])"]):\(.info.props["port.name"])"})
			| from_entries) as $port
		| .[] | select(.type == "PipeWire:Interface:Link")
		| "\($port["\(.info["output-port-id"])"]) \($port["\(.info["input-port-id"])"])"'
}

# has_link FROM TO: between these ports.
has_link() {
	link_names | grep -Fqx "$1 $2"
}

# said_times HOST COUNT PATTERN
said_times() {
	[ "$(grep -Ec -- "$3" "$rig_dir/$1.log")" = "$2" ]
}

is_in_state() {
	node_get "$1" ".info.state == \"$2\""
}

# check_links FROM TO COUNT: soon, and no others for now.
check_links() {
	wait_for "$3 links from $1 to $2" 5 has_links "$@"
}

in_both_channel_goes_to_channel() {
	links_start "$1" '{ from = a to = b }'
	source_start a
	sink_start b
	check_links a b 2
	check "left goes left" has_link a:capture_FL b:playback_FL
	check "right goes right" has_link a:capture_FR b:playback_FR
	wait_for "the log says so" 5 process_said "$1" 'weir-links: linked a:capture_FL -> b:playback_FL'
	check "and it does once for each" said_times "$1" 2 'weir-links: linked'
}

in_both_mono_goes_to_all_and_all_go_to_mono() {
	links_start "$1" '{ from = voice to = b } { from = a to = call }'
	source_start voice MONO
	sink_start b
	source_start a
	sink_start call MONO
	check_links voice b 2
	check_links a call 2
}

in_both_microphone_goes_to_both_sides_of_a_captured_source() {
	capture_conf "capture.match = $MATCH" | rig_write pipewire/pipewire.conf.d/50-capture.conf
	links_start "$1" "{ from = voice to = $SOURCE } { from = card to = $SOURCE }"
	source_start voice MONO
	source_start card AUX0,AUX1,AUX2,AUX3
	check_links card "$SOURCE" 2
	check "first to first" has_link card:capture_AUX0 "$SOURCE":in-l
	check "second to second" has_link card:capture_AUX1 "$SOURCE":in-r
	check_links voice "$SOURCE" 2
}

in_both_order_counts_where_no_channel_is_on_both_sides() {
	links_start "$1" '{ from = card to = b }'
	source_start card AUX0,AUX1,AUX2
	sink_start b
	check_links card b 2
	check "first to first" has_link card:capture_AUX0 b:playback_FL
	check "second to second" has_link card:capture_AUX1 b:playback_FR
}

in_both_surplus_channels_stay_unlinked() {
	links_start "$1" '{ from = film to = b }'
	source_start film FL,FR,FC,LFE,RL,RR
	sink_start b
	check_links film b 2
	check "right goes right" has_link film:capture_FR b:playback_FR
}

in_both_ports_are_told_by_name_or_channel() {
	links_start "$1" '{ from = "a:capture_FL" to = "b:playback_FR" } { from = "a:FR" to = "b:FL" }
		{ from = "a:FL" to = c } { from = a to = "c:FR" }'
	source_start a
	sink_start b
	sink_start c
	check_links a b 2
	check "by name" has_link a:capture_FL b:playback_FR
	check "by channel" has_link a:capture_FR b:playback_FL
	check_links a c 2
	check "one to a node" has_link a:capture_FL c:playback_FL
	check "a node to one" has_link a:capture_FR c:playback_FR
}

in_both_regular_expressions_link_all_that_match() {
	links_start "$1" '{ from = "~^mic[0-9]+$" to = b } { from = "~^mic[12]:FR" to = "~^c$:FL" }'
	source_start mic1
	source_start mic22
	source_start microscope
	sink_start b
	sink_start c
	check_links mic1 b 2
	check_links mic22 b 2
	check_links mic1 c 1
	check "the port is told by its channel" has_link mic1:capture_FR c:playback_FL
	check_links mic22 c 1
	check "others are not linked" has_links microscope b 0
	check "nor here" has_links microscope c 0
}

in_both_regular_expressions_never_link_a_node_to_itself() {
	links_start "$1" '{ from = "~^loop" to = "~^loop" }'
	sink_start loop1
	sink_start loop2
	check_links loop1 loop2 2
	check_links loop2 loop1 2
	check "no feedback" has_links loop1 loop1 0
}

in_both_names_may_have_colons() {
	links_start "$1" '{ from = "usb:1" to = b } { from = "usb:1:FL" to = "b:FR" }'
	source_start usb
	source_start usb:1
	sink_start b
	check_links usb:1 b 3
	check "its port" has_link usb:1:capture_FL b:playback_FR
	check "not the node with the shorter name" has_links usb b 0
}

in_both_a_sink_gives_what_plays_on_it() {
	links_start "$1" '{ from = speaker to = cable }'
	sink_start cable
	check_links speaker cable 2
	check "it is its monitor" has_link speaker:monitor_FL cable:playback_FL
	sound ramp "$rig_dir/ramp.wav" 2 48000 2
	record_start heard cable
	pw-play "$rig_dir/ramp.wav"
	record_stop heard
	check "every frame arrives" sound compare "$rig_dir/ramp.wav" "$rig_dir/heard.wav"
}

in_both_default_sink_is_followed() {
	links_start "$1" '{ from = a to = "@DEFAULT_AUDIO_SINK@" } { from = "@DEFAULT_AUDIO_SINK@:FL" to = c }'
	source_start a
	sink_start c
	check_links a speaker 2
	check_links speaker c 1
	sink_start headphones
	wpctl set-default "$(node_id headphones)"
	check_links a headphones 2
	check_links headphones c 1
	check_links a speaker 0
	session_manager_stop
	check "it stays without session manager" has_links a headphones 2
	node_stop headphones
	session_manager_start
	check_links a speaker 2
}

session_manager_stop() {
	process_stop wireplumber
	wait_for "its metadata to go" 5 not metadata_get default.audio.sink
}

session_manager_start() {
	process_start wireplumber wireplumber
	wait_for "WirePlumber" 20 rig_is_ready
}

in_both_no_pair_is_linked_twice() {
	links_start "$1" '{ from = a to = b } { from = "a:FL" to = "b:FL" } { from = "~^a$" to = "b" }'
	links_conf 'links = [ { from = a to = b } ]' | rig_write pipewire/other.conf.d/50-links.conf
	cp "$XDG_CONFIG_HOME/pipewire/weir.conf" "$XDG_CONFIG_HOME/pipewire/other.conf"
	process_start other pipewire -c other.conf
	source_start a
	sink_start b
	check_links a b 2
	wait_for "the other one leaves them alone" 5 eval "process_said $1 'another program made' || process_said other 'another program made'"
	check "each is there once" has_links a b 2
	process_stop other
	wait_for "all to be ours" 5 has_links a b 2
	module_stop "$1"
	check_links a b 0
}

in_both_come_back_after_a_replug() {
	links_start "$1" '{ from = a to = b }'
	source_start a
	for end in Audio/Source/Virtual:a Audio/Sink:b; do
		node_id b >/dev/null || sink_start b
		check_links a b 2
		node_stop "${end#*:}"
		wait_for "the log says so" 5 process_said "$1" 'weir-links: lost a:capture_FL -> b:playback_FL'
		node_start "${end#*:}" "${end%:*}" FL,FR
		check_links a b 2
	done
}

in_both_come_back_after_the_application() {
	links_start "$1" '{ from = music to = cable }'
	sink_start cable
	play_start music
	check_links music cable 2
	process_stop music
	play_start music
	check_links music cable 2
	check "it plays on the speaker as well" has_links music speaker 2
}

in_both_come_back_after_the_session_manager() {
	links_start "$1" '{ from = music to = cable } { from = speaker to = cable }'
	sink_start cable
	play_start music
	check_links music cable 2
	session_manager_restart
	wait_for "music plays" 5 has_links music speaker 2
	check_links music cable 2
	check_links speaker cable 2
	process_stop music
	play_start music
	check_links music cable 2
}

in_both_only_own_links_go_on_unload() {
	links_rig_start
	source_start a
	sink_start b
	pw-link a:capture_FL b:playback_FL
	module_start "$1" '{ from = a to = b }'
	check_links a b 2
	wait_for "the log says so" 5 process_said "$1" 'another program made the link, which stays as it is: a:capture_FL'
	module_stop "$1"
	check_links a b 1
	check "it is the user's" has_link a:capture_FL b:playback_FL
}

in_both_own_link_takes_the_place_of_another() {
	links_rig_start
	source_start a
	sink_start b
	pw-link a:capture_FL b:playback_FL
	module_start "$1" '{ from = a to = b }'
	check_links a b 2
	pw-link -d a:capture_FL b:playback_FL
	wait_for "the log says so" 5 process_said "$1" 'linked a:capture_FL'
	check_links a b 2
}

in_both_what_the_user_unlinks_stays_unlinked() {
	links_start "$1" '{ from = a to = b }'
	source_start a
	sink_start b
	check_links a b 2
	pw-link -d a:capture_FL b:playback_FL
	wait_for "the log says so" 5 process_said "$1" 'a:capture_FL -> b:playback_FL was unlinked by hand'
	sink_start c
	check "it stays so" has_links a b 1
	node_stop b
	sink_start b
	check_links a b 2
}

in_both_passive_links_let_nodes_sleep() {
	local sleepy='session.suspend-timeout-seconds = 1'
	rig_write pipewire/pipewire.conf.d/70-passive.conf <<-END
	module.link-factory.args = { allow.link.passive = true }
	END
	links_start "$1" '{ from = a to = b } { from = c to = d passive = true }'
	source_start a FL,FR "$sleepy"
	sink_start b FL,FR "$sleepy"
	source_start c FL,FR "$sleepy"
	sink_start d FL,FR "$sleepy"
	check_links a b 2
	check_links c d 2
	wait_for "a link keeps its nodes awake" 5 is_in_state b running
	wait_for "a passive one does not" 10 is_in_state d suspended
	check "nor at the other end" is_in_state c suspended
	check "no complaint" not process_said "$1" 'ignores passive'
}

in_both_passive_links_carry_every_frame() {
	rig_write pipewire/pipewire.conf.d/70-passive.conf <<-END
	module.link-factory.args = { allow.link.passive = true }
	END
	links_start "$1" '{ from = speaker to = cable passive = true }'
	sink_start cable FL,FR 'session.suspend-timeout-seconds = 1'
	check_links speaker cable 2
	wait_for "the cable sleeps" 10 is_in_state cable suspended
	sound ramp "$rig_dir/ramp.wav" 2 48000 2
	record_start heard cable
	pw-play "$rig_dir/ramp.wav"
	record_stop heard
	check "every frame arrives" sound compare "$rig_dir/ramp.wav" "$rig_dir/heard.wav"
	wait_for "the cable sleeps again" 10 is_in_state cable suspended
}

test_process_says_when_passive_is_ignored() {
	links_start weir '{ from = c to = d passive = true }'
	source_start c
	sink_start d
	check_links c d 2
	wait_for "the log says how to change that" 5 process_said weir 'ignores passive.*allow.link.passive = true'
	check "and does once" said_times weir 1 'ignores passive'
}

in_both_failure_is_told_once() {
	links_start "$1" '{ from = "pitch:report" to = "b:playback_FL" } { from = a to = b }'
	pw-cli >/dev/null create-node spa-node-factory '{ factory.name = weir.pitch node.name = pitch object.linger = true }'
	wait_for "pitch" 5 node_id pitch
	source_start a
	sink_start b
	check_links a b 2
	wait_for "the log says so" 5 process_said "$1" 'cannot link pitch:report -> b:playback_FL: .'
	sink_start c
	check_links pitch b 0
	check "it was tried once" said_times "$1" 1 'cannot link'
}

in_both_missing_ends_are_named_once() {
	links_start "$1" '{ from = a to = spaeker } { from = "~^nothing:FL" to = a } { from = "nobody:here" to = speaker }
		{ from = speaker to = b }'
	wait_for "the node" 5 process_said "$1" '\[W\].*links\[0\]: waiting for node "spaeker" \(to = "spaeker"\)'
	check "the expression" process_said "$1" 'links\[1\]: waiting for node "~\^nothing" \(from = "~\^nothing:FL"\)'
	check "the node of a port" process_said "$1" 'links\[2\]: waiting for node "nobody" \(from = "nobody:here"\)'
	sink_start b
	check_links speaker b 2
	check "each once" said_times "$1" 1 'waiting for node "spaeker"'
	node_stop b
	wait_for "what was there once is no reason to worry" 5 last_line_is "$1" \
		'\[I\].*waiting for node "b"'
}

# last_line_is PROCESS PATTERN
last_line_is() {
	tail -n 1 "$rig_dir/$1.log" | grep -Eq -- "$2"
}

in_both_wrong_ports_are_told_with_the_right_ones() {
	links_start "$1" '{ from = a to = "speaker:playback_XX" }'
	source_start a
	wait_for "the log says so" 5 process_said "$1" \
		'links\[0\]: node "speaker" has no such input \(to = "speaker:playback_XX"\)\. It has: playback_FL, playback_FR'
	check "and once" said_times "$1" 1 'has no such input'
}

in_both_can_come_and_go() {
	local i before
	links_rig_start
	source_start a
	sink_start b
	before=$(find "/proc/${process_pids[pipewire]}/fd" | wc -l)
	for i in {1..10}; do
		module_start "$1" '{ from = a to = b }'
		check_links a b 2
		module_stop "$1"
		check_links a b 0
	done
	wait_for "no file to be open any more" 5 \
		eval "[ \$(find /proc/${process_pids[pipewire]}/fd | wc -l) -le $before ]"
}

test_killed_process_takes_its_links_with_it() {
	links_start weir '{ from = a to = b }'
	source_start a
	sink_start b
	check_links a b 2
	process_stop weir KILL
	check_links a b 0
}

test_process_outlives_the_daemon() {
	sink_conf b | rig_write pipewire/pipewire.conf.d/20-b.conf
	links_rig_start
	module_start weir '{ from = speaker to = b }'
	check_links speaker b 2
	for _ in 1 2; do
		process_stop wireplumber
		process_stop pipewire
		wait_for "the log says so" 5 process_said weir 'connection lost'
		process_start pipewire pipewire
		wait_for "PipeWire" 10 node_id speaker
		session_manager_start
		check_links speaker b 2
	done
	check "it is the same process" process_is_running weir
}

test_process_waits_for_the_daemon() {
	links_rig_start
	sink_conf b | rig_write pipewire/pipewire.conf.d/20-b.conf
	process_stop wireplumber
	process_stop pipewire
	module_start weir '{ from = speaker to = b }'
	wait_for "the log says so" 5 process_said weir 'no connection to PipeWire'
	process_start pipewire pipewire
	wait_for "PipeWire" 10 node_id speaker
	session_manager_start
	check_links speaker b 2
}

test_daemon_reads_its_configuration() {
	links_conf 'links = [ { from = speaker to = b passive = true } ]' |
		rig_write pipewire/pipewire.conf.d/50-links.conf
	sink_conf b | rig_write pipewire/pipewire.conf.d/20-b.conf
	rig_start
	check_links speaker b 2
	process_stop wireplumber
	process_stop pipewire
	check "the daemon ends well" [ "$process_status" = 0 ]
}

# check_refused ARGS MESSAGE: by both hosts, which run on.
check_refused() {
	links_conf "$1" | tee "$XDG_CONFIG_HOME/pipewire/pipewire.conf.d/50-links.conf" |
		rig_write pipewire/weir.conf.d/50-links.conf
	process_start pipewire pipewire
	process_start weir pipewire -c weir.conf
	wait_for "PipeWire" 5 node_id speaker
	wait_for "the message: $2" 5 process_said weir "\[E\].*weir-links: $2"
	check "in the daemon as well: $2" process_said pipewire "\[E\].*weir-links: $2"
	check "both run on" eval "process_is_running pipewire && process_is_running weir"
	process_stop weir
	process_stop pipewire
	rm "$rig_dir"/{weir,pipewire}.log
}

test_wrong_arguments_are_named() {
	links_rig_start
	rig_stop
	check_refused '' 'links is missing: .* Write e.g. links = '
	check_refused 'links = []' 'links is empty or not an array: .* Write e.g. links = '
	check_refused 'links = { from = a to = b }' 'links is empty or not an array'
	check_refused 'links = [ a b ]' 'links\[0\] is not an object'
	check_refused 'link = [ { from = a to = b } ]' 'unknown key "link"'
	check_refused 'links = [ { from = a to = b } { to = b } ]' \
		'links\[1\] has no "from": it names the source node. Write e.g. '
	check_refused 'links = [ { from = a } ]' 'links\[0\] has no "to": it names the destination node.'
	check_refused 'links = [ { from = a to = b volume = 1 } ]' 'links\[0\] has an unknown key "volume"'
	check_refused 'links = [ { from = "" to = b } ]' 'links\[0\]: from is not a name'
	check_refused 'links = [ { from = a to = [ b c ] } ]' 'links\[0\]: to is not a name'
	check_refused 'links = [ { from = a to = "~b(" } ]' \
		'links\[0\]: to = "~b\(" is not a regular expression \(.*\).* Write e.g. '
	check_refused 'links = [ { from = a to = b passive = maybe } ]' 'links\[0\]: passive is "maybe"'
}

# dropin_start HOST NAME [SED]: conf/'s file with the one change that a user has to make.
dropin_start() {
	local conf=${WEIR_CONF_DIR:-$(dirname "$0")/../conf} file
	file=$conf/$1.conf.avail/50-weir-$2.conf
	[ -e "$file" ] || file=$conf/pipewire.conf.avail/50-weir-$2.conf
	cp "$conf/weir.conf" "$XDG_CONFIG_HOME/pipewire/"
	sed -e 's/binary = [a-z]* }/binary = pw-cat node.name = music }/' -e "${3:-}" "$file" |
		rig_write "pipewire/$1.conf.d/50-weir-$2.conf"
	switch_conf
	rig_start
	[ "$1" = pipewire ] || process_start weir pipewire -c weir.conf
}

# start_missing HOST: frames of a stream's start that a capture in this host may miss.
start_missing() {
	[ "$1" = pipewire ] && echo 0 || echo 4096
}

in_both_nightcore_live_drop_in() {
	dropin_start "$1" nightcore-live
	check_links weir.capture.live weir.nightcore 2
	check_links weir.nightcore speaker 2
	play_start music
	check_links music weir.capture.live 2
	wait_for "music to leave the speaker" 5 has_links music speaker 0
	record_start heard speaker
	record_stop heard
	check "it is heard" not sound silent "$rig_dir/heard.wav"
	session_manager_restart
	check_links music weir.capture.live 2
	check_links weir.capture.live weir.nightcore 2
	check_links weir.nightcore speaker 2
	check_links music speaker 0
	sink_start headphones
	wpctl set-default "$(node_id headphones)"
	check_links weir.nightcore headphones 2
	check "and nowhere else" has_links weir.nightcore speaker 0
	process_stop music
	wait_for "the headphones to sleep" 15 is_in_state headphones suspended
}

test_nightcore_live_drop_in_without_its_pitch_node() {
	SPA_PLUGIN_DIR=${SPA_PLUGIN_DIR##*:} dropin_start pipewire nightcore-live
	wait_for "the capture" 5 node_id weir.capture.live
	play_start music
	check_links music speaker 2
}

test_killed_nightcore_live_drop_in_gives_music_back() {
	dropin_start weir nightcore-live
	check_links weir.nightcore speaker 2
	play_start music
	check_links music weir.capture.live 2
	process_stop weir KILL
	check_links music speaker 2
}

in_both_app_microphone_drop_in() {
	dropin_start "$1" app-microphone
	wait_for "the microphone" 5 node_get weir.capture.microphone '.info["n-output-ports"] == 2'
	check "browsers take it for one" node_prop weir.capture.microphone media.class
	sound ramp "$rig_dir/ramp.wav" 2 48000 2
	record_start speaker-heard speaker
	record_start heard weir.capture.microphone
	pw-play -P '{ node.name = music }' "$rig_dir/ramp.wav"
	record_stop heard
	record_stop speaker-heard
	check "the speaker has everything" sound compare "$rig_dir/ramp.wav" "$rig_dir/speaker-heard.wav"
	check "the microphone has it, too" \
		sound compare "$rig_dir/ramp.wav" "$rig_dir/heard.wav" "$(start_missing "$1")"
}

in_both_app_microphone_drop_in_with_a_real_one() {
	dropin_start "$1" app-microphone '/To talk along/,$ { /To talk along/! s/^    #/    / }'
	source_start alsa_input.YOURS MONO 'session.suspend-timeout-seconds = 1'
	check_links alsa_input.YOURS weir.capture.microphone 2
	play_start music
	check_links music weir.capture.microphone 2
	wait_for "the microphone sleeps while nobody records" 10 is_in_state alsa_input.YOURS suspended
	check "nothing else is said" not process_said "$1" 'ignores passive'
}

in_both_headphones_analysis_drop_in() {
	dropin_start "$1" headphones-analysis
	wait_for "the source" 5 node_id weir.capture.analysis
	process_start analysis pw-record --target 0 --rate 48000 --channels 2 --format f32 \
		-P '{ node.name = analysis }' "$rig_dir/analysis.wav"
	check_links weir.capture.analysis analysis 2
	wait_for "the analysis runs" 5 is_in_state analysis running
	sound ramp "$rig_dir/ramp.wav" 2 48000 2
	record_start heard speaker
	pw-play -P '{ node.name = music }' "$rig_dir/ramp.wav"
	record_stop heard
	record_stop analysis
	check "the speaker has everything" sound compare "$rig_dir/ramp.wav" "$rig_dir/heard.wav"
	check "the analysis, too" \
		sound compare "$rig_dir/ramp.wav" "$rig_dir/analysis.wav" "$(start_missing "$1")"
}

tests_in_both
tests_run "$@"
