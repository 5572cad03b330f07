#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2317,SC2119,SC2086
# Every kind of client that plays sound, captured with a redirect in the daemon: nothing of it may
# reach the speaker, and the source must have it from its first frame to its last.
#
# Each kind is started WEIR_STARTS times (3), while WEIR_HOGS processes (0) keep the processors busy.
# Under such load players and recorders stumble by themselves, with or without a capture: the source
# must then begin with the same frame as the sink that they play on (like_sink). The whole proof is
#
#	WEIR_STARTS=20 meson test -C build clients --timeout-multiplier 5
#	WEIR_STARTS=20 WEIR_HOGS=4 meson test -C build clients --timeout-multiplier 5

. "$(dirname "$0")/capture-rig.sh"

STARTS=${WEIR_STARTS:-3}
HOGS=${WEIR_HOGS:-0}
like_sink=$HOGS
RAMP_SECONDS=0.5

# clients_start MATCH: what clients need, and $rig_dir/ramp.wav.
clients_start() {
	local i
	daemon_start "capture.match = $1"
	pulse_start
	wait_for "the virtual sink" 5 node_get $SINK '.info["n-input-ports"] == 2'
	for ((i = 0; i < HOGS; i++)); do
		process_start "hog$i" sh -c 'while :; do :; done'
	done
	sound ramp "$rig_dir/ramp.wav" $RAMP_SECONDS 48000 2
}

# play COMMAND...: to its end.
play() {
	process_start player "$@"
	player_finish
}

player_finish() {
	wait_for "the player's end" 30 not process_is_running player
	process_stop player
	check "the player ended well" [ $process_status = 0 ]
}

# recorded_while COMMAND...
recorded_while() {
	record_start speaker-recording speaker
	record_start source-recording $SOURCE
	[ "$like_sink" = 0 ] || record_start sink-recording $SINK
	"$@"
	[ "$like_sink" = 0 ] || record_stop sink-recording
	record_stop source-recording
	record_stop speaker-recording
}

# figures RAMP RECORDING: frames of the ramp that are present, and that are missing at the start.
figures() {
	{ sound compare "$rig_dir/$1.wav" "$rig_dir/$2.wav" || true; } |
		sed -n 's/^\([0-9]*\) of .* \([0-9]*\) missing at the start.*/\1 \2/p'
}

# is_like_sink RAMP SOURCE_RECORDING SINK_RECORDING: does the source have all that the sink has? Under
# load only the start counts.
is_like_sink() {
	local at_source at_sink
	read -ra at_source < <(figures "$1" "$2")
	read -ra at_sink < <(figures "$1" "$3")
	echo "sink: ${at_sink[0]} frames present, ${at_sink[1]} missing at the start"
	((at_source[1] <= at_sink[1])) && { [ "$HOGS" != 0 ] || ((at_source[0] >= at_sink[0])); }
}

source_is_whole() {
	sound compare "$rig_dir/ramp.wav" "$rig_dir/source-recording.wav" ||
		{ [ "$like_sink" != 0 ] && is_like_sink ramp source-recording sink-recording; }
}

# check_starts COMMAND...: plays $rig_dir/ramp.wav. All starts are made, for the figures.
check_starts() {
	local i leaked=0 lost=0
	step_hold
	for ((i = 0; i < STARTS; i++)); do
		recorded_while "$@" >"$rig_dir/start.log"
		sound silent "$rig_dir/speaker-recording.wav" ||
			leaked=$((leaked + 1))
		source_is_whole || lost=$((lost + 1))
	done >"$rig_dir/figures.log"
	check "of $STARTS starts $leaked reached the speaker" [ $leaked = 0 ]
	check "of $STARTS starts $lost lost frames at the source" [ $lost = 0 ]
	step_begin
}

test_pw_play() {
	rig_need pw-play
	clients_start '[ { application.process.binary = pw-cat media.role = Music } ]'
	check_starts play pw-play --media-role Music "$rig_dir/ramp.wav"
}

test_paplay() {
	rig_need paplay
	clients_start '[ { application.process.binary = pacat } ]'
	check_starts play paplay "$rig_dir/ramp.wav"
}

