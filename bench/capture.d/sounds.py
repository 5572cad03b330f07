# SPDX-License-Identifier: MIT
"""sounds.py noise FILE SECONDS
sounds.py tones FILE HZ SPEED FILE_HZ

Writes what the applications play, in stereo. FILE_HZ is what the file says about itself.
"""

import sys

import numpy as np
from scipy import signal
from scipy.io import wavfile

import tones


def noise(path, seconds):
    """Up to 4 kHz: it can be found again in a recording, and is the same at another rate."""
    rate = 48000
    low_pass = signal.butter(8, 4000, fs=rate, output="sos")
    sound = signal.sosfilt(low_pass, np.random.default_rng(1).normal(0, 0.3, int(seconds) * rate))
    write(path, rate, (np.clip(sound, -1, 1) * 32767).astype(np.int16))


def write(path, rate, sound):
    wavfile.write(path, rate, np.repeat(sound[:, np.newaxis], 2, axis=1))


def main():
    kind, path, *numbers = sys.argv[1:]
    if kind == "noise":
        noise(path, *numbers)
    else:
        write(path, int(numbers[2]), tones.sound(int(numbers[0]), float(numbers[1])))


main()
