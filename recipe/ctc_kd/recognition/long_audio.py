"""Recordings of hours in bounded memory: posteriors of one stretch of speech after the other.

Pauses of a second end a stretch. Where there is none, overlapping windows go through the model. Their posteriors are
joined within the overlap, in a frame where both windows are surest of blank: a label at the join is neither lost nor
said twice, and the search sees one sequence of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from ctc_kd.corpus.speech import BLOCK_SAMPLES, Span, spans_of, speech_probabilities
from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.recognition.sound import BLOCK_S, Blocks

if TYPE_CHECKING:
    import numpy as np

    Posteriors = tuple[int, np.ndarray]

WINDOW_S, OVERLAP_S = 30, 4
"""What goes through the model at once, and how much of it neighbouring windows share. A recording that is no longer
than a window is not searched for pauses."""

LONGEST_SEARCH_S = 120
"""A longer stretch is searched in parts. Each but the last ends in the longest blank of its last quarter."""

LEAST_PEAK = 0.1
"""Quieter blocks are raised for silero-vad, which goes by their level. The student does not: it scales by itself."""


class LongAudio:
    """
    :param log_posteriors: samples ``[N]`` -> ``[T, C]``
    :param frame_samples: samples from one frame to the next
    :param blank: index of blank
    """

    def __init__(self, log_posteriors: Callable[[np.ndarray], np.ndarray], *, frame_samples: int, blank: int):
        self.log_posteriors = log_posteriors
        self.frame_samples = frame_samples
        self.blank = blank

    def stretches(self, blocks: Blocks) -> Iterator[Posteriors]:
        """The first sample and the log posteriors ``[T, C]`` of what is searched at once, in order."""
        spans = speech_spans(blocks)
        windows = [windows_of(span, step=self.frame_samples) for span in spans]
        pieces = cut_out(blocks(), (window for group in windows for window in group))
        for (start, _), group in zip(spans, windows, strict=True):
            parts = (((begin - start) // self.frame_samples, self.log_posteriors(next(pieces))) for begin, _ in group)
            for frame, part in self._searched_at_once(self._joined(parts)):
                yield start + frame * self.frame_samples, part

    def _joined(self, windows: Iterable[Posteriors]) -> Iterator[np.ndarray]:
        """Neighbouring parts ``[T, C]`` of a stretch.

        :param windows: first frame and posteriors of windows that overlap
        """
        first, held = 0, None
        for begin, window in windows:
            if held is not None:
                shared = first + len(held) - begin
                skipped = self._best_join(held[-shared:], window[:shared])
                yield held[: begin + skipped - first]
                begin, window = begin + skipped, window[skipped:]
            first, held = begin, window
        yield held

    def _best_join(self, left: np.ndarray, right: np.ndarray) -> int:
        """The number of frames of an overlap that the left window gives; from its inner half.

        :param left, right: log posteriors ``[T, C]`` of the same frames
        """
        blank = left[:, self.blank] + right[:, self.blank]
        begin, end = len(blank) // 4, 3 * len(blank) // 4
        return begin + int((blank[begin - 1 : end - 1] + blank[begin:end]).argmax())

    def _searched_at_once(self, parts: Iterable[np.ndarray]) -> Iterator[Posteriors]:
        """The same frames in parts of up to :data:`LONGEST_SEARCH_S`, with the number of each part's first frame."""
        import numpy as np

        most = LONGEST_SEARCH_S * SAMPLE_RATE_HZ // self.frame_samples
        first, held = 0, None
        for part in parts:
            held = part if held is None else np.concatenate([held, part])
            while len(held) > most:
                quarter = 3 * most // 4
                size = quarter + longest_run(held[quarter:most].argmax(axis=1) == self.blank)
                yield first, held[:size]
                first, held = first + size, held[size:]
        yield first, held


def longest_run(marked: np.ndarray) -> int:
    """The middle of the longest run of marked frames ``[T]``, the first of equally long ones; 0 if there is none."""
    import numpy as np

    edges = np.flatnonzero(np.diff(marked, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return 0
    longest = (ends - starts).argmax()
    return int(starts[longest] + ends[longest]) // 2


def speech_spans(blocks: Blocks) -> list[Span]:
    """The first sample of each stretch of speech, and the one after its last; a short recording is one stretch."""
    import numpy as np

    first = next(blocks(), np.zeros(0))
    if len(first) <= WINDOW_S * SAMPLE_RATE_HZ:
        return [(0, len(first))] if len(first) else []
    num_samples = 0

    def large() -> Iterator[np.ndarray]:
        nonlocal num_samples
        minutes = blocks()
        while group := list(islice(minutes, BLOCK_SAMPLES // (BLOCK_S * SAMPLE_RATE_HZ))):
            num_samples += sum(map(len, group))
            block = np.concatenate(group)
            peak = np.abs(block).max(initial=0)
            yield block / peak * LEAST_PEAK if 0 < peak < LEAST_PEAK else block

    with one_thread():
        from silero_vad import load_silero_vad

        probabilities = np.fromiter(speech_probabilities(large(), load_silero_vad()), "float32")
    return spans_of(probabilities, num_samples=num_samples, max_seconds=float("inf"))


_LOCK = Lock()
_before: list[int] = []
"""For each caller in :func:`one_thread`, the number of threads before the first of them."""


@contextmanager
def one_thread() -> Iterator[None]:
    """For Silero's small model. When its package is imported, it sets torch to one thread for all that follows."""
    import torch

    with _LOCK:
        _before.append(_before[0] if _before else torch.get_num_threads())
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _LOCK:
            torch.set_num_threads(_before.pop())


def windows_of(span: Span, *, step: int) -> list[Span]:
    """Windows of about equal length that cover a span and overlap; they begin a whole number of steps from its start.

    :param step: samples from one frame to the next
    """
    start, end = span
    window, overlap = (seconds * SAMPLE_RATE_HZ for seconds in (WINDOW_S, OVERLAP_S))
    if end - start <= window:
        return [span]
    number = -(-(end - start - overlap) // (window - overlap))
    begins = [start + part * (end - start - overlap) // number // step * step for part in range(number)]
    return list(zip(begins, [begin + overlap for begin in begins[1:]] + [end], strict=True))


def cut_out(blocks: Iterable[np.ndarray], spans: Iterable[Span]) -> Iterator[np.ndarray]:
    """The samples of spans, whose starts and ends are in order; of the last, what there is.

    :param blocks: ``[T]`` each, one behind the other
    """
    import numpy as np

    blocks, held, first = iter(blocks), np.zeros(0, np.float32), 0
    for start, end in spans:
        while first + len(held) < end and (block := next(blocks, None)) is not None:
            done = min(start - first, len(held))
            held, first = np.concatenate([held[done:], block]), first + done
        yield held[start - first : end - first]
