"""Audio of any sample rate as 16 kHz, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from ctc_kd.frames import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np


def resampled(blocks: Iterable[np.ndarray], sample_rate_hz: int) -> Iterator[np.ndarray]:
    """Resamples a signal to 16 kHz, block by block.

    A block is resampled with the second before it and that after it, so that the result is the one of the whole.

    :param blocks: ``[T]`` float32; all but the last have a whole number of seconds, one or more
    """
    import numpy as np
    import torch
    from torchaudio.functional import resample

    before = np.zeros(0, np.float32)
    for block, after in pairwise(chain(blocks, [before])):
        context = torch.from_numpy(np.concatenate([before, block, after[:sample_rate_hz]]))
        start = len(before) * SAMPLE_RATE_HZ // sample_rate_hz
        num_samples = -(-len(block) * SAMPLE_RATE_HZ // sample_rate_hz)
        yield resample(context, sample_rate_hz, SAMPLE_RATE_HZ)[start : start + num_samples].numpy()
        before = block[-sample_rate_hz:]
