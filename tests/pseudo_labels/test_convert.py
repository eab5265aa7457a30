"""A tiny Whisper of transformers becomes one of CTranslate2, which faster-whisper loads."""

import json
import shutil

import numpy as np
import pytest
from sisyphus import tk

from ctc_kd.pseudo_labels.convert import ConvertWhisperJob, mix_languages
from ctc_kd.pseudo_labels.whisper import FasterWhisper, WhisperDecoding
from tiny_whisper import save_whisper


@pytest.fixture(scope="module")
def model(built_once):
    return str(built_once("tiny whisper", save_whisper))


def test_a_converted_model_decodes(run_here, model):
    converted = run_here(ConvertWhisperJob(model=tk.Path(model), languages=["zh", "en"])).out_model.get_path()
    decoding = WhisperDecoding(beam_size=1, temperatures=(0.0,), no_speech=1.0)
    samples = np.random.default_rng(0).normal(0, 0.1, 32000).astype("float32")
    found = FasterWhisper(converted, language="en", decoding=decoding, threads=1).decode(samples)
    assert found["language"] == "en"
    assert all(0 <= one["start"] <= one["end"] for one in found["segments"])
    json.dumps(found)  # it is stored as it is
    with pytest.raises(ValueError, match="an English model, which cannot decode 'zh'"):
        FasterWhisper(converted, language="zh", decoding=decoding, threads=1)


def test_a_language_that_the_model_lacks_is_not_mixed(run_here, model, tmp_path):
    """The tokenizer gives the token of the end for it, as those of Whisper do."""
    from transformers import AutoTokenizer

    copy = tmp_path / "model"
    shutil.copytree(model, copy)
    tokenizer = AutoTokenizer.from_pretrained(copy)
    tokenizer.unk_token = "<|endoftext|>"
    tokenizer.save_pretrained(copy)
    with pytest.raises(ValueError, match="lacks one of the languages to mix"):
        run_here(ConvertWhisperJob(model=tk.Path(str(copy)), languages=["zh", "yue"]))


def test_the_tokens_of_mixed_languages_become_their_mean(model):
    from transformers import WhisperForConditionalGeneration

    whisper = WhisperForConditionalGeneration.from_pretrained(model)
    before = whisper.get_input_embeddings().weight.detach().clone()
    mix_languages(whisper, [258, 259], name="m")
    after = whisper.get_input_embeddings().weight.detach()
    np.testing.assert_allclose(after[[258, 259]], before[[258, 259]].mean(dim=0).expand(2, -1))
    np.testing.assert_array_equal(after[:258], before[:258])
    with pytest.raises(ValueError, match="m: lacks one of the languages to mix"):
        mix_languages(whisper, [258, None], name="m")
    with pytest.raises(ValueError, match="the mean of one language, zh"):
        ConvertWhisperJob(model=tk.Path(model), languages=["zh"])
