"""Runs the terraform (or tofu) binary, a method for each of its commands."""

import fcntl
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.system import files, processes
from tools.system.signals import Interruption
from tools.terraform import masking, providers
from tools.terraform.diagnostics import Diagnostic, TerraformError, first_error, in_text
from tools.terraform.find import child_environment, find_binary, read_version
from tools.terraform.masking import Mask
from tools.terraform.process import follow, pid_file
from tools.terraform.text import (
    Event,
    destroys_nothing,
    event_of_json,
    event_of_text,
    was_asked_to_approve,
)


@dataclass(frozen=True)
class Terraform:
    """A terraform or tofu binary and the environment that every one of its processes gets.

    `product` is Terraform or OpenTofu, `platform` such as linux_amd64; `downloads` says that init
    asks the registry for providers.
    """

    binary: Path
    product: str
    version: tuple[int, int, int]
    platform: str
    downloads: bool
    env: Mapping[str, str]

    @classmethod
    def find(cls, env: Mapping[str, str], scratch: Path) -> "Terraform":
        """The one that TOOLS_TERRAFORM names, or terraform or tofu on PATH, in that order.

        Its environment is a clean one made from `env`; `scratch` is a folder for the CLI
        configuration that names a provider mirror. Raises UserError where there is none, or one
        below 1.0.
        """
        binary = find_binary(env)
        clean = child_environment(env)
        product = "OpenTofu" if "tofu" in binary.name else "Terraform"
        version, platform = read_version(binary, clean, scratch)
        source = providers.source(clean, platform, providers.HOSTS[product])
        terraform = cls(binary, product, version, platform, source.is_registry, clean)
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
            if not providers.holds_provider(cache, self.platform, self._host):
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
        own = providers.cli_config_file(self.env)
        text = providers.cli_config_with(mirror, own, self._host)
        config = scratch / "terraform.rc"
        files.write_if_new(config, text, mode=0o600)  # the user's own may hold tokens
        return replace(self, downloads=False, env={**self.env, "TF_CLI_CONFIG_FILE": str(config)})

    @property
    def _host(self) -> str:
        return providers.HOSTS[self.product]

    @property
    def program(self) -> str:
        """What a person types: terraform or tofu."""
        return "tofu" if self.product == "OpenTofu" else "terraform"

    @property
    def shares_plugin_cache(self) -> bool:
        """Whether inits write to one plugin cache, which two must not do at once.

        https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
        """
        return "TF_PLUGIN_CACHE_DIR" in self.env or providers.names_plugin_cache(self.env)

    @property
    def version_text(self) -> str:
        """Such as 1.11.4."""
        return ".".join(map(str, self.version))

    def init(
        self,
        directory: Path,
        log: Path,
        interruption: Interruption | None = None,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> None:
        """`terraform init`. Raises TerraformError with what Terraform said."""
        process = self._start(directory, log, "init", "-input=false", "-no-color")
        mask = self._mask(directory)
        follow(process, log, mask, lambda line: on_event(event_of_text(line)), interruption)
        if process.returncode:
            raise TerraformError([_failure(process.returncode, log)])

    def plan(
        self,
        directory: Path,
        log: Path,
        on_event: Callable[[Event], None],
        interruption: Interruption | None = None,
        out: Path | None = None,
        refresh_only: bool = False,
        destroy: bool = False,
    ) -> None:
        """`terraform plan`, saved to `out`; `on_event` gets Terraform's events as they come.

        Raises TerraformError, with its errors, when it ends in one.
        """
        options = [f"-out={out}"] if out else []
        options += ["-refresh-only"] if refresh_only else []
        options += ["-destroy"] if destroy else []
        self._run(directory, log, on_event, interruption, "plan", *options)

    def apply(
        self,
        directory: Path,
        log: Path,
        on_event: Callable[[Event], None],
        interruption: Interruption | None = None,
        destroy: bool = False,
        plan: Path | None = None,
    ) -> None:
        """Applies (or destroys) without asking, or applies a saved `plan`.

        The first request of `interruption` to stop is passed on to Terraform, which then writes
        its state and releases its lock; it is never killed.

        https://developer.hashicorp.com/terraform/internals/machine-readable-ui
        Raises TerraformError, with its errors, when it ends in one.
        """
        options = ["-destroy"] if destroy else []
        last = [str(plan)] if plan else ["-auto-approve", *options]
        self._run(directory, log, on_event, interruption, "apply", *last)

    def _run(
        self,
        directory: Path,
        log: Path,
        on_event: Callable[[Event], None],
        interruption: Interruption | None,
        *arguments: str,
    ) -> None:
        process = self._start(directory, log, arguments[0], "-json", "-input=false", *arguments[1:])
        mask = self._mask(directory)
        errors: list[Diagnostic] = []

        def on_line(line: str) -> None:
            event = mask.event(event_of_json(line))
            if event.get("type") == "diagnostic" and event["diagnostic"]["severity"] == "error":
                errors.append(Diagnostic.of(event["diagnostic"]))
            on_event(event)

        follow(process, log, mask, on_line, interruption)
        if process.returncode:
            raise TerraformError(errors or [_ended(process.returncode, log)])

    def apply_unless(
        self,
        directory: Path,
        log: Path,
        on_event: Callable[[Event], None],
        interruption: Interruption | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> bool:
        """Plans and applies in one process, but nothing where the plan would destroy anything.

        That is a third faster than a saved plan, for which the provider starts five times instead
        of three. Terraform asks for approval only in its text mode, so this reads its text, and
        approves where it has understood that nothing is destroyed, else not. `before` is called
        just before it approves.

        Returns whether it was applied. Raises TerraformError, with its errors, when it ends in one.
        """
        process = self._start(directory, log, "apply", "-no-color", stdin=subprocess.PIPE)
        mask = self._mask(directory)
        seen: list[str] = []
        approved = False

        def on_line(line: str) -> None:
            seen.append(line)
            on_event(mask.event(event_of_text(line)))

        def on_prompt() -> None:
            nonlocal approved
            if process.stdin is None or process.stdin.closed:
                return
            # Anything else that Terraform asks, such as a value, ends for want of an answer.
            approved = destroys_nothing(seen)
            if approved:
                before()
            with suppress(BrokenPipeError):
                process.stdin.write(b"yes\n" if approved else b"")
                process.stdin.close()

        follow(process, log, mask, on_line, interruption, on_prompt)
        text = log.read_text(errors="replace")
        for warning in in_text(text, "Warning"):
            on_event({"type": "warning", "warning": warning})
        if process.returncode and not approved and was_asked_to_approve(seen):
            return False
        if process.returncode:
            raise TerraformError(in_text(text) or [_ended(process.returncode, log)])
        return True

    def outputs(self, directory: Path) -> dict[str, Any]:
        """The output values of the state in `directory`, none where nothing was applied.

        One that is marked sensitive is there without its value.
        """
        result = self._ask(directory, "output", "-json")
        if result.returncode:
            raise UserError(f"{directory}: terraform output: {first_error(result.stderr).text()}")
        return {
            name: masking.SHOWN if output["sensitive"] else output["value"]
            for name, output in json.loads(result.stdout).items()
        }

    def holds_resources(self, directory: Path) -> bool:
        """Whether the state of `directory`, which `init` has prepared, holds anything.

        Raises TerraformError where the state cannot be read.
        """
        result = self._ask(directory, "state", "list")
        if result.returncode and "No state file was found" not in result.stderr:
            raise TerraformError([first_error(result.stderr)])
        return bool(result.stdout.strip())

    def show(self, directory: Path, plan: Path) -> str:
        """A saved plan as Terraform shows it. Raises TerraformError where it cannot be read."""
        result = self._ask(directory, "show", "-no-color", str(plan))
        if result.returncode:
            raise TerraformError([first_error(result.stderr)])
        return self._mask(directory)(result.stdout)

    def planned_values(self, directory: Path, plan: Path) -> dict[str, Any]:
        """A saved plan as JSON.

        https://developer.hashicorp.com/terraform/internals/json-format
        Raises TerraformError where it cannot be read.
        """
        result = self._ask(directory, "show", "-json", str(plan))
        if result.returncode:
            raise TerraformError([first_error(result.stderr)])
        values: dict[str, Any] = json.loads(result.stdout)
        return values

    def import_(self, directory: Path, log: Path, address: str, identifier: str) -> None:
        """`terraform import`. Raises TerraformError with what Terraform said."""
        process = self._start(
            directory, log, "import", "-input=false", "-no-color", address, identifier
        )
        follow(process, log, self._mask(directory), lambda line: None, None)
        if process.returncode:
            raise TerraformError([_failure(process.returncode, log)])

    def pull_state(self, directory: Path) -> bytes:
        """The state of `directory`, as Terraform reads it; empty where there is none.

        Raises TerraformError with what Terraform said.
        """
        result = self._ask(directory, "state", "pull")
        if result.returncode:
            raise TerraformError([first_error(result.stderr)])
        return result.stdout.strip().encode()

    def force_unlock(self, directory: Path, lock: str) -> None:
        """`terraform force-unlock`, which refuses a `lock` that is not the one on the state.

        Raises TerraformError with what Terraform said.
        """
        result = self._ask(directory, "force-unlock", "-force", lock)
        if result.returncode:
            raise TerraformError([first_error(result.stderr)])

    def push_state(self, directory: Path, state: Path) -> None:
        """`terraform state push`, which refuses a state that is older or another one.

        Raises TerraformError with what Terraform said.
        """
        result = self._ask(directory, "state", "push", str(state))
        if result.returncode:
            raise TerraformError([first_error(result.stderr)])

    def refresh_outputs(
        self, directory: Path, log: Path, on_event: Callable[[Event], None]
    ) -> None:
        """Writes to the state what outputs follow from what is there; makes and changes nothing.

        https://developer.hashicorp.com/terraform/cli/commands/plan#planning-modes
        Raises TerraformError, with its errors, when it ends in one.
        """
        self._run(directory, log, on_event, None, "apply", "-refresh-only", "-auto-approve")

    def _mask(self, directory: Path) -> Mask:
        return masking.of_stack(directory, self.env)

    def _ask(self, directory: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [self.binary, *arguments],
            cwd=directory,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        done.stderr = self._mask(directory)(done.stderr)  # which becomes an error's words
        return done

    def _start(
        self, directory: Path, log: Path, *arguments: str, stdin: int = subprocess.DEVNULL
    ) -> "subprocess.Popen[bytes]":
        # Into a file, not a pipe: Terraform must outlive this process without a broken pipe.
        # In a session of its own: a terminal's Ctrl-C reaches it by way of `follow` alone.
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self.binary, *arguments],
                cwd=directory,
                env=self.env,
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        processes.note(process.pid, pid_file(log))
        return process


def _failure(code: int, log: Path) -> Diagnostic:
    """Why a command failed that says so in text."""
    return _ended(code, log) if code < 0 else first_error(log.read_text(errors="replace"))


def _ended(code: int, log: Path) -> Diagnostic:
    changes = log.stem.rpartition(".")[2] in ("apply", "destroy", "import")
    if code < 0 and not changes:
        return Diagnostic(f"Terraform was ended by signal {-code}; see {log}")
    if code >= 0:
        return Diagnostic(f"Terraform ended with an error; see {log}")
    return Diagnostic(
        f"Terraform was ended by signal {-code}",
        "what it had begun may be in the cloud and not in its state; run this again, and where "
        f"something exists already: tools adopt (log: {log})",
    )
