import json
from pathlib import Path

import pytest
from sisyphus import tk

from ctc_kd.inventory import Inventory, write_inventory
from ctc_kd.scoring.score import ScoreJob, check_utterances


@pytest.fixture
def write(tmp_path):
    def write_file(name, text):
        (tmp_path / name).write_text(text)
        return tk.Path(str(tmp_path / name))

    return write_file


def test_scores_and_alignments(run_jobs, tmp_path):
    (tmp_path / "references.txt").write_text("1-1-0000 THE CAT SAT DOWN\n1-1-0001 A\n1-1-0002 IT'S\n")
    (tmp_path / "hypotheses.txt").write_text("1-1-0001\n1-1-0000 THE CATS SAT DOWN THERE\n1-1-0002 IT'S\n")
    job = ScoreJob(
        hypotheses=tk.Path(str(tmp_path / "hypotheses.txt")), references=tk.Path(str(tmp_path / "references.txt"))
    )
    run_jobs(job.out_wer, job.out_counts, job.out_alignments)

    assert job.out_wer.get() == 50.0
    assert json.loads(Path(job.out_counts.get_path()).read_text()) == {
        "wer": 50.0,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 1,
        "hits": 4,
        "words": 6,
        "utterances": 3,
        "unit": "words",
    }
    first, second, _ = Path(job.out_alignments.get_path()).read_text().split("\n\n", 2)
    assert first.splitlines() == [
        "1-1-0000: 4 words, S 1, D 0, I 1",
        "REF: THE CAT  SAT DOWN *",
        "HYP: THE CATS SAT DOWN THERE",
        "         S             I",
    ]
    assert second.splitlines() == ["1-1-0001: 1 words, S 0, D 1, I 0", "REF: A", "HYP: *", "     D"]


def test_characters_of_a_language_without_spaces(run_here, write):
    job = run_here(
        ScoreJob(hypotheses=write("h.txt", "u 你 们好\n"), references=write("r.txt", "u 你好 世\n"), unit="characters")
    )
    counts = json.loads(Path(job.out_counts.get_path()).read_text())
    assert (counts["hits"], counts["words"], counts["unit"]) == (2, 3, "characters")
    assert Path(job.out_alignments.get_path()).read_text().startswith("u: 3 characters, S 0, ")
    with pytest.raises(ValueError, match="unit is 'letters', expected one of words, characters"):
        ScoreJob(hypotheses=job.hypotheses, references=job.references, unit="letters")


def test_words_that_no_label_spells_are_named(run_here, write, tmp_path, capsys):
    write_inventory(tmp_path / "i.json", Inventory("characters", ("_", *"he'lo"), blank=0, case="lower"))
    sides = {"hypotheses": write("h.txt", "u hello\n"), "references": write("r.txt", 'u "Hello," Hello’ 5\n')}
    run_here(ScoreJob(**sides, inventory=tk.Path(str(tmp_path / "i.json"))))
    printed = capsys.readouterr().out
    assert "2 of 3 words have characters that no label spells" in printed and "'\"hello,\"' '5'" in printed


def test_both_sides_are_written_as_the_labels_are(run_here, write, tmp_path):
    write_inventory(tmp_path / "i.json", Inventory("characters", ("ж", "'", "_"), blank=2, case="lower"))
    sides = {"hypotheses": write("h.txt", "u Ж’ж Cafe\u0301\n"), "references": write("r.txt", "u ж'Ж CAFÉ\n")}
    assert run_here(ScoreJob(**sides)).out_wer.get() == 100.0
    assert run_here(ScoreJob(**sides, inventory=tk.Path(str(tmp_path / "i.json")))).out_wer.get() == 0.0


def test_missing_and_extra_utterances_are_named():
    references, hypotheses = {"1-1-0000": "A", "1-1-0001": "B"}, {"1-1-0001": "B", "1-1-0002": "C"}
    with pytest.raises(ValueError, match="hyp.txt.*ref.txt.*1-1-0000 is missing.*1-1-0002 is unexpected"):
        check_utterances(references, hypotheses, names=("ref.txt", "hyp.txt"))


def test_many_missing_utterances_are_counted():
    references = {f"1-1-{number:04}": "A" for number in range(12)}
    with pytest.raises(ValueError, match="1-1-0009 is missing and 2 more"):
        check_utterances(references, {}, names=("ref.txt", "hyp.txt"))
