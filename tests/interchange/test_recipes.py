"""Public recipes do with the bundled engine what they do with upstream Sisyphus."""

import json
import os
import shutil

import pytest
from mentioned import mentioned_names
from recipe_folder import BUNDLED, UPSTREAM

pytestmark = [pytest.mark.upstream, pytest.mark.slow]

VARIANTS = 20  # jobs of one class, with other arguments each


@pytest.fixture
def core(recipes, i6_core):
    return recipes(i6_core=i6_core)


@pytest.fixture
def experiments(recipes, i6_core, i6_experiments):
    pytest.importorskip("librosa", reason="i6_experiments needs librosa")
    return recipes(i6_core=i6_core, i6_experiments=i6_experiments)


NOT_HERE = {
    "sisyphus.manager.Manager",  # a script calls the parts of its cycle one by one
    "sisyphus.manager.manager",  # another looks for this function among its callers
    "sisyphus.toolkit.cleaner.list_all_graph_directories",
}


def test_names_of_the_engine_that_recipes_mention(recipes, i6_core, i6_experiments, tmp_path):
    """Upstream has some of them no more."""
    names = mentioned_names(i6_core) | mentioned_names(i6_experiments)
    (tmp_path / "names.json").write_text(json.dumps(sorted(names)))
    bundled, upstream = map(set, recipes().probe("names", tmp_path / "names.json"))
    print({"upstream": len(names - upstream), "bundled": len(names - upstream - bundled)})
    assert bundled - upstream == NOT_HERE
    assert len(names - upstream) > 100


def test_every_module_of_i6_core_is_imported(core):
    bundled, upstream = core.probe("imports", "i6_core")
    print({"upstream": list(upstream.values()).count(""), "bundled": list(bundled.values()).count("")})
    assert {module: error for module, error in bundled.items() if error and not upstream[module]} == {}
    assert list(upstream.values()).count("") > 100


def test_ids_inputs_and_outputs_of_all_jobs_of_i6_core(core):
    """Of those that can be made with upstream."""
    bundled, upstream = core.probe("jobs", "i6_core", VARIANTS)
    pairs = {
        (name, number): (bundled.get(name, {number: "no such class"})[number], made)
        for name, variants in upstream.items()
        for number, made in enumerate(variants)
        if isinstance(made, list)
    }
    different = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
    print({"upstream": len(pairs), "bundled": len(pairs) - len(different)})
    assert different == {}
    assert len(pairs) > 1000


def test_tests_of_i6_core(core):
    """They pass where they pass with upstream."""
    found = []
    for engine in (BUNDLED, UPSTREAM):
        core.fresh(engine)
        found.append(core.passed("recipe/i6_core/tests"))
    bundled, upstream = found
    print({"upstream": len(upstream), "bundled": len(bundled)})
    assert upstream - bundled == set()
    assert len(upstream) > 20


def test_common_and_example_configs_of_i6_experiments(experiments):
    """Equal ids, aliases and targets."""
    bundled, upstream = experiments.probe("configs", "i6_experiments/common", "i6_experiments/example_setups")
    loaded = {name: made for name, made in upstream.items() if not made["error"]}
    equal = [name for name, made in loaded.items() if bundled.get(name) == made]
    print({"upstream": len(loaded), "bundled": len(equal), "jobs": sum(len(c["jobs"]) for c in loaded.values())})
    assert {name: bundled.get(name) for name in loaded} == loaded
    assert sum(len(made["jobs"]) for made in loaded.values()) > 100


@pytest.mark.parametrize("config", ["datasets/librispeech.py", "baselines/librispeech.py"])
def test_recorded_ids_of_i6_experiments(experiments, i6_experiments, config):
    """Their own check of ids."""
    for engine in (UPSTREAM, BUNDLED):
        experiments.fresh(engine)
        (experiments / "config").symlink_to(i6_experiments / "tests" / "hash_tests")
        shutil.copy(i6_experiments / "tests" / "settings.py", experiments / "settings.py")
        experiments.python(i6_experiments / "tests" / "check_jobs.py", os.path.join("config", "common", config))
