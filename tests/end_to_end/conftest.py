"""The modules beside these tests can be imported by them, and the manager reads the settings of the test's folder."""

import hashlib
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="module", autouse=True)
def own_settings():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIS_GLOBAL_SETTINGS_FILE", "settings.py")
        yield


@pytest.fixture(scope="session")
def public_files(built_once):
    """The folder with all files that the configs download, in miniature, and their checksums as in the settings."""
    import miniatures

    folder = built_once("public", lambda folder: miniatures.write_public_files(folder / "files")) / "files"
    checksums = {
        path.name: {"checksum": f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"} for path in folder.iterdir()
    }
    return folder, checksums
