# SPDX-License-Identifier: MIT
"""latency.py LABEL RECORDING...

The delay of the second channel after the first, in windows of each recording. Prints a row of a table;
the difference is the residual after the delayed first channel is subtracted.
"""

import sys
import warnings

import numpy as np
from scipy import signal
from scipy.io import wavfile

WINDOW = 24000
MAX_LAG = 24000


def lag(reference, late):
    """Of the window in the middle."""
    part = late[MAX_LAG:MAX_LAG + WINDOW]
    match = signal.correlate(reference, part, mode="valid")
    return MAX_LAG - int(np.argmax(np.abs(match)))


def windows(path):
    rate, sound = wavfile.read(path)
    sound = sound.astype(float)
    for at in range(rate, len(sound) - WINDOW - 2 * MAX_LAG, WINDOW):
        reference, late = sound[at:at + WINDOW + 2 * MAX_LAG].T
        frames = lag(reference, late)
        middle = slice(MAX_LAG, MAX_LAG + WINDOW)
        expected = np.roll(reference, frames)[middle]
        power = np.mean((late[middle] - expected) ** 2) / np.mean(expected ** 2)
        yield frames, 10 * np.log10(power + 1e-20)


def main():
    warnings.filterwarnings("ignore", category=wavfile.WavFileWarning)
    label, *recordings = sys.argv[1:]
    lags, differences = zip(*(window for path in recordings for window in windows(path)))
    worst = max(differences)
    cells = [label, min(lags), int(np.median(lags)), max(lags),
             "none" if worst <= -200 else f"{worst:.0f}"]
    print("| " + " | ".join(map(str, cells)) + " |")


main()
