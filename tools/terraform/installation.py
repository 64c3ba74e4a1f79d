"""Finds the terraform (or tofu) binary, its version and the environment it runs in."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tools.errors import UserError
from tools.system import files
from tools.terraform import providers
from tools.terraform.cli_arguments import words_by_variable

_MINIMUM_VERSION = (1, 0, 0)
_HOW_TO_INSTALL = (
    "install it: https://developer.hashicorp.com/terraform/install, or OpenTofu: "
    "https://opentofu.org/docs/intro/install"
)
# Names the binary, or its path; without it terraform on PATH is taken, then tofu.
BINARY_VARIABLE = "TOOLS_TERRAFORM"

# They lead every stack to another workspace's state, or all stacks to one data folder:
# https://developer.hashicorp.com/terraform/cli/config/environment-variables
_ELSEWHERE = ("TF_DATA_DIR", "TF_WORKSPACE")
# So do these options, in a variable that Terraform reads options from:
# https://developer.hashicorp.com/terraform/language/backend/local#command-line-arguments
_ELSEWHERE_OPTION = re.compile(r"--?(state|state-out|backup|chdir)(=|$)")
# With these Terraform does another thing than it is asked for, or a part of it, and says that it is
# done: https://developer.hashicorp.com/terraform/cli/commands/plan#planning-modes
_OTHER_WORK_OPTION = re.compile(
    r"--?(destroy|exclude|exclude-file|h|help|out|refresh-only|replace|target|target-file|v|version)"
    r"(=|$)"
)
# The key of records, which all who share them set alike (engine/secret_digests.py). It is none of a
# provisioner's business.
KEY_VARIABLE = "TOOLS_RECORD_KEY"
_AUTO_APPROVE = re.compile(r"--?auto-approve(=|$)")


def child_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of every Terraform that is run for a user whose own is `env`."""
    child = {
        # A Go program collects its garbage four times less often than it would, which takes a
        # third off the provider's CPU time for more memory (measured with AWS provider 5.100):
        # https://pkg.go.dev/runtime#hdr-Environment_Variables
        "GOGC": "400",
        **env,
        # No request to checkpoint-api.hashicorp.com at each start, which waits without internet:
        # https://developer.hashicorp.com/terraform/cli/commands#upgrade-and-security-bulletin-checks
        "CHECKPOINT_DISABLE": "1",
        # No advice to run terraform commands, which would pass by what `tools` knows:
        # https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_in_automation
        "TF_IN_AUTOMATION": "1",
    }
    # The former for what goes on because it reads no state.
    for name in (*_ELSEWHERE, KEY_VARIABLE):
        child.pop(name, None)
    # Terraform puts these before our own options. It is to ask, so that we can refuse:
    # https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_cli_args-and-tf_cli_args_name
    for name, words in words_by_variable(child):
        kept = [word for word in words if not _AUTO_APPROVE.match(word)]
        if len(kept) < len(words):
            child[name] = shlex.join(kept)
    # "Warning: Unable to open CLI configuration file", at each start, if it names no file:
    # https://github.com/hashicorp/terraform/tree/v1.11.4/internal/command/cliconfig
    for name in providers.CONFIG_VARIABLES:
        if name in child and not Path(child[name]).is_file():
            del child[name]
    return child


def refuse_elsewhere(env: Mapping[str, str]) -> None:
    """Raises UserError if `env` leads Terraform to other states or other work than is meant."""
    for name in _ELSEWHERE:
        if env.get(name):
            raise UserError(
                f"{name} is set ({env[name]}), and leads Terraform to other states than those that "
                f"tools reads; nothing was done. Mend it: unset {name}"
            )
    for name, words in words_by_variable(env):
        for word in words:
            if option := _ELSEWHERE_OPTION.match(word):
                raise UserError(
                    f"{name} has the option -{option[1]}, which leads Terraform to other states "
                    f"than those that tools reads; nothing was done. Take it out of {name}"
                )
            if option := _OTHER_WORK_OPTION.match(word):
                raise UserError(
                    f"{name} has the option -{option[1]}, with which Terraform does not do what "
                    f"tools asks for; nothing was done. Take it out of {name}"
                )


def find_binary(env: Mapping[str, str]) -> Path:
    """Returns the path of the terraform or tofu that a user with `env` means.

    Raises UserError if there is none.
    """
    search_path = env.get("PATH", os.defpath)
    if name := env.get(BINARY_VARIABLE):
        if binary := shutil.which(name, path=search_path):
            return Path(binary).absolute()
        raise UserError(
            f"{BINARY_VARIABLE} names {name}, which is not a program; unset it, or "
            f"{_HOW_TO_INSTALL}"
        )
    for name in ("terraform", "tofu"):
        if binary := shutil.which(name, path=search_path):
            return Path(binary)
    raise UserError(f"neither terraform nor tofu is on PATH; {_HOW_TO_INSTALL}")


def read_version(
    binary: Path, env: Mapping[str, str], scratch: Path
) -> tuple[tuple[int, int, int], str]:
    """Returns version and platform of a binary, noted in `scratch` until it changes.

    Raises UserError if it is no Terraform, or one below 1.0.
    """
    note = scratch / "terraform-version.json"
    identity = _identity(binary)
    try:
        noted = json.loads(note.read_text())
        answer = noted["answer"] if identity and noted["of"] == identity else None
    except (OSError, ValueError, KeyError, TypeError):
        answer = None
    if answer is None:
        answer = _ask_version(binary, env)
        if identity:
            with suppress(UserError):  # as in a checkout that is read-only: it is asked again
                files.write(note, json.dumps({"of": identity, "answer": answer}))
    number, platform = answer
    parts = re.match(r"(\d+)\.(\d+)\.(\d+)", number)
    version = (int(parts[1]), int(parts[2]), int(parts[3])) if parts else (0, 0, 0)
    if version < _MINIMUM_VERSION:
        raise UserError(
            f"{binary} is Terraform {number}; 1.0 or later is needed: {_HOW_TO_INSTALL}"
        )
    return version, platform


def _ask_version(binary: Path, env: Mapping[str, str]) -> list[str]:
    try:
        result = subprocess.run(
            [binary, "version", "-json"], env=env, capture_output=True, text=True, check=False
        )
        answer = json.loads(result.stdout)
        return [str(answer["terraform_version"]), str(answer["platform"])]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{binary} does not tell its version as Terraform does; {_HOW_TO_INSTALL}"
        ) from None


def _identity(binary: Path) -> list[str | int] | None:
    """What changes with the binary; None for a script, which may start one version or another."""
    try:
        with binary.open("rb") as file:
            is_script = file.read(2) == b"#!"
        status = binary.resolve().stat()
    except OSError:
        return None
    return None if is_script else [str(binary.resolve()), status.st_mtime_ns, status.st_size]