test_aplay_through_the_pipewire_plugin() {
	rig_need aplay
	clients_start '[ { application.process.binary = aplay } ]'
	check_starts play aplay -D pipewire "$rig_dir/ramp.wav"
}

test_aplay_through_the_pulse_plugin() {
	rig_need aplay
	clients_start '[ { application.process.binary = aplay } ]'
	echo 'pcm.pulse { type pulse }' >"$HOME/.asoundrc"
	check_starts play aplay -D pulse "$rig_dir/ramp.wav"
}

mpv_play() {
	play mpv --no-config --no-video --term-status-msg= --gapless-audio=no --ao="$1" "${@:2}"
}

# It loses its first 512 or 1024 frames in 11 of 40 starts when it plays straight to the speaker (0.35.1
# with PipeWire 1.4.2).
test_mpv_through_pipewire() {
	like_sink=1
	rig_need mpv
	clients_start '[ { application.name = mpv } ]'
	check_starts mpv_play pipewire "$rig_dir/ramp.wav"
}

test_mpv_through_pulse() {
	rig_need mpv
	clients_start '[ { application.name = mpv } ]'
	check_starts mpv_play pulse "$rig_dir/ramp.wav"
}

# ffplay_start DRIVER: it converts to 16 bits.
ffplay_starts() {
	rig_need ffplay
	clients_start '[ { application.process.binary = ffplay } ]'
	sound ramp "$rig_dir/ramp.wav" 0.3 48000 2 16
	check_starts play env SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER="$1" \
		ffplay -nodisp -autoexit "$rig_dir/ramp.wav"
}

test_ffplay_through_pipewire() {
	ffplay_starts pipewire
}

# A fragment that it sends late is lost, for the sink as well.
test_ffplay_through_pulse() {
	like_sink=1
	ffplay_starts pulseaudio
}

