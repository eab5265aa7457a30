"""The significance of a table's differences, through the job."""

import pytest
from sisyphus import tk

from ctc_kd.corpus.cuts import read_cuts, whole_recording_cut, write_cuts
from ctc_kd.corpus.transcripts import write_transcripts
from ctc_kd.files import read_json
from ctc_kd.scoring.bootstrap import SignificanceJob


@pytest.fixture
def files(tmp_path):
    """Six speakers with three utterances of five words each, and hypotheses by the number of wrong words."""
    names = [f"{speaker}-{number}" for speaker in "abcdef" for number in range(3)]
    cuts = [
        whole_recording_cut(name, audio="a.flac", num_samples=16_000, sample_rate_hz=16_000, speaker=name[0])
        for name in names
    ]
    write_cuts(str(tmp_path / "cuts.jsonl.gz"), cuts)
    write_transcripts(str(tmp_path / "references"), dict.fromkeys(names, "A B C D E"))

    def hypotheses(name, wrong):
        """:param wrong: utterance number -> wrong words"""
        path = str(tmp_path / name)
        texts = {utterance: " ".join("ABCDE"[int(wrong[utterance[-1]]) :]) for utterance in names}
        write_transcripts(path, texts)
        return tk.Path(path)

    inputs = {"references": tk.Path(str(tmp_path / "references")), "cuts": tk.Path(str(tmp_path / "cuts.jsonl.gz"))}
    return inputs, hypotheses


