# SPDX-License-Identifier: MIT
"""Streams of speech in generated rooms, noise and microphones, with what is right per 10 ms."""
import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from material import HOP, RATE

SECONDS = 30
N = SECONDS * RATE
HOPS = N // HOP


def gain(db):
    return 10 ** (db / 20)


def normal(sound):
    return (sound / (np.sqrt(np.mean(sound ** 2)) + 1e-9)).astype(np.float32)


# Noise of power 1.

def slope_noise(rng, n, slope):
    spectrum = np.fft.rfft(rng.standard_normal(n))
    k = np.arange(len(spectrum))
    k[0] = 1
    spectrum *= k ** (-slope / 2.0)
    spectrum[:int(20 * n / RATE)] = 0
    return normal(np.fft.irfft(spectrum, n))


def steady(rng, _, n):
    """Of any slope, and of a random spectrum by octaves half of the time."""
    sound = slope_noise(rng, n, rng.choice([0, 1, 1, 2, rng.uniform(-.5, 2.5)]))
    if rng.random() < .5:
        for _ in range(int(rng.integers(1, 4))):
            sound = peak(sound, np.exp(rng.uniform(np.log(80), np.log(7000))),
                         rng.uniform(-12, 15), rng.uniform(.5, 6))
    if rng.random() < .3:
        sound = sound * swell(rng, n, rng.uniform(.1, 2), rng.uniform(1, 8))
    return normal(sound)


def swell(rng, n, per_second, db):
    knots = rng.standard_normal(int(n / RATE * per_second) + 3) * db
    return gain(np.interp(np.arange(n), np.linspace(0, n, len(knots)), knots))


def drone(rng, _, n):
    """Mains, fans and motors: harmonics that stay."""
    t = np.arange(n) / RATE
    hz = rng.choice([rng.uniform(58, 62), rng.uniform(97, 125), rng.uniform(25, 400)])
    wobble = np.cumsum(np.sin(2 * np.pi * rng.uniform(.1, 2) * t)) * rng.choice([0, rng.uniform(0, .5)])
    phase = 2 * np.pi * (hz * t + wobble / RATE)
    fall = rng.uniform(.3, 1.5)
    sound = np.zeros(n)
    for k in range(1, int(min(24, 7000 / hz)) + 1):
        sound += rng.uniform(.1, 1) / k ** fall * np.sin(k * phase + rng.uniform(0, 7))
    sound *= 1 + rng.uniform(0, .3) * np.sin(2 * np.pi * rng.uniform(.2, 3) * t)
    return normal(normal(sound) + gain(rng.uniform(-35, -5)) * slope_noise(rng, n, 1))


