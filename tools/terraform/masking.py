"""Hides values that no log may hold: of variables marked sensitive, and the user's credentials.

Terraform hides a sensitive variable in a plan, but not in the line of a .tfvars file that an error
quotes, nor in what a provider prints.
https://developer.hashicorp.com/terraform/language/values/variables#suppressing-values-in-cli-output
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.hcl import reading, writing
from tools.hcl.evaluation import is_known
from tools.hcl.variables import (
    Secrets,
    assigned_texts_in,
    escaped_texts,
    read_assigned,
    read_secrets,
    texts_in,
)
from tools.terraform.cli_arguments import value_options

PLACEHOLDER = "(sensitive value)"

# In characters. Shorter values, such as "dev", "1" and "true", are in too many other words.
_SHORTEST_VALUE = 4
_SHORTEST_LINE = 8  # of a value of several lines, such as a key
_SHORTEST_CREDENTIAL = 16  # the local cloud's is "test"
# Keys of an event whose values are Terraform's own words, which the program compares: a secret
# that reads like one of them must not change what an event says.
_UNMASKED_KEYS = ("action", "operation", "resource_type", "severity", "type")
_CREDENTIAL_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

# What Python makes of a byte that is no UTF-8: https://peps.python.org/pep-0383/
_ESCAPED = re.compile("[\udc80-\udcff]")

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
    secrets = read_secrets(directory)
    if secrets:
        values += [text for texts in secrets.defaults.values() for text in texts]
        values += [text for file in secrets.unread for text in assigned_texts_in(file.read_bytes())]
        values += _assigned_texts(directory, env, secrets)
        values += secrets.handed
    # A value of the environment may be no UTF-8: Terraform's JSON and logs have U+FFFD there.
    values += [_ESCAPED.sub("\ufffd", value) for value in values if _ESCAPED.search(value)]
    forms = {form for value in values for form in _forms(value)}
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return Mask(re.compile("|".join([*map(re.escape, longest_first), _URL_CREDENTIALS])))


def _assigned_texts(directory: Path, env: Mapping[str, str], secrets: Secrets) -> Iterator[str]:
    """The texts that files, the environment and TF_CLI_ARGS give to sensitive variables."""
    files = reading.value_files(directory)
    for option, value in value_options(env):
        name, _, text = value.partition("=")
        if option == "var-file":
            files.append(directory / value)
        elif name.strip() in secrets:
            yield from secrets.texts_of_option(name.strip(), text)
    for variable, text in env.items():
        name = variable.removeprefix("TF_VAR_")
        if name != variable and name in secrets:
            yield from secrets.texts_of_option(name, text)
    for file in files:
        if file.is_file():
            yield from _texts_of_file(file, secrets)


def _texts_of_file(file: Path, secrets: Secrets) -> Iterator[str]:
    """The texts that a file of values gives to sensitive variables; all, if it cannot be read."""
    content = file.read_bytes()
    assigned = read_assigned(content, file.suffix == ".json")
    if assigned is None:
        yield from texts_in(content)
        return
    for name, value in assigned.items():
        if name in secrets:
            texts = list(secrets.texts_of(name, value) if is_known(value) else texts_in(content))
            yield from texts
            yield from escaped_texts(content, texts) if file.suffix == ".json" else ()


def _forms(value: str) -> Iterator[str]:
    """`value` as text, HCL and JSON have it, and each of its lines."""
    lines = [line.strip() for line in value.splitlines()]
    kept = [line for line in lines if len(line) >= _SHORTEST_LINE] if len(lines) > 1 else []
    # Of a text of several lines a plan shows each line alone (`renderStringDiff`):
    # https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/jsonformat/computed/renderers/primitive.go
    for text in {value, value.strip(), *kept}:
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
