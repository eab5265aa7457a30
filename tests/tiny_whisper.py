"""A tiny Whisper model with random weights, as a folder of transformers."""

import os

import torch

LANGUAGES = ("en", "zh", "de")
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    *(f"<|{language}|>" for language in LANGUAGES),
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
    *(f"<|{tick / 50:.2f}|>" for tick in range(1501)),
)


def save_whisper(folder, *, seconds: int = 30) -> str:
    """:param seconds: that it reads at once"""
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import (
        PreTrainedTokenizerFast,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
    )

    letters = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(letters, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=SPECIAL[0]).save_pretrained(folder)
    torch.manual_seed(1)
    width = {"d_model": 16, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    depth = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    ids = tokenizer.token_to_id
    tokens = {"bos_token_id": ids(SPECIAL[0]), "eos_token_id": ids(SPECIAL[0]), "pad_token_id": ids(SPECIAL[0])}
    start = {"decoder_start_token_id": ids("<|startoftranscript|>")}
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(), max_source_positions=50 * seconds, **width, **depth, **tokens, **start
    )
    model = WhisperForConditionalGeneration(config)
    model.save_pretrained(folder)
    WhisperFeatureExtractor(chunk_length=seconds).save_pretrained(folder)
    return os.fspath(folder)
