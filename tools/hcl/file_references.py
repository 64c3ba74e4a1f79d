"""What a file of configuration says of other files: paths, modules, and what paths are made of."""

import re
from collections.abc import Mapping
from typing import Any, TypedDict

from tools.hcl import configuration, syntax
from tools.hcl.cache import once, version_of
from tools.hcl.configuration import Attributes, needed_of_variable
from tools.hcl.syntax import Body, Expression, UnreadableError, parse_file, parse_template

# https://developer.hashicorp.com/terraform/language/functions, "Filesystem Functions" and the
# hashes of files. Those in https://developer.hashicorp.com/terraform/language/functions/templatefile
# may be called in a template too.
FUNCTIONS = {
    "file",
    "filebase64",
    "filebase64sha256",
    "filebase64sha512",
    "fileexists",
    "filemd5",
    "fileset",
    "filesha1",
    "filesha256",
    "filesha512",
    "templatefile",
}
# The templates of these are values, which may call any function.
# https://developer.hashicorp.com/terraform/language/functions/templatestring
TEMPLATE_FUNCTIONS = {"templatestring"}
# Each plan gives another result: https://developer.hashicorp.com/terraform/language/functions/timestamp
CHANGING_FUNCTIONS = {"bcrypt", "plantimestamp", "timestamp", "uuid"}
# Arguments of which a provider reads the file, or the folder, while it plans; of each provider's
# documents in https://registry.terraform.io/browse/providers.
_ARGUMENTS = {
    ("data", "archive_file"): ("source_dir", "source_file"),
    ("data", "local_file"): ("filename",),
    ("data", "local_sensitive_file"): ("filename",),
    ("resource", "archive_file"): ("source_dir", "source_file"),
    ("resource", "aws_gamelift_script"): ("zip_file",),
    ("resource", "aws_lambda_function"): ("filename",),
    ("resource", "aws_lambda_layer_version"): ("filename",),
    ("resource", "aws_s3_bucket_object"): ("source",),
    ("resource", "aws_s3_object"): ("source",),
    ("resource", "aws_synthetics_canary"): ("zip_file",),
    ("resource", "azurerm_storage_blob"): ("source",),
    ("resource", "google_storage_bucket_object"): ("source",),
    ("resource", "local_file"): ("source",),
    ("resource", "local_sensitive_file"): ("source",),
    ("resource", "template_dir"): ("source_dir",),
}
_PATH = re.compile(r"\.{0,2}/|~|\.\.?$")
# A file without any of these says nothing that is needed here; a parse costs milliseconds.
_WORDS = re.compile(
    rb"file|timestamp|uuid|bcrypt|module|locals|variable|remote_state|[./]/|[\"']/|path\.|~"
    rb"|\bsource(_dir)?\b|templatestring|\bcheck\b|\\u"
)
_CALLED_IN_TEMPLATES = re.compile(rb"file|timestamp|uuid|bcrypt|templatestring|\\u")


class FileReferences(TypedDict):
    """What one file says; expressions are as `syntax` has them, `unreadable` says why none is here.

    `calls` are functions that read files, with their arguments, but for those in locals, which
    `local_calls` has by the local's name; `arguments` the path arguments of
    resources and data sources whose provider reads them, such as `data.archive_file.x.source_dir`;
    `paths` other paths. `checks` are the data sources in `check` blocks: address and check.
    `outputs` are those that it names of other states: data source and output, empty for all of
    them. `module_outputs` are those of modules: call, output and two steps into it, each empty for
    all of them. `modules` are the arguments of module calls, by name;
    `variables` has what is needed of each declaration. `climbs` says that some text, which may
    become a part of a path, leads out of a folder by "..". In calls and in the arguments of modules
    the name of an element of a `for` or a `for_each` is ["bound", name, collection].
    """

    calls: list[tuple[str, list[Expression]]]
    local_calls: dict[str, list[tuple[str, list[Expression]]]]
    arguments: list[tuple[str, Expression]]
    paths: list[Expression]
    checks: list[tuple[str, str]]
    outputs: list[tuple[str, str]]
    module_outputs: list[tuple[str, str, str, str]]
    modules: dict[str, dict[str, Expression]]
    locals: dict[str, Expression]
    variables: dict[str, Attributes]
    climbs: bool
    unreadable: str


