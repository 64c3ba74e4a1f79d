"""A session: the target that a command works on, its records, who runs it and its options."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import click

from tools.aws.client import Cloud
from tools.console.messages import first_lines, say
from tools.console.prompt import require_terminal
from tools.context import Context, Target
from tools.engine.records import Records
from tools.engine.secret_digests import record_key
from tools.layout.repository import Repository
from tools.layout.selection import Selection
from tools.layout.stack import Stack
from tools.runs.options import Options
from tools.runs.runner import Runner
from tools.state.checks import check_states


@dataclass(frozen=True)
class Account:
    """The cloud that a session works on and the caller, in words.

    `id` is the AWS account's 12 digits, or "local".
    """

    id: str
    cloud: str
    caller: str = ""

    def __str__(self) -> str:
        return f"{self.cloud}, as {self.caller}" if self.caller else self.cloud


@dataclass(frozen=True)
class Session:
    """What a command works with, opened once."""

    context: Context
    target: Target
    records: Records
    options: Options = field(default_factory=Options)
    known_account: Account | None = None

    @classmethod
    def open(
        cls,
        context: Context,
        local: bool,
        options: Options | None = None,
        selection: Selection | None = None,
        *,
        check: bool = True,
    ) -> "Session":
        """Opens a session that may change something, so AWS is asked who runs it.

        Raises UserError for a name in `selection` that no stack has, before that: a mistyped name
        needs no credentials to be told. So it does if there is no such target, and if AWS does not
        know the credentials. `check` refuses states that are not in order; the commands that mend
        them leave it out.
        """
        target = context.target(local)
        if selection:
            context.check_names(target.repository, selection)
        return cls.on(context, target, options or Options(), check=check)

    @classmethod
    def on(
        cls,
        context: Context,
        target: Target,
        options: Options,
        *,
        check: bool = True,
    ) -> "Session":
        """Opens a session like `open`, on a target that exists already."""
        records = _records(context, target)
        if check:
            check_states(target.repository, records.stacks)
        account = _identify(target)
        records.account = account.id
        return cls(context, target, records, options, account)

    @classmethod
    def open_to_read(
        cls, context: Context, local: bool, options: Options | None = None
    ) -> "Session":
        """Opens a session for files and states alone: AWS is not asked who runs it.

        Raises UserError if there is no such target.
        """
        target = context.target(local)
        return cls(context, target, _records(context, target), options or Options())

    @property
    def account(self) -> Account:
        """The account and the caller, of a session that was opened to change something."""
        assert self.known_account is not None, "opened without an account"
        return self.known_account

    def select(self, selection: Selection) -> list[Stack]:
        """Returns the stacks that `selection` names. Raises UserError if a name has no stack."""
        return self.context.select(self.records, selection)

    def moved_to(self, repository: Repository) -> "Session":
        """Returns the same session on another repository, whose states are read again."""
        target = replace(self.target, repository=repository)
        records = Records(
            repository,
            target.terraform,
            target.endpoint,
            self.records.account,
            self.records.key,
        )
        return replace(self, target=target, records=records)

    def runner(self) -> Runner:
        """Returns what runs stacks in this session."""
        return Runner(self.target, self.records, self.options, self.context.local_cloud)

    def confirm(self, question: str) -> None:
        """Asks `question`; never for the local cloud, nor with --yes.

        Raises click.Abort if the answer is no, UserError if stdin is not a terminal.
        """
        if self.asks:
            require_terminal()
            click.confirm(question, abort=True, err=True)

    def confirm_stacks(self, verb: str, count: int) -> None:
        """Asks whether to deploy or destroy `count` stacks; as `confirm`.

        To destroy, the project's name has to be typed.
        """
        if not self.asks:
            return
        require_terminal()
        if verb == "Destroy":
            project = str(self.target.repository.common()["project"])
            question = f"Type the project's name ({project}) to destroy them"
            if click.prompt(question, err=True) != project:
                raise click.Abort
        else:
            which = "this stack" if count == 1 else f"these {count} stacks"
            click.confirm(f"{verb} {which} in {self.account}?", abort=True, err=True)

    def announce(
        self, verb: str, stacks: Iterable[Stack], reasons: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """Says in which account which stacks are deployed or destroyed, and for which reasons."""
        say(f"{verb} in {self.account}:")
        names = [stack.name for stack in stacks]
        for name in names or ["nothing"]:
            say(f"  {name}")
            for reason in first_lines((reasons or {}).get(name, ())):
                say(f"    {reason}")

    @property
    def asks(self) -> bool:
        """Whether a person has to agree: never for the local cloud, nor with --yes."""
        return not (self.options.yes or self.target.endpoint)


def _records(context: Context, target: Target) -> Records:
    key = record_key(context.env)
    return Records(target.repository, target.terraform, target.endpoint, key=key)


def _identify(target: Target) -> Account:
    if target.endpoint:
        return Account("local", f"the local cloud, {target.endpoint}, region {target.region}")
    identity = Cloud(target.region).identity()
    cloud = f"AWS account {identity.account}, region {target.region}"
    return Account(identity.account, cloud, identity.arn)
