"""What other programs need to run a student, added to its folder: ONNX Runtime, sherpa-onnx, transformers."""

from __future__ import annotations

import os
import shutil

from ctc_kd.files import read_json, write_json
from ctc_kd.frames import HOP_SAMPLES
from ctc_kd.recognition.folder import CONFIG, Student, read
from ctc_kd.recognition.onnx_export import write_int8, write_onnx
from ctc_kd.recognition.sherpa import write_tokens
from ctc_kd.training.save_processor import save_processor

MODEL, MODEL_INT8, TOKENS = "model.onnx", "model.int8.onnx", "tokens.txt"
REMOTE_CODE = "modeling_ctc_kd"


def add_clients(folder: str):
    """Adds the files of all other programs.

    :param folder: by :func:`ctc_kd.recognition.folder.write`, with a ``StudentCtc``
    :raises ValueError: it has another model
    """
    student = read(folder)
    if student.literal["class"] != "StudentCtc":
        raise ValueError(
            f"{folder}: a {student.literal['class']}, but only a StudentCtc has files for other programs; "
            "SaveCtcModelJob saves a fine-tuned encoder as a plain model of transformers, if it was trained with "
            '"pooling": 1 and "waveform": "plain" or "normalised", and is not that of Whisper'
        )
    add_onnx(folder, student)
    add_transformers(folder, student)


def add_onnx(folder: str, student: Student):
    """Adds ``model.onnx``, ``model.int8.onnx``, and ``tokens.txt`` for sherpa-onnx."""
    model = os.path.join(folder, MODEL)
    write_onnx(model, student.model, student.inventory.blank)
    write_int8(os.path.join(folder, MODEL_INT8), model)
    write_tokens(os.path.join(folder, TOKENS), student.inventory)


def add_transformers(folder: str, student: Student):
    """Adds what ``transformers.pipeline(..., model=folder, trust_remote_code=True)`` reads beside the weights."""
    inventory = student.inventory
    save_processor(folder, inventory, normalise=False)
    code = f"{REMOTE_CODE}.py"
    shutil.copyfile(os.path.join(os.path.dirname(__file__), code), os.path.join(folder, code))
    config = {
        **read_json(os.path.join(folder, CONFIG)),
        "model_type": "ctc_kd",
        "architectures": ["CtcKdForCTC"],
        "auto_map": {"AutoConfig": f"{REMOTE_CODE}.CtcKdConfig", "AutoModelForCTC": f"{REMOTE_CODE}.CtcKdForCTC"},
        "vocab_size": len(inventory.labels),
        "pad_token_id": inventory.blank,
        "inputs_to_logits_ratio": student.model.cfg.subsampling * HOP_SAMPLES,
    }
    write_json(os.path.join(folder, CONFIG), config)
