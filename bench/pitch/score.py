#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Scores the pitch unit against exactly shifted sounds: see README.md."""

import argparse
import json
import os
import subprocess
import tempfile
import warnings

import numpy as np
from scipy.io import wavfile

import metrics
import signals
from signals import RATE

warnings.filterwarnings("ignore", category=wavfile.WavFileWarning)


class Shifter:
    def __init__(self, command, block, folder):
        self.command, self.block, self.folder = command, block, folder

    def run(self, sound, semitones, formant=0):
        before, after = (os.path.join(self.folder, name) for name in ("in.wav", "out.wav"))
        wavfile.write(before, RATE, np.ascontiguousarray(sound, np.float32))
        subprocess.run([self.command, "pitch", "-b", str(self.block),
                        "-s", f"semitones={semitones:g}", "-s", f"formant={formant}",
                        before, after], check=True)
        out = wavfile.read(after)[1].astype(float)
        return np.vstack([out, np.zeros((RATE // 2, 2))])


def rendered(name, r, **options):
    """As a sound file would hold it."""
    return getattr(signals, name)(r, **options).astype(np.float32).astype(float)


def score_speech(shifter, semitones, late, formant):
    r = 2 ** (semitones / 12)
    reference = rendered("speech", r, keep_formants=bool(formant))
    out = shifter.run(rendered("speech", 1.0), semitones, formant)
    late = metrics.delay(reference, out, late - 1440, late + 1440)
    return reference, out, late


def score_shift(shifter, semitones, with_formants):
    r = 2 ** (semitones / 12)
    reference = rendered("attacks", r)
    out = shifter.run(rendered("attacks", 1.0), semitones)
    late = metrics.delay(reference, out)
    result = {"latency": late, **metrics.measure_attacks(out, reference, late)}

    tones, factor = metrics.measure_tones(shifter.run(rendered("tones", 1.0), semitones), r, late)
    result.update(tones)
    out = shifter.run(rendered("cluster", 1.0), semitones)
    result.update(metrics.measure_cluster(out, r, late, factor))
    out = shifter.run(rendered("vibrato", 1.0), semitones)
    result.update(metrics.measure_vibrato(out, r, late, factor))

    reference = rendered("music", r)
    out = shifter.run(rendered("music", 1.0), semitones)
    at = metrics.delay(reference, out, late - 960, late + 960)
    result["music_asd"] = metrics.spectral_distance(reference, out, at)

    reference, out, at = score_speech(shifter, semitones, late, formant=0)
    result["speech_asd"] = metrics.spectral_distance(reference, out, at)
    result["speech_bec"] = metrics.envelope_coherence(reference, out, at, r)
    if with_formants:
        reference, out, at = score_speech(shifter, semitones, late, formant=1)
        result["formant_asd"] = metrics.spectral_distance(reference, out, at)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weir_run", nargs="?", default=os.environ.get("WEIR_RUN", "weir-run"),
                        help="default: $WEIR_RUN, or weir-run")
    parser.add_argument("--shifts", default="-7,-3,4,12", help="semitones (%(default)s)")
    parser.add_argument("--block", type=int, default=256, help="frames per run (%(default)s)")
    parser.add_argument("--formant", action="store_true", help="score kept formants too")
    parser.add_argument("--json", help="write all results to this file")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        shifter = Shifter(options.weir_run, options.block, folder)
        rows = {s: score_shift(shifter, float(s), options.formant)
                for s in options.shifts.split(",")}
    names = next(iter(rows.values()))
    mean = {name: float(np.mean([row[name] for row in rows.values()])) for name in names}
    print(f"{'':16}" + "".join(f"{s:>10}" for s in [*rows, "mean"]))
    for name in names:
        values = [row[name] for row in [*rows.values(), mean]]
        print(f"{name:16}" + "".join(f"{value:10.2f}" for value in values))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"mean": mean, "shifts": rows}, file, indent=1)


if __name__ == "__main__":
    main()
