"""A small Whisper model before its training, with a tokenizer of its own, where there are no pre-trained weights."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, text_lines
from ctc_kd.frames import TICKS_PER_S

TIMES = tuple(f"<|{tick / TICKS_PER_S:.2f}|>" for tick in range(1501))
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
    *TIMES,
)
"""Decoders of Whisper know these by their names, and that the times stand behind all others."""


class NewWhisperJob(Job):
    """Writes a folder of transformers that knows one language: random weights, a tokenizer learnt from texts, features.

    The tokenizer is Whisper's kind, which joins bytes to pieces of words. The model reads 30 s at once, or as many as
    its ``max_source_positions`` of 20 ms.

    :param texts: one sentence per line; the model writes lower case
    :param size: fields of ``WhisperConfig``, such as ``d_model``
    :param pieces: tokens of more than one byte
    :raises ValueError: the model does not read whole seconds
    """

    def __init__(self, *, texts: list[tk.Path], size: dict[str, Any], pieces: int, seed: int = 1):
        if (positions := size.get("max_source_positions", 0)) % TICKS_PER_S:
            raise ValueError(f"max_source_positions {positions}: expected a multiple of {TICKS_PER_S}, whole seconds")
        self.texts = texts
        self.size = size
        self.pieces = pieces
        self.seed = seed
        self.out_model = self.output_path("model", directory=True)
        self.rqmt = {"cpu": 1, "mem": 2, "time": 0.5}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import torch
        from transformers import (
            PreTrainedTokenizerFast,
            WhisperConfig,
            WhisperFeatureExtractor,
            WhisperForConditionalGeneration,
        )

        words = [line.strip().lower() for path in self.texts for line in text_lines(path.get_path())]
        tokenizer = learnt_tokenizer(words, self.pieces)
        end, start, space = (tokenizer.token_to_id(name) for name in (*SPECIAL[:2], "Ġ"))
        torch.manual_seed(self.seed)
        config = WhisperConfig(
            **self.size,
            vocab_size=tokenizer.get_vocab_size(),
            bos_token_id=end,
            eos_token_id=end,
            pad_token_id=end,
            decoder_start_token_id=start,
            suppress_tokens=[],
            begin_suppress_tokens=[space, end],
        )
        model = WhisperForConditionalGeneration(config)
        with complete_folder(self.out_model.get_path()) as folder:
            model.save_pretrained(folder)
            PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=SPECIAL[0]).save_pretrained(folder)
            WhisperFeatureExtractor(
                feature_size=config.num_mel_bins, chunk_length=config.max_source_positions // TICKS_PER_S
            ).save_pretrained(folder)
        print(f"{tokenizer.get_vocab_size()} tokens, {model.num_parameters() / 1e6:.2f} million parameters")


def learnt_tokenizer(sentences: list[str], pieces: int):
    """A ``tokenizers.Tokenizer`` of bytes and pieces of words, then :data:`SPECIAL`.

    Each first letter of a word is joined to the space before it, whatever its frequency: faster-whisper never writes
    the token that is a space alone.

    :raises ValueError: there are too few pieces for that
    """
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    letters = sorted({word[0] for sentence in sentences for word in sentence.split()})
    if pieces < len(letters):
        raise ValueError(f"{pieces} pieces, expected at least {len(letters)}: one for each first letter of words")
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = BpeTrainer(vocab_size=len(alphabet) + pieces, initial_alphabet=alphabet, show_progress=False)
    pairs = Counter(pair for sentence in sentences for pair in pairwise(sentence))
    first = [f" {letter}" for letter in letters] * (max(pairs.values()) + 1)  # so that no other pair is as frequent
    tokenizer.train_from_iterator([*(f" {sentence}" for sentence in sentences), *first], trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    return tokenizer
