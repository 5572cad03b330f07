#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
A sine whose frequency tells the time: what is heard at a moment shows which moment of the sweep it
is, and a gap or a repetition is a jump of its phase.

sweep.py write FILE SECONDS
    Stereo, 48 kHz, float.
sweep.py gaps RECORDING
    Prints how often the sound stops, jumps or repeats. Fails when it does.
sweep.py latency RECORDING SPEED LIMIT
    The sweep should play SPEED times faster than it was written. Prints how much later than in the
    first second it is in each later one: at the end and at most, in ms. Fails above LIMIT.
"""

import sys

import numpy as np
from scipy.io import wavfile
from scipy.signal import hilbert

FIRST_HZ = 500.0
HZ_PER_SECOND = 20.0
FRAMES = 48000
EDGE_SECONDS = 0.1
SAME_GAP_SECONDS = 0.02
COUNTED_SECONDS = 0.003


def phase_at(second):
    return 2 * np.pi * (FIRST_HZ * second + HZ_PER_SECOND * second**2 / 2)


def second_of(phase):
    hz = phase / (2 * np.pi)
    return (np.sqrt(FIRST_HZ**2 + 2 * HZ_PER_SECOND * hz) - FIRST_HZ) / HZ_PER_SECOND


def write(path, seconds):
    second = np.arange(int(seconds * FRAMES)) / FRAMES
    sound = (0.5 * np.sin(phase_at(second))).astype(np.float32)
    wavfile.write(path, FRAMES, np.column_stack((sound, sound)))
    return True


def read(path):
    """The recording's rate, its level and its phase, from the first sound to the last."""
    rate, sound = wavfile.read(path)
    sound = sound[:, 0] / 2.0**31
    loud = np.flatnonzero(np.abs(sound) > 0.1)
    if loud.size == 0:
        sys.exit(f"{path}: silence")
    sound = sound[loud[0] : loud[-1]]
    turning = hilbert(np.pad(sound, (0, -sound.size % 65536)))[: sound.size]
    edge = int(EDGE_SECONDS * rate)
    turning = turning[edge:-edge]
    return rate, np.abs(turning), np.unwrap(np.angle(turning))


def gaps(path):
    rate, level, phase = read(path)
    step = np.diff(phase)
    # In the sweep each frame turns the phase by almost as much as the one before.
    window = rate // 10
    starts = np.arange(0, step.size, window)
    usual = np.interp(
        np.arange(step.size),
        starts + window / 2,
        [np.median(step[start : start + window]) for start in starts],
    )
    bad = np.flatnonzero((np.abs(step - usual) > 0.25 * usual) | (level[1:] < 0.25))
    count = np.count_nonzero(np.diff(bad) > rate * SAME_GAP_SECONDS) + bool(bad.size)
    silence = np.count_nonzero(level < 0.05) / rate
    print(f"{count} gaps in {level.size / rate:.1f} s, {silence:.2f} s of silence")
    return count == 0


def latency(path, speed, limit):
    rate, _, phase = read(path)
    second = (np.arange(rate) - rate / 2) / rate
    late = []
    for start in range(0, phase.size - rate, rate // 2):
        turned, per_second = np.polyfit(second, phase[start : start + rate], 2)[:0:-1]
        by_pitch = (per_second / (2 * np.pi) / speed - FIRST_HZ) / HZ_PER_SECOND
        if not late:
            whole = np.round((phase_at(by_pitch) - turned) / (2 * np.pi) - 0.25)
            offset = 2 * np.pi * (whole + 0.25)
        # Counting the sine's cycles is exact until some are left out.
        counted = second_of(turned + offset)
        heard = counted if abs(counted - by_pitch) < COUNTED_SECONDS else by_pitch
        late.append(1000 * ((start + rate / 2) / rate - heard / speed))
    late = np.array(late) - late[0]
    most = late[np.argmax(np.abs(late))]
    print(f"{late[-1]:+.3f} ms after {phase.size / rate:.1f} s, {most:+.3f} ms at most")
    return abs(most) <= limit


def main(verb, path, *numbers):
    verbs = {"write": write, "gaps": gaps, "latency": latency}
    return 0 if verbs[verb](path, *map(float, numbers)) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
