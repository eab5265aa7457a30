"""Compares exported models with Whisper and PocketSphinx on the same recordings: speed, memory, word error rate.

    python benchmarks/recognition.py AUDIO FOLDER [FOLDER ...] [--whisper WEIGHTS] [--threads 1] [--recordings 24]

AUDIO is a folder in LibriSpeech's layout, the FOLDERs are exported: a student, its teacher. The rivals are optional:

    pip install --target RIVALS faster-whisper pocketsphinx    # then PYTHONPATH=RIVALS

WEIGHTS is a folder in CTranslate2's format, such as ``ct2-transformers-converter --model openai/whisper-base`` writes
it, or a name that faster-whisper knows (``base``); they are run in int8, with a beam of 5 and greedily. PocketSphinx
comes with its model. Each has a process of its own in each round and the rounds take turns; the table shows medians.

RTF is seconds for a second of audio, file to text: processor time on one thread, else time of the clock. Memory is the
peak, libraries included. Words are compared as Whisper's authors do, with their normaliser for all: digits, spelling
and punctuation are no errors.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple


class Heard(NamedTuple):
    """
    :param seconds: that all recordings took
    :param peak_mib: the most memory that the process had
    :param waited: share of the time in which it had no core
    :param texts: one for each recording
    """

    seconds: float
    peak_mib: float
    waited: float
    texts: list[str]


# What follows runs in processes of their own, so it imports only what it needs.


def exported(folder: str, threads: int) -> Callable[[str], str]:
    import torch

    from ctc_kd.recognition.recogniser import Recogniser

    torch.set_num_threads(threads)
    recogniser = Recogniser.from_folder(folder)
    return lambda path: " ".join(segment.text for segment in recogniser.transcribe_file(path))


def whisper(weights: str, threads: int, *, greedy: bool = False) -> Callable[[str], str]:
    import soundfile

    from ctc_kd.pseudo_labels.whisper import GREEDY, FasterWhisper, WhisperDecoding

    decoding = GREEDY if greedy else WhisperDecoding()
    model = FasterWhisper(weights, language="en", decoding=decoding, threads=threads)

    def text(path):
        samples, _ = soundfile.read(path, dtype="float32")
        return " ".join(segment["text"] for segment in model.decode(samples)["segments"])

    return text


def greedy_whisper(weights: str, threads: int) -> Callable[[str], str]:
    return whisper(weights, threads, greedy=True)


def sphinx(_, threads: int) -> Callable[[str], str]:
    import pocketsphinx
    import soundfile

    decoder = pocketsphinx.Decoder(samprate=16000, loglevel="FATAL")  # has one thread

    def text(path):
        samples, _ = soundfile.read(path, dtype="int16")
        decoder.start_utt()
        decoder.process_raw(samples.tobytes(), full_utt=True)
        decoder.end_utt()
        return decoder.hyp().hypstr if decoder.hyp() else ""

    return text


def hear(build: Callable, weights: str, paths: list[str], threads: int) -> Heard:
    """Recognises the recordings; the first is heard once more before, since the first call of everything is slow."""
    from ctc_kd.recognition.cost import peak_mib, waited_s

    text = build(weights, threads)
    text(paths[0])
    clock = time.process_time if threads == 1 else time.perf_counter
    begin, start, waited = time.perf_counter(), clock(), waited_s()
    texts = [text(path) for path in paths]
    seconds, waited = clock() - start, (waited_s() - waited) / (time.perf_counter() - begin)
    return Heard(seconds, peak_mib(), waited, texts)


# What follows runs in the process that starts them.


def read_references(audio: Path) -> dict[str, str]:
    from ctc_kd.corpus.transcripts import read_normalised

    found = {}
    for path in sorted(audio.rglob("*.trans.txt")):
        found |= read_normalised(str(path), None)
    return found


def choose(audio: Path, references: dict[str, str], number: int) -> list[str]:
    """Recordings with a transcript, spread over the folder."""
    files = sorted(str(path) for path in audio.rglob("*.flac") if path.stem in references)
    if not files:
        raise SystemExit(f"{audio}: no .flac files with a line in a .trans.txt, expected LibriSpeech's layout")
    number = min(number, len(files))
    return [files[index * len(files) // number] for index in range(number)]


def systems_of(options: argparse.Namespace) -> dict[str, tuple[Callable, str]]:
    """Name -> how it is made, and of what; says which rivals are not there."""
    found = {}
    for folder in options.folders:
        config = json.loads(Path(folder, "config.json").read_text())
        name = config["facts"].get("row") or os.path.basename(os.path.normpath(folder))
        found[f"{name} ({config['model']['class']})"] = (exported, folder)
    if not options.whisper or importlib.util.find_spec("faster_whisper") is None:
        print("faster-whisper is not installed, or --whisper names no weights: it is left out")
    else:
        found["faster-whisper int8, beam 5"] = (whisper, options.whisper)
        found["faster-whisper int8, greedy"] = (greedy_whisper, options.whisper)
    if importlib.util.find_spec("pocketsphinx") is None:
        print("pocketsphinx is not installed: it is left out")
    else:
        found["pocketsphinx"] = (sphinx, "")
    return found


def measured(systems: dict, paths: list[str], options: argparse.Namespace) -> dict[str, list[Heard]]:
    found = {name: [] for name in systems}
    context = multiprocessing.get_context("spawn")  # a new interpreter, so that memory is that of one system
    for _ in range(options.rounds):
        for name, (build, weights) in systems.items():
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                found[name].append(pool.submit(hear, build, weights, paths, options.threads).result())
    return found


def word_errors(texts: list[str], references: list[str]):
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    from ctc_kd.scoring.alignment import Counts, align, count

    normalised = EnglishTextNormalizer({})  # without its table of British spellings
    pairs = zip(references, texts, strict=True)
    return sum((count(align(normalised(a).split(), normalised(b).split())) for a, b in pairs), Counts())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", type=Path)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--whisper", help="weights for faster-whisper")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--recordings", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for library in ("OMP", "MKL", "OPENBLAS"):
        os.environ[f"{library}_NUM_THREADS"] = str(options.threads)  # for the processes that are started
    import soundfile

    references = read_references(options.audio)
    paths = choose(options.audio, references, options.recordings)
    seconds = sum(soundfile.info(path).duration for path in paths)
    systems = systems_of(options)
    print(f"{len(paths)} recordings, {seconds:.0f} s, {options.threads} thread(s), {options.rounds} round(s)")
    print(f"{'system':<34} {'RTF':>8} {'peak MiB':>9} {'WER, %':>7} {'waited':>7}")
    said = [references[Path(path).stem] for path in paths]
    for name, rounds in measured(systems, paths, options).items():
        rtf, peak, waited = (
            statistics.median(getattr(one, what) for one in rounds) for what in ("seconds", "peak_mib", "waited")
        )
        wer = word_errors(rounds[0].texts, said).wer
        print(f"{name:<34} {rtf / seconds:8.4f} {peak:9.0f} {wer:7.1f} {waited:7.0%}", flush=True)


if __name__ == "__main__":
    main()
