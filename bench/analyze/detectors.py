# SPDX-License-Identifier: MIT
"""Runs weir's analyze unit and its peers on a sound, and reads their reports."""

import collections
import json
import os
import subprocess
import tempfile

import numpy as np
from scipy.io import wavfile

from sounds import RATE

GROUPS = ("levels", "loudness", "thirds", "features", "rhythm", "pitch", "voice")
WEIR_RUN = os.environ.get("WEIR_RUN", "weir-run")
PEER = os.environ.get("WEIR_ANALYZE_PEER", "analyze-peer")
PEERS = os.environ.get("WEIR_ANALYZE_PEERS", "").split()


class Report:
    """JSON lines, by field and by event."""

    def __init__(self, lines):
        told = collections.defaultdict(list)
        for line in map(json.loads, lines):
            t = line.pop("t")
            event = line.pop("ev", None)
            for name, value in ([(event, line["at"])] if event else line.items()):
                told[name].append((t, value))
        self.told = told

    def read(self, name):
        """Times of the reports of a field or an event, and the values; of events: their times."""
        t, values = zip(*self.told[name]) if name in self.told else ((), ())
        return np.array(t, float), np.array(values, float)


def run(sound, *command):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sound.wav")
        wavfile.write(path, RATE, np.float32(sound))
        told = subprocess.run([*command, path], check=True, stdout=subprocess.PIPE, text=True)
        return Report(told.stdout.splitlines())


def weir(group):
    """Returns a function that runs weir with one group of the unit alone."""
    settings = sum((["-s", f"{other}={int(other == group)}"] for other in GROUPS), [])
    return lambda sound: run(sound, WEIR_RUN, "analyze-mono", "-b", "256", *settings, "-r", "-")


def peer(name):
    return lambda sound: run(sound, PEER, name)


def detectors(group, **peers):
    """Functions by label: weir, and the peers that are installed."""
    there = {label: name for label, name in peers.items() if name.split("-")[0] in PEERS}
    return {"weir": weir(group),
            **{label.replace("_", " "): peer(name) for label, name in there.items()}}
