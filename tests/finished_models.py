"""Tiny CTC models of transformers with random weights, saved with their processors as a stranger would save them."""

import json
import os

import torch

from tiny_encoders import CONVOLUTIONAL, STABLE

CHARACTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", "A", "B", "'"]
PIECES = ["<unk>", "▁a", "▁b", "b", "c", "<pad>"]
WITH_PIECES = {"parakeet_ctc": "Parakeet", "lasr_ctc": "Lasr", "granite_speech5_ctc": "GraniteSpeech5"}
BERT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "feature_projection_input_dim": 160,
}
CONFORMER = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "subsampling_conv_channels": 4,
    "max_position_embeddings": 500,
}
GRANITE = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "subsample_layers": [1],
}
OMNI = {name: value for name, value in CONVOLUTIONAL.items() if name != "num_feat_extract_layers"}

FAMILIES = {
    "wav2vec2": ("wav2vec2", STABLE),
    "wav2vec2, group norm": ("wav2vec2", CONVOLUTIONAL),
    "wav2vec2, adapter": ("wav2vec2", {**STABLE, "add_adapter": True, "num_adapter_layers": 1}),
    "hubert": ("hubert", STABLE),
    "wavlm": ("wavlm", STABLE),
    "data2vec-audio": ("data2vec-audio", {**CONVOLUTIONAL, "num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 7}),
    "sew": ("sew", {**CONVOLUTIONAL, "squeeze_factor": 2}),
    "unispeech": ("unispeech", STABLE),
    "unispeech-sat": ("unispeech-sat", STABLE),
    "wav2vec2-conformer": ("wav2vec2-conformer", {**STABLE, "position_embeddings_type": "rotary"}),
    "wav2vec2-bert": ("wav2vec2-bert", BERT),
    "omniasr": ("omniasr_ctc", {"audio_config": OMNI, "blank_token_id": 0}),
    "lasr": ("lasr_ctc", {"encoder_config": {**CONFORMER, "num_mel_bins": 128, "conv_kernel_size": 5}}),
    "granite": ("granite_speech5_ctc", {"encoder_config": {**GRANITE, "vocab_size": len(PIECES)}}),
    "parakeet": ("parakeet_ctc", {"encoder_config": {**CONFORMER, "subsampling_factor": 4}}),
    "parakeet, 80 ms": ("parakeet_ctc", {"encoder_config": {**CONFORMER, "subsampling_factor": 8}}),
}
"""What a model may be: its type and the fields of its configuration."""


def save_model(folder, family, *, mask=True, labels=None, head=True, **fields):
    """Saves a model of :data:`FAMILIES` with its processor, and returns the folder's name.

    :param mask: whether its processor makes attention masks; those of "base" models do not
    :param labels: its vocabulary
    :param head: False saves the encoder alone
    """
    from transformers import AutoConfig, AutoModelForCTC

    model_type, architecture = FAMILIES[family]
    labels = labels or (PIECES if model_type in WITH_PIECES else CHARACTERS)
    torch.manual_seed(1)
    fields = {"vocab_size": len(labels), "pad_token_id": labels.index("<pad>"), **architecture, **fields}
    model = AutoModelForCTC.from_config(AutoConfig.for_model(model_type, **fields))
    with torch.no_grad():
        for value in model.parameters():  # so that logits differ more from frame to frame than rounding does
            value += 0.1 * torch.randn_like(value)
    (model if head else model.base_model).save_pretrained(folder)
    save_processor(os.fspath(folder), model_type, labels, mask=mask)
    return os.fspath(folder)


def save_processor(folder, model_type, labels, *, mask=True):
    import transformers as hf

    if model_type in WITH_PIECES:
        processor, extractor = (
            getattr(hf, WITH_PIECES[model_type] + name) for name in ("Processor", "FeatureExtractor")
        )
        processor(extractor(), piece_tokenizer(labels)).save_pretrained(folder)
        return
    vocabulary = os.path.join(folder, "vocab.json")
    with open(vocabulary, "w") as file:
        json.dump({label: index for index, label in enumerate(labels)}, file)
    tokenizer = hf.Wav2Vec2CTCTokenizer(vocabulary)
    if model_type == "wav2vec2-bert":
        hf.Wav2Vec2BertProcessor(hf.SeamlessM4TFeatureExtractor(), tokenizer).save_pretrained(folder)
        return
    if model_type == "omniasr_ctc":
        hf.OmniASRCTCProcessor(hf.OmniASRFeatureExtractor(), tokenizer).save_pretrained(folder)
        return
    extractor = hf.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=mask)
    hf.Wav2Vec2Processor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(folder)


def piece_tokenizer(labels):
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import Unigram
    from transformers import ParakeetTokenizer

    tokenizer = Tokenizer(Unigram([(label, -1.0) for label in labels], unk_id=labels.index("<unk>")))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return ParakeetTokenizer(tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>")


def their_logits(folder, samples):
    """Transformers' own forward pass of one utterance: ``[N]`` samples to logits ``[T, C]``."""
    from transformers import AutoModelForCTC, AutoProcessor

    processor, model = AutoProcessor.from_pretrained(folder), AutoModelForCTC.from_pretrained(folder).eval()
    with torch.no_grad():
        return model(**processor(samples.numpy(), sampling_rate=16000, return_tensors="pt")).logits[0]
