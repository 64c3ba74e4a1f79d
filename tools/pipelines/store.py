"""The plans and reports of a pipeline, in the bucket of the states.

Plans hold secret values. They lie where the states lie, under a prefix whose objects expire
(bootstrap/bucket.tf), and never among the artifacts of a pipeline.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.aws import s3
from tools.engine import plans
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.state.backend import configured_backend
from tools.system import files

PREFIX = "pipeline"  # of every key; bootstrap/bucket.tf expires what is there


@dataclass(frozen=True)
class PlanStore:
    """The part of the bucket that belongs to the plans of one tree of files in git."""

    objects: s3.Objects
    bucket: str
    prefix: str

    @classmethod
    def open(cls, repository: Repository, endpoint: str | None, tree: str) -> "PlanStore":
        """Returns the store for `tree`. Raises UserError if the states are in no bucket."""
        backend = configured_backend(repository)
        if backend is None:
            raise UserError(
                "a pipeline needs the states in a bucket: tools state bootstrap --bucket NAME, "
                "then tools state enable"
            )
        objects = s3.in_regions_of(endpoint)(backend.region)
        return cls(objects, backend.bucket, f"{PREFIX}/{backend.prefix}/{tree}")

    def put_plans(self, folder: Path, records: Records) -> dict[str, str]:
        """Stores each plan that `plans.save` left in `folder`, with the state it was made for.

        Returns their digests by stack.
        """
        digests = {}
        manifest = json.loads((folder / plans.MANIFEST).read_text())
        stacks = {stack.name: stack for stack in records.stacks}
        for entry in manifest["plans"]:
            name = entry["stack"]
            file = plans.plan_path(folder, name)
            if not file.is_file():
                continue
            self._put(f"plans/{file.name}", file.read_bytes())
            single = {**entry, "state": state_version(records, stacks[name])}
            text = json.dumps({"where": manifest["where"], "plans": [single]}).encode()
            self._put(_description(file.name), text)
            digests[name] = plan_digest(folder, json.loads(text)["plans"][0])
        return digests

    def get_plans(self, names: Iterable[str], folder: Path) -> dict[str, Mapping[str, Any]]:
        """Fetches the plans of stacks into `folder`; the description of each that there is.

        One that is no description of this stack counts as none.
        """
        entries: dict[str, Mapping[str, Any]] = {}
        where = ""
        for name in names:
            file = plans.plan_path(folder, name)
            text = self._get(_description(file.name))
            content = self._get(f"plans/{file.name}") if text else None
            with suppress(ValueError, LookupError, TypeError):
                single = json.loads(text or b"")
                entry = single["plans"][0]
                if content and entry["stack"] == name and plans.parse_plan(folder, entry):
                    where, entries[name] = str(single["where"]), entry
                    files.write(file, content, mode=0o600)
        document = {"where": where, "plans": list(entries.values())}
        files.write(folder / plans.MANIFEST, json.dumps(document))
        return entries

    def delete_plan(self, name: str) -> None:
        """Deletes the description of a plan, so that nobody takes the plan over."""
        file_name = plans.plan_path(Path(), name).name
        self.objects.delete(self.bucket, f"{self.prefix}/{_description(file_name)}")

    def put_report(self, name: str, file: Path) -> None:
        """Stores a report under a name such as `plan/1of3-1of1`."""
        self._put(f"reports/{name}.json", file.read_bytes())

    def get_reports(self, group: str, folder: Path) -> list[Path]:
        """Fetches the reports whose names begin with `group`, in the order of their names."""
        paths = []
        for key in sorted(self.objects.keys(self.bucket, f"{self.prefix}/reports/{group}")):
            path = folder / key.rpartition("/reports/")[2].replace("/", ".")
            path.write_bytes(self.objects.get(self.bucket, key) or b"")
            paths.append(path)
        return paths

    def delete_reports(self, group: str) -> None:
        """Deletes the reports whose names begin with `group`: those of an earlier attempt."""
        for key in self.objects.keys(self.bucket, f"{self.prefix}/reports/{group}"):
            self.objects.delete(self.bucket, key)

    def put_manifest(self, name: str, approvable: Mapping[str, "Approvable"]) -> str:
        """Stores which plans are approved together, by stack; returns the digest of the list."""
        listed = {
            name_of_stack: [
                approved_plan.digest,
                list(approved_plan.losses),
                approved_plan.is_taken_over,
            ]
            for name_of_stack, approved_plan in approvable.items()
        }
        text = json.dumps(listed, sort_keys=True).encode()
        self._put(f"manifests/{name}.json", text)
        return _digest(text)

    def get_manifest(self, name: str, digest: str | None = None) -> "dict[str, Approvable] | None":
        """Returns the plans that are approved together, by stack; None if there is no such list.

        Raises UserError if it is not the one with `digest`, which was approved.
        """
        text = self._get(f"manifests/{name}.json")
        if digest is not None and (text is None or _digest(text) != digest):
            raise UserError(
                f"the list of plans {name} in s3://{self.bucket} is not the one that was approved; "
                "nothing was applied: start the pipeline again, and find out who writes there"
            )
        if text is None:
            return None
        listed = json.loads(text)
        return {
            name_of_stack: Approvable(sha, tuple(losses), is_taken_over)
            for name_of_stack, (sha, losses, is_taken_over) in listed.items()
        }

    def _put(self, name: str, content: bytes) -> None:
        self.objects.put(self.bucket, f"{self.prefix}/{name}", content)

    def _get(self, name: str) -> bytes | None:
        return self.objects.get(self.bucket, f"{self.prefix}/{name}")


@dataclass(frozen=True)
class Approvable:
    """A plan as it was shown for approval: its content, and the changes that lose data.

    One that is taken over was made by another job: of the pull request, or of an earlier attempt.
    """

    digest: str
    losses: Sequence[str] = ()
    is_taken_over: bool = False


def plan_digest(folder: Path, entry: Mapping[str, Any]) -> str:
    """Returns the digest of a plan in `folder` and of its description, `entry`."""
    content = plans.plan_path(folder, entry["stack"]).read_bytes()
    return _digest(content + json.dumps(entry, sort_keys=True).encode())


def state_version(records: Records, stack: Stack) -> list[str | int] | None:
    """Returns which version of its state `stack` has, comparable and without its lineage."""
    if records.unreadable(stack):
        return None
    state = records.state(stack)
    return [_digest(state.lineage.encode()), state.serial] if state else None


def _description(plan_name: str) -> str:
    return f"plans/{plan_name.removesuffix('.tfplan')}.json"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
