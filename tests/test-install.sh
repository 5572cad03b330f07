#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# What README.md says of packages and of installing into one's home.

. "$(dirname "$0")/rig.sh"

source_dir=$(dirname "$WEIR_CONF_DIR")
rig_need meson ninja

test_packages_are_all_there_and_nothing_is_said() {
	check "tools/install-deps is quiet" [ -z "$("$source_dir/tools/install-deps" --test 2>&1)" ]
}

# ends_with STATUS COMMAND...
ends_with() {
	local status=0
	"${@:2}" || status=$?
	[ $status = "$1" ]
}

test_another_system_gets_the_list() {
	printf 'ID=plan9\nPRETTY_NAME="Plan 9"\n' >"$rig_dir/os-release"
	check "it fails with status 2" ends_with 2 env OS_RELEASE="$rig_dir/os-release" \
		"$source_dir/tools/install-deps"
	OS_RELEASE=$rig_dir/os-release "$source_dir/tools/install-deps" 2>"$rig_dir/said.txt" || true
	check "it names the system" grep -q 'Plan 9' "$rig_dir/said.txt"
	check "it lists the packages" grep -q 'libfftw3-dev' "$rig_dir/said.txt"
}

# The three variables of README.md, for a prefix.
use_prefix() {
	local lib
	lib=$1/$(pkg-config --variable=libdir libspa-0.2 | sed 's#^/usr/##')
	export SPA_PLUGIN_DIR=$lib/spa-0.2:${SPA_PLUGIN_DIR##*:}
	export PIPEWIRE_MODULE_DIR=$lib/pipewire-0.3:${PIPEWIRE_MODULE_DIR##*:}
	export LADSPA_PATH=$lib/ladspa:/usr/lib/ladspa
}

test_an_install_into_the_home_works() {
	local prefix=$rig_dir/.local line
	meson setup "$rig_dir/build" "$source_dir" --prefix "$prefix" -Dtests=disabled >"$rig_dir/meson.log" 2>&1
	ninja -C "$rig_dir/build" install >"$rig_dir/ninja.log" 2>&1
	use_prefix "$prefix"
	check "weir-run is there" "$prefix/bin/weir-run" --list
	check "weir is there" "$prefix/bin/weir" --version
	check "their manuals are there" test -s "$prefix/share/man/man1/weir-run.1" -a -s \
		"$prefix/share/man/man1/weir-watch.1"
	for line in 'ExecStart=/.*/pipewire -c weir.conf' 'BindsTo=pipewire.service' 'Restart=on-failure'; do
		check "the service has $line" grep -qx "$line" "$prefix/lib/systemd/user/weir.service"
	done
	check "WirePlumber's drop-in is there" test -s \
		"$prefix/share/wireplumber/wireplumber.conf.avail/50-weir-pitch-app.conf"
	check "and its script" test -s "$prefix/share/wireplumber/scripts/weir/in-stream.lua"
	mkdir -p "$XDG_CONFIG_HOME/pipewire/filter-chain.conf.d"
	cp "$prefix/share/pipewire/filter-chain.conf.avail/50-weir-pitch-sink.conf" \
		"$XDG_CONFIG_HOME/pipewire/filter-chain.conf.d/"
	rig_start "$prefix/share/pipewire/pipewire.conf.avail/50-weir-pitch.conf" \
		"$prefix/share/pipewire/pipewire.conf.avail/50-weir-capture-tap.conf"
	wait_for "the SPA node" 5 node_id weir.pitch
	wait_for "the capture node" 5 graph '[.[] | .info.props["node.name"]? // ""
		| select(startswith("weir.capture."))] | length > 0'
	process_start filter-chain pipewire -c filter-chain.conf
	wait_for "the LADSPA plugin" 5 node_id weir.pitch.sink
}

tests_run "$@"
