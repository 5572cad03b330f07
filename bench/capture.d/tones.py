# SPDX-License-Identifier: MIT
"""Tones one after the other, up to the end of the band."""

import numpy as np

CONTROL = 1000.0
LEVEL = 0.5
SECONDS, GAP_SECONDS, EDGE_SECONDS = 0.25, 0.05, 0.07  # slow edges: a sharp one is a gap to weir


def frequencies(rate, speed):
    """The first is the one that all levels are relative to. At this speed the last ones come to lie
    just above the band of a graph or a recorder at 48 kHz, where filters are weakest."""
    even = np.arange(11000, rate / 2 - 499, 500)
    fold = (24000 + np.array([100, 250, 400])) / speed
    return np.concatenate([[CONTROL], even, fold[fold < rate / 2 - 400]])


def sound(rate, speed):
    n = int(SECONDS * rate)
    edge = np.minimum(1, np.arange(n) / (EDGE_SECONDS * rate))
    shape = LEVEL * (0.5 - 0.5 * np.cos(np.pi * edge)) * (0.5 - 0.5 * np.cos(np.pi * edge[::-1]))
    gap = np.zeros(int(GAP_SECONDS * rate))
    parts = [gap]
    for hz in frequencies(rate, speed):
        parts += [shape * np.sin(2 * np.pi * hz * np.arange(n) / rate), gap]
    return np.concatenate(parts).astype(np.float32)
