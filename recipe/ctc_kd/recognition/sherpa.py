"""sherpa-onnx: the labels of a student as it reads them, beside the file of :mod:`ctc_kd.recognition.onnx_export`."""

from __future__ import annotations

from ctc_kd.files import write_lines
from ctc_kd.inventory import Inventory

BLANK, SPACE = "<blk>", "▁"


def write_tokens(path: str, inventory: Inventory):
    """Writes ``tokens.txt`` for ``OfflineRecognizer.from_omnilingual_asr_ctc``: a name and its index on each line.

    :raises ValueError: a label has white space other than spaces, or is called ``<blk>`` without being blank
    """
    tokens = [name.replace(" ", SPACE) for name in inventory.printed]
    tokens[inventory.blank] = BLANK
    for index, token in enumerate(tokens):
        if len(token.split()) != 1 or (token == BLANK and index != inventory.blank):
            raise ValueError(
                f"{path}: label {index} is {inventory.labels[index]!r}, which sherpa-onnx cannot read: expected a name "
                f"without white space other than spaces, and other than {BLANK}"
            )
    write_lines(path, (f"{token} {index}" for index, token in enumerate(tokens)))
