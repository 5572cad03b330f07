# SPDX-License-Identifier: MIT
"""Rooms with two microphones whose clocks differ. README.md lists the scenes.

Time is that of microphone 1. Sounds begin MARGIN earlier and end MARGIN later, to cover the delay of
microphone 2.
"""

import dataclasses
import functools
import glob
import subprocess
import zlib

import numpy as np
from scipy import fft
from scipy.signal import butter, fftconvolve, sosfilt

RATE = 48000
SPEED = 343.0  # of sound, m/s
SECONDS = 60
MARGIN = 1  # second
HOP = RATE // 100  # frames between places and delays that are given
VOICES = "/usr/share/ktuberling/sounds/{}/*.ogg"  # package ktuberling-data
TAPS, PHASES = 64, 16384  # of the kernel that reads between frames
EARLY = RATE // 33  # frames of a room's response that move with a talker
TURN = 10  # seconds


@dataclasses.dataclass
class Scene:
    what: str
    delay: float = 0.0  # seconds, at the start
    ppm: float = 0.0  # by which clock 2 is fast
    ppm_per_minute: float = 0.0
    is_starting: bool = False  # a loop still adapts the rates when the scene begins
    voice: str = "lt"
    snr: float = 20.0  # dB, from 100 Hz to 8 kHz, at microphone 1; None: no speech at all
    diffuse: float = 0.5  # share of the noise that comes from everywhere
    reverb: float = 0.5  # seconds, to -60 dB
    talker: tuple = (1.9, 2.9, 1.2)  # metres
    mics: tuple = ((2.8, 2.2, 0.8), (3.6, 2.5, 0.8))
    other: tuple = None  # where a second talker takes turns
    walk: tuple = None  # where the talker goes to, and comes back from
    is_unrelated: bool = False  # another talker at microphone 2
    silence: tuple = None  # seconds, from and to
    dropout: tuple = None  # seconds, from and to, of microphone 2; its additional delay afterwards

    @property
    def has_delay(self):
        return self.snr is not None and not self.is_unrelated


SCENES = {
    "office": Scene("office, 300 ms, +100 ppm", 0.3, 100),
    "far": Scene("-730 ms, -300 ppm", -0.73, -300, voice="uk"),
    "loud": Scene("noise at 0 dB SNR", -0.25, -30, snr=0),
    "diffuse": Scene("diffuse noise at 10 dB SNR", 0.03, -5, voice="uk", snr=10, diffuse=1,
                     reverb=0.2, mics=((2.8, 2.2, 0.8), (3.1, 2.2, 0.8))),
    "close": Scene("close, own noises at 10 dB SNR", 0.07, -45, snr=10, diffuse=0, reverb=0.2,
                   talker=(2.4, 2.4, 1.1), mics=((2.7, 2.2, 0.8), (2.7, 2.7, 0.8))),
    "warming": Scene("drift grows by 1 ppm/min", 0.15, 20, ppm_per_minute=1, voice="ru"),
    "dropout": Scene("mic 2 away for 5 s", 0.2, 50, voice="uk", dropout=(25, 30, 0)),
    "jump": Scene("mic 2 away for 5 s, then 37 ms later", 0.08, -50, dropout=(25, 30, 0.037)),
    "turns": Scene("two talkers in turns", -0.1, -30, other=(4.4, 1.3, 1.2)),
    "walk": Scene("talker walks", 0.1, 30, voice="uk", reverb=0.3, walk=(4.0, 0.9, 1.2)),
    "silence": Scene("silence for 20 s", 0.05, 100, snr=10, silence=(25, 45)),
    "noise": Scene("noise only", 0.05, 30, snr=None, diffuse=0),
    "unrelated": Scene("unrelated talkers", 0.05, 30, is_unrelated=True, reverb=0.3),
    "near": Scene("near and far", 0.04, 15, voice="ru", mics=((2.2, 2.7, 1.1), (4.7, 1.4, 0.8))),
    "start": Scene("a stream starts", 0.021, is_starting=True, voice="uk", reverb=0.3),
}


@dataclasses.dataclass
class Sounds:
    """The sound at the microphones, its parts and the truth, at the time of microphone 1."""
    scene: Scene
    mics: list  # the microphones' sound, the second one's at its own clock
    speech: list
    noise: list
    dry: np.ndarray  # the speech at microphone 1 without a room
    delay: np.ndarray  # seconds, every HOP
    ppm: np.ndarray
    apart: np.ndarray  # seconds from microphone 1 to 2 that the speech takes, without the clocks
    is_active: np.ndarray  # does someone speak?


