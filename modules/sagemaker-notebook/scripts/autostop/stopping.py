"""Stops the instance, by whatever means it has."""

import json
import subprocess
from typing import Callable, List, Tuple

# What lies in the user's home runs as the user: as root it would lend the user root's rights.
AWS_COMMANDS = (
    ["aws"],
    ["runuser", "-u", "ec2-user", "--", "/home/ec2-user/anaconda3/bin/aws"],
    ["runuser", "-u", "ec2-user", "--", "/home/ec2-user/anaconda3/envs/JupyterSystemEnv/bin/aws"],
)


def stop(metadata_path: str) -> str:
    """Asks SageMaker to stop this instance and says how. Raises RuntimeError with every refusal.

    https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-metadata.html
    """
    try:
        with open(metadata_path) as file:
            metadata = json.load(file)
        name, region = metadata["ResourceName"], metadata["ResourceArn"].split(":")[3]
    except Exception as error:
        raise RuntimeError("{}: {!r}".format(metadata_path, error)) from error
    means: List[Tuple[str, Callable[[str, str], None]]] = [("boto3", stop_by_boto3)]
    means += [(command[-1], by_command(command)) for command in AWS_COMMANDS]
    refusals = []
    for label, ask_to_stop in means:
        try:
            ask_to_stop(name, region)
        except Exception as error:
            refusals.append("{}: {}".format(label, error))
        else:
            return "{} in {}, through {}".format(name, region, label)
    raise RuntimeError("; ".join(refusals))


def stop_by_boto3(name: str, region: str) -> None:
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=10, read_timeout=30, retries={"max_attempts": 2})
    client = boto3.client("sagemaker", region_name=region, config=patience)
    client.stop_notebook_instance(NotebookInstanceName=name)


def by_command(command: List[str]) -> Callable[[str, str], None]:
    def stop_by_command(name: str, region: str) -> None:
        arguments = ["sagemaker", "stop-notebook-instance", "--notebook-instance-name", name]
        result = subprocess.run(
            [*command, *arguments, "--region", region],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=120,
        )
        if result.returncode:
            reason = " ".join(result.stderr.decode(errors="replace").split())
            raise RuntimeError(reason or "exit code {}".format(result.returncode))

    return stop_by_command