# A snap sees neither our files nor our graph.
# It draws sound in time with everything else: when it is late, it plays a hole, to the sink as well.
browser_need() {
	like_sink=1
	rig_need chromium
	[[ $(command -v chromium) != /snap/* ]] || rig_skip "chromium is a snap here"
}

# browser_command PAGE...: into the array browser, for a browser that knows nothing.
browser_command() {
	browser=(chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
		--disable-background-networking --disable-component-update --disable-sync
		--autoplay-policy=no-user-gesture-required --disable-popup-blocking
		--enable-logging=stderr --user-data-dir="$(mktemp -d -p "$rig_dir")"
		"${@/#/file://}")
}

# browse STREAMS PAGE...: until that many have ended.
browse() {
	browser_command "${@:2}"
	process_start browser "${browser[@]}"
	browser_finish "$1"
}

# browser_finish STREAMS
browser_finish() {
	wait_for "the end of the sound" 30 browser_said_ended "$1"
	process_stop browser
	rm "$rig_dir/browser.log"
}

browser_said_ended() {
	[ "$(grep -c 'the ramp ended' "$rig_dir/browser.log")" = "$1" ]
}

# page_write NAME STREAMS: a page that plays by WebAudio; of each stream its channels: [[0, 1]] is
# one that plays the stereo ramp, [[0], [1]] are two that play the mono ramp, left and right.
page_write() {
	cat >"$rig_dir/$1.html" <<-END
	<!doctype html><title>$1</title><script>
	const frames = $RAMP_SECONDS * 48000;
	for (const channels of $2) {
		const context = new AudioContext({ sampleRate: 48000 });
		const buffer = context.createBuffer(2, frames + 8192, 48000);
		for (const channel of channels) {
			const samples = buffer.getChannelData(channel);
			for (let i = 0; i < frames; i++)
				samples[i] = (channels.length * i + channels.indexOf(channel) + 1) * 2 ** -23;
		}
		const source = context.createBufferSource();
		source.buffer = buffer;
		source.connect(context.destination);
		source.onended = () => console.log("the ramp ended");
		source.start();
	}
	</script>
	END
}

test_browser_playing_web_audio() {
	browser_need
	clients_start '[ { application.name = Chromium } ]'
	page_write page '[[0, 1]]'
	check_starts browse 1 "$rig_dir/page.html"
}

# The browser fades the first 5 ms of an element in.
test_browser_playing_an_audio_element() {
	browser_need
	rig_need sox
	clients_start '[ { application.process.binary = chromium } ]'
	sox -V1 -D "$rig_dir/ramp.wav" "$rig_dir/element.wav" pad 240s
	cat >"$rig_dir/page.html" <<-'END'
	<!doctype html><title>element</title>
	<audio autoplay src="element.wav" onended='console.log("the ramp ended")'></audio>
	END
	check_starts browse 1 "$rig_dir/page.html"
}

# parts_write: left.wav and right.wav, which play part.wav in one channel each.
parts_write() {
	sound ramp "$rig_dir/part.wav" $RAMP_SECONDS 48000 1
	sox -V1 -D "$rig_dir/part.wav" "$rig_dir/left.wav" remix 1 0
	sox -V1 -D "$rig_dir/part.wav" "$rig_dir/right.wav" remix 0 1
}

# part_is_whole CHANNEL
part_is_whole() {
	sox -V1 -D "$rig_dir/source-recording.wav" "$rig_dir/source-part.wav" remix "$1"
	sound compare "$rig_dir/part.wav" "$rig_dir/source-part.wav" && return
	[ "$like_sink" != 0 ] || return 1
	sox -V1 -D "$rig_dir/sink-recording.wav" "$rig_dir/sink-part.wav" remix "$1"
	is_like_sink part source-part sink-part
}

# check_parts: each once and whole in the source, and nothing of them on the speaker.
check_parts() {
	check "nothing reached the speaker" sound silent "$rig_dir/speaker-recording.wav"
	check "the left part is whole" part_is_whole 1
	check "the right part is whole" part_is_whole 2
}

play_both() {
	process_start other aplay -D pipewire "$rig_dir/left.wav"
	play paplay "$rig_dir/right.wav"
	wait_for "the other player's end" 10 not process_is_running other
}

test_several_programs_in_one_capture() {
	rig_need aplay paplay sox
	clients_start '[ { application.process.binary = aplay } { application.process.binary = pacat } ]'
	parts_write
	recorded_while play_both
	check_parts
}

test_player_with_a_new_stream_per_track() {
	rig_need mpv sox
	clients_start '[ { application.process.binary = mpv } ]'
	parts_write
	recorded_while mpv_play pulse "$rig_dir/left.wav" "$rig_dir/right.wav"
	check_parts
	check "it opened two streams" [ "$(grep -c '^AO: \[pulse\]' "$rig_dir/player.log")" = 2 ]
}

test_browser_with_two_streams_in_a_page() {
	browser_need
	rig_need sox
	clients_start '[ { application.name = Chromium } ]'
	sound ramp "$rig_dir/part.wav" $RAMP_SECONDS 48000 1
	page_write page '[[0], [1]]'
	recorded_while browse 2 "$rig_dir/page.html"
	check_parts
}

test_browser_with_two_tabs() {
	browser_need
	rig_need sox
	clients_start '[ { application.name = Chromium } ]'
	sound ramp "$rig_dir/part.wav" $RAMP_SECONDS 48000 1
	page_write left '[[0]]'
	page_write right '[[1]]'
	echo >"$rig_dir/tabs.html" '<script>for (const page of ["left", "right"])
		window.open(page + ".html", "_blank", "noopener");</script>'
	recorded_while browse 2 "$rig_dir/tabs.html"
	check_parts
}

# held_start NAME COMMAND...: its process id is known before it runs, which held_go lets it do.
held_start() {
	mkfifo "$rig_dir/$1.go"
	process_start "$1" sh -c 'read -r _ <"$0" && exec "$@"' "$rig_dir/$1.go" "${@:2}"
}

held_go() {
	echo >"$rig_dir/$1.go"
}

player_go() {
	held_go player
	player_finish
}

# check_process_id CONDITION COMMAND...: captured by the id of the process that is started.
check_process_id() {
	sound ramp "$rig_dir/ramp.wav" $RAMP_SECONDS 48000 2
	held_start player "${@:2}"
	clients_start "[ { application.process.id = ${process_pids[player]} $1 } ]"
	recorded_while player_go
	check_redirected
}

check_redirected() {
	check "nothing reached the speaker" sound silent "$rig_dir/speaker-recording.wav"
	check "the source has everything" source_is_whole
}

test_process_id_of_a_native_client() {
	check_process_id "" pw-play "$rig_dir/ramp.wav"
}

test_process_id_of_a_pulse_client() {
	rig_need paplay
	check_process_id "" paplay "$rig_dir/ramp.wav"
}

test_process_id_of_an_alsa_client() {
	rig_need aplay
	check_process_id "" aplay -D pipewire "$rig_dir/ramp.wav"
}

browser_go() {
	held_go browser
	browser_finish 1
}

# Its sound comes from another process of it.
test_process_id_of_a_browser() {
	browser_need
	page_write page '[[0, 1]]'
	browser_command "$rig_dir/page.html"
	held_start browser "${browser[@]}"
	clients_start "[ { application.process.id = ${process_pids[browser]} } ]"
	recorded_while browser_go
	check_redirected
}

test_process_id_of_a_launcher() {
	rig_need aplay
	check_process_id "process.tree = true" sh -c 'aplay -D pipewire "$0"; exit' "$rig_dir/ramp.wav"
}

test_launcher_without_its_tree() {
	rig_need aplay
	held_start player sh -c 'aplay -D pipewire "$0"; exit' "$rig_dir/ramp.wav"
	RAMP_SECONDS=30
	clients_start "[ { application.process.id = ${process_pids[player]} } ]"
	held_go player
	wait_for "the player" 10 plays_on alsa_playback.aplay speaker
	check "it is not captured" has_links alsa_playback.aplay $SOURCE 0
}


# graph_watch: what happens in the graph, with the time in µs, to watch.log.
graph_watch() {
	process_start watch bash -c 'stdbuf -oL pw-mon -N -a |
		while read -r line; do echo "${EPOCHREALTIME/./} $line"; done'
	wait_for "the watch" 5 process_said watch 'node.name = "speaker"'
}

# moved_after NODE_ID: milliseconds from the source's appearance until this node was linked to the
# source, and until it was linked to the virtual sink.
moved_after() {
	awk -v node="$1" -v source=$SOURCE -v sink=$SINK '
		$2 == "added:" || $2 == "changed:" || $2 == "removed:" { out = in_ = 0 }
		$2 == "id:" { id = $3 }
		$2 == "node.name" && $4 == "\"" source "\"" { source_id = id; if (!start) start = $1 }
		$2 == "node.name" && $4 == "\"" sink "\"" { sink_id = id }
		$2 == "output-node-id:" { out = $3 }
		$2 == "input-node-id:" && out == node { when[$3] = $1 }
		END {
			if (!when[source_id] || !when[sink_id])
				exit 1
			printf "%.1f ms to the source, %.1f ms to the sink\n",
				(when[source_id] - start) / 1000, (when[sink_id] - start) / 1000
		}' "$rig_dir/watch.log"
}

# The graph is given time to move them; the figures are for the reader.
test_running_streams_are_moved() {
	local name running=(pw-play pulse-client alsa_playback.aplay mpv)
	rig_need aplay paplay mpv
	rig_start
	pulse_start
	sound ramp "$rig_dir/ramp.wav" 60 48000 2
	process_start pw-play pw-play "$rig_dir/ramp.wav"
	process_start pulse-client paplay --property=node.name=pulse-client "$rig_dir/ramp.wav"
	process_start alsa aplay -D pipewire "$rig_dir/ramp.wav"
	process_start mpv mpv --no-config --no-video --term-status-msg= --ao=pipewire "$rig_dir/ramp.wav"
	for name in "${running[@]}"; do
		wait_for "$name plays" 5 plays_on $name speaker
	done
	graph_watch
	process_host_start 'capture.match = [ { media.class = Stream/Output/Audio } ]'
	for name in "${running[@]}"; do
		wait_for "$name is moved" 5 plays_on $name $SINK
		wait_for "$name is captured" 5 is_captured $name
		check "$name left the speaker" has_links $name speaker 0
	done
	for name in "${running[@]}"; do
		check "$name was moved" moved_after "$(node_id $name)"
	done
}

tests_run "$@"
