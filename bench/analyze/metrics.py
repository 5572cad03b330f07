# SPDX-License-Identifier: MIT
"""The metrics of README.md, from reports."""

import numpy as np
from scipy.stats import rankdata

from sounds import CLIP_SECONDS, GLIDE, glide_hz

OCTAVES = 1200 * np.log2([2, 3, 4, 1.5])  # cents by which errors are called octave errors
GLIDE_LAGS = np.arange(0, 0.151, 0.001)  # seconds
GLIDE_CENTS, OCTAVE_CENTS = 50, 60
ONSET_NEAR = 0.025  # seconds
TEMPO_NEAR = 0.02  # of the tempo
METRICAL = (1, 2, 1 / 2, 3, 1 / 3, 3 / 2, 2 / 3)

MISSED = 1.0  # seconds after which a start is missed
EARLY = 0.1  # seconds by which a start may precede the label
FALSE_SECONDS = 2.0  # of false activity count as another start
END_WINDOW = 30  # frames of 10 ms
LENGTHS = (1, 2, 3, 5, 8, 12, 20, 30, 45)  # frames
MOST_FALSE = 10  # starts per hour


def percentile(values, share):
    return float(np.percentile(values, share, method="nearest")) if len(values) else np.inf


# Pitch


def cents(hz, true):
    return 1200 * np.log2(hz / true)


def judge_tones(report, tones, near, near_vibrato):
    """Shares of each kind that are right, and of all that are off by an octave or not found."""
    t, hz = report.read("f0")
    right = {tone.kind: [] for tone in tones}
    octave, absent, off = [], [], []
    for tone in tones:
        found = hz[(t > tone.begin) & (t <= tone.end)]
        found = found[found > 0]
        absent.append(len(found) == 0)
        error = abs(cents(np.median(found), tone.hz)) if len(found) else np.inf
        is_right = error <= (near_vibrato if tone.kind == "vibrato" else near)
        right[tone.kind].append(is_right)
        octave.append(not is_right and np.abs(error - OCTAVES).min() < OCTAVE_CENTS)
        if is_right:
            off.append(error)
    return {**{kind: 100 * np.mean(each) for kind, each in right.items()},
            "octave": 100 * np.mean(octave), "absent": 100 * np.mean(absent),
            "off": percentile(off, 50)}


def judge_glide(report):
    """The lag with the minimum median error, and the share of right values at this lag."""
    t, hz = report.read("f0")
    inside = (t > 0.3) & (t < 2 * GLIDE[2] - 0.15)
    t, hz = t[inside], np.maximum(hz[inside], 1)
    if not len(t):
        return {"lag": np.inf, "glide": 0.0}
    errors = [np.abs(cents(hz, glide_hz(t - lag))) for lag in GLIDE_LAGS]
    best = int(np.argmin([np.median(each) for each in errors]))
    share = np.mean(errors[best] < GLIDE_CENTS)
    return {"lag": 1e3 * GLIDE_LAGS[best] if share > 0.5 else np.inf, "glide": 100 * share}


def voiced_share(report):
    hz = report.read("f0")[1]
    return 100 * np.mean(hz > 0) if len(hz) else np.inf


# Rhythm


def match(found, true):
    """Pairs of near indices, nearest first, each index in at most one pair."""
    off = np.abs(np.subtract.outer(found, true))
    pairs, used = [], (set(), set())
    for i, j in zip(*np.unravel_index(np.argsort(off, axis=None), off.shape)):
        if off[i, j] > ONSET_NEAR:
            break
        if i not in used[0] and j not in used[1]:
            pairs.append((i, j))
            used[0].add(i)
            used[1].add(j)
    return pairs


def judge_onsets(report, onsets):
    """The numbers of found, true and right onsets, and the latencies of the last, in seconds."""
    t, at = report.read("onset")
    pairs = match(at, onsets) if len(at) else []
    return len(at), len(onsets), len(pairs), [t[i] - onsets[j] for i, j in pairs]


def pool_onsets(judged):
    found, true, both, late = zip(*judged)
    late = np.concatenate([np.array(each) for each in late])
    precision, recall = sum(both) / max(sum(found), 1), sum(both) / sum(true)
    return {"f": 2 * precision * recall / max(precision + recall, 1e-9), "precision": precision,
            "recall": recall, "latency": 1e3 * percentile(late, 50),
            "latency_95": 1e3 * percentile(late, 95)}