def engine(rng, _, n):
    """A car or a train: rumble, harmonics whose speed wanders, tyres."""
    t = np.arange(n) / RATE
    knots = rng.uniform(15, 60) + np.cumsum(rng.standard_normal(n // RATE + 3)) * rng.uniform(.3, 2)
    phase = 2 * np.pi * np.cumsum(np.interp(t, np.arange(len(knots)), np.clip(knots, 12, 90))) / RATE
    sound = rng.uniform(1, 3) * slope_noise(rng, n, rng.uniform(1.8, 2.6))
    sound += rng.uniform(.2, 1.2) * sum(np.sin(k * phase + rng.uniform(0, 7)) / k
                                        for k in range(1, int(rng.integers(4, 16))))
    return normal(sound + rng.uniform(.03, .4) * slope_noise(rng, n, rng.uniform(.5, 1.2)))


def struck(rng, n, fall_ms, tones, low=300):
    """Something that was hit: resonances that are excited by a short noise."""
    t = np.arange(n) / RATE
    fall = np.exp(-t / (1e-3 * fall_ms))
    sound = rng.uniform(.3, 2) * rng.standard_normal(n)
    for _ in range(tones):
        hz = np.exp(rng.uniform(np.log(low), np.log(7000)))
        sound += rng.uniform(.5, 2) * np.sin(2 * np.pi * hz * t + rng.uniform(0, 7))
    return sound * fall


def typing(rng, _, n):
    """Words of keys, each pressed and released, with pauses."""
    sound = np.zeros(n + RATE)
    per_second, fall_ms = rng.uniform(3, 12), rng.uniform(1.5, 8)
    tones = int(rng.integers(2, 6))
    at = rng.uniform(0, 1)
    while at * RATE < n:
        for _ in range(int(rng.integers(1, 14))):
            loud = rng.lognormal(0, .45)
            for later, part in ((0, 1), (rng.uniform(.05, .14), rng.uniform(.2, .7))):
                begin = int((at + later) * RATE)
                key = struck(rng, 1000, fall_ms * rng.uniform(.6, 1.5), tones)
                sound[begin:begin + 1000] += loud * part * key[:max(0, len(sound) - begin)]
            at += .06 + rng.exponential(.6 / per_second)
            if at * RATE >= n:
                break
        at += rng.exponential(rng.choice([.2, .6, 2]))
    return normal(normal(sound[:n]) + gain(rng.uniform(-55, -20)) * slope_noise(rng, n, 1))


def impacts(rng, _, n):
    """Doors, dishes, steps, knocks, mouse clicks: rare and different."""
    sound = np.zeros(n + RATE)
    mean_gap = np.exp(rng.uniform(np.log(.15), np.log(3)))
    at = 0.0
    while at * RATE < n:
        loud = rng.lognormal(0, .7)
        fall_ms = np.exp(rng.uniform(np.log(1), np.log(120)))
        again = int(rng.integers(1, 5)) if rng.random() < .4 else 1
        gap = rng.uniform(.08, .3)
        for i in range(again):
            begin = int((at + i * gap) * RATE)
            length = min(int(fall_ms * .006 * RATE) + 100, RATE // 2)
            hit = struck(rng, length, fall_ms, int(rng.integers(0, 6)), low=60)
            sound[begin:begin + length] += loud * hit[:max(0, len(sound) - begin)]
        at += rng.exponential(mean_gap) + .03
    return normal(normal(sound[:n]) + gain(rng.uniform(-50, -15)) * slope_noise(rng, n, 1))


def signals(rng, _, n):
    """Rings, alarms, beeps, sirens, simple melodies."""
    sound = np.zeros(n)
    at = 0
    style = rng.integers(4)
    base = np.exp(rng.uniform(np.log(150), np.log(2500)))
    while at < n:
        length = int(rng.uniform(.05, 1.2) * RATE)
        t = np.arange(min(length, n - at)) / RATE
        hz = base * (2 ** (rng.integers(-12, 13) / 12) if style else 1)
        if style == 2:
            hz = hz * (1 + .3 * np.sin(2 * np.pi * rng.uniform(.5, 6) * t))
        phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, t.shape)) / RATE
        tone = sum(rng.uniform(0, 1) / k * np.sin(k * phase) for k in range(1, int(rng.integers(2, 12))))
        fade = np.minimum(1, np.minimum(np.arange(len(t)), np.arange(len(t))[::-1]) / 80)
        fall = np.exp(-t * rng.choice([0, rng.uniform(1, 12)]))
        sound[at:at + len(t)] += tone * fade * fall
        at += int(length * rng.uniform(.5, 1.1)) + int(rng.choice([0, rng.exponential(.4)]) * RATE)
    return normal(normal(sound) + gain(rng.uniform(-50, -15)) * slope_noise(rng, n, 1))


def joined(rng, sounds, n, least_gap=0.0, most_gap=0.0):
    """Files one after the other, from any place in the long ones."""
    out = np.zeros(n, np.float32)
    at = 0
    while at < n:
        sound = sounds[int(rng.integers(len(sounds)))]
        if len(sound) > n:
            begin = int(rng.integers(0, len(sound) - n // 2))
            sound = normal(sound[begin:begin + n])
        if rng.random() < .3:
            sound = stretch(sound, rng.uniform(.8, 1.25))
        part = sound[:n - at]
        out[at:at + len(part)] = part
        at += len(sound) + int(rng.uniform(least_gap, most_gap) * RATE)
    return normal(out)


def music(rng, material, n):
    return joined(rng, material.sounds['music'], n)


def drums(rng, material, n):
    sound = joined(rng, material.sounds['drums'], n, 0, rng.choice([0, 0, .5]))
    return normal(sound + gain(rng.uniform(-50, -30)) * slope_noise(rng, n, 1))


def games(rng, material, n):
    sound = joined(rng, material.sounds['game'], n, 0, 1)
    return normal(sound + gain(rng.uniform(-50, -25)) * slope_noise(rng, n, 1))


def babble(rng, material, n):
    talkers = int(rng.integers(6, 15))
    sound = sum(talk(rng, material, n) * rng.uniform(.4, 1) for _ in range(talkers))
    if rng.random() < .4:
        sound = fftconvolve(sound, room(rng, far=True))[:n]
    return normal(sound)


def talk(rng, material, n):
    """One voice of the crowd, from one pool."""
    out = np.zeros(n, np.float32)
    pool = material.pool(rng)
    at = -int(rng.uniform(0, 3) * RATE)
    while at < n:
        sound, _ = pool[int(rng.integers(len(pool)))]
        begin = max(0, at)
        part = sound[begin - at:][:n - begin]
        out[begin:begin + len(part)] += part
        at += len(sound) + int(rng.uniform(.05, .3) * RATE)
    return out


NOISES = [(steady, .16), (babble, .16), (music, .19), (typing, .09), (drone, .08), (engine, .08),
          (drums, .13), (impacts, .06), (signals, .04), (games, .03)]


def noise(rng, material, n):
    kinds, shares = zip(*NOISES)
    sound = kinds[rng.choice(len(kinds), p=np.array(shares) / sum(shares))](rng, material, n)
    if rng.random() < .12:
        other = kinds[rng.choice(len(kinds), p=np.array(shares) / sum(shares))](rng, material, n)
        sound = normal(sound + gain(rng.uniform(-15, 0)) * other)
    return sound


# Rooms.

def room(rng, far=False):
    """Reflections and a tail of exponential noise that loses its treble first; [0] is direct."""
    rt60 = rng.uniform(.15, 1.0)
    n = int(min(rt60, .7) * RATE)
    t = np.arange(n) / RATE
    tail = rng.standard_normal(n) * 10 ** (-3 * t / rt60)
    duller = rng.standard_normal(n) * 10 ** (-3 * t / (.5 * rt60))
    tail = lfilter([1 - .6], [1, -.6], tail) + .4 * duller
    tail[:int(rng.uniform(.002, .02) * RATE)] = 0
    for _ in range(int(rng.integers(3, 12))):
        tail[int(rng.uniform(.001, .04) * RATE)] += rng.uniform(-1, 1) * np.abs(tail).max()
    drr = rng.uniform(-8, 2) if far else rng.uniform(-4, 18)
    tail *= gain(-drr) / np.sqrt(np.sum(tail ** 2))
    tail[0] = 1
    return tail


# Microphones and what is behind them.

def peak(sound, hz, db, q):
    """An equaliser's band (R. Bristow-Johnson's cookbook)."""
    a, w = 10 ** (db / 40), 2 * np.pi * hz / RATE
    alpha, c = np.sin(w) / (2 * q), np.cos(w)
    b0 = 1 + alpha / a
    return lfilter(np.array([1 + alpha * a, -2 * c, 1 - alpha * a]) / b0,
                   [1, -2 * c / b0, (1 - alpha / a) / b0], sound)


def automatic_gain(sound, rng):
    """Gain that follows the level, as in headsets and conferences."""
    hops = sound[:len(sound) // HOP * HOP].reshape(-1, HOP)
    level = 10 * np.log10(np.mean(hops ** 2, 1) + 1e-9)
    target, most = rng.uniform(-30, -15), rng.uniform(10, 35)
    attack, release = rng.uniform(.05, .5), rng.uniform(.001, .02)
    db, now = np.zeros(len(level)), 0.0
    for i, l in enumerate(level):
        wanted = np.clip(target - l, -20, most)
        now += (attack if wanted < now else release) * (wanted - now)
        db[i] = now
    return sound * gain(np.interp(np.arange(len(sound)), np.arange(len(db)) * HOP, db))


def gate(sound, rng):
    """What noise suppressors leave: less, or nothing, where it is quiet."""
    hops = sound[:len(sound) // HOP * HOP].reshape(-1, HOP)
    level = 10 * np.log10(np.mean(hops ** 2, 1) + 1e-9)
    limit = np.percentile(level, 95) - rng.uniform(15, 30)
    loud = np.convolve(level > limit, np.ones(15))[:len(level)] > 0
    open_ = np.where(loud, 1.0, rng.choice([0, gain(rng.uniform(-30, -6))]))
    open_ = lfilter([.4], [1, -.6], open_)
    return sound * np.interp(np.arange(len(sound)), np.arange(len(open_)) * HOP, open_)


def companded(sound, rng):
    """Through a telephone's 8 bits, or fewer."""
    mu, steps = 255.0, rng.choice([127, 63, 31])
    loud = np.clip(sound, -1, 1)
    packed = np.sign(loud) * np.log1p(mu * np.abs(loud)) / np.log1p(mu)
    packed = np.round(packed * steps) / steps
    return np.sign(packed) * np.expm1(np.abs(packed) * np.log1p(mu)) / mu


def low_bitrate(sound, rng):
    """Like a transform coder that is short of bits: weak bins of each 20 ms are lost."""
    n, step = 640, 320
    window = np.sin(np.pi * (np.arange(n) + .5) / n)
    padded = np.concatenate([np.zeros(step), sound, np.zeros(n)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, n)[::step] * window
    bins = np.fft.rfft(frames)
    size = np.abs(bins)
    keep = np.quantile(size, rng.uniform(.5, .85), axis=1, keepdims=True)
    frames = np.fft.irfft(bins * (size > keep), n) * window
    out = np.zeros(step * (len(frames) + 1))
    for half in range(2):
        out[half * step:half * step + step * len(frames)] += \
            frames[:, half * step:(half + 1) * step].ravel()
    return out[step:step + len(sound)]


def cut(sound, hz):
    """As if it had been sampled at twice that."""
    spectrum = np.fft.rfft(sound)
    spectrum[int(hz * len(sound) / RATE):] = 0
    return np.fft.irfft(spectrum, len(sound))


def microphone(sound, rng):
    sound = np.asarray(sound, np.float64)
    if rng.random() < .5:
        for _ in range(int(rng.integers(1, 4))):
            sound = peak(sound, np.exp(rng.uniform(np.log(100), np.log(6500))),
                         rng.uniform(-10, 8), rng.uniform(.4, 3))
    if rng.random() < .5:
        top = rng.choice([3400, 3400, 3800, rng.uniform(3000, 7500)])
        sound = sosfilt(butter(int(rng.integers(2, 9)), top, fs=RATE, output='sos'), sound)
    if rng.random() < .4:
        low = rng.choice([300, rng.uniform(60, 350)])
        sound = sosfilt(butter(int(rng.integers(1, 5)), low, 'hp', fs=RATE, output='sos'), sound)
    if rng.random() < .5:
        sound = sound + gain(rng.uniform(-85, -50)) * slope_noise(rng, len(sound), rng.uniform(0, 1))
    if rng.random() < .15:
        sound = sound + gain(rng.uniform(-75, -45)) * drone(rng, None, len(sound))
    if rng.random() < .25:
        sound = automatic_gain(sound, rng)
    if rng.random() < .2:
        loud = np.percentile(np.abs(sound), rng.uniform(97, 99.95)) + 1e-9
        sound = np.clip(sound, -loud, loud) if rng.random() < .6 else loud * np.tanh(sound / loud)
    if rng.random() < .12:
        sound = companded(sound * .5 / (np.abs(sound).max() + 1e-9), rng) * np.abs(sound).max() * 2
    if rng.random() < .12:
        sound = low_bitrate(sound, rng)
    if rng.random() < .12:
        sound = gate(sound, rng)
    if rng.random() < .15:
        sound = cut(sound, rng.uniform(3400, 4000))
    return sound


# Streams.

def stretch(sound, by):
    return np.interp(np.arange(0, len(sound) - 1, by), np.arange(len(sound)), sound)


def speech(rng, material, in_room):
    """Utterances with gaps: (sound, active hops, hops that count)."""
    sound, active = np.zeros(N, np.float32), np.zeros(HOPS, bool)
    at = int(rng.uniform(0, 300)) - 50
    wet = room(rng) if in_room else None
    one = material.pool(rng) if rng.random() < .6 else None
    by = rng.uniform(.84, 1.2)
    while at < HOPS:
        pool = one or material.pool(rng)
        part, on = pool[int(rng.integers(len(pool)))]
        by = by if one else rng.uniform(.84, 1.2)
        part = stretch(part, by)[:(HOPS - max(at, 0)) * HOP]
        part = part[:len(part) // HOP * HOP]
        on = on[np.minimum((np.arange(len(part) // HOP) * by).astype(int), len(on) - 1)]
        skip = max(0, -at)
        part, on = part[skip * HOP:], on[skip:]
        begin = max(0, at)
        sound[begin * HOP:begin * HOP + len(part)] += gain(rng.uniform(-4, 4)) * part
        active[begin:begin + len(on)] |= on
        gap = rng.uniform(10, 60) if rng.random() < .15 else \
            rng.uniform(60, 400) if rng.random() < .8 else rng.uniform(400, 1200)
        at += skip + len(on) + int(gap)
    counts = np.ones(HOPS, np.float32)
    if wet is not None:
        sound = fftconvolve(sound, wet)[:N].astype(np.float32)
        after = np.convolve(active, np.ones(16))[:HOPS] > 0
        counts[after & ~active] = .2
    return sound, active, counts


def stairs(rng):
    """Levels that last for some seconds each, of noise alone, in dBFS."""
    n = int(rng.integers(2, 8))
    knots = np.sort(rng.uniform(0, N, n))
    db = np.repeat(rng.uniform(-62, -18, n + 1), 2)
    at = np.concatenate([[0], np.repeat(knots, 2) + np.tile([0, rng.uniform(.005, 1) * RATE], n),
                         [N]])
    return gain(np.interp(np.arange(N), np.maximum.accumulate(at), db))


class Material:
    def __init__(self, pools, sounds):
        self.pools = [p for _, _, p in pools]
        shares = np.array([s for _, s, _ in pools])
        self.shares = shares / shares.sum()
        self.sounds = sounds

    def pool(self, rng):
        return self.pools[rng.choice(len(self.pools), p=self.shares)]


def stream(rng, material):
    """(sound, active hops, weight of hops)"""
    plain = rng.random() < .45
    if rng.random() < .33:
        sound = noise(rng, material, N) * stairs(rng)
        sound = sound + gain(rng.uniform(-95, -65)) * slope_noise(rng, N, 1)
        active, counts = np.zeros(HOPS, bool), np.ones(HOPS, np.float32)
    else:
        voice, active, counts = speech(rng, material, not plain and rng.random() < .75)
        level = gain(rng.uniform(-34, -20) if plain else rng.uniform(-52, -14))
        floor = gain(rng.uniform(-90, -65)) * slope_noise(rng, N, 1)
        sound = voice * level + floor
        if rng.random() < .88:
            snr = rng.choice([rng.uniform(-3, 12), rng.uniform(5, 30)])
            some = noise(rng, material, N) * level * gain(-snr)
            if rng.random() < .15:
                some = some * swell(rng, N, rng.uniform(.1, 1), 6)
            sound = sound + some
    if not plain:
        sound = microphone(sound, rng)
        if rng.random() < .1:
            begin = int(rng.uniform(0, N))
            end = begin + int(rng.uniform(.2, 5) * RATE)
            sound[begin:end] = 0
            active[begin // HOP:end // HOP] = False
    loudest = np.abs(sound).max()
    if loudest > .98:
        sound = sound * (.98 / loudest)
    return sound.astype(np.float32), active, counts
