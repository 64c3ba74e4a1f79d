"""The options that a user adds to Terraform's commands by the environment."""

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import zip_longest

_OPTION = re.compile(r"--?(var|var-file)(=|$)")


def value_options(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Returns the -var and -var-file in TF_CLI_ARGS and TF_CLI_ARGS_<command>: option and value."""
    for _, words in words_by_variable(env):
        for word, following in zip_longest(words, words[1:], fillvalue=""):
            if match := _OPTION.match(word):
                yield match[1], word[match.end() :] if match[2] else following


def words_by_variable(env: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Returns TF_CLI_ARGS and each TF_CLI_ARGS_<command>: name, and its words as a shell has them.

    https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_cli_args-and-tf_cli_args_name
    """
    for name, text in sorted(env.items()):
        if name.startswith("TF_CLI_ARGS"):
            try:
                yield name, shlex.split(text)
            except ValueError:
                yield name, text.split()  # Terraform refuses it, and may quote it
