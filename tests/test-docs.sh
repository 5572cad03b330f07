#!/usr/bin/env bash
# SPDX-License-Identifier: MIT

# Everything that README.md, CONTRIBUTING.md, doc/, the man pages and the drop-ins tell a reader to type,
# page by page, in a /usr of its own, into which weir is installed as README.md says, in a private session
# with the names of the examples. Nothing of weir is in the environment.
# tests/documents.py finds the commands and explains how they are marked; what is not run is listed.

. "$(dirname "$0")/rig.sh"

source_dir=$(dirname "$WEIR_CONF_DIR")
rig_need unshare python3 ffmpeg meson ninja sox script pw-play pw-cli pw-link man

# What is installed here is seen by this process and those that it starts.
if [ -z "${WEIR_OWN_USR:-}" ]; then
	unshare -m true 2>/dev/null || rig_skip "the kernel gives no mount namespace"
	usr=$(mktemp -d -t weir-usr.XXXXXX)
	trap 'rm -rf "$usr"' EXIT
	mkdir "$usr/upper" "$usr/work" "$usr/checkout"
	WEIR_OWN_USR=$usr unshare -m "$0" "$@"
	exit
fi
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$WEIR_OWN_USR/upper,workdir=$WEIR_OWN_USR/work" /usr ||
	rig_skip "the kernel mounts no overlay"
checkout=$WEIR_OWN_USR/checkout
unset SPA_PLUGIN_DIR PIPEWIRE_MODULE_DIR LADSPA_PATH
PATH=${PATH#*/tools:}

SINK=alsa_output.pci-0000_00_1f.3.analog-stereo

# Nothing here is judged by its sound.
LATE_MS=1000000

# What a reader puts in place of what stands in capitals.
declare -A placeholders=([SOURCE]=Firefox [NODE]=weir.analyze.output [FILE]=song.flac [STREAM]='$(node_id mpv)' [ID]='$(node_id spotify)' [NAME]=app
	[REPORT.jsonl]=report.jsonl [your-program]=cat)

# What a command shows where all is as the text says, besides ending well: an extended regular expression
# over all lines. The text promises it in words.
declare -A promises=(
	["pw-cli info weir.capture.app | grep weir.capture"]='state = "captured"'
	["pw-cli info weir.capture.music | grep weir.capture"]='state = "captured"'
	["pw-cli info weir.capture.redirected | grep weir.capture"]='state = "captured"'
	["pw-cli info weir.capture.nightcore | grep weir.capture"]='state = "captured"'
	["pw-cli info weir.capture.microphone | grep weir.capture"]='state = "captured"'
	["pw-cli enum-params weir.capture.nightcore Props"]='capture:rate"\s+Float 1\.2'
	["pw-cli enum-params weir.pitch Props"]='pitch:semitones"\s+Float 3\.0'
	["pw-cli info weir.pitch.voice | grep weir.state"]='"ready"'
	["pw-cli enum-params weir.pitch.voice Props"]='pitch-mono:semitones"\s+Float -4\.0.*pitch-mono:mode"\s+Int 2'
	["pw-cli info weir.pitch | grep weir.report"]='"semitones onset"'
	["pw-cli info weir.pitch | grep weir.state"]='"ready"'
	["pw-link -ol | grep -A1 weir.pitch:out"]="out-l\\s+\\|-> $SINK:playback_FL\\s.*out-r\\s+\\|-> $SINK:playback_FR"
	["pw-link -ol | grep -A1 weir.nightcore:out"]="out-l\\s+\\|-> $SINK:playback_FL\\s.*out-r\\s+\\|-> $SINK:playback_FR"
	["pw-link -il | grep -A1 weir.analyze.output:in"]="in-l\\s+\\|<- $SINK:monitor_FL\\s.*in-r\\s+\\|<- $SINK:monitor_FR"
	["pw-link -il | grep -A1 weir.analyze.app:in"]='\|<- weir.capture.analyze:'
	["pw-link -il | grep -A1 weir.analyze.microphone:in"]='\|<- alsa_input.YOURS:'
	["pw-link -il | grep -A1 weir.send-microphone"]='\|<- alsa_input.YOURS:'
	["pw-link -il | grep -A1 weir.align:mic"]='\|<- alsa_input.YOURS.*\|<- (alsa_input.YOURS|weir.remote)'
	["pw-link -il | grep -A1 two-mics.input"]='\|<- alsa_input.YOURS-1.*\|<- alsa_input.YOURS-2'
	["pw-link -il | grep -A1 weir."]='weir.align:mic-2\s+\|<- alsa_input.YOURS-2'
	["weir watch weir.align --only delay_s,state --rate 1"]='"delay_s":0\.[0-9]+,"state":1'
	["weir watch weir.analyze.output --only laf,m,bpm,vad"]='"laf":\[-?[0-9.]+,.*"m":-[0-9.]+'
	["weir watch weir.pitch"]='"semitones":[0-9]'
)

# Pages that set a job up, and undo it at their end.
jobs="change-pitch capture-program play-faster combine-microphones measure-sound keep-links"

# Programs by their binaries, as drop-ins name them; Firefox is known by its node's name.
programs="spotify chromium mpv"

# --- the session ---

session_prepare() {
	local microphone
	ln -s config "$HOME/.config"
	mkdir -p "$HOME/.local" "$rig_dir/bin" "$rig_dir/config/pipewire" "$rig_dir/state"
	ln -s "$rig_dir/state" "$HOME/.local/state"
	PATH=$rig_dir/bin:$PATH
	for program in $programs; do
		cp "$(command -v pw-cat)" "$rig_dir/bin/$program"
	done
	{
		echo "context.objects = ["
		for microphone in alsa_input.YOURS{,-1,-2}; do
			echo "{ factory = adapter args = { factory.name = support.null-audio-sink
				node.name = $microphone media.class = Audio/Source/Virtual
				node.description = \"A microphone\" audio.position = [ MONO ] } }"
		done
		echo "{ factory = adapter args = { factory.name = support.null-audio-sink
			node.name = $SINK media.class = Audio/Sink node.description = \"Speakers\"
			audio.position = [ FL FR ] priority.session = 2000 } } ]"
	} | rig_write pipewire/pipewire.conf.d/10-devices.conf
}

