#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Scores the align unit and two peers in rooms whose delays are known: see README.md."""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from scipy.io import wavfile

import metrics
import peers
import scenes
from scenes import RATE, SECONDS

warnings.filterwarnings("ignore", category=wavfile.WavFileWarning)

WORKERS = 2
PASSES = 3  # of which the quickest counts
PEERS = {"GCC-PHAT + DLL": peers.gcc_phat, "naive": peers.naive}
METRICS = {  # which values are better, and the label
    "until_near": ("low", "speech until < 0.5 ms, s"),
    "until_frame": ("low", "speech until < 1 frame, s"),
    "delay_rmse": ("low", "delay RMSE, frames"),
    "jitter": ("low", "delay jitter, frames"),
    "drift_rmse": ("low", "drift RMSE, ppm"),
    "false_lock": ("low", "false lock, s of all scenes"),
    "recovery": ("low", "speech until < 0.5 ms after a dropout, s"),
    "silence_end": ("low", "error after 20 s of silence, frames"),
    "gain": ("high", "SII-weighted SNR gain, dB"),
    "stoi": ("high", "STOI gain"),
    "ripple": ("low", "ripple of speech, dB"),
}
SCENE_METRICS = {"until_near": "< 0.5 ms, s", "until_frame": "< 1 frame, s",
                 "delay_rmse": "delay, frames", "jitter": "jitter, frames",
                 "drift_rmse": "drift, ppm", "false_lock": "false lock, s",
                 "gain": "SNR gain, dB", "stoi": "STOI gain", "ripple": "ripple, dB"}
# The peak memory of a process includes that of its parent at the fork: this one is smaller than weir-run.
MEASURE = """import os, resource, sys
if os.spawnvp(os.P_WAIT, sys.argv[1], sys.argv[1:]): sys.exit(1)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime, usage.ru_maxrss / 1024)"""


def weir_command(weir, mics, folder):
    """Writes the microphones' sound, and returns the command that aligns it."""
    paths = [os.path.join(folder, name) for name in ("mic-1.wav", "mic-2.wav")]
    for path, mic in zip(paths, mics):
        wavfile.write(path, RATE, np.float32(mic))
    return [weir, "align", "-b", "256", "-i", f"mic-1={paths[0]}", "-i", f"mic-2={paths[1]}",
            "-r", os.path.join(folder, "report.jsonl"), os.path.join(folder, "out.wav")]


def run_weir(weir, mics):
    with tempfile.TemporaryDirectory() as folder:
        *_, report, out = command = weir_command(weir, mics, folder)
        subprocess.run(command, check=True)
        with open(report, encoding="utf-8") as file:
            return [json.loads(entry) for entry in file], wavfile.read(out)[1]


def score_scene(job):
    """Returns the name and the metrics of all aligners."""
    weir, name, seed = job
    sounds = scenes.make(name, seed)
    results = {"weir": metrics.measure(*run_weir(weir, sounds.mics), sounds)}
    for peer, align in PEERS.items():
        results[peer] = metrics.measure(*align(sounds.mics), sounds)
    return name, results


def cell(value):
    if not isinstance(value, float):
        return str(value)
    return f"{value:.2f}" if np.isfinite(value) else "never"


def print_head(*cells):
    print("| " + " | ".join(cells) + " |\n|" + "---|" * len(cells))


def print_row(*cells):
    print("| " + " | ".join(map(cell, cells)) + " |")


def of_all(results, aligner, metric):
    values = [scene[aligner][metric] for scene in results.values() if metric in scene[aligner]]
    if not values:
        return "-"
    return float(np.sum(values) if metric == "false_lock" else np.median(values))


def print_quality(results):
    aligners = ("weir", *PEERS)
    print_head("median over the scenes", "better", *aligners)
    for metric, (better, label) in METRICS.items():
        print_row(label, better, *(of_all(results, aligner, metric) for aligner in aligners))
    print()
    print_head("weir", *SCENE_METRICS.values())
    for name, result in results.items():
        print_row(scenes.SCENES[name].what,
                  *(result["weir"].get(metric, "-") for metric in SCENE_METRICS))


def measure_quality(options):
    jobs = [(options.weir_run, name, options.seed) for name in options.scenes]
    with multiprocessing.Pool(WORKERS) as pool:
        results = dict(pool.imap(score_scene, jobs))
    print_quality(results)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


def run_usage(command):
    """User seconds, and peak memory in MiB."""
    told = subprocess.run([sys.executable, "-S", "-E", "-c", MEASURE, *command], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return tuple(map(float, told.split()))


def weir_usage(weir, mics):
    with tempfile.TemporaryDirectory() as folder:
        command = weir_command(weir, mics, folder)
        return min(run_usage(command) for _ in range(PASSES))


def peer_seconds(align, mics):
    begin = time.process_time()
    align(mics)
    return time.process_time() - begin


def measure_cost(options):
    mics = [scenes.make(name, options.seed).mics for name in ("office", "unrelated")]
    print_head("CPU, % of a core", "locked", "searching", "peak memory, MiB",
               "above that of one frame, MiB")
    usages = [weir_usage(options.weir_run, heard) for heard in mics]
    memory = max(usage[1] for usage in usages)
    first = weir_usage(options.weir_run, [mic[:1] for mic in mics[0]])[1]
    print_row("weir", *(100 * usage[0] / SECONDS for usage in usages), memory, max(memory - first, 0.0))
    for name, align in PEERS.items():
        seconds = [min(peer_seconds(align, heard) for _ in range(PASSES)) for heard in mics]
        print_row(name, *(100 * second / SECONDS for second in seconds), "-", "-")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weir_run", nargs="?", default=os.environ.get("WEIR_RUN", "weir-run"),
                        help="default: $WEIR_RUN, or weir-run")
    parser.add_argument("--scenes", default=",".join(scenes.SCENES), help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="makes other scenes of the same kind")
    parser.add_argument("--cost", action="store_true", help="measure the cost, nothing else")
    parser.add_argument("--json", help="write all results to this file")
    options = parser.parse_args()
    options.scenes = options.scenes.split(",")
    for name in set(options.scenes) - set(scenes.SCENES):
        parser.error(f"there is no scene {name}: {', '.join(scenes.SCENES)}")
    return options


def main():
    options = parse_arguments()
    if options.cost:
        measure_cost(options)
    else:
        measure_quality(options)


if __name__ == "__main__":
    main()
