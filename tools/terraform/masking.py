"""Hides values that no log may hold: of variables marked sensitive, and the user's credentials.

Terraform hides a sensitive variable in a plan, but not in the line of a .tfvars file that an error
quotes, nor in what a provider prints.
https://developer.hashicorp.com/terraform/language/values/variables#suppressing-values-in-cli-output
"""

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.hcl import reading, scanning, writing

PLACEHOLDER = "(sensitive value)"

# In characters. Shorter values, such as "dev", "1" and "true", are in too many other words.
_SHORTEST_VALUE = 4
_SHORTEST_LINE = 8  # of a value of several lines, such as a key
_SHORTEST_CREDENTIAL = 16  # the local cloud's is "test"
# Keys of an event whose values are Terraform's own words, which the program compares: a secret
# that reads like one of them must not change what an event says.
_UNMASKED_KEYS = ("action", "operation", "resource_type", "severity", "type")
_CREDENTIAL_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

# User and password in a URL, such as that of a Git repository.
_URL_CREDENTIALS = r"(?<=://)[^\s/:@\"']+:[^\s/@\"']+(?=@)"


@dataclass(frozen=True)
class Mask:
    """Replaces secret values in texts by "(sensitive value)"."""

    pattern: re.Pattern[str]

    def __call__(self, text: str) -> str:
        return self.pattern.sub(PLACEHOLDER, text)

    def event(self, event: Any) -> Any:
        """Returns an event of Terraform's, or a part of one, without the secret values."""
        if isinstance(event, dict):
            return {
                key: value if key in _UNMASKED_KEYS else self.event(value)
                for key, value in event.items()
            }
        if isinstance(event, list):
            return [self.event(item) for item in event]
        return self(event) if isinstance(event, str) else event

    def scrub(self, log: Path) -> None:
        """Replaces the secret values in the file `log`, which nobody writes to any more."""
        text = log.read_text(encoding="utf-8", errors="replace")
        if (masked := self(text)) != text:
            log.write_text(masked, encoding="utf-8")


def mask_of(directory: Path, env: Mapping[str, str]) -> Mask:
    """Returns the mask for what Terraform prints in the root module `directory` with `env`."""
    values = [
        env[name]
        for name in _CREDENTIAL_VARIABLES
        if len(env.get(name, "")) >= _SHORTEST_CREDENTIAL
    ]
    defaults = sensitive_defaults(directory)
    if defaults:
        values += [default for default in defaults.values() if default]
        values += _assigned_values(directory, env, defaults.keys())
    forms = {form for value in values for form in _forms(value)}
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return Mask(re.compile("|".join([*map(re.escape, longest_first), _URL_CREDENTIALS])))


def sensitive_defaults(directory: Path) -> dict[str, str]:
    """Returns the variables of a root module that are marked sensitive: name to default.

    The default is empty if it is not a string.
    """
    defaults: dict[str, str] = {}
    for path in sorted(directory.glob("*.tf")):
        defaults |= scanning.sensitive_defaults(path.read_text(encoding="utf-8", errors="replace"))
    for path in sorted(directory.glob("*.tf.json")):
        with suppress(UserError):  # Terraform reports it
            for name, body in reading.read_json(path).get("variable", {}).items():
                if isinstance(body, dict) and body.get("sensitive"):
                    defaults[name] = str(body.get("default") or "")
    return defaults


def _assigned_values(
    directory: Path, env: Mapping[str, str], names: Collection[str]
) -> Iterator[str]:
    """The values that files, the environment and TF_CLI_ARGS give to the variables `names`."""
    files = reading.value_files(directory)
    for option, value in _options(env):
        name, _, text = value.partition("=")
        if option == "var-file":
            files.append(directory / value)
        elif name in names:
            yield from _texts_of(text)
    for name in names:
        yield from _texts_of(env.get(f"TF_VAR_{name}", ""))
    for file in files:
        if file.is_file():
            yield from _texts(_values(file, names))


def _options(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """-var and -var-file of TF_CLI_ARGS and TF_CLI_ARGS_<command>: option to value."""
    for name, text in env.items():
        try:
            words = shlex.split(text) if name.startswith("TF_CLI_ARGS") else []
        except ValueError:
            words = text.split()  # Terraform refuses it, and may quote it
        for word, following in zip_longest(words, words[1:], fillvalue=""):
            if match := re.match(r"--?(var|var-file)(=|$)", word):
                yield match[1], word[match.end() :] if match[2] else following


def _values(file: Path, names: Collection[str]) -> list[Any]:
    """What `file` sets the variables `names` to; of a broken one, the rest of their lines."""
    is_json = file.suffix == ".json"
    try:
        values = reading.read_json(file) if is_json else reading.read_tfvars(file)
        return [value for name, value in values.items() if name in names]
    except UserError:
        if is_json:
            return []
        text = file.read_text(encoding="utf-8", errors="replace")
        return [value for name, value in scanning.assigned_texts(text) if name in names]


def _texts_of(text: str) -> Iterator[str]:
    """`text` and, where it is a list or an object, the texts in it."""
    yield text
    try:
        yield from _texts(json.loads(text))
    except ValueError:
        yield from re.findall(r'"((?:\\.|[^"\\])+)"', text)


def _texts(value: Any) -> Iterator[str]:
    """Every string and number in a value, however deep."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _forms(value: str) -> Iterator[str]:
    """`value` as text, HCL and JSON have it, and each of its lines."""
    lines = [line.strip() for line in value.splitlines()]
    kept = [line for line in lines if len(line) >= _SHORTEST_LINE] if len(lines) > 1 else []
    for text in (value, *kept):
        if len(text.strip()) < _SHORTEST_VALUE:
            continue
        for written in (text, writing.quote(text)[1:-1]):
            yield written
            for in_json in (
                json.dumps(written)[1:-1],
                json.dumps(written, ensure_ascii=False)[1:-1],
            ):
                yield in_json
                # Go also escapes what has a meaning in HTML: https://pkg.go.dev/encoding/json#Marshal
                yield re.sub("[<>&]", lambda match: f"\\u{ord(match[0]):04x}", in_json)
