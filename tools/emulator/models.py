"""AWS's service models, which LocalStack and moto parse again and again as they start."""

import logging
import os
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader

LOG = logging.getLogger(__name__)

_KEPT = 8  # models; that of EC2, the largest, takes 13 MB when it is parsed


def parse_once() -> None:
    """Keeps the models that botocore has parsed last, for the sessions that ask for them next.

    moto-ext 5.1.18.post6, moto/ec2/models/availability_zones_and_regions.py: three sessions parse
    the largest model while LocalStack starts, and LocalStack does once more for the first request.
    Nobody changes a parsed model: LocalStack patches a copy (localstack/aws/spec.py).
    """
    parse = JSONFileLoader.load_file

    @lru_cache(_KEPT)
    def load_file(path: str) -> Any:
        return parse(JSONFileLoader(), path)

    JSONFileLoader.load_file = lambda _, file_path: load_file(file_path)


def keep_index() -> None:
    """Keeps LocalStack's index of all services from one start to the next.

    localstack-core 4.13.1, localstack/aws/spec.py: the first request parses the models of all of
    AWS's services, 7 s of a core, for an index that LocalStack's Docker image has from its build.
    The folder in which LocalStack would keep it is an empty one at each start here. So it is beside
    what it is made from: in the virtual environment, if LocalStack runs in one. The file's name has
    the versions of LocalStack and of botocore.
    """
    from localstack.aws import spec

    services: Any = spec
    build, load = services.build_service_index_cache, services.load_service_index_cache
    if sys.prefix == sys.base_prefix:
        return
    kept = Path(sys.prefix, "var", "cache", services._get_catalog_filename())

    def load_or_build(file_path: str) -> Any:
        try:
            return load(kept)
        except FileNotFoundError:
            pass
        except Exception as error:  # a damaged pickle raises one or the other
            LOG.warning("%s cannot be used, and is made again: %r", kept, error)
        index = build(file_path)
        with suppress(OSError):  # as where the environment is somebody else's
            kept.parent.mkdir(parents=True, exist_ok=True)
            written = kept.with_suffix(f".{os.getpid()}")
            written.write_bytes(Path(file_path).read_bytes())
            written.replace(kept)  # another emulator may read it at this moment
        return index

    services.build_service_index_cache = load_or_build
