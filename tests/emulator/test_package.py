"""The extension of LocalStack could be published on its own."""

import ast
import sys
from pathlib import Path

import tools

EXTENSION = Path(tools.__file__).parent / "emulator"
WHAT_LOCALSTACK_BRINGS = {"botocore", "localstack", "moto"}


def test_the_extension_imports_nothing_but_itself_and_localstack() -> None:
    modules = sorted(EXTENSION.rglob("*.py"))
    assert EXTENSION / "sagemaker" / "plugin.py" in modules
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                imported = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported = {str(node.module).split(".")[0]}
            elif isinstance(node, ast.ImportFrom):
                depth = len(module.relative_to(EXTENSION).parts)
                assert node.level <= depth, f"{module.name} reaches outside of the extension"
                continue
            else:
                continue
            foreign = imported - sys.stdlib_module_names - WHAT_LOCALSTACK_BRINGS
            assert not foreign, f"{module.name} imports {foreign}"
