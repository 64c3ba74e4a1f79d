"""A Price List API on 127.0.0.1, which the emulator lacks: GetProducts over a few products.

The shape of its answers is that of
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE = 2  # the real one has 100; small, so that paging is seen
PUBLISHED = "2026-11-20T10:00:00Z"


def product(
    service: str, region: str, usage: str, prices: Sequence[tuple[str, str]], family: str = ""
) -> dict[str, Any]:
    """One product; `prices` are pairs of where a tier begins and its price in US dollars."""
    dimensions = {
        f"SKU.TERM.{number}": {
            "unit": "Hrs",
            "beginRange": begin,
            "endRange": "Inf",
            "description": f"${usd} per unit",
            "appliesTo": [],
            "rateCode": f"SKU.TERM.{number}",
            "pricePerUnit": {"USD": usd},
        }
        for number, (begin, usd) in enumerate(prices)
    }
    return {
        "product": {
            "productFamily": family,
            "attributes": {"regionCode": region, "servicecode": service, "usagetype": usage},
            "sku": usage,
        },
        "serviceCode": service,
        "terms": {"OnDemand": {"SKU.TERM": {"priceDimensions": dimensions, "sku": usage}}},
        "version": "20261120100000",
        "publicationDate": PUBLISHED,
    }


def ireland() -> list[dict[str, Any]]:
    """What the list might say of eu-west-1: with a free tier, several tiers and other products."""
    sagemaker, family = "AmazonSageMaker", "ML Instance"
    return [
        product(sagemaker, "eu-west-1", "EU-Train:ml.m5.xlarge", [("0", "9.99")], family),
        product(sagemaker, "eu-west-1", "EU-Notebk:ml.t3.medium", [("0", "0.0550000000")], family),
        product(sagemaker, "eu-west-1", "EU-Notebk:ml.m5.xlarge", [("0", "0.2570000000")], family),
        product(sagemaker, "eu-west-1", "EU-Notebk:ml.free", [("0", "0.0000000000")], family),
        product(sagemaker, "us-east-1", "USE1-Notebk:ml.t3.medium", [("0", "7")], family),
        product(
            sagemaker, "eu-west-1", "EU-Notebk:VolumeUsage.gp2", [("0", "0.154")], "ML Storage"
        ),
        product("AmazonVPC", "eu-west-1", "EU-VpcEndpoint-Hours", [("0", "0.011")]),
        product(
            "AmazonVPC",
            "eu-west-1",
            "EU-VpcEndpoint-Bytes",
            [("1048576", "0.006"), ("0", "0.01"), ("5242880", "0.004")],
        ),
        product("AmazonEC2", "eu-west-1", "EU-NatGateway-Hours", [("0", "0.048")]),
        product("AmazonEC2", "eu-west-1", "EU-NatGateway-Bytes", [("0", "0.048")]),
        product("AmazonVPC", "eu-west-1", "EU-PublicIPv4:InUseAddress", [("0", "0.005")]),
        product("AmazonS3", "eu-west-1", "EU-TimedStorage-ByteHrs", [("0", "0.023")]),
        product("AmazonCloudWatch", "eu-west-1", "EU-DataProcessing-Bytes", [("0", "0.57")]),
        product("awskms", "eu-west-1", "eu-west-1-KMS-Keys", [("0", "1.0000000000")]),
    ]


@contextmanager
def serving(
    products: Sequence[Mapping[str, Any] | str], refusal: tuple[int, str] | None = None
) -> Iterator[str]:
    """The endpoint of a server that knows `products`, or refuses with a status and an error code.

    A text among the products is sent as it is, for answers that are none.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if refusal:
                self._send(refusal[0], {"__type": refusal[1], "message": "said the test"})
            else:
                self._send(200, _answer(products, asked))

        def _send(self, status: int, answer: Mapping[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(
    products: Sequence[Mapping[str, Any] | str], asked: Mapping[str, Any]
) -> dict[str, Any]:
    matching = [found for found in products if isinstance(found, str) or _matches(found, asked)]
    start = int(asked.get("NextToken", 0))
    answer: dict[str, Any] = {
        "FormatVersion": "aws_v1",
        "PriceList": [
            found if isinstance(found, str) else json.dumps(found)
            for found in matching[start : start + PAGE]
        ],
    }
    if start + PAGE < len(matching):
        answer["NextToken"] = str(start + PAGE)
    return answer


def _matches(found: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    about = {**found["product"]["attributes"], "productFamily": found["product"]["productFamily"]}
    filters = {item["Field"]: item["Value"] for item in asked.get("Filters", [])}
    return found["serviceCode"] == asked["ServiceCode"] and all(
        about.get(field) == value for field, value in filters.items()
    )
