"""What is found in HCL by its text, also in a file that is broken."""

from pathlib import Path

from tools.hcl import scanning


def test_assignments_of_a_file_that_does_not_parse() -> None:
    text = 'a = "one"\n  b-c = ["two",\n# d = 3\ne = = 1\n'
    assert scanning.assigned_texts(text) == [("a", "one"), ("b-c", "two"), ("e", "1")]


def test_what_a_file_sets() -> None:
    text = 'plugin_cache_dir_more = 1\n  provider_installation {\n# plugin_cache_dir = "x"\n'
    assert scanning.sets(text, "provider_installation")
    assert not scanning.sets(text, "plugin_cache_dir")
    assert not scanning.sets(
        "# as JSON: {plugin_cache_dir, provider_installation}", "plugin_cache_dir"
    )
    assert scanning.sets('{\n"a": {}, "plugin_cache_dir": "x"}', "plugin_cache_dir")
    assert not scanning.sets('{"a": "plugin_cache_dir"}', "plugin_cache_dir")


def test_locked_versions(tmp_path: Path) -> None:
    assert scanning.locked_versions(tmp_path) == {}
    text = 'provider "registry.terraform.io/hashicorp/aws" {\n  version     = "5.100.0"\n}\n'
    (tmp_path / scanning.LOCK_FILE).write_text(text)
    assert scanning.locked_versions(tmp_path) == {"registry.terraform.io/hashicorp/aws": "5.100.0"}
