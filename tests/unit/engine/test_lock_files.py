"""Lock files, with a stand-in for the registry, which cannot be reached here.

What the real one answers without a registry is in tests/cli/test_lock.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import FakeTerraform
from tools.engine.lock_files import PLATFORMS, Locked, write_locks
from tools.engine.records import Records
from tools.errors import UserError
from tools.hcl.scanning import LOCK_FILE
from tools.layout.repository import Repository
from tools.terraform.diagnostics import Diagnostic, TerraformError

OFFLINE = Diagnostic(
    "Could not retrieve providers for locking",
    "registry.terraform.io/hashicorp/aws: could not connect to registry.terraform.io",
)
AWS = (
    "terraform {\n  required_providers {\n"
    '    aws = { source = "hashicorp/aws", version = "%s" }\n  }\n}\n'
)


@dataclass(frozen=True)
class Registry(FakeTerraform):
    """Writes lock files with what it was asked for; with `errors` the registry gives those."""

    asked: list[tuple[str, str, Path | None]] = field(default_factory=list)
    errors: list[Diagnostic] = field(default_factory=list)
    mirrors: list[Path] = field(default_factory=list)

    def lock_providers(
        self, directory: Path, platforms: Sequence[str], mirror: Path | None = None
    ) -> None:
        lock = directory / LOCK_FILE
        earlier = lock.read_text() if lock.exists() else ""
        self.asked.append(((directory / "versions.tf").read_text(), earlier, mirror))
        if self.errors and not mirror:
            raise TerraformError(self.errors)
        header = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.50.0"\n}\n'
        lock.write_text(earlier or f"{header}# {' '.join(platforms)}\n")

    def mirror(self) -> Path | None:
        return self.mirrors[0] if self.mirrors else None

    def has_provider(self, mirror: Path, platform: str) -> bool:
        return platform == "linux_arm64"


@pytest.fixture
def registry(bench: Bench, tmp_path: Path) -> Registry:
    for name in ("a", "b"):
        bench.write(f"shared-infra/{name}", text=AWS % ">= 5.0,  < 7.0")
    return Registry(**vars(FakeTerraform.at(tmp_path / "home")))


def lock(bench: Bench, registry: Registry, upgrade: bool = False) -> list[Locked]:
    records = Records(Repository(bench.root), registry)
    return write_locks(records, records.stacks, upgrade)


def test_stacks_that_need_the_same_share_one_request(bench: Bench, registry: Registry) -> None:
    bench.write("notebooks/n", text=AWS % "< 7.0, >= 5.0" + 'resource "random_id" "x" {}\n')
    alike, other = sorted(lock(bench, registry), key=lambda locked: -len(locked.directories))
    assert [path.name for path in alike.directories] == ["a", "b"]
    assert [path.name for path in other.directories] == ["n"]
    assert len(registry.asked) == 2
    texts = [text for text, _, _ in registry.asked]
    assert all('source = "hashicorp/aws", version = "< 7.0, >= 5.0"' in text for text in texts)
    assert ["hashicorp/random" in text for text in texts].count(True) == 1
    assert (bench.root / "shared-infra/a" / LOCK_FILE).read_text().split("# ")[1].split() == [
        *PLATFORMS
    ]


def test_a_locked_version_stays_until_upgrade(bench: Bench, registry: Registry) -> None:
    old = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "5.1.0"\n}\n'
    (bench.root / "shared-infra/a" / LOCK_FILE).write_text(old)
    kept = {locked.directories[0].name: locked.versions for locked in lock(bench, registry)}
    assert set(kept["a"].values()) == {"5.1.0"}
    assert set(kept["b"].values()) == {"6.50.0"}
    (renewed,) = lock(bench, registry, upgrade=True)
    assert set(renewed.versions.values()) == {"6.50.0"}


def test_without_the_registry_a_mirror_s_platforms(
    bench: Bench, registry: Registry, tmp_path: Path
) -> None:
    registry.errors.append(OFFLINE)
    registry.mirrors.append(tmp_path)
    (locked,) = lock(bench, registry)
    assert locked.platforms == ["linux_arm64"]
    assert registry.asked[-1][2] == tmp_path


@pytest.mark.parametrize(
    "detail", ["could not connect to registry.terraform.io", "no version matches the constraints"]
)
def test_an_error_that_no_mirror_helps_with_writes_nothing(
    bench: Bench, registry: Registry, tmp_path: Path, detail: str
) -> None:
    """The first, since there is no mirror; the second is no matter of reaching the registry."""
    registry.errors.append(Diagnostic("Could not retrieve providers", detail))
    if "connect" not in detail:
        registry.mirrors.append(tmp_path)
    with pytest.raises(TerraformError):
        lock(bench, registry)
    assert not list(bench.root.glob(f"**/{LOCK_FILE}"))


def test_a_module_from_elsewhere_is_refused(bench: Bench, registry: Registry) -> None:
    bench.write("notebooks/n", text='module "m" {\n  source = "hashicorp/consul/aws"\n}\n')
    with pytest.raises(UserError, match=r"notebooks/n: which providers it needs cannot be told"):
        lock(bench, registry)
    assert not registry.asked