def _nothing() -> FileReferences:
    return FileReferences(
        calls=[],
        local_calls={},
        arguments=[],
        paths=[],
        checks=[],
        outputs=[],
        module_outputs=[],
        modules={},
        locals={},
        variables={},
        climbs=False,
        unreadable="",
    )


def may_call(template: bytes) -> bool:
    """Whether a template may call a function that reads files, or changes; by its text."""
    return b"{" in template and bool(_CALLED_IN_TEMPLATES.search(template))


def read_references(content: bytes, is_json: bool) -> FileReferences:
    """What a .tf file, or a .tf.json file, with this content says of other files."""
    if not _WORDS.search(content):
        return _nothing()
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        return FileReferences(**{**_nothing(), "unreadable": f"not UTF-8 at byte {error.start}"})
    version = version_of(__file__, syntax.__file__, configuration.__file__)
    kind = f"file references {is_json} {version}"
    file_refs: FileReferences = once(kind, text, lambda: _read(text, is_json))
    return file_refs


def calls_in_template(text: str) -> list[tuple[str, list[Expression]]]:
    """The calls of functions that read files in the text of a template. Raises UnreadableError."""
    finder = _Finder(_nothing())
    finder.visit(parse_template(text))
    return finder.file_refs["calls"]


def _read(text: str, is_json: bool) -> FileReferences:
    file_refs = _nothing()
    try:
        with syntax.not_too_deep():
            body = syntax.parse_json(text) if is_json else parse_file(text)
            for block in body.blocks:
                _read_block(block.type, block.labels, block.body, file_refs)
    except UnreadableError as error:
        return FileReferences(**{**_nothing(), "unreadable": str(error)})
    return file_refs


def _read_block(kind: str, labels: tuple[str, ...], body: Body, file_refs: FileReferences) -> None:
    finder = _Finder(file_refs)
    attributes = dict(body.attributes)
    if kind == "terraform" or (kind, *labels[:1]) == ("data", "terraform_remote_state"):
        finder.finds_paths = False  # those of states, which are compared as outputs
    elif kind == "module" and labels:
        each = {"each": attributes["for_each"]} if "for_each" in attributes else {}
        file_refs["modules"][labels[0]] = {n: with_bound(a, each) for n, a in attributes.items()}
        for name in ("source", "version", "providers"):
            attributes.pop(name, None)
    elif kind == "locals":
        file_refs["locals"].update(attributes)
        for name, expression in attributes.items():
            _read_local(name, expression, file_refs)
        return
    elif kind == "variable" and labels:
        file_refs["variables"][labels[0]] = declared = needed_of_variable(attributes)
        attributes = {"default": declared["default"]} if "default" in declared else {}
    for name in _ARGUMENTS.get((kind, labels[0] if labels else ""), ()):
        if name in attributes:
            file_refs["arguments"].append((".".join((*labels, name)), attributes.pop(name)))
            finder.visit(file_refs["arguments"][-1][1], is_path=True)
    if kind == "check":
        for inner in body.blocks:
            if inner.type == "data":
                file_refs["checks"].append((".".join(("data", *inner.labels)), ".".join(labels)))
    if "for_each" in attributes:
        finder.bound["each"] = attributes["for_each"]
    for expression in attributes.values():
        finder.visit(expression)
    for inner in body.blocks:
        finder.visit_block(inner)


def _read_local(name: str, expression: Expression, file_refs: FileReferences) -> None:
    """Notes what a local says; its calls by themselves, since a plan may see its value alone."""
    local_refs = FileReferences(**{**file_refs, "calls": []})
    _Finder(local_refs).visit(expression)
    file_refs["climbs"] = local_refs["climbs"]
    if local_refs["calls"]:
        file_refs["local_calls"][name] = local_refs["calls"]


def with_bound(expression: Any, bound: Mapping[str, Expression]) -> Any:
    """`expression` with what each name in it is bound to."""
    if not bound or not isinstance(expression, list):
        return expression
    if len(expression) == 2 and expression[0] == "name" and expression[1] in bound:
        return ["bound", expression[1], bound[expression[1]]]
    return [with_bound(part, bound) for part in expression]


