"""config/kd_blank.py by the command line: miniatures of its corpora from a server on this machine to the reports."""

import json
import re
import shutil
from pathlib import Path

import miniatures
import pytest
from command_line import Server, jobs_that, settings_for, setup_folder, sis

from ctc_kd.corpus.public_file_table import TABLE
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.pronunciations import read_lexicon
from ctc_kd.store import read_hdf, read_labels

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
CONFIG = REPOSITORY / "config" / "kd_blank.py"
GRID = [CONFIG, HERE / "paper_grid.py", HERE / "tiny.py"]

NO_WAITING = """
import time

sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.1))  # download jobs would wait for the server, half a minute in all
"""
STUDENTS = {
    "tedlium2": ["baseline", "symmetric-n1-l1", "symmetric-n2-l1", "prior-scale0.5-l1"],
    "librispeech-other": ["all-l0.9"],
}


def output_of(grid, job_id):
    return grid / "work" / job_id / "output"


@pytest.fixture(scope="module")
def grid(tmp_path_factory, kenlm_work, public_files):
    """A folder in which both corpora have been downloaded and all rows have been run."""
    files, checksums = public_files
    with Server(files) as server:
        settings = settings_for(server.url, checksums)
        folder = setup_folder(tmp_path_factory.mktemp("paper") / "setup", *GRID, settings=settings)
        shutil.copytree(kenlm_work, folder / "work")
        status, output = sis(folder, "manager", "-r", "config/paper_grid.py")
    assert status == 0, output[-5000:]
    return folder


def records_of(grid, corpus):
    lines = (grid / "output" / "kd_blank" / corpus / "report" / "records.jsonl").read_text().splitlines()
    return {record["row"]: record for record in map(json.loads, lines)}


@pytest.mark.slow
@pytest.mark.parametrize("corpus", STUDENTS)
def test_report(grid, corpus):
    report = grid / "output" / "kd_blank" / corpus / "report"
    records = records_of(grid, corpus)
    assert list(records) == ["teacher", *STUDENTS[corpus]]
    label_free = [row for row, record in records.items() if not record["uses_transcripts"]]
    assert label_free == [row for row in STUDENTS[corpus] if row.endswith("-l1")]
    assert {record["preset"] for record in records.values()} == {"published"}
    assert {records[row]["normalisation"] for row in label_free} <= {"selected_frames"}
    assert {record["test"]["utterances"] for record in records.values() if record["test"]} == {6}
    assert "| Teacher | – | " in (report / "table1.md").read_text()
    if "all-l0.9" in records:
        assert records["all-l0.9"]["normalisation"] == "batch_times_labels"
        assert "| – (KD) | 0.9† | " in (report / "table2.md").read_text()
    assert (report / "figure1.svg").read_text().startswith("<?xml")
    page = (report / "index.html").read_text()
    for section in ("table-1", "table-2", "figure-1", "coverage", "curves"):
        assert f'id="{section}"' in page
    # on LibriSpeech, no row has another to be compared with
    assert ('id="significance"' in page) == ("baseline" in STUDENTS[corpus])


@pytest.mark.slow
def test_only_the_radius_that_dev_chose_is_tested(grid):
    records = records_of(grid, "tedlium2")
    untested = [row for row, record in records.items() if record["test"] is None]
    chosen, rejected = sorted(["symmetric-n1-l1", "symmetric-n2-l1"], key=untested.count)
    assert untested == [rejected]
    assert records[chosen]["dev"]["wer"] <= records[rejected]["dev"]["wer"]
    table = (grid / "output" / "kd_blank" / "tedlium2" / "report" / "table2.md").read_text()
    assert f"|  | 1.0 | n = {records[chosen]['parameter']:g} | " in table


@pytest.mark.slow
def test_an_incomplete_corpus_is_told_from_the_real_one(grid):
    pages = {
        corpus: (grid / "output" / "kd_blank" / corpus / "report" / "index.html").read_text() for corpus in STUDENTS
    }
    assert "train: 36 utterances, 0.0 h; expected 92973 utterances, 212.1 h" in pages["tedlium2"]
    for part, size in miniatures.LIBRISPEECH.items():
        assert f"{part}: {size} utterances, 0.0 h; expected " in pages["librispeech-other"]


@pytest.mark.slow
def test_words_that_the_published_lexica_lack_come_from_g2p(grid):
    lexica = list(grid.glob("work/ctc_kd/lexicon/g2p/ApplyG2PJob.*/output/lexicon.txt"))
    assert [tuple(read_lexicon(path)) for path in lexica] == [miniatures.UNLISTED] * 2


@pytest.mark.slow
def test_librispeech_has_80_classes_and_three_speeds(grid):
    records = records_of(grid, "librispeech-other")
    for record in records.values():
        folder = output_of(grid, record["job_ids"]["posteriors"])
        assert {path.stem for path in folder.glob("*.hdf")} == {"dev-clean", "dev-other", "test-clean", "test-other"}
        assert read_labels(folder / "test-other.hdf") == list(phonemes(80).labels)
        assert {posteriors.shape[1] for _, posteriors in read_hdf(folder / "test-other.hdf")} == {80}
    logits = output_of(grid, records["all-l0.9"]["job_ids"]["teacher logits"]) / "logits"
    assert read_labels(logits) == list(phonemes(80).labels)
    dumped = [name for name, _ in read_hdf(logits)]
    assert len(dumped) == len(set(dumped)) == 3 * 36 + 4 + 6
    tedlium = records_of(grid, "tedlium2")["teacher"]["job_ids"]["posteriors"]
    assert read_labels(output_of(grid, tedlium) / "test.hdf") == list(phonemes(79).labels)


@pytest.mark.slow
def test_a_second_run_starts_nothing(grid):
    status, output = sis(grid, "manager", "-r", "config/paper_grid.py")
    assert (status, jobs_that("started", output)) == (0, [])


@pytest.mark.slow
def test_without_the_server_only_downloads_fail_and_say_what_to_do(kenlm_work, tmp_path):
    with Server(tmp_path) as server:
        checksums = {name: {} for name in TABLE}
        settings = settings_for(server.url, checksums, cpus=len(TABLE)) + NO_WAITING
    folder = setup_folder(tmp_path / "setup", *GRID, settings=settings)
    shutil.copytree(kenlm_work, folder / "work")
    status, output = sis(folder, "manager", "-r", "config/paper_grid.py")
    assert status == 1
    assert jobs_that("started", output) == jobs_that("FAILED", output) == ["DownloadJob"] * 10
    assert "Not all outputs could be made: 10 jobs failed, nothing else can be done." in output
    assert "| ctc_kd.corpus.download.DownloadError: TEDLIUM_release2.tar.gz: no mirror provided the file" in output
    assert "Connection refused" in output
    checksum = re.escape(TABLE["TEDLIUM_release2.tar.gz"].checksum)
    assert re.search(
        rf"Put the file TEDLIUM_release2.tar.gz \({checksum}, 36,791,529,840 bytes\) into \S+/work", output
    )
    assert 'name a copy in settings.py: RESOURCES = {"4-gram.arpa.gz": "/path/to/4-gram.arpa.gz"}' in output
