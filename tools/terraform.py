"""The only user of the terraform binary."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools import providers
from tools.errors import UserError
from tools.interruption import Interruption

MINIMUM = (1, 0, 0)
INSTALL = "install it: https://developer.hashicorp.com/terraform/install"


Event = dict[str, Any]


@dataclass(frozen=True)
class Diagnostic:
    """One error of Terraform's. `file` is relative to the stack, `code` the line it points at."""

    summary: str
    detail: str = ""
    address: str = ""
    file: str = ""
    line: int = 0
    code: str = ""

    @classmethod
    def of(cls, diagnostic: Mapping[str, Any]) -> "Diagnostic":
        """From the JSON of Terraform's machine-readable UI."""
        place = diagnostic.get("range") or {}
        return cls(
            diagnostic["summary"],
            " ".join(diagnostic.get("detail", "").split()),
            diagnostic.get("address", ""),
            place.get("filename", ""),
            place.get("start", {}).get("line", 0),
            (diagnostic.get("snippet") or {}).get("code", "").strip(),
        )

    def text(self) -> str:
        """One line: where, what and why."""
        where = f"{self.file}, line {self.line}: " if self.file else ""
        return f"{where}{self.summary}{': ' if self.detail else ''}{self.detail}"


# A workspace or a data folder would lead every stack to another state, or all to one.
_LEFT_OUT = ("TF_DATA_DIR", "TF_WORKSPACE")


class TerraformError(UserError):
    """Terraform ended in an error; `diagnostics` are its errors, at least one."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("; ".join(diagnostic.text() for diagnostic in diagnostics))
        self.diagnostics = diagnostics


@dataclass(frozen=True)
class Terraform:
    """A terraform binary and the environment that every one of its processes gets.

    `platform` is such as linux_amd64; `downloads` says that init asks the registry for providers.
    """

    binary: Path
    version: tuple[int, int, int]
    platform: str
    downloads: bool
    env: Mapping[str, str]

    @classmethod
    def find(cls, env: Mapping[str, str], scratch: Path) -> "Terraform":
        """The terraform on PATH, with a clean environment made from `env`.

        `scratch` is a folder for the CLI configuration that names a provider mirror.
        Raises UserError where there is no terraform, or one below 1.0.
        """
        found = shutil.which("terraform", path=env.get("PATH", os.defpath))
        if not found:
            raise UserError(f"terraform is not on PATH; {INSTALL}")
        clean = _without_missing_config(env)
        version, platform = _version(Path(found), clean)
        source = providers.source(clean, platform)
        terraform = cls(Path(found), version, platform, source.is_registry, clean)
        return terraform._with_mirror(source.mirror, scratch) if source.mirror else terraform

    def downloaded_once(self, scratch: Path) -> "Terraform":
        """This one, with the provider in a folder of `scratch` where the registry has to give it.

        Terraform downloads its 150 MB for each stack otherwise, at every new one. Raises
        TerraformError where the registry is out of reach.
        """
        if not self.downloads:
            return self
        cache = scratch / "providers"
        scratch.mkdir(parents=True, exist_ok=True)
        with (scratch / "providers.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not providers.holds_provider(cache, self.platform):
                self._download(cache, scratch)
        return self._with_mirror(cache, scratch)

    def _download(self, cache: Path, scratch: Path) -> None:
        # Beside its place and renamed, so that a download cut short counts for nothing.
        with tempfile.TemporaryDirectory(dir=scratch) as root:
            env = {**self.env, "TF_PLUGIN_CACHE_DIR": f"{root}/providers"}
            Path(root, "providers").mkdir()
            Path(root, "main.tf").write_text('provider "aws" {}\n')
            replace(self, env=env).init(Path(root), scratch / "providers.log")
            shutil.rmtree(cache, ignore_errors=True)
            Path(root, "providers").rename(cache)

    def _with_mirror(self, mirror: Path, scratch: Path) -> "Terraform":
        text = providers.cli_config_with(mirror, providers.cli_config_file(self.env))
        config = _write_once(scratch / "terraform.rc", text)
        return replace(self, downloads=False, env={**self.env, "TF_CLI_CONFIG_FILE": str(config)})

    @property
    def shares_plugin_cache(self) -> bool:
        """Whether inits write to one plugin cache, which two must not do at once.

        https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
        """
        return "TF_PLUGIN_CACHE_DIR" in self.env or providers.names_plugin_cache(self.env)

    def init(self, directory: Path, log: Path, interruption: Interruption | None = None) -> None:
        """`terraform init`. Raises TerraformError with what Terraform said."""
        process = self._start(directory, log, "init", "-input=false", "-no-color")
        _follow(process, log, lambda line: None, interruption)
        if process.returncode:
            raise TerraformError([_first_error(log.read_text())])

    def apply(
        self,
        directory: Path,
        log: Path,
        on_event: Callable[[Event], None],
        interruption: Interruption | None = None,
        destroy: bool = False,
    ) -> None:
        """Applies (or destroys) without asking; `on_event` gets Terraform's events as they come.

        The first request of `interruption` to stop is passed on to Terraform, which then writes
        its state and releases its lock; it is never killed.

        https://developer.hashicorp.com/terraform/internals/machine-readable-ui
        Raises TerraformError, with its errors, when it ends in one.
        """
        action = ["-destroy"] if destroy else []
        arguments = ["apply", "-json", "-input=false", "-auto-approve", *action]
        process = self._start(directory, log, *arguments)
        errors: list[Diagnostic] = []

        def on_line(line: str) -> None:
            event = _event(line)
            if event.get("type") == "diagnostic" and event["diagnostic"]["severity"] == "error":
                errors.append(Diagnostic.of(event["diagnostic"]))
            on_event(event)

        _follow(process, log, on_line, interruption)
        if process.returncode:
            raise TerraformError(
                errors or [Diagnostic(f"terraform ended with an error; see {log}")]
            )

    def outputs(self, directory: Path) -> dict[str, Any]:
        """The output values of the state in `directory`, none where nothing was applied."""
        result = self._ask(directory, "output", "-json")
        if result.returncode:
            raise UserError(f"{directory}: terraform output: {_first_error(result.stderr).text()}")
        return {name: output["value"] for name, output in json.loads(result.stdout).items()}

    def holds_resources(self, directory: Path) -> bool:
        """Whether the state of `directory`, which `init` has prepared, holds anything.

        Raises TerraformError where the state cannot be read.
        """
        result = self._ask(directory, "state", "list")
        if result.returncode and "No state file was found" not in result.stderr:
            raise TerraformError([_first_error(result.stderr)])
        return bool(result.stdout.strip())

    def _ask(self, directory: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.binary, *arguments],
            cwd=directory,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )

    def _start(self, directory: Path, log: Path, *arguments: str) -> "subprocess.Popen[bytes]":
        # Into a file, not a pipe: Terraform must outlive this process without a broken pipe.
        # In a session of its own: a terminal's Ctrl-C reaches it by way of `_follow` alone.
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            return subprocess.Popen(
                [self.binary, *arguments],
                cwd=directory,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def _follow(
    process: "subprocess.Popen[bytes]",
    log: Path,
    on_line: Callable[[str], None],
    interruption: Interruption | None,
) -> None:
    """Calls `on_line` for each line that `process` writes to `log`, until it ends."""
    noted = 0
    partial = ""
    try:
        with log.open(encoding="utf-8", errors="replace") as reader:
            while True:
                ended = process.poll() is not None
                partial += reader.readline()
                if partial.endswith("\n") or (ended and partial):
                    line, partial = partial, ""
                    on_line(line)
                elif ended:
                    break
                else:
                    time.sleep(0.05)
                if interruption and interruption.count > noted and not ended:
                    # Only the first: at a second Terraform would leave without writing its state.
                    if not noted:
                        process.send_signal(signal.SIGINT)
                    noted = interruption.count
                    on_line("interrupted: waiting for Terraform to write its state\n")
    except BaseException:
        # Whatever went wrong here, Terraform is asked to stop and not left behind.
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


def _event(line: str) -> Event:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    # A line that is no event, such as a provider's panic, is passed on as it is.
    return event if isinstance(event, dict) else {"type": "text", "@message": line.rstrip()}


def _first_error(output: str) -> "Diagnostic":
    """The first error in Terraform's text output."""
    plain = re.sub(r"^[│╷╵] ?", "", output, flags=re.MULTILINE)
    found = re.search(r"Error: (?P<summary>.+)\n\s*(?P<detail>(?:.+\n)*)", plain)
    if not found:
        return Diagnostic(" ".join(plain.split())[-300:])
    if "Failed to query available provider packages" in found["summary"]:
        return Diagnostic(
            "no provider: the registry is out of reach and no mirror was found",
            "put one under a folder that Terraform searches, or in /opt, /usr/local, /usr/share or "
            "/srv: https://developer.hashicorp.com/terraform/cli/commands/providers/mirror",
        )
    return Diagnostic(found["summary"].strip(), " ".join(found["detail"].split())[:300])


