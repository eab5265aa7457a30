"""The modules beside these tests can be imported by them, and the manager reads the settings of the test's folder."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="module", autouse=True)
def own_settings():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIS_GLOBAL_SETTINGS_FILE", "settings.py")
        yield
