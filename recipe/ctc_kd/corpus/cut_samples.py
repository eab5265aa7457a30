"""The samples of a part of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctc_kd.corpus.audio_size import mended
from ctc_kd.corpus.cuts import Cut
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.frames import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np


def samples_of(cut: Cut, *, start: int = 0, number: int | None = None) -> np.ndarray:
    """16 kHz mono, float32 ``[N]``.

    :param start: the first sample, from the start of the cut
    :param number: of samples; None for all of the cut
    :raises CorpusError: its audio cannot be decoded, or ends before
    """
    import soundfile

    first = round(cut.start * SAMPLE_RATE_HZ) + start
    wanted = cut.num_samples - start if number is None else number
    try:
        with soundfile.SoundFile(mended(cut.audio)) as audio:
            audio.seek(first)
            samples = audio.read(wanted, dtype="float32", always_2d=True)[:, 0]
    except (soundfile.LibsndfileError, OSError) as error:
        raise CorpusError(f"recording {cut.id}: {cut.audio}: cannot be decoded ({error})") from error
    if len(samples) != wanted:
        raise CorpusError(f"recording {cut.id}: {cut.audio}: {len(samples)} samples from {first} on, expected {wanted}")
    return samples
