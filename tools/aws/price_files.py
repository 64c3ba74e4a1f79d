"""AWS's public price files: the prices of a service in a region as CSV, without credentials.

The first five rows say what the file is, the sixth names the columns, and every other row is a
price. That of a service with many products is far too large to be kept in memory.
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html
"""

import csv
import gzip
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO, cast

from tools.errors import UserError, in_one_line

# https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api-fetching-price-list-files-manually.html
_AWS = "https://pricing.us-east-1.amazonaws.com"
SERVER_VARIABLE = "TOOLS_PRICE_FILES"
_SECONDS = 60  # without a byte
_LONGEST_ROW = 1_000_000  # bytes: a row has some dozens of short columns
_COLUMNS = ("TermType", "StartingRange", "PricePerUnit", "Currency", "usageType", "Region Code")


@dataclass(frozen=True)
class PriceRow:
    """An on-demand price in US dollars as it is written, and where its tier begins.

    `usage_type` is such as USE1-Notebk:ml.t3.medium; `published` is the day of the file.
    """

    usage_type: str
    usd: str
    tier: str
    published: str


def read_prices(service: str, region: str, patience: float = _SECONDS) -> Iterator[PriceRow] | None:
    """Returns the on-demand prices of `service` in `region`, row by row as they arrive.

    None if AWS publishes no such file. `patience` are the seconds to wait for a byte. Raises
    UserError, also while the rows are read, if the file cannot be fetched or is not whole.
    """
    server = os.environ.get(SERVER_VARIABLE) or _AWS
    url = f"{server.rstrip('/')}/offers/v1.0/aws/{service}/current/{region}/index.csv"
    if not url.startswith(("http://", "https://")):
        raise UserError(f"{SERVER_VARIABLE}={server!r} is not a URL; write http://... or unset it")
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with _explain(url):
        try:
            context = _certificates() if url.startswith("https:") else None
            response = urllib.request.urlopen(request, timeout=patience, context=context)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            # S3, where the files are, answers 403 for what does not exist to whom may not list:
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
            if refusal.code in (403, 404):
                return None
            raise
    return _rows(response, region, url)


def _certificates() -> ssl.SSLContext:
    """The system's certificates, or the user's own, as botocore takes them."""
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)


def _rows(response: HTTPResponse, region: str, url: str) -> Iterator[PriceRow]:
    with response, _explain(url):
        table = csv.reader(_lines(response))
        published = ""
        for row in table:
            if row and row[0] == "SKU":
                break
            if row and row[0] == "Publication Date":
                published = row[1][:10]
        else:
            raise ValueError("it has no row with the names of its columns")
        columns = {name: index for index, name in enumerate(row)}
        missing = [name for name in _COLUMNS if name not in columns]
        if missing:
            raise ValueError(f"it has no column {', '.join(missing)}")
        for row in table:
            if len(row) != len(columns):
                raise ValueError(f"row {table.line_num} has {len(row)} of {len(columns)} columns")
            if price := _on_demand(row, columns, region, published):
                yield price


def _on_demand(
    row: list[str], columns: Mapping[str, int], region: str, published: str
) -> PriceRow | None:
    term, tier, usd, currency, usage, location = (row[columns[name]] for name in _COLUMNS)
    if (term, currency, location) != ("OnDemand", "USD", region):
        return None
    return PriceRow(usage, usd, tier, published)


def _lines(response: HTTPResponse) -> Iterator[str]:
    is_packed = response.headers.get("Content-Encoding") == "gzip"
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=response) if is_packed else response)
    while line := stream.readline(_LONGEST_ROW):  # a longer one comes in pieces, which are no rows
        yield line.decode()
    # http.client ends quietly where the connection did: https://github.com/python/cpython/issues/115997
    if response.length:
        raise EOFError(f"{response.length} bytes are missing")


@contextmanager
def _explain(url: str) -> Iterator[None]:
    """Raises UserError if a file cannot be fetched or read within the block."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, csv.Error, ValueError) as error:
        raise UserError(
            f"the price file {url} is cut short or broken ({in_one_line(str(error))}); the prices "
            "stay as they were; run the command again"
        ) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", "") or error
        raise UserError(
            f"cannot fetch the price file {url}: {reason}; the prices stay as they were"
        ) from None
