# SPDX-License-Identifier: MIT
"""Tones, hits and rhythms with known pitch, onsets and tempo."""

import dataclasses

import numpy as np
from scipy.signal import lfilter

RATE = 48000
TONE_SECONDS, TONE_GAP = 0.5, 0.1
TONE_SETTLED = 0.15  # seconds after which a tone's pitch counts
HIGHEST_PARTIAL = 10000  # Hz
VOWELS = ((700, 1220, 2600), (390, 1990, 2550), (300, 870, 2240))  # formants in Hz
FORMANT_WIDTH = 80  # Hz
VOWEL_MOST = 450  # Hz: the highest note of a vowel
VIBRATO_HZ, VIBRATO_CENTS = 5.5, 50
GLIDE = (80, 800, 4.0)  # Hz, Hz, seconds of each half
TEMPOS = (60, 72, 84, 96, 108, 120, 132, 144, 156, 168, 180)
STYLES = ("clicks", "drums", "notes")
CLIP_SECONDS = 20
IRREGULAR_SECONDS = 40
IRREGULAR_SNRS = (30, 15, 6)  # dB
HITS = ("click", "kick", "snare", "hat", "note")


def times(seconds):
    return np.arange(round(seconds * RATE)) / RATE


def with_noise(sound, snr, rng):
    """White noise, by snr dB below the sound's power."""
    level = np.sqrt(np.mean(sound**2)) * 10 ** (-snr / 20)
    return sound + level * rng.standard_normal(len(sound))


# Tones


def weights(kind, hz, n, rng):
    """The amplitudes of n partials."""
    k = np.arange(1, n + 1)
    amplitudes = 1 / k
    if kind == "vowel":
        for formant in VOWELS[rng.integers(len(VOWELS))]:
            f = k * hz / formant
            amplitudes *= np.abs(1 / (1 - f**2 + 1j * f * FORMANT_WIDTH / formant))
    if kind == "odd harmonics":
        amplitudes[1::2] = 0
    if kind == "missing fundamental":
        amplitudes[0] = 0
    return amplitudes


TONES = ("sawtooth", "odd harmonics", "missing fundamental", "vibrato", "vowel")


def sum_partials(hz, amplitudes, rng):
    """hz: at every frame."""
    turns = np.cumsum(hz) / RATE
    sound = sum(a * np.sin(2 * np.pi * (k * turns + rng.uniform()))
                for k, a in enumerate(amplitudes, 1) if a > 0)
    return 0.3 * sound / np.abs(sound).max()


def make_tone(kind, hz, rng):
    t = times(TONE_SECONDS)
    depth = VIBRATO_CENTS if kind == "vibrato" else 0
    course = hz * 2 ** (depth / 1200 * np.sin(2 * np.pi * VIBRATO_HZ * t))
    n = min(30, int(HIGHEST_PARTIAL / hz))
    ramp = np.minimum(t / 0.01, 1)
    return sum_partials(course, weights(kind, hz, n, rng), rng) * ramp * ramp[::-1]


@dataclasses.dataclass
class Tone:
    kind: str
    hz: float
    begin: float  # seconds from which on it counts
    end: float


def make_tones(rng):
    """Every kind near every semitone from 60 to 960 Hz, up to a quarter tone off."""
    tones, parts = [], []
    for kind in TONES:
        for semitone in range(49):
            hz = np.clip(60 * 2 ** ((semitone + rng.uniform(-0.5, 0.5)) / 12), 60, 960)
            if kind == "vowel" and hz > VOWEL_MOST:
                continue
            begin = len(tones) * (TONE_SECONDS + TONE_GAP)
            tones.append(Tone(kind, hz, begin + TONE_SETTLED, begin + TONE_SECONDS))
            parts += [make_tone(kind, hz, rng), np.zeros(round(TONE_GAP * RATE))]
    return np.concatenate(parts), tones


def glide_hz(t):
    low, high, half = GLIDE
    return low * (high / low) ** (1 - np.abs(t / half - 1))


