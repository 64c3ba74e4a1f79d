"""How amounts and times are written, wherever a person reads them.

An amount of money has two decimals. The price of a unit has four, or more if AWS's price has them:
what is rounded would not be the price.
"""

from decimal import Decimal

_UNITS = {"TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3}


def money(usd: Decimal) -> str:
    """Returns an amount of US dollars: $1,234.50, or -$0.99."""
    return f"{'-' if round(usd, 2) < 0 else ''}${abs(usd):,.2f}"


def unit_price(usd: Decimal) -> str:
    """Returns the price of a unit in US dollars: $0.0230."""
    exponent = usd.as_tuple().exponent
    return f"${usd:,.{max(4, -exponent if isinstance(exponent, int) else 0)}f}"


def signed_money(usd: Decimal) -> str:
    """Returns a difference of US dollars, with its sign: +$12.00."""
    return money(usd) if round(usd, 2) < 0 else f"+{money(usd)}"


def quantity(number: Decimal) -> str:
    """Returns how much of something: 2,190, or 0.3."""
    return f"{number.normalize():,f}"


def count(number: int, thing: str) -> str:
    """Returns a number of things in words: 1 notebook, 1,000 notebooks."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """Returns a number of bytes in units of 1000: 512 B, 12.3 kB, 1.0 GB."""
    for unit, worth in _UNITS.items():
        if number >= worth:
            return f"{number / worth:.1f} {unit}"
    return f"{number} B"


def minute(time: str) -> str:
    """Returns a time in UTC, such as 2026-01-31T08:15:00Z, to the minute: 2026-01-31 08:15."""
    return time[:16].replace("T", " ")
