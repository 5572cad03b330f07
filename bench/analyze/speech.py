# SPDX-License-Identifier: MIT
"""Speech in noise with labels every 10 ms, and noise alone, from recordings in packages."""

import dataclasses
import functools
import glob
import os
import subprocess
import tempfile
import zlib

import numpy as np
from scipy import fft
from scipy.signal import butter, resample_poly, sosfilt

import sounds

RATE = 16000
HOP = RATE // 100  # frames to a label
ASTERISK = "/usr/share/asterisk/sounds/"
# Files of each package, every one or every second: a detector may have learned the others.
MATERIAL = {
    "carlo": ("asterisk-core-sounds-it-g722", ASTERISK + "it_IT_m_Carlo/*.g722", 1),
    "allison": ("asterisk-core-sounds-en-g722", ASTERISK + "en_US_f_Allison/*.g722", 1),
    "allison-es": ("asterisk-core-sounds-es-g722", ASTERISK + "es_MX_f_Allison/*.g722", 1),
    "potatoes": ("ktuberling-data", "/usr/share/ktuberling/sounds/{da,de,en,sl,uk}/*.ogg", 1),
    "letters": ("klettres-data", "/usr/share/klettres/{da,en_GB,nl,pt_BR}/*/*.ogg", 1),
    "music": ("wesnoth-1.16-music", "/usr/share/games/wesnoth/1.16/data/core/music/*.ogg", 2),
    "beats": ("sonic-pi-samples",
              "/usr/share/sonic-pi/samples/{ambi,bass,bd,drum,elec,glitch,guit,loop,perc,sn,tabla,"
              "vinyl}_*.flac", 2),
}
NO_SPEECH = ("silence", "beep", "tone", "ascending", "descending", "confbridge-join",
             "confbridge-leave")
TALKERS = (("carlo", 0.4), ("allison", 0.35), ("potatoes", 0.25))
CROWD = ("allison-es", "letters")
SNRS = (20, 10, 5, 0)  # dB of active speech
SPEECH_SECONDS, CLEAN_SECONDS = 40, 80
ALONE_SECONDS = 300  # of each kind of noise
MOST_FILES = 100  # of each material
LONGEST, MOST_AT_ONCE = 120, 30  # seconds of a recording that are read, and heard at once
LEVEL_SECONDS = 20  # for which noise alone stays as loud
LOOP_SECONDS = 60  # after which hum and car repeat


@dataclasses.dataclass
class Scene:
    kind: str
    snr: float  # dB; inf: no noise; None: no speech
    sound: np.ndarray  # at sounds.RATE
    labels: np.ndarray  # every 10 ms: whether there is speech
    segments: list  # seconds at which speech begins and ends


def expand(pattern):
    """Expands braces as the shell does."""
    if "{" not in pattern:
        return [pattern]
    head, rest = pattern.split("{", 1)
    choices, tail = rest.split("}", 1)
    return [head + choice + tail for choice in choices.split(",")]


@functools.cache
def files_of(name):
    _, pattern, step = MATERIAL[name]
    paths = sorted(path for part in expand(pattern) for path in glob.glob(part))
    return [path for path in paths
            if not any(word in os.path.basename(path) for word in NO_SPEECH)][step - 1::step]


def absent_packages():
    return sorted({package for name, (package, _, _) in MATERIAL.items() if not files_of(name)})


