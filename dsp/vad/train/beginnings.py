# SPDX-License-Identifier: MIT
"""Scenes of 3.5 s in which music or speech begins after 1.5 s, in silence or noise."""
import glob
import os
import struct
import subprocess
import tempfile

import numpy as np
from scipy.io import wavfile
from scipy.signal import fftconvolve, resample_poly

import material
import scene

RATE, HOP = material.RATE, material.HOP
PACKAGES = """fluid-soundfont-gm fluidsynth sonic-pi-samples ktuberling-data klettres-data
asterisk-core-sounds-fr-g722 asterisk-core-sounds-ru-g722 espeak-ng flite ffmpeg python3-numpy python3-scipy
python3-sklearn""".split()
SOUNDFONT = '/usr/share/sounds/sf2/FluidR3_GM.sf2'
SAMPLES = '/usr/share/sonic-pi/samples'
HOPS, BEGIN = 350, 150

# General MIDI, without voices; those of LEFT_OUT are for who judges.
LEFT_OUT = {0, 5, 11, 14, 19, 25, 33, 42, 46, 48, 57, 62, 68, 71, 75, 88}
PROGRAMS = sorted({0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 24, 25,
                   26, 27, 28, 30, 32, 33, 35, 38, *range(40, 52), *range(56, 63), 64, 65, 66,
                   *range(68, 76), 79, 80, 81, 82, 88, 89, 92, 95, 98, 104, 105, 106, 107, 108,
                   110, 114} - LEFT_OUT)
NOTES = [[40], [48], [55], [60], [64], [69], [76], [84], [48, 55, 64], [60, 64, 67],
         [57, 60, 64, 69], [43, 50, 59, 67, 71], [62, 65, 69]]
NOTE_SECONDS, STEP_SECONDS = 1.5, 3.5


def variable(n):
    out = [n & 0x7f]
    while n >> 7:
        n >>= 7
        out.append(n & 0x7f | 0x80)
    return bytes(reversed(out))


def midi(program):
    """All NOTES, one after another, at 960 ticks per second."""
    rng = np.random.default_rng(program)
    track, last = variable(0) + bytes([0xC0, program]), 0
    for i, notes in enumerate(NOTES):
        on = int(960 * (0.5 + i * STEP_SECONDS))
        off, strength = on + int(960 * NOTE_SECONDS), int(rng.integers(45, 115))
        for at, event, value in ((on, 0x90, strength), (off, 0x80, 0)):
            for note in notes:
                track += variable(at - last) + bytes([event, note, value])
                last = at
    track += variable(int(960 * STEP_SECONDS)) + b'\xff\x2f\x00'
    return (b'MThd' + struct.pack('>IHHH', 6, 0, 1, 480) +
            b'MTrk' + struct.pack('>I', len(track)) + track)


def begun(sound, share):
    """From where it is heard."""
    at = np.abs(sound) > share * np.abs(sound[:RATE]).max()
    return sound[max(0, int(at.argmax()) - 8):]


