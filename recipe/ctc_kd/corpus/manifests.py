"""Manifests that lhotse made, ``.jsonl`` or ``.jsonl.gz``: recordings, recordings and supervisions, or cuts.

Every line is a JSON object whose fields are those of lhotse's ``Recording``, ``SupervisionSegment`` or cut.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from ctc_kd.corpus.listed import AudioList, Listed, find_audio, id_of
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.transcripts import normalise_spaces
from ctc_kd.files import text_lines

Fields = dict[str, Any]

ENDINGS = (".jsonl", ".jsonl.gz")
FIELD_OF_KIND = {"recordings": "sources", "cuts": "type", "supervisions": "recording_id"}
"""Kind of a manifest -> a field that its entries have, and those of the kinds after it have not."""

FAULTS = (AttributeError, KeyError, TypeError, ValueError)
"""What comes of a field that is missing, or is something else."""


def kind_of_manifest(path: str) -> str:
    """What a manifest holds, one of :data:`FIELD_OF_KIND`; only its first line is read.

    :raises CorpusError: it is none
    """
    entry = first_entry(path)
    for kind, field in FIELD_OF_KIND.items():
        if field in entry:
            return kind
    raise CorpusError(f"{path}:1: no entry of a lhotse manifest, expected one of {', '.join(FIELD_OF_KIND)}")


def first_entry(path: str) -> Fields:
    """:raises CorpusError: the file is empty, or its first line is no JSON object"""
    for _, entry in entries(path):
        return entry
    raise CorpusError(f"{path}: no entry of a lhotse manifest, expected a JSON object in each line")


def entries(path: str) -> Iterator[tuple[str, Fields]]:
    """``(file and line, fields)``

    :raises CorpusError: a line is no JSON object
    """
    for number, line in enumerate(text_lines(path), 1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise CorpusError(f"{path}:{number}: no entry of a lhotse manifest, expected a JSON object")
        yield f"{path}:{number}", entry


def list_audio(files: Sequence[str]) -> AudioList:
    """One utterance for each supervision; for each recording or cut if there are no supervisions.

    :param files: of recordings, of recordings and supervisions, or of cuts
    """
    listed: list[Listed] = []
    problems: list[str] = []
    for place, recording, supervision in _utterances(files, problems):
        try:
            listed.append(_listed(place, recording, supervision, os.path.dirname(files[0])))
        except CorpusError as error:
            problems.append(f"{place}: recording {recording.get('id')}: {error}")
        except FAULTS as error:
            problems.append(f"{place}: no entry of a lhotse manifest ({error!r})")
    return AudioList(listed, problems)


def texts(files: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """``(place, utterance, text)`` of the supervisions that have a text."""
    for place, entry in entries(files[-1]):
        for supervision in entry.get("supervisions") or [entry]:
            if isinstance(supervision.get("text"), str):
                yield place, id_of(supervision["id"]), normalise_spaces(supervision["text"])


def _utterances(files: Sequence[str], problems: list[str]) -> Iterator[tuple[str, Fields, Fields]]:
    """``(place, recording, supervision)``; the supervision's times are those in the recording."""
    kind = kind_of_manifest(files[0])
    recordings: dict[str, Fields] = {}
    for place, entry in entries(files[0]):
        if kind == "cuts":
            try:
                yield from _of_cut(place, entry, problems)
            except FAULTS as error:
                problems.append(f"{place}: no entry of a lhotse manifest ({error!r})")
        elif len(files) == 1:
            yield place, entry, {"id": entry.get("id"), "start": 0.0}
        elif recordings.setdefault(entry.get("id"), entry) is not entry:
            problems.append(f"{place}: recording {entry.get('id')}: the id is listed a second time")
    for place, supervision in entries(files[1]) if len(files) == 2 else ():
        recording = recordings.get(supervision.get("recording_id"))
        if recording is None:
            problems.append(
                f"{place}: utterance {supervision.get('id')}: no recording {supervision.get('recording_id')}"
            )
        else:
            yield place, recording, supervision


def _of_cut(place: str, cut: Fields, problems: list[str]) -> Iterator[tuple[str, Fields, Fields]]:
    if cut["type"] not in ("MonoCut", "MultiCut") or "recording" not in cut:
        problems.append(f"{place}: cut {cut.get('id')}: a {cut['type']} without a recording of its own; save its audio")
        return
    whole = {"id": cut.get("id"), "start": 0.0, "duration": cut.get("duration"), "channel": cut.get("channel")}
    for supervision in cut.get("supervisions") or [whole]:
        yield place, cut["recording"], {**supervision, "start": cut.get("start", 0.0) + supervision.get("start", 0.0)}


def _listed(place: str, recording: Fields, supervision: Fields, folder: str) -> Listed:
    """
    :raises CorpusError: there is no audio file of the recording as it is
    :raises AttributeError, KeyError, TypeError, ValueError: a field is missing, or is something else
    """
    if recording.get("transforms"):
        raise CorpusError("lhotse would change its audio on the way; save the changed audio, and list that")
    channels = _channels(recording, supervision.get("channel"))
    source = next((one for one in recording["sources"] if channels <= set(one["channels"])), None)
    if source is None:
        raise CorpusError(f"no file has the channel(s) {sorted(channels)}")
    if source["type"] != "file":
        raise CorpusError(
            f"its audio is no file but a {source['type']} ({source['source']!r}); save it to a file, and list that"
        )
    start_s, duration_s = float(supervision["start"]), supervision.get("duration")
    return Listed(
        place,
        id_of(supervision["id"]),
        find_audio(source["source"], folder=folder),
        supervision.get("speaker") or recording["id"],
        start_s,
        None if duration_s is None else start_s + duration_s,
        supervision.get("language"),
        tuple(number for number, channel in enumerate(source["channels"]) if channel in channels),
    )


def _channels(recording: Fields, channel: int | list[int] | None) -> set[int]:
    """The channels of a supervision; all of the recording if it names none."""
    if channel is None:
        return {number for source in recording["sources"] for number in source["channels"]}
    return {channel} if isinstance(channel, int) else set(channel)
