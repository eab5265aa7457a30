"""Audio of other sample rates as 16 kHz, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from math import gcd
from typing import TYPE_CHECKING

from ctc_kd.corpus.problems import CorpusError
from ctc_kd.frames import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np

LARGEST_KERNEL = 10**8
"""torchaudio's kernel has an entry for each pair of an input and an output sample in a common period: here, 2 GB."""


def resampled(blocks: Iterable[np.ndarray], sample_rate_hz: int) -> Iterator[np.ndarray]:
    """Resamples a signal to 16 kHz, block by block.

    A block is resampled with the second before it and that after it, so that the result is the one of the whole.

    :param blocks: ``[T]`` float32; all but the last have a whole number of seconds, one or more
    :raises CorpusError: the sample rate has so small a divisor in common with 16000 that memory would not do
    """
    import numpy as np
    import torch
    from torchaudio.functional import resample

    if sample_rate_hz * SAMPLE_RATE_HZ // gcd(sample_rate_hz, SAMPLE_RATE_HZ) ** 2 > LARGEST_KERNEL:
        raise CorpusError(
            f"{sample_rate_hz} Hz takes too much memory to resample here; run ffmpeg -i IN -ar {SAMPLE_RATE_HZ} OUT"
        )
    before = np.zeros(0, np.float32)
    for block, after in pairwise(chain(blocks, [before])):
        context = torch.from_numpy(np.concatenate([before, block, after[:sample_rate_hz]]))
        start = len(before) * SAMPLE_RATE_HZ // sample_rate_hz
        num_samples = -(-len(block) * SAMPLE_RATE_HZ // sample_rate_hz)
        yield resample(context, sample_rate_hz, SAMPLE_RATE_HZ)[start : start + num_samples].numpy()
        before = block[-sample_rate_hz:]
