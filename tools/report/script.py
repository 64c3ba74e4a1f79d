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


def text() -> str:
    """The text of an inline module.

    Raises:
        UserError: the installed `itables` holds no bundle of DataTables of the form known here.
    """
    # Its path is asked for: importing the package would import pandas, where there is one.
    installed = distribution("itables")
    where = f"itables {installed.version}"
    try:
        bundle = Path(str(installed.locate_file(_BUNDLE))).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(where, f"it cannot be read ({error})") from error
    use = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
    return joined(bundle, use, where)


def joined(bundle: str, use: str, where: str) -> str:
    """An ES module, and after it in the same module a script that knows its default export.

    Args:
        bundle: the module. It may end in `export {x as default}`, which an inline script may too.
        use: the script; to it the default export is `DataTable`.
        where: the package that `bundle` is from, for the error.

    Raises:
        UserError: there is not one such export, or HTML would not take the text for one script.
    """
    exports = _EXPORTS.findall(bundle)
    defaults = _DEFAULT.findall(exports[0]) if len(exports) == 1 else []
    if len(defaults) != 1:
        raise _unusable(where, "it has no single `export {... as default}`")
    # A block, lest the name is one that the module declares too.
    whole = f"{bundle}\n{{\nconst DataTable = {defaults[0]};\n{use}}}\n"
    if _ENDS_EARLY.search(whole):
        raise _unusable(where, "it holds a tag that would end the page's script")
    return whole


def _unusable(where: str, why: str) -> UserError:
    return UserError(
        f"{where}: {_BUNDLE} cannot stand in the report's page: {why}; install the version of "
        "itables that requirements/all.txt names (make setup)"
    )
