"""Runs the terraform (or tofu) binary, a method for each of its commands."""

import fcntl
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.system import files
from tools.system.signals import Interruption
from tools.terraform import masking, process, providers
from tools.terraform.diagnostics import (
    Diagnostic,
    TerraformError,
    describe_end,
    first_error,
    parse_diagnostics,
)
from tools.terraform.installation import child_environment, find_binary, read_version
from tools.terraform.keeper import Lease
from tools.terraform.masking import Mask
from tools.terraform.text import (
    Event,
    destroys_nothing,
    event_of_json,
    event_of_text,
    was_asked_to_approve,
)
from tools.terraform.warm import WarmProviders

_CHANGES = 2  # the exit code of a plan with -detailed-exitcode that has changes


@dataclass(frozen=True)
class Terraform:
    """A terraform or tofu binary and the environment that every one of its processes gets.

    `product` is Terraform or OpenTofu, `platform` such as linux_amd64; `downloads` says that init
    asks the registry for providers. `found_mirror` is the folder that init takes them from because
    the environment here names it, and not the user's own settings. `warm` lends the commands that
    need a provider one that keeps running.

    Methods take the directory of a root module, and a file for what Terraform prints. `on_event`
    is called with Terraform's events as they come, without secret values. The first request of
    `interruption` to stop is passed on to Terraform, which then writes its state and releases its
    lock; it is never killed. Methods raise TerraformError, with Terraform's errors, if it fails.
    """

    binary: Path
    product: str
    version: tuple[int, int, int]
    platform: str
    downloads: bool
    env: Mapping[str, str]
    found_mirror: Path | None = None
    warm: WarmProviders | None = field(default=None, compare=False)

    @classmethod
    def find(cls, env: Mapping[str, str], scratch: Path) -> "Terraform":
        """Returns the one that TOOLS_TERRAFORM names, or else terraform or tofu on PATH.

        Its environment is made from `env`. `scratch` is a folder for a CLI configuration that names
        a provider mirror. Raises UserError if there is no such program, or one below 1.0.
        """
        binary = find_binary(env)
        clean = child_environment(env)
        product = "OpenTofu" if "tofu" in binary.name else "Terraform"
        version, platform = read_version(binary, clean, scratch)
        source = providers.find_source(clean, platform, product)
        terraform = cls(binary, product, version, platform, source.is_registry, clean)
        return terraform._with_mirror(source.mirror, scratch) if source.mirror else terraform

    def with_provider_downloaded(self, scratch: Path) -> "Terraform":
        """Returns this one, with the provider in a folder of `scratch` if it is to be downloaded.

        Otherwise Terraform would download its 150 MB for each new stack. Raises TerraformError if
        the registry is out of reach.
        """
        if not self.downloads:
            return self
        cache = scratch / "providers"
        scratch.mkdir(parents=True, exist_ok=True)
        with (scratch / "providers.lock").open("w") as lock_file:
            fcntl.flock(lock_file, fcntl.LOCK_EX)
            if not providers.holds_provider(cache, self.platform, self.registry):
                self._download(cache, scratch)
        return self._with_mirror(cache, scratch)

    def _download(self, cache: Path, scratch: Path) -> None:
        # To another folder that is renamed at the end: a download cut short counts for nothing.
        with tempfile.TemporaryDirectory(dir=scratch) as root:
            env = {**self.env, "TF_PLUGIN_CACHE_DIR": f"{root}/providers"}
            Path(root, "providers").mkdir()
            Path(root, "main.tf").write_text('provider "aws" {}\n')
            replace(self, env=env).init(Path(root), scratch / "providers.log")
            shutil.rmtree(cache, ignore_errors=True)
            Path(root, "providers").rename(cache)

    def _with_mirror(self, mirror: Path, scratch: Path) -> "Terraform":
        users_own = providers.cli_config_files(self.env, self.product)
        text = providers.cli_config_text(mirror, users_own, self.registry)
        config = scratch / "terraform.rc"
        try:
            files.write_if_new(config, text, mode=0o600)  # the user's own may hold tokens
        except UserError:
            return (
                self  # what only reads goes on; what starts Terraform cannot write its log either
            )
        env = {**self.env, "TF_CLI_CONFIG_FILE": str(config)}
        return replace(self, downloads=False, env=env, found_mirror=mirror)

    @property
    def program(self) -> str:
        """The command that a person types: terraform or tofu."""
        return "tofu" if self.product == "OpenTofu" else "terraform"

    @property
    def shares_plugin_cache(self) -> bool:
        """Whether inits write to one plugin cache, which is not safe for two at a time.

        https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
        """
        return "TF_PLUGIN_CACHE_DIR" in self.env or providers.names_plugin_cache(
            self.env, self.product
        )

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
        """Runs `terraform init`. It speaks in text: Terraform 1.0 has no -json for it."""
        options = ("-input=false", "-no-color")
        self._run_text(directory, log, on_event, interruption, "init", *options)

    def lock_providers(
        self, directory: Path, platforms: Sequence[str], mirror: Path | None = None
    ) -> None:
        """Writes the lock file of `directory` for `platforms`, from the registry or a `mirror`.

        The settings for the installation do not count:
        https://developer.hashicorp.com/terraform/cli/commands/providers/lock
        """
        options = [f"-platform={platform}" for platform in platforms]
        options += [f"-fs-mirror={mirror}"] if mirror else []
        self._read(directory, "providers", "lock", *options)

    @property
    def registry(self) -> str:
        """The host that providers come from if nothing else is set."""
        return providers.HOST_OF[self.product]

    def mirror(self) -> Path | None:
        """The folder that holds the AWS provider for this platform, None without one."""
        return providers.mirror_folder(self.env, self.platform, self.product)

    def has_provider(self, mirror: Path, platform: str) -> bool:
        """Returns whether the AWS provider for `platform` is in `mirror`."""
        return providers.holds_provider(mirror, platform, self.registry)

    def plan(
        self,
        directory: Path,
        log: Path,
        on_event: Callable[[Event], None],
        interruption: Interruption | None = None,
        out: Path | None = None,
        refresh_only: bool = False,
        lock: bool = True,
    ) -> bool:
        """Runs `terraform plan`, and saves the plan to `out`.

        Returns whether there is anything to apply, also if none of the events says so.
        https://developer.hashicorp.com/terraform/cli/commands/plan#detailed-exitcode
        """
        options = ["-detailed-exitcode"]
        options += [f"-out={out}"] if out else []
        options += ["-refresh-only"] if refresh_only else []
        options += [] if lock else ["-lock=false"]
        code = self._run(
            directory, log, on_event, interruption, "plan", *options, accepted=(0, _CHANGES)
        )
        return code == _CHANGES

    def apply(
        self,
        directory: Path,
        log: Path,
        on_event: Callable[[Event], None],
        interruption: Interruption | None = None,
        destroy: bool = False,
        plan: Path | None = None,
    ) -> None:
        """Applies (or destroys) without asking, or applies a saved `plan`."""
        what = [str(plan)] if plan else ["-auto-approve", *(["-destroy"] if destroy else [])]
        self._run(directory, log, on_event, interruption, "apply", *what)

    def apply_unless_destructive(
        self,
        directory: Path,
        log: Path,
        on_event: Callable[[Event], None],
        interruption: Interruption | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> bool:
        """Plans and applies in one process, unless the plan may destroy anything.

        That is a third faster than to apply a saved plan, for which the provider starts five times
        instead of three. `before` is called just before the plan is approved. Returns whether it
        was applied.

        With -json Terraform takes no answer: it wants -auto-approve or a saved plan. So this reads
        the text, and answers the question there.
        https://developer.hashicorp.com/terraform/cli/commands/apply#json
        """
        mask = self._mask(directory)
        lines: list[str] = []
        was_asked = approved = False

        def on_line(line: str) -> None:
            lines.append(line)
            on_event(mask.event(event_of_text(line)))

        with self._lease(directory) as lease:
            child = self._start(
                directory, log, "apply", "-no-color", stdin=subprocess.PIPE, lease=lease
            )

            def on_prompt() -> None:
                nonlocal was_asked, approved
                if child.stdin is None or child.stdin.closed:
                    return
                was_asked = was_asked_to_approve(lines)
                approved = destroys_nothing(lines)
                if approved:
                    before()
                # Whatever else Terraform asks for, such as a variable's value, ends its run here.
                with suppress(BrokenPipeError):
                    child.stdin.write(b"yes\n" if approved else b"")
                    child.stdin.close()

            process.follow(child, log, mask, on_line, interruption, on_prompt)
            text = log.read_text(errors="replace")
            for warning in parse_diagnostics(text, "Warning"):
                on_event({"type": "warning", "warning": warning})
            if child.returncode and was_asked and not approved:
                return False
            if child.returncode:
                errors = parse_diagnostics(text)
                raise TerraformError(errors or [describe_end(self.product, child.returncode, log)])
            return True

    def refresh_outputs(
        self, directory: Path, log: Path, on_event: Callable[[Event], None]
    ) -> None:
        """Writes the outputs to the state as they are now; creates and changes nothing.

        https://developer.hashicorp.com/terraform/cli/commands/plan#planning-modes
        """
        self._run(directory, log, on_event, None, "apply", "-refresh-only", "-auto-approve")

    def outputs(self, directory: Path) -> dict[str, Any]:
        """Returns the output values in the state of `directory`; none if nothing was applied.

        A sensitive one is there without its value. Raises UserError if they cannot be read.
        """
        result = self._ask(directory, "output", "-json")
        if result.returncode:
            error = first_error(result.stderr).text()
            raise UserError(f"{directory}: {self.program} output: {error}")
        return {
            name: masking.PLACEHOLDER if output["sensitive"] else output["value"]
            for name, output in json.loads(result.stdout).items()
        }

    def holds_resources(self, directory: Path) -> bool:
        """Returns whether the state of `directory`, which must be initialized, holds anything."""
        result = self._ask(directory, "state", "list")
        # `state list` fails if nothing was ever applied (errStateNotFound; OpenTofu has it too):
        # https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/state_list.go
        if result.returncode and "No state file was found" not in result.stderr:
            raise TerraformError([first_error(result.stderr)])
        return bool(result.stdout.strip())

    def other_workspaces(self, directory: Path) -> list[str]:
        """Returns the workspaces beside the selected one; `directory` must be initialized."""
        result = self._ask(directory, "workspace", "list")
        if result.returncode:
            # https://github.com/hashicorp/terraform/blob/v1.11.4/internal/backend/backend.go
            if "workspaces not supported" in result.stderr:
                return []
            raise TerraformError([first_error(result.stderr)])
        lines = result.stdout.splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("*")]

    def show(self, directory: Path, plan: Path) -> str:
        """Returns a saved plan as Terraform shows it, without secret values."""
        with self._lease(directory) as lease:
            text = self._read(directory, "show", "-no-color", str(plan), lease=lease)
        return self._mask(directory)(text)

    def show_json(self, directory: Path, plan: Path) -> dict[str, Any]:
        """Returns a saved plan as JSON, with secret values.

        https://developer.hashicorp.com/terraform/internals/json-format
        """
        with self._lease(directory) as lease:
            text = self._read(directory, "show", "-json", str(plan), lease=lease)
        values: dict[str, Any] = json.loads(text)
        return values

    def import_resource(self, directory: Path, log: Path, address: str, identifier: str) -> None:
        """Runs `terraform import`, which has no -json.

        https://developer.hashicorp.com/terraform/cli/commands/import
        """
        options = ("-input=false", "-no-color", address, identifier)
        with self._lease(directory) as lease:
            self._run_text(
                directory, log, lambda event: None, None, "import", *options, lease=lease
            )

    def pull_state(self, directory: Path) -> bytes:
        """Returns the state of `directory`, as Terraform reads it; empty if there is none."""
        return self._read(directory, "state", "pull").strip().encode()

    def push_state(self, directory: Path, state: Path) -> None:
        """Runs `terraform state push`, which refuses a state that is older, or of another stack."""
        self._read(directory, "state", "push", str(state), writes_state=True)

    def move_in_state(self, directory: Path, source: str, destination: str) -> None:
        """Runs `terraform state mv`, which locks the state, and keeps a copy of a local one."""
        self._read(directory, "state", "mv", source, destination, writes_state=True)

    def force_unlock(self, directory: Path, lock_id: str) -> None:
        """Runs `terraform force-unlock`, which refuses a `lock_id` that is not on the state."""
        self._read(directory, "force-unlock", "-force", lock_id, writes_state=True)

    def _run(
        self,
        directory: Path,
        log: Path,
        on_event: Callable[[Event], None],
        interruption: Interruption | None,
        command: str,
        *arguments: str,
        accepted: Collection[int] = (0,),
    ) -> int:
        """Returns the exit code, one of those that are `accepted`.

        https://developer.hashicorp.com/terraform/internals/machine-readable-ui
        """
        mask = self._mask(directory)
        errors: list[Diagnostic] = []

        def on_line(line: str) -> None:
            event = mask.event(event_of_json(line))
            if event.get("type") == "diagnostic" and event["diagnostic"]["severity"] == "error":
                errors.append(Diagnostic.from_json(event["diagnostic"]))
            on_event(event)

        options = ("-json", "-input=false", *arguments)
        with self._lease(directory) as lease:
            child = self._start(directory, log, command, *options, lease=lease)
            process.follow(child, log, mask, on_line, interruption)
            if child.returncode not in accepted:
                raise TerraformError(errors or [describe_end(self.product, child.returncode, log)])
        return child.returncode

    def _run_text(
        self,
        directory: Path,
        log: Path,
        on_event: Callable[[Event], None],
        interruption: Interruption | None,
        *arguments: str,
        lease: Lease | None = None,
    ) -> None:
        mask = self._mask(directory)  # before it starts: a file of values may be unreadable
        child = self._start(directory, log, *arguments, lease=lease)
        process.follow(child, log, mask, lambda line: on_event(event_of_text(line)), interruption)
        if child.returncode < 0:
            raise TerraformError([describe_end(self.product, child.returncode, log)])
        if child.returncode:
            raise TerraformError([first_error(log.read_text(errors="replace"))])

    @contextmanager
    def _lease(self, directory: Path) -> Iterator[Lease | None]:
        """Yields a provider that keeps running for one command, or None."""
        if self.warm:
            with self.warm.lend(directory, self.env) as lease:
                yield lease
        else:
            yield None

    def _start(
        self,
        directory: Path,
        log: Path,
        *arguments: str,
        stdin: int = subprocess.DEVNULL,
        lease: Lease | None = None,
    ) -> "subprocess.Popen[bytes]":
        inherited = (lease.descriptor,) if lease else ()
        env = lease.env if lease else self.env
        return process.start([self.binary, *arguments], directory, env, log, stdin, inherited)

    def _read(
        self,
        directory: Path,
        *arguments: str,
        lease: Lease | None = None,
        writes_state: bool = False,
    ) -> str:
        """What a command that ends at once prints. Raises TerraformError if it fails."""
        result = self._ask(directory, *arguments, lease=lease, writes_state=writes_state)
        if result.returncode:
            raise TerraformError([first_error(result.stderr)])
        return result.stdout

    def _ask(
        self,
        directory: Path,
        *arguments: str,
        lease: Lease | None = None,
        writes_state: bool = False,
    ) -> "subprocess.CompletedProcess[str]":
        result = subprocess.run(
            [self.binary, *arguments],
            cwd=directory,
            env=lease.env if lease else self.env,
            capture_output=True,
            text=True,
            check=False,
            # A state is written to its end, whatever is pressed in the terminal: `process.start`.
            start_new_session=writes_state,
        )
        result.stderr = self._mask(directory)(result.stderr)  # it becomes the text of an error
        return result

    def _mask(self, directory: Path) -> Mask:
        return masking.mask_of(directory, self.env)
