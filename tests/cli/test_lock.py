"""`tools lock`, where only a mirror of this platform is there: Terraform judges what it wrote."""

import json
import re
import shutil

from tests.cli.conftest import Checkout
from tools.engine.lock_files import PLATFORMS
from tools.hcl.scanning import LOCK_FILE


def test_locks_what_there_is_and_says_what_is_missing(checkout: Checkout) -> None:
    done = checkout.tools("lock")
    assert done.returncode == 0, done.stderr
    locks = {path.read_text() for path in checkout.root.glob(f"*/*/{LOCK_FILE}")}
    assert len(locks) == 1  # all need the same provider
    assert (checkout.root / "bootstrap" / LOCK_FILE).read_text() in locks
    here = json.loads(checkout.run(checkout.program, "version", "-json").stdout)["platform"]
    if f"\nfor {here}\n" in done.stderr:  # and not where the registry can be reached
        fails = re.search(r"`terraform init` fails on (.*) with these files", done.stderr)
        assert fails
        assert fails[1].split(", ") == [p for p in PLATFORMS if p != here]
    notebook = "notebooks/notebook-dev"
    init = (checkout.program, "init", "-input=false", "-lockfile=readonly")
    done = checkout.run(*init, cwd=notebook)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(checkout.root / notebook / ".terraform")


def test_what_cannot_be_told_is_refused_and_nothing_written(small: Checkout) -> None:
    for name, text in (("a", "{}"), ("b", '{"terraform": {}}')):
        folder = small.root / "shared-infra" / name
        folder.mkdir()
        (folder / "main.tf.json").write_text(text)
    done = small.tools("lock")
    assert done.returncode == 1
    assert "which providers it needs cannot be told from main.tf.json" in done.stderr
    assert not list(small.root.glob(f"**/{LOCK_FILE}"))
