"""Lexicon-constrained CTC beam search with a word n-gram model: Flashlight's decoder (paper section 3)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ctc_kd.decoding.found import Found, found_in_lexicon
from ctc_kd.inventory import Inventory
from ctc_kd.plain_numbers import make_plain

if TYPE_CHECKING:
    import numpy as np

UNKNOWN_WORD = "<unk>"
MAX_HOMOPHONES = 6
"""Flashlight keeps at most this many words with the same pronunciation and silently drops the others: in a large
lexicon in alphabetical order, for example, ``YOU``. Here the most probable ones are kept."""


@dataclass(frozen=True)
class SearchConfig:
    """Beam sizes and scores of the search; the defaults are the paper's.

    Attributes:
        beam_size: hypotheses kept after each frame
        beam_size_token: how many of the most probable classes extend a hypothesis at each frame
        beam_threshold: hypotheses scoring this much (natural log) below the best one are dropped
        word_score: added for each word of a lexicon
        sil_score: added for each blank frame, or in a search with lexicon for each frame of the label between words
    """

    beam_size: int = 1024
    beam_size_token: int = 12
    beam_threshold: float = 14.0
    word_score: float = 0.0
    sil_score: float = 0.0

    def __post_init__(self):
        make_plain(self)


def best_results(decoder: Any, scores: np.ndarray) -> Iterator[Any]:
    """Flashlight's results with the highest score. Those come in the order of memory addresses, which differs by run.

    :param scores: ``[T, C]`` float32, C-contiguous
    """
    results = decoder.decode(scores.ctypes.data, *scores.shape)
    return itertools.takewhile(lambda result: result.score == results[0].score, results)


class LexiconDecoder:
    """Finds the word sequence with the highest ``log p_AM + lm_scale * log10 p_LM`` (Viterbi: best path, no sums).

    Paths are those of CTC, but at the ends of words, where Flashlight returns to the root of its tree: the last label
    in a spelling has a single frame, and needs no blank before it even if the label before is the same. What becomes of
    it depends on the labels:

    - phonemes with marked ends: the last phoneme of a word has a single frame, then comes blank or the next word.
    - a label between words: spellings end with it. It may have any number of frames, and stand at the start and at the
      end of an utterance, or not.
    - neither: words have a second spelling with a further label at its end, whose emissions are those of blank. So
      their own last label has any number of frames before blank, and only before another word a single one. Words whose
      last two labels are the same have only that spelling: there is a blank behind them.

    Only words of the lexicon are found, and of the words with one pronunciation only the six most probable unigrams. A
    word that the language model does not know has the model's probability of ``<unk>``. All scales share the prefix
    tree and the language model.

    :param lexicon: word -> its spellings by labels (of phonemes, base phonemes); all of them are searched
    :param lm: KenLM model file, binary or ARPA
    :param inventory: of the emissions
    """

    def __init__(
        self,
        *,
        lexicon: Mapping[str, Iterable[Sequence[str]]],
        lm: str,
        config: SearchConfig,
        inventory: Inventory,
    ):
        from flashlight.lib.text.decoder.kenlm import KenLM
        from flashlight.lib.text.dictionary import Dictionary

        self.config = config
        self._inventory = inventory
        self._words = [*lexicon, UNKNOWN_WORD]
        self._endings = self._endings_of_words()
        self._lm = KenLM(lm, Dictionary(self._words))
        self._trie = self._build_trie(lexicon)
        self._decoder = None
        self._decoder_lm_scale: float | None = None

    def _endings_of_words(self) -> list[tuple[int, ...]]:
        """What the spellings in the tree end with; the number of labels stands for the further label."""
        if self._inventory.marks_ends:
            return [()]
        separator = self._inventory.separator
        return [(), (len(self._inventory.labels),)] if separator is None else [(separator,)]

    def _build_trie(self, lexicon: Mapping[str, Iterable[Sequence[str]]]):
        """All pronunciations as a prefix tree; inner nodes look ahead to the best score below them, after ``<s>``."""
        from flashlight.lib.text.decoder import SmearingMode, Trie

        unigrams, scores = (
            [self._lm.score(self._lm.start(without_context), index)[1] for index in range(len(lexicon))]
            for without_context in (True, False)
        )
        homophones: dict[tuple[int, ...], list[int]] = {}
        for index, (word, pronunciations) in enumerate(lexicon.items()):
            for spelling in dict.fromkeys(self._spell(word, pronunciation) for pronunciation in pronunciations):
                homophones.setdefault(spelling, []).append(index)
        left_out = []
        for words in homophones.values():
            if len(words) > MAX_HOMOPHONES:
                words.sort(key=lambda index: -unigrams[index])
                left_out += words[MAX_HOMOPHONES:]
                del words[MAX_HOMOPHONES:]
        if left_out:
            shown = ", ".join(self._words[index] for index in left_out[:10])
            print(
                f"note: {len(left_out)} words cannot be found by a pronunciation that {MAX_HOMOPHONES} more probable "
                f"words have, because Flashlight keeps no more: {shown}{', ...' if len(left_out) > 10 else ''}",
                flush=True,
            )
        blank = self._inventory.blank
        trie = Trie(len(self._inventory.labels) + 1, blank)
        for spelling, words in homophones.items():
            endings = self._endings[-1:] if spelling[-2:-1] == spelling[-1:] else self._endings
            for index, ending in itertools.product(words, endings):
                trie.insert([*spelling, *ending], index, scores[index])
        trie.smear(SmearingMode.MAX)
        return trie

    def _spell(self, word: str, pronunciation: Sequence[str]) -> tuple[int, ...]:
        try:
            return self._inventory.word(pronunciation)
        except ValueError as error:
            raise ValueError(f"lexicon: {word}: {error}") from None

    def _decoder_for(self, lm_scale: float):
        """The decoder for a scale, which Flashlight fixes when it makes one; the last decoder is kept."""
        from flashlight.lib.text.decoder import CriterionType, LexiconDecoderOptions
        from flashlight.lib.text.decoder import LexiconDecoder as FlashlightDecoder

        if lm_scale != self._decoder_lm_scale:
            options = LexiconDecoderOptions(
                beam_size=self.config.beam_size,
                beam_size_token=self.config.beam_size_token + len(self._endings) - 1,
                beam_threshold=self.config.beam_threshold,
                lm_weight=lm_scale,
                word_score=self.config.word_score,
                unk_score=float("-inf"),
                sil_score=self.config.sil_score,
                log_add=False,
                criterion_type=CriterionType.CTC,
            )
            blank, separator, unknown = self._inventory.blank, self._inventory.separator, len(self._words) - 1
            between = blank if separator is None else separator
            self._decoder = FlashlightDecoder(options, self._trie, self._lm, between, blank, unknown, [], False)
            self._decoder_lm_scale = lm_scale
        return self._decoder

    def search(self, emissions: np.ndarray, *, lm_scale: float) -> str:
        """The best word sequence; among equally good ones (homophones at scale 0) the first in alphabetical order.

        :param emissions: ``[T, C]`` float32, C-contiguous, see :func:`ctc_kd.decoding.posteriors.emissions`
        """
        return " ".join(self._best(emissions, lm_scale)[0])

    def found(self, emissions: np.ndarray, *, lm_scale: float) -> Found:
        """The same, with the frames of words and labels."""
        words, result = self._best(emissions, lm_scale)
        if result is None:
            return Found("", [], [])
        # a path begins with a frame of Flashlight's own, and may have frames behind the last of the emissions
        num_frames, blank = len(emissions), self._inventory.blank
        path = [token if token < len(self._inventory.labels) else blank for token in result.tokens[1 : num_frames + 1]]
        complete = (min(frame, num_frames) - 1 for frame, word in enumerate(result.words) if word >= 0)
        return found_in_lexicon(path, zip(words, complete, strict=True), self._inventory)

    def _best(self, emissions: np.ndarray, lm_scale: float) -> tuple[list[str], Any]:
        """The words, and Flashlight's result; None if there is none."""
        if not len(emissions):
            return [], None
        best = best_results(self._decoder_for(lm_scale), self._ended(emissions))
        words = (([self._words[index] for index in result.words if index >= 0], result) for result in best)
        return min(words, key=lambda found: (found[0], list(found[1].tokens)), default=([], None))

    def _ended(self, emissions: np.ndarray) -> np.ndarray:
        """Adds a frame for the ending of the last word, which costs nothing, and the emissions of a second ending."""
        import numpy as np

        blank = self._inventory.blank
        if self._inventory.marks_ends:
            return emissions
        if len(self._endings) == 2:
            emissions = np.concatenate([emissions, emissions[:, [blank]]], axis=1)
        end = np.full((1, emissions.shape[1]), -np.inf, dtype=emissions.dtype)
        end[:, [blank, self._endings[-1][0]]] = 0.0
        return np.concatenate([emissions, end])
