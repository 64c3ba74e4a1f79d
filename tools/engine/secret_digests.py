"""Digests of what may hold secrets, so that nobody finds one by guessing from a record.

docs/decisions/0015-secrets-in-records-have-a-key.md
"""

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tools.engine.file_digests import digest_of
from tools.engine.module_scope import ModuleReferences
from tools.errors import UserError
from tools.hcl.variables import read_assigned
from tools.terraform.cli_arguments import value_options
from tools.terraform.installation import KEY_VARIABLE

# Stands in a record for what was not compared.
WITHOUT_KEY = "not recorded"
# A file's name may be no UTF-8, and is the same for users of all locales.
_ANY_TEXT = "surrogatepass"
_SHORTEST_KEY = 16  # characters; `openssl rand -hex 32` makes 64


def record_key(env: Mapping[str, str]) -> bytes:
    """Returns the key for digests of secrets, empty if the user has none.

    Raises UserError if it is too short to keep anything secret.
    """
    key_text = env.get(KEY_VARIABLE, "")
    if 0 < len(key_text) < _SHORTEST_KEY:
        raise UserError(
            f"{KEY_VARIABLE} has {len(key_text)} characters and needs {_SHORTEST_KEY} or more; "
            "make one with `openssl rand -hex 32`, or unset it"
        )
    return os.fsencode(key_text)


def keyed_digest(key: str | bytes, name: str, content: bytes) -> str:
    """Returns a digest that tells nothing of `content` to who does not know `key`."""
    key = key.encode(errors=_ANY_TEXT) if isinstance(key, str) else key
    named_content = name.encode(errors=_ANY_TEXT) + b"\0" + content
    return hmac.new(key, named_content, hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True)
class Variables:
    """The variables of a root module: which there are, and which are, or may be, sensitive."""

    declared: frozenset[str]
    sensitive: frozenset[str]
    is_complete: bool

    @classmethod
    def from_references(cls, module_refs: ModuleReferences, handed: Iterable[str]) -> "Variables":
        """Returns those of the module that `module_refs` describes.

        `handed` are those that a sensitive variable of a module is made of.
        """
        is_complete = not any(refs["unreadable"] for refs in module_refs.files.values())
        return cls(
            frozenset(module_refs.variables), module_refs.sensitive.union(handed), is_complete
        )

    def may_be_secret(self, name: str) -> bool:
        """Whether a value of the variable `name` may be a secret."""
        return name in self.sensitive or (not self.is_complete and name not in self.declared)

    def may_set_secret(self, content: bytes, file: str) -> bool:
        """Whether a file of values sets a variable whose value may be a secret."""
        if self.is_complete and not any(name.encode() in content for name in self.sensitive):
            return False
        values = read_assigned(content, file.endswith(".json"))
        return values is None or any(map(self.may_be_secret, values))


def environment_digests(
    env: Mapping[str, str], variables: Variables, key: bytes
) -> tuple[dict[str, str], list[str]]:
    """Returns digests of what Terraform takes from `env`, and names that need a key.

    What sets no variable of the stack is left out: Terraform ignores it.
    """
    digests: dict[str, str] = {}
    secrets: list[str] = []
    for name, value in sorted(env.items()):
        is_secret = False
        if name.startswith("TF_VAR_"):
            variable = name.removeprefix("TF_VAR_")
            if variables.is_complete and variable not in variables.declared:
                continue
            is_secret = variables.may_be_secret(variable)
        elif name.startswith("TF_CLI_ARGS"):
            options = (text for option, text in value_options({name: value}) if option == "var")
            set_by_option = [text.partition("=")[0].strip() for text in options]
            is_secret = any(map(variables.may_be_secret, set_by_option))
        else:
            continue
        if is_secret:
            secrets.append(name)
        content = os.fsencode(value)  # which may be no UTF-8
        digests[name] = secret_digest(key, name, content) if is_secret else digest_of(content)
    return digests, [] if key else secrets


def secret_digest(key: bytes, name: str, content: bytes) -> str:
    """Returns the digest of a secret that records hold, which is none without a key."""
    return keyed_digest(key, name, content) if key else WITHOUT_KEY


def describe_missing_key(name: str) -> str:
    """Returns the reason why a stack with a secret called `name` is planned in every run."""
    return f"{name} holds a secret, which is compared only if {KEY_VARIABLE} is set"
