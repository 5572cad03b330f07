# SPDX-License-Identifier: MIT
"""nightcore.py RECORDING NOISE RATE PLAYER_LOG

Locates windows of each channel in the noise. Prints a table: silence within the noise, skipped noise,
and the delay of each channel after its player.
"""

import re
import sys
import warnings

import numpy as np
from scipy import signal
from scipy.io import wavfile

HZ = 48000
START = HZ  # not all ports are linked from the beginning
WINDOW, HOP = 640, HZ // 20  # fits into a quantum between two that are missing
SEARCH, FIRST_SEARCH = HZ // 10, 30 * HZ
MIN_GAP = HZ // 1000
MIN_MATCH = 0.95
MINUTE = 60 * HZ


def stretch(noise, at):
    """The noise at these positions. It ends at 4 kHz: a cubic is as good as exact."""
    whole = at.astype(int)
    f = at - whole
    a, b, c, d = (noise[whole + i].astype(float) for i in (-1, 0, 1, 2))
    return b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)))


def find(part, noise, rate, first, last):
    """Where in the noise the part begins, from first to last; None if it does not."""
    first = max(1.0, first)
    at = np.arange(first, min(last + len(part) * rate, len(noise) - 3), rate)
    if len(at) < len(part) + 2:
        return None
    near = stretch(noise, at)
    energy = np.cumsum(np.concatenate([[0.0], near ** 2]))
    energy = np.maximum(energy[len(part):] - energy[:-len(part)], 1.0)
    match = signal.correlate(near, part, mode="valid") / np.sqrt(energy * np.sum(part ** 2) + 1e-9)
    best = int(np.argmax(match[1:-1])) + 1
    if match[best] < MIN_MATCH:
        return None
    before, peak, after = match[best - 1:best + 2]
    return first + rate * (best + 0.5 * (before - after) / (before - 2 * peak + after))


def zero_runs(sound):
    """Where silence begins and how long it is, in frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], sound == 0, [0]])))
    begins, lengths = edges[::2], edges[1::2] - edges[::2]
    return begins[lengths >= MIN_GAP], lengths[lengths >= MIN_GAP]


class Channel:
    def __init__(self, sound, noise, rate):
        self.rate = rate
        times, positions = [], []
        for time in range(START, len(sound) - WINDOW, HOP):
            first, last = 0, FIRST_SEARCH
            if times:
                expected = positions[-1] + rate * (time - times[-1])
                first, last = positions[-1] - SEARCH, expected + SEARCH
            position = find(sound[time:time + WINDOW], noise, rate, first, last)
            if position is not None:
                times.append(time)
                positions.append(position)
        if not times:
            sys.exit(f"a channel has no noise at rate {rate:.4f}")
        self.times, self.positions = np.array(times), np.array(positions)
        begins, lengths = zero_runs(sound)
        inside = (begins > times[0]) & (begins < times[-1])
        self.gaps, self.silence = int(np.sum(inside)), int(np.sum(lengths[inside]))

    def skipped(self):
        """Frames of time, negative if some were played twice."""
        advance = (self.positions[-1] - self.positions[0]) / self.rate
        return advance - (self.times[-1] - self.times[0] - self.silence)

    def drift(self):
        """Frames by which it went ahead of or behind its rate at most."""
        even = self.positions[0] + self.rate * (self.times - self.times[0])
        return np.max(np.abs(self.positions - even)) / self.rate

    def lateness(self, player):
        """Frames behind the player, at all times."""
        at = np.interp(self.times, player.times, player.positions)
        return (at - self.positions) / player.rate

    def lateness_cells(self, player):
        late = self.lateness(player) / HZ * 1000
        edge = min(MINUTE, (self.times[-1] - self.times[0]) // 3)
        in_first = self.times < self.times[0] + edge
        in_last = self.times > self.times[-1] - edge
        return [f"{np.median(late[in_first]):.2f}", f"{np.median(late[in_last]):.2f}",
                f"{np.min(late):.1f} to {np.max(late):.1f}"]


def buffer_line(path):
    """What PipeWire says about the player's stream: rows of "queued:0 buffered:32"."""
    with open(path, encoding="utf-8") as log:
        rows = re.findall(r"ticks:[1-9]\d* .*queued:(\d+) buffered:(\d+)", log.read())
    frames = [int(queued) + int(buffered) for queued, buffered in rows]
    return (f"In the captured player's own buffer: {frames[0]} frames at first, {frames[-1]} at "
            f"last, {min(frames)} to {max(frames)} in {len(frames)} s.")


def main():
    warnings.filterwarnings("ignore", category=wavfile.WavFileWarning)
    recording, noise, rate, log = sys.argv[1:]
    # PipeWire 1.4 cuts it down to whole Hz.
    rate = np.floor(float(rate) * HZ + 0.01) / HZ
    rows = [("player, captured", rate, 0), ("weir", rate, 0), ("player, piped", 1.0, 2),
            ("`pw-record \\| aplay -r 52000`", 52000 / HZ, 2),
            ("`pw-record \\| pw-play --rate 52000`", 52000 / HZ, 2)]
    sound = wavfile.read(recording, mmap=True)[1]
    noise = wavfile.read(noise, mmap=True)[1][:, 0]
    channels = [Channel(np.array(sound[:, i]), noise, row[1]) for i, row in enumerate(rows)]
    seconds = len(sound) / HZ
    print(f"| rate {rate:.6f}, {seconds:.0f} s | gaps | of silence, s | skipped, s | drift, ms "
          "| late, ms: first minute | last minute | range |")
    print("|---|---|---|---|---|---|---|---|")
    for (label, _, player), channel in zip(rows, channels):
        drift = f"{channel.drift() / HZ * 1000:.2f}" if channel.gaps == 0 else "-"
        cells = [label, channel.gaps, f"{channel.silence / HZ:.3f}",
                 f"{channel.skipped() / HZ + 0.0:.3f}", drift]
        print("| " + " | ".join(map(str, cells + channel.lateness_cells(channels[player]))) + " |")
    print()
    print(buffer_line(log))


main()
