"""Whisper models of transformers in the format of CTranslate2, in which they decode several times as fast."""

from __future__ import annotations

from collections.abc import Sequence

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder


class ConvertWhisperJob(Job):
    """Converts a model of transformers; faster-whisper reads the result.

    :param model: a folder, or a name of the Hugging Face hub
    :param languages: two or more, such as ``["zh", "en"]``, for speech that mixes them: the embedding of each one's
        token becomes the mean of all, so that neither suppresses the other. The first is then the one to decode with
    :param quantization: of the weights in the file
    """

    def __init__(self, *, model: tk.Path | str, languages: Sequence[str] = (), quantization: str = "float16"):
        if len(languages) == 1:
            raise ValueError(f"the mean of one language, {languages[0]}: expected two or more, or none")
        self.model = model
        self.languages = languages
        self.quantization = quantization
        self.out_model = self.output_path("model", directory=True)
        self.rqmt = {"cpu": 1, "mem": 24, "time": 2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import ctranslate2
        from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

        from ctc_kd.pseudo_labels.tokens import token_of
        from ctc_kd.training.returnn_config import as_literal

        name = as_literal(self.model)
        model = WhisperForConditionalGeneration.from_pretrained(name)
        tokenizer = AutoTokenizer.from_pretrained(name)
        if self.languages:
            mix_languages(model, [token_of(f"<|{one}|>", tokenizer) for one in self.languages], name=name)
        with complete_folder("transformers") as source:
            model.save_pretrained(source)
            tokenizer.save_pretrained(source)
            WhisperFeatureExtractor.from_pretrained(name).save_pretrained(source)
        with complete_folder(self.out_model.get_path()) as target:
            copied = ["tokenizer.json", "preprocessor_config.json"]
            converter = ctranslate2.converters.TransformersConverter("transformers", copy_files=copied)
            converter.convert(target, quantization=self.quantization, force=True)


def mix_languages(model, tokens: Sequence[int | None], *, name: str):
    """Replaces the embeddings of language tokens by their mean.

    :param model: a WhisperForConditionalGeneration; changed in place
    :param name: of the model, for the error
    :raises ValueError: it has no such language
    """
    import torch

    if None in tokens or len({*tokens}) < len(tokens):
        raise ValueError(f"{name}: lacks one of the languages to mix; expected a multilingual model, and codes like zh")
    with torch.no_grad():
        weight = model.get_input_embeddings().weight
        weight[tokens] = weight[tokens].mean(dim=0)
