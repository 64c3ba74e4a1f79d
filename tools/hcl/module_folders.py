"""Where the modules that a root module calls lie, as Terraform finds them."""

import os
import posixpath


def follow_links(base: str, folder: str) -> str:
    """Returns `folder`, of a module as seen from the directory `base`, behind symbolic links.

    It is `folder` itself if there are none. Terraform has path.module so, from which ".." leads to
    the real parent:
    https://github.com/hashicorp/terraform/blob/v1.11.4/internal/initwd/module_install.go
    """
    real_base, real = os.path.realpath(base), os.path.realpath(f"{base}/{folder}")
    has_none = real == posixpath.normpath(posixpath.join(real_base, folder))
    return folder if has_none else os.path.relpath(real, real_base)
