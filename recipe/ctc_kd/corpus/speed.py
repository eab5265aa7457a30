"""Speed perturbation by a fixed set of factors: each factor makes a further archive to train on.

The code of arXiv 2506.01503 draws a factor of {0.9, 1, 1.1} for each utterance in each pass over the corpus. Here, the
archive of a factor (``OggZipJob`` with ``length_factor``) holds every utterance under an id of its own, so that it has
labels and stored teacher logits like any utterance. One pass over the three archives replaces three passes with random
factors, and each utterance occurs exactly once with each factor.

A factor multiplies the length, as in that code: with 0.9, speech is shorter and higher. (Kaldi and lhotse call that
speed 1.11.)
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.corpus.transcripts import read_texts, write_transcripts

if TYPE_CHECKING:
    import numpy as np

LENGTH_FACTORS = (0.9, 1.0, 1.1)


class PerturbedTranscriptsJob(Job):
    """The transcripts of the utterances at all speeds, factor after factor.

    :param factors: of the length; with factor 1 the ids stay as they are, see :func:`perturbed_id`
    """

    def __init__(self, *, transcripts: tk.Path, factors: list[float]):
        self.transcripts = transcripts
        self.factors = factors
        self.out_transcripts = self.output_path("transcripts.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        transcripts = read_texts(self.transcripts.get_path())
        perturbed = {
            perturbed_id(utterance, factor): words
            for factor in self.factors
            for utterance, words in transcripts.items()
        }
        write_transcripts(self.out_transcripts.get_path(), perturbed)


def perturbed_id(utterance: str, factor: float) -> str:
    """``<id>-sp0.9``; with factor 1 the id itself."""
    return utterance if factor == 1 else f"{utterance}-sp{factor:g}"


def perturbed_length(num_samples: int, factor: float) -> int:
    ratio = _ratio(factor)
    return -(-num_samples * ratio.numerator // ratio.denominator)


def perturb(samples: np.ndarray, factor: float) -> np.ndarray:
    """Resamples int16 ``[T]`` to ``[perturbed_length(T)]``, with the published code's parameters, ``kaiser_fast``.

    The result is played at the old sampling rate, so that length and pitch change. It is rounded, because archives hold
    16-bit audio; the published code resamples floating-point audio after pre-emphasis, see docs/fidelity.md.
    """
    if factor == 1:
        return samples
    import torch
    from torchaudio.functional import resample

    ratio = _ratio(factor)
    resampled = resample(
        torch.from_numpy(samples).float(),
        ratio.denominator,
        ratio.numerator,
        resampling_method="sinc_interp_kaiser",
        lowpass_filter_width=16,
        rolloff=0.85,
        beta=8.555504641634386,
    )
    return resampled.round().clamp(-(2**15), 2**15 - 1).short().numpy()


def _ratio(factor: float) -> Fraction:
    return Fraction(factor).limit_denominator(100)
