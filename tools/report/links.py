"""Where the page's links lead: the AWS console, and the notebooks' directories."""

import os
from pathlib import Path
from urllib.parse import quote

from tools.aws.model import partition


def console_url(region: str, name: str) -> str:
    """Returns the address of an instance in the AWS console, empty if the partition has another.

    https://docs.aws.amazon.com/general/latest/gr/mgmt-console.html
    """
    if partition(region) != "aws":
        return ""
    host = f"https://{region}.console.aws.amazon.com"
    return f"{host}/sagemaker/home?region={region}#/notebook-instances/{quote(name, safe='')}"


def path_to_root(page: Path, root: Path) -> str | None:
    """Returns the relative way from `page` to the repository at `root`.

    None if the page is not below it: the way would name folders of this machine, and lead nowhere
    on another.
    """
    folder = page.absolute().parent
    if not folder.is_relative_to(root):
        return None
    return os.path.relpath(root, folder)


def directory_url(to_root: str | None, stack: str) -> str:
    """Returns a link from the page to a stack's directory, empty if there is none."""
    return "" if to_root is None else quote(f"{to_root}/{stack}/", errors="surrogateescape")
