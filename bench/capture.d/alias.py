# SPDX-License-Identifier: MIT
"""alias.py HZ RATE RECORDING

HZ is the rate of the tones' file, RATE what it was played at. Prints a cell of a table: the levels
of the strongest sound beside the tone, over that of a tone of 1 kHz, in dB, for tones up to 16, 20
and 22 kHz; and from which tone on it is above -60 dB. Exit status 3: the recording has gaps, or was
played at another rate.
"""

import sys
import warnings

import numpy as np
from scipy import signal
from scipy.io import wavfile

import tones

LIMIT = -60.0
BESIDE_HZ = 150.0
MIDDLE = 0.44  # of a tone: away from its edges
MAX_FLOOR = -110.0  # a gap or a jump is at all frequencies


def spectrum(sound):
    window = signal.windows.blackmanharris(len(sound))
    return np.abs(np.fft.rfft(sound * window, 4 * len(sound))) / np.sum(window) * 2


def beside(sound, hz, rate):
    """The level of the strongest sound that is not hz, and what there is everywhere."""
    levels = spectrum(sound)
    at = np.fft.rfftfreq(4 * len(sound), 1 / rate)
    levels = levels[(np.abs(at - hz) > BESIDE_HZ) & (at > BESIDE_HZ)]
    return np.max(levels), np.median(levels)


def control_level(sound, hz, rate):
    """None if there is another tone."""
    levels = spectrum(sound)
    at = np.argmax(levels) * rate / (4 * len(sound))
    return np.max(levels) if abs(at - hz) < 0.01 * hz else None


def decibel(ratio):
    return 20 * np.log10(ratio + 1e-9)


def measure(sound, rate, source_hz, speed):
    """(frequency in the file, level in dB) of all tones but the first; None if it is broken."""
    start = np.flatnonzero(np.abs(sound) > 0.5 * tones.LEVEL)
    if len(start) == 0:
        return None
    start = start[0] - 0.5 * tones.EDGE_SECONDS / speed * rate
    period = (tones.SECONDS + tones.GAP_SECONDS) / speed * rate
    length = int(tones.SECONDS / speed * rate * MIDDLE)
    start += (1 - MIDDLE) / 2 * tones.SECONDS / speed * rate
    control = control_level(sound[int(start):int(start) + length], tones.CONTROL * speed, rate)
    if control is None:
        return None
    result = []
    for i, hz in enumerate(tones.frequencies(source_hz, speed)[1:], 1):
        part = sound[int(start + i * period):][:length]
        if len(part) < length:
            return None
        level, floor = beside(part, hz * speed, rate)
        if decibel(floor / control) > MAX_FLOOR:
            return None
        result.append((hz, decibel(level / control)))
    return sorted(result)


def main():
    warnings.filterwarnings("ignore", category=wavfile.WavFileWarning)
    source_hz, speed, recording = sys.argv[1:]
    rate, sound = wavfile.read(recording)
    result = measure(sound[:, 0].astype(float), rate, int(source_hz), float(speed))
    if result is None:
        sys.exit(3)
    cell = " / ".join(f"{round(max(level for hz, level in result if hz <= limit))}"
                      for limit in (16000, 20000, 22000))
    bad = [hz for hz, level in result if level > LIMIT]
    print(cell + (f", from {min(bad) / 1000:.2f} kHz" if bad else ""))


main()
