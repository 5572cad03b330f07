# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# rig.sh for tests of what reads reports: pitch nodes that shift nothing, and a player.

. "${BASH_SOURCE%/*}/rig.sh"

# pitch_create NODE [UNIT]: at 0 semitones it passes every sample as it is.
pitch_create() {
	timeout 5 pw-cli create-node spa-node-factory "{ factory.name = weir.${2:-pitch} node.name = $1
		object.linger = true }" >/dev/null
	wait_for "$1" 5 node_id "$1"
}

# graph_start: the rig, and weir.pitch, into the speaker.
graph_start() {
	rig_write pipewire/pipewire.conf.d/50-weir.conf <<<'context.spa-libs = { weir.* = weir/libspa-weir }'
	rig_start
	pitch_create weir.pitch
	pw-link weir.pitch:out-l speaker:playback_FL
	pw-link weir.pitch:out-r speaker:playback_FR
}

# bursts_start: with an attack every 0.5 s, into weir.pitch.
bursts_start() {
	sox -n -r 48000 -c 2 -b 32 -e float "$rig_dir/burst.wav" synth 0.1 sine 440 gain -6 pad 0 0.4
	sox "$rig_dir/burst.wav" "$rig_dir/bursts.wav" repeat 240
	process_start player pw-play -P '{ node.name = player node.autoconnect = false }' "$rig_dir/bursts.wav"
	wait_for "the player's ports" 10 pw-link player:output_FL weir.pitch:in-l
	pw-link player:output_FR weir.pitch:in-r
}

# has_lines FILE COUNT FILTER: of JSON, for which jq's FILTER holds.
has_lines() {
	# The last line may not be whole yet.
	(($({ jq -c "select($3)" "$1" 2>/dev/null || true; } | wc -l) >= $2))
}

node_ids() { # NAME
	graph --arg name "$1" '[.[] | select(.type == "PipeWire:Interface:Node"
		and .info.props["node.name"] == $name) | .id] | @csv'
}

has_nodes() { # NAME COUNT
	graph --arg name "$1" --argjson count "$2" \
		'[.[] | select(.type == "PipeWire:Interface:Node" and .info.props["node.name"] == $name)]
			| length == $count'
}
