"""Warns of a deployment that stops a notebook which AWS does not start again."""

from collections.abc import Sequence

from tools.aws.model import is_retired_platform
from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.console.messages import warn
from tools.engine.plans import Plan
from tools.engine.records import Records
from tools.errors import UserError


def warn_of_stops(records: Records, plans: Sequence[Plan]) -> None:
    """Warns of each planned update of a notebook whose state says Amazon Linux 1 or 2.

    The provider stops a notebook to change it, and starts it again; for its tags alone it does not,
    which a plan's lines do not tell.
    https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/sagemaker/notebook_instance.go
    """
    stacks = {stack.name: stack for stack in records.stacks}
    for plan in plans:
        updated = {
            c.address for c in plan.changes if (c.type, c.action) == (NOTEBOOK_TYPE, "update")
        }
        if not updated or plan.stack not in stacks:
            continue
        try:
            state = records.state(stacks[plan.stack])
        except UserError:  # who needs the state says so
            continue
        for resource in state.resources if state else ():
            platform = str(resource.attributes.get("platform_identifier") or "")
            if resource.address in updated and is_retired_platform(platform):
                warn(
                    f"{plan.stack}: an update of more than tags stops the notebook, and AWS does "
                    f"not start one on Amazon Linux 2 again ({platform}, by its state); "
                    "`tools status` has the commands that move it to Amazon Linux 2023 first"
                )
