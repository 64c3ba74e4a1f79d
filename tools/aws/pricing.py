"""The AWS Price List."""

from collections.abc import Iterator, Mapping

from tools.aws.client import Cloud


def read_products(cloud: Cloud, service: str, attributes: Mapping[str, str]) -> Iterator[str]:
    """The products of a service code that have these attributes, as JSON texts.

    Raises UserError if AWS cannot be asked.
    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
    """
    return cloud.items(
        "ask for prices",
        "pricing",
        "get_products",
        "PriceList",
        ServiceCode=service,
        Filters=[
            {"Type": "TERM_MATCH", "Field": field, "Value": value}
            for field, value in attributes.items()
        ],
    )
