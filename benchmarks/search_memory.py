"""Measures the memory of a search with many workers, which share lexicon and language model.

    python benchmarks/search_memory.py [--workers 8]

The workers of ``TuneScalesJob`` are forked from a process that has loaded both. Each searches some utterances with two
scales; what it then has to itself, above all its hypotheses, is what a further worker costs. Lexicon, bigrams and
posteriors are made as in `scale_tuning.py`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import psutil
from scale_tuning import LM_SCALES, make_task

MIB = 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60, help="of audio, shared by the workers")
    parser.add_argument("--words", type=int, default=100_000, help="in the lexicon")
    parser.add_argument("--beam", type=int, default=1024)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_task(Path(folder), options.seconds, lexicon_size=options.words)
        measure(Path(folder), options)


def measure(folder: Path, options):
    from sisyphus import tk

    from ctc_kd.decoding.search import SearchConfig
    from ctc_kd.decoding.stored import StoredSet
    from ctc_kd.decoding.workers import chunks, run_units

    names = {"posteriors": "posteriors.hdf", "prior": "log_prior.txt", "lexicon": "lexicon.txt", "lm": "lm.arpa"}
    paths = {key: tk.Path(str(folder / name)) for key, name in names.items()}
    before = psutil.Process().memory_info().rss
    stored = StoredSet(**paths, config=SearchConfig(beam_size=options.beam))
    loaded = psutil.Process().memory_info().rss

    def search(utterances: list[str]) -> tuple[int, int]:
        for lm_scale in LM_SCALES[:2]:
            for utterance in utterances:
                stored.search(utterance, lm_scale=lm_scale, prior_scale=0.0)
        return os.getpid(), psutil.Process().memory_full_info().uss

    units = dict(enumerate(chunks(stored.lengths, options.workers)))
    own = {}
    for _, (worker, size) in run_units(search, units, workers=options.workers):
        own[worker] = max(size, own.get(worker, 0))
    most = max(own.values())
    print(f"{options.words} words, beam {options.beam}")
    print(f"lexicon, language model and posteriors, shared: {(loaded - before) / MIB:.0f} MiB")
    print(f"a worker's own memory after its searches, at most, of {len(own)}: {most / MIB:.0f} MiB")


if __name__ == "__main__":
    main()
