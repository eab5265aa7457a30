"""A small corpus in TED-LIUM's layout, of noise, and the real one's stand-in where it is at hand."""

import gzip
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sisyphus import tk

from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.corpus.ogg_zip import OggZipJob, read_segments
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.tedlium import ReadTedliumAudioJob, ReadTedliumTranscriptsJob
from ctc_kd.corpus.transcripts import read_transcripts
from ctc_kd.training.datasets import utterance_durations

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED_DATA = Path(os.environ.get("CTC_KD_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
STAND_IN = SHARED_DATA / "tedlium2-layout-from-librispeech"

LINES = {
    "Ann_2010": [
        "Ann_2010 1 inter_segment_gap 0 0.5 <o,,unknown> ignore_time_segment_in_scoring",
        "Ann_2010 1 Ann 0.5 1.25 <o,f0,female> it's me",
        "Ann_2010 1 Bob 1.5 2.00004 <o,f0,male> {NOISE} i don 't imiss it ",
    ],
    "Bob_2011G": [";; no segments in this one"],
    "Cy_2012": ["Cy_2012 1 Cy_2012 0.00 1.00 <NA> and so"],
}


class TedliumFolder:
    """``root/dev``; tests spoil it, then read it."""

    part = "dev"

    def __init__(self, root: Path):
        self.path = tk.Path(str(root))
        self.folder = root / self.part
        for kind in ("sph", "stm"):
            (self.folder / kind).mkdir(parents=True)
        self.samples = {}
        rng = np.random.default_rng(0)
        for talk, lines in LINES.items():
            self.samples[talk] = rng.integers(-9000, 9000, 48000).astype("int16")
            self.write_audio(talk, self.samples[talk])
            self.write_stm(talk, lines)

    def sph(self, talk: str) -> Path:
        return self.folder / "sph" / f"{talk}.sph"

    def stm(self, talk: str) -> Path:
        return self.folder / "stm" / f"{talk}.stm"

    def write_audio(self, talk: str, samples, sample_rate: int = 16000):
        soundfile.write(self.sph(talk), samples, sample_rate, format="NIST", subtype="PCM_16")

    def write_stm(self, talk: str, lines: list[str]):
        self.stm(talk).write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def tedlium(tmp_path):
    return TedliumFolder(tmp_path / "corpus")


def audio_job(folder, **options):
    return ReadTedliumAudioJob(corpus_dir=folder.path, part=folder.part, **options)


def transcripts_job(folder):
    return ReadTedliumTranscriptsJob(corpus_dir=folder.path, part=folder.part, cuts=audio_job(folder).out_cuts)


def test_manifest_by_the_engine(run_jobs, tedlium):
    job = transcripts_job(tedlium)
    run_jobs(job.out_transcripts, job.cuts)
    cuts = list(read_cuts(job.cuts.get_path()))
    assert [cut.id for cut in cuts] == ["Ann_2010-0001", "Ann_2010-0002", "Cy_2012-0001"]
    assert [(cut.start, cut.num_samples) for cut in cuts] == [(0.5, 12000), (1.5, 8001), (0.0, 16000)]
    assert [cut.speaker for cut in cuts] == ["Ann", "Bob", "Cy_2012"]
    assert cuts[0].recording == cuts[1].recording
    assert cuts[0].audio == str(tedlium.sph("Ann_2010"))
    assert list(read_transcripts(job.out_transcripts.get_path()).items()) == [
        ("Ann_2010-0001", "IT 'S ME"),
        ("Ann_2010-0002", "I DON 'T I MISS IT"),
        ("Cy_2012-0001", "AND SO"),
    ]


def test_what_is_kept_is_reported(run_here, tedlium, capsys):
    tedlium.write_stm("Cy_2012", ["Cy_2012 1 Cy 0 2 <NA> a", "Cy_2012 1 Cy 1.9 3.4 <NA> b"])
    cuts = list(read_cuts(run_here(audio_job(tedlium)).out_cuts.get_path()))
    run_here(transcripts_job(tedlium))
    assert (cuts[-1].start, cuts[-1].num_samples) == (1.9, 17600)
    printed = capsys.readouterr().out
    assert "4 utterances of 3 talks, 3 speakers" in printed
    assert "3 note(s)" in printed
    assert f"talk Bob_2011G: {tedlium.stm('Bob_2011G')}: no segments" in printed
    assert f"talk Cy_2012: {tedlium.stm('Cy_2012')}:2: ends 0.4 s after the recording, is cut off there" in printed
    assert f"talk Cy_2012: {tedlium.stm('Cy_2012')}: 1 segment(s) start before an earlier one has ended" in printed
    assert 'utterance Ann_2010-0002: 1 marker(s) left out of "{NOISE} i don \'t imiss it"' in printed


def test_the_manifest_knows_no_text_and_does_not_depend_on_it(run_here, tedlium):
    cuts = run_here(audio_job(tedlium)).out_cuts.get_path()
    with gzip.open(cuts, "rt") as file:
        first = file.read()
    assert not any("text" in json.loads(line)["supervisions"][0] for line in first.splitlines())
    for talk, lines in LINES.items():
        tedlium.write_stm(talk, [line if "ignore" in line else line.split(">")[0] + ">" for line in lines])
    run_here(audio_job(tedlium))
    with gzip.open(cuts, "rt") as file:
        assert file.read() == first


def test_extended_boundaries(run_here, tedlium):
    plain, extended = audio_job(tedlium), audio_job(tedlium, extend_boundaries=True)
    assert plain.out_cuts != extended.out_cuts
    cuts = list(read_cuts(run_here(extended).out_cuts.get_path()))
    assert [cut.start for cut in cuts] == [0.35, 1.35, 0.0]
    assert [cut.num_samples for cut in cuts] == [16000, 12000, 17600]


def test_a_short_segment_may_become_long_enough(run_here, tedlium):
    tedlium.write_stm("Cy_2012", ["Cy_2012 1 Cy 2 2.05 <NA> b"])
    cuts = list(read_cuts(run_here(audio_job(tedlium, extend_boundaries=True)).out_cuts.get_path()))
    assert cuts[-1].num_samples == 4800


def test_an_archive_of_segments(run_here, tedlium):
    cuts = run_here(audio_job(tedlium)).out_cuts
    archive = run_here(OggZipJob(cuts=cuts)).out_ogg_zip.get_path()
    with zipfile.ZipFile(archive) as file:
        for utterance, talk, start, end in [
            ("Ann_2010-0001", "Ann_2010", 8000, 20000),
            ("Ann_2010-0002", "Ann_2010", 24000, 32001),
            ("Cy_2012-0001", "Cy_2012", 0, 16000),
        ]:
            samples, _ = soundfile.read(io.BytesIO(file.read(f"audio/{utterance}.flac")), dtype="int16")
            np.testing.assert_array_equal(samples, tedlium.samples[talk][start:end])


def test_a_segment_that_ends_with_the_recording(run_here, tedlium):
    """Ends and starts that are no whole samples never leave it."""
    tedlium.write_audio("Cy_2012", tedlium.samples["Cy_2012"][:47999])
    tedlium.write_stm("Cy_2012", ["Cy_2012 1 Cy 1.00004 3.0001 <NA> a"])
    cuts = run_here(audio_job(tedlium)).out_cuts
    assert read_segments(cuts.get_path())[-1][3:] == (16001, 31998)
    run_here(OggZipJob(cuts=cuts))


NOISE = np.random.default_rng(1).integers(-9000, 9000, 48000).astype("int16")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (
            lambda t: t.write_audio("Cy_2012", NOISE, sample_rate=8000),
            "8000 Hz and 1 channel(s), expected 16000 Hz mono",
        ),
        (lambda t: t.write_audio("Cy_2012", NOISE.reshape(-1, 2)), "16000 Hz and 2 channel(s), expected 16000 Hz mono"),
        (lambda t: t.write_audio("Cy_2012", NOISE[:0]), "zero length"),
        (lambda t: t.sph("Cy_2012").write_bytes(b""), "cannot be read as audio"),
        (
            lambda t: t.sph("Cy_2012").write_bytes(b"NIST_1A\n   1024\nnonsense" + bytes(5000)),
            "cannot be read as audio",
        ),
        (
            lambda t: os.truncate(t.sph("Cy_2012"), 1024 + 2 * 40000),
            "cut short: 80000 bytes of samples, but its header promises 96000",
        ),
        (lambda t: t.stm("Cy_2012").unlink(), "has no STM file"),
    ],
    ids=["rate", "channels", "no samples", "empty file", "corrupt header", "cut short", "no stm"],
)
def test_a_bad_recording_is_an_error_that_names_it(run_here, tedlium, spoil, problem):
    spoil(tedlium)
    with pytest.raises(CorpusError) as error:
        run_here(audio_job(tedlium))
    message = str(error.value)
    assert "1 problem(s)" in message
    assert f"talk Cy_2012: {tedlium.sph('Cy_2012')}" in message
    assert problem in message
    assert not list(tedlium.folder.parent.parent.rglob("*cuts.jsonl.gz"))


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["Cy_2012 1 Cy 0 3.5 <NA> a"], r":1: 0 to 3.5 s, but the recording has 3 s"),
        (["Cy_2012 1 Cy 0 1 <NA> a", "Cy_2012 1 Cy 3.1 3.2 <NA> a"], r":2: 3.1 to 3.2 s, but the recording has 3 s"),
        (["Cy_2012 1 Cy 0 1"], ":1: is not '<talk> <channel>"),
        (["Cy_2012 1 Cy -0.5 1 <NA> a"], ":1: starts at -0.5 s, before the recording"),
        (["Cy_2012 1 Cy 2 1 <NA> a"], ":1: ends at 1 s, expected 0.01 s or more after its start at 2 s"),
        (["Cy_2012 1 Cy 0 1 <NA> a", "Cy_2012 1 Cy 0.0 1.0 <NA> a"], ":2: has the same times as line 1"),
        (["Cy_2012 1 Cy 0 1 <NA> a", "Cy_2012 1 Cy 2 2.05 <NA> b"], ":2: too short: 800 samples, expected 880"),
        (["Cy_2012 1 Cy 2.96 3.4 <NA> b"], ":1: too short: 640 samples, expected 880"),
    ],
)
def test_a_bad_segment_is_an_error_that_names_it(run_here, tedlium, lines, problem):
    tedlium.write_stm("Cy_2012", lines)
    with pytest.raises(CorpusError) as error:
        run_here(audio_job(tedlium))
    assert f"talk Cy_2012: {tedlium.stm('Cy_2012')}{problem}" in str(error.value)


