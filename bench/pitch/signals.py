# SPDX-License-Identifier: MIT
"""Sounds as functions of the pitch ratio r.

With r = 1 a sound is the input; with r = 2 ** (semitones / 12) it is what an ideal shifter
makes of it. Tonal parts are sums of partials whose phases are multiplied by r and whose
envelopes stay in time. Noise has its spectrum scaled by r and is another noise for each r:
only its energies can be compared.
"""

import os

import numpy as np

RATE = 48000
HIGHEST = 21500.0  # Hz; partials above are left out
LEAD = 0.35  # seconds of silence in front
SEED = int(os.environ.get("PITCH_SEED", "0"))


def generator(number):
    return np.random.default_rng(number if SEED == 0 else [number, SEED])


def seconds(duration):
    return np.arange(int(duration * RATE)) / RATE


def faded(n):
    """Ones with 10 ms of fading at both ends."""
    window = np.ones(n)
    k = RATE // 100
    window[:k] = 0.5 - 0.5 * np.cos(np.pi * np.arange(k) / k)
    window[-k:] = window[:k][::-1]
    return window


def led_in(sound):
    """A sound behind its silence, in stereo."""
    if sound.ndim == 1:
        sound = np.stack([sound, sound], 1)
    return np.vstack([np.zeros((int(LEAD * RATE), 2)), sound])


