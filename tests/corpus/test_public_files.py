import hashlib
import subprocess
import sys
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sisyphus import Job, gs, job, tk

from ctc_kd.corpus.public_file_table import ARCHIVES, FOLDERS, TABLE
from ctc_kd.corpus.public_files import corpus_dir, public_file, resource

ALL_PARTS = [(corpus, part) for corpus, parts in ARCHIVES.items() for part in parts]


class ReadJob(Job):
    """Any reader of a file."""

    def __init__(self, *, path: tk.Path):
        self.path = path
        self.out = self.output_path("out")


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    monkeypatch.setattr(gs, "BASE_DIR", str(tmp_path / "setup"))
    monkeypatch.setattr(job, "created_jobs", {})


@pytest.fixture
def setting(monkeypatch):
    """``setting(NAME=value)``: as if it stood in ``settings.py``."""

    def put(**values):
        for name, value in values.items():
            monkeypatch.setattr(gs, name, value, raising=False)

    return put


def reader_id(path: tk.Path) -> str:
    return ReadJob(path=path).job_id()


def test_the_table_is_complete():
    assert {name for parts in ARCHIVES.values() for name in parts.values()} < set(TABLE)
    assert set(FOLDERS) == set(ARCHIVES)
    for name, file in TABLE.items():
        assert file.name == name
        assert all(url.startswith("https://") and url.endswith(f"/{name}") for url in file.urls)
        assert len(set(file.urls)) == len(file.urls) > 1
    assert len({file.checksum for file in TABLE.values()}) == len(TABLE)


@pytest.mark.parametrize(("corpus", "part"), ALL_PARTS)
def test_a_part_is_one_download_and_one_folder(corpus, part):
    path = corpus_dir(corpus, part)
    assert path.path == FOLDERS[corpus]
    archive = path.creator.archive
    assert archive.path == archive.creator.name == ARCHIVES[corpus][part]
    assert archive.creator.checksum == TABLE[archive.path].checksum


def test_failing_downloads_name_the_settings_that_would_help():
    assert resource("4-gram.arpa.gz").creator.setting == 'RESOURCES = {"4-gram.arpa.gz": "/path/to/4-gram.arpa.gz"}'
    archive = corpus_dir("mini_librispeech", "dev-clean-2").creator.archive.creator
    assert archive.setting.endswith(' or CORPUS_DIRS = {"mini_librispeech": "/path/to/LibriSpeech"}')


def test_parts_have_ids_of_their_own():
    assert len({reader_id(corpus_dir(*names)) for names in ALL_PARTS}) == len(ALL_PARTS)


def test_ids_that_have_landed():
    """Whoever changes them makes everybody download and compute everything again."""
    assert resource("4-gram.arpa.gz").creator.job_id() == "ctc_kd/corpus/download/DownloadJob.KRuPg6YZD4rq"
    assert (
        corpus_dir("librispeech", "train-clean-100").creator.job_id() == "ctc_kd/corpus/unpack/UnpackJob.XoYZ1S7Cc4jF"
    )
    assert corpus_dir("tedlium2").creator.job_id() == "ctc_kd/corpus/unpack/UnpackJob.pufX9dRzbtIB"


@pytest.mark.parametrize(("corpus", "part"), ALL_PARTS)
def test_a_local_corpus_is_read_in_place_with_the_ids_of_the_downloaded_one(setting, tmp_path, corpus, part):
    downloaded = reader_id(corpus_dir(corpus, part)), reader_id(corpus_dir(corpus, part).join_right("x"))
    (tmp_path / "mine" / (part or "")).mkdir(parents=True)
    setting(CORPUS_DIRS={corpus: str(tmp_path / "mine")})
    path = corpus_dir(corpus, part)
    assert path.get_path() == str(tmp_path / "mine")
    assert path.available()
    assert (reader_id(path), reader_id(path.join_right("x"))) == downloaded


def test_a_local_file_is_read_in_place_with_the_ids_of_the_downloaded_one(setting, tmp_path):
    downloaded = reader_id(resource("4-gram.arpa.gz"))
    (tmp_path / "setup").mkdir()
    (tmp_path / "setup" / "lm.gz").touch()
    setting(RESOURCES={"4-gram.arpa.gz": "lm.gz"})
    assert resource("4-gram.arpa.gz").get_path() == str(tmp_path / "setup" / "lm.gz")
    assert reader_id(resource("4-gram.arpa.gz")) == downloaded
    assert resource("librispeech-lexicon.txt").creator is not None


def test_a_local_archive_is_unpacked_with_the_ids_of_the_downloaded_one(setting, tmp_path):
    downloaded = corpus_dir("tedlium2").creator.job_id()
    job.created_jobs.clear()
    (tmp_path / "ted.tgz").touch()
    setting(RESOURCES={"TEDLIUM_release2.tar.gz": str(tmp_path / "ted.tgz")})
    unpack = corpus_dir("tedlium2").creator
    assert unpack.job_id() == downloaded
    assert unpack.archive.get_path() == str(tmp_path / "ted.tgz")


