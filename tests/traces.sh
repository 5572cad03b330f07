# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What weir leaves behind when it ends: nothing. For rig.sh, in two ways:
#
#	traces_take before		the graph, the metadata and the session manager's memory...
#	... weir comes, works and ends, somehow ...
#	check_traces before		...are again what they were
#
# compares with what was there, and check_no_traces, which capture-rig.sh runs at the end of every
# test, needs nothing to compare with: it looks for what only weir writes.

# jq's variables look like the shell's.
# shellcheck disable=SC2016

# What a stream of the daemon keeps until it ends: that its resampler has been switched on, which nobody
# can take back while it plays.
TRACES_KEPT='^weir\.capture\.[a-z0-9-]+\.rate$'

# traces_graph: what is in the graph, without numbers that differ each time.
traces_graph() {
	graph -S --arg kept "$TRACES_KEPT" '
		def is(type): .type == "PipeWire:Interface:" + type;
		def props: .info.props | with_entries(select(.key | test($kept) or
			test("^(object\\.(id|serial)|client\\.id|factory\\.id|node\\.driver-id)$") | not));
		(map(select(is("Node")) | {key: "\(.id)", value: .info.props["node.name"]}) | from_entries) as $node
		| (map(select(is("Port")) | {key: "\(.id)", value:
			"\($node["\(.info.props["node.id"])"]):\(.info.props["port.name"])"}) | from_entries) as $port
		| {
			nodes: [.[] | select(is("Node")) | {
				name: .info.props["node.name"],
				props: props,
				heard: (.info.params.Props[0]? // {} | {volume, mute, channelVolumes, monitorVolumes, softVolumes}),
				rate: [.info.params.PropInfo[]? | select(.id == "rate") | .type.default],
				ports: (($node["\(.id)"] + ":") as $start | [$port[] | select(startswith($start))] | unique)
			}] | sort_by(.name),
			links: [.[] | select(is("Link"))
				| "\($port["\(.info["output-port-id"])"]) > \($port["\(.info["input-port-id"])"])"] | sort,
			clients: [.[] | select(is("Client")) | .info.props["application.name"]
				| select(. != "pw-dump" and . != "pw-cli" and . != "pw-metadata")] | sort,
			metadata: [.[] | select(is("Metadata")) | .props["metadata.name"] as $name
				| .metadata[] | select(.key | startswith("restore.stream.") | not)
				| "\($name) \($node["\(.subject)"] // .subject) \(.key) \(.value)"] | sort
		}'
}

# traces_memory: what the session manager remembers. It writes after a second: a note of ours that it
# writes last says that it has written all.
traces_memory() {
	local note
	note=0.$((RANDOM % 9000 + 1000))
	pw-metadata -n route-settings 0 restore.stream.Output/Audio.media.role:Notification \
		"{ \"volume\": $note }" Spa:String:JSON >/dev/null
	# Not in a file that is still being written, beside the old one.
	wait_for "the session manager's memory" 10 \
		grep -Fqrs --exclude='*.??????' "\"volume\":$note" "$XDG_STATE_HOME" >&2
	traces_files
}

# traces_files: all that anybody wrote below the state folder, but not what says "as ever".
traces_files() {
	find "$XDG_STATE_HOME" -type f ! -name '*.??????' -exec grep -Hv ':Notification=' {} + 2>/dev/null |
		jq -RrS 'capture("^(?<key>.*?=)(?<value>[{].*)") // {key: ., value: "null"}
			| .value |= (fromjson | if type == "object" then with_entries(select(
				[.key, .value] | IN(["mute", false], ["volume", 1], ["channelMap", ["FL", "FR"]],
					["channelVolumes", [1, 1]]) | not)) else . end)
			| select(.value != {}) | "\(.key) \(.value)"' | LC_ALL=C sort
}

# traces_undo: processes of a capture that wait for its end. Other tests may run beside this one.
traces_undo() {
	local process
	for process in /proc/[0-9]*; do
		if grep -aq '^weir-capture-undo' "$process/cmdline" 2>/dev/null &&
			grep -zqx "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR" "$process/environ" 2>/dev/null; then
			echo "${process##*/}"
		fi
	done
}

no_undo_waits() {
	[ -z "$(traces_undo)" ]
}

# traces_take NAME
traces_take() {
	traces_graph >"$rig_dir/$1.graph"
	traces_memory >"$rig_dir/$1.memory"
}

graph_is_like() {
	traces_graph | diff "$rig_dir/$1.graph" - >"$rig_dir/traces.log"
}

memory_is_like() {
	traces_memory | diff "$rig_dir/$1.memory" -
}

# check_traces NAME: everything is soon what it was when that was taken.
check_traces() {
	wait_for "the graph as it was ($1)" 5 graph_is_like "$1"
	wait_for "no process that waits" 5 no_undo_waits
	check "the session manager remembers what it did ($1)" memory_is_like "$1"
	rm "$rig_dir/traces.log"
}

# graph_traces: what of the graph only weir writes, one per line.
graph_traces() {
	traces_graph | jq -r '
		def ours: tostring | test("weir\\.capture");
		(.nodes[] | .name as $name
			| (select($name | ours) | "node \($name)"),
			(.props | to_entries[] | select(.value != $name) | select((.key | startswith("weir.capture.")) or (.value | ours))
				| "property of \($name): \(.key) = \(.value)"),
			(select((.heard.volume // 1) != 1) | "volume of \($name): \(.heard.volume)"),
			(select(.rate | any(. != 1)) | "rate of \($name): \(.rate)")),
		(.links[], .metadata[] | select(ours)),
		(.clients[] | select(. == "weir-capture-undo"))'
}

graph_has_no_traces() {
	graph_traces >"$rig_dir/traces.log" && [ ! -s "$rig_dir/traces.log" ]
}

memory_has_no_traces() {
	not grep -rE 'weir\.|"volume": *0(\.0*)?[,}]' "$XDG_STATE_HOME/wireplumber"
}

# check_no_traces: of weir, whose modules have ended. Whatever else has ended stays so.
check_no_traces() {
	if process_is_running pipewire; then
		wait_for "no trace in the graph" 5 graph_has_no_traces
		if process_is_running wireplumber; then
			traces_memory >/dev/null
		fi
	fi
	wait_for "no process that waits" 5 no_undo_waits
	check "no trace in the session manager's memory" memory_has_no_traces
	rm -f "$rig_dir/traces.log"
}