def judge_tempo(report, bpm):
    """Whether the last tempo is right, or metrically related; seconds from which on it is right."""
    t, told = report.read("bpm")
    last = told[t > CLIP_SECONDS - 5]
    if not len(last):
        return False, False, np.inf
    ratio = np.median(last) / bpm
    is_metrical = min(abs(ratio / relative - 1) for relative in METRICAL) <= TEMPO_NEAR
    wrong = np.flatnonzero(np.abs(told / bpm - 1) > TEMPO_NEAR)
    first = wrong[-1] + 1 if len(wrong) else 0
    return abs(ratio - 1) <= TEMPO_NEAR, is_metrical, t[first] if first < len(t) else np.inf


# Voice


def held_scores(report, n):
    """The latest probability at the end of each of n frames of 10 ms."""
    t, scores = report.read("vad")
    if not len(t):
        return np.zeros(n)
    latest = np.searchsorted(t, np.arange(1, n + 1) / 100 + 1e-6) - 1
    return np.where(latest < 0, 0, scores[latest])


def area_under_curve(scores, labels):
    n = labels.sum()
    ranks = rankdata(scores)[labels].sum()
    return float((ranks - n * (n + 1) / 2) / (n * (len(labels) - n)))


def moving_mean(scores, n):
    """The mean of the last n scores; 0 before there are n."""
    total = np.cumsum(np.r_[0, scores])
    return np.r_[np.zeros(n - 1), (total[n:] - total[:-n]) / n]


def find_speech(scores, n, threshold):
    """When speech starts and ends, in seconds: the mean of n scores against the threshold, and
    that of 300 ms against half of it."""
    recent, long = moving_mean(scores, n), moving_mean(scores, END_WINDOW)
    on = np.flatnonzero(recent >= threshold - 1e-6)
    off = np.flatnonzero((long < threshold / 2) & (recent < threshold - 1e-6))
    starts, ends, at = [], [], 0
    while True:
        start = np.searchsorted(on, at)
        if start == len(on):
            break
        starts.append(on[start])
        end = np.searchsorted(off, on[start] + END_WINDOW)
        at = off[end] if end < len(off) else len(scores)
        ends.append(at)
    return (np.array(starts) + 1) / 100, (np.array(ends) + 1) / 100


def own_speech(report, n):
    """As find_speech(), of a detector's own events; None when it has none."""
    starts, ends = (report.read(name)[0] for name in ("speech_start", "speech_end"))
    if not len(starts):
        return None
    return starts, np.r_[ends, np.full(max(len(starts) - len(ends), 0), n / 100)]


def false_starts(found):
    """Per hour of noise alone, each with the number of its frames."""
    count = sum(1 + int((min(end, n / 100) - start) / FALSE_SECONDS)
                for (starts, ends), n in found for start, end in zip(starts, ends))
    return count / (sum(n for _, n in found) / 360000)


def judge_speech(found):
    """Latencies of starts and ends in ms, and the share of missed starts. found: pairs of starts and
    ends with the true segments."""
    late, late_end, n_missed = [], [], 0
    for (starts, ends), segments in found:
        for begin, end in segments:
            near = starts[(starts >= begin - EARLY) & (starts <= begin + MISSED)]
            if not len(near):
                n_missed += 1
                continue
            late.append(near[0] - begin)
            after = ends[(ends >= end - 0.05) & (ends <= end + 1.5)]
            late_end += list(after[:1] - end)
    return {"latency": 1e3 * percentile(late, 50), "latency_95": 1e3 * percentile(late, 95),
            "missed": 100 * n_missed / (n_missed + len(late)),
            "end": 1e3 * percentile(late_end, 50),
            "cost": (sum(late) + n_missed * MISSED) / (n_missed + len(late))}


def thresholds_of(scores):
    levels = np.quantile(scores, np.linspace(0.3, 0.99, 24))
    return np.unique(np.round(np.r_[levels, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99], 5))


def judge_at_best(spoken, alone):
    """At the length and threshold of minimum latency among those with few false starts. spoken:
    scores and segments; alone: scores. None if no setting has few enough."""
    best = None
    for threshold in thresholds_of(np.concatenate([scores for scores, _ in spoken])):
        for n in LENGTHS if threshold > 0 else ():
            rate = false_starts([(find_speech(scores, n, threshold), len(scores))
                                 for scores in alone])
            if rate > MOST_FALSE:
                continue
            judged = judge_speech([(find_speech(scores, n, threshold), segments)
                                   for scores, segments in spoken])
            judged["false"] = rate
            if best is None or judged["cost"] < best["cost"]:
                best = judged
    return best