def test_a_corpus_comes_from_a_mirror_of_ones_own(setting, tmp_path, run_jobs):
    files = tmp_path / "files"
    (files / "LibriSpeech" / "dev-clean").mkdir(parents=True)
    (files / "LibriSpeech" / "dev-clean" / "a.flac").write_bytes(b"audio")
    with tarfile.open(files / "dev-clean.tar.gz", "w:gz") as tar:
        tar.add(files / "LibriSpeech", "LibriSpeech")
    checksum = f"md5:{hashlib.md5((files / 'dev-clean.tar.gz').read_bytes()).hexdigest()}"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=files))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/dev-clean.tar.gz"
    setting(PUBLIC_FILES={"dev-clean.tar.gz": {"urls": [url], "checksum": checksum}})
    folder = corpus_dir("librispeech", "dev-clean")
    run_jobs(folder)
    server.shutdown()
    server.server_close()
    assert (Path(folder.get_path()) / "dev-clean" / "a.flac").read_bytes() == b"audio"


def test_a_job_that_reads_a_local_corpus_needs_no_download(setting, tmp_path):
    setting(CORPUS_DIRS={"tedlium2": str(tmp_path)})
    assert [path.creator for path in ReadJob(path=corpus_dir("tedlium2"))._sis_inputs] == [None]


def test_local_paths_that_do_not_exist_are_errors_that_name_the_setting(setting, tmp_path):
    setting(CORPUS_DIRS={"librispeech": str(tmp_path)}, RESOURCES={"4-gram.arpa.gz": "~/no/such"})
    with pytest.raises(ValueError, match=r'settings.py: CORPUS_DIRS\["librispeech"\] is .*no .*/dev-clean; correct'):
        corpus_dir("librispeech", "dev-clean")
    with pytest.raises(ValueError, match=r'settings.py: RESOURCES\["4-gram.arpa.gz"\] is \'~/no/such\''):
        resource("4-gram.arpa.gz")


def test_mirrors_do_not_change_ids_and_checksums_do(setting):
    before = corpus_dir("librispeech", "dev-clean").creator.job_id()
    setting(PUBLIC_FILES={"dev-clean.tar.gz": {"urls": ["http://mirror/dev-clean.tar.gz"]}})
    assert public_file("dev-clean.tar.gz").urls == ["http://mirror/dev-clean.tar.gz"]
    assert public_file("dev-clean.tar.gz").num_bytes == TABLE["dev-clean.tar.gz"].num_bytes
    assert corpus_dir("librispeech", "dev-clean").creator.job_id() == before
    setting(PUBLIC_FILES={"dev-clean.tar.gz": {"checksum": f"md5:{'0' * 32}"}})
    assert public_file("dev-clean.tar.gz").num_bytes is None
    assert corpus_dir("librispeech", "dev-clean").creator.job_id() != before


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"PUBLIC_FILES": {"dev-clean": {}}}, r"PUBLIC_FILES has dev-clean; expected one of dev-clean\.tar\.gz, "),
        (
            {"PUBLIC_FILES": {"dev-clean.tar.gz": {"url": "x"}}},
            r"\['url'\], expected some of \['checksum', 'num_bytes'",
        ),
        ({"PUBLIC_FILES": {"dev-clean.tar.gz": {"urls": "http://mirror"}}}, r'\["urls"\] is a text, expected a list'),
        ({"CORPUS_DIRS": "/data"}, "CORPUS_DIRS is '/data', expected a dictionary with some of librispeech, "),
        ({"CORPUS_DIRS": {"librispeach": "/data"}}, "CORPUS_DIRS has librispeach; expected one of librispeech, "),
        ({"RESOURCES": {"4gram": "/data"}}, r"RESOURCES has 4gram; expected one of .*4-gram\.arpa\.gz"),
    ],
)
def test_settings_with_unknown_names_or_of_other_kinds_are_errors(setting, settings, error):
    setting(**settings)
    with pytest.raises(ValueError, match=rf"settings\.py: .*{error}"):
        corpus_dir("librispeech", "dev-clean")
        resource("4-gram.arpa.gz")


@pytest.mark.parametrize("names", [("librispeech", None), ("librispeech", "dev"), ("tedlium2", "dev"), ("ted", None)])
def test_unknown_corpora_and_parts_are_errors(names):
    with pytest.raises(ValueError, match="no archive for part .*librispeech: dev-clean, .*; tedlium2: None"):
        corpus_dir(*names)


def test_unknown_files_are_errors():
    with pytest.raises(ValueError, match="no public file '3-gram'; expected one of .*librispeech-lexicon.txt"):
        resource("3-gram")


def test_loading_the_table_imports_nothing_heavy():
    heavy = "torch numpy lhotse urllib3 ssl http.client soundfile"
    code = f"import sys, ctc_kd.corpus.public_files; print([m for m in {heavy.split()!r} if m in sys.modules])"
    env = {"SIS_GLOBAL_SETTINGS_FILE": "", "PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert run.stdout.strip() == "[]"
