"""Whether the part of a path that is not known may lead out of its folder by a "..".

Of a path that is known in part its folder counts, which is right only if the rest stays in it. Here
it is about all that the path is made of. What else the files of configuration and of values hold is
looked at where these are read.
"""

import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

from tools.engine.module_scope import TRANSPARENT, ModuleScope
from tools.hcl.evaluation import Scope, describe, evaluate, is_known
from tools.hcl.file_references import with_bound
from tools.hcl.syntax import Expression, template_parts
from tools.hcl.variables import texts_of

# Stands for outputs of other states, whose values are known where the states are.
OF_OUTPUTS = "an output of another stack"

Absolute = Callable[[str], str]

_DEEPEST = 20  # steps from a name to its value
_DOT = 'a "." beside another'
# What climbs by itself or decoded, and a "." that does with another one beside it.
_CLIMB = re.compile(r"\.\.|\\[xuU]0*2[eE]")
_ENDS_IN_DOT = re.compile(r"(?:^|/)\.$")
_LONE_DOT = re.compile(r"(?:^|[^\w.])\.(?![\w./])|^\./")
# Functions whose result is cut out of the argument with this number.
_CUTTING = {
    "regex": 1,
    "regexall": 1,
    "replace": 0,
    "split": 1,
    "strrev": 0,
    "substr": 0,
    "trim": 0,
    "trimprefix": 0,
    "trimsuffix": 0,
}
_OF_TERRAFORM = ("count", "path", "self", "terraform", "tofu")
_CONTENTS = ("file", "templatefile")
_DECODED = ("base64decode", "base64gunzip", "textdecodebase64", "urldecode", "templatestring")
# Names, digests and truths.
_HARMLESS = ("fileexists", "fileset", "filebase64", "length", "timestamp")


def climbing_parts(expression: Expression, scope: ModuleScope, absolute: Absolute) -> list[str]:
    """What in `expression`, a path that is known in part, may lead out of its folder.

    These are names, texts or OF_OUTPUTS. `absolute` gives the place of a path as Terraform's
    functions take it.
    """
    parts = list(_find_in_path(expression, scope, absolute, 0))
    # One alone leads nowhere; a second may stand directly before or after it.
    return [part for part in parts if part != _DOT] + [_DOT] * (parts.count(_DOT) > 1)


def _find_in_path(
    expression: Expression, scope: ModuleScope, absolute: Absolute, depth: int
) -> Iterator[str]:
    """Returns what may lead out of its folder, in an expression that a path begins with.

    The known part of that is the folder.
    """
    if depth == _DEEPEST:
        yield "an expression that is too deep"
    elif all(map(is_known, evaluate(expression, Scope(scope.lookup)))):
        return
    elif expression[0] == "template":
        parts = template_parts(expression)
        beginning = list(takewhile(lambda part: _is_one_text(part, scope), parts))
        last = beginning[-1] if beginning else []
        if last[:1] == ["literal"] and _ENDS_IN_DOT.search(str(last[1])):
            yield _DOT
        # There is no rest if a part is known and no text, which Terraform refuses.
        for number, part in enumerate(parts[len(beginning) :]):
            look = _find_in_part if number else _find_in_path
            yield from look(part, scope, absolute, depth + 1)
    elif expression[0] == "if":
        for branch in expression[2:]:
            yield from _find_in_path(branch, scope, absolute, depth + 1)
    elif expression[0] == "call" and expression[1] in TRANSPARENT:
        for argument in expression[2]:
            yield from _find_in_path(argument, scope, absolute, depth + 1)
    else:
        definition, where = scope.definition(expression)
        if definition is None:
            yield from _find_in_part(expression, scope, absolute, depth + 1)
        else:
            yield from _find_in_path(definition, where, absolute, depth + 1)


def _is_one_text(part: Expression, scope: ModuleScope) -> bool:
    values = evaluate(part, Scope(scope.lookup))
    return len(values) == 1 and is_known(values[0])