def band_noise(n, r, low, high, rng):
    """Noise from low to high, scaled by r, with power 1."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    f = np.fft.rfftfreq(n, 1 / RATE)
    noise = np.fft.irfft(spectrum * ((f > low * r) & (f < min(high * r, HIGHEST))), n)
    return noise / np.sqrt(np.mean(noise**2) + 1e-20)


def panned(sound, pan):
    return sound[:, None] * np.array([np.cos(pan * np.pi / 2), np.sin(pan * np.pi / 2)])


TONES = np.array([62, 110, 173, 261.6, 392, 587.3, 880, 1318.5, 1976, 2960, 4430, 6650, 9960,
                  13100.0])  # Hz
TONES_PHASE = np.deg2rad([0, 0, 90, 0, 180, -90, 0, 45, 90, 0, -135, 0, 90, 0])  # right - left
TONES_LEVEL = np.array([0, 0, 0, 6, -6, 0, 9, 0, -9, 0, 0, 12, -3, 0.0])  # dB, left - right


def tones(r):
    """Steady partials that are not harmonic, each with its own place in the stereo field."""
    t = seconds(5.0)
    rng = generator(3)
    y = np.zeros((len(t), 2))
    for f, phase, level in zip(TONES, TONES_PHASE, TONES_LEVEL):
        start = rng.uniform(0, 2 * np.pi)
        amplitude = 0.12 * (f / 200.0) ** -0.5
        gain = 10 ** (level / 40)
        if f * r > HIGHEST:
            continue
        y[:, 0] += amplitude * gain * np.cos(2 * np.pi * r * f * t + start)
        y[:, 1] += amplitude / gain * np.cos(2 * np.pi * r * f * t + start + phase)
    return led_in(y * faded(len(t))[:, None] * 0.5)


CLUSTER = np.array([110, 116.54, 164.8, 174.6, 220, 233.1, 330, 349.2, 440, 466.2, 659, 698.5,
                    880, 932.3, 1320, 1397, 2640, 2797.0])


def cluster(r):
    """Nine dyads of a semitone."""
    t = seconds(5.5)
    rng = generator(4)
    y = np.zeros(len(t))
    for f in CLUSTER:
        y += 0.05 * (f / 200.0) ** -0.4 * np.cos(2 * np.pi * r * f * t + rng.uniform(0, 2 * np.pi))
    return led_in(y * faded(len(t)))


VIBRATO_PARTIALS = 28
VIBRATO_END = 3.0  # seconds; a glide follows


def vibrato_cycles(t):
    """The phase of the fundamental: 220 Hz with a vibrato of 60 cents, then 140 Hz to 420 Hz."""
    f = np.where(t < VIBRATO_END, 220 * 2 ** (60 / 1200 * np.sin(2 * np.pi * 5.5 * t)), 0)
    glide = np.clip((t - VIBRATO_END) / 2.5, 0, 1)
    return np.cumsum(np.where(t >= VIBRATO_END, 140 * 3**glide, f)) / RATE


def vibrato(r):
    t = seconds(5.5)
    cycles = vibrato_cycles(t)
    f = np.gradient(cycles) * RATE
    rng = generator(5)
    y = np.zeros(len(t))
    for k in range(1, VIBRATO_PARTIALS + 1):
        start = rng.uniform(-0.5, 0.5)
        y += np.where(r * k * f < HIGHEST, 0.25 / k * np.cos(2 * np.pi * r * k * cycles + start), 0)
    middle = int(VIBRATO_END * RATE)
    gap = RATE // 50
    y *= faded(len(t))
    y[middle - gap:middle + gap] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(2 * gap) / gap)
    return led_in(y)


ATTACKS = LEAD + 0.15 + np.cumsum(generator(6).uniform(0.21, 0.35, 18))  # seconds
BAR = [(1, 0.25, 1), (2.76, 0.15, 0.8), (5.4, 0.09, 0.7), (8.93, 0.06, 0.6), (11.3, 0.05, 0.5),
       (13.4, 0.04, 0.4)]  # frequency ratio, seconds of decay, amplitude
PAD = (196, 247, 294, 392, 587, 1175)  # Hz


def attacks(r):
    """Struck bars, plucked bars and hits of noise in turn; the second half over a soft pad."""
    t = seconds(6.3 + LEAD)
    y = np.zeros((len(t), 2))
    rng, noise_rng = generator(8), np.random.default_rng(7 + int(1000 * r))
    for i, start in enumerate(ATTACKS):
        first = int(start * RATE)
        u = np.arange(min(int(0.45 * RATE), len(t) - first)) / RATE
        rise = np.minimum(1, 0.5 - 0.5 * np.cos(np.pi * np.minimum(u / 0.001, 1)))
        f, pan = 300 * 2 ** rng.uniform(0, 1.5), rng.uniform(0.3, 0.7)
        phases = rng.uniform(0, 2 * np.pi, 6) if i % 3 != 2 else rng.uniform(size=6)
        if i % 3 == 1:
            phases[:] = -np.pi / 2
        if i % 3 == 2:
            sound = 0.18 * band_noise(len(u), r, 300, 9500, noise_rng) * np.exp(-u / 0.025)
        else:
            sound = 0.16 * sum(a * np.exp(-u / decay) * np.cos(2 * np.pi * r * q * f * u + phase)
                               for (q, decay, a), phase in zip(BAR, phases) if r * q * f < HIGHEST)
        y[first:first + len(u)] += panned(sound * rise, pan)
    fade = np.clip((t - ATTACKS[len(ATTACKS) // 2] + 0.1) / 0.05, 0, 1)
    pad = sum(0.012 * np.cos(2 * np.pi * r * f * t + f) for f in PAD)
    return y + (pad * fade)[:, None]


CHORDS = [(45, 57, 60, 64, 69), (41, 53, 60, 65, 69), (48, 55, 64, 67, 72), (43, 55, 59, 62, 71),
          (38, 57, 62, 65, 74), (40, 56, 59, 64, 71)]  # MIDI notes, one second each


def string(r, f, u, seconds_long, rng):
    """A plucked, slightly stiff string."""
    sound = np.zeros(len(u))
    decay = 0.9 * (220 / f) ** 0.4
    for k in range(1, 25):
        partial = k * f * np.sqrt(1 + 4e-4 * k * k)
        phase = rng.uniform(0, 2 * np.pi)
        if partial > 9500:
            break
        if r * partial < HIGHEST:
            sound += (k**-1.1 * np.exp(-u / (decay / (1 + 0.12 * k))) *
                      np.cos(2 * np.pi * r * partial * u + phase))
    return 0.07 * np.minimum(1, u / 0.003) * np.minimum(1, (seconds_long - u) / 0.03) * sound


def hat(n, r, rng):
    sound = 0.03 * band_noise(n, r, 4000, 9500, rng) * np.exp(-np.arange(n) / RATE / 0.02)
    return sound[:, None] * np.array([0.8, 0.6])


def kick(n, r):
    u = np.arange(n) / RATE
    cycles = 55 * u + 95 * 0.03 * (1 - np.exp(-u / 0.03))
    return (0.25 * np.exp(-u / 0.09) * np.sin(2 * np.pi * r * cycles) *
            np.minimum(1, (n / RATE - u) / 0.03))[:, None]


def music(r):
    """Chords of strings with a hat and a kick."""
    n = int((6.4 + LEAD) * RATE)
    y = np.zeros((n, 2))
    rng, noise_rng = generator(10), np.random.default_rng(9 + int(1000 * r))
    for bar, chord in enumerate(CHORDS):
        for voice, note in enumerate(chord):
            for repeat in range(1 if voice == 0 else 2):
                late = 0 if voice == 0 else 0.5 * repeat + 0.08 * voice
                first = int((LEAD + bar * 1.0 + late) * RATE)
                length = min(int((1.0 if voice == 0 else 0.7) * RATE), n - first)
                sound = string(r, 440 * 2 ** ((note - 69) / 12), np.arange(length) / RATE,
                               length / RATE, rng)
                y[first:first + length] += panned(sound, (voice + 0.5) / 5)
        for beat in range(4):
            first = int((LEAD + bar + 0.25 * beat) * RATE)
            length = min(int(0.12 * RATE), n - first)
            y[first:first + length] += hat(length, r, noise_rng)
        for beat in (0, 2):
            first = int((LEAD + bar + 0.25 * beat) * RATE)
            length = min(int(0.25 * RATE), n - first)
            y[first:first + length] += kick(length, r)
    return y


VOWELS = {"a": (730, 1090, 2440, 3400), "i": (270, 2290, 3010, 3600), "u": (300, 870, 2240, 3300),
          "e": (530, 1840, 2480, 3500), "o": (570, 840, 2410, 3300)}  # formants, Hz
SPOKEN = "aiueoaeiouaoieu"
BANDWIDTHS = (80, 100, 130, 200)  # Hz
SYLLABLE = 0.4  # seconds


def resonance(f, formants, bandwidths=BANDWIDTHS):
    """The complex gain of a cascade of formants at f (n,), formants (n, 4) or (4,)."""
    gain = np.ones(f.shape, complex)
    for centre, bandwidth in zip(np.transpose(formants), bandwidths):
        pole, turning = -np.pi * bandwidth, 2 * np.pi * centre
        gain *= (pole ** 2 + turning ** 2) / ((2j * np.pi * f - pole) ** 2 + turning ** 2)
    return gain


def glottis(f):
    return 1 / (1 + (f / 300) ** 1.6)


def vowel(name, hz):
    """A steady vowel of that pitch, alike in both channels."""
    t = seconds(1.5)
    harmonics = hz * np.arange(1, int(9000 / hz) + 1)
    gains = resonance(harmonics, VOWELS[name]) * glottis(harmonics)
    y = sum(np.abs(gain) * np.cos(2 * np.pi * f * t + np.angle(gain))
            for f, gain in zip(harmonics, gains))
    return led_in(0.1 * y / y.std() * faded(len(t)))


def consonants(n, r, rng):
    y = np.zeros(n)
    for syllable in range(int(n / RATE / SYLLABLE)):
        first = int(syllable * SYLLABLE * RATE)
        if syllable % 2:
            length = int(0.085 * RATE)
            u = np.arange(length) / RATE
            shape = 0.05 * np.minimum(1, np.minimum(u / 0.02, (length / RATE - u) / 0.01))
            y[first:first + length] += band_noise(length, r, 2500, 9000, rng) * shape
        else:
            first += int(0.05 * RATE)
            length = int(0.03 * RATE)
            shape = 0.12 * np.exp(-np.arange(length) / RATE / 0.006)
            y[first:first + length] += band_noise(length, r, 800, 7000, rng) * shape
    return y


def speech(r, keep_formants=False):
    """Vowels of a low and a high voice, with plosives and fricatives between them."""
    t = seconds(6.0)
    coarse = np.arange(0, len(t) + 240, 240) / RATE  # the voice changes at this pace
    rng, noise_rng = generator(12), np.random.default_rng(11 + int(1000 * r))
    low = coarse < 3.0
    f0 = np.where(low, 115 + 25 * np.sin(2 * np.pi * 0.9 * coarse) - 8 * coarse,
                  215 + 40 * np.sin(2 * np.pi * 0.7 * coarse + 1) - 10 * (coarse - 3))
    f0 = f0 * (1 + 0.006 * np.interp(coarse, np.arange(0, 7, 0.03), rng.standard_normal(234)))
    at = np.arange(len(SPOKEN)) * SYLLABLE + 0.2
    tracks = np.array([VOWELS[vowel] for vowel in SPOKEN], float)
    formants = np.stack([np.interp(coarse, at, track) for track in tracks.T], 1)
    formants *= np.where(low, 1, 1.15)[:, None]

    f = np.interp(t, coarse, f0)
    cycles = np.cumsum(f) / RATE
    y = np.zeros(len(t))
    for k in range(1, 70):
        harmonic = k * f0
        if harmonic.min() > 9000:
            break
        gain = resonance(harmonic * r if keep_formants else harmonic, formants)
        gain = gain * glottis(harmonic) * (harmonic < 9000)
        amplitude = np.interp(t, coarse, np.abs(gain))
        phase = np.interp(t, coarse, np.unwrap(np.angle(gain)))
        partial = amplitude * np.cos(2 * np.pi * r * k * cycles + phase)
        y += np.where(r * k * f < HIGHEST, partial, 0)
    into = t % SYLLABLE
    y *= 0.25 * np.clip(np.minimum((into - 0.08) / 0.015, (SYLLABLE - into) / 0.03), 0, 1)
    return led_in(0.8 * (y + consonants(len(t), 1 if keep_formants else r, noise_rng)))
