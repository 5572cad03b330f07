# SPDX-License-Identifier: MIT
"""The metrics of README.md, from the report and the output of an aligner."""

import numpy as np
from scipy import fft
from scipy.linalg import solve
from scipy.signal import fftconvolve, resample_poly

from scenes import HOP, RATE, SECONDS

GRID = np.arange(1, SECONDS * 10) / 10  # seconds at which delays are compared
SETTLED, DRIFT_SETTLED = 20, 30  # seconds from which on errors count
MOST_OFF, MOST_PPM = 480, 500  # frames, ppm: the errors of unknown values
NEAR, FALSE = 0.5e-3, 1e-3  # seconds
HELD = 30  # steps of GRID
RETURN = 10  # seconds for which errors do not count after a dropout

SOUND_RATE = RATE // 2
SEGMENT = 3 * SOUND_RATE
FIRST_SEGMENT = 5  # 15 s
LATEST = int(1.7 * SOUND_RATE)  # frames by which an output may be late
FILTER = 96  # taps: reflections within 2 ms belong to the speech
# Third-octave bands in Hz, and their importance to intelligibility: ANSI S3.5, table 3.
BANDS = np.array([160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150, 4000,
                  5000, 6300, 8000])
IMPORTANCE = np.array([83, 95, 150, 289, 440, 578, 653, 711, 818, 844, 882, 898, 868, 844, 771, 527,
                       364, 185]) * 1e-4


def at_grid(values):
    return np.interp(GRID, np.arange(len(values)) * HOP / RATE, values)


def held(lines):
    """Delay, drift and lock at GRID: those of the latest line, the delay advanced by the drift."""
    t, delay, ppm, is_locked = (np.array([entry[key] for entry in lines], float)
                                for key in ("t", "delay_s", "sro_ppm", "locked"))
    latest = np.maximum(np.searchsorted(t, GRID, "right") - 1, 0)
    grown = np.nan_to_num(ppm[latest]) * 1e-6 * (GRID - t[latest])
    return delay[latest] + grown, ppm[latest], is_locked[latest] > 0


def limited(errors, most):
    return np.clip(np.nan_to_num(errors, nan=most), -most, most)


def first_held(is_good, from_step=0):
    """The first step from which on all values are good for 3 s, or None."""
    runs = np.lib.stride_tricks.sliding_window_view(is_good[from_step:], HELD).all(1)
    return from_step + int(np.argmax(runs)) if runs.any() else None


def measure_report(lines, sounds):
    scene = sounds.scene
    delay, ppm, is_locked = held(lines)
    if not scene.has_delay:
        return {"false_lock": float(is_locked.sum() / 10)}
    is_active = at_grid(sounds.is_active) > 0.5
    off = np.nan_to_num(np.abs(delay - at_grid(sounds.delay)), nan=1)
    counts = np.ones(len(GRID), bool)
    result = {}

    def speech_until(is_good, from_step=0):
        step = first_held(is_good, from_step)
        return np.inf if step is None else float(is_active[from_step:step].sum() / 10)

    if scene.dropout:
        begin, end, _ = scene.dropout
        counts = (GRID < begin) | (GRID > end + RETURN)
        result["recovery"] = speech_until(off < NEAR, int(np.searchsorted(GRID, end)))
    if scene.silence:
        result["silence_end"] = float(off[np.searchsorted(GRID, scene.silence[1]) - 1] * RATE)
    result["until_near"] = speech_until(off < NEAR)
    result["until_frame"] = speech_until(off * RATE < 1)
    counts &= GRID >= SETTLED
    frames = limited((delay - at_grid(sounds.delay))[counts & is_active] * RATE, MOST_OFF)
    result["delay_rmse"] = float(np.sqrt(np.mean(frames**2)))
    result["jitter"] = 1.4826 * float(np.median(np.abs(frames - np.median(frames))))
    if np.abs(np.median(frames)) == MOST_OFF:
        result["jitter"] = np.inf
    result["false_lock"] = float((is_locked & (off > FALSE)).sum() / 10)
    if np.isfinite(ppm).any():
        wrong = limited((ppm - at_grid(sounds.ppm))[counts & (GRID >= DRIFT_SETTLED)], MOST_PPM)
        result["drift_rmse"] = float(np.sqrt(np.mean(wrong**2)))
    return result


def band_powers(sound):
    spectrum = np.abs(fft.rfft(sound * np.hanning(len(sound)))) ** 2
    f = fft.rfftfreq(len(sound), 1 / SOUND_RATE)
    edges = np.searchsorted(f, np.r_[BANDS * 2 ** (-1 / 6), BANDS[-1] * 2 ** (1 / 6)])
    return np.add.reduceat(spectrum, edges)[:-1] + 1e-20


def intelligible_snr(speech, noise):
    snr = 10 * np.log10(band_powers(speech) / band_powers(noise))
    return float((IMPORTANCE * np.clip(snr, -20, 40)).sum() / IMPORTANCE.sum())


