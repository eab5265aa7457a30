"""The comparison of recognisers: which recordings it takes, and how it counts errors."""

from pathlib import Path

import pytest


@pytest.fixture
def recognition(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import recognition

    return recognition


def test_recordings_with_a_transcript_are_chosen_over_the_whole_folder(recognition, tmp_path):
    for speaker in ("19", "26"):
        chapter = tmp_path / speaker / "198"
        chapter.mkdir(parents=True)
        names = [f"{speaker}-198-{number:04d}" for number in range(4)]
        for name in [*names, f"{speaker}-198-9999"]:
            (chapter / f"{name}.flac").touch()
        (chapter / f"{speaker}-198.trans.txt").write_text("".join(f"{name} HELLO THERE\n" for name in names))
    references = recognition.read_references(tmp_path)
    assert references["26-198-0003"] == "HELLO THERE"
    chosen = [Path(path).stem for path in recognition.choose(tmp_path, references, 4)]
    assert chosen == ["19-198-0000", "19-198-0002", "26-198-0000", "26-198-0002"]
    assert len(recognition.choose(tmp_path, references, 100)) == 8


def test_a_folder_without_transcripts_is_refused(recognition, tmp_path):
    (tmp_path / "talk.flac").touch()
    with pytest.raises(SystemExit, match="expected LibriSpeech's layout"):
        recognition.choose(tmp_path, recognition.read_references(tmp_path), 1)


def test_digits_case_and_punctuation_are_no_errors(recognition):
    said = ["THERE ARE TWELVE BOXES", "HE WAS NOT ILL"]
    counts = recognition.word_errors([" There are 12 boxes.", "he was ill"], said)
    assert (counts.deletions, counts.substitutions, counts.insertions) == (1, 0, 0)