def make_glide(rng):
    """Up and down again, in equal intervals."""
    return sum_partials(glide_hz(times(2 * GLIDE[2])), 1 / np.arange(1, 13), rng)


# Rhythms


def make_hit(kind, rng):
    t = times(0.25)
    noise = rng.standard_normal(len(t))
    if kind == "click":
        sound = noise * np.exp(-t / 0.002)
    elif kind == "kick":
        sound = np.sin(2 * np.pi * (48 * t + 1.5 * (1 - np.exp(-t / 0.025)))) * np.exp(-t / 0.07)
    elif kind == "snare":
        sound = (0.5 * noise + np.sin(2 * np.pi * 185 * t)) * np.exp(-t / 0.045)
    elif kind == "hat":
        sound = np.diff(noise, prepend=0) * np.exp(-t / 0.02)
    else:
        hz = 196 * 2 ** (rng.integers(25) / 12)
        partials = sum(np.sin(2 * np.pi * k * hz * t) / k for k in range(1, 9))
        sound = partials * np.exp(-t / 0.15) * np.minimum(t / 0.005, 1)
    fade = np.minimum((t[-1] - t) / 0.03, 1)
    return sound / np.abs(sound).max() * fade


@dataclasses.dataclass
class Rhythm:
    sound: np.ndarray
    onsets: np.ndarray  # seconds
    bpm: float = None


def place(hits, seconds, rng):
    """hits: (seconds, kind, level)."""
    sound = np.zeros(round((seconds + 1) * RATE))
    for at, kind, level in hits:
        hit = 0.4 * level * make_hit(kind, rng)
        first = round(at * RATE)
        sound[first:first + len(hit)] += hit
    return sound[:round(seconds * RATE)], np.array([at for at, _, _ in sorted(hits)])


def beat_hits(style, n, at, beat):
    """The hits of the nth beat, which begins at `at` and lasts `beat` seconds."""
    if style == "clicks":
        return [(at, "click", 1)]
    if style == "drums":
        return [(at, ("kick", "snare")[n % 2], 1), (at + beat / 2, "hat", 0.35)]
    return [(at, "note", 1)] + ([(at + beat / 2, "note", 0.6)] if n % 4 == 3 else [])


def make_beats(style, bpm, rng):
    beat, begin = 60 / bpm, rng.uniform(0.3, 0.8)
    n_beats = int((CLIP_SECONDS - begin) / beat - 0.6)
    hits = sum((beat_hits(style, n, begin + n * beat, beat) for n in range(n_beats)), [])
    sound, onsets = place(hits, CLIP_SECONDS, rng)
    return Rhythm(sound + 1e-3 * rng.standard_normal(len(sound)), onsets, bpm)


def make_irregular(snr, rng):
    """Hits of all kinds at random times, up to 12 dB apart; noise at snr dB below the loudest."""
    hits, at = [], 0.5
    while at < IRREGULAR_SECONDS - 0.5:
        hits.append((at, HITS[rng.integers(len(HITS))], 10 ** (-rng.uniform(0, 12) / 20)))
        at += rng.uniform(0.12, 0.7)
    sound, onsets = place(hits, IRREGULAR_SECONDS, rng)
    noise = lfilter([1], [1, -0.9], rng.standard_normal(len(sound)))
    loudest = 0.4 * 0.3  # about the RMS of a hit while it sounds
    return Rhythm(sound + loudest * 10 ** (-snr / 20) * noise / noise.std(), onsets)


# Features


def make_changing(rng):
    """A tone, noise, a sweep and harmonics: values of the features differ between them."""
    t = times(8)
    parts = [0.3 * np.sin(2 * np.pi * 220 * t), 0.2 * rng.standard_normal(len(t)),
             0.3 * np.sin(2 * np.pi * (100 + 150 * t) * t), 0.1 * sum_partials(
                 np.full(len(t), 131.0), 1 / np.arange(1, 40), rng)]
    which = (t // 2).astype(int)
    return np.choose(which, parts) + 0.01 * rng.standard_normal(len(t))