def instrument(program):
    path = material.cached(f'fluidsynth {program}')
    if not os.path.exists(path):
        with tempfile.TemporaryDirectory() as folder:
            with open(f'{folder}/m.mid', 'wb') as file:
                file.write(midi(program))
            subprocess.run(['fluidsynth', '-ni', '-q', '-g', '0.5', '-r', '48000', '-F',
                            f'{folder}/m.wav', SOUNDFONT, f'{folder}/m.mid'], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            sound = wavfile.read(f'{folder}/m.wav')[1].astype(np.float32).mean(1) / 32768
        np.save(path, resample_poly(sound, 1, 3))
    sound = np.load(path)
    starts = [int((0.48 + i * STEP_SECONDS) * RATE) for i in range(len(NOTES))]
    notes = [sound[at:at + int(2.4 * RATE)] for at in starts]
    return [begun(n, .01) for n in notes if np.abs(n).max() > 1e-3]


def tone(rng, kind, hz, t):
    turns = 2 * np.pi * hz * t + rng.uniform(0, 6)
    parts = np.arange(1, max(2, int(7000 / hz) + 1))
    if kind == 'sine':
        return np.sin(turns)
    if kind == 'triangle':
        return sum(np.sin(h * turns) / h ** 2 * (1 if h % 4 == 1 else -1) for h in parts[::2])
    if kind == 'square':
        return sum(np.sin(h * turns) / h for h in parts[::2])
    if kind == 'organ':
        return sum(rng.uniform(.1, 1) * np.sin(h * turns) for h in (.5, 1, 1.5, 2, 3, 4, 6, 8))
    if kind == 'bell':
        return sum(rng.uniform(.2, 1) * np.sin(q * turns) * np.exp(-t / rng.uniform(.2, 1.5))
                   for q in (1, 2.0, 2.4, 3.0, 4.5, 5.33, 6.7) if hz * q < 7500)
    if kind == 'strings':
        turns = turns + 2 * np.pi * hz * rng.uniform(0, .006) / 34.6 * np.sin(34.6 * t)
    fall = np.exp(-t / rng.uniform(.1, 1.2)) if kind == 'pluck' else 1.0
    slope = 1.0 if kind == 'saw' else rng.uniform(.7, 1.5)
    return fall * sum(np.sin(h * turns + rng.uniform(0, 6)) / h ** slope for h in parts)


def synthetic(rng):
    kinds = ['sine', 'triangle', 'saw', 'square', 'pluck', 'bell', 'organ', 'strings']
    kind = rng.choice(kinds + ['sweep', 'chord'])
    t = np.arange(2 * RATE) / RATE
    hz = np.exp(rng.uniform(np.log(80), np.log(1800)))
    if kind == 'sweep':
        path = hz * 2.0 ** (rng.uniform(-2, 2) * t / 2)
        sound = np.sin(2 * np.pi * np.cumsum(path) / RATE)
    elif kind == 'chord':
        kind = rng.choice(kinds)
        steps = [[0, 4, 7], [0, 3, 7], [0, 7, 12], [0, 4, 7, 12], [0, 5, 9]][rng.integers(5)]
        sound = sum(tone(rng, kind, hz * 2 ** (s / 12), t) for s in steps)
    else:
        sound = tone(rng, kind, hz, t)
    return sound * np.minimum(1, t / np.exp(rng.uniform(np.log(.001), np.log(.12))))


# Formants of vowels, Hz.
VOWELS = np.array([[730, 1090, 2440], [270, 2290, 3010], [530, 1840, 2480], [300, 870, 2240],
                   [660, 1720, 2410], [490, 1350, 1690], [570, 840, 2410], [390, 1990, 2550]])


def voice(rng):
    """Syllables of vowels, with a pitch that moves: as near to music as speech comes."""
    t, rate = np.arange(2 * RATE) / RATE, rng.uniform(2.5, 6)
    hz = np.exp(rng.uniform(np.log(85), np.log(260)))
    hz = hz * (1 + rng.uniform(.03, .25) * np.sin(2 * np.pi * rng.uniform(.3, 2) * t + rng.uniform(0, 6)))
    vowels = VOWELS[rng.integers(8, size=int(2 * rate) + 2)] * rng.uniform(.85, 1.2)
    formants, width = vowels[(t * rate).astype(int)], rng.uniform(60, 130)
    loud = np.maximum(0, np.sin(np.pi * (t * rate % 1) * rng.uniform(1, 1.3))) ** rng.uniform(.5, 1.5)
    turns, sound = np.cumsum(hz) / RATE, np.zeros(len(t))
    for k in range(1, int(3800 / hz[0]) + 1):
        size = sum(1 / ((1 + f) * (1 + ((k * hz - formants[:, f]) / width) ** 2)) for f in range(3))
        sound += size * np.sin(2 * np.pi * k * turns + rng.choice([0, rng.uniform(0, 6)]))
    if rng.random() < .3:
        sound += .05 * np.abs(sound).max() * rng.standard_normal(len(t))
    return loud * sound


def hits():
    """Every second file, as the other half is for who judges."""
    paths = sorted(glob.glob(SAMPLES + '/*.flac'))
    names = ('drum', 'tabla', 'perc', 'elec', 'bd', 'sn', 'guit', 'bass', 'ambi', 'hat')
    paths = [p for p in paths if os.path.basename(p).split('_')[0] in names
             and 'choir' not in p and 'voxy' not in p]
    sounds = [material.decode(p) for p in paths[::2]]
    return [begun(s, .02) for s in sounds if len(s) > RATE // 10]


def bed(rng):
    """Silence or noise, and its level in dB."""
    kind = rng.choice(['none', 'pink', 'white', 'pink', 'white', 'brown', 'hum'])
    if kind == 'none':
        return np.zeros(HOPS * HOP), -120.0
    level = rng.uniform(-75, -35)
    if kind == 'hum':
        sound = scene.normal(scene.drone(rng, None, HOPS * HOP))
    else:
        sound = scene.normal(scene.slope_noise(rng, HOPS * HOP, {'white': 0, 'pink': 1,
                                                                 'brown': 2}[kind]))
    return sound * 10 ** (level / 20), level


def placed(rng, sound):
    """Music or speech that begins 6 to 20 dB above its bed."""
    out, level = bed(rng)
    level = max(rng.uniform(-34, -12), level + rng.choice([6, 12, 20]))
    power = np.sqrt(np.mean(sound[:int(.3 * RATE)] ** 2)) + 1e-9
    at = BEGIN * HOP + int(rng.integers(0, HOP))
    sound = sound[:len(out) - at]
    out[at:at + len(sound)] += min(10 ** (level / 20) / power, .9 / np.abs(sound).max()) * sound
    return out.astype(np.float32)


def in_noise(rng, sound, noise):
    """Speech at 20 to -2 dB in noise of any kind, every second time in a room."""
    if rng.random() < .4:
        fall = np.exp(-np.arange(RATE // 4) / RATE / rng.uniform(.02, .08))
        room = rng.standard_normal(RATE // 4) * fall * .05
        room[0] = 1
        sound = fftconvolve(sound, room)[:len(sound)]
    level, snr = 10 ** (rng.uniform(-34, -18) / 20), rng.choice([20, 15, 10, 5, 3, 0, -2])
    out = level * 10 ** (-snr / 20) * scene.normal(noise[:HOPS * HOP])
    sound = scene.normal(sound)[:len(out) - BEGIN * HOP]
    out[BEGIN * HOP:BEGIN * HOP + len(sound)] += level * sound
    return (out * min(1, .98 / np.abs(out).max())).astype(np.float32)
