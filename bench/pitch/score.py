#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Scores pitch shifters against exactly shifted sounds: see README.md."""

import argparse
import functools
import json
import os
import shlex
import subprocess
import tempfile
import warnings

import numpy as np
from scipy.io import wavfile

import metrics
import signals
from signals import RATE

warnings.filterwarnings("ignore", category=wavfile.WavFileWarning)

WEIR_RUN = "pitch -b {block} -s semitones={semitones} -s formant={formant} {in} {out}"
ROUND_TRIPS = (3, 7)  # semitones
ROUND_TRIP_SECONDS = 8
SPEECH_SLACK = 96  # frames: less than half a period of a voice, to which envelopes match as well
VOWEL_HZ = (100, 140)  # higher voices have too few partials for formants to be measured
LABELS = {  # and which values are better
    "latency": "latency, frames | low",
    "pre_echo_db": "pre-echo, dB | low",
    "peak_loss_db": "peak loss, dB | low",
    "onset_jit_ms": "onset jitter, ms | low",
    "tone_sinad": "tone SINAD, dB | high",
    "tone_am_db": "tone modulation, dB | low",
    "ipd_err_deg": "phase between channels, degrees | low",
    "ild_err_db": "level between channels, dB | low",
    "level_err_db": "level, dB | low",
    "pitch_err_cents": "pitch, cents | low",
    "cluster_sinad": "cluster SINAD, dB | high",
    "vibrato_sinad": "vibrato SINAD, dB | high",
    "music_asd": "music ASD, dB | low",
    "speech_asd": "speech ASD, dB | low",
    "speech_bec": "speech BEC | high",
    "formant_asd": "formant ASD, dB | low",
    "formant_1": "first formant, % off | low",
    "formant_2": "second formant, % off | low",
    "formant_3": "third formant, % off | low",
}


