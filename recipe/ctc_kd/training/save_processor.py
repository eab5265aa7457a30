"""What transformers does before and after a model: how audio is prepared, and what labels say."""

from __future__ import annotations

import os

from ctc_kd.files import write_json
from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.inventory import Inventory


def save_processor(folder: str, inventory: Inventory, *, normalise: bool):
    """Writes a ``Wav2Vec2Processor`` beside a model.

    Its tokenizer joins the names of labels, so phonemes and pieces of words bring their spaces with them.

    :param normalise: whether each utterance gets zero mean and unit variance before the model
    """
    from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2Processor

    names = inventory.labels if inventory.kind == "characters" else inventory.printed
    vocabulary = os.path.join(folder, "vocab.json")
    write_json(vocabulary, {name: index for index, name in enumerate(names)})
    blank = names[inventory.blank]
    tokenizer = Wav2Vec2CTCTokenizer(
        vocabulary,
        bos_token=None,
        eos_token=None,
        unk_token=blank,  # the tokenizer insists on one; texts that it cannot spell are refused before they get here
        pad_token=blank,
        word_delimiter_token=inventory.boundary if inventory.boundary in names else None,
    )
    extractor = Wav2Vec2FeatureExtractor(
        feature_size=1,
        sampling_rate=SAMPLE_RATE_HZ,
        padding_value=0.0,
        do_normalize=normalise,
        return_attention_mask=True,
    )
    Wav2Vec2Processor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(folder)