# service_start NAME
service_start() {
	case $1 in
	pipewire) process_start pipewire command pipewire && wait_for "PipeWire" 10 node_id "$SINK" ;;
	pipewire-pulse) process_start pipewire-pulse pipewire-pulse ;;
	wireplumber) process_start wireplumber wireplumber && wait_for "WirePlumber" 20 session_is_ready ;;
	*) process_start "$1" command pipewire -c "$1.conf" ;;
	esac
}

session_is_ready() {
	[ "$(metadata_get default.audio.sink | jq -r .name)" = "$SINK" ]
}

programs_start() {
	local program
	for program in $programs; do
		process_start "$program" "$rig_dir/bin/$program" -p "$checkout/song.flac"
	done
	process_start firefox pw-play -P '{ node.name = Firefox }' "$checkout/song.flac"
	process_start talker pw-play --target 0 -P '{ node.name = talker }' "$checkout/talk.wav"
	wait_for "the talker is heard" 10 talker_is_heard
	wait_for "Firefox plays" 10 has_links Firefox "$SINK" 2
}

# By both microphones, 0.2 s later by the second.
talker_is_heard() {
	pw-link talker:output_FL alsa_input.YOURS-1:input_MONO && pw-link talker:output_FR alsa_input.YOURS-2:input_MONO
}

programs_stop() {
	local program
	for program in $programs firefox talker; do
		process_stop "$program"
	done
}

session_start() {
	session_prepare
	[ -e "$checkout/README.md" ] || checkout_make
	process_start dbus dbus-daemon --session --nofork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS"
	wait_for "D-Bus" 10 test -S "$XDG_RUNTIME_DIR/bus"
	service_start pipewire
	service_start wireplumber
	service_start pipewire-pulse
	programs_start
	cd "$checkout" || exit 1
}

# The sources as they are cloned, and the sound files of the examples.
checkout_make() {
	(cd "$source_dir" && git ls-files -z | tar --null --files-from - --create) | tar --extract --directory "$checkout"
	sox -R -n -r 48000 -c 1 "$checkout/left.wav" synth 60 pinknoise tremolo 1 99 gain -12
	sox "$checkout/left.wav" "$checkout/right.wav" delay 0.2
	sox -M "$checkout/left.wav" "$checkout/right.wav" "$checkout/talk.wav"
	sox -R -n -r 48000 -c 2 "$checkout/song.flac" synth 120 pluck A3 repeat 0 gain -12
	ffmpeg -loglevel error -i "$checkout/song.flac" -t 3 "$checkout/film.mkv"
}

# installed: as README.md says, unless a test before did.
installed() {
	[ -x /usr/bin/weir ] || weir_install
}

