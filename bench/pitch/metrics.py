# SPDX-License-Identifier: MIT
"""The metrics of README.md, from the output of a shifter. Delays are in frames."""

import numpy as np
from scipy.optimize import least_squares
from scipy.signal import butter, sosfiltfilt

from signals import (ATTACKS, BANDWIDTHS, CLUSTER, HIGHEST, LEAD, RATE, TONES, TONES_LEVEL,
                     TONES_PHASE, VIBRATO_PARTIALS, VOWELS, glottis, resonance, vibrato_cycles)

MS = RATE // 1000


def db(power):
    return 10 * np.log10(power)


def moving_mean(x, k):
    total = np.cumsum(np.r_[0, x])
    return np.r_[np.zeros(k // 2), (total[k:] - total[:-k]) / k, np.zeros(k - 1 - k // 2)]


def high_power(y, span, above=700):
    """The power above a frequency in Hz, averaged over a span of frames."""
    high = sosfiltfilt(butter(2, above / (RATE / 2), "high", output="sos"), y, axis=0)
    return moving_mean((high**2).sum(1), span)


def delay(reference, out, low=0, high=24000, above=700):
    """The delay at which the envelopes of 5 ms match best."""
    a, b = (np.sqrt(high_power(y, 5 * MS, above)) for y in (reference, out))
    n = 1 << int(np.ceil(np.log2(len(a) + len(b))))
    match = np.fft.irfft(np.fft.rfft(b - b.mean(), n) * np.conj(np.fft.rfft(a - a.mean(), n)), n)
    low = max(low, 0)
    return low + int(np.argmax(match[low:high]))


def fit_steady(y, freqs, span, hop, begin, end):
    """Least squares of partials: complex amplitudes (frames, partials), and SINAD in dB."""
    n = int(span * RATE)
    u = np.arange(n) / RATE
    window = np.hanning(n)
    angle = 2 * np.pi * np.outer(u, freqs)
    partials = np.concatenate([np.cos(angle), np.sin(angle)], 1) * window[:, None]
    base, triangle = np.linalg.qr(partials)
    starts = np.arange(int(begin * RATE), int(end * RATE) - n, int(hop * RATE))
    frames = np.stack([y[s:s + n] * window for s in starts], 1)
    seen = base.T @ frames
    weights = np.linalg.solve(triangle, seen)
    k = len(freqs)
    amplitude = (weights[:k] - 1j * weights[k:]).T
    amplitude = amplitude * np.exp(-2j * np.pi * np.outer(starts / RATE, freqs))
    power = (frames**2).sum(0)
    rest = ((frames - base @ seen) ** 2).sum(0) + 1e-14
    return amplitude, db(np.maximum(power - rest, 1e-14).mean() / rest.mean())


def pitch_factor(y, r, begin, end):
    """The factor by which partials from 390 Hz to 2 kHz are off their ideal frequencies."""
    factor = 1.0
    middle = (TONES > 390) & (TONES < 2000)
    for _ in range(3):
        f = TONES[TONES * r < HIGHEST]
        amplitude, _ = fit_steady(y, f * r * factor, 0.1, 0.01, begin, end)
        amplitude = amplitude[:, middle[:len(f)]]
        turn = np.angle((amplitude[1:] * np.conj(amplitude[:-1])).sum(0)) / (2 * np.pi * 0.01)
        step = np.median(turn / (TONES[middle] * r))
        factor += step
        if abs(step) < 1e-7:
            break
    return factor


def measure_tones(out, r, late):
    """Returns the metrics, and the factor by which the pitch is off."""
    begin, end = LEAD + 0.5 + late / RATE, LEAD + 4.5 + late / RATE
    f = TONES[TONES * r < HIGHEST]
    n = len(f)
    factor = pitch_factor(out[:, 0] + 0.3 * out[:, 1], r, begin, end)
    sinad = [fit_steady(out[:, c], f * r * factor, 0.2, 0.05, begin, end)[1] for c in (0, 1)]
    left, right = (fit_steady(out[:, c], f * r * factor, 0.1, 0.02, begin, end)[0] for c in (0, 1))

    power = np.abs(left) ** 2 + np.abs(right) ** 2
    ideal = (0.06 * (f / 200.0) ** -0.5) ** 2 * 2 * np.cosh(TONES_LEVEL[:n] / 20 * np.log(10))
    phase = np.angle(left * np.conj(right) * np.exp(1j * TONES_PHASE[:n]))
    apart = 2 * db((np.abs(left) + 1e-6) / (np.abs(right) + 1e-6)) - TONES_LEVEL[:n]
    return {
        "tone_sinad": float(np.mean(sinad)),
        "tone_am_db": float(np.std(db(power + 1e-12), axis=0).mean()),
        "ipd_err_deg": float(np.rad2deg(np.sqrt((phase**2).mean()))),
        "ild_err_db": float(np.sqrt((apart**2).mean())),
        "level_err_db": float(np.abs(db(power.mean(0) / ideal)).mean()),
        "pitch_err_cents": float(abs(1200 * np.log2(factor))),
    }, factor


def measure_cluster(out, r, late, factor):
    begin, end = LEAD + 0.4 + late / RATE, LEAD + 5.1 + late / RATE
    _, sinad = fit_steady(out[:, 0], CLUSTER * r * factor, 0.2, 0.05, begin, end)
    return {"cluster_sinad": float(sinad)}


def vibrato_sinad(y, r, late, starts, cycles):
    """SINAD of the harmonics, whose common phase is known, in frames of 50 ms."""
    n = RATE // 20
    window = np.hanning(n)
    kept = lost = 0.0
    for s in starts:
        at = int(s + LEAD * RATE + late)
        if at < 0 or at + n > len(y):
            continue
        f0 = (cycles[s + n] - cycles[s]) / n * RATE
        k = min(VIBRATO_PARTIALS, int(HIGHEST / (r * f0)))
        first = np.exp(2j * np.pi * r * (cycles[s:s + n] - cycles[s]))
        harmonics = np.cumprod(np.repeat(first[None], k, 0), 0) * window
        base = np.concatenate([harmonics.real, harmonics.imag]).T
        frame = y[at:at + n] * window
        weights = np.linalg.solve(base.T @ base + 1e-9 * np.eye(2 * k), base.T @ frame)
        rest = ((frame - base @ weights) ** 2).sum()
        lost += rest
        kept += (frame**2).sum() - rest
    return db(max(kept, 1e-12) / (lost + 1e-12))


def measure_vibrato(out, r, late, factor):
    y, ratio = out[:, 0], r * factor
    cycles = vibrato_cycles(np.arange(int(5.5 * RATE)) / RATE)
    step = RATE // 20
    starts = np.r_[np.arange(RATE // 5, int(2.85 * RATE), step),
                   np.arange(int(3.1 * RATE), int(5.3 * RATE), step)]
    for width, hop in ((1440, 240), (180, 60)):  # the delay that fits best
        tries = late + np.arange(-width, width + 1, hop)
        late = max(tries, key=lambda d: vibrato_sinad(y, ratio, d, starts[::9], cycles))
    return {"vibrato_sinad": float(vibrato_sinad(y, ratio, late, starts[::2], cycles))}


def measure_attacks(out, reference, late):
    """Each attack is first aligned by itself, within 25 ms."""
    power, ideal = high_power(out, MS), high_power(reference, MS)
    off, before, peak = [], [], []

    def early(envelope, at):
        around = envelope[at - 3 * MS:at + 40 * MS].sum() + 1e-12
        return (envelope[at - 40 * MS:at - 3 * MS].sum() + 1e-12) / around

    for t in ATTACKS:
        i = int(t * RATE)
        shape = np.sqrt(ideal[i - 30 * MS:i + 60 * MS])
        region = np.sqrt(power[i + late - 60 * MS:i + late + 90 * MS])
        if len(region) < 150 * MS:
            continue
        match = np.correlate(region, shape, "valid")
        lag = int(np.argmax(match[5 * MS:55 * MS])) + 5 * MS - 30 * MS
        at = i + late + lag
        off.append(lag / MS)
        before.append(max(early(power, at) - early(ideal, i), 1e-5))
        peak.append(db(ideal[i - 3 * MS:i + 15 * MS].max() /
                       (power[at - 15 * MS:at + 25 * MS].max() + 1e-12)))
    return {
        "pre_echo_db": float(db(np.mean(before))),
        "peak_loss_db": float(np.mean(np.abs(peak))),
        "onset_jit_ms": float(np.sqrt(np.mean((off - np.median(off)) ** 2))),
    }


def erb_centres(low, high, n):
    """Frequencies an equal number of ERBs apart."""
    erbs = 21.4 * np.log10(1 + 0.00437 * np.array([low, high]))
    return (10 ** (np.linspace(*erbs, n) / 21.4) - 1) / 0.00437


def band_power(y, centres, rate):
    """The power in bands one ERB wide (bands, frames at `rate` Hz)."""
    n = 1 << int(np.ceil(np.log2(len(y) + 4800)))
    spectrum = np.fft.fft(y, n)[:n // 2]
    f = np.arange(n // 2) * RATE / n
    at = np.arange(0, len(y), RATE // rate)
    bands = []
    for centre in centres:
        width = 24.7 * (4.37 * centre / 1000 + 1) / 2
        low, high = (int((centre + side * 4 * width) * n / RATE) for side in (-1, 1))
        low, high = max(0, low), min(n // 2, high + 1)
        part = spectrum[low:high] * np.exp(-0.5 * ((f[low:high] - centre) / width) ** 2)
        m = int(2 ** np.ceil(np.log2(max(high - low, 16, n * rate / RATE))))
        power = np.abs(np.fft.ifft(part, m) * m / n) ** 2 * 4
        where = at * (m / n)
        if m < n * rate / RATE * 4:
            bands.append(np.interp(where, np.arange(m), power))
            continue
        k = max(1, int(m / n * (RATE // rate)))  # average down instead of sampling
        total = np.cumsum(np.r_[0, power])
        first = np.clip(where.astype(int), 0, m - k - 1)
        bands.append((total[first + k] - total[first]) / k)
    return np.array(bands)


def aligned(out, late, like):
    y = np.zeros_like(like)
    n = min(len(like), len(out) - late)
    y[:n] = out[late:late + n]
    return y


def spectral_distance(reference, out, late):
    """Mean |dB| between the powers of bands in 8 ms, where one of the two is audible."""
    centres = erb_centres(60.0, 17000.0, 42)
    y = aligned(out, late, reference)
    kernel = np.hanning(17) / np.hanning(17).sum()
    total = count = 0.0

    def smooth(power):
        return np.array([np.convolve(band, kernel, "same")[::4] for band in power])

    mono = np.abs(reference[:, 0] - reference[:, 1]).max() <= 1e-9
    for c in (0,) if mono else (0, 1):
        a = smooth(band_power(reference[:, c], centres, 1000))
        b = smooth(band_power(y[:, c], centres, 1000))
        b = b * (a.sum() / max(b.sum(), 1e-12))
        floor = np.maximum(a.max(0, keepdims=True) * 1e-4, a.max() * 1e-6)
        heard = np.maximum(a, b) > floor
        total += (np.abs(db((a + floor) / (b + floor))) * heard).sum()
        count += heard.sum()
    return float(total / count)


def envelope_coherence(reference, out, late, r):
    """Correlation of band envelopes in segments of 60 ms, at the best lag within 12 ms."""
    centres = erb_centres(600.0 * r, min(6000.0 * r, 15000), 14)
    y = aligned(out, late, reference)
    a, b = (np.sqrt(band_power(x[:, 0], centres, 2000)) for x in (reference, y))
    span, most_lag = 120, 24
    loudness = a.sum(0)
    score = []
    for s in range(most_lag, a.shape[1] - span - most_lag, span // 2):
        if loudness[s:s + span].mean() < 0.1 * loudness.max():
            continue
        x = a[:, s:s + span] - a[:, s:s + span].mean(1, keepdims=True)
        weight = np.sqrt((x * x).sum(1)) + 1e-12
        best = -1.0
        for lag in range(-most_lag, most_lag + 1):
            z = b[:, s + lag:s + lag + span]
            z = z - z.mean(1, keepdims=True)
            alike = (x * z).sum(1) / (np.sqrt((z * z).sum(1)) + 1e-12)
            best = max(best, alike.sum() / weight.sum())
        score.append(best)
    return float(np.mean(score))


def harmonic_levels(y, hz, highest):
    """Frequencies and levels, in dB below the loudest, of the harmonics of a steady tone."""
    y = y * np.hanning(len(y))
    t = np.arange(len(y)) / RATE
    f = hz * np.arange(1, int(highest / hz) + 1)
    level = np.array([20 * np.log10(np.abs(y @ np.exp(-2j * np.pi * at * t)) + 1e-9) for at in f])
    return f, level - level.max()


def measure_formants(out, name, hz):
    """The errors of the first three formants of a vowel at a pitch of hz, in percent."""
    f, level = harmonic_levels(out[RATE // 2 + int(LEAD * RATE):, 0][:RATE], hz, 4200)
    weight = np.clip((level + 60) / 60, 0.05, 1)
    true = np.array(VOWELS[name], float)

    def misfit(model):
        off = level - 20 * np.log10(np.abs(resonance(f, model[:4], model[4:])) * glottis(f))
        return weight * (off - (off * weight).sum() / weight.sum())

    low, high = np.r_[true * 0.75, np.full(4, 30)], np.r_[true * 1.3, np.full(4, 600)]
    fits = [least_squares(misfit, np.r_[true * start, BANDWIDTHS], bounds=(low, high),
                          x_scale=np.r_[np.full(4, 100), np.full(4, 50)])
            for start in (0.9, 1, 1.1)]
    best = min(fits, key=lambda fit: fit.cost)
    return 100 * np.abs(best.x / np.r_[true, BANDWIDTHS] - 1)[:3]
