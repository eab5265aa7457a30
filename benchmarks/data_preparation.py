"""Measures data preparation: audio into the archive, and what as many utterances as LibriSpeech has cost without audio.

    OMP_NUM_THREADS=1 python benchmarks/data_preparation.py [--hours 0.25] [--utterances 281241] [--part all]

``audio``: recordings in FLAC become archives by ``OggZipJob``: copied, at another speed, and as Vorbis. They are brown
noise, which packs like speech. ``many``: simulated utterances, whose audio is only claimed, go through the manifest,
the archive's index and the label sequences, at three speeds as in the paper's LibriSpeech; then a training opens and
checks them. Every step runs in a process of its own. Aims: minutes, and bounded memory.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import math
import multiprocessing
import os
import resource
import tempfile
import time
import zipfile

import numpy as np
import soundfile
from sisyphus import gs, tk

from ctc_kd.corpus.cuts import whole_recording_cut, write_cuts
from ctc_kd.corpus.ogg_zip import NAME, OggZipJob, read_segments
from ctc_kd.corpus.speed import perturbed_id
from ctc_kd.corpus.transcripts import write_transcripts
from ctc_kd.frames import FRAME_SHIFT_S, SAMPLE_RATE_HZ
from ctc_kd.lexicon.inventory import PHONEMES, phonemes
from ctc_kd.lexicon.label_sequences import LabelSequencesJob
from ctc_kd.lexicon.pronunciations import write_lexicon
from ctc_kd.store import HdfWriter, hdf_files, read_utterances
from ctc_kd.training.check_inputs import note_too_short
from ctc_kd.training.datasets import utterance_durations
from ctc_kd.training.dump import SHARD_SIZE

SECONDS = (2.0, 22.0)  # of the shortest and the longest utterance, 12 on average
WORDS_PER_SECOND = 2.7
FACTORS = (1.0, 0.9, 1.1)
VOCABULARY = 89_000
PARTS = ("audio", "many")


def measured(what: str, step, *arguments):
    """Runs a step in a new process, prints its processor time and peak memory, and returns the time in seconds."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, mib = pool.apply(_measure, (step, *arguments))
    print(f"{what}: {seconds:.1f} s of processor time, peak {mib:.0f} MiB", flush=True)
    return seconds


def _measure(step, *arguments) -> tuple[float, float]:
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        step(*arguments)
    return time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def nothing():
    """What the libraries take."""


def run_job(make, folder: str):
    gs.BASE_DIR, gs.WARNING_ABSPATH = folder, False
    job = make(folder)
    for path in job._sis_outputs.values():
        os.makedirs(os.path.dirname(path.get_path()), exist_ok=True)
    job.run()


# audio -------------------------------------------------------------------------------------------------------------
def write_recordings(folder: str, hours: float) -> float:
    """Writes recordings in FLAC and their manifest; returns the hours of audio."""
    rng = np.random.default_rng(0)
    cuts, total = [], 0
    while total < 3600 * hours * SAMPLE_RATE_HZ:
        samples = np.cumsum(rng.standard_normal(int(rng.uniform(*SECONDS) * SAMPLE_RATE_HZ)))
        path, name = os.path.join(folder, f"{len(cuts):06d}.flac"), f"{len(cuts):06d}"
        soundfile.write(path, 0.3 * samples / np.abs(samples).max(), SAMPLE_RATE_HZ, subtype="PCM_16")
        total += len(samples)
        cuts.append(
            whole_recording_cut(
                name, audio=path, num_samples=len(samples), sample_rate_hz=SAMPLE_RATE_HZ, speaker="noise"
            )
        )
    write_cuts(os.path.join(folder, "cuts.jsonl.gz"), cuts)
    return total / SAMPLE_RATE_HZ / 3600


def archive_job(folder: str, **options) -> OggZipJob:
    return OggZipJob(cuts=tk.Path(os.path.join(folder, "cuts.jsonl.gz")), **options)


def measure_audio(folder: str, hours: float):
    hours = write_recordings(folder, hours)
    for what, options in (
        ("copied", {}),
        ("at 0.9 of the length", {"length_factor": 0.9}),
        ("as Vorbis", {"audio_format": "vorbis"}),
    ):
        job = functools.partial(archive_job, **options)
        seconds = measured(f"archive of {hours:.2f} h of FLAC, {what}", run_job, job, folder)
        print(f"    {3600 * hours / seconds:,.0f} hours of audio per core-hour", flush=True)


# many utterances ---------------------------------------------------------------------------------------------------
def durations_of(utterances: int) -> list[int]:
    """In samples; one in a thousand is too short for its words."""
    rng = np.random.default_rng(1)
    seconds = rng.uniform(*SECONDS, utterances)
    seconds[rng.random(utterances) < 1e-3] = 0.5
    return (SAMPLE_RATE_HZ * seconds).astype(int).tolist()


def write_manifest(folder: str, utterances: int):
    write_cuts(
        os.path.join(folder, "cuts.jsonl.gz"),
        (
            whole_recording_cut(
                f"train-{number:06d}",
                audio=f"/data/LibriSpeech/train/{number:06d}.flac",
                num_samples=num_samples,
                sample_rate_hz=SAMPLE_RATE_HZ,
                speaker=f"{number // 120}",
            )
            for number, num_samples in enumerate(durations_of(utterances))
        ),
    )


