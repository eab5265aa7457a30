"""Pieces as the tokens that a Whisper model writes about them, with and without times."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.pseudo_labels.pieces import TICKS_PER_S, Piece, read_pieces, write_pieces

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LARGEST_ENGLISH_VOCABULARY = 51864
"""Whisper models with more tokens know several languages, and read which one it is."""


class TokensJob(Job):
    """Writes the tokens of each piece, from the start of the transcript to the end of the text.

    A piece with more tokens than the decoder has positions is left out and printed.

    :param pieces: labelled audio
    :param model: folder or hub name of the Whisper model of transformers that labelled it
    :param language: of the texts, such as ``"en"``; None for that of each piece. English models ignore it
    :param cuts: manifest that says which pieces to take; None for all
    :param timestamps: the share of pieces whose tokens say when segments begin and end, drawn by their ids

    ``out_hdf``: store of label sequences; its metadata has ``prompt``, the number of tokens that are only read.
    ``out_pieces``: those that have tokens.
    """

    def __init__(
        self,
        *,
        pieces: tk.Path,
        model: tk.Path | str,
        language: str | None,
        timestamps: float = 0.5,
        cuts: tk.Path | None = None,
    ):
        if not 0 <= timestamps <= 1:
            raise ValueError(f"timestamps {timestamps}: expected a share from 0 to 1")
        self.pieces = pieces
        self.model = model
        self.language = language
        self.timestamps = timestamps
        self.cuts = cuts
        self.out_hdf = self.output_path("tokens.hdf")
        self.out_pieces = self.output_path("pieces.jsonl.gz")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import numpy as np
        from transformers import AutoConfig, AutoTokenizer

        from ctc_kd.store import HdfWriter
        from ctc_kd.training.returnn_config import as_literal

        name = as_literal(self.model)
        tokenizer, config = AutoTokenizer.from_pretrained(name), AutoConfig.from_pretrained(name)
        english = config.vocab_size <= LARGEST_ENGLISH_VOCABULARY
        wanted = None if self.cuts is None else {cut.id for cut in read_cuts(self.cuts.get_path())}
        pieces = [one for one in read_pieces(self.pieces.get_path()) if wanted is None or one.id in wanted]
        languages = [None if english else self.language_of(piece) for piece in pieces]
        prompts = {language: prompt_of(tokenizer, language) for language in set(languages)}
        kept, left_out = [], []
        labels = tokenizer.convert_ids_to_tokens(range(config.vocab_size))
        names = [label or f"<unused {index}>" for index, label in enumerate(labels)]
        metadata = {"prompt": max(map(len, prompts.values()), default=0)}  # they are equally long
        with HdfWriter(self.out_hdf.get_path(), labels=names, metadata=metadata) as store:
            for piece, language in zip(pieces, languages, strict=True):
                timed = random.Random(piece.id).random() < self.timestamps
                tokens = [*prompts[language], *tokens_of(piece, tokenizer, timed=timed)]
                if len(tokens) > config.max_target_positions:
                    left_out.append(piece.id)
                else:
                    store.add(piece.id, np.array(tokens, "int32"))
                    kept.append(piece)
        write_pieces(self.out_pieces.get_path(), kept)
        print(f"{len(kept)} pieces; {len(left_out)} left out, too long: {' '.join(left_out[:10])}")

    def language_of(self, piece: Piece) -> str:
        language = self.language or piece.language
        if language is None:
            raise ValueError(
                f"{self.pieces.get_path()}: {piece.id} has no language; give TokensJob the language of all"
            )
        return language


def token_of(name: str, tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The id of a special token; None if there is none, where Whisper's tokenizer says the id of ``<|endoftext|>``."""
    token = tokenizer.convert_tokens_to_ids(name)
    return None if token == tokenizer.unk_token_id else token


def prompt_of(tokenizer: PreTrainedTokenizerBase, language: str | None) -> list[int]:
    """What the decoder reads first.

    :param language: None for a model that knows English only
    :raises ValueError: the model does not know the language
    """
    names = ["<|startoftranscript|>"] + ([] if language is None else [f"<|{language}|>", "<|transcribe|>"])
    tokens = [token_of(name, tokenizer) for name in names]
    if missing := [name for name, token in zip(names, tokens, strict=True) if token is None]:
        raise ValueError(f"the tokenizer has no {missing[0]}: expected a Whisper model, and a language that it knows")
    return tokens


def tokens_of(piece: Piece, tokenizer: PreTrainedTokenizerBase, *, timed: bool) -> list[int]:
    """What the decoder writes. Times are from the start of the piece.

    :param timed: whether each segment stands between its times
    """
    encode = lambda text: tokenizer(f" {text.strip()}", add_special_tokens=False)["input_ids"]
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    if not timed:
        return [tokenizer.convert_tokens_to_ids("<|notimestamps|>"), *encode(piece.text), end]
    time = lambda tick: tokenizer.convert_tokens_to_ids(f"<|{(tick - piece.start) / TICKS_PER_S:.2f}|>")
    found: list[int] = []
    for segment in piece.segments:
        found += [time(segment.start), *encode(segment.text), time(segment.end)]
    return [*found, end]
