"""Who runs this: the login name and the home, which a user without an entry in passwd may lack."""

import getpass
from collections.abc import Mapping
from pathlib import Path

from tools.errors import UserError


def login_name(notebook: str) -> str:
    """Returns the login name, for the owner of `notebook`.

    Raises UserError if neither a variable nor the system has one.

    https://docs.python.org/3/library/getpass.html#getpass.getuser
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13
        raise UserError(
            f"{notebook}: no owner is given and your login name is not known here; give an owner "
            "(--owner, or owner in a file's row), or set USER"
        ) from None


def home_folder(env: Mapping[str, str]) -> Path:
    """Returns the home of a user with `env`, as Terraform finds it: not only by HOME.

    Raises UserError if neither HOME nor the system has one.
    https://github.com/mitchellh/go-homedir
    """
    try:
        return Path(env.get("HOME") or Path.home())
    except RuntimeError:
        raise UserError("your home directory is not known here; set HOME") from None
