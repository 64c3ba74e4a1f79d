"""Whether a value may lead out of a folder by a ".." that no text of the configuration holds.

Of a path that is known in part its folder counts, which is right only if the rest stays in it. The
texts in files of configuration and of values are looked at where these are read; here it is about
values that come from elsewhere: files that are decoded, other states, resources, data sources.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from tools.engine.module_scope import ModuleScope
from tools.hcl.evaluation import describe
from tools.hcl.file_uses import with_bound
from tools.hcl.syntax import Expression

# Stands for outputs of other states, whose values are known where the states are.
OF_OUTPUTS = "an output of another stack"

_DEEPEST = 20  # steps from a name to its value
_OF_TERRAFORM = ("count", "path", "self", "terraform", "tofu")
_CONTENTS = ("file", "templatefile")
_DECODED = ("base64decode", "base64gunzip", "textdecodebase64", "urldecode", "templatestring")
# Names, digests and truths.
_HARMLESS = ("fileexists", "fileset", "filebase64", "length", "timestamp")


def climbing_parts(
    expression: Expression,
    scope: ModuleScope,
    absolute: Callable[[str], str],
    depth: int = 0,
) -> Iterator[str]:
    """What in `expression`, a name of it or OF_OUTPUTS, may hold a "..".

    `absolute` gives the place of a path as Terraform's functions take it.
    """
    if depth == _DEEPEST:
        yield "an expression that is too deep"
    elif expression[0] in ("attribute", "index", "splat", "name", "bound"):
        yield from _of_reference(expression, scope, absolute, depth)
    elif expression[0] == "call":
        yield from _of_call(expression, scope, absolute, depth)
    else:
        parts = expression[2:] if expression[0] == "if" else expression[1:]
        if expression[0] == "for":
            names: dict[str, Expression] = {n: ["literal", None] for n in expression[1]}
            parts = [expression[2], *with_bound(expression[3:5], names)]
        for part in _expressions(parts):
            yield from climbing_parts(part, scope, absolute, depth + 1)


def _expressions(parts: object) -> Iterator[Expression]:
    """The expressions in a list of them, however deep."""
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, list) and part and isinstance(part[0], str) and len(part) > 1:
            yield part
        else:
            yield from _expressions(part)


def _of_reference(
    expression: Expression, scope: ModuleScope, absolute: Callable[[str], str], depth: int
) -> Iterator[str]:
    steps: list[Expression] = []
    inner = expression
    while inner[0] in ("attribute", "index", "splat"):
        steps.insert(0, inner)
        inner = inner[1]
    if inner[0] != "name":
        inner = inner[2] if inner[0] == "bound" else inner
        yield from climbing_parts(inner, scope, absolute, depth + 1)
        return
    name = inner[1]
    if name in ("local", "var") and steps:
        scope.asks_outside = scope.asks_outside or name == "var"
        definition, where = scope.definition(steps[0])
        if definition is not None:  # that of a root's variable is in a file of values
            yield from climbing_parts(definition, where, absolute, depth + 1)
    elif name == "data" and steps and steps[0][2:] == ["terraform_remote_state"]:
        yield OF_OUTPUTS
    elif not steps and scope.uses.files:
        return  # an element of a collection in the same template, which is looked at too
    elif name != "each" and name not in _OF_TERRAFORM:
        yield describe(expression)


def _of_call(
    expression: Expression, scope: ModuleScope, absolute: Callable[[str], str], depth: int
) -> Iterator[str]:
    function, arguments = str(expression[1]).removeprefix("core::"), expression[2]
    if function in _HARMLESS:
        return
    if function in _DECODED:
        yield f"{function}()"
    if function in _CONTENTS and arguments:
        for path, is_whole in scope.paths(arguments[0]):
            if not is_whole or _may_hold_climb(absolute(path)):
                yield f"the content of {path or 'a file'}"
        arguments = arguments[1:]
    for argument in _expressions(arguments):
        yield from climbing_parts(argument, scope, absolute, depth + 1)


def _may_hold_climb(file: str) -> bool:
    try:
        content = Path(file).read_bytes()
    except (OSError, ValueError):
        return False
    return b".." in content or b"\\" in content  # by which JSON and YAML write any letter
