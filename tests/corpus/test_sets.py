import pytest
from hypothesis import given
from hypothesis import strategies as st
from sisyphus import tk

from ctc_kd.corpus.cuts import read_cuts, whole_recording_cut, write_cuts
from ctc_kd.corpus.known_counts import KNOWN_COUNTS, CheckCountsJob, Counts
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.sets import (
    CombineCutsJob,
    CombineTranscriptsJob,
    SampleHoursJob,
    SampleUtterancesJob,
    SelectTranscriptsJob,
    SplitBySpeakerJob,
    divide,
)
from ctc_kd.corpus.transcripts import read_transcripts, write_transcripts


@pytest.fixture
def manifest(tmp_path):
    """``manifest(name, ids)``: cuts of 3.6 s; the speaker is what an id starts with."""

    def write(name, utterances):
        path = tmp_path / f"{name}.jsonl.gz"
        rate = 16000
        cuts = [
            whole_recording_cut(
                utterance,
                audio=f"/audio/{utterance}.flac",
                num_samples=57600,
                sample_rate_hz=rate,
                speaker=utterance.split("-")[0],
            )
            for utterance in utterances
        ]
        write_cuts(path, cuts)
        return tk.Path(str(path))

    return write


@pytest.fixture
def transcripts(tmp_path):
    def write(name, content):
        path = tmp_path / f"{name}.txt"
        write_transcripts(path, content)
        return tk.Path(str(path))

    return write


def ids(path):
    return [cut.id for cut in read_cuts(path.get_path())]


def test_cuts_are_combined_in_the_order_of_the_parts(run_here, manifest):
    parts = [manifest("b", ["7-1", "3-1"]), manifest("a", ["1-1"])]
    job = run_here(CombineCutsJob(cuts=parts))
    assert ids(job.out_cuts) == ["7-1", "3-1", "1-1"]
    assert list(read_cuts(job.out_cuts.get_path()))[0] == list(read_cuts(parts[0].get_path()))[0]


def test_an_utterance_in_two_manifests_is_an_error_that_names_both(run_here, manifest):
    with pytest.raises(CorpusError, match=r"utterance 3-1: in .*/one.jsonl.gz and in .*/two.jsonl.gz"):
        run_here(CombineCutsJob(cuts=[manifest("one", ["3-1", "3-2"]), manifest("two", ["4-1", "3-1"])]))


def test_transcripts_are_combined_in_the_order_of_the_parts(run_here, transcripts):
    parts = [transcripts("b", {"7-1": "B", "3-1": "A"}), transcripts("a", {"1-1": "C D"})]
    path = run_here(CombineTranscriptsJob(transcripts=parts)).out_transcripts.get_path()
    assert list(read_transcripts(path).items()) == [("7-1", "B"), ("3-1", "A"), ("1-1", "C D")]


def test_a_transcript_in_two_files_is_an_error_that_names_both(run_here, transcripts):
    with pytest.raises(CorpusError, match=r"utterance 3-1: in .*/one.txt and in .*/two.txt"):
        run_here(
            CombineTranscriptsJob(transcripts=[transcripts("one", {"3-1": "A"}), transcripts("two", {"3-1": "A"})])
        )


def test_transcripts_are_selected_in_the_order_of_the_cuts(run_here, manifest, transcripts):
    cuts, texts = manifest("cuts", ["3-2", "1-1"]), transcripts("all", {"1-1": "A", "2-1": "B", "3-2": "C"})
    path = run_here(SelectTranscriptsJob(transcripts=texts, cuts=cuts)).out_transcripts.get_path()
    assert list(read_transcripts(path).items()) == [("3-2", "C"), ("1-1", "A")]


def test_a_selected_utterance_without_transcript_is_an_error(run_here, manifest, transcripts):
    cuts, texts = manifest("cuts", ["3-2", "1-1"]), transcripts("all", {"1-1": "A"})
    with pytest.raises(CorpusError, match=r"(?s)all.txt: 1 problem.*utterance 3-2: no transcript.*cuts.jsonl.gz"):
        run_here(SelectTranscriptsJob(transcripts=texts, cuts=cuts))


