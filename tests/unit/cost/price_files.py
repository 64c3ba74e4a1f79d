"""AWS's public price files on 127.0.0.1, in the format of
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html

Their columns are those that AWS's files begin with, and some of those that follow.
"""

import csv
import gzip
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PUBLISHED = "2026-11-20"
_COLUMNS = (
    "SKU",
    "OfferTermCode",
    "RateCode",
    "TermType",
    "PriceDescription",
    "EffectiveDate",
    "StartingRange",
    "EndingRange",
    "Unit",
    "PricePerUnit",
    "Currency",
    "Product Family",
    "serviceCode",
    "Location",
    "usageType",
    "operation",
    "Region Code",
)


@dataclass(frozen=True)
class Row:
    """A price of a file."""

    usage: str
    usd: str
    region: str = "eu-central-1"
    tier: str = "0"
    term: str = "OnDemand"
    currency: str = "USD"
    description: str = 'per "hour",\nin EU (Frankfurt)'


def document(service: str, rows: Sequence[Row], columns: Sequence[str] = _COLUMNS) -> bytes:
    """The file of a service, with the lines before its table."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["FormatVersion", "v1.0"])
    writer.writerow(["Disclaimer", "This pricing list is for informational purposes only."])
    writer.writerow(["Publication Date", f"{PUBLISHED}T20:11:12Z"])
    writer.writerow(["Version", "20261120201112"])
    writer.writerow(["OfferCode", service])
    writer.writerow(columns)
    for number, row in enumerate(rows):
        cells = {
            "SKU": f"SKU{number}",
            "TermType": row.term,
            "PriceDescription": row.description,
            "StartingRange": row.tier,
            "EndingRange": "Inf",
            "PricePerUnit": row.usd,
            "Currency": row.currency,
            "serviceCode": service,
            "usageType": row.usage,
            "Region Code": row.region,
        }
        writer.writerow([cells.get(column, "") for column in columns])
    return text.getvalue().encode()


def frankfurt() -> dict[str, bytes]:
    """Files of eu-central-1 with what is wanted, and with what lies beside it in AWS's own."""
    rows = {
        "AmazonSageMaker": [
            Row("EUC1-Train:ml.m5.xlarge", "9.99"),
            Row("EUC1-Notebk:ml.t3.medium", "0.0610000000"),
            Row("EUC1-Notebk:ml.t3.medium", "0.0000000000", description="free tier"),
            Row("EUC1-Notebk:ml.m5.xlarge", "0.0100000000", term="Reserved"),
            Row("EUC1-Notebk:ml.m5.xlarge", "0.2760000000"),
            Row("EUC1-Notebk:ml.m5.2xlarge", "9", region="us-east-1"),
            Row("EUC1-Notebk:ml.r5.large", "9", currency="CNY"),
            Row("EUC1-Notebk:VolumeUsage.gp2", "0.1670000000"),
        ],
        "AmazonVPC": [
            Row("EUC1-VpcEndpoint-Bytes", "0.0060000000", tier="1048576"),
            Row("EUC1-VpcEndpoint-Bytes", "0.0100000000"),
            Row("EUC1-VpcEndpoint-Hours", "0.0120000000"),
            Row("EUC1-VpcEndpoint-Hours", "0.0110000000", description="another operation"),
            Row("EUC1-VpcEndpoint-GWLBE-Hours", "9"),
            Row("EUC1-PublicIPv4:InUseAddress", "0.0050000000"),
        ],
        "AmazonEC2": [
            Row("EUC1-NatGateway-Hours", "0.0520000000"),
            Row("EUC1-NatGateway-Bytes", "0.0520000000"),
        ],
        "AmazonS3": [
            Row("EUC1-TimedStorage-ByteHrs", "0.0235000000", tier="51200"),
            Row("EUC1-TimedStorage-ByteHrs", "0.0245000000"),
            Row("EUC1-TimedStorage-ByteHrs", "0.0300000000", tier="512000"),
        ],
        "AmazonCloudWatch": [Row("EUC1-DataProcessing-Bytes", "0.6300000000")],
        "awskms": [Row("eu-central-1-KMS-Keys", "1.0000000000")],
    }
    return {service: document(service, found) for service, found in rows.items()}


@dataclass
class Server:
    """A running server: its URL, and the paths that it was asked for."""

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(
    documents: Mapping[str, bytes],
    region: str = "eu-central-1",
    *,
    packed: bool = False,
    cut: int = 0,
    without_length: bool = False,
    stalls: bool = False,
) -> Iterator[Server]:
    """A server of the files of one region, and 404 for others.

    `packed` answers in gzip, `cut` leaves so many bytes out at the end, `without_length` does not
    say how long an answer is, and one that `stalls` sends nothing after its first line.
    """
    leave = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            parts = self.path.removeprefix("/offers/v1.0/aws/").split("/")
            body = (
                documents.get(parts[0]) if parts[1:] == ["current", region, "index.csv"] else None
            )
            if body is None:
                self.send_error(404)
                return
            if packed:
                assert "gzip" in self.headers["Accept-Encoding"]
                body = gzip.compress(body)
            self.send_response(200)
            if packed:
                self.send_header("Content-Encoding", "gzip")
            if not without_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if stalls:
                self.wfile.write(body[:30])
                self.wfile.flush()
                leave.wait()
                return
            self.wfile.write(body[: len(body) - cut])

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        leave.set()
        http.shutdown()
        thread.join()
        http.server_close()