def test_job(files, run_here):
    inputs, hypotheses = files
    rows = {
        "baseline": [hypotheses("baseline", {"0": 2, "1": 1, "2": 0})],
        "copy": [hypotheses("copy", {"0": 2, "1": 1, "2": 0})],
        "better": [hypotheses(f"seed{seed}", {"0": wrong, "1": 0, "2": 0}) for seed, wrong in ((1, 1), (2, 2))],
    }
    against = {"copy": ["baseline", "copy"], "better": ["baseline"]}
    job = run_here(SignificanceJob(**inputs, hypotheses=rows, against=against))
    result = read_json(job.out_significance.get_path())
    assert (result["speakers"], result["utterances"], result["words"], result["exact"]) == (6, 18, 90, True)
    assert result["wer"] == pytest.approx({"baseline": 20.0, "copy": 20.0, "better": 10.0})
    # every speaker has as many errors, so samples of them do not differ
    assert result["intervals"] == {row: pytest.approx([wer] * 2) for row, wer in result["wer"].items()}
    same = {"difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0, "holm": 1.0}
    assert result["comparisons"][:2] == [{"row": "copy", "against": row, **same} for row in ("baseline", "copy")]
    # every speaker has the same errors: no sample differs from another, and only 2 of 64 ways to swap differ as much
    better = result["comparisons"][2]
    assert (better["row"], better["against"], better["p"]) == ("better", "baseline", 2 / 64)
    assert better["holm"] == 2 / 64  # rows with the same errors are no test
    assert [better[name] for name in ("difference", "low", "high")] == pytest.approx([-10.0] * 3)


@pytest.mark.parametrize(("speakers", "few"), [(19, True), (20, False)])
def test_intervals_of_few_speakers_are_called_too_narrow(run_here, tmp_path, capsys, speakers, few):
    names = [f"speaker{number}" for number in range(speakers)]
    cuts = [
        whole_recording_cut(name, audio="a.flac", num_samples=16_000, sample_rate_hz=16_000, speaker=name)
        for name in names
    ]
    write_cuts(str(tmp_path / "cuts.jsonl.gz"), cuts)
    write_transcripts(str(tmp_path / "words"), dict.fromkeys(names, "A"))
    words = tk.Path(str(tmp_path / "words"))
    job = SignificanceJob(
        references=words, cuts=tk.Path(str(tmp_path / "cuts.jsonl.gz")), hypotheses={"row": [words]}, against={}
    )
    assert read_json(run_here(job).out_significance.get_path())["exact"] == few
    assert ("fewer than 20 speakers" in capsys.readouterr().out) == few


def test_utterances_without_speaker_are_refused(files, run_here, tmp_path):
    inputs, _ = files
    for name in ("references", "hypotheses"):
        (tmp_path / name).write_text("a-0 A\nz-0 A\n")
    job = SignificanceJob(**inputs, hypotheses={"row": [tk.Path(str(tmp_path / "hypotheses"))]}, against={})
    with pytest.raises(ValueError, match="cuts.jsonl.gz: 1 problem.*\n  z-0: no speaker"):
        run_here(job)


def test_speakers_without_words_are_refused(files, run_here, tmp_path):
    inputs, _ = files
    for name in ("references", "hypotheses"):
        (tmp_path / name).write_text("a-0 A\nb-0\n")
    job = SignificanceJob(**inputs, hypotheses={"row": [tk.Path(str(tmp_path / "hypotheses"))]}, against={})
    with pytest.raises(ValueError, match="no words of b"):
        run_here(job)


def test_other_utterances_are_refused(files, run_here, tmp_path):
    inputs, _ = files
    (tmp_path / "hypotheses").write_text("a-0 A\n")
    job = SignificanceJob(**inputs, hypotheses={"row": [tk.Path(str(tmp_path / "hypotheses"))]}, against={})
    with pytest.raises(ValueError, match="a-1 is missing"):
        run_here(job)


def test_unknown_rows_are_refused_when_the_graph_is_made(files):
    inputs, hypotheses = files
    rows = {"kd": [hypotheses("kd", {"0": 0, "1": 0, "2": 0})]}
    with pytest.raises(ValueError, match="no hypotheses of baseline; expected only kd"):
        SignificanceJob(**inputs, hypotheses=rows, against={"kd": ["baseline"]})


def test_rows_with_equally_many_seeds_are_paired(files, run_here):
    """The second seed is worse in all rows alike; `better` has one error less in each speaker's 15 words."""
    inputs, hypotheses = files
    rows = {
        name: [hypotheses(f"{name}{seed}", {"0": wrong, "1": seed, "2": 0}) for seed in (0, 1)]
        for name, wrong in (("kd", 2), ("better", 1), ("alike", 2))
    }
    rows["single"] = rows["kd"][:1]
    against = {"better": ["kd", "single"], "alike": ["kd"]}
    contrasts = {"gain": {"better": 1, "kd": -1, "alike": -1, "single": 1}}
    with pytest.raises(ValueError, match="contrast gain: its rows have unlike numbers of seeds: .*'single': 1"):
        SignificanceJob(**inputs, hypotheses=rows, against=against, contrasts=contrasts)
    contrasts = {"gain": {"better": 2, "kd": -1, "alike": -1}, "same": {"alike": 1, "kd": -1}}
    job = SignificanceJob(**inputs, hypotheses=rows, against=against, margin=1.0, contrasts=contrasts)
    found = read_json(run_here(job).out_significance.get_path())
    better, unpaired, alike = found["comparisons"]
    assert better["seeds"]["differences"] == pytest.approx([-100 / 15] * 2)
    assert (better["seeds"]["spread"], better["seeds"]["p"]) == (pytest.approx(0.0), 0.0)
    assert "seeds" not in unpaired
    assert alike["seeds"] == {"differences": [0.0] * 2, "spread": 0.0, "low": 0.0, "high": 0.0, "p": 1.0, "holm": 1.0}
    assert alike["equivalence"] == {"margin": 1.0, "p": 0.0, "holm": 0.0}
    assert better["equivalence"]["holm"] == 1.0
    gain, same = found["contrasts"]
    assert (gain["contrast"], gain["holm"]) == ("gain", 0.0)
    assert [gain["difference"], gain["low"], gain["high"]] == pytest.approx([-200 / 15] * 3)
    assert (same["difference"], same["holm"]) == (0.0, 1.0)


def test_a_row_beside_itself_is_no_test(files, run_here):
    inputs, hypotheses = files
    rows = {name: [hypotheses(name, {"0": wrong, "1": 0, "2": 0})] for name, wrong in (("n1", 2), ("n2", 1))}
    rows["best n"] = rows["n1"]
    against = {"n1": ["best n"], "n2": ["best n"]}
    job = run_here(SignificanceJob(**inputs, hypotheses=rows, against=against, margin=0.5))
    itself, other = read_json(job.out_significance.get_path())["comparisons"]
    assert (itself["holm"], itself["equivalence"]["holm"]) == (1.0, 0.0)
    assert other["holm"] == other["p"] == 2 / 64


def test_one_speaker_differs_over_seeds_alone(files, run_here):
    inputs, hypotheses = files
    cuts = list(read_cuts(inputs["cuts"].get_path()))
    for cut in cuts:
        cut.fields["supervisions"][0]["speaker"] = "a"
    write_cuts(inputs["cuts"].get_path(), cuts)
    for seeds in (1, 2):
        rows = {
            name: [hypotheses(f"{name}{seed}", {"0": wrong + seed, "1": 0, "2": 0}) for seed in range(seeds)]
            for name, wrong in (("kd", 1), ("baseline", 2))
        }
        job = SignificanceJob(**inputs, hypotheses=rows, against={"kd": ["baseline"]}, margin=0.5)
        (found,) = read_json(run_here(job).out_significance.get_path())["comparisons"]
        assert found["difference"] == pytest.approx(-100 / 15)
        assert ("seeds" in found) == (seeds > 1)
        assert found["equivalence"]["p"] >= 0.5


def test_more_tests_do_not_change_the_id_of_a_job(files):
    inputs, hypotheses = files
    rows = {"kd": [hypotheses("kd", {"0": 0, "1": 0, "2": 0})]}
    plain = SignificanceJob(**inputs, hypotheses=rows, against={})
    assert plain.job_id() == SignificanceJob(**inputs, hypotheses=rows, against={}, margin=None).job_id()
    assert plain.job_id() != SignificanceJob(**inputs, hypotheses=rows, against={}, margin=1.0).job_id()
