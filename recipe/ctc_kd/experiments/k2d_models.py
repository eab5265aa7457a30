"""Teachers and validators of pseudo labels, as a config names them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sisyphus import tk

from ctc_kd.experiments.corpora import is_path, last_name, on_disk
from ctc_kd.experiments.finished import fingerprint, own_teacher
from ctc_kd.experiments.k2d import Recordings
from ctc_kd.pseudo_labels.convert import ConvertWhisperJob


class WhisperModel(NamedTuple):
    """
    :param model: a folder, or a name that faster-whisper or the Hugging Face hub knows
    :param is_converted: whether it has the format of CTranslate2; else, that of transformers
    """

    model: tk.Path | str
    is_converted: bool

    def converted(self, *, mixed: Sequence[str] = ()) -> tk.Path | str:
        """
        :param mixed: languages that the speech mixes, see ``ConvertWhisperJob``
        :raises ValueError: languages are mixed, but the model is of CTranslate2
        """
        if not self.is_converted:
            return ConvertWhisperJob(model=self.model, languages=list(mixed)).out_model
        if mixed:
            raise ValueError(f"{self.model}: of CTranslate2, whose languages cannot be mixed; {OF_TRANSFORMERS}")
        return self.model

    def trainable(self) -> tk.Path | str:
        """:raises ValueError: the model is of CTranslate2, which only decodes"""
        if self.is_converted:
            raise ValueError(f"{self.model}: of CTranslate2, which cannot teach a student; {OF_TRANSFORMERS}")
        return self.model


OF_TRANSFORMERS = "give a model of transformers: a folder, or a name of the hub such as openai/whisper-base"


def own_whisper(name: str) -> WhisperModel:
    """A Whisper model as a config names it.

    :param name: a folder of transformers or of CTranslate2, ``owner/model`` of the Hugging Face hub, or a size such as
        ``"large-v2"``. Sizes and names with ``faster-`` are of CTranslate2
    :raises FileNotFoundError: the name is a path, and there is no model
    """
    if not is_path(name):
        return WhisperModel(name, "/" not in name or "faster-" in os.path.basename(name))
    folder = os.path.abspath(os.path.expanduser(name))
    if not os.path.exists(os.path.join(folder, "config.json")):
        raise FileNotFoundError(f"{folder}: no config.json, expected a folder with a Whisper model")
    model = tk.Path(folder, hash_overwrite=f"Whisper model {fingerprint(folder)}")
    return WhisperModel(model, os.path.exists(os.path.join(folder, "model.bin")))


def validators_of(
    recordings: Recordings, whisper: Sequence[str], *, ctc: Sequence[str] = (), students: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """What :func:`ctc_kd.experiments.k2d.k2d` takes, by the names of folders and models.

    :param whisper: see :func:`own_whisper`
    :param ctc: see :func:`ctc_kd.experiments.finished.own_teacher`
    :param students: folders of exported students
    :raises ValueError: two of them have one name, or names are no list
    """
    if text := next((names for names in (whisper, ctc, students) if isinstance(names, str)), None):
        raise ValueError(f"validators are {text!r}, expected a list of names: [{text!r}]")
    names = Counter(map(last_name, [*whisper, *ctc, *students]))
    if twice := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"several validators are called {twice[0]}: expected other last names, which links can have")
    found: dict[str, dict[str, Any]] = {
        last_name(model): {
            "kind": "whisper",
            "model": own_whisper(model).converted(mixed=recordings.mixed),
            "language": recordings.decoded_as,
        }
        for model in whisper
    }
    found |= {last_name(model): {"kind": "ctc", "model": own_teacher(model)} for model in ctc}
    return found | {last_name(folder): {"kind": "student", "folder": on_disk(folder)} for folder in students}