@functools.cache
def kernel():
    """Windowed sincs, a row for each fraction of a frame."""
    at = np.arange(TAPS) - TAPS // 2 + 1 - np.arange(PHASES + 1)[:, None] / PHASES
    window = np.i0(10 * np.sqrt(np.maximum(1 - (at / (TAPS // 2)) ** 2, 0))) / np.i0(10)
    return (np.sinc(at) * window).astype(np.float32)


def split(places):
    """Places in frames as whole ones and rows of the kernel."""
    frame = np.floor(places).astype(int)
    return frame, kernel()[np.rint((places - frame) * PHASES).astype(int)]


def read(sound, places):
    """The sound at places in frames; silence beyond its ends."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(np.float32(sound), TAPS), TAPS)
    out = np.empty(len(places), np.float32)
    for first in range(0, len(places), 8192):  # what fits the cache
        part = slice(first, first + 8192)
        frame, rows = split(np.clip(places[part], -TAPS // 2, len(sound) + TAPS // 2 - 2))
        out[part] = np.einsum("ij,ij->i", windows[frame + TAPS // 2 + 1], rows)
    return out


@functools.cache
def recording(voice):
    files = sorted(glob.glob(VOICES.format(voice)))
    if not files:
        raise SystemExit(f"{VOICES.format(voice)} is absent: apt install ktuberling-data")
    sox = ["sox", "-V1", *files, "-t", "f32", "-r", str(RATE), "-c", "1", "-", "gain", "-3",
           "highpass", "60", "silence", "-l", "1", "0.05", "1%", "-1", "0.3", "1%"]
    return np.frombuffer(subprocess.run(sox, check=True, stdout=subprocess.PIPE).stdout, np.float32)


def speak(voice, n, rng):
    """Phrases of a voice, with pauses."""
    said = recording(voice)
    speech = np.zeros(n)
    at = RATE // 2
    while at < n:
        length = int(rng.uniform(1.5, 4) * RATE)
        first = rng.integers(len(said) - length)
        ramp = np.minimum(np.arange(length) / HOP, 1)
        speech[at:at + length] = (said[first:first + length] * ramp * ramp[::-1])[:n - at]
        at += length + int(rng.uniform(0.4, 1.6) * RATE)
    return speech


def find_active(dry):
    """Where the power over 100 ms is not far below that of loud speech, every HOP."""
    power = np.convolve((dry.reshape(-1, HOP) ** 2).mean(1), np.full(10, 0.1), "same")
    return power > np.percentile(power, 95) / 300


def in_band(sound):
    """From 100 Hz to 8 kHz."""
    return sosfilt(butter(4, [100, 8000], "band", fs=RATE, output="sos"), sound)


def make_noise(scene, n, rng):
    """Pink noise for each microphone: diffuse noise and its own, by Scene.diffuse."""
    f = fft.rfftfreq(n, 1 / RATE)
    pink = np.where(f > 60, 1 / np.sqrt(np.maximum(f, 60)), 0)
    one, two, *own = (pink * fft.rfft(rng.standard_normal(n)) for _ in range(4))
    alike = np.sinc(2 * f * np.linalg.norm(np.subtract(*scene.mics)) / SPEED)
    fields = one, alike * one + np.sqrt(1 - alike**2) * two
    noise = [fft.irfft(np.sqrt(scene.diffuse) * field + np.sqrt(1 - scene.diffuse) * mine, n)
             for field, mine in zip(fields, own)]
    return [sound / in_band(sound).std() for sound in noise]


class Room:
    """A shoebox, by image sources, at one microphone."""
    size = np.array([5.6, 4.4, 2.6])  # metres

    def __init__(self, scene, mic, seed):
        self.mic, self.seed = scene.mics[mic], [*seed, mic]
        self.length = int(0.9 * scene.reverb * RATE)
        mean_path = 2 * self.size.prod() / (self.size * np.roll(self.size, 1)).sum()
        # Eyring's formula but for 1.5: a bare box decays that much more slowly.
        self.reflection = np.exp(-1.5 * np.log(1e6) * mean_path / SPEED / scene.reverb / 2)
        self.images = {n: self.place_images(n) for n in (EARLY, self.length)}

    def place_images(self, n):
        """The signs and offsets of the images that may be heard within n frames, the number of
        their reflections, and by how many metres they are off."""
        count = np.ceil(SPEED * n / RATE / (2 * self.size)).astype(int)
        cells = np.indices(2 * count + 1).reshape(3, -1).T - count
        sides = np.indices((2, 2, 2)).reshape(3, -1).T
        cells, sides = (axis.reshape(-1, 3) for axis in np.broadcast_arrays(cells[:, None], sides))
        order = (np.abs(cells - sides) + np.abs(cells)).sum(1)
        # Without this, as if walls were bare and even, images come in sweeps.
        off = np.random.default_rng(self.seed).uniform(-0.04, 0.04, len(order)) * (order > 0)
        return 1 - 2 * sides, 2 * cells * self.size, order, off

    def response(self, talker, n):
        """The impulse response of n frames."""
        sign, offset, order, off = self.images[n]
        distance = np.linalg.norm(sign * talker + offset - self.mic, axis=1) + off
        is_heard = distance < (n - TAPS) * SPEED / RATE
        distance, order = distance[is_heard], order[is_heard]
        frame, taps = split(distance / SPEED * RATE)
        taps = taps * (self.reflection**order / distance)[:, None]
        late = frame[:, None] + np.arange(TAPS) + 1  # by TAPS // 2 more, for none to be below 0
        return np.bincount(late.ravel(), taps.ravel(), n)[TAPS // 2:]

    def hear(self, dry, talker):
        return fftconvolve(dry, self.response(talker, self.length))[:len(dry)]

    def follow(self, dry, talkers):
        """As hear(), of a talker with a position per HOP. Late reverberation does not move."""
        response = self.response(talkers[0], self.length)
        response[:EARLY - TAPS // 2] = 0
        heard = np.pad(fftconvolve(dry, response)[:len(dry)], (HOP, EARLY + 2 * HOP))
        padded = np.pad(dry, (HOP, 2 * HOP))
        window = np.bartlett(2 * HOP + 1)[:-1]
        before = None
        for i, talker in enumerate(talkers):
            if before is None or (talker != before).any():
                before, response = talker, self.response(talker, EARLY)
            part = fftconvolve(padded[i * HOP:][:2 * HOP] * window, response)
            heard[i * HOP:][:len(part)] += part
        return heard[HOP:HOP + len(dry)]


def clock_2(scene, time, rng):
    """The rate of clock 2 in ppm, and its lead in seconds."""
    ppm = scene.ppm + scene.ppm_per_minute * time / 60
    if scene.is_starting:
        ppm = ppm + 150 * np.exp(-time / 4) * np.cos(2 * np.pi * time / 9)
        for period in (20, 31, 47):  # seconds, in which the loop wanders
            ppm += 1.6 * np.sin(2 * np.pi * (time / period + rng.uniform()))
    ahead = np.cumsum(ppm) * 1e-6 / RATE
    ahead += scene.delay - ahead[MARGIN * RATE]
    if scene.dropout:
        begin, end, later = scene.dropout
        ahead += later * (time > (begin + end) / 2)
    return ppm, ahead


def lateness(scene, place):
    """Seconds to microphone 1, and seconds from there to microphone 2, at every HOP."""
    first, second = (np.linalg.norm(place - np.array(mic), axis=-1) / SPEED for mic in scene.mics)
    return np.array([first, second - first])


def talk(scene, time, seed, rng):
    """Speech for each microphone, dry speech, and its lateness()."""
    rooms = [Room(scene, mic, seed) for mic in (0, 1)]
    dry = speak(scene.voice, len(time), rng)
    if scene.silence:
        dry[(time > scene.silence[0]) & (time < scene.silence[1])] = 0
    way = np.interp(time[::HOP], [20, 25.5, 40, 42.8], [0, 1, 1, 0])[:, None]
    places = scene.talker + way * np.subtract(scene.walk or scene.talker, scene.talker)
    late = lateness(scene, places)
    if scene.walk:
        return [room.follow(dry, places) for room in rooms], dry, late
    if scene.other:
        is_other = (time // TURN) % 2 == 1
        share = np.convolve(is_other, np.full(HOP, 1 / HOP), "same")
        other = speak("uk", len(time), rng) * share
        dry = dry * (1 - share)
        speech = [room.hear(dry, scene.talker) + room.hear(other, scene.other) for room in rooms]
        other_late = lateness(scene, np.array(scene.other))[:, None]
        return speech, dry + other, np.where(is_other[::HOP], other_late, late)
    second = speak("uk", len(time), rng) if scene.is_unrelated else dry
    return [room.hear(said, scene.talker) for room, said in zip(rooms, (dry, second))], dry, late


def make(name, seed):
    scene, seed = SCENES[name], [seed, zlib.crc32(name.encode())]
    rng = np.random.default_rng(seed)
    time = np.arange(-MARGIN * RATE, (SECONDS + MARGIN) * RATE) / RATE
    speech, dry, late = talk(scene, time, seed, rng)
    is_active = find_active(dry)
    active = np.repeat(is_active, HOP)
    level = 0.05 / speech[0][active].std()  # of full scale
    if scene.snr is None:
        level, is_active = 0, is_active & False
    speech = [level * sound for sound in speech]
    loudness = in_band(speech[0])[active].std() / 10 ** (scene.snr / 20) if level else 0.001
    noise = [loudness * sound for sound in make_noise(scene, len(time), rng)]

    ppm, ahead = clock_2(scene, time, rng)
    heard = np.interp(np.arange(SECONDS * RATE) / RATE, time + ahead, time)
    mic_2 = read(speech[1] + noise[1], (heard + MARGIN) * RATE)
    if scene.dropout:
        mic_2[scene.dropout[0] * RATE:scene.dropout[1] * RATE] = 0
    dry = read(dry, np.arange(len(dry)) - np.repeat(late[0], HOP) * RATE)
    shown = slice(MARGIN * RATE, (MARGIN + SECONDS) * RATE)
    hops = slice(MARGIN * RATE // HOP, (MARGIN + SECONDS) * RATE // HOP)
    return Sounds(scene, [np.float32(speech[0] + noise[0])[shown], mic_2],
                  [sound[shown] for sound in speech], [sound[shown] for sound in noise], dry[shown],
                  ahead[::HOP][hops] + late[1][hops], ppm[::HOP][hops], late[1][hops],
                  is_active[hops])
