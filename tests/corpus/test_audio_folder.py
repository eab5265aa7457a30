"""Audio without transcripts, from any folder."""

import os

import numpy as np
import pytest
import soundfile
from sisyphus import tk

from ctc_kd.corpus.audio_folder import ReadAudioFolderJob
from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.corpus.problems import CorpusError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "folder"


def write(path, num_samples, rate=16000, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros((num_samples, channels)), rate)


def read(run_here, folder, **options):
    job = run_here(ReadAudioFolderJob(folder=tk.Path(str(folder)), **options))
    return list(read_cuts(job.out_cuts.get_path()))


def test_files_are_utterances_named_after_their_paths(run_here, folder, capsys):
    for name in ("b/2.WAV", "a/1.flac", "top.flac"):
        write(folder / name, 16000)
    soundfile.write(folder / "b" / "3.opus", np.zeros(16000), 16000, format="OGG", subtype="OPUS")
    for name in ("notes.txt", "3.mp3", "4.mp3"):
        (folder / "a" / name).write_text("no audio")
    cuts = read(run_here, folder)
    assert [cut.id for cut in cuts] == ["a-1", "b-2", "b-3", "top"]
    assert all(cut.duration == 1.0 for cut in cuts)
    assert "4 files, 4 utterances, 0.001 hours\nleft out: 2 .mp3, 1 .txt\n" in capsys.readouterr().out


def test_long_recordings_are_cut_without_gap_or_overlap(run_here, folder):
    write(folder / "talk.flac", 40_001)
    cuts = read(run_here, folder, max_seconds=1.0)
    assert [cut.id for cut in cuts] == ["talk-0001", "talk-0002", "talk-0003"]
    ends = [round(16000 * (cut.start + cut.duration)) for cut in cuts]
    assert [round(16000 * cut.start) for cut in cuts] == [0, *ends[:-1]]
    assert ends[-1] == 40_001
    assert max(cut.duration for cut in cuts) <= 1.0


def test_every_faulty_file_is_named(run_here, folder):
    write(folder / "low.wav", 8000, rate=8000)
    write(folder / "stereo.wav", 16000, channels=2)
    write(folder / "click.wav", 160)
    (folder / "broken.flac").write_bytes(b"fLaC")
    with pytest.raises(CorpusError, match="4 problem") as error:
        read(run_here, folder)
    for fault in (
        "low.wav: 8000 Hz and 1 ch",
        "stereo.wav: 16000 Hz and 2 ch",
        "click.wav: too short: 160 ",
        "broken.flac: cannot",
    ):
        assert fault in str(error.value)


def ids(run_here, folder):
    return [cut.id for cut in read(run_here, folder)]


def test_links_lead_to_each_file_once(run_here, folder, tmp_path):
    write(folder / "real" / "x.wav", 16000)
    write(folder / "real" / "deep" / "y.wav", 16000)
    write(tmp_path / "elsewhere" / "z.wav", 16000)
    (folder / "back").symlink_to(".")
    (folder / "real" / "deep" / "back").symlink_to("..")
    (folder / "copy").symlink_to("real")
    (folder / "first.wav").symlink_to("real/x.wav")
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    assert ids(run_here, folder) == ["more-z", "real-deep-y", "real-x"]


def test_hidden_files_and_folders_are_left_out(run_here, folder):
    """git-annex keeps what a link names in .git; a desktop keeps what was deleted."""
    write(folder / ".git" / "annex" / "object.wav", 8000)
    write(folder / ".trash" / "old.wav", 8000)
    write(folder / "show" / "._talk.wav", 8000)
    os.symlink("../.git/annex/object.wav", folder / "show" / "talk.wav")
    assert [cut.id for cut in read(run_here, folder)] == ["show-talk"]


def test_links_that_lead_nowhere_are_named(run_here, folder):
    write(folder / "y.wav", 16000)
    (folder / "gone.wav").symlink_to("nowhere.wav")
    (folder / "self.wav").symlink_to("self.wav")
    with pytest.raises(CorpusError, match=r"(?s)2 problem.*gone.wav: cannot be read.*self.wav: cannot be read"):
        read(run_here, folder)


def test_names_with_spaces_give_ids_without(run_here, folder):
    write(folder / "my talks" / "one  two.wav", 16000)
    assert ids(run_here, folder) == ["my_talks-one_two"]


def test_names_that_are_no_text_are_named(run_here, folder, capsys):
    write(folder / "a.wav", 16000)
    for name in (b"M\xfcller.wav", b"M\xfcller.m\xfc"):
        (folder / "b.wav").write_bytes((folder / "a.wav").read_bytes())
        os.rename(os.fsencode(folder / "b.wav"), os.fsencode(folder) + b"/" + name)
    with pytest.raises(CorpusError, match=r"(?s)1 problem.*M\\xfcller.wav: its name is not UTF-8 text"):
        read(run_here, folder)
    os.remove(os.fsencode(folder) + b"/M\xfcller.wav")
    assert ids(run_here, folder) == ["a"]
    assert "left out: 1 .m\\xfc\n" in capsys.readouterr().out


@pytest.mark.parametrize("names", [("a/b.wav", "a-b.wav"), ("a.wav", "a.flac"), ("a b.wav", "a_b.wav")])
def test_two_files_of_one_id_are_named(run_here, folder, names):
    for name in names:
        write(folder / name, 16000)
    first, second = sorted(names)
    with pytest.raises(CorpusError, match=f"utterance .*: both {folder}/{first} and {folder}/{second}"):
        read(run_here, folder)


def test_a_piece_and_a_file_of_one_id_are_named(run_here, folder):
    write(folder / "a.wav", 20_000)
    write(folder / "a-0002.wav", 2000)
    with pytest.raises(CorpusError, match="utterance a-0002: both"):
        read(run_here, folder, max_seconds=1.0)


@pytest.mark.parametrize("max_seconds", [0, -1, 0.01, float("nan")])
def test_pieces_without_a_length_are_refused(folder, max_seconds):
    with pytest.raises(ValueError, match="max_seconds: .*expected 1 or more"):
        ReadAudioFolderJob(folder=tk.Path(str(folder)), max_seconds=max_seconds)


def test_a_folder_without_audio(run_here, folder):
    folder.mkdir()
    with pytest.raises(CorpusError, match="no audio"):
        read(run_here, folder)


def test_the_id_of_a_folder_stays():
    folder = tk.Path("/data/podcasts")
    plain, converted = (ReadAudioFolderJob(folder=folder, convert=convert).job_id() for convert in (False, True))
    assert plain == "ctc_kd/corpus/audio_folder/ReadAudioFolderJob.c75E2xygtW5E"
    assert converted != plain
