"""Renders notebooks with cookiecutter or copier, and prints the processor's seconds for each.

Runs in the peers' environment: PEER TEMPLATE OUT JOB, where JOB is a JSON file, name to values.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def renderer(peer: str, template: str, out: Path) -> Callable[[str, str], object]:
    if peer == "cookiecutter":
        from cookiecutter.main import cookiecutter

        return lambda name, values: cookiecutter(
            template,
            no_input=True,
            extra_context={"name": name, "text": values},
            output_dir=str(out),
            default_config=True,
        )
    import copier

    return lambda name, values: copier.run_copy(
        template, out / name, data={"values": values}, defaults=True, quiet=True
    )


def main() -> None:
    peer, template, out, job = sys.argv[1:]
    notebooks = json.loads(Path(job).read_text())
    render = renderer(peer, template, Path(out))
    first = next(iter(notebooks))
    render(first, notebooks.pop(first))  # what is done once does not count
    started = time.process_time()
    for name, values in notebooks.items():
        render(name, values)
    print((time.process_time() - started) / len(notebooks))


if __name__ == "__main__":
    main()
