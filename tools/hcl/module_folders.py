"""Where the modules that a root module calls lie, as Terraform finds them."""

import json
import os
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


def follow_links(base: str, folder: str) -> str:
    """Returns `folder`, of a module as seen from the directory `base`, behind symbolic links.

    It is `folder` itself if there are none. Terraform has path.module so, from which ".." leads to
    the real parent:
    https://github.com/hashicorp/terraform/blob/v1.11.4/internal/initwd/module_install.go
    """
    real_base, real = os.path.realpath(base), os.path.realpath(f"{base}/{folder}")
    has_none = real == posixpath.normpath(posixpath.join(real_base, folder))
    return folder if has_none else os.path.relpath(real, real_base)


def is_local(source: str) -> bool:
    """Whether the source of a module is a path, and no address from which init gets it."""
    return source.startswith(("./", "../"))


@dataclass
class ModuleFolders:
    """Where the modules lie that the root module in `root` calls, and those call, and so on.

    Folders are relative to `root`. `follow` does what `follow_links` does.
    """

    root: str
    follow: Callable[[str, str], str] = follow_links

    def called(self, caller: str, source: str, key: str) -> str | None:
        """Returns the folder of the module `key`, which one in the folder `caller` calls.

        None if init has put none there. A key is such as "outer.inner".
        """
        if is_local(source):
            return self.follow(self.root, posixpath.normpath(posixpath.join(caller, source)))
        return self.installed.get(key)

    @cached_property
    def installed(self) -> Mapping[str, str]:
        """The folders into which an init has put modules, by key.

        https://github.com/hashicorp/terraform/blob/v1.11.4/internal/modsdir/manifest.go
        """
        try:
            manifest = json.loads(Path(self.root, ".terraform/modules/modules.json").read_bytes())
            return {str(module["Key"]): str(module["Dir"]) for module in manifest["Modules"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}  # none is installed
