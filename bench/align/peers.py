# SPDX-License-Identifier: MIT
"""Two common ways to align microphones. They return a report as weir-run's, and the mean."""

import numpy as np
from scipy import fft
from scipy.signal import resample_poly

from scenes import RATE, read

CLEAR = 6.0  # standard deviations: minimum height of a peak
LIMIT = 0.75  # maximum delay in seconds


def line(t, delay, ppm, is_locked):
    return {"t": t, "delay_s": delay, "sro_ppm": ppm, "locked": int(is_locked)}


def average(mics, lines, fade):
    """The mean once the delay is known. Delays change by at most `fade` seconds per second."""
    n = len(mics[0])
    known = [entry for entry in lines if entry["locked"]]
    if not known:
        return mics[0]
    t = np.arange(n) / RATE
    delay = np.array([entry["delay_s"] for entry in known])
    for i in range(1, len(known)):
        most = fade * (known[i]["t"] - known[i - 1]["t"])
        delay[i] = delay[i - 1] + np.clip(delay[i] - delay[i - 1], -most, most)
    second = read(mics[1], (t + np.interp(t, [entry["t"] for entry in known], delay)) * RATE)
    share = np.interp(t, [entry["t"] for entry in lines], [entry["locked"] / 2 for entry in lines])
    return (1 - share) * mics[0] + share * second


def naive(mics):
    """Cross-correlation in blocks, summed as it decays, and its highest peak. Clocks that drift
    smear the sum: it starts anew every 20 s."""
    rate, block, restart, least = 16000, 65536, 10, 0.01
    low = [resample_poly(mic, 1, RATE // rate) for mic in mics]
    keep = 0.5 ** (block / 2 / rate / 30)  # half-life of 30 s
    most = int(LIMIT * rate)
    lines, total, delay = [line(0, None, None, False)], np.zeros(2 * most + 1), None
    for hop, end in enumerate(range(block, len(low[0]) + 1, block // 2)):
        first, second = (fft.rfft(mic[end - block:end], 2 * block) for mic in low)
        energy = [np.sum(mic[end - block:end] ** 2) for mic in low]
        match = fft.irfft(second * np.conj(first), 2 * block)
        match = np.r_[match[-most:], match[:most + 1]] / (np.sqrt(energy[0] * energy[1]) + 1e-20)
        total = (total * keep if hop % restart else 0) + (1 - keep) * match
        peak = np.argmax(np.abs(total))
        if np.abs(total[peak]) > least:
            delay = (peak - most) / rate
        lines.append(line(end / rate, delay, None, delay is not None))
    return lines, average(mics, lines, 0.01)


class Loop:
    """A second-order delay-locked loop: follows a delay that is measured now and then, and how
    fast it grows. Its bandwidth narrows from 0.1 to 0.01 Hz. Four measures elsewhere, where they
    agree, take it there."""
    near = 0.002  # seconds

    def __init__(self):
        self.delay, self.growth, self.bandwidth = None, 0.0, 0.1
        self.elsewhere, self.n_elsewhere, self.n_near = 0.0, 0, 0

    def step(self, measured, seconds):
        """`measured` is None where there was no peak."""
        if self.delay is not None:
            self.delay += self.growth * seconds
        if measured is None:
            return
        if self.delay is not None and abs(measured - self.delay) < self.near:
            self.follow(measured - self.delay, seconds)
            return
        agrees = abs(measured - self.elsewhere) < self.near
        self.n_elsewhere = self.n_elsewhere + 1 if agrees else 1
        self.elsewhere = measured
        if self.n_elsewhere == 4:
            self.delay, self.bandwidth, self.n_elsewhere, self.n_near = measured, 0.1, 0, 0

    def follow(self, error, seconds):
        turn = 2 * np.pi * self.bandwidth * seconds
        self.delay += 1.4 * turn * error
        self.growth = np.clip(self.growth + turn**2 / seconds * error, -1e-3, 1e-3)
        self.bandwidth = max(0.97 * self.bandwidth, 0.01)
        self.n_elsewhere, self.n_near = 0, self.n_near + 1


def phat_delay(first, second, window, band):
    """The peak of the whitened cross-correlation, or None when it is not one."""
    n = 2 * len(window)
    cross = fft.rfft(second * window, n) * np.conj(fft.rfft(first * window, n))
    match = fft.irfft(np.where(band, cross / (np.abs(cross) + 1e-12), 0), n)
    most = int(LIMIT * RATE)
    match = np.r_[match[-most:], match[:most + 1]]
    peak = np.argmax(match)
    if match[peak] < CLEAR * match.std() or peak in (0, 2 * most):
        return None
    left, middle, right = match[peak - 1:peak + 2]
    return (peak - most + 0.5 * (left - right) / (left - 2 * middle + right)) / RATE


def gcc_phat(mics):
    """GCC-PHAT over blocks of 1.4 s, a quarter of a second apart, into a delay-locked loop."""
    block, hop = 65536, RATE // 4
    window = np.hanning(block)
    f = fft.rfftfreq(2 * block, 1 / RATE)
    band = (f > 100) & (f < 8000)
    middle = block / 2 / RATE  # a block measures the delay of half its length ago
    loop, lines = Loop(), [line(0, None, None, False)]
    for end in range(block, len(mics[0]) + 1, hop):
        first, second = (mic[end - block:end] for mic in mics)
        loop.step(phat_delay(first, second, window, band), hop / RATE)
        known = loop.delay is not None
        lines.append(line(end / RATE,
                          loop.delay + loop.growth * middle if known else None,
                          loop.growth * 1e6 if known else None, loop.n_near >= 3))
    return lines, average(mics, lines, 1)
