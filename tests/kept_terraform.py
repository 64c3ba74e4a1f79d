"""Runs Terraform with a kept provider: `python kept_terraform.py <socket> <terraform> ...`.

`tests.keeper` listens on the socket. The connection is the lease: Terraform inherits it, so the
system ends it with Terraform, however that ends.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

# The others start no AWS provider, and init and version must not see a kept one.
USES_PROVIDER = ("apply", "console", "destroy", "import", "plan", "refresh", "show", "validate")


def main() -> None:
    path, terraform, *arguments = sys.argv[1:]
    # Python ignores SIGPIPE and catches SIGINT: Terraform shall get what this process was given.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    command = next((argument for argument in arguments if not argument.startswith("-")), "")
    if command in USES_PROVIDER:
        options = [a.removeprefix("-chdir=") for a in arguments if a.startswith("-chdir=")]
        root = Path.cwd().joinpath(*options[:1])
        lease = socket.socket(socket.AF_UNIX)
        lease.connect(path)
        asked = {"root": str(root), "env": dict(os.environ)}
        lease.sendall(json.dumps(asked).encode() + b"\n")
        answer = json.loads(lease.makefile().readline())
        os.environ.update(answer)
        os.set_inheritable(lease.detach(), True)
    os.execv(terraform, [terraform, *arguments])


if __name__ == "__main__":
    main()
