"""A path says what a corpus is."""

import json
import shutil

import numpy as np
import pytest
import soundfile
from sisyphus import gs

import own_corpora
from ctc_kd.corpus.audio_folder import ReadAudioFolderJob
from ctc_kd.corpus.convert import ConvertAudioJob
from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob
from ctc_kd.corpus.pauses import CutAtPausesJob
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.read_listed import ReadListedAudioJob
from ctc_kd.corpus.transcripts import read_transcripts
from ctc_kd.experiments.sources import own_part


@pytest.fixture
def librispeech(tmp_path):
    return own_corpora.LibriSpeechFolder(tmp_path / "corpus")


@pytest.fixture
def podcasts(tmp_path):
    folder = tmp_path / "podcasts"
    (folder / "a").mkdir(parents=True)
    soundfile.write(folder / "a" / "1.wav", np.zeros((8000, 2)), 8000)
    return folder


def test_audio_without_texts_is_cut_at_pauses(podcasts):
    part = own_part(str(podcasts), max_seconds=20)
    assert part.transcripts is None
    cutting = part.cuts.creator
    assert isinstance(cutting, CutAtPausesJob) and cutting.max_seconds == 20
    assert isinstance(cutting.cuts.creator, ReadAudioFolderJob)
    assert not cutting.cuts.creator.convert


def test_other_audio_is_converted_if_wanted(podcasts):
    converting = own_part(str(podcasts), convert=True).cuts.creator.cuts.creator
    assert isinstance(converting, ConvertAudioJob)
    assert converting.cuts.creator.convert


def test_a_whole_folder_of_podcasts_by_the_engine(run_jobs, podcasts):
    part = own_part(str(podcasts), convert=True)
    run_jobs(part.cuts)
    (cut,) = read_cuts(part.cuts.get_path())
    assert (cut.id, cut.sample_rate_hz, cut.num_samples) == ("a-1", 16000, 16000)


@pytest.mark.parametrize("name", own_corpora.LAYOUTS)
def test_lists_with_texts_keep_their_utterances(librispeech, run_jobs, tmp_path, name):
    layout, write = own_corpora.LAYOUTS[name]
    part = own_part([str(path) for path in write(librispeech, tmp_path / "other")])
    assert isinstance(part.cuts.creator, ReadListedAudioJob)
    assert part.cuts.creator.layout == layout
    run_jobs(part.cuts, part.transcripts)
    assert set(read_transcripts(part.transcripts.get_path())) == {cut.id for cut in read_cuts(part.cuts.get_path())}


def test_lists_without_texts_are_cut_at_pauses(librispeech, tmp_path):
    recordings, _ = own_corpora.as_manifests(librispeech, tmp_path / "other")
    (kaldi,) = own_corpora.as_kaldi(librispeech, tmp_path / "more")
    (kaldi / "text").unlink()
    table = tmp_path / "table.csv"
    table.write_text("path,speaker\nx.wav,Ann\n")
    for path in (recordings, kaldi, table):
        part = own_part(str(path))
        assert part.transcripts is None
        assert isinstance(part.cuts.creator, CutAtPausesJob)
        assert isinstance(part.cuts.creator.cuts.creator, ReadListedAudioJob)


def test_a_part_of_librispeech(librispeech):
    part = own_part(str(librispeech.root / librispeech.part))
    assert isinstance(part.cuts.creator, ReadLibriSpeechAudioJob)
    assert part.cuts.creator.part == librispeech.part
    assert part.transcripts is not None


def test_a_relative_path_starts_in_the_setup_folder(monkeypatch, podcasts):
    monkeypatch.setattr(gs, "BASE_DIR", str(podcasts.parent))
    assert own_part("podcasts").cuts.creator.cuts.creator.folder.get_path() == str(podcasts)


def test_links_in_a_circle_hold_no_audio(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "up").symlink_to("..")
        (tmp_path / name / "up2").symlink_to("..")
    with pytest.raises(CorpusError, match="no corpus; expected one of: a folder with .flac, .wav, .ogg, .oga, .opus f"):
        own_part(str(tmp_path))


def all_of_it(folder):
    return [folder.root]


def only_supervisions(folder):
    return own_corpora.as_manifests(folder, folder.root.parent / "other")[1:]


def wrong_order(folder):
    return own_corpora.as_manifests(folder, folder.root.parent / "other")[::-1]


def empty_folder(folder):
    shutil.rmtree(folder.root)
    folder.root.mkdir()
    return [folder.root]


def file_of(name, text):
    def write(folder):
        (folder.root / name).write_text(text)
        return [folder.root / name]

    return write


@pytest.mark.parametrize(
    ("write", "fault"),
    [
        (all_of_it, "corpus: a folder of parts .*expected one of them, such as .*corpus/train-tiny"),
        (only_supervisions, r"supervisions_train-tiny.jsonl.gz: supervisions alone, expected \[recordings, superv"),
        (wrong_order, "expected lhotse's recordings and supervisions, in this order"),
        (empty_folder, r"corpus: no corpus; expected one of: .*wav.scp.*\.tsv.*\.jsonl"),
        (lambda folder: [folder.root / "gone"], "corpus/gone: no such file or folder; expected one of: "),
        (file_of("a.mp3", "x"), "a.mp3: no corpus; expected one of: "),
        (file_of("a.jsonl", ""), "a.jsonl: no entry of a lhotse manifest, expected a JSON object"),
        (file_of("a.jsonl", "[]\n"), "a.jsonl:1: no entry of a lhotse manifest, expected a JSON object"),
        (file_of("a.jsonl", '{"id": 3}\n'), "a.jsonl:1: no entry of a lhotse manifest, expected one of recordings, cu"),
        (file_of("a.tsv", "path\ttxt\n"), r"a.tsv:1: unknown column\(s\) \['txt'\]"),
    ],
)
def test_what_is_no_corpus_is_an_error_that_says_what_one_is(librispeech, write, fault):
    with pytest.raises(CorpusError, match=fault):
        own_part([str(path) for path in write(librispeech)])


def test_only_the_first_line_of_a_manifest_is_read(tmp_path):
    source = {"type": "file", "channels": [0], "source": "a.wav"}
    entry = {"id": "a", "sources": [source], "sampling_rate": 16000, "num_samples": 1, "duration": 1.0}
    (tmp_path / "recordings.jsonl").write_bytes(json.dumps(entry).encode() + b"\n\xff no text\n")
    own_part(str(tmp_path / "recordings.jsonl"))
