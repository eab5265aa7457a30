import json
from pathlib import Path

import numpy as np
import pytest
from sisyphus import tk

from ctc_kd.corpus.transcripts import read_transcripts
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.decoding.search_job import SearchJob
from ctc_kd.decoding.tune import TuneScalesJob
from ctc_kd.inventory import Inventory, write_inventory
from ctc_kd.lexicon.spelling import Speller
from ctc_kd.scoring.score import ScoreJob
from ctc_kd.store import HdfWriter


@pytest.mark.parametrize("num_classes", [79, 80])
def test_tuned_scales_reach_the_search(run_jobs, tiny, tmp_path, num_classes):
    task = tiny.write(tmp_path, num_classes=num_classes)
    transcripts = tk.Path(str(tmp_path / "transcripts.txt"))
    tune = TuneScalesJob(
        **task, transcripts=transcripts, lm_scales=[0.0, 1.0], prior_scales=[0.0, 0.3], search=SearchConfig()
    )
    search = SearchJob(
        **task, lm_scale=tune.out_lm_scale, prior_scale=tune.out_prior_scale, search=SearchConfig(beam_size=64)
    )
    score = ScoreJob(hypotheses=search.out_hypotheses, references=transcripts)
    run_jobs(score.out_wer)

    grid = json.loads(Path(tune.out_grid.get_path()).read_text())
    assert [(entry["lm_scale"], entry["prior_scale"]) for entry in grid] == [
        (0.0, 0.0),
        (0.0, 0.3),
        (1.0, 0.0),
        (1.0, 0.3),
    ]
    assert (tune.out_lm_scale.get(), tune.out_prior_scale.get()) == (1.0, 0.3)
    assert list(read_transcripts(search.out_hypotheses.get_path())) == list(tiny.references)
    assert score.out_wer.get() == 0.0
    assert search.out_rtf.get() > 0


TEXTS = {"u1": "It’s me", "u2": "me", "u3": ""}
LABELS = Inventory("characters", ("_", "|", *"'eimst"), blank=0, case="lower", boundary="|")


@pytest.fixture
def characters(tmp_path):
    """Posteriors of characters that spell :data:`TEXTS`, and what the jobs share."""
    with HdfWriter(tmp_path / "p.hdf", labels=LABELS.labels, metadata={"inventory": LABELS.facts()}) as store:
        for name, text in TEXTS.items():
            path = [0, *(frame for label in Speller(LABELS).labels(text) for frame in (label, 0))]
            store.add(name, np.log(np.eye(len(LABELS.labels))[path] + 1e-3).astype("float16"))
    np.savetxt(tmp_path / "prior.txt", np.full(len(LABELS.labels), -2.0))
    (tmp_path / "transcripts.txt").write_text("".join(f"{name} {text}\n" for name, text in TEXTS.items()))
    write_inventory(tmp_path / "inventory.json", LABELS)
    files = {"posteriors": "p.hdf", "prior": "prior.txt"}
    return {**{name: tk.Path(str(tmp_path / file)) for name, file in files.items()}, "search": SearchConfig()}


@pytest.mark.parametrize("decoder", ["lexicon", "label lm", "best path"])
def test_texts_in_their_own_case_go_through_all_decoders(run_jobs, characters, tmp_path, decoder):
    words = ["IT'S", "me"] if decoder == "lexicon" else ["i", "t", "'", "s", "|", "m", "e"]
    unigrams = "".join(f"-1\t{word}\t0\n" for word in words)
    (tmp_path / "lm.arpa").write_text(
        f"\\data\\\nngram 1={len(words) + 3}\nngram 2=1\n\n\\1-grams:\n-3\t<unk>\n-9\t<s>\t0\n-1\t</s>\n{unigrams}\n"
        f"\\2-grams:\n-1\t{words[0]} {words[1]}\n\n\\end\\\n"
    )
    (tmp_path / "lexicon.txt").write_text("IT'S i t ' s\nme m e\n")
    lexicon, lm = (tk.Path(str(tmp_path / name)) for name in ("lexicon.txt", "lm.arpa"))
    models = {
        "lexicon": {"lexicon": lexicon, "lm": lm},
        "label lm": {"lexicon": None, "lm": lm},
        "best path": {"lexicon": None, "lm": None},
    }[decoder]
    transcripts = tk.Path(str(tmp_path / "transcripts.txt"))
    scales = {"lm_scales": [0.5], "prior_scales": [0.0, 0.3]}
    tune = TuneScalesJob(**characters, **models, **scales, transcripts=transcripts, unit="characters")
    search = SearchJob(**characters, **models, lm_scale=tune.out_lm_scale, prior_scale=tune.out_prior_scale)
    inventory = tk.Path(str(tmp_path / "inventory.json"))
    score = ScoreJob(hypotheses=search.out_hypotheses, references=transcripts, inventory=inventory)
    run_jobs(score.out_wer)
    assert {entry["wer"] for entry in json.loads(Path(tune.out_grid.get_path()).read_text())} == {0.0}
    assert score.out_wer.get() == 0.0
