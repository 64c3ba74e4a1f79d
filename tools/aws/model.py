"""What values AWS takes, by botocore's model of SageMaker and by AWS's documents."""

import gzip
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from tools.aws.sessions import session_without_settings
from tools.errors import UserError, nearest, shorten


@dataclass(frozen=True)
class Shape:
    """The model's shape of a value; `metadata` has min, max, pattern and enum, if it has them."""

    type_name: str
    metadata: Mapping[str, Any]
    member: "Shape | None" = None


@lru_cache(maxsize=1)
def _shapes() -> Mapping[str, Any]:
    # Read from botocore's file: its own reader (botocore.loaders 1.42) comes with its HTTP client,
    # whose import takes four times as long.
    # Late, as below: each takes a tenth of the start of a command that asks for neither.
    from importlib.resources import files

    package = files("botocore").joinpath("data", "sagemaker")
    newest = max(api_version.name for api_version in package.iterdir())
    with package.joinpath(newest, "service-2.json.gz").open("rb") as packed:
        shapes: Mapping[str, Any] = json.loads(gzip.decompress(packed.read()))["shapes"]
    return shapes


@cache
def member(name: str) -> Shape:
    """The shape of a member of CreateNotebookInstance's input."""
    return _shape(_shapes()["CreateNotebookInstanceInput"]["members"][name]["shape"])


def _shape(name: str) -> Shape:
    metadata = _shapes()[name]
    inner = _shape(metadata["member"]["shape"]) if metadata["type"] == "list" else None
    return Shape(metadata["type"], metadata, inner)


def version() -> str:
    """The release of botocore that has the model, such as 1.44.0."""
    from importlib.metadata import version as version_of

    return version_of("botocore")


def complaint(value: Any, shape: Shape) -> str | None:
    """What is wrong with `value` for `shape` (a string, integer or list), or None if it fits."""
    if shape.type_name == "list":
        return _list_complaint(value, shape)
    if shape.type_name == "integer":
        return _integer_complaint(value, shape)
    return _string_complaint(str(value), shape)


def tag_complaint(text: str, most: int = 256) -> str | None:
    """What keeps `text` from being a tag's key or value, or None if it may be one.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html
    """
    if not 1 <= len(text) <= most:
        return f"it becomes a tag and must have 1 to {most} characters, not {len(text)}"
    wrong = sorted({c for c in text if not _allowed_in_tag(c)})
    if wrong:
        characters = " ".join(map(repr, wrong[:5]))
        return f"it becomes a tag: letters, digits, spaces or _ . : / = + - @, not {characters}"
    return None


@lru_cache(maxsize=1)
def regions() -> tuple[str, ...]:
    """Every region that has SageMaker, in all partitions, as botocore knows them."""
    session = session_without_settings()  # the model is botocore's, whatever the user's are
    return tuple(
        sorted(
            region
            for partition in session.get_available_partitions()
            for region in session.get_available_regions("sagemaker", partition)
        )
    )


@cache
def partition(region: str) -> str:
    """The partition that `region` is in, such as aws or aws-cn, empty if botocore knows none."""
    from botocore.exceptions import UnknownRegionError

    session = session_without_settings()
    try:
        return str(session.get_partition_for_region(region))
    except UnknownRegionError:
        return ""


def _allowed_in_tag(character: str) -> bool:
    return unicodedata.category(character)[0] in "LZN" or character in "_.:/=+-@"


def _list_complaint(value: Any, shape: Shape) -> str | None:
    most = shape.metadata.get("max")
    if most is not None and len(value) > most:
        return f"at most {most} are allowed, not {len(value)}"
    inner = shape.member
    return next(filter(None, (complaint(item, inner) for item in value)), None) if inner else None


def _integer_complaint(value: Any, shape: Shape) -> str | None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if not (isinstance(value, int) or float(value).is_integer()):  # neither NaN nor infinity is
        return f"it must be a whole number, not {value}"
    if (least is not None and value < least) or (most is not None and value > most):
        return f"it must be {least} to {most}, not {value}"
    return None


def _string_complaint(value: str, shape: Shape) -> str | None:
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        return f"there is no {shorten(value)}; {nearest(value, enum)}"
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < least or (most is not None and len(value) > most):
        return f"it must have {least} to {most} characters, not {len(value)}"
    pattern = shape.metadata.get("pattern")
    # The length is bounded by now, so a pattern that backtracks stays quick.
    if pattern and not re.fullmatch(pattern, value):
        return f"{shorten(value)} does not fit AWS's pattern {pattern}"
    return None


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED_BUCKET = re.compile(
    r"(xn--|sthree-|amzn-s3-demo-).*|.*(-s3alias|--(ol|x|table)-s3|\.mrap)|.*\.\..*|"
    r"[0-9]+(\.[0-9]+){3}"
)
# S3 keeps -an for names with the account and the region before it: "Namespaces for general purpose
# buckets", https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
_RESERVED_SUFFIX = re.compile(r"(.*-)?(s3alias|an)")


def check_bucket(option: str, name: str) -> None:
    """Raises UserError if `name`, the value of `option`, cannot be a bucket's."""
    if not _BUCKET.fullmatch(name):
        raise UserError(
            f"{option} {name!r}: a bucket's name has 3 to 63 lower-case letters, digits, dots and "
            "hyphens"
        )
    if _RESERVED_BUCKET.fullmatch(name):
        raise UserError(
            f"{option} {name!r}: S3 refuses bucket names that begin with xn--, sthree- or "
            "amzn-s3-demo-, that end with -s3alias, --ol-s3, --x-s3, --table-s3 or .mrap, that "
            "look like an IP address, and that have two dots in a row"
        )


def check_bucket_suffix(option: str, suffix: str) -> None:
    """Raises UserError if S3 keeps names that end with a hyphen and `suffix` for itself."""
    if _RESERVED_SUFFIX.fullmatch(suffix):
        raise UserError(
            f"{option} {suffix!r}: S3 keeps names that end with -s3alias or -an for itself; choose "
            "another suffix"
        )


# https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-al2.html
_RETIRED_PLATFORM = re.compile(r"notebook-al[12]-.*")
_RETIRED_TYPE = re.compile(r"ml\.(p2|p3|p3dn|inf1|g3|g3s)\..*")
PLATFORM = "notebook-al2023-v1"


def is_retired_platform(platform: str) -> bool:
    """Returns whether `platform` is Amazon Linux 1 or 2, which AWS starts no more."""
    return bool(_RETIRED_PLATFORM.fullmatch(platform))


def is_retired_type(instance_type: str) -> bool:
    """Returns whether Amazon Linux 2023 does not run on `instance_type`."""
    return bool(_RETIRED_TYPE.fullmatch(instance_type))


def check_region(region: str) -> None:
    """Raises UserError, with the most similar regions, if `region` has no SageMaker."""
    if region not in regions():
        raise UserError(
            f"there is no region {region!r} with SageMaker; {nearest(region, list(regions()))}"
        )