class _Finder:
    """Collects what the expressions that it visits say, in `file_refs`."""

    def __init__(self, file_refs: FileReferences) -> None:
        self.file_refs = file_refs
        self.finds_paths = True
        self.bound: dict[str, Expression] = {}

    def visit_block(self, block: syntax.Block) -> None:
        attributes = block.body.attributes
        if block.type == "dynamic" and block.labels and "for_each" in attributes:
            # https://developer.hashicorp.com/terraform/language/expressions/dynamic-blocks
            iterator = attributes.get("iterator", ["name", block.labels[0]])
            collection = with_bound(attributes["for_each"], self.bound)
            outer, self.bound = self.bound, {**self.bound, str(iterator[1]): collection}
        else:
            outer = self.bound
        for expression in attributes.values():
            self.visit(expression)
        for inner in block.body.blocks:
            self.visit_block(inner)
        self.bound = outer

    def visit(self, expression: Any, is_path: bool = False) -> None:
        """Visits an expression and its parts; `is_path` says that it is collected by itself."""
        if not isinstance(expression, list):
            return
        kind = expression[0] if expression else None
        if kind == "call" and len(expression) == 3:
            self._visit_call(*expression[1:])
        elif kind == "literal" and len(expression) == 2:
            self._visit_text(expression, expression[1], is_path)
        elif kind == "template" and len(expression) == 2:
            self._visit_template(expression, is_path)
        elif kind in ("attribute", "index", "splat") and isinstance(expression[1], list):
            self._visit_reference(expression)
        else:
            outer = self.bound
            if kind == "for" and len(expression) == 6:
                collection = with_bound(expression[2], outer)
                self.bound = {**outer, **dict.fromkeys(expression[1], collection)}
            for part in expression:
                self.visit(part, is_path and kind in ("if", "directive"))
            self.bound = outer

    def _visit_call(self, function: str, call_arguments: list[Expression]) -> None:
        # core::file: https://developer.hashicorp.com/terraform/language/functions
        name = str(function).removeprefix("core::")
        if name in FUNCTIONS or name in CHANGING_FUNCTIONS or name in TEMPLATE_FUNCTIONS:
            self.file_refs["calls"].append((name, with_bound(call_arguments, self.bound)))
        for number, argument in enumerate(call_arguments):
            self.visit(argument, is_path=name in FUNCTIONS and number == 0)

    def _visit_reference(self, expression: Expression) -> None:
        """Notes `data.terraform_remote_state.x.outputs.y` and `module.x.y.z`.

        Visits what stands in brackets.
        """
        steps: list[str | None] = []
        while expression[0] in ("attribute", "index", "splat"):
            key = expression[2] if len(expression) == 3 else None
            if expression[0] == "index":
                self.visit(key, is_path=True)
                key = key[1] if key and key[0] == "literal" else None
            steps.insert(0, key if isinstance(key, str) else None)
            expression = expression[1]
        if expression == ["name", "module"]:
            named = [step or "" for step in (*steps, "", "", "")[:4]]
            self.file_refs["module_outputs"].append((named[0], named[1], named[2], named[3]))
        elif expression != ["name", "data"]:
            self.visit(expression)
        elif steps[0] == "terraform_remote_state" and len(steps) > 1:
            after = [n for n, step in enumerate(steps) if step == "outputs" and n > 1]
            output = steps[after[0] + 1] if after and after[0] + 1 < len(steps) else None
            self.file_refs["outputs"].append((str(steps[1]), output or ""))

    def _visit_text(self, expression: Expression, text: Any, is_path: bool) -> None:
        if not isinstance(text, str):
            return
        if ".." in text.split("/") and not is_path and self.finds_paths:
            self.file_refs["climbs"] = True
        if self.finds_paths and not is_path and _PATH.match(text):
            self.file_refs["paths"].append(expression)

    def _visit_template(self, expression: Expression, is_path: bool) -> None:
        parts = expression[1]
        begins_with_folder = (
            isinstance(parts[0], list) and parts[0][:2] == ["attribute", ["name", "path"]]
        ) or (isinstance(parts[0], str) and _PATH.match(parts[0]) is not None)
        if begins_with_folder and self.finds_paths and not is_path:
            self.file_refs["paths"].append(expression)
        for part in parts:
            if isinstance(part, str):
                # "${path.module}/../x" is a path itself, and no part of one.
                if ".." in part.split("/") and not (begins_with_folder or is_path):
                    self.file_refs["climbs"] = self.file_refs["climbs"] or self.finds_paths
            else:
                self.visit(part)
