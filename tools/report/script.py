"""The page's one script: DataTables, and what uses it on the fleet's table."""

import re
from importlib.metadata import distribution
from pathlib import Path

from tools.errors import UserError

_BUNDLE = "itables/html/dt_bundle.js"
_EXPORTS = re.compile(r"\bexport\s*\{([^{}]*)\}")
_DEFAULT = re.compile(r"([\w$]+)\s+as\s+default")
# What would end the script element early, or hide its end:
# https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
_ENDS_EARLY = re.compile(r"</script|<!--.*<script[\s/>]", re.IGNORECASE | re.DOTALL)


def compose() -> str:
    """Returns the text of an inline module.

    Raises UserError if the installed `itables` has no bundle of DataTables that can be used here.
    """
    # By its path: to import the package would import pandas, if that is installed.
    installed = distribution("itables")
    package = f"itables {installed.version}"
    try:
        bundle = Path(str(installed.locate_file(_BUNDLE))).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(package, f"it cannot be read ({error})") from error
    use = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
    return join(bundle, use, package)


def join(bundle: str, use: str, package: str) -> str:
    """Returns an ES module, and after it a script that uses its default export as `DataTable`.

    `bundle` is the module, `use` the script, and `package` where the bundle is from, for the error.
    Raises UserError if there is not one such export, or if HTML would end the script early.
    """
    exports = _EXPORTS.findall(bundle)
    defaults = _DEFAULT.findall(exports[0]) if len(exports) == 1 else []
    if len(defaults) != 1:
        raise _unusable(package, "it has no single `export {... as default}`")
    # A block, lest the name is one that the module declares too.
    module = f"{bundle}\n{{\nconst DataTable = {defaults[0]};\n{use}}}\n"
    if _ENDS_EARLY.search(module):
        raise _unusable(package, "it holds a tag that would end the page's script")
    return module


def _unusable(package: str, why: str) -> UserError:
    return UserError(
        f"{package}: {_BUNDLE} cannot be used in the report: {why}; install the version of "
        "itables that requirements/local.txt names (make setup)"
    )
