"""Measures what grows with the number of utterances: how long jobs and RETURNN take to open a large corpus.

    OMP_NUM_THREADS=1 python benchmarks/many_utterances.py [--utterances 50000]

It makes an archive that has only its index, and stores of logits with one frame for each utterance. Each measurement
has a process of its own; times are processor time of one core. `scale.py` computes what follows for whole corpora.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from scale import STUDENT_SPEED, shards, table

from ctc_kd.training.dump import SHARD_SIZE


def write_index(folder: str, number: int):
    """An archive that has only its index, and stores of one frame for each utterance."""
    import numpy as np

    from ctc_kd.lexicon.inventory import phonemes
    from ctc_kd.store import HdfWriter

    names = [f"1088-134315-{index:07d}" for index in range(number)]
    entries = (
        {"text": "", "file": f"{one}.flac", "seq_name": one, "duration": 12.345, "speaker_name": "1088"}
        for one in names
    )
    with zipfile.ZipFile(os.path.join(folder, "index.zip"), "w") as archive:
        archive.writestr("index.txt", "[\n" + "".join(f"{entry!r},\n" for entry in entries) + "]\n")
    os.mkdir(os.path.join(folder, "logits"))
    left, frame = iter(names), np.zeros((1, 79), "float16")
    for shard in range(shards(number)):
        with HdfWriter(os.path.join(folder, "logits", f"{shard:05d}.hdf"), labels=phonemes().labels) as store:
            for one in islice(left, SHARD_SIZE):
                store.add(one, frame)


def grown(what: str, folder: str) -> tuple[float, float, float]:
    """Seconds, bytes that the process has more afterwards, and at its peak.

    :param what: ``"index"`` as jobs read it, or ``"dataset"``, RETURNN's for a training
    """
    import psutil
    from returnn.datasets.basic import init_dataset

    from ctc_kd.recognition.cost import peak_mib
    from ctc_kd.store import hdf_files
    from ctc_kd.training.datasets import audio_dataset, joined_dataset, utterance_durations

    archive, kept = os.path.join(folder, "index.zip"), None
    sys.stdout = sys.stderr  # RETURNN prints
    before, start = psutil.Process().memory_info().rss, time.process_time()
    if what == "index":
        kept = utterance_durations([archive])
    else:
        audio = audio_dataset([archive], seq_ordering="laplace:.1000", partition_epoch=10)
        stores = {"teacher": hdf_files(os.path.join(folder, "logits"))}
        kept = init_dataset(joined_dataset(audio=audio, stores=stores))
        kept.init_seq_order(epoch=1)
    seconds = time.process_time() - start
    assert kept is not None
    return seconds, psutil.Process().memory_info().rss - before, 2**20 * peak_mib() - before


def load_speed(folder: str) -> float:
    """Hours of audio that one core reads, decodes and joins with logits in an hour."""
    from returnn.datasets.basic import init_dataset
    from training_speed import write_corpus

    from ctc_kd.training.datasets import audio_dataset, joined_dataset

    sys.stdout = sys.stderr  # RETURNN prints
    seconds = write_corpus(folder, "train", 0.1)
    audio = audio_dataset([os.path.join(folder, "train.zip")], seq_ordering="default")
    dataset = init_dataset(joined_dataset(audio=audio, stores={"teacher": [os.path.join(folder, "train.hdf")]}))
    dataset.init_seq_order(epoch=1)
    index, start = 0, time.process_time()
    while dataset.is_less_than_num_seqs(index):
        dataset.load_seqs(index, index + 1)
        dataset.get_data(index, "audio"), dataset.get_data(index, "teacher")
        index += 1
    return seconds / (time.process_time() - start)


def measured(number: int) -> str:
    heads = ["for a million utterances, on one core", "s", "GB afterwards", "GB at the peak"]
    rows, context = [], multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        write_index(folder, number)
        for what, shown in (("index", "a job reads the index"), ("dataset", "a process of RETURNN opens the sets")):
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                seconds, *bytes_ = pool.submit(grown, what, folder).result()
            per_million = 1e6 / number
            rows.append([shown, f"{seconds * per_million:.0f}", *(f"{one * per_million / 1e9:.1f}" for one in bytes_)])
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            speed = pool.submit(load_speed, folder).result()
    cores = STUDENT_SPEED / speed
    return (
        f"{table(heads, rows)}\n\nFLAC and logits through RETURNN: {speed:,.0f} hours of audio for an hour of one "
        f"core, so {STUDENT_SPEED:,} for an hour of a GPU take {cores:.1f} cores."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=50_000, help="size of the corpus that is made")
    options = parser.parse_args()
    print(measured(options.utterances))


if __name__ == "__main__":
    main()
