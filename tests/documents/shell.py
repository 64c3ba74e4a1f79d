"""A shell in a real terminal, and a person who answers what is asked there."""

import re
import select
from collections.abc import Mapping
from pathlib import Path

import ptyprocess

# What a person answers; each is looked for at the end of what the terminal shows.
ANSWERS = (
    (r"Enter a value: $", "yes"),  # Terraform
    (r"\[y/N\]: $", "y"),
    (r"Type the project's name \((\S+)\)[^\n]*: $", r"\1"),
    (r"Project[^\n]*: $", "acme-ml"),
    (r"AWS region[^\n]*: $", "us-east-1"),
    (r'VPC \(its ID, or "default"\): $', "default"),
    (r"VPC \(its number[^\n]*: $", "1"),
    (r"Subnets[^\n]*: $", "1"),
    (r"Endpoints[^\n]*: $", ""),
    (r"NAT gateway \([^\n]*: $", ""),
)
SECONDS_OF_SILENCE = 600  # the provider asks 55 s for a bucket's lifecycle rules, on a slow machine
_MARK = "\x1e"
_PROMPT = re.compile(rf"{_MARK}(\d+){_MARK}")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Shell:
    """A bash in `directory`, as a person opens it."""

    def __init__(self, directory: Path, env: Mapping[str, str]) -> None:
        told = {"PS1": "", "PS2": "", "PROMPT_COMMAND": f'printf "{_MARK}%s{_MARK}" $?'}
        self._process = ptyprocess.PtyProcessUnicode.spawn(
            ["bash", "--norc", "--noprofile", "--noediting", "-i"],
            cwd=str(directory),
            env={**env, **told, "TERM": "xterm-256color"},
            dimensions=(60, 200),
        )
        self._process.setecho(False)
        self._until_prompt("")

    def types(self, command: str) -> tuple[int, str]:
        """The exit code of a command, and what the terminal has shown, without colours."""
        self._process.write(f"{command}\n")
        return self._until_prompt(command)

    def close(self) -> None:
        self._process.close(force=True)

    def _until_prompt(self, command: str) -> tuple[int, str]:
        shown = ""
        answered = 0
        while not (prompt := _PROMPT.search(shown)):
            ready, _, _ = select.select([self._process.fd], [], [], SECONDS_OF_SILENCE)
            assert ready, f"{command}: nothing more was shown after:\n{shown}"
            shown = _COLOURS.sub("", shown + self._process.read())
            for question, answer in ANSWERS:
                if asked := re.search(question, shown[answered:]):
                    answered = len(shown)
                    self._process.write(f"{asked.expand(answer)}\n")
                    break
        return int(prompt[1]), shown[: prompt.start()]
