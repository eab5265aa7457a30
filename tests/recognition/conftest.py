"""Students for recognition that need no training: their folders, see also ``levels.py``."""

from types import SimpleNamespace

import pytest
import torch

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.inventory import Inventory
from ctc_kd.recognition import folder
from ctc_kd.training.build import build_model

CHARACTERS = Inventory("characters", ("|", "A", "B", "C", "_"), blank=4, case="upper", boundary="|")
MODEL = {
    "class": "StudentCtc",
    "num_labels_with_blank": 5,
    "log_mel": {"num_filters": 8},
    "frontend": {"channels": [2, 2, 2, 2]},
    "conformer": {"num_layers": 1, "dim": 8, "num_heads": 2, "feed_forward_dim": 8, "kernel_size": 3},
}
ARPA = """\\data\\
ngram 1=5
ngram 2=1

\\1-grams:
-2.0\t<unk>
-99\t<s>\t-0.1
-0.9\t</s>
-0.7\tAB
-0.9\tCAB

\\2-grams:
-0.5\t<s> AB

\\end\\
"""


@pytest.fixture
def student(tmp_path):
    """What a folder is written of, with a lexicon, a language model and a prior; ``written`` is the folder."""
    torch.manual_seed(0)
    lexicon, lm, prior = (tmp_path / name for name in ("words", "ngram.arpa", "prior"))
    lexicon.write_text("AB A B\nCAB C A B\n")
    lm.write_text(ARPA)
    prior.write_text("".join(f"{-value}\n" for value in range(1, 6)))
    found = SimpleNamespace(
        model=MODEL,
        weights=build_model(MODEL).state_dict(),
        inventory=CHARACTERS,
        decoding=folder.Decoding(
            lm_scale=0.5,
            prior_scale=0.25,
            search=SearchConfig(beam_size=50),
            lexicon=str(lexicon),
            lm=str(lm),
            log_prior=str(prior),
        ),
        card="# A student\n",
        facts={"row": "all-l1"},
    )
    folder.write(tmp_path / "student", **vars(found))
    return SimpleNamespace(**vars(found), written=tmp_path / "student")