weir_install() {
	{
		meson setup "$checkout/build" "$checkout" --prefix /usr -Dtests=disabled &&
			nice -n 15 ninja -C "$checkout/build" install
	} >"$rig_dir/install.log" 2>&1
}

# The nodes that the examples of manual pages read, and what they hear.
nodes_start() {
	programs_stop
	programs_start
	mkdir -p "$HOME/.config/pipewire/weir.conf.d"
	cp "$source_dir"/conf/weir.conf.avail/50-weir-{pitch,two-mics,analyze-output}.conf \
		"$source_dir/conf/pipewire.conf.avail/50-weir-capture-tap.conf" "$HOME/.config/pipewire/weir.conf.d/"
	systemctl --user enable --now weir
}

# --- commands that a test cannot take as they are ---

sudo() {
	"$@"
}

# The session's processes log into files.
journalctl() {
	cat "$rig_dir"/{pipewire,wireplumber}.log
}

# systemctl --user VERB [--now] SERVICE...: as systemd does; what is bound to the sound server is restarted
# with it, and players do not survive that.
systemctl() {
	local verb=$2 service services
	[ "$1" = --user ] || return 1
	shift 2
	[ "${1:-}" != --now ] || shift
	services=" $* "
	case $verb in
	daemon-reload) ;;
	restart | enable)
		if [[ $services = *" pipewire "* ]]; then
			services=" pipewire wireplumber pipewire-pulse"
			for service in weir filter-chain; do
				! process_is_running $service || services+=" $service"
			done
		fi
		for service in $services; do
			process_stop "$service"
		done
		for service in $services; do
			service_start "$service"
		done
		[[ $services != *wireplumber* ]] || { programs_stop && programs_start; }
		;;
	disable | stop)
		for service; do
			process_stop "$service"
		done
		;;
	status) process_is_running "$1" && echo "$1 is running" ;;
	*) return 1 ;;
	esac
}

# for_a_while COMMAND...: as with Ctrl-C after 2 s.
for_a_while() {
	local status=0
	timeout --foreground -s INT 2 "$@" || status=$?
	[ $status = 124 ] || return $status
}

weir() {
	case $1 in
	top) script -qec "timeout --foreground -s INT 2 weir $*" /dev/null </dev/null || [ $? = 124 ] ;;
	watch) for_a_while weir "$@" ;;
	*) command weir "$@" ;;
	esac
}

pw-record() {
	for_a_while pw-record "$@"
}

pw-dump() {
	for_a_while pw-dump "$@"
}

# pipewire -c NAME.conf: in place of the service.
pipewire() {
	process_stop "${2%.conf}"
	for_a_while pipewire "$@"
	service_start "${2%.conf}"
}

# --- what documents.py calls ---

skipped=0

document_skip() {
	echo "  not run: $1: $2: ${3%%$'\n'*}"
}

document_long() {
	[ -z "${WEIR_LONG:-}" ] || document_run "$1" "$3" ""
	[ -n "${WEIR_LONG:-}" ] || echo "  in tests/long only: $1: $2: ${3%%$'\n'*}"
}

