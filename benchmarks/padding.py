"""How much of a training's batches is padding, on durations like LibriSpeech's, in the orders that RETURNN offers.

    python benchmarks/padding.py                  # 10,000 utterances
    python benchmarks/padding.py ARCHIVE.zip ...  # those of audio archives

RETURNN itself orders the utterances and cuts the batches, as in a training. Prints for batches of 15 to 300 s, padding
included, the share that is padding: in random order, in that of our trainings (sorted inside bins), and fully sorted.
"""

from __future__ import annotations

import argparse

import numpy as np
from returnn.datasets.generating import StaticDataset
from returnn.torch.data.pipeline import BatchingIterDataPipe
from returnn.torch.data.returnn_dataset_wrapper import ReturnnDatasetIterDataPipe

from ctc_kd.training.datasets import utterance_durations
from ctc_kd.training.training_config import TrainingConfig

QUANTILES = [1.9, 4.0, 6.3, 8.7, 10.0, 11.3, 12.3, 12.7, 13.2, 13.6, 13.9]
QUANTILES += [14.2, 14.5, 14.7, 14.9, 15.2, 15.4, 15.5, 15.8, 16.0, 17.3]
"""Of the durations [s] of 1,283 utterances of LibriSpeech's train-clean-5: the least, 5 %, 10 %, ... the longest."""

ORDERS = {"random": "random", "sorted in bins": f"laplace:.{TrainingConfig.bin_size}", "sorted": "sorted"}
BATCH_SECONDS = (15, 40, 100, 300)
FRAMES_PER_SECOND = 100


def drawn(utterances: int) -> np.ndarray:
    return np.interp(np.random.default_rng(1).random(utterances), np.linspace(0, 1, len(QUANTILES)), QUANTILES)


def padding(utterances: list[dict[str, np.ndarray]], order: str, batch_seconds: float) -> float:
    """The share of all batches of a pass."""
    dataset = StaticDataset(utterances, output_dim={"data": (1, 2)}, seq_ordering=order)
    dataset.init_seq_order(epoch=1)
    pipe = ReturnnDatasetIterDataPipe(dataset)
    batches = BatchingIterDataPipe(pipe, batch_size=FRAMES_PER_SECOND * batch_seconds, max_seqs=10_000)
    sizes = [[len(one["data"]) for one in batch] for batch in batches]
    return 1 - sum(map(sum, sizes)) / sum(len(batch) * max(batch) for batch in sizes)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archives", nargs="*")
    parser.add_argument("--utterances", type=int, default=10_000, help="drawn from LibriSpeech's durations")
    args = parser.parse_args()
    seconds = np.array(list(utterance_durations(args.archives).values())) if args.archives else drawn(args.utterances)
    print(f"{len(seconds):,} utterances, {seconds.sum() / 3600:.1f} h, {seconds.mean():.1f} s on average")
    utterances = [{"data": np.zeros((int(FRAMES_PER_SECOND * one), 1), np.int8)} for one in seconds]
    print(f"{'batches of':15} {' '.join(f'{batch:5} s' for batch in BATCH_SECONDS)}")
    for name, order in ORDERS.items():
        shares = [f"{100 * padding(utterances, order, batch):5.1f} %" for batch in BATCH_SECONDS]
        print(f"{name:15} {' '.join(shares)}", flush=True)


if __name__ == "__main__":
    main()