class Shifter:
    """A command that shifts a file, in blocks."""

    def __init__(self, argument, block, folder):
        self.name, given, command = argument.partition("=")
        if not given:
            self.name, command = "weir", f"{shlex.quote(argument)} {WEIR_RUN}"
        self.words = shlex.split(command)
        self.keeps_formants = "{formant}" in command
        self.block, self.folder = block, folder
        self.declared = set()

    def run(self, sound, semitones, formant=0):
        before, after = (os.path.join(self.folder, name) for name in ("in.wav", "out.wav"))
        wavfile.write(before, RATE, np.ascontiguousarray(sound, np.float32))
        values = {"in": before, "out": after, "semitones": f"{semitones:g}", "block": self.block,
                  "formant": formant}
        told = subprocess.run([word.format(**values) for word in self.words], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        out = wavfile.read(after)[1].astype(float)
        # weir-run appends the latency that the unit declares.
        self.declared.add(int(told or len(out) - len(sound)))
        return np.vstack([out, np.zeros((RATE // 2, 2))])


@functools.lru_cache(maxsize=16)
def rendered(name, r, **options):
    """With the precision of a sound file."""
    return getattr(signals, name)(r, **options).astype(np.float32).astype(float)


def score_latency(shifter, semitones):
    """Returns the metric, and the output of struck notes from which it was measured."""
    out = shifter.run(rendered("attacks", 1.0), semitones)
    return metrics.delay(rendered("attacks", 2 ** (semitones / 12)), out), out


def score_speech(shifter, semitones, late, formant):
    r = 2 ** (semitones / 12)
    reference = rendered("speech", r, keep_formants=bool(formant))
    out = shifter.run(rendered("speech", 1.0), semitones, formant)
    late = metrics.delay(reference, out, late - SPEECH_SLACK, late + SPEECH_SLACK)
    return reference, out, late


def score_vowels(shifter, semitones):
    r = 2 ** (semitones / 12)
    errors = [metrics.measure_formants(shifter.run(signals.vowel(name, hz), semitones, formant=1),
                                       name, hz * r)
              for name in signals.VOWELS for hz in VOWEL_HZ]
    return dict(zip(("formant_1", "formant_2", "formant_3"), map(float, np.mean(errors, 0))))


def score_shift(shifter, semitones, with_formants):
    r = 2 ** (semitones / 12)
    late, out = score_latency(shifter, semitones)
    result = {"latency": late, **metrics.measure_attacks(out, rendered("attacks", r), late)}

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
    if with_formants and shifter.keeps_formants:
        reference, out, at = score_speech(shifter, semitones, late, formant=1)
        result["formant_asd"] = metrics.spectral_distance(reference, out, at)
        result.update(score_vowels(shifter, semitones))
    return result


def score_round_trips(shifter, path):
    """The distance of a recording from itself, shifted up and back down."""
    rate, sound = wavfile.read(path)
    if rate != RATE or sound.dtype != np.float32 or sound.ndim != 2:
        raise SystemExit(f"{path}: not floats at {RATE} Hz in stereo")
    sound = sound[:ROUND_TRIP_SECONDS * RATE].astype(float)
    distances = []
    for s in ROUND_TRIPS:
        out = shifter.run(shifter.run(sound, s), -s)
        late = metrics.delay(sound, out, high=48000, above=300)
        distances.append(metrics.spectral_distance(sound, out, late))
    return float(np.mean(distances))


def print_row(*cells):
    print("| " + " | ".join(f"{c:.2f}" if isinstance(c, float) else str(c) for c in cells) + " |")


def print_head(*cells):
    print_row(*cells)
    print("|" + "---|" * len(cells))


def print_table(results):
    """A column per result; their metrics may differ."""
    names = dict.fromkeys(name for result in results.values() for name in result)
    print_head("metric", "better", *results)
    for name in names:
        print_row(LABELS.get(name, f"{name}, round trip ASD, dB | low"),
                  *(result.get(name, "-") for result in results.values()))


def print_latencies(shifters, shifts):
    print_head("latency, frames", "block", "declared", *(f"{s:+g}" for s in shifts), "mean, ms")
    for shifter in shifters:
        late = [score_latency(shifter, s)[0] for s in shifts]
        declared = " to ".join(map(str, sorted({min(shifter.declared), max(shifter.declared)})))
        print_row(shifter.name, shifter.block, declared, *late, float(np.mean(late)) / RATE * 1000)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shifter", nargs="*", default=[os.environ.get("WEIR_RUN", "weir-run")],
                        help="a weir-run, or NAME=COMMAND with {in}, {out}, {semitones}, and "
                        "perhaps {block} and {formant}; default: $WEIR_RUN, or weir-run")
    parser.add_argument("--shifts", default="-7,-3,4,12", help="semitones (%(default)s)")
    parser.add_argument("--block", default="256", help="frames per run (%(default)s); for "
                        "--latency also several, with commas")
    parser.add_argument("--formant", action="store_true", help="score kept formants too")
    parser.add_argument("--round-trip", action="append", default=[], metavar="NAME=FILE",
                        help="score a recording that is shifted up and back down")
    parser.add_argument("--latency", action="store_true", help="score nothing else")
    parser.add_argument("--each", action="store_true", help="print each shift of several shifters")
    parser.add_argument("--json", help="write all results to this file")
    options = parser.parse_args()
    if not options.latency and not options.block.isdigit():
        parser.error("--block: several are for --latency only")
    return options


def score_all(shifters, options):
    """Returns the results by shifter, then by shift, then by metric."""
    results = {shifter.name: {} for shifter in shifters}
    for s in map(float, options.shifts.split(",")):
        for shifter in shifters:  # one after the other, for what is rendered to be rendered once
            results[shifter.name][f"{s:+g}"] = score_shift(shifter, s, options.formant)
    for shifter in shifters:
        rows = results[shifter.name]
        mean = {name: float(np.mean([row[name] for row in rows.values()]))
                for name in next(iter(rows.values()))}
        for name, _, path in (trip.partition("=") for trip in options.round_trip):
            mean[name] = score_round_trips(shifter, path)
        rows["mean"] = mean
    return results


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        shifters = [Shifter(argument, int(block), folder) for argument in options.shifter
                    for block in options.block.split(",")]
        if options.latency:
            print_latencies(shifters, [float(s) for s in options.shifts.split(",")])
            return
        if len({shifter.name for shifter in shifters}) < len(shifters):
            raise SystemExit("two shifters of one name: give one of them as NAME=COMMAND")
        results = score_all(shifters, options)
    if len(shifters) > 1:
        print_table({name: rows["mean"] for name, rows in results.items()})
    for name, rows in results.items() if options.each or len(shifters) == 1 else ():
        print(f"\n{name}:\n")
        print_table(rows)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