document_write() {
	local file=${2/#\~/$HOME}
	mkdir -p "${file%/*}"
	printf '%s\n' "$3" >"$file"
	echo "  ok $1: written to $2"
}

# A person is slower than a test: what asks or tells the graph is tried for a while.
document_run() {
	local where=$1 text=$2 line deadline word
	for word in "${!placeholders[@]}"; do
		text=$(printf '%s\n' "$text" | sed "s/\\b$word\\b/${placeholders[$word]}/g")
	done
	text=${text//$'\\\n'/ }
	while IFS= read -r line; do
		line=${line%%   *#*}
		[ -n "$line" ] || continue
		deadline=$((SECONDS + 10))
		until command_works "$line" && command_keeps_promise "$line"; do
			if [[ ! $line =~ ^(pw-|pactl |wpctl |weir ) ]] || ((SECONDS > deadline)); then
				printf '  FAILED %s: %s\n' "$where" "$line"
				tail -n 20 "$rig_dir/command.out" "$rig_dir/command.err"
				exit 1
			fi
			sleep 0.2
		done
	done <<<"$text"
	[ -z "$3" ] || check "$where shows $3" grep -Eaq -- "$3" "$rig_dir/command.out"
	[ -z "${WEIR_SHOW:-}" ] || head -n 6 "$rig_dir/command.out" | cut -c1-150
	echo "  ok $where: ${text%%$'\n'*}"
}

# It ends well, pw-cli does not say "Error", and what is to be read is there.
command_works() {
	local status=0
	eval "$1" >"$rig_dir/command.out" 2>"$rig_dir/command.err" </dev/null || status=$?
	[ $status = 0 ] && ! grep -q '^Error' "$rig_dir/command.err" || return 1
	[[ ! $1 =~ ^(pw-cli (enum|info|ls)|pw-dump|weir (watch|top))|grep ]] || [[ $1 =~ '>'|--osc|jq ]] ||
		[ -s "$rig_dir/command.out" ]
}

command_keeps_promise() {
	[ -z "${promises[$1]:-}" ] || grep -Ezq -- "${promises[$1]}" "$rig_dir/command.out"
}

# document FILE: everything in it.
document() {
	local calls
	calls=$(cd "$source_dir" && python3 tests/documents.py "$1") || exit
	[ -n "$calls" ] || return 0
	eval "$calls"
}

# --- the tests ---

test_promises_are_about_commands_of_the_text() {
	local page command
	for page in "$source_dir"/{*.md,doc/*.md,man/*.[17],conf/*/*.conf}; do
		(cd "$source_dir" && python3 tests/documents.py "${page#"$source_dir/"}") >>"$rig_dir/commands" || exit
	done
	for command in "${!promises[@]}"; do
		check "there is $command" grep -qF -- "$command" "$rig_dir/commands"
	done
}

test_the_manual_pages_hold() {
	local page
	session_start
	installed
	nodes_start
	for page in "$source_dir"/man/*.[17]; do
		document "man/${page##*/}"
	done
}

test_pages_have_the_sections_of_a_job() {
	local page section
	for page in $jobs install process-files watch-reports; do
		for section in "Check" "Undo" "When it does not work"; do
			check "doc/$page.md has \"$section\"" grep -qx "## $section" "$source_dir/doc/$page.md"
		done
	done
}

test_pages_of_jobs_hold() {
	local page
	session_start
	installed
	mkdir -p "$HOME"/.config/pipewire/{weir,filter-chain}.conf.d
	systemctl --user enable --now weir filter-chain
	for page in $jobs; do
		programs_stop
		programs_start
		document "doc/$page.md"
		wait_for "doc/$page.md: nothing remains" 5 no_node_of_ours
	done
}

test_other_pages_hold() {
	local page
	session_start
	installed
	nodes_start
	for page in "$source_dir"/{CONTRIBUTING.md,doc/*.md}; do
		page=${page#"$source_dir/"}
		[[ " $jobs " = *" $(basename "$page" .md) "* ]] || document "$page"
	done
}

test_benches_hold() {
	local page
	[ -n "${WEIR_LONG:-}" ] || rig_skip "takes an hour: tests/long/docs"
	session_start
	installed
	for page in "$source_dir"/bench{,/*}/README.md; do
		document "${page#"$source_dir/"}"
	done
}

# Where "Copy to:" says a drop-in may go.
folders() {
	sed -n '/^# Copy to:/,/^# [A-Z]*[a-z]*: /{/^# \(Copy\|  \)/p}' "$source_dir/$1" |
		grep -oE '(pipewire|weir|filter-chain|wireplumber)\.conf\.d' | sort -u
}

test_drop_ins_hold() {
	local file
	session_start
	installed
	for file in "$source_dir"/conf/{weir,filter-chain,pipewire,wireplumber}.conf.avail/*.conf; do
		drop_in_holds "${file#"$source_dir/"}"
	done
}

no_node_of_ours() {
	! graph '[.[] | .info.props["node.name"]? // "" | select(startswith("weir."))] | length > 0'
}

# drop_in_holds FILE: copied to the first folder that it names, until its copy is deleted.
drop_in_holds() {
	local folder
	folder=$(folders "$1" | head -n 1)
	mkdir -p "$HOME/.config/${folder%%.*}/$folder" "$HOME/.config/pipewire/$folder"
	case $folder in
	wireplumber*) folder=$HOME/.config/wireplumber/$folder ;;
	*) folder=$HOME/.config/pipewire/$folder ;;
	esac
	cp "$source_dir/$1" "$folder/"
	programs_stop
	programs_start
	document "$1"
	rm "$folder/${1##*/}"
	process_stop weir
	process_stop filter-chain
	[[ $folder = *weir.conf.d || $folder = *filter-chain.conf.d ]] ||
		systemctl --user restart pipewire
	wait_for "$1: nothing remains" 5 no_node_of_ours
}

test_the_readme_holds() {
	session_start
	document README.md
	check "nothing of weir is installed any more" [ ! -e /usr/bin/weir ]
}

tests_run "$@"
