"""botocore's sessions: with the user's settings, or with none, and what is wrong with settings."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tools.errors import UserError

# Where botocore looks for a setting: its name in a profile, its variable, its default, its type.
_NO_SETTINGS = {
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "profile": (None, None, None, None),
}


def session_without_settings() -> Any:
    """Returns a session that knows no profile and no file of the user's."""
    import botocore.session

    return botocore.session.Session(session_vars=_NO_SETTINGS)


def default_region() -> tuple[str, str] | None:
    """Returns the region of the user's settings, and which setting it is; None without one.

    In the order of https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html and, since
    botocore knows the second variable alone, of Terraform's provider. Raises UserError if the
    settings are wrong.
    """
    import botocore.session

    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if region := os.environ.get(variable):
            return region, variable
    with explain_settings():
        session = botocore.session.Session()
        region = session.get_config_variable("region")
        profile = session.get_config_variable("profile") or "default"
    return (str(region), f"profile {profile}") if region else None


@contextmanager
def explain_settings() -> Iterator[None]:
    """Raises UserError if botocore cannot read or use the user's settings within the block.

    It has an error of its own for some: of a wrong number it raises ValueError, and of a program
    or a file that is missing OSError (botocore 1.42, configprovider.py and credentials.py).
    """
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except (BotoCoreError, OSError, ValueError) as error:
        raise settings_error(error) from None


def settings_error(error: Exception) -> UserError:
    """Returns the error that the user's settings are wrong, with the variables that may be it."""
    reason = " ".join(str(error).split()).rstrip(".")
    variables = [
        name
        for name, value in os.environ.items()
        if name.startswith("AWS_") and value and repr(value) in reason
    ]
    mend = ", ".join(variables) or "AWS_* or ~/.aws"
    return UserError(f"AWS's settings are wrong: {reason}; mend {mend}")
