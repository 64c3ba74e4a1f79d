"""Making notebooks' directories, against cookiecutter and copier rendering the same ones."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks import fleet
from benchmarks.measure import ROOT, TOOLS, Figure, by_turns, cpu, environment, process
from tools import SCRATCH

TITLE = "Scaffolding"
_COUNT = 1_000
_AIMS = {"cookiecutter": 40, "copier": 70}
_RENDERED_BY_PEERS = 20
_BY_COMMAND = 3
_REQUIREMENTS = ROOT / "requirements" / "benchmarks.txt"


def run(repetitions: int) -> list[Figure]:
    """`tools new-notebook --from-file` with 1,000 rows, the whole process, validation included.

    Against a peer's command for each notebook, all of our process counts; against its library in
    one process, the start of neither does. The peers get the values as text, leave the link to
    common.auto.tfvars out, and check nothing. Processor time, in memory where there is /dev/shm:
    a busy machine and its disk would otherwise be what is measured.
    """
    python = _peers_python()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="benchmark-scaffold-", dir=memory) as parent:
        work = Path(parent)
        root = fleet.repository(work / "repository")
        rows = fleet.roster(work / "roster.csv", _COUNT)
        _scaffold(root, rows, _COUNT)
        job = _job(root, work)
        one = fleet.roster(work / "one.csv", 1)
        tasks = {
            "tools once": partial(_scaffold, root, one, 1),
            "tools": partial(_scaffold, root, rows, _COUNT),
        }
        for peer in _AIMS:
            write_template(peer, ROOT / "templates" / "notebook", work / peer)
            tasks[peer] = partial(_render, python, peer, work, job)
            tasks[peer]()
            _compare(root / "notebooks", work / f"{peer}-out")
            tasks[f"{peer}'s command"] = partial(_render_by_command, python, peer, work, job)
        tasks["nothing but the writing"] = partial(_write, root / "notebooks", work / "copy")
        found = by_turns(tasks, repetitions)
    medians = {name: statistics.median(seconds) for name, seconds in found.items()}
    whole = medians["tools"]
    without_start = (whole - medians["tools once"] / _COUNT) * _COUNT / (_COUNT - 1)
    figures = [
        Figure("tools, all of its process", _per_notebook(whole)),
        Figure("tools, without its start", _per_notebook(without_start)),
    ]
    for peer, aim in _AIMS.items():
        for what, theirs, ours in (
            (f"{peer}, its command for each", medians[f"{peer}'s command"], whole),
            (f"{peer}, as a library, without its start", medians[peer], without_start),
        ):
            measured = f"{_per_notebook(theirs)}, {theirs / ours:.0f} times as long"
            figures.append(Figure(what, measured, f"at least {aim} times", theirs / ours >= aim))
    return [*figures, _limit(medians)]


def _per_notebook(seconds: float) -> str:
    return f"{1000 * seconds:.2f} ms a notebook"


def _limit(medians: Mapping[str, float]) -> Figure:
    floor = medians["nothing but the writing"]
    most = ", ".join(f"{medians[peer] / floor:.0f} times {peer}" for peer in _AIMS)
    measured = (
        f"{_per_notebook(floor)}: no program in Python could be more than {most} as a library"
    )
    return Figure("creating the same files from memory, and nothing else", measured)


def write_template(peer: str, templates: Path, target: Path) -> None:
    """The notebook's templates as one of cookiecutter's or copier's."""
    inside = target / "{{cookiecutter.name}}" if peer == "cookiecutter" else target
    inside.mkdir(parents=True)
    for template in templates.glob("*.j2"):
        text = template.read_text()
        name = template.name.removesuffix(".j2")
        if peer == "cookiecutter":
            text = text.replace("{{ values }}", "{{ cookiecutter.text }}")
        elif "{{" in text or "{%" in text:
            name += ".jinja"  # copier copies every other file as it is, which is faster
        (inside / name).write_text(text)
    if peer == "cookiecutter":
        (target / "cookiecutter.json").write_text('{"name": "x", "text": ""}')
    else:
        (target / "copier.yml").write_text('values: {type: str, default: ""}\n')


