"""What an exported student hears: words and labels with their times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ctc_kd.decoding.blank_collapse import check_threshold, kept_frames
from ctc_kd.decoding.decoders import Decoder, GreedyDecoder, decoder_of
from ctc_kd.decoding.found import Found, Span
from ctc_kd.decoding.posteriors import emissions
from ctc_kd.frames import SAMPLE_RATE_HZ, min_samples
from ctc_kd.recognition import folder, sound
from ctc_kd.recognition.long_audio import LongAudio

if TYPE_CHECKING:
    import numpy as np


class Timed(NamedTuple):
    """A word or a label; seconds from the start of the recording. CTC says when, but hardly how long."""

    text: str
    start_s: float
    end_s: float


class Segment(NamedTuple):
    """What was said without a longer pause.

    :param words: of the text; the single labels where nothing tells words apart
    :param labels: of the model
    """

    text: str
    words: list[Timed]
    labels: list[Timed]

    @property
    def space(self) -> str:
        """What stands between words; nothing in a script without spaces."""
        return " " if " ".join(word.text for word in self.words) == self.text else ""


class Recogniser:
    """Finds words with the decoder and the scales of a student's folder, or with the best path alone.

    :param greedy: take the most probable label of each frame; neither lexicon nor language model is loaded
    :param blank_threshold: frames in which blank is more probable are not searched, see
        :func:`ctc_kd.decoding.blank_collapse.kept_frames`; None searches all. On the demo's test set 0.99 saves a
        quarter of the search's time at the same error rate
    :raises ValueError: the lexicon or the language model is damaged, or the threshold is below 0.5 or above 1
    """

    def __init__(self, student: folder.Student, *, greedy: bool = False, blank_threshold: float | None = None):
        if blank_threshold is not None:
            check_threshold(blank_threshold)
        self.student = student
        self.blank_threshold = blank_threshold
        self._decoder = GreedyDecoder(inventory=student.inventory) if greedy else _decoder(student)
        self._scales = (0.0, 0.0) if greedy else (student.decoding.lm_scale, student.decoding.prior_scale)

    @classmethod
    def from_folder(cls, path: str, **options) -> Recogniser:
        """
        :param path: folder that :func:`ctc_kd.recognition.folder.write` wrote
        :param options: those of the class
        :raises FileNotFoundError: there is no such folder, or a file is missing
        :raises ValueError: a file is damaged, of another version, or does not fit to the others
        """
        return cls(folder.read(path), **options)

    def transcribe(self, samples: np.ndarray, sample_rate_hz: int = SAMPLE_RATE_HZ) -> list[Segment]:
        """
        :param samples: see :func:`ctc_kd.recognition.sound.of_samples`
        :raises ValueError: a sample is not finite, or the type, the shape or the sample rate makes no sense
        """
        return list(self.segments(sound.of_samples(samples, sample_rate_hz)))

    def transcribe_file(self, path: str) -> Iterator[Segment]:
        """One segment after the other, in bounded memory.

        :raises ValueError: on the way, if the file is no audio; names the file
        """
        return self.segments(sound.of_file(path))

    def segments(self, blocks: sound.Blocks) -> Iterator[Segment]:
        """What was said in each stretch of speech; stretches without words are left out."""
        step = round(self.student.model.frame_shift_s * SAMPLE_RATE_HZ)
        audio = LongAudio(self.log_posteriors, frame_samples=step, blank=self.student.inventory.blank)
        for start, log_posteriors in audio.stretches(blocks):
            found = self._found(log_posteriors)
            if found.words:
                yield self._in_time(found, start / SAMPLE_RATE_HZ)

    def _found(self, log_posteriors: np.ndarray) -> Found:
        (lm_scale, prior_scale), threshold = self._scales, self.blank_threshold
        if threshold is None:
            scores = emissions(log_posteriors, self.student.log_prior, prior_scale)
            return self._decoder.found(scores, lm_scale=lm_scale)
        frames = kept_frames(log_posteriors, blank=self.student.inventory.blank, threshold=threshold)
        scores = emissions(log_posteriors[frames], self.student.log_prior, prior_scale)
        return self._decoder.found(scores, lm_scale=lm_scale).among(frames)

    def log_posteriors(self, samples: np.ndarray) -> np.ndarray:
        """What the model says, ``[T, C]``; nothing of less than a frame.

        :param samples: 16 kHz mono, float32 ``[N]``
        :raises ValueError: the model has diverged
        """
        import torch

        if len(samples) < min_samples(self.student.model.cfg.subsampling):
            return self.student.log_prior[None][:0]
        with torch.inference_mode():
            logits, lengths = self.student.model(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))
            found = logits[0, : int(lengths[0])].log_softmax(dim=-1)
        if not found.isfinite().all():
            raise ValueError("the model's outputs are not finite, so it has diverged; export another checkpoint")
        return found.numpy()

    def _in_time(self, found: Found, start_s: float) -> Segment:
        """Spans of frames as seconds; a frame reaches half a frame shift to both sides of its centre."""
        shift_s, edge_s = self.student.model.frame_shift_s, start_s + self.student.model.first_centre_s
        edge_s -= shift_s / 2

        def timed(span: Span) -> Timed:
            return Timed(span.text, max(0.0, edge_s + span.start * shift_s), edge_s + span.end * shift_s)

        return Segment(found.text, list(map(timed, found.words)), list(map(timed, found.labels)))


def _decoder(student: folder.Student) -> Decoder:
    decoding = student.decoding
    try:
        return decoder_of(student.inventory, lexicon=decoding.lexicon, lm=decoding.lm, config=decoding.search)
    except RuntimeError as error:  # of KenLM
        reason = " ".join(str(error).split()).rpartition(" threw ")[2]
        raise ValueError(f"{decoding.lm}: no language model of KenLM ({reason}); {folder.AGAIN}") from error
