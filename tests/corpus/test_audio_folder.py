"""Audio without transcripts, from any folder."""

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
    for name in ("notes.txt", "3.mp3", "4.mp3"):
        (folder / "a" / name).write_text("no audio")
    cuts = read(run_here, folder)
    assert [cut.id for cut in cuts] == ["a-1", "b-2", "top"]
    assert all(cut.duration == 1.0 for cut in cuts)
    assert "3 files, 3 utterances, 0.001 hours\nleft out: 2 .mp3, 1 .txt\n" in capsys.readouterr().out


def test_long_recordings_are_cut_without_gap_or_overlap(run_here, folder):
    write(folder / "talk.flac", 40_001)
    cuts = read(run_here, folder, max_seconds=1.0)
    assert [cut.id for cut in cuts] == ["talk-0001", "talk-0002", "talk-0003"]
    ends = [round(16000 * cut.end) for cut in cuts]
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
    for fault in ("low.wav: sample rate 8000", "stereo.wav: 2 ch", "click.wav: too short: 160 ", "broken.flac: cannot"):
        assert fault in str(error.value)


def test_a_folder_without_audio(run_here, folder):
    folder.mkdir()
    with pytest.raises(CorpusError, match="no audio"):
        read(run_here, folder)
