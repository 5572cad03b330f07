# SPDX-License-Identifier: MIT
"""attach.py LOG LABEL stream|client NODE N_LINKS TARGET...

From bench/watch's LOG: how long from each appearance of NODE ("stream"), or of its client, until
the targets have N_LINKS links to or from them. Prints a row of a table.
"""

import statistics
import sys


class Rounds:
    """Whatever appears between one appearance of NODE and the next."""

    def __init__(self, kind, node, n_links, targets):
        self.kind, self.node, self.n_links, self.targets = kind, node, n_links, targets
        self.clients, self.names = {}, {}
        self.start, self.links = None, {}
        self.times = {target: [] for target in targets}

    def node_appeared(self, time, number, client, name):
        self.names[number] = name
        if name != self.node:
            return
        self.end()
        self.start = self.clients[client] if self.kind == "client" else time
        self.links = {target: [] for target in self.targets}

    def link_appeared(self, time, ends):
        for target in {self.names.get(end) for end in ends} & set(self.links):
            self.links[target].append(time)

    def end(self):
        if self.start is None:
            return
        for target, links in self.links.items():
            if len(links) < self.n_links:
                sys.exit(f"{target}: {len(links)} links, not {self.n_links}")
            self.times[target].append(links[self.n_links - 1] - self.start)


def main():
    log, label, kind, node, n_links, *targets = sys.argv[1:]
    rounds = Rounds(kind, node, int(n_links), targets)
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            time, what, number, *rest = line.split()
            if what == "client":
                rounds.clients[number] = float(time)
            elif what == "node":
                rounds.node_appeared(float(time), number, *rest)
            elif what == "link":
                rounds.link_appeared(float(time), rest)
    rounds.end()
    cells = [label]
    if len(targets) == 1 and kind == "stream":
        cells += [""] * 3
    for times in rounds.times.values():
        cells += [f"{f(times):.1f}" for f in (min, statistics.median, max)]
    cells += [""] * (7 - len(cells))
    print("| " + " | ".join(cells) + " |")


main()
