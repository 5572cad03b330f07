#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Scores the analyze unit, and the peers that are installed: see README.md."""

import argparse
import multiprocessing
import os
import sys
import warnings

import numpy as np
from scipy.io import wavfile

import detectors
import features
import metrics
import sounds
import speech

warnings.filterwarnings("ignore", category=wavfile.WavFileWarning)

WORKERS = int(os.environ.get("WORKERS", 2))
TONE_SNR = 10  # dB
NEAR = {"clean": 25, "10 dB": 35}  # cents
NEAR_VIBRATO = 60
PITCH = detectors.detectors("pitch", aubio_yinfft="aubio-yinfft")
ONSETS = detectors.detectors("rhythm", aubio_energy="aubio-energy",
                             aubio_specflux="aubio-specflux")
TEMPO = detectors.detectors("rhythm", aubio="aubio-tempo")
VOICE = detectors.detectors("voice", WebRTC="webrtc-graded")
FEATURES = detectors.weir("features")


def rng_of(seed, *what):
    return np.random.default_rng([seed, *map(ord, "".join(map(str, what)))])


def cell(value):
    if not isinstance(value, (float, np.floating)):
        return str(value)
    if not np.isfinite(value):
        return "never"
    return f"{value:.1e}" if 0 < abs(value) < 0.005 else f"{value:.2f}"


def print_table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(cell, row)) + " |")
    print()


def print_metrics(title, labels, results):
    """results: the metrics of each detector."""
    print_table((title, "better", *results),
                [(label, better, *(each.get(metric, "-") for each in results.values()))
                 for metric, better, label in labels])


# Pitch


def score_tones(job):
    noise, seed = job
    rng = rng_of(seed, "tones")
    sound, tones = sounds.make_tones(rng)
    if noise != "clean":
        sound = sounds.with_noise(sound, TONE_SNR, rng)
    return {name: {f"{key} {noise}": value for key, value in metrics.judge_tones(
        run(sound), tones, NEAR[noise], NEAR_VIBRATO).items()} for name, run in PITCH.items()}


def score_pitch(pool, seed):
    results = {name: {} for name in PITCH}
    for judged in pool.imap(score_tones, [(noise, seed) for noise in NEAR]):
        for name, each in judged.items():
            results[name].update(each)
    glide = sounds.make_glide(rng_of(seed, "glide"))
    noise = 0.05 * rng_of(seed, "noise").standard_normal(10 * sounds.RATE)
    for name, run in PITCH.items():
        results[name].update(metrics.judge_glide(run(glide)))
        results[name]["voiced"] = metrics.voiced_share(run(noise))
    labels = [(f"{kind} {noise}", "high", f"{kind}, {noise}: right, %")
              for noise in NEAR for kind in sounds.TONES]
    for noise in NEAR:
        labels += [(f"octave {noise}", "low", f"{noise}: off by an octave, %"),
                   (f"absent {noise}", "low", f"{noise}: not found, %"),
                   (f"off {noise}", "low", f"{noise}: median error of the right, cents")]
    labels += [("glide", "high", "glide: within 50 cents, %"), ("lag", "low", "glide: lag, ms"),
               ("voiced", "low", "noise with a pitch, %")]
    print_metrics("fundamental frequency", labels, results)


# Rhythm


def score_irregular(job):
    snr, seed = job
    made = sounds.make_irregular(snr, rng_of(seed, "irregular", snr))
    return f"irregular, {snr} dB", {name: [metrics.judge_onsets(run(made.sound), made.onsets)]
                                    for name, run in ONSETS.items()}


def score_beats(job):
    style, bpm, seed = job
    made = sounds.make_beats(style, bpm, rng_of(seed, style, bpm))
    onsets = {name: [metrics.judge_onsets(run(made.sound), made.onsets)]
              for name, run in ONSETS.items()}
    tempo = {name: metrics.judge_tempo(run(made.sound), bpm) for name, run in TEMPO.items()}
    return style, onsets, tempo


def print_onsets(judged):
    """judged: by kind and detector."""
    results = {}
    for name in ONSETS:
        everything = sum((each[name] for each in judged.values()), [])
        results[name] = {kind: metrics.pool_onsets(each[name])["f"]
                         for kind, each in judged.items()}
        results[name].update(metrics.pool_onsets(everything))
    labels = [(kind, "high", f"{kind}: F") for kind in judged]
    labels += [("precision", "high", "all: precision"), ("recall", "high", "all: recall"),
               ("latency", "low", "all: latency, median, ms"),
               ("latency_95", "low", "all: latency, 95 %, ms")]
    print_metrics("onsets", labels, results)


def print_tempo(judged):
    """judged: by style and detector, the outcome for every tempo."""
    results, labels = {name: {} for name in TEMPO}, []
    for style, each in judged.items():
        for name in TEMPO:
            right, metrical, settled = zip(*each[name])
            results[name].update({f"right {style}": f"{sum(right)}/{len(right)}",
                                  f"metrical {style}": f"{sum(metrical)}/{len(metrical)}",
                                  f"settled {style}": metrics.percentile(settled, 50)})
        labels += [(f"right {style}", "high", f"{style}: right"),
                   (f"metrical {style}", "high", f"{style}: right, or a half, a third, ..."),
                   (f"settled {style}", "low", f"{style}: right from, median, s")]
    print_metrics("tempo", labels, results)