def test_a_sample_is_fixed_by_its_seed_and_keeps_the_order(run_here, manifest):
    everything = [f"1-{number:03}" for number in range(200)]
    cuts = manifest("dev", everything)
    draws = [ids(run_here(SampleUtterancesJob(cuts=cuts, num=50, seed=seed)).out_cuts) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    for draw in draws:
        assert len(draw) == 50
        assert draw == sorted(draw)
        assert set(draw) < set(everything)
        assert draw != everything[:50]


def test_a_sample_of_a_manifest_that_is_too_small_is_the_whole_and_says_so(run_here, manifest, capsys):
    cuts = manifest("dev", ["1-2", "1-1"])
    assert ids(run_here(SampleUtterancesJob(cuts=cuts, num=1500, seed=1)).out_cuts) == ["1-2", "1-1"]
    assert "took all of its 2 utterances, 1500 were requested" in capsys.readouterr().out


def test_samples_by_hours_are_nested(run_here, manifest):
    everything = [f"1-{number:03}" for number in range(200)]  # 0.2 hours
    cuts = manifest("train", everything)
    small, large, whole = (ids(run_here(SampleHoursJob(cuts=cuts, hours=h)).out_cuts) for h in (0.0501, 0.1, 0.2))
    assert (len(small), len(large), whole) == (51, 100, everything)
    assert set(small) < set(large)
    assert small == sorted(small) != everything[:51]


def test_more_hours_than_there_are_are_refused(run_here, manifest):
    cuts = manifest("train", ["1-1", "1-2"])
    with pytest.raises(CorpusError, match=r"train.jsonl.gz: 0.002 hours, expected 1.0 hours or more"):
        run_here(SampleHoursJob(cuts=cuts, hours=1.0))
    with pytest.raises(ValueError, match="hours 0, expected a number above 0"):
        SampleHoursJob(cuts=cuts, hours=0)


def test_speakers_are_held_out(run_here, manifest):
    cuts = manifest("all", ["5-1", "1-1", "2-1", "5-2", "3-1", "4-1"])
    job = run_here(SplitBySpeakerJob(cuts=cuts, dev_speakers=["1"], test_speakers=2))
    assert ids(job.out_test) == ["5-1", "5-2", "4-1"]
    assert ids(job.out_dev) == ["1-1"]
    assert ids(job.out_train) == ["2-1", "3-1"]


@given(
    num_speakers=st.integers(3, 30),
    dev=st.integers(1, 10),
    test=st.integers(1, 10),
    order=st.randoms(use_true_random=False),
)
def test_every_speaker_is_in_one_part(num_speakers, dev, test, order):
    speakers = [str(number) for number in range(num_speakers)]
    order.shuffle(speakers)
    if dev + test >= num_speakers:
        with pytest.raises(ValueError, match="no speaker is left for"):
            divide(speakers, dev=dev, test=test)
        return
    parts = list(divide(speakers, dev=dev, test=test).items())
    assert [speaker for speaker, _ in parts] == sorted(speakers)
    assert [part for _, part in parts] == ["train"] * (num_speakers - dev - test) + ["dev"] * dev + ["test"] * test


@pytest.mark.parametrize(
    ("dev", "test", "problem"),
    [
        (["9"], 1, "speaker 9 for dev: there is no such speaker"),
        (["1"], ["1"], "speaker 1 for dev: held out for test already"),
        (0, 1, "no speaker is left for dev"),
        (1, 2, "no speaker is left for train: hold out fewer of the 3 speakers"),
    ],
)
def test_a_division_that_does_not_work_names_its_manifest(run_here, manifest, dev, test, problem):
    cuts = manifest("all", ["1-1", "2-1", "3-1"])
    with pytest.raises(CorpusError, match=f"all.jsonl.gz: {problem}"):
        run_here(SplitBySpeakerJob(cuts=cuts, dev_speakers=dev, test_speakers=test))


@pytest.mark.parametrize(
    ("expected", "agrees"), [(Counts(1000, 1.0), True), (Counts(1001, 1.0), False), (Counts(1000, 1.3), False)]
)
def test_counts_are_reported_and_a_difference_is_loud(run_here, manifest, capsys, expected, agrees):
    cuts = manifest("dev", [f"1-{number}" for number in range(1000)])
    job = run_here(CheckCountsJob(cuts=cuts, part="dev", expected=expected))
    with open(job.out_note.get_path()) as file:
        note = file.read()
    assert note.startswith("dev: 1000 utterances, 1.0 h; ")
    assert ("as expected" in note) is agrees
    assert ("WARNING" in capsys.readouterr().out) is not agrees


def test_known_counts_of_the_union_are_those_of_its_parts():
    known = KNOWN_COUNTS["librispeech"]
    parts = [known[part] for part in ("train-clean-100", "train-clean-360", "train-other-500")]
    assert known["train-other-960"].utterances == sum(part.utterances for part in parts)
    assert known["train-other-960"].hours == pytest.approx(sum(part.hours for part in parts))
