#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# Every file of conf/: it parses, says what it should, loads in a real daemon, and does no harm when
# its plugin is missing.

. "$(dirname "$0")/rig.sh"

conf=${WEIR_CONF_DIR:?the folder conf}
rig_need spa-json-dump pw-cli pw-play sox

# Nothing of weir: what a user has whose package was removed and whose copies were not.
without_plugins() {
	SPA_PLUGIN_DIR=${SPA_PLUGIN_DIR##*:}
	PIPEWIRE_MODULE_DIR=${PIPEWIRE_MODULE_DIR##*:}
	LADSPA_PATH=/nonexistent
}

# drop_ins: every file with the process that reads it. Some are written alike for both.
drop_ins() {
	local process
	for process in pipewire filter-chain weir; do
		printf "$process %s\n" "$conf/$process.conf.avail"/*.conf
	done
	printf "weir %s\n" "$conf"/pipewire.conf.avail/50-weir-{capture-*,nightcore}.conf
}

# conf_start PROCESS FILE: the process reads this drop-in alone.
conf_start() {
	local folder=$XDG_CONFIG_HOME/pipewire/$1.conf.d
	cp "$conf/weir.conf" "$XDG_CONFIG_HOME/pipewire/"
	mkdir -p "$folder"
	rm -f "$folder"/50-*
	cp "$2" "$folder/"
	[ "${process_pids[pipewire]:-}" ] || rig_start
	[ "$1" = pipewire ] || process_start "$1" pipewire -c "$1.conf"
}

conf_stop() {
	if [ "$1" = pipewire ]; then
		rig_stop
	else
		process_stop "$1"
	fi
	rm -f "$rig_dir/$1.log"
}

# node_names FILE
node_names() {
	sed -n -e 's/^ *node.name *= *"\(weir[^"]*\)".*/\1/p' \
		-e 's/^ *capture.name *= *\([a-z0-9-]*\).*/weir.capture.\1/p' "$1"
}

test_every_file_parses_and_explains_itself() {
	local file
	for file in "$conf"/weir.conf "$conf"/*/*.conf; do
		check "${file##*/conf/} parses" spa-json-dump "$file"
		for word in "Check:" "Undo:"; do
			check "${file##*/conf/} has $word" grep -q "^# $word" "$file"
		done
	done
	for file in "$conf"/{filter-chain,wireplumber}.conf.avail/*.conf; do
		check "${file##*/conf/} says that nothing is reported" grep -q "^# Read:    not with weir watch" "$file"
	done
	for file in "$conf"/*/*.conf; do
		check "${file##*/conf/} says where to copy it" grep -q "^# Copy to:" "$file"
		# WirePlumber has no such flags; what its file needs, test-in-stream.sh takes away.
		[[ $file = */wireplumber.conf.avail/* ]] ||
			check "${file##*/conf/} cannot stop a daemon" \
				grep -q 'flags = \[ ifexists nofail \]' "$file"
	done
}

# Controls as the LADSPA host takes them: UNIT NAME VALUE lines.
ladspa_controls() {
	spa-json-dump "$1" | jq -r '.. | objects | select(.plugin? == "weir") | .label as $unit | .control
		| to_entries[] | "\($unit) \(.key) \(.value)"'
}

test_controls_of_filter_chains_exist_and_are_in_range() {
	local file unit name value count=0
	for file in "$conf"/{filter-chain,wireplumber}.conf.avail/*.conf; do
		while read -r unit name value; do
			check "${file##*/}: $name = $value" weir-run "$unit" -s "$name=$value" --help
			count=$((count + 1))
		done < <(ladspa_controls "$file")
	done
	check "there are such controls" [ $count -gt 0 ]
}

has_described_nodes() {
	local name
	for name in $(node_names "$1"); do
		node_prop "$name" node.description || return 1
	done
}

# unit_nodes FILE: the nodes of ours that it makes.
unit_nodes() {
	awk -F '[="# ]+' '/^ *factory.name *= *weir\./ { unit = 1 }
		unit && /^ *node.name *=/ { print $3; unit = 0 }' "$1"
}

has_reports() {
	local name
	for name in $(unit_nodes "$1"); do
		graph --argjson id "$(node_id "$name")" 'any(.[]; .type == "PipeWire:Interface:Port"
			and .info.props["node.id"] == $id and .info.props["port.name"] == "report")' || return 1
		node_prop "$name" weir.report || return 1
	done
}

loads_well() { # PROCESS FILE
	conf_start "$1" "$2"
	wait_for "$1: ${2##*/}: its nodes, with a description" 5 has_described_nodes "$2"
	wait_for "$1: ${2##*/}: their reports" 5 has_reports "$2"
	check "$1: ${2##*/}: nothing to complain about" not process_said "$1" \
		'^\[[EW]\].*(weir|mod\.filter-chain)'
	conf_stop "$1"
}

test_every_drop_in_loads() {
	local process file
	check "there are nodes that report" [ "$(unit_nodes "$conf/weir.conf.avail/50-weir-two-mics.conf")" = weir.align ]
	while read -r process file; do
		loads_well "$process" "$file"
	done < <(drop_ins)
}

is_harmless() { # PROCESS FILE
	conf_start "$1" "$2"
	process_start player pw-play -P '{ node.name = player }' "$rig_dir/tone.wav"
	wait_for "$1: ${2##*/}: sound without weir" 10 has_links player speaker 2
	record_start heard speaker
	sleep 0.5
	record_stop heard
	check "$1: ${2##*/}: the speaker plays" not sound silent "$rig_dir/heard.wav"
	check "$1: ${2##*/}: the daemon runs" process_is_running pipewire
	process_stop player
	conf_stop "$1"
}

test_a_missing_plugin_costs_no_sound() {
	local process file
	without_plugins
	sox -n -r 48000 -c 2 "$rig_dir/tone.wav" synth 20 sine 440
	while read -r process file; do
		is_harmless "$process" "$file"
	done < <(drop_ins)
}

tests_run "$@"
