# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# rig.sh for tests of libpipewire-module-weir-capture, in the daemon or in a process of its own.
# "music" is what the module captures, "game" is not.

. "$(dirname "$0")/rig.sh"
. "$(dirname "$0")/traces.sh"

SOURCE=weir.capture.test
SINK=weir.capture.test.sink
MATCH='[ { application.process.binary = pw-cat node.name = music } ]'

# One quantum of pw-play. It mixes in its main loop, which is late now and then on a busy machine when
# it has messages to read, too.
QUANTUM=2048

capture_conf() {
	cat <<-END
	context.modules = [ { name = libpipewire-module-weir-capture flags = [ nofail ] args = {
		capture.name = ${SOURCE#weir.capture.}
		$*
	} } ]
	END
}

# daemon_start ARGS: the rig with the module in the daemon.
daemon_start() {
	capture_conf "$@" | rig_write pipewire/pipewire.conf.d/50-capture.conf
	switch_conf
	rig_start
	wait_for "the source" 5 node_id $SOURCE
}

# switch_conf [MODULE]: lets tests/module-switch.c load it (capture) and unload all in the daemon.
switch_conf() {
	[ ! -e "$rig_dir/switch" ] || return 0
	rig_write pipewire/pipewire.conf.d/60-switch.conf <<-END
	context.modules = [ { name = libpipewire-module-weir-switch args = {
		switch.fifo = "$rig_dir/switch"
		switch.name = libpipewire-module-weir-${1:-capture}
	} } ]
	END
	mkfifo "$rig_dir/switch"
}

# process_host_start ARGS: the module in a process of its own; the rig runs.
process_host_start() {
	rig_write pipewire/weir.conf <<-'END'
	context.spa-libs = { support.* = support/libspa-support }
	context.modules = [
		{ name = libpipewire-module-protocol-native }
		{ name = libpipewire-module-metadata }
		{ name = libpipewire-module-client-node }
	]
	END
	capture_conf "$@" | rig_write pipewire/weir.conf.d/50-capture.conf
	process_start weir pipewire -c weir.conf
	wait_for "the source" 5 node_id $SOURCE
}

# rig_end: weir ends, and leaves nothing behind.
rig_end() {
	process_stop weir
	if process_is_running pipewire && [ -e "$rig_dir/switch" ]; then
		echo >"$rig_dir/switch"
	fi
	check_no_traces
}

# sink_conf NAME: of a stereo null sink.
sink_conf() {
	cat <<-END
	context.objects = [ { factory = adapter args = {
		factory.name = support.null-audio-sink
		node.name = $1
		node.description = "$1"
		media.class = Audio/Sink
		audio.position = [ FL FR ]
		object.linger = true
	} } ]
	END
}

# play_start NAME [PROPERTIES]: a long ramp, as a stream of this name.
play_start() {
	local file=$rig_dir/long.wav
	[ -e "$file" ] || sound ramp "$file" 60 48000 2
	process_start "$1" pw-play -P "{ node.name = $1 ${2:-} }" "$file"
	wait_for "$1 plays" 5 node_get "$1" '.info.state == "running"'
}

# noise_write: noise.wav, a quarter of an hour that takes little room.
noise_write() {
	[ -e "$rig_dir/noise.wav" ] ||
		sox -n -r 8000 -c 2 -b 8 "$rig_dir/noise.wav" synth 900 whitenoise
}

# noise_start NAME: as a stream of this name that does not end.
noise_start() {
	noise_write
	process_start "$1" pw-play -P "{ node.name = $1 }" "$rig_dir/noise.wav"
}

plays_on() {
	has_links "$1" "$2" 2
}

is_captured() {
	has_links "$1" $SOURCE 2
}

is_at_home() {
	has_links "$1" $SOURCE 0 && has_links "$1" $SINK 0 && plays_on "$1" speaker
}

# state_show: links between nodes, nodes of the module, and targets.
state_show() {
	graph -c '(map(select(.type == "PipeWire:Interface:Node")
			| {key: "\(.id)", value: .info.props["node.name"]}) | from_entries) as $name
		| {links: [map(select(.type == "PipeWire:Interface:Link") | .info
				| "\($name["\(."output-node-id")"])>\($name["\(."input-node-id")"])")
			| group_by(.)[] | "\(.[0]) \(length)"],
		nodes: [$name[] | select(startswith("weir."))] | sort,
		targets: [.[] | select(.props["metadata.name"] == "default") | .metadata[]
			| select(.key == "target.object") | "\($name["\(.subject)"]) \(.value)"] | sort}'
}

# state_is FILTER: of what state_show shows; the last state is in state.log.
state_is() {
	state_show >"$rig_dir/state.log" && jq -e "$1" "$rig_dir/state.log"
}

session_manager_restart() {
	process_stop wireplumber
	session_manager_start
}

session_manager_start() {
	process_start wireplumber wireplumber
	wait_for "WirePlumber" 20 rig_is_ready
}

# pulse_start: clients of PulseAudio can play when it returns.
pulse_start() {
	rig_need pipewire-pulse
	process_start pulse pipewire-pulse
	wait_for "pipewire-pulse" 10 test -S "$XDG_RUNTIME_DIR/pulse/native"
}

# move STREAM SINK: as pavucontrol does it.
move() {
	pw-metadata "$(node_id "$1")" target.object "$(node_prop "$2" object.serial)" Spa:Id >/dev/null
	wait_for "$1 plays on $2" 5 plays_on "$1" "$2"
}

# headphones_choose: music plays there, and WirePlumber remembers it.
headphones_choose() {
	sink_conf headphones | rig_write pipewire/pipewire.conf.d/20-headphones.conf
	rig_start
	play_start music
	move music headphones
	wait_for "WirePlumber remembers it" 10 grep -qr headphones "$XDG_STATE_HOME/wireplumber"
}

# source_is STATE: waiting, captured, silent-paused or no-sink.
source_is() {
	[ "$(node_prop $SOURCE weir.capture.state)" = "$1" ]
}

# tests_in_both: each in_both_ function is two tests, with the name of the module's process.
tests_in_both() {
	local scenario name
	for scenario in $(compgen -A function in_both_); do
		name=${scenario#in_both_}
		eval "test_daemon_$name() { $scenario pipewire; }"
		eval "test_process_$name() { $scenario weir; }"
	done
}
