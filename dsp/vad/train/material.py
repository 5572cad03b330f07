# SPDX-License-Identifier: MIT
"""Speech, music and sounds from Debian packages, as mono float32 at 16 kHz."""
import concurrent.futures
import glob
import hashlib
import os
import subprocess
import sys

import numpy as np
from scipy.signal import butter, sosfilt

RATE = 16000
HOP = 160

PACKAGES = """
asterisk-core-sounds-fr-g722 asterisk-core-sounds-ru-g722 asterisk-prompt-fr-armelle
asterisk-prompt-it-menardi-wav asterisk-prompt-es-co asterisk-moh-opsound-wav ktuberling-data
klettres-data fillets-ng-data fillets-ng-data-cs fillets-ng-data-nl gcin-voice hedgewars-data
wesnoth-1.16-music sonic-pi-samples frozen-bubble-data extremetuxracer-data lmms-common
espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k festvox-italp16k festvox-itapc16k
festvox-czech-dita festvox-czech-machac festvox-czech-krb festvox-czech-ph festvox-hi-nsk
festvox-mr-nsk festvox-te-nsk festvox-suopuhe-lj festvox-suopuhe-mv festvox-ca-ona-hts
festvox-us-slt-hts ffmpeg python3-numpy python3-scipy python3-torch
""".split()

WORK = os.environ.get('VAD_WORK', os.path.expanduser('~/.cache/weir-vad'))
AST = '/usr/share/asterisk/sounds'
GAMES = '/usr/share/games'
PER_POOL = 700

# Of ktuberling and klettres: languages, one speaker or two each.
KTUBERLING = 'ca el es fi fr ga gl it lt nds nn ro ru sr sv wa'.split()
KLETTRES = 'ar cs de es fr he hu id it lt ml nb nds nn ru tn uk'.split()
VOICES = 'countdown hell_ Hellish hogchant Yoohoo Kiss firepunch extratime sudden homerun'.split()
HEDGEWARS = 'British Classic Default Default_uk Mobster Pirate Russian Russian_pl Surfer'.split()

ESPEAK = 'en en-us en-gb-scotland de fr es it nl pt pl cs sv da fi tr hu ro el'.split()
# None with breath, since eSpeak NG makes that of other noise each time.
VARIANTS = '+m1 +m3 +m7 +f1 +f4 +m4 +klatt2 +Andrea +edward'.split()
FLITE = 'awb rms slt kal16'.split()
FESTIVAL = '''kal_diphone ked_diphone lp_diphone pc_diphone czech_dita czech_machac czech_krb
czech_ph hindi_NSK_diphone marathi_NSK_diphone telugu_NSK_diphone suo_fi_lj_diphone
hy_fi_mv_diphone upc_ca_ona_hts cmu_us_slt_arctic_hts'''.split()
TEXTS = [
    'Good morning, this is the front desk, how may I help you?',
    'The train on platform nine leaves in four minutes.',
    'No, not that one. The other one, over there.',
    'Eighteen, forty, three hundred and six.',
    'Can you hear me? Hello? I think the line is bad.',
    'We will meet again on Thursday after lunch, if everybody has time.',
    'Okay.', 'Right, never mind.', 'Stop!', 'What?',
    'My daughter plays the violin, and her brother would rather fish.',
    'Put two cups of flour into the bowl, add salt, and stir slowly.',
    'It has been raining since Monday, so the road to the village is closed.',
    'Maria canta una bella canzone e noi ascoltiamo.',
    'Dobra voda, mala ryba, velka hora.',
    'Namaste, aap kaise hain, sab kuch theek hai.',
]


def packages_check(packages=tuple(PACKAGES)):
    found = subprocess.run(['dpkg-query', '-W', '-f', '${Package} ${db:Status-Status}\n'],
                           stdout=subprocess.PIPE, text=True, check=True).stdout
    installed = {line.split()[0] for line in found.splitlines() if line.endswith(' installed')}
    missing = [p for p in packages if p not in installed]
    if missing:
        sys.exit('missing: apt-get install --no-install-recommends ' + ' '.join(missing))


def files(*patterns):
    return sorted(sum((glob.glob(p, recursive=True) for p in patterns), []))