def _without_missing_config(env: Mapping[str, str]) -> dict[str, str]:
    """`env` for a child process: Terraform warns on every call where its configuration file is
    named and missing; GOGC trades the provider's memory for a third of its CPU time."""
    clean = {"GOGC": "400", **env, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    for name in _LEFT_OUT:
        clean.pop(name, None)
    if providers.cli_config_file(clean) is None:
        clean.pop("TF_CLI_CONFIG_FILE", None)
    return clean


def _version(binary: Path, env: Mapping[str, str]) -> tuple[tuple[int, int, int], str]:
    try:
        result = subprocess.run(
            [binary, "version", "-json"], env=env, capture_output=True, text=True, check=False
        )
        answer = json.loads(result.stdout)
        number, platform = str(answer["terraform_version"]), str(answer["platform"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{binary} is no Terraform that says its version; {INSTALL}") from None
    parts = re.match(r"(\d+)\.(\d+)\.(\d+)", number)
    version = (int(parts[1]), int(parts[2]), int(parts[3])) if parts else (0, 0, 0)
    if version < MINIMUM:
        raise UserError(f"{binary} is Terraform {number}; 1.0 or later is needed: {INSTALL}")
    return version, platform


def _write_once(path: Path, text: str) -> Path:
    """Writes `text` to `path` unless it is there already; readers never see half a file."""
    if not path.is_file() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        # The user's own configuration is in it, which may hold tokens.
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        partial.replace(path)
    return path
