# SPDX-License-Identifier: MIT
"""The short-term features of pyAudioAnalysis by their definitions, of windows of 50 ms of the sound
without normalization, every 10 ms. The oddities of that package are reproduced: see chroma()."""

import numpy as np
from scipy.fft import dct

WINDOW, HOP = 0.05, 0.01  # seconds
EPSILON = np.finfo(float).eps
ROLLOFF = 0.9
FLOOR = 1e-20  # of the power, in the flatness


def entropy(parts):
    return -np.sum(parts * np.log2(parts + EPSILON))


def block_entropy(values, n=10):
    """The entropy of the energy of n blocks."""
    length = len(values) // n
    energy = (values[:n * length].reshape(n, length) ** 2).sum(1)
    return entropy(energy / (np.sum(values**2) + EPSILON))


def mel_filters(rate, n_bins):
    """13 linear and 27 logarithmic triangles."""
    edges = 133.33 + 200 / 3 * np.arange(42)
    edges[13:] = edges[12] * 1.0711703 ** np.arange(1, 30)
    hz = np.arange(n_bins) / n_bins * rate
    bin_of = np.floor(edges * n_bins / rate).astype(int)
    filters = np.zeros((40, n_bins))
    for row, (low, centre, high) in enumerate(zip(edges, edges[1:], edges[2:])):
        height = 2 / (high - low)
        rising = slice(bin_of[row] + 1, bin_of[row + 1] + 1)
        falling = slice(bin_of[row + 1] + 1, bin_of[row + 2] + 1)
        filters[row, rising] = height * (hz[rising] - low) / (centre - low)
        filters[row, falling] = height * (high - hz[falling]) / (high - centre)
    return filters


def chroma(power, hz):
    """Of all bins in a semitone the highest counts alone, by the number of another semitone's."""
    semitone = np.round(12 * np.log2(hz / 27.5)).astype(int)
    _, which, counts = np.unique(semitone, return_inverse=True, return_counts=True)
    classes = np.zeros(-(-len(power) // 12) * 12)
    spread = np.zeros(len(power))
    spread[semitone] = power
    classes[:len(power)] = spread / counts[which][semitone]
    return classes.reshape(-1, 12).sum(0) / (power.sum() or EPSILON)


class Features:
    def __init__(self, rate):
        self.n_window = int(WINDOW * rate)
        self.n_bins = self.n_window // 2
        self.filters = mel_filters(rate, self.n_bins)
        self.rate = rate
        self.hz = np.arange(1, self.n_bins + 1) * rate / (2 * self.n_bins)

    def spectrum(self, window):
        return np.abs(np.fft.fft(window))[:self.n_bins] / self.n_bins

    def of_window(self, window, before):
        """before: the spectrum of 10 ms ago."""
        half = self.rate / 2
        spectrum = self.spectrum(window)
        power = spectrum**2
        scaled = spectrum / (spectrum.max() or 1)
        weight = scaled.sum() + EPSILON
        centroid = (self.hz * scaled).sum() / weight
        spread = np.sqrt(((self.hz - centroid) ** 2 * scaled).sum() / weight)
        shares = [each / np.sum(each + EPSILON) for each in (spectrum, before)]
        above = np.flatnonzero(np.cumsum(power) + EPSILON > ROLLOFF * power.sum())
        return {
            "zcr": np.abs(np.diff(np.sign(window))).sum() / 2 / (len(window) - 1),
            "energy": np.mean(window**2),
            "energy_entropy": block_entropy(window),
            "centroid": centroid / half,
            "spread": spread / half,
            "entropy": block_entropy(spectrum),
            "flux": ((shares[0] - shares[1]) ** 2).sum(),
            "rolloff": above[0] / self.n_bins if len(above) else 0.0,
            "flatness": np.exp(np.mean(np.log(power + FLOOR))) / np.mean(power + FLOOR),
            "mfcc": dct(np.log10(self.filters @ spectrum + EPSILON), norm="ortho")[:13],
            "chroma": chroma(power, self.hz),
        }

    def at(self, sound, seconds):
        """Of the 50 ms before."""
        end, hop = round(seconds * self.rate), round(HOP * self.rate)
        begin = end - self.n_window
        before = self.spectrum(sound[begin - hop:end - hop])
        return self.of_window(sound[begin:end], before)