def project(sound, references):
    """The projection of a sound on filtered references, and these filters."""
    n = fft.next_fast_len(len(sound) + FILTER, real=True)
    spectra = [fft.rfft(reference, n) for reference in references]
    spectrum = fft.rfft(sound, n)
    taps = np.arange(FILTER)
    between = taps[None, :] - taps[:, None]
    like = np.concatenate([fft.irfft(spectrum * np.conj(one), n)[taps - FILTER // 2]
                           for one in spectra])
    alike = np.block([[fft.irfft(one * np.conj(two), n)[between] for two in spectra]
                      for one in spectra])
    alike += np.eye(len(alike)) * np.trace(alike) / len(alike) * 1e-6
    filters = solve(alike, like, assume_a="pos").reshape(len(references), FILTER)
    part = sum(fftconvolve(reference, taps)[FILTER // 2:][:len(sound)]
               for reference, taps in zip(references, filters))
    return part, filters


def lag_of(sound, reference):
    """The delay in frames of a sound after the reference; both begin together."""
    n = fft.next_fast_len(len(sound) + len(reference), real=True)
    cross = fft.rfft(sound, n) * np.conj(fft.rfft(reference, n))
    match = np.abs(fft.irfft(cross / (np.abs(cross) ** 0.7 + 1e-12), n))
    return int(np.argmax(match[:LATEST]))


def ripple(filters, speech):
    """Deviation of the response to speech in sixths of an octave from one and a half, dB."""
    level = [np.sqrt(np.mean(image**2)) for image in speech]
    sign = 1 if np.vdot(*speech) > 0 else -1
    response = np.abs(fft.rfft(level[0] * filters[0] + sign * level[1] * filters[1], 8192)) ** 2
    f = np.geomspace(250, 6000, 200)
    power = np.interp(f, fft.rfftfreq(8192, 1 / SOUND_RATE), response)
    octaves = np.abs(np.log2(f[:, None] / f[None, :]))
    fine, coarse = ((octaves <= width / 2) @ power / (octaves <= width / 2).sum(1)
                    for width in (1 / 6, 3 / 2))
    return float(np.std(10 * np.log10(fine / coarse + 1e-12)))


def overlapped(sound, span):
    frames = np.lib.stride_tricks.sliding_window_view(sound, span)[::span // 2]
    return frames * np.hanning(span + 2)[1:-1]


def intelligibility(dry, sound):
    """STOI (Taal et al. 2011), 0 to 1."""
    frames = [overlapped(resample_poly(part, 10000, SOUND_RATE), 256) for part in (dry, sound)]
    loudness = np.linalg.norm(frames[0], axis=1)
    is_loud = loudness > loudness.max() / 100
    f = fft.rfftfreq(512, 1 / 10000)
    centres = 150 * 2 ** (np.arange(15)[:, None] / 3)
    bands = (f >= centres * 2 ** (-1 / 6)) & (f < centres * 2 ** (1 / 6))
    levels = [np.sqrt(np.abs(fft.rfft(part[is_loud], 512)) ** 2 @ bands.T) for part in frames]
    like, heard = (np.lib.stride_tricks.sliding_window_view(level, 30, axis=0) for level in levels)
    heard = heard * np.linalg.norm(like, axis=2, keepdims=True) / (
        np.linalg.norm(heard, axis=2, keepdims=True) + 1e-12)
    heard = np.minimum(heard, like * (1 + 10**0.75))
    like, heard = (part - part.mean(2, keepdims=True) for part in (like, heard))
    norms = np.linalg.norm(like, axis=2) * np.linalg.norm(heard, axis=2) + 1e-12
    return float(((like * heard).sum(2) / norms).mean())


def segments_heard(sounds):
    """The beginnings, in frames, of segments with enough speech, away from dropouts."""
    scene, n = sounds.scene, SEGMENT // SOUND_RATE
    for begin in range(FIRST_SEGMENT * n, SECONDS - n + 1, n):
        if scene.dropout and scene.dropout[0] - n < begin < scene.dropout[1] + RETURN:
            continue
        if sounds.is_active[begin * RATE // HOP:(begin + n) * RATE // HOP].mean() > 0.35:
            yield begin * SOUND_RATE


def measure_output(out, sounds):
    """In segments of 3 s. The delay of the output may differ between them."""
    dry, *parts = (resample_poly(part, 1, 2)
                   for part in (sounds.dry, *sounds.speech, *sounds.noise))
    out = np.pad(resample_poly(out, 1, 2), (0, LATEST + SEGMENT))
    gains, ripples, heard = [], [], []
    for begin in segments_heard(sounds):
        later = sounds.apart[(begin + SEGMENT // 2) * 2 // HOP]
        shift = round(later * SOUND_RATE)  # the direct sound reaches both microphones at once
        *speech, noise_1, noise_2 = (np.roll(part, -late)[begin:begin + SEGMENT]
                                     for part, late in zip(parts, (0, shift, 0, shift)))
        best = max(map(intelligible_snr, speech, (noise_1, noise_2)))
        late = begin + lag_of(out[begin:begin + SEGMENT + LATEST], speech[0])
        sound = out[late:late + SEGMENT]
        kept, filters = project(sound, speech)
        gains.append(intelligible_snr(kept, sound - kept) - best)
        ripples.append(ripple(filters, speech))
        heard.append([dry[begin:begin + SEGMENT], sound, speech[0] + noise_1, speech[1] + noise_2])
    clean, *heard = (np.concatenate(pieces) for pieces in zip(*heard))
    stoi, *of_mics = (intelligibility(clean, sound) for sound in heard)
    return {"gain": float(np.mean(gains)), "stoi": stoi - max(of_mics),
            "ripple": float(np.mean(ripples))}


def measure(lines, out, sounds):
    result = measure_report(lines, sounds)
    if sounds.scene.has_delay:
        result.update(measure_output(out, sounds))
    return result
