#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# What README.md says of packages and of installing: everything of this build is found and works, in
# /usr with nothing in the environment, in one's home with three variables, and not installed at all.

. "$(dirname "$0")/rig.sh"

source_dir=$(dirname "$WEIR_CONF_DIR")
build=$(dirname "${WEIR_EXAMPLES:?the folder of the built examples}")
rig_need meson ninja

test_packages_are_all_there_and_nothing_is_said() {
	check "scripts/install-deps is quiet" [ -z "$("$source_dir/scripts/install-deps" --test 2>&1)" ]
}

# Debian testing and unstable have no VERSION_ID.
test_a_system_without_a_number_is_known() {
	printf 'ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"\n' >"$rig_dir/os-release"
	check "all packages are there" env OS_RELEASE="$rig_dir/os-release" "$source_dir/scripts/install-deps"
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
		"$source_dir/scripts/install-deps"
	OS_RELEASE=$rig_dir/os-release "$source_dir/scripts/install-deps" 2>"$rig_dir/said.txt" || true
	check "it names the system" grep -q 'Plan 9' "$rig_dir/said.txt"
	check "it lists the packages" grep -q 'libfftw3-dev' "$rig_dir/said.txt"
}

# setup PREFIX [ARGUMENT...]: a build for this prefix, into the folder that is printed.
setup() {
	local folder=$rig_dir/build${1//\//-}
	meson setup "$folder" "$source_dir" --prefix "$@" >"$rig_dir/meson.log" 2>&1
	echo "$folder"
}

# installs_below BUILD PREFIX FILE: everything, and this file?
installs_below() {
	meson introspect "$1" --installed | jq -e --arg prefix "$2/" --arg file "$2/$3" \
		'map(startswith($prefix)) == map(true) and (map(. == $file) | any)'
}

test_every_file_goes_below_the_prefix() {
	local folder
	folder=$(setup /usr)
	check "in /usr, the LADSPA plugin where hosts search it" installs_below "$folder" /usr lib/ladspa/weir.so
	folder=$(setup "$HOME/.local" -Dladspadir=lib64/ladspa)
	check "in the home, the LADSPA plugin where it is wanted" \
		installs_below "$folder" "$HOME/.local" lib64/ladspa/weir.so
}

# As distributions build, without the programs of the tests.
test_all_features_can_be_enabled() {
	mkdir "$rig_dir/bin"
	ln -s /usr/bin/* "$rig_dir/bin"
	rm "$rig_dir"/bin/{pipewire,wireplumber,jq,sox}
	check "it can be configured" env PATH="$rig_dir/bin" meson setup "$rig_dir/build" "$source_dir" \
		--auto-features=enabled
}

# stage FOLDER: what "ninja install" puts below the prefix, into FOLDER.
stage() {
	local prefix
	prefix=$(meson introspect "$build" --buildoptions | jq -r '.[] | select(.name == "prefix") | .value')
	DESTDIR=$rig_dir/staged meson install -C "$build" --no-rebuild >"$rig_dir/meson.log" 2>&1
	mv "$rig_dir/staged$prefix" "$1"
}

# inside COMMAND...: /usr has weir as well, and nothing says where to look.
inside() {
	local user=--map-root-user
	[ "$(id -u)" != 0 ] || user=
	# shellcheck disable=SC2016,SC2086
	unshare --mount $user sh -e -c 'mount -t overlay weir -o "lowerdir=$1:/usr" /usr && shift
		unset SPA_PLUGIN_DIR PIPEWIRE_MODULE_DIR LADSPA_PATH
		exec "$@"' sh "$rig_dir/usr" "$@"
}

test_an_install_into_usr_is_found() {
	local tests
	tests=$(dirname "$(realpath "$0")")
	rig_need unshare
	stage "$rig_dir/usr"
	inside true || rig_skip "this machine mounts nothing over /usr"
	export WEIR_CONF_DIR=/usr/share/pipewire
	inside "$tests/test-conf.sh" test_every_drop_in_loads
	inside "$tests/test-install.sh" in_stream_drop_in_is_found
}

in_stream_drop_in_is_found() {
	mkdir -p "$XDG_CONFIG_HOME/wireplumber/wireplumber.conf.d"
	sed 's/= mpv/= pw-cat/' /usr/share/wireplumber/wireplumber.conf.avail/50-weir-pitch-app.conf \
		>"$XDG_CONFIG_HOME/wireplumber/wireplumber.conf.d/50-weir-pitch-app.conf"
	rig_start
	sox -n -r 48000 -c 2 "$rig_dir/tone.wav" synth 20 sine 440
	process_start player pw-play -P '{ node.name = player }' "$rig_dir/tone.wav"
	wait_for "the plugin in the player's stream" 5 node_get player '.info.params.Props | any(.params
		| index("pitch:semitones"))'
}

# use_prefix PREFIX: the three variables of README.md.
use_prefix() {
	local lib
	lib=$1/$(pkg-config --variable=libdir libspa-0.2 | sed 's#^/usr/##')
	export SPA_PLUGIN_DIR=$lib/spa-0.2:${SPA_PLUGIN_DIR##*:}
	export PIPEWIRE_MODULE_DIR=$lib/pipewire-0.3:${PIPEWIRE_MODULE_DIR##*:}
	export LADSPA_PATH=$1/lib/ladspa:/usr/lib/ladspa
}

# in_devenv VARIABLE: its value there. A session in which an installed weir is found begins with that.
in_devenv() {
	SPA_PLUGIN_DIR=/installed/spa PIPEWIRE_MODULE_DIR=/installed/modules LADSPA_PATH=/installed/ladspa \
		meson devenv -C "$build" sh -c "echo \"\$$1\""
}

# is_searched_first VARIABLE FILE: in the build folder, then the installed, then the system's?
is_searched_first() {
	local folders
	folders=$(in_devenv "$1")
	echo "$folders"
	[ -e "${folders%%:*}/$2" ] && [[ ${folders%%:*} = "$build"/* && $folders = *:/installed/*:/usr/* ]]
}

test_a_build_that_is_not_installed_can_be_tried() {
	check "SPA nodes" is_searched_first SPA_PLUGIN_DIR weir/libspa-weir.so
	check "modules" is_searched_first PIPEWIRE_MODULE_DIR libpipewire-module-weir-links.so
	check "the LADSPA plugin" is_searched_first LADSPA_PATH weir.so
	check "weir.conf" cmp "$WEIR_CONF_DIR/weir.conf" "$(in_devenv WEIR_CONF)"
	mkdir "$rig_dir/weir.conf.d"
	cp "$(in_devenv WEIR_CONF)" "$rig_dir/"
	cp "$WEIR_CONF_DIR/weir.conf.avail/50-weir-pitch.conf" "$rig_dir/weir.conf.d/"
	rig_start
	process_start weir pipewire -c "$rig_dir/weir.conf"
	wait_for "the node of a drop-in beside it" 5 node_id weir.pitch
}

test_an_install_into_the_home_works() {
	local prefix=$rig_dir/.local line page
	stage "$prefix"
	use_prefix "$prefix"
	check "weir-run is there" "$prefix/bin/weir-run" --list
	check "weir is there" "$prefix/bin/weir" --version
	for page in "$source_dir"/man/*.[17]; do
		page=${page##*/}
		check "the manual $page is there" test -s "$prefix/share/man/man${page##*.}/$page"
	done
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
