"""The lifecycle scripts as Terraform renders them, run by a real bash below a folder."""

import base64
import secrets
import subprocess
from collections.abc import Iterable, Mapping
from configparser import ConfigParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tftest import TerraformPlanOutput

from tests.terraform.harness import Tree, resources

SOURCE = "modules/sagemaker-notebook"
CONFIGURATION = "aws_sagemaker_notebook_instance_lifecycle_configuration.this[0]"
REQUIRED: Mapping[str, Any] = {
    "source": SOURCE,
    "instance_type": "ml.t3.medium",
    "role_arn": "arn:aws:iam::123456789012:role/notebooks",
    "subnet_id": "subnet-0123456789abcdef0",
    "security_group_ids": ["sg-0123456789abcdef0"],
}
"""Arguments of the module that nothing here is about."""


Rendered = Mapping[str, Any]
"""Call to its on_create and on_start as text; None without a lifecycle configuration."""


def arguments(name: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a call of the module; strings of `own` reach it as they are."""
    literal = {
        key: value.replace("${", "$${").replace("%{", "%%{") if isinstance(value, str) else value
        for key, value in own.items()
    }
    return {**REQUIRED, "name": name, **literal}


def rendered(tree: Tree, name: str, calls: Mapping[str, Mapping[str, Any]]) -> Rendered:
    """The scripts that one plan of all `calls` holds."""
    stack = tree.write_calls(name, {call: arguments(call, own) for call, own in calls.items()})
    return scripts(tree.plan(stack), calls)


def scripts(plan: TerraformPlanOutput, calls: Iterable[str]) -> Rendered:
    """The scripts of `calls` in a plan."""
    found = {}
    for call in calls:
        planned = resources(plan, call).get(CONFIGURATION)
        found[call] = planned and {
            event: base64.b64decode(planned[event]).decode() for event in ("on_create", "on_start")
        }
    return found


def unpacked(script: str) -> str:
    """The script that a packed one runs, read as it says that it can be; a plain one as it is."""
    if "put echo in the place of eval" not in script:
        return script
    echoed = script.replace('\neval "', '\necho "')
    return subprocess.run(
        ["bash"], input=echoed, capture_output=True, text=True, check=True, timeout=300
    ).stdout


AWKWARD = """#!/bin/bash
# quotes ' " ` and $(false) ${not_terraform} %{if} \\ \\n \t <<EOF
cat >"$NOTEBOOK_ROOT/said" <<'END'
don't "say" `this` $HOME ${x} %% \\ ünïcödé 日本 🙂
END
"""

INCOMPRESSIBLE = "#!/bin/bash\n# " + secrets.token_urlsafe(1560)
"""2,100 bytes that gzip makes only a quarter smaller: text of a script gets well below half."""

TAKEN_OVER = "#!/bin/bash\n# " + secrets.token_urlsafe(9000)[:11_683]
"""11,697 bytes, 15,596 characters of base64: which gzip does not make short enough."""

CALLS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "nothing": {"idle_stop_minutes": 0},
    "five-minutes": {"idle_stop_minutes": 5},
    "without-processes": {"idle_stop_weighs_processes": False},
    "awkward": {"on_create": AWKWARD, "on_start": AWKWARD},
    "windows": {"idle_stop_minutes": 0, "on_start": "\ufeff" + AWKWARD.replace("\n", "\r\n")},
    "create-only": {"idle_stop_minutes": 0, "on_create": "#!/bin/bash\necho created\n"},
    "python": {
        "idle_stop_minutes": 0,
        "on_start": "#!/usr/bin/python3\nimport os; print('python', os.getpid())",
    },
    "no-interpreter": {"idle_stop_minutes": 0, "on_start": "[[ -n $BASH_VERSION ]] && echo bash"},
    "fails": {"on_start": "#!/bin/bash\nset -e\necho before\nfalse\necho after\n"},
    "no-such-interpreter": {"idle_stop_minutes": 0, "on_start": "#!/no/such/shell\n"},
    "hangs": {
        "on_create": '#!/bin/bash\ntrap "" TERM\nsleep 600 &\necho $! >"$NOTEBOOK_ROOT/pid"\n'
        "wait\nsleep 600\n"
    },
    "reads": {"idle_stop_minutes": 0, "on_start": "#!/bin/bash\nread -r x || echo no input\n"},
    "leaves-running": {
        "idle_stop_minutes": 0,
        "on_start": '#!/bin/bash\nsleep 600 &\necho $! >"$NOTEBOOK_ROOT/pid"\n',
    },
    "isolated": {
        "idle_stop_minutes": 0,
        "isolation": {
            "bind_trust_to_account": False,
            "bucket_arns": ["arn:aws:s3:::acme-models"],
            "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/boundary",
            "policy_arns": {},
            "project": "acme",
        },
        "role_arn": None,
    },
    "backup": {
        "backup_bucket": "acme-datasets",
        "backup_hours": 6,
        "backup_excludes": [".cache/*", "*.tmp"],
    },
    "backup-too-large": {
        "backup_bucket": "acme-datasets",
        "backup_gb": 0,
        "backup_hours": 6,
        "on_start": INCOMPRESSIBLE[:800],
    },
    "long": {"on_create": INCOMPRESSIBLE, "on_start": INCOMPRESSIBLE},
    "hash-alone": {"idle_stop_minutes": 0, "on_start": "#"},
    "hash-beside": {"on_start": "#"},
    "taken-over": {"idle_stop_minutes": 0, "on_create": TAKEN_OVER, "on_start": TAKEN_OVER},
    "ends-oddly": {"on_create": "echo one\n\n\n", "on_start": "echo none"},
}


@dataclass(frozen=True)
class Run:
    """What a lifecycle script did: its exit code, its output, and the parts it wrote."""

    exit_code: int
    output: str
    root: Path
    systemctl: list[str] = field(default_factory=list)

    @property
    def parts(self) -> Path:
        return self.root / "opt/notebook-lifecycle"

    @property
    def unit(self) -> dict[str, str]:
        """The [Service] section of the installed unit."""
        parser = ConfigParser(interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(self.root / "etc/systemd/system/notebook-autostop.service")
        return dict(parser["Service"])


def run(script: str, root: Path, systemctl: str = "exit 0", **env: str) -> Run:
    """Runs a lifecycle script below `root` as SageMaker does: its PATH, in `/`, without input.

    No systemd runs here, so `systemctl` is bash code that stands in for it after its arguments
    are written down.
    """
    commands, called = root / "commands", root / "systemctl-called"
    commands.mkdir(parents=True, exist_ok=True)
    stand_in = commands / "systemctl"
    stand_in.write_text(f'#!/bin/bash\necho "$*" >>"{called}"\n{systemctl}\n')
    stand_in.chmod(0o755)
    file, log = root / "lifecycle-script", root / "output"
    file.write_text(script, newline="")
    file.chmod(0o755)
    with log.open("wb") as output:  # not a pipe: what a script leaves running would hold it open
        result = subprocess.run(
            [file],
            env={
                "PATH": f"{commands}:/sbin:bin:/usr/sbin:/usr/bin",
                "NOTEBOOK_ROOT": str(root),
                **env,
            },
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=300,
            check=False,
        )
    calls = called.read_text().splitlines() if called.exists() else []
    return Run(result.returncode, log.read_text(), root, calls)
