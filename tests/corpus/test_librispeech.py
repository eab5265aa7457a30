import gzip
import json

import numpy as np
import pytest

from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob, ReadLibriSpeechTranscriptsJob
from ctc_kd.corpus.problems import CorpusError, refuse
from ctc_kd.corpus.transcripts import read_transcripts

NOISE = 0.1 * np.random.default_rng(1).standard_normal(8000)


def audio_job(folder):
    return ReadLibriSpeechAudioJob(corpus_dir=folder.path, part=folder.part)


def transcripts_job(folder):
    return ReadLibriSpeechTranscriptsJob(corpus_dir=folder.path, part=folder.part, cuts=audio_job(folder).out_cuts)


def read(run_jobs, folder):
    job = transcripts_job(folder)
    run_jobs(job.out_transcripts, job.cuts)
    return job


def test_manifest_by_the_engine(run_jobs, librispeech):
    job = read(run_jobs, librispeech)
    cuts = list(read_cuts(job.cuts.get_path()))
    assert [cut.id for cut in cuts] == ["19-198-0000", "19-198-0001", "26-495-0000", "26-496-0003"]
    assert [cut.num_samples for cut in cuts] == [8000, 8100, 8200, 8300]
    assert [cut.speaker for cut in cuts] == ["19", "19", "26", "26"]
    assert cuts[1].audio == str(librispeech.audio("19-198-0001"))
    assert read_transcripts(job.out_transcripts.get_path()) == {
        "19-198-0000": "NORTHANGER ABBEY",
        "19-198-0001": "THIS LITTLE WORK",
        "26-495-0000": "IT WAS O'CLOCK",
        "26-496-0003": "A B",
    }


def test_the_manifest_knows_no_text(run_here, librispeech):
    cuts = run_here(audio_job(librispeech)).out_cuts.get_path()
    with gzip.open(cuts, "rt") as file:
        for line in file:
            assert "text" not in json.loads(line)["supervisions"][0]


def test_audio_is_read_without_any_transcript(run_here, librispeech):
    for path in librispeech.root.rglob("*.trans.txt"):
        path.unlink()
    assert len(list(read_cuts(run_here(audio_job(librispeech)).out_cuts.get_path()))) == 4


def test_other_files_are_counted(run_here, librispeech, capsys):
    for name in ("19-198-0002.wav", "19-198-0003.wav", "notes"):
        (librispeech.audio("19-198-0000").parent / name).touch()
    assert len(list(read_cuts(run_here(audio_job(librispeech)).out_cuts.get_path()))) == 4
    assert "left out: 2 .wav, 1 notes\n" in capsys.readouterr().out


def spoil_rate(folder):
    folder.write_audio("19-198-0001", NOISE, sample_rate=8000)


def spoil_channels(folder):
    folder.write_audio("19-198-0001", np.stack([NOISE, NOISE], axis=1))


def spoil_duration(folder):
    folder.write_audio("19-198-0001", NOISE[:879])


def spoil_length(folder):
    """What the FLAC tools write for an empty input: a header only."""
    format_of_stream = (16000 << 44) | (15 << 36)  # 16 bits a sample, one channel, no samples
    header = bytes(10) + format_of_stream.to_bytes(8, "big") + bytes(16)
    folder.audio("19-198-0001").write_bytes(b"fLaC" + bytes([0x80, 0, 0, len(header)]) + header)


def spoil_content(folder):
    folder.audio("19-198-0001").write_bytes(b"not audio at all")


def spoil_size(folder):
    folder.audio("19-198-0001").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (spoil_rate, "8000 Hz and 1 channel(s), expected 16000 Hz mono"),
        (spoil_channels, "16000 Hz and 2 channel(s), expected 16000 Hz mono"),
        (spoil_duration, "too short: 879 samples, expected 880 or more"),
        (spoil_length, "zero length"),
        (spoil_content, "cannot be read as audio"),
        (spoil_size, "cannot be read as audio"),
    ],
)
def test_bad_audio_is_an_error_that_names_it(run_here, librispeech, spoil, problem):
    spoil(librispeech)
    job = audio_job(librispeech)
    with pytest.raises(CorpusError) as error:
        run_here(job)
    message = str(error.value)
    assert "1 problem(s)" in message
    assert "utterance 19-198-0001" in message
    assert str(librispeech.audio("19-198-0001")) in message
    assert problem in message
    assert not list(librispeech.root.parent.rglob("*cuts.jsonl.gz"))


