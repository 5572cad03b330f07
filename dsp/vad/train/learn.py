# SPDX-License-Identifier: MIT
"""The network of ../net.c: training it."""
import time

import numpy as np
import torch

ONSET_HOPS, ONSET_WEIGHT = 25, 3.0
CHUNK, BATCH = 250, 96


class Net(torch.nn.Module):
    def __init__(self, inputs, input_units, gru_units):
        super().__init__()
        self.input = torch.nn.Linear(inputs, input_units)
        self.gru = torch.nn.GRU(input_units, gru_units, batch_first=True)
        self.output = torch.nn.Linear(input_units + gru_units, 1)

    def forward(self, features, state):
        hidden = torch.tanh(self.input(features))
        recurrent, state = self.gru(hidden, state)
        return self.output(torch.cat([hidden, recurrent], 2))[..., 0], state


def onset_weights(active, counts):
    """The first hops of speech that follows a pause of 300 ms count more."""
    weight = counts.astype(np.float32).copy()
    for row, on in zip(weight, active):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int)])) == 1)
        for at in edges:
            if not on[max(0, at - 30):at].any():
                row[at:at + ONSET_HOPS] *= ONSET_WEIGHT
    return weight


def learn(features, active, counts, epochs, sizes, seed, threads, say=print, start=None):
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    rng = np.random.default_rng(seed)
    n, hops, inputs = features.shape
    sample = features[::max(1, n // 200)].reshape(-1, inputs).astype(np.float32)
    mean, deviation = sample.mean(0), sample.std(0) + 1e-2
    mean, deviation = torch.tensor(mean), torch.tensor(deviation)
    weight = onset_weights(active, counts)
    net = Net(inputs, *sizes)
    if start:
        net.load_state_dict(start['net'])
        mean, deviation = start['mean'], start['deviation']
    best = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-3)
    steps = epochs * (n // BATCH) * (hops // CHUNK)
    rate = torch.optim.lr_scheduler.OneCycleLR(best, 4e-3, total_steps=steps, pct_start=.1,
                                               final_div_factor=1e3)
    step = 0
    for epoch in range(epochs):
        order, began, losses = rng.permutation(n), time.time(), []
        for b in range(n // BATCH):
            rows = np.sort(order[b * BATCH:(b + 1) * BATCH])
            state = None
            for begin in range(0, hops - CHUNK + 1, CHUNK):
                part = slice(begin, begin + CHUNK)
                x = torch.from_numpy(features[rows, part].astype(np.float32))
                y = torch.from_numpy(active[rows, part].astype(np.float32))
                w = torch.from_numpy(weight[rows, part])
                guess, state = net((x - mean) / deviation, state)
                state = state.detach()
                loss = (torch.nn.functional.binary_cross_entropy_with_logits(
                    guess, y, reduction='none') * w).sum() / w.sum()
                best.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                best.step()
                if step < steps - 1:
                    rate.step()
                step += 1
                losses.append(float(loss))
        say(f'epoch {epoch + 1}: loss {np.mean(losses):.4f}, {time.time() - began:.0f} s')
    return {'net': net.state_dict(), 'mean': mean, 'deviation': deviation}
