"""Which notebooks' instances the states hold."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tools.aws import s3
from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.engine.records import BUCKET_REQUESTS
from tools.errors import UserError
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.state.place import locate_unmoved, read_state


def read_holdings(fleet: Fleet, notebooks: Sequence[DeclaredNotebook]) -> dict[str, bool | None]:
    """Returns, by stack, whether its state holds the notebook's instance; None if nobody can tell.

    An instance that a stack declares and its state does not hold was made by an apply that died, or
    by hand: Terraform would neither change nor destroy it.
    """
    if fleet.other_states:
        return dict.fromkeys(notebook.stack.name for notebook in notebooks)
    with ThreadPoolExecutor(BUCKET_REQUESTS) as pool:
        answers = pool.map(lambda notebook: _is_held(fleet, notebook), notebooks)
        return {n.stack.name: is_held for n, is_held in zip(notebooks, answers, strict=True)}


def _is_held(fleet: Fleet, notebook: DeclaredNotebook) -> bool | None:
    try:
        place = locate_unmoved(notebook.stack, s3.in_regions_of(fleet.endpoint))
        if place is None:
            return None
        state = read_state(place)
    except UserError:  # tools list says why
        return None
    return state is not None and any(
        instance.attributes.get("name") == notebook.name
        for instance in state.of_type(NOTEBOOK_TYPE)
    )
