"""Plans that a pull request has left, held against plans of the merged files.

Whoever can push a branch can write such a plan, with other values or a provisioner in it, under the
same name and with the same number of changes. So it is shown and compared, and never applied.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.engine import plans
from tools.engine.plans import Plan
from tools.engine.run import Result, Run
from tools.layout.stack import Stack
from tools.pipelines.store import PlanStore
from tools.pipelines.workspace import private_folder
from tools.runs import deployment
from tools.runs.session import Session
from tools.system import files

Document = Mapping[str, Any]  # of `terraform show -json`


def describe(plan: Plan, document: Document) -> Plan:
    """Returns `plan` as its own JSON describes it, whatever was written beside it."""
    changes, outputs = plans.planned_changes(document), plans.planned_outputs(document)
    return Plan(
        plan.stack,
        "changed" if changes or outputs else "unchanged",
        changes=changes,
        outputs=outputs,
        inputs=plan.inputs,
        file=plan.file,
    )


def verify(
    session: Session, store: PlanStore, stacks: Sequence[Stack], folder: Path
) -> dict[str, Result]:
    """Plans again what another job has planned, and puts these plans in the place of its own.

    Returns a result for each that would change something else than what was approved.
    """
    if not stacks:
        return {}
    refused, names = {}, [stack.name for stack in stacks]
    with private_folder() as new_folder:
        options = replace(session.options, plan_dir=new_folder)
        planned = deployment.plan_stacks(replace(session, options=options), stacks)
        with session.runner().work(len(stacks)) as run:
            for stack, plan in zip(stacks, planned, strict=True):
                if why := _why_unlike(run, stack, plan, folder):
                    refused[stack.name] = Result(stack.name, "failed", detail=why)
                    store.delete_plan(stack.name)  # the next run makes its own
        _take([name for name in names if name not in refused], new_folder, folder)
    return refused


def _why_unlike(run: Run, stack: Stack, plan: Plan, folder: Path) -> str:
    """Returns why `plan`, made now, is not the one of `stack` in `folder`, which was approved."""
    if plan.file is None:
        return f"there is no plan of it: {plan.detail or plan.status}"
    files = (plan.file, plans.plan_path(folder, stack.name))
    made, approved = (run.terraform.show_json(stack.path, file) for file in files)
    if name := find_difference(approved, made):
        return (
            f"its plan has gone stale, or somebody has replaced it: made again it is another one "
            f"({name}). Nothing was changed; start the pipeline again"
        )
    return ""


def find_difference(first_plan: Document, second_plan: Document) -> str | None:
    """Returns the first resource or output of which two plans make something else, or None."""
    first, second = _changes(first_plan), _changes(second_plan)
    names = [*first, *(name for name in second if name not in first)]
    return next((name for name in names if first.get(name) != second.get(name)), None)


def _changes(document: Document) -> dict[str, Any]:
    """The changes with all their values, by address; those of nothing are left out."""
    changes = {f"output {n}": c for n, c in document.get("output_changes", {}).items()}
    for resource in document.get("resource_changes", ()):
        address, deposed = resource["address"], resource.get("deposed")
        changes[f"{address} ({deposed})" if deposed else address] = resource["change"]
    return {name: c for name, c in changes.items() if c["actions"] != ["no-op"]}


def _take(names: Collection[str], source: Path, target: Path) -> None:
    """Puts the plans of stacks from the folder `source` in the place of those in `target`."""
    manifests = [json.loads((folder / plans.MANIFEST).read_text()) for folder in (target, source)]
    kept, new = ({entry["stack"]: entry for entry in m["plans"]} for m in manifests)
    for name in names:
        kept[name] = new[name]
        content = plans.plan_path(source, name).read_bytes()
        files.write(plans.plan_path(target, name), content, mode=0o600)
    document = {**manifests[0], "plans": list(kept.values())}
    files.write(target / plans.MANIFEST, json.dumps(document))