def score_rhythm(pool, seed):
    onsets = {style: {name: [] for name in ONSETS} for style in sounds.STYLES}
    tempo = {style: {name: [] for name in TEMPO} for style in sounds.STYLES}
    jobs = [(style, bpm, seed) for style in sounds.STYLES for bpm in sounds.TEMPOS]
    for style, found, told in pool.imap(score_beats, jobs):
        for name in ONSETS:
            onsets[style][name] += found[name]
        for name in TEMPO:
            tempo[style][name].append(told[name])
    onsets.update(pool.imap(score_irregular, [(snr, seed) for snr in sounds.IRREGULAR_SNRS]))
    print_onsets(onsets)
    print_tempo(tempo)


# Voice


def hear_scene(job):
    """Everybody's scores in a scene, and their own starts and ends."""
    kind, snr, seed = job
    scene = speech.make_scene(kind, snr, seed)
    heard = {}
    for name, run in VOICE.items():
        report = run(scene.sound)
        heard[name] = (metrics.held_scores(report, len(scene.labels)),
                       metrics.own_speech(report, len(scene.labels)))
    scene.sound = None
    return scene, heard


def area(scenes, name):
    return metrics.area_under_curve(np.concatenate([heard[name][0] for _, heard in scenes]),
                                    np.concatenate([scene.labels for scene, _ in scenes]))


def judge_own(spoken, alone, name):
    """By its own events."""
    nothing = np.zeros(0), np.zeros(0)
    judged = metrics.judge_speech([(heard[name][1] or nothing, scene.segments)
                                   for scene, heard in spoken])
    judged["false"] = metrics.false_starts([(heard[name][1] or nothing, len(scene.labels))
                                            for scene, heard in alone])
    return judged


def judge_voice(name, spoken, alone):
    result = {"auc": area(spoken, name)}
    for snr in speech.SNRS:
        result[f"auc {snr}"] = area([(scene, heard) for scene, heard in spoken
                                     if scene.snr == snr], name)
    best = metrics.judge_at_best([(heard[name][0], scene.segments) for scene, heard in spoken],
                                 [heard[name][0] for _, heard in alone])
    best = best or dict.fromkeys(("false", "latency", "latency_95", "missed", "end"), "unreachable")
    result.update({f"best {key}": value for key, value in best.items()})
    if any(heard[name][1] for _, heard in spoken):
        result.update({f"own {key}": value
                       for key, value in judge_own(spoken, alone, name).items()})
    return result


def score_voice(pool, seed):
    scenes = list(pool.imap(hear_scene, [(*scene, seed) for scene in speech.scene_names()]))
    spoken = [each for each in scenes if each[0].snr is not None]
    alone = [each for each in scenes if each[0].snr is None and each[0].kind != "babble"]
    labels = [("auc", "high", "AUC"), *((f"auc {snr}", "high", f"AUC at {snr} dB")
                                        for snr in speech.SNRS)]
    at_best = f"at <= {metrics.MOST_FALSE} false starts/h"
    for prefix, how in (("best", at_best), ("own", "own events")):
        labels += [(f"{prefix} false", "low", f"{how}: false starts/h"),
                   (f"{prefix} latency", "low", f"{how}: latency, median, ms"),
                   (f"{prefix} latency_95", "low", f"{how}: latency, 95 %, ms"),
                   (f"{prefix} missed", "low", f"{how}: missed, %"),
                   (f"{prefix} end", "low", f"{how}: end, median, ms")]
    print_metrics("voice activity", labels,
                  {name: judge_voice(name, spoken, alone) for name in VOICE})


# Features


def score_features(_, seed):
    sound = np.float32(sounds.make_changing(rng_of(seed, "features"))).astype(float)
    report, reference = FEATURES(sound), features.Features(sounds.RATE)
    times = np.arange(7, round(len(sound) / sounds.RATE / features.HOP)) * features.HOP
    true = [reference.at(sound, t) for t in times]
    rows = []
    for name in true[0]:
        t, told = report.read(name)
        if not len(t):
            rows.append((name, "-"))
            continue
        told = told[np.abs(np.subtract.outer(times, t)).argmin(1)]
        expected = np.array([each[name] for each in true])
        rows.append((name, np.abs(told - expected).max() / np.abs(expected).max()))
    print_table(("feature of 50 ms", "maximum error, of the largest value"), rows)


SCORES = {"pitch": score_pitch, "rhythm": score_rhythm, "voice": score_voice,
          "features": score_features}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", default=list(SCORES), metavar="GROUP",
                        help=f"of {', '.join(SCORES)}; default: all")
    parser.add_argument("--seed", type=int, default=0, help="makes other sounds of the same kind")
    options = parser.parse_args()
    for group in set(options.groups) - set(SCORES):
        parser.error(f"there is no group {group}: {', '.join(SCORES)}")
    absent = speech.absent_packages() if "voice" in options.groups else []
    if absent:
        print(f"no voice activity, apt install {' '.join(absent)}", file=sys.stderr)
        options.groups.remove("voice")
    if "voice" in options.groups:
        speech.load(options.seed)
    with multiprocessing.Pool(WORKERS) as pool:
        for group in options.groups:
            SCORES[group](pool, options.seed)


if __name__ == "__main__":
    main()