def _find_in_part(
    expression: Expression, scope: ModuleScope, absolute: Absolute, depth: int, is_cut: bool = False
) -> Iterator[str]:
    """Returns what may lead out, in an expression whose value is a part of the path.

    With `is_cut` only a part of its value is.
    """
    values = evaluate(expression, Scope(scope.lookup))
    if depth == _DEEPEST:
        yield "an expression that is too deep"
    elif all(map(is_known, values)):
        for text in texts_of(list(values)):
            yield from _find_in_text(text, is_cut)
    elif expression[0] in ("attribute", "index", "splat", "name", "bound"):
        yield from _find_in_reference(expression, scope, absolute, depth, is_cut)
    elif expression[0] == "call":
        yield from _find_in_call(expression, scope, absolute, depth, is_cut)
    elif expression[0] == "template":
        for part in template_parts(expression):
            yield from _find_in_part(part, scope, absolute, depth + 1, is_cut)
    else:
        parts = expression[2:] if expression[0] == "if" else expression[1:]
        if expression[0] == "for":
            names: dict[str, Expression] = {n: ["literal", None] for n in expression[1]}
            # What is made for each element may come several times.
            parts = [expression[2], *with_bound(expression[3:5], names) * 2]
        for part in _expressions(parts):
            yield from _find_in_part(part, scope, absolute, depth + 1, is_cut)


def _find_in_text(text: str, is_cut: bool) -> Iterator[str]:
    if _CLIMB.search(text) or (is_cut and "." in text):
        yield 'a text with ".."'  # which may be secret
    elif _LONE_DOT.search(text):
        yield _DOT


def _expressions(parts: object) -> Iterator[Expression]:
    """The expressions in a list of them, however deep."""
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, list) and part and isinstance(part[0], str) and len(part) > 1:
            yield part
        else:
            yield from _expressions(part)


def _find_in_reference(
    expression: Expression, scope: ModuleScope, absolute: Absolute, depth: int, is_cut: bool
) -> Iterator[str]:
    steps: list[Expression] = []
    inner = expression
    while inner[0] in ("attribute", "index", "splat"):
        steps.insert(0, inner)
        inner = inner[1]
    if inner[0] != "name":
        inner = inner[2] if inner[0] == "bound" else inner
        yield from _find_in_part(inner, scope, absolute, depth + 1, is_cut)
        return
    name = inner[1]
    if name in ("local", "var") and steps:
        scope.asks_outside = scope.asks_outside or name == "var"
        definition, where = scope.definition(steps[0])
        if definition is not None:  # that of a root's variable is in a file of values
            yield from _find_in_part(definition, where, absolute, depth + 1, is_cut)
    elif name == "data" and steps and steps[0][2:] == ["terraform_remote_state"]:
        yield OF_OUTPUTS
    elif not steps and scope.module_refs.files:
        return  # an element of a collection in the same template, which is looked at too
    elif name != "each" and name not in _OF_TERRAFORM:
        yield describe(expression)


def _find_in_call(
    expression: Expression, scope: ModuleScope, absolute: Absolute, depth: int, is_cut: bool
) -> Iterator[str]:
    function, arguments = str(expression[1]).removeprefix("core::"), expression[2]
    if function in _HARMLESS:
        return
    if function in _DECODED:
        yield f"{function}()"
    if function in _CONTENTS and arguments:
        for path, is_whole in scope.paths(arguments[0]):
            if not is_whole or _may_hold_climb(absolute(path), is_cut):
                yield f"the content of {path or 'a file'}"
        arguments = arguments[1:]
    if function in _CUTTING:
        is_cut = True
        subject = _CUTTING[function]
        # Neither what is looked for nor where it is cut is in the result.
        arguments = [*arguments[subject : subject + 1], *arguments[2:]]
    elif function in ("format", "formatlist") and arguments and arguments[0][0] == "literal":
        text = re.sub(r"%[^a-zA-Z%]*[a-zA-Z%]", "", str(arguments[0][1]))
        arguments = [["literal", text], *arguments[1:]]
    elif function == "join":
        arguments = [*arguments[:1], *arguments]  # the separator comes several times
    for argument in _expressions(arguments):
        yield from _find_in_part(argument, scope, absolute, depth + 1, is_cut)


def _may_hold_climb(file: str, is_cut: bool) -> bool:
    try:
        content = Path(file).read_bytes()
    except (OSError, ValueError):
        return False
    # By a backslash JSON and YAML write any letter.
    if b".." in content or b"\\" in content or (is_cut and b"." in content):
        return True
    return _LONE_DOT.search(content.decode(errors="replace")) is not None