def decode(paths):
    """All at once: ffmpeg takes longer to start than to decode one of them."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = [], []
        for i, path in enumerate(paths):
            inputs += [*(["-f", "g722"] if path.endswith(".g722") else []), "-i", path]
            outputs += ["-map", str(i), "-t", str(LONGEST), "-f", "f32le", "-ac", "1", "-ar",
                        str(RATE), f"{folder}/{i}"]
        subprocess.run(["ffmpeg", "-v", "quiet", "-nostdin", *inputs, *outputs], check=True)
        return [np.fromfile(f"{folder}/{i}", np.float32) for i in range(len(paths))]


@functools.cache
def recordings(name, seed):
    """Some of a material's files."""
    files = files_of(name)
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    chosen = rng.permutation(len(files))[:MOST_FILES]
    return [sound for sound in decode([files[i] for i in chosen])
            if len(sound) > RATE // 20 and sound.any()]


# Speech


def find_active(sound):
    """Every 10 ms, by the power around it: up to 35 dB below loud speech, above the floor."""
    if len(sound) < 20 * HOP:
        return np.zeros(len(sound) // HOP, bool)
    power = (sound[:len(sound) // HOP * HOP].reshape(-1, HOP) ** 2).mean(1)
    level = 10 * np.log10(np.convolve(power, np.full(3, 1 / 3), "same") + 1e-10)
    loud, floor = np.percentile(level, (95, 3))
    is_active = level > max(loud - 35, min(floor + 8, loud - 20), -70)
    return drop_short(~drop_short(~is_active, 10), 3)


def runs(flags):
    """The beginning and the end of each run of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False]))
    return list(zip(edges[::2], edges[1::2]))


def drop_short(flags, least):
    kept = flags.copy()
    for begin, end in runs(flags):
        if end - begin < least and begin > 0 and end < len(flags):
            kept[begin:end] = False
    return kept


@functools.cache
def utterances(name, seed):
    """Sounds whose active parts have a power of 1, and their labels."""
    high_pass = butter(2, 70, "high", fs=RATE, output="sos")
    said = []
    for sound in recordings(name, seed):
        sound = sosfilt(high_pass, sound[:MOST_AT_ONCE * RATE])
        labels = find_active(sound)
        where = np.flatnonzero(labels)
        if len(where) < 15:
            continue
        first, last = max(where[0] - 5, 0), min(where[-1] + 6, len(labels))
        sound, labels = sound[first * HOP:last * HOP], labels[first:last]
        power = np.mean(sound[np.repeat(labels, HOP)] ** 2)
        said.append((np.float32(sound / np.sqrt(power)), labels))
    return said


def load(seed):
    """Reads all that is recorded, for processes that are forked then."""
    for name in MATERIAL:
        if name in CROWD or name in dict(TALKERS):
            utterances(name, seed)
        recordings(name, seed)


def pick(choices, rng):
    return choices[rng.integers(len(choices))]


def talk(seconds, seed, rng):
    """Utterances that differ by 6 dB, with pauses of 0.6 to 4 s, now and then up to 9 s."""
    n = seconds * 100
    sound, labels = np.zeros(n * HOP), np.zeros(n, bool)
    names, shares = zip(*TALKERS)
    at = rng.integers(100, 200)
    while True:
        said, active = pick(utterances(rng.choice(names, p=shares), seed), rng)
        if at + len(active) + 50 > n:
            return sound, labels
        sound[at * HOP:][:len(said)] = said * 10 ** (rng.uniform(-3, 3) / 20)
        labels[at:at + len(active)] = active
        pause = rng.uniform(60, 400) if rng.random() < 0.8 else rng.uniform(400, 900)
        at += len(active) + int(pause)


def find_segments(labels):
    """Pauses below 0.3 s are none."""
    whole = ~drop_short(~labels, 30)
    return [(begin / 100, end / 100) for begin, end in runs(whole) if end - begin >= 8]


# Noise


def coloured(slope, n, rng):
    """Power falls with frequency to the power of slope, above 20 Hz."""
    f = np.maximum(fft.rfftfreq(n, 1 / RATE), 1)
    shape = np.where(f > 20, f ** (-slope / 2), 0)
    return fft.irfft(shape * fft.rfft(rng.standard_normal(n)), n)


def unit(sound):
    return sound / np.sqrt(np.mean(sound**2))


def make_hum(n, _, rng):
    t = np.arange(LOOP_SECONDS * RATE) / RATE
    mains = (50, 60)[rng.integers(2)] * (1 + 0.001 * np.sin(2 * np.pi * 0.05 * t))
    turns = np.cumsum(mains) / RATE
    sound = sum(rng.uniform(0.2, 1) / k * np.sin(2 * np.pi * (k * turns + rng.uniform()))
                for k in range(1, 31))
    return np.resize(unit(sound), n) + 0.03 * unit(coloured(1, n, rng))


def make_car(n, _, rng):
    """Road noise, and an engine that changes its speed."""
    m = LOOP_SECONDS * RATE
    knots = np.linspace(0, m, 15)
    turns = np.cumsum(np.interp(np.arange(m), knots, rng.uniform(18, 55, len(knots)))) / RATE
    engine = sum(np.sin(2 * np.pi * (k * turns + rng.uniform())) / k for k in range(1, 9))
    engine = np.resize(unit(engine), n)
    return unit(coloured(2.2, n, rng)) + 0.3 * engine + 0.1 * unit(coloured(0.8, n, rng))


def make_key(rng):
    t = np.arange(RATE // 12) / RATE
    decay = np.exp(-t / rng.uniform(0.002, 0.006))
    rings = sum(np.sin(2 * np.pi * (rng.uniform(400, 6500) * t + rng.uniform())) for _ in range(3))
    return (rng.standard_normal(len(t)) + rings) * decay * rng.lognormal(0, 0.4)


def make_typing(n, _, rng):
    """Words of keys that go down and up, with pauses."""
    sound, at = np.zeros(n + RATE), 0.2
    while at * RATE < n:
        for _ in range(rng.integers(2, 12)):
            for late, level in ((0, 1), (rng.uniform(0.06, 0.12), 0.45)):
                key = level * make_key(rng)
                first = min(round((at + late) * RATE), n)
                sound[first:first + len(key)] += key[:len(sound) - first]
            at += 0.07 + rng.exponential(0.08)
        at += rng.exponential(0.5)
    return unit(sound[:n]) + 0.01 * unit(coloured(1, n, rng))


def join(name, n, seed, rng):
    """Recordings one after the other, each as loud."""
    parts, length = [], 0
    while length < n:
        part = pick(recordings(name, seed), rng)
        first = rng.integers(max(len(part) - MOST_AT_ONCE * RATE, 1))
        part = part[first:first + MOST_AT_ONCE * RATE]
        parts.append(part / (part.std() + 1e-3))
        length += len(part)
    return np.concatenate(parts)[:n] + 0.01 * unit(coloured(1, n, rng))


def make_babble(n, seed, rng):
    """Ten talkers at once, without pauses."""
    crowd = np.zeros(n)
    for _ in range(10):
        said, length = [], 0
        while length < n:
            one, _ = pick(utterances(pick(CROWD, rng), seed), rng)
            said += [one, np.zeros(int(rng.uniform(0.05, 0.3) * RATE))]
            length += len(said[-2]) + len(said[-1])
        crowd += rng.uniform(0.5, 1) * np.concatenate(said)[:n]
    return crowd


NOISES = {
    "white": lambda n, seed, rng: coloured(0, n, rng),
    "pink": lambda n, seed, rng: coloured(1, n, rng),
    "hum": make_hum,
    "car": make_car,
    "typing": make_typing,
    "music": functools.partial(join, "music"),
    "percussion": functools.partial(join, "beats"),
    "babble": make_babble,
}


def make_noise(kind, n, seed, rng):
    """At a power of 1."""
    low_pass = butter(6, 7200, fs=RATE, output="sos")
    return unit(sosfilt(low_pass, NOISES[kind](n, seed, rng)))


def level_course(n, rng):
    """Another level every 20 s, -60 to -22 dB, in steps of 1 s."""
    n_levels = n // (LEVEL_SECONDS * RATE) + 1
    knots = np.arange(n_levels)[:, None] * LEVEL_SECONDS * RATE + (0, (LEVEL_SECONDS - 1) * RATE)
    levels = np.repeat(rng.uniform(-60, -22, n_levels), 2)
    return 10 ** (np.interp(np.arange(n), knots.ravel(), levels) / 20)


# Scenes


def scene_names():
    """Kinds of noise with SNRs: see Scene."""
    return [("clean", np.inf), *((kind, snr) for kind in NOISES for snr in (*SNRS, None))]


def make_scene(kind, snr, seed):
    rng = np.random.default_rng([seed, zlib.crc32(f"{kind} {snr}".encode())])
    if snr is None:
        n = ALONE_SECONDS * RATE
        sound = make_noise(kind, n, seed, rng) * level_course(n, rng)
        labels = np.zeros(n // HOP, bool)
    else:
        level = 10 ** (rng.uniform(-32, -22) / 20)
        sound, labels = talk(CLEAN_SECONDS if kind == "clean" else SPEECH_SECONDS, seed, rng)
        sound *= level
        if kind != "clean":
            sound += level * 10 ** (-snr / 20) * make_noise(kind, len(sound), seed, rng)
    sound += 10 ** (-76 / 20) * unit(coloured(1, len(sound), rng))
    sound = resample_poly(np.float32(sound), sounds.RATE // RATE, 1)
    return Scene(kind, snr, sound * min(1, 0.98 / np.abs(sound).max()), labels,
                 find_segments(labels))
