"""Runs write.py and train.py as two notebooks of the local cloud, each with its own role.

On AWS nothing of this is needed: a notebook has its role's credentials. Here the role of each
instance is asked for and assumed, as SageMaker does, and the script runs with what that gives.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from tools.context import Context, Target
from tools.errors import UserError
from tools.localcloud.client import environment, variables_to_unset

HERE = Path(__file__).parent


def client(target: Target, service: str) -> Any:
    return boto3.client(
        service,
        region_name=target.region,
        endpoint_url=target.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def credentials(target: Target, notebook: str) -> Mapping[str, str]:
    """The environment of a program on `notebook`: its role's credentials and nothing else's."""
    instance = client(target, "sagemaker").describe_notebook_instance(NotebookInstanceName=notebook)
    assumed = client(target, "sts").assume_role(
        RoleArn=instance["RoleArn"], RoleSessionName=notebook
    )
    print(f"{notebook} works as {assumed['AssumedRoleUser']['Arn']}", flush=True)
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in variables_to_unset(os.environ)
    }
    return {
        **own,
        **environment(str(target.endpoint), target.region),
        "AWS_ACCESS_KEY_ID": assumed["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": assumed["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": assumed["Credentials"]["SessionToken"],
    }


def run(target: Target, directory: str, script: str, *options: str) -> None:
    """Runs `script` as the notebook of `directory`, with the buckets that its outputs name."""
    outputs = target.terraform.outputs(target.repository.root / "notebooks" / directory)
    if "notebook_name" not in outputs:
        raise UserError(f"notebooks/{directory} is not deployed: tools demo")
    buckets = [f"--{option}={outputs['bucket_names'][option]}" for option in options]
    subprocess.run(
        [sys.executable, HERE / script, *buckets],
        env=credentials(target, outputs["notebook_name"]),
        check=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writer", default="notebook-dev", help="the notebook that writes")
    parser.add_argument("--reader", default="notebook-prod", help="the notebook that reads")
    given = parser.parse_args()
    try:
        target = Context(HERE).target(local=True)
        run(target, given.writer, "write.py", "datasets")
        run(target, given.reader, "train.py", "datasets", "models")
    except UserError as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()