def test_segments_without_recording_are_an_error(run_here, tedlium):
    tedlium.sph("Ann_2010").unlink()
    with pytest.raises(CorpusError, match=r"talk Ann_2010: .*/Ann_2010.stm has no recording"):
        run_here(audio_job(tedlium))


def test_a_missing_part_and_an_empty_one_are_errors(run_here, tedlium):
    for talk in LINES:
        tedlium.write_stm(talk, [])
    with pytest.raises(CorpusError, match="dev: 1 problem.*\n.*no segments in any STM file"):
        run_here(audio_job(tedlium))
    tedlium.part = "train"
    with pytest.raises(CorpusError, match="train/sph: no such folder"):
        run_here(audio_job(tedlium))


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["Cy_2012 1 Cy 0 1 <NA>"], "utterance Cy_2012-0001: .*Cy_2012.stm:1: an empty transcript"),
        (["Cy_2012 1 Cy 0 1 <NA> {NOISE}"], "utterance Cy_2012-0001: .*Cy_2012.stm:1: an empty transcript"),
        (["Cy_2012 1 Cy 0 1 <NA> a <unk>"], "utterance Cy_2012-0001: .*: unknown characters '<' '>' in 'A <UNK>'"),
        (["Cy_2012 1 Cy 0 1 <NA> and ' so"], "utterance Cy_2012-0001: .*Cy_2012.stm:1: a word without a letter"),
        (["Cy_2012 1 Cy 0 1 <NA> so-so 2"], "utterance Cy_2012-0001: .*: unknown characters '-' '2' in 'SO-SO 2'"),
        (["Cy_2012 1 Cy 0 1 <NA> a", "Cy_2012 1 Cy 1 2 <NA> b"], "utterance Cy_2012-0002: .* but no audio"),
        ([], "utterance Cy_2012-0001: .*Cy_2012.sph has no transcript"),
        (["nonsense"], "talk Cy_2012: .*Cy_2012.stm:1: is not '<talk>"),
    ],
)
def test_bad_transcripts_are_errors_that_name_them(run_here, tedlium, lines, problem):
    run_here(audio_job(tedlium))
    tedlium.write_stm("Cy_2012", lines)
    with pytest.raises(CorpusError, match=problem):
        run_here(transcripts_job(tedlium))


@pytest.mark.shared_data
@pytest.mark.skipif(not STAND_IN.is_dir(), reason=f"no recordings in {STAND_IN} (see CTC_KD_SHARED_DATA)")
@pytest.mark.parametrize(
    ("part", "count", "talks", "seconds"),
    [("train", 37, 4, 460.53), ("dev", 52, 3, 334.215), ("test", 95, 5, 665.20006)],
)
def test_recordings_of_sentences_in_this_layout(run_here, part, count, talks, seconds):
    corpus = tk.Path(str(STAND_IN))
    cuts = run_here(ReadTedliumAudioJob(corpus_dir=corpus, part=part)).out_cuts
    transcripts = run_here(ReadTedliumTranscriptsJob(corpus_dir=corpus, part=part, cuts=cuts)).out_transcripts
    archive = run_here(OggZipJob(cuts=cuts)).out_ogg_zip
    durations = utterance_durations([archive.get_path()])
    assert len(durations) == count
    assert len({utterance.rsplit("-", 1)[0] for utterance in durations}) == talks
    assert sum(durations.values()) == pytest.approx(seconds, abs=0.005 * count)  # its times have two decimals
    assert list(read_transcripts(transcripts.get_path())) == list(durations)