def write_texts(folder: str, utterances: int):
    """Random transcripts at all speeds, and their lexicon."""
    rng = np.random.default_rng(2)
    letters = rng.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), (VOCABULARY, 12))
    lengths = rng.integers(2, 12, VOCABULARY)
    words = sorted({"".join(row[:length]) for row, length in zip(letters, lengths, strict=True)})
    sounds = rng.choice(PHONEMES, (len(words), 8)).tolist()
    spellings = {word: [row[: len(word) * 3 // 5 + 1]] for word, row in zip(words, sounds, strict=True)}
    write_lexicon(os.path.join(folder, "lexicon.txt"), spellings)
    texts = {}
    for number, num_samples in enumerate(durations_of(utterances)):
        count = max(3, int(WORDS_PER_SECOND * num_samples / SAMPLE_RATE_HZ))
        texts[f"train-{number:06d}"] = " ".join(words[i] for i in rng.integers(0, len(words), count))
    every = {perturbed_id(name, factor): text for factor in FACTORS for name, text in texts.items()}
    write_transcripts(os.path.join(folder, "transcripts.txt"), every)


def archive(folder: str, factor: float) -> str:
    return os.path.join(folder, f"{factor:g}", f"{NAME}.zip")


def write_index(folder: str, factor: float):
    """An archive as ``OggZipJob`` writes it, with empty files in the place of audio."""
    job = archive_job(folder, length_factor=factor)
    segments = read_segments(job.cuts.get_path())
    with zipfile.ZipFile(archive(folder, factor), "w") as file:
        for segment in segments:
            file.writestr(zipfile.ZipInfo(f"{NAME}/{job.entry(segment)['file']}"), b"")
        lines = (f"{job.entry(segment)!r},\n" for segment in segments)
        file.writestr(zipfile.ZipInfo(f"{NAME}.txt"), "[\n" + "".join(lines) + "]\n")


def labels_job(folder: str) -> LabelSequencesJob:
    transcripts, lexicon = (tk.Path(os.path.join(folder, name)) for name in ("transcripts.txt", "lexicon.txt"))
    return LabelSequencesJob(transcripts=transcripts, lexicon=lexicon)


def write_store(folder: str, utterances: int):
    """A store of logits in as many shards as ``DumpLogitsJob`` makes, two frames for each utterance."""
    labels, logits = phonemes().labels, np.zeros((2, 79), dtype="float16")
    os.mkdir(os.path.join(folder, "logits"))
    for shard, start in enumerate(range(0, utterances, SHARD_SIZE)):
        path = os.path.join(folder, "logits", f"{shard:06d}.hdf")
        with HdfWriter(path, labels=labels, metadata={"frame_shift_s": FRAME_SHIFT_S}) as writer:
            for number in range(start, min(start + SHARD_SIZE, utterances)):
                writer.add(f"train-{number:06d}", logits)


def open_store(folder: str):
    """As the training's loader does."""
    from returnn.datasets.basic import init_dataset

    files = hdf_files(os.path.join(folder, "logits"))
    init_dataset({"class": "HDFDataset", "files": files, "use_cache_manager": False}).init_seq_order(epoch=1)


def list_store(folder: str):
    sum(1 for _ in read_utterances(os.path.join(folder, "logits")))


def read_durations(folder: str):
    utterance_durations([archive(folder, factor) for factor in FACTORS])


def note(folder: str, labels: str):
    note_too_short(labels, utterance_durations([archive(folder, factor) for factor in FACTORS]), subsampling=4)


def measure_many(folder: str, utterances: int):
    measured("the libraries alone", nothing)
    measured(f"manifest of {utterances:,} utterances, written", write_manifest, folder, utterances)
    measured("manifest, read", read_segments, os.path.join(folder, "cuts.jsonl.gz"))
    for factor in FACTORS:
        os.mkdir(os.path.dirname(archive(folder, factor)))
        measured(f"archive and its index at {factor:g} of the length", write_index, folder, factor)
    write_texts(folder, utterances)
    measured(f"labels at {len(FACTORS)} speeds", run_job, labels_job, folder)
    write_store(folder, utterances)
    measured(f"store of {math.ceil(utterances / SHARD_SIZE)} shards, opened by RETURNN", open_store, folder)
    measured("store, utterances listed", list_store, folder)
    measured("training: durations read from the indices", read_durations, folder)
    gs.BASE_DIR, gs.WARNING_ABSPATH = folder, False
    labels = labels_job(folder).out_hdf.get_path()
    measured("training: durations read, and utterances found that are too short", note, folder, labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hours", type=float, default=0.25, help="of audio")
    parser.add_argument("--utterances", type=int, default=281_241, help="simulated ones")
    parser.add_argument("--part", choices=(*PARTS, "all"), default="all")
    options = parser.parse_args()
    for part in PARTS:
        if options.part in (part, "all"):
            with tempfile.TemporaryDirectory() as folder:
                if part == "audio":
                    measure_audio(folder, options.hours)
                else:
                    measure_many(folder, options.utterances)


if __name__ == "__main__":
    main()
