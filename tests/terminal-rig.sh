# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# After rig.sh: a terminal for weir top, and what it shows.

# terminal_need: skips where there is none, or nothing to show in it.
terminal_need() {
	rig_need tmux
	weir --help | grep -q '^  top ' || rig_skip "weir was built without ncurses"
}

# terminal_start COMMAND: in a terminal of 80x24.
terminal_start() {
	rig_write tmux.conf <<<'set -g status off'
	process_start tmux tmux -D -S "$rig_dir/tmux" -f "$XDG_CONFIG_HOME/tmux.conf"
	wait_for "the terminal" 5 test -S "$rig_dir/tmux"
	LC_ALL=C.UTF-8 terminal new-session -d -x 80 -y 24 -s top "$1; echo ended with \$?; sleep 60"
}

terminal() {
	tmux -u -S "$rig_dir/tmux" "$@"
}

# shows PATTERN: is there a line that grep -E finds?
shows() {
	terminal capture-pane -p -t top | LC_ALL=C.UTF-8 grep -Eq -- "$1"
}

# row_shows ROW PATTERN: the row, from 1.
row_shows() {
	terminal capture-pane -p -t top | sed -n "$1p" | LC_ALL=C.UTF-8 grep -Eq -- "$2"
}
