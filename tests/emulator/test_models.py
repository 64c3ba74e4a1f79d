"""AWS's service models, held against what LocalStack makes of them by itself."""

import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader

from tools.emulator import models

SERVICES = ["s3", "sqs", "sqs-query", "sts"]  # two of them share a name when they are signed


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """LocalStack's module with an index of a few services, in an environment of its own."""
    from localstack.aws import spec

    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    monkeypatch.setattr(spec.loader, "list_available_services", lambda _: SERVICES)
    monkeypatch.setattr(spec, "build_service_index_cache", spec.build_service_index_cache)
    models.keep_index()
    return spec


def kept_file(spec: Any) -> Path:
    return Path(sys.prefix, "var", "cache", spec._get_catalog_filename())


def test_the_index_is_built_once(
    spec: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = spec.build_service_index_cache(str(tmp_path / "first"))
    assert built == spec.load_service_index_cache(str(tmp_path / "first"))  # LocalStack's own
    assert built.signing_name_index.keys() == {"s3", "sqs", "sts"}
    monkeypatch.setattr(spec, "list_services", lambda: pytest.fail("it parses all services again"))
    assert spec.build_service_index_cache(str(tmp_path / "second")) == built


@pytest.mark.parametrize("content", [b"", b"\x80\x04", b"no pickle"])
def test_a_damaged_index_is_made_again(spec: Any, tmp_path: Path, content: bytes) -> None:
    built = spec.build_service_index_cache(str(tmp_path / "first"))
    kept_file(spec).write_bytes(content)
    assert spec.build_service_index_cache(str(tmp_path / "second")) == built
    assert spec.load_service_index_cache(kept_file(spec)) == built


def test_an_environment_that_cannot_be_written_is_done_without(spec: Any, tmp_path: Path) -> None:
    Path(sys.prefix).write_text("no folder")
    built = spec.build_service_index_cache(str(tmp_path / "first"))
    assert built.service_names == ["s3", "sqs", "sts"]


def test_nothing_is_kept_outside_of_an_environment(
    spec: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    build = spec.build_service_index_cache
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    models.keep_index()
    assert spec.build_service_index_cache is build


def test_a_model_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    monkeypatch.setattr(JSONFileLoader, "load_file", lambda _, path: parsed.append(path) or [path])
    models.parse_once()
    loaded = [JSONFileLoader().load_file(path) for path in ("ec2", "ec2", "s3", "ec2")]
    assert loaded == [["ec2"], ["ec2"], ["s3"], ["ec2"]]
    assert parsed == ["ec2", "s3"]