def spread(paths, n=PER_POOL):
    """At most n of the files, from everywhere among them."""
    return paths if len(paths) <= n else [paths[i * len(paths) // n] for i in range(n)]


def prompts(folder, kind):
    bad = ('silence', 'beep', 'tone', 'scending', 'confbridge-join', 'confbridge-leave')
    return [p for p in files(f'{AST}/{folder}/**/*.{kind}') if not any(b in p for b in bad)]


def speech_files():
    fillets = f'{GAMES}/fillets-ng/sound'
    hedgewars = f'{GAMES}/hedgewars/Data/Sounds/voices'
    pools = {
        'june': (.12, prompts('fr_CA_f_June', 'g722')),
        'ivr': (.10, prompts('ru_RU_f_IvrvoiceRU', 'g722')),
        'armelle': (.05, prompts('fr', 'gsm') + prompts('fr', 'wav')),
        'menardi': (.10, prompts('it_IT_f_Menardi', 'wav')),
        'colombia': (.05, prompts('es', 'gsm') + prompts('es', 'wav')),
        'ktuberling': (.14, files(*(f'/usr/share/ktuberling/sounds/{l}/*.[ow][ga][gv]'
                                    for l in KTUBERLING))),
        'klettres': (.05, files(*(f'/usr/share/klettres/{l}/**/*.ogg' for l in KLETTRES))),
        'czech': (.10, files(f'{fillets}/**/cs/*.ogg')),
        'dutch': (.09, files(f'{fillets}/**/nl/*.ogg')),
        'hedgewars': (.06, files(*(f'{hedgewars}/{v}/*.ogg' for v in HEDGEWARS))),
        'mandarin': (.03, files('/usr/share/gcin-voice/ogg/*/*.ogg')),
    }
    return {name: (share, spread(paths)) for name, (share, paths) in pools.items()}


def sound_files():
    wesnoth = files(f'{GAMES}/wesnoth/1.16/data/core/music/*.ogg')
    sonic = [p for p in files('/usr/share/sonic-pi/samples/*.flac')
             if os.path.basename(p).split('_')[0] in
             ('loop', 'drum', 'tabla', 'perc', 'elec', 'bd', 'sn', 'vinyl', 'glitch', 'ambi',
              'guit', 'bass')]
    # The other half of both is what the detector is judged on.
    music = wesnoth[0::2] + files('/usr/share/asterisk/moh/*.wav',
                                  f'{GAMES}/fillets-ng/music/*.ogg', f'{GAMES}/etr/music/*.ogg',
                                  f'{GAMES}/hedgewars/Data/Music/*.ogg',
                                  f'{GAMES}/frozen-bubble/snd/*.ogg')
    return {
        'music': music,
        'drums': sonic[0::2] + files('/usr/share/lmms/samples/drums/*.ogg',
                                     '/usr/share/lmms/samples/beats/*.ogg',
                                     '/usr/share/lmms/samples/basses/*.ogg',
                                     '/usr/share/lmms/samples/instruments/*.ogg'),
        'game': [p for p in files(f'{GAMES}/hedgewars/Data/Sounds/*.ogg', f'{GAMES}/etr/sounds/*',
                                  f'{GAMES}/frozen-bubble/snd/*.wav',
                                  f'{GAMES}/fillets-ng/sound/share/*.ogg',
                                  '/usr/share/lmms/samples/effects/*.ogg')
                 if not any(v in p for v in VOICES)],
    }


def cached(name):
    return os.path.join(WORK, 'decoded', hashlib.sha1(name.encode()).hexdigest() + '.npy')


def decode_all(paths):
    """To the cache, many at once, since starting ffmpeg takes longer; at most 3 minutes of each."""
    paths = [p for p in paths if not os.path.exists(cached(p))]
    for i in range(0, len(paths), 40):
        some = paths[i:i + 40]
        command, outputs = ['ffmpeg', '-v', 'error', '-nostdin', '-y', '-threads', '1'], []
        for k, path in enumerate(some):
            command += ['-f', 'g722'] if path.endswith('.g722') else []
            command += ['-t', '180', '-i', path]
            outputs += ['-map', f'{k}:a:0', '-f', 'f32le', '-ac', '1', '-ar', str(RATE),
                        cached(path) + '.raw']
        done = subprocess.run(command + outputs, stderr=subprocess.DEVNULL, check=False)
        if done.returncode and len(some) > 1:
            for path in some:
                decode_all([path])
            continue
        for path in some:
            raw = cached(path) + '.raw'
            sound = np.fromfile(raw, np.float32) if os.path.exists(raw) else np.zeros(0, np.float32)
            np.save(cached(path), sound)
            if os.path.exists(raw):
                os.remove(raw)


def decode(path):
    if not os.path.exists(cached(path)):
        decode_all([path])
    return np.load(cached(path))


def speak(engine, voice, text):
    """The file of it."""
    path = cached(f'{engine} {voice} {text}')[:-4] + '.wav'
    if not os.path.exists(path):
        command = {'espeak': ['espeak-ng', '-v', voice, '-w', path, text],
                   'flite': ['flite', '-voice', voice, '-t', text, '-o', path],
                   'festival': ['text2wave', '-eval', f'(voice_{voice})', '-o', path]}[engine]
        subprocess.run(command, input=text, text=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
    return path


def spoken():
    """(engine, voice, text) of the synthetic voices."""
    jobs = []
    for i, text in enumerate(TEXTS):
        jobs += [('espeak', v + VARIANTS[(i + j) % len(VARIANTS)], text)
                 for j, v in enumerate(ESPEAK)]
        jobs += [('flite', v, text) for v in FLITE]
        jobs += [('festival', v, text) for v in FESTIVAL]
    return jobs


def level_db(sound):
    """Of 20 ms around each hop."""
    n = len(sound) // HOP
    padded = np.concatenate([np.zeros(HOP // 2), sound, np.zeros(HOP)]).astype(np.float64)
    sums = np.concatenate([[0], np.cumsum(padded ** 2)])
    at = np.arange(n) * HOP
    return 10 * np.log10((sums[at + 2 * HOP] - sums[at]) / (2 * HOP) + 1e-12)


def runs(active):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(int), [0]])))
    return list(zip(edges[::2], edges[1::2]))


def active_hops(sound):
    """Where somebody speaks: what is loud enough for this recording, without gaps and blips."""
    db = level_db(sound)
    if len(db) < 5:
        return np.zeros(len(db), bool)
    loud = np.percentile(db, 95)
    active = db > max(loud - 32, min(np.percentile(db, 3) + 8, loud - 20), -65)
    parts = runs(active)
    for (_, end), (begin, _) in zip(parts, parts[1:]):
        active[end:begin] |= begin - end < 10
    for begin, end in runs(active):
        active[begin:end] = end - begin >= 3
    return active


HIGH_PASS = butter(2, 70, 'hp', fs=RATE, output='sos')


def utterance(sound):
    """(sound, active hops) of mean power 1 while active, or None."""
    if len(sound) < RATE // 5:
        return None
    sound = sosfilt(HIGH_PASS, sound - sound.mean()).astype(np.float32)
    active = active_hops(sound)
    if active.sum() < 15:
        return None
    at = np.flatnonzero(active)
    begin, end = max(0, at[0] - 5), min(len(active), at[-1] + 6)
    sound, active = sound[begin * HOP:end * HOP], active[begin:end]
    power = np.mean(sound.reshape(-1, HOP)[active] ** 2)
    return sound / np.sqrt(power), active


def load(say=print):
    """Speech pools: [(name, share, [(sound, active)])]; sounds: {kind: [sound]}."""
    os.makedirs(os.path.join(WORK, 'decoded'), exist_ok=True)
    speech, sounds = speech_files(), sound_files()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        voices = list(pool.map(lambda job: speak(*job), spoken()))
    speech['synthetic'] = (.14, voices)
    for paths in [p for _, p in speech.values()] + list(sounds.values()):
        decode_all(paths)
    pools = [(name, share, list(filter(None, (utterance(decode(p)) for p in paths))))
             for name, (share, paths) in speech.items()]
    loaded = {}
    for kind, paths in sounds.items():
        loaded[kind] = [s / (np.sqrt(np.mean(s ** 2)) + 1e-6)
                        for s in map(decode, paths) if len(s) >= 800]
    for name, _, parts in pools:
        seconds = sum(len(s) for s, _ in parts) / RATE
        say(f'{name}: {len(parts)} utterances, {seconds / 60:.0f} min')
    for kind, parts in loaded.items():
        say(f'{kind}: {len(parts)} sounds, {sum(map(len, parts)) / RATE / 60:.0f} min')
    return pools, loaded


if __name__ == '__main__':
    packages_check()
    load()
