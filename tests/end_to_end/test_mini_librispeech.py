"""config/mini_librispeech.py by the command line: downloads from a server on this machine, or a folder on disk."""

import json
import shutil
from pathlib import Path

import miniatures
import pytest
from command_line import Server, jobs_that, settings_for, setup_folder, sis
from tiny import ENCODER

from ctc_kd.store import read_hdf

HERE = Path(__file__).parent
CONFIG = HERE.parents[1] / "config" / "mini_librispeech.py"


def write_encoder(folder):
    """Random weights, as Hugging Face stores pre-trained ones."""
    from transformers import AutoConfig, AutoModel

    AutoModel.from_config(AutoConfig.for_model(**ENCODER)).save_pretrained(folder)


@pytest.fixture(scope="module")
def mini(tmp_path_factory, kenlm_work, public_files):
    """A folder in which the miniature has been downloaded and its rows have been run, and what was printed."""
    files, checksums = public_files
    with Server(files) as server:
        settings = settings_for(server.url, checksums)
        grid = [CONFIG, HERE / "mini_grid.py", HERE / "tiny.py"]
        folder = setup_folder(tmp_path_factory.mktemp("mini") / "setup", *grid, settings=settings)
        shutil.copytree(kenlm_work, folder / "work")
        shutil.copytree(files.parent / "trees" / "train-clean-5" / "LibriSpeech", folder / "recordings")
        (folder / "text").write_text("send me ten mint tins\nthe man sat in a tent\n" * 5)
        write_encoder(folder / "encoder")
        status, output = sis(folder, "manager", "-r", "config/mini_grid.py")
    assert status == 0, output[-5000:]
    return folder, output


@pytest.mark.slow
def test_three_parts_two_resources_and_no_others_are_downloaded(mini):
    folder, output = mini
    assert jobs_that("finished", output).count("DownloadJob") == 5
    names = {"train-clean-5.tar.gz", "dev-clean-2.tar.gz", "test-clean.tar.gz"}
    names |= {"librispeech-lexicon.txt", "4-gram.arpa.gz"}
    assert {path.name for path in folder.glob("work/ctc_kd/corpus/download/DownloadJob.*/output/*")} == names


@pytest.mark.slow
def test_report(mini):
    folder, _ = mini
    report = folder / "output" / "mini" / "mini_librispeech" / "report"
    lines = (report / "records.jsonl").read_text().splitlines()
    records = {record["row"]: record for record in map(json.loads, lines)}
    assert list(records) == ["teacher", "symmetric-n1-l1"]
    assert {record["preset"] for record in records.values()} == {"mini"}
    assert {record["dev"]["utterances"] for record in records.values()} == {miniatures.MINI_LIBRISPEECH["dev-clean-2"]}
    assert {record["test"]["utterances"] for record in records.values()} == {miniatures.LIBRISPEECH["test-clean"]}
    assert "| Teacher | – | " in (report / "table1.md").read_text()
    page = (report / "index.html").read_text()
    assert "train-clean-5: 24 utterances, 0.0 h; expected 1519 utterances, 5.3 h" in page
    for statistic in ("perplexity dev", "perplexity test", "OOV rate test"):
        assert statistic in page


@pytest.mark.slow
def test_a_folder_with_held_out_speakers(mini):
    """Labels of the speaker that is left, by cmudict and G2P; a model of its sentences and the text."""
    folder, _ = mini
    assert len(list(read_hdf(folder / "output" / "folder" / "labels.hdf"))) == 8
    assert 1 < float((folder / "output" / "folder" / "perplexity").read_text()) < 50