def test_a_file_in_a_foreign_folder_is_an_error(run_here, librispeech):
    path = librispeech.audio("19-198-0001")
    path.rename(path.with_name("20-198-0001.flac"))
    with pytest.raises(CorpusError, match=r"20-198-0001.flac: the name should start with its folders, 19-198-"):
        run_here(audio_job(librispeech))


def test_a_missing_part_is_an_error(run_here, librispeech):
    librispeech.part = "train-clean-100"
    with pytest.raises(CorpusError, match="train-clean-100: no such folder"):
        run_here(audio_job(librispeech))


def test_a_part_without_audio_is_an_error(run_here, librispeech):
    librispeech.part = "dev"
    (librispeech.root / "dev" / "19").mkdir(parents=True)
    with pytest.raises(CorpusError, match=r"dev: no <speaker>/<chapter>/\*.flac"):
        run_here(audio_job(librispeech))


def test_an_id_found_twice_is_an_error(run_here, librispeech):
    first = librispeech.audio("19-198-0000")
    for folder in ("19/198-5", "19-198/5"):
        copy = librispeech.root / librispeech.part / folder / "19-198-5-0000.flac"
        copy.parent.mkdir(parents=True)
        copy.write_bytes(first.read_bytes())
    with pytest.raises(CorpusError, match="utterance 19-198-5-0000: found twice, .*19/198-5/.* and .*19-198/5/"):
        run_here(audio_job(librispeech))


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["19-198-0000 ONE", "19-198-0001 TWO", "19-198-0002 THREE"], "utterance 19-198-0002: .* but no audio"),
        (["19-198-0000 ONE"], "utterance 19-198-0001: .*0001.flac has no transcript"),
        (["19-198-0000 ONE", "19-198-0001"], "utterance 19-198-0001: .*trans.txt:2: an empty transcript"),
        (["19-198-0000 ONE", "19-198-0001 ROOM 101"], "utterance 19-198-0001: .*: unknown characters '0' '1'"),
        (["19-198-0000 ONE", "19-198-0001 ' GO '"], "utterance 19-198-0001: .*trans.txt:2: a word without a letter"),
        (["19-198-0000 ONE", "19-198-0001 TWO", "19-198-0001 TWO"], "utterance 19-198-0001: .*second transcript"),
    ],
)
def test_bad_transcripts_are_errors_that_name_them(run_here, librispeech, lines, problem):
    run_here(audio_job(librispeech))
    librispeech.write_transcripts("19-198", lines)
    with pytest.raises(CorpusError, match=problem):
        run_here(transcripts_job(librispeech))


def test_a_missing_transcript_file_names_its_utterances(run_here, librispeech):
    run_here(audio_job(librispeech))
    librispeech.transcripts("19-198").unlink()
    with pytest.raises(CorpusError, match=r"(?s)2 problem\(s\).*19-198-0000.*19-198-0001"):
        run_here(transcripts_job(librispeech))


def test_line_ends_and_the_byte_order_mark_of_other_systems(run_here, librispeech):
    run_here(audio_job(librispeech))
    librispeech.transcripts("19-198").write_bytes("\ufeff19-198-0000 ONE\r\n19-198-0001 TWO\r\n".encode())
    transcripts = read_transcripts(run_here(transcripts_job(librispeech)).out_transcripts.get_path())
    assert (transcripts["19-198-0000"], transcripts["19-198-0001"]) == ("ONE", "TWO")


def test_a_transcript_file_that_is_not_utf8_is_named(run_here, librispeech):
    run_here(audio_job(librispeech))
    librispeech.transcripts("19-198").write_bytes("19-198-0000 CAFÉ\n".encode("latin-1"))
    with pytest.raises(ValueError, match="19-198.trans.txt:1: the byte 0xc9, expected UTF-8 text"):
        run_here(transcripts_job(librispeech))


def test_many_problems_are_counted_not_listed():
    with pytest.raises(CorpusError) as error:
        refuse([f"problem {number}" for number in range(25)], where="here", remedy="Mend it.")
    lines = str(error.value).splitlines()
    assert lines[0] == "here: 25 problem(s)"
    assert lines[-2:] == ["  ... and 15 more", "Mend it."]
