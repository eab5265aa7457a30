"""A fine-tuned teacher as a model of transformers, which others can load without this pipeline."""

from __future__ import annotations

from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder
from ctc_kd.training.build import check_model

NO_CTC = "transformers has no CTC model with this encoder, expected HuBERT, wav2vec 2.0 or WavLM"


class SaveCtcModelJob(Job):
    """Saves a fine-tuned encoder with its output layer, its processor and its vocabulary as a folder of transformers.

    ``AutoModelForCTC`` and ``AutoProcessor`` load it: ``HubertForCTC`` for a HuBERT encoder, and so on.

    :param model: a ``SpeechEncoderCtc`` without pooling, whose ``waveform`` is ``"plain"`` or ``"normalised"``: only
        these can be said in a folder of transformers, which has no CTC model of Whisper either
    :param checkpoint: its weights
    :param inventory: what its outputs stand for, characters
    :raises ValueError: the model pools its frames, prepares audio in another way, is a student, or of Whisper
    """

    def __init__(self, *, model: dict[str, Any], checkpoint: tk.Path, inventory: tk.Path):
        config = check_model(model, has_inventory=True)
        if (
            model["class"] != "SpeechEncoderCtc"
            or config.pooling != 1
            or config.waveform not in ("plain", "normalised")
        ):
            raise ValueError(
                'a model of transformers is saved from a "SpeechEncoderCtc" with "pooling": 1 and "waveform": "plain" '
                f'or "normalised", got {model}'
            )
        if isinstance(config.encoder, dict) and config.encoder.get("model_type") == "whisper":
            raise ValueError(f"{config.encoder}: {NO_CTC}")
        self.model = model
        self.checkpoint = checkpoint
        self.inventory = inventory
        self.out_model = self.output_path("model", directory=True)
        self.rqmt = {"cpu": 1, "mem": 8, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from transformers import MODEL_FOR_CTC_MAPPING, AutoModelForCTC

        from ctc_kd.training.build import build_model, weights_of
        from ctc_kd.training.outputs import inventory_and_model
        from ctc_kd.training.save_processor import save_processor

        inventory, literal = inventory_and_model(self.inventory, self.model)
        ours = build_model(literal)
        ours.load_state_dict(weights_of(self.checkpoint.get_path()))
        config = ours.encoder.config
        if type(config) not in MODEL_FOR_CTC_MAPPING:
            raise ValueError(f"{literal['encoder']}: {NO_CTC}")
        config.vocab_size, config.pad_token_id = len(inventory.labels), inventory.blank
        theirs = AutoModelForCTC.from_config(config)
        theirs.base_model.load_state_dict(ours.encoder.state_dict())
        theirs.lm_head.load_state_dict(ours.output.state_dict())
        with complete_folder(self.out_model.get_path()) as folder:
            theirs.save_pretrained(folder)
            save_processor(folder, inventory, normalise=literal["waveform"] == "normalised")
