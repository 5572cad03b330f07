# SPDX-License-Identifier: MIT
"""What was learnt, as the C of ../weights.h."""
import re

import numpy as np

STEPS = 45
ZERO = ord('Q')

# A rise by this of what the network of beginnings takes to believe: of music that begins, 6 % pass with
# 1.5, 3.5 % with 2.5 and 2.2 % with 3.5; speech is detected after a median of 40, 40 and 50 ms.
DOUBT = 2.5


def rounded(weight):
    """91 steps per weight, one scale per output: (steps from -45 to 45, scales)."""
    scale = (np.abs(weight).max(1) / STEPS + 1e-12).astype(np.float32)
    return np.round(weight / scale[:, None]).astype(int), scale


def network(found):
    """The arrays of ../weights.h; what normalises the features is in the first of them."""
    net = {k: v.numpy().astype(np.float64) for k, v in found['net'].items()}
    mean, deviation = (found[k].numpy().astype(np.float64) for k in ('mean', 'deviation'))
    weights = net['input.weight'] / deviation
    steps, scale = rounded(weights)
    # Rounded as they are, the weights meet the mean.
    input_bias = net['input.bias'] - (steps * scale[:, None].astype(np.float64)) @ mean
    out = {'vad_input': steps.T, 'vad_input_scale': scale, 'vad_input_bias': input_bias}
    for name, of in (('gru_input', 'ih'), ('gru_recurrent', 'hh')):
        steps, scale = rounded(net[f'gru.weight_{of}_l0'])
        out[f'vad_{name}'], out[f'vad_{name}_scale'] = steps.T, scale
        out[f'vad_{name}_bias'] = net[f'gru.bias_{of}_l0']
    out['vad_output'] = net['output.weight'][0]
    out['vad_output_bias'] = net['output.bias'][0]
    return out


def confirm(weights, biases, mean, deviation):
    """Of a layer of tanh and one output. Inputs of small deviation have large weights, beside which the steps
    of an output's others would be too coarse: each input has a scale, too."""
    steps, scale = rounded(weights[0].T)
    inputs = (1 / deviation).astype(np.float32)
    bias = biases[0] - (steps * scale[:, None].astype(np.float64)) @ (inputs * mean)
    return {'vad_confirm': steps.T, 'vad_confirm_scale': scale,
            'vad_confirm_input_scale': inputs, 'vad_confirm_bias': bias, 'vad_confirm_output': weights[1][:, 0],
            'vad_confirm_output_bias': float(biases[1][0]) - DOUBT}


def literals(steps):
    """Strings of characters that are that many steps from ZERO."""
    text = ''.join(chr(ZERO + s) for s in steps.ravel())
    parts = [text[i:i + 80] for i in range(0, len(text), 80)]
    # A question mark that follows another could begin a trigraph.
    return ['\t"' + p.replace('\\', '\\\\').replace('??', '?\\?') + '"' for p in parts]


def numbers(values):
    text, line = [], '\t'
    for value in values:
        part = f'{value:.6g}f,' if '.' in f'{value:.6g}' else f'{value:.6g}.0f,'
        if len(line) + len(part) > 97:
            text.append(line)
            line = '\t'
        line += part
    return text + [line]


def write(arrays, header, path, maker):
    with open(header) as file:
        declared = {m[2]: m[1] for m in re.finditer(r'extern (const \w+ (\w+)[^;]*);', file.read())}
    text = ['/* SPDX-License-Identifier: MIT */', '', f'/* Written by {maker}. */',
            '#include "weights.h"', '', '/* clang-format off */']
    for name, value in arrays.items():
        if np.ndim(value) == 0:
            text.append(f'{declared[name]} = {value:.6g}f;')
        elif value.dtype == int:
            text += [f'{declared[name]} ='] + literals(value)
            text[-1] += ';'
        else:
            text += [f'{declared[name]} = {{'] + numbers(value) + ['};']
    with open(path, 'w') as file:
        file.write('\n'.join(text) + '\n')