def _scaffold(root: Path, rows: Path, count: int) -> float:
    """Seconds of the processor for each notebook."""
    shutil.rmtree(root / "notebooks")
    (root / "notebooks").mkdir()
    return process([TOOLS, "new-notebook", "--from-file", rows], root).cpu / count


def _job(root: Path, work: Path) -> Path:
    """What the peers shall render: the first notebooks, with the text of their values."""
    names = [fleet.name(number) for number in range(_RENDERED_BY_PEERS)]
    values = [
        (root / "notebooks" / name / "terraform.tfvars")
        .read_text()
        .split("\n\n", 1)[1]
        .rstrip("\n")
        for name in names
    ]
    job = work / "job.json"
    job.write_text(json.dumps(dict(zip(names, values, strict=True))))
    return job


def _render(python: Path, peer: str, work: Path, job: Path) -> float:
    """Seconds of the processor for each notebook."""
    out = work / f"{peer}-out"
    shutil.rmtree(out, ignore_errors=True)
    worker = ROOT / "benchmarks" / "peer.py"
    command = list(map(str, (python, worker, peer, work / peer, out, job)))
    # Both keep notes in the home folder.
    env = {**environment(), "HOME": str(work)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{peer} failed: {done.stderr}")
    return float(done.stdout)


def _render_by_command(python: Path, peer: str, work: Path, job: Path) -> float:
    """Seconds of the processor for each notebook, as the peers' documents show it: by a command."""
    out = work / f"{peer}-command"
    shutil.rmtree(out, ignore_errors=True)
    program = str(python.with_name(peer))
    costs = []
    for name, text in list(json.loads(job.read_text()).items())[:_BY_COMMAND]:
        if peer == "cookiecutter":
            command = [program, "--no-input", "--default-config", "-o", str(out)]
            command += [str(work / peer), f"name={name}", f"text={text}"]
        else:
            command = [program, "copy", "--defaults", "--quiet", "--data", f"values={text}"]
            command += [str(work / peer), str(out / name)]
        costs.append(process(command, env={**environment(), "HOME": str(work)}))
    return cpu(costs)


def _write(notebooks: Path, copy: Path) -> float:
    """Seconds of the processor for each notebook: its folder, files and link, from memory."""
    shutil.rmtree(copy, ignore_errors=True)
    files = {
        str(copy / path.relative_to(notebooks)): path.read_bytes()
        for path in sorted(notebooks.glob("*/*"))
        if not path.is_symlink()
    }
    folders = list(dict.fromkeys(file.rpartition("/")[0] for file in files))
    copy.mkdir()
    started = time.process_time()
    for folder in folders:
        os.mkdir(folder)  # noqa: PTH102
        os.symlink("../../common.auto.tfvars", f"{folder}/common.auto.tfvars")  # noqa: PTH211
    for file, content in files.items():
        with open(file, "xb") as handle:  # noqa: PTH123
            handle.write(content)
    return (time.process_time() - started) / len(folders)


def _compare(ours: Path, theirs: Path) -> None:
    """Raises RuntimeError where a peer rendered another text than the product did."""
    rendered = sorted(theirs.glob("*/*"))
    if len(rendered) != _RENDERED_BY_PEERS * len(list((ROOT / "templates/notebook").glob("*.j2"))):
        raise RuntimeError(f"{theirs} does not hold every file")
    for file in rendered:
        if file.read_bytes() != (ours / file.relative_to(theirs)).read_bytes():
            raise RuntimeError(f"{file} is not what the product makes")


def _peers_python() -> Path:
    """The Python of an environment with the peers alone, made where there is none yet."""
    directory = ROOT / SCRATCH / "benchmarks"
    python = directory / "bin" / "python"
    noted = directory / "requirements.txt"
    if not noted.is_file() or noted.read_bytes() != _REQUIREMENTS.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", directory], check=True)
        pip = [str(python), "-m", "pip", "--quiet", "--quiet", "install", "--require-hashes"]
        env = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        subprocess.run([*pip, "--requirement", str(_REQUIREMENTS)], env=env, check=True)
        shutil.copy(_REQUIREMENTS, noted)
    return python
