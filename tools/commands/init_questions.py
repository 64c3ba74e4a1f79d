"""What `tools init` asks on a terminal, with what AWS has to choose from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from tools.aws import model, sessions, vpcs
from tools.aws.client import Cloud
from tools.aws.network import DEFAULT_VPC
from tools.aws.vpcs import Subnet, Vpc
from tools.console import table
from tools.console.messages import say, show_kept
from tools.console.prompt import ask, pick
from tools.console.table import Column
from tools.cost import prices
from tools.cost.model import Amount, Assumptions, Estimate, Quantities, SharedSpec, estimate_month
from tools.errors import UserError, shorten
from tools.scaffold import settings
from tools.scaffold.settings import ENDPOINT_SETS

_WHERE_TO_FIND = (
    "Type the values. Where they are in the AWS console:",
    "  VPC      VPC > Your VPCs, column VPC ID",
    "  subnets  VPC > Subnets, column Subnet ID. The route table of a private one has no",
    "           route to an igw-.",
)
_LEGEND = (
    "Internet: where a subnet's default route leads. NAT is a NAT gateway, public an",
    "internet gateway, which notebooks cannot use: their addresses are private.",
)


@dataclass
class Questions:
    """Asks for what no option gives, about one region."""

    region: str
    _subnets: list[Subnet] = field(default_factory=list)

    def ask_vpc(self) -> str:
        """Asks for the VPC: of those that AWS lists, or typed if it lists none."""
        listed_vpcs = _list_vpcs(self.region)
        if not listed_vpcs:
            say("\n".join(_WHERE_TO_FIND))
            return ask('VPC (its ID, or "default")', settings.check_vpc)
        vpc_rows = [
            (number, vpc.id, ", ".join(vpc.cidrs), "default VPC" if vpc.is_default else vpc.name)
            for number, vpc in enumerate(listed_vpcs, 1)
        ]
        table.show(vpc_rows, ("No.", "VPC", "Ranges", "Name"), err=True)
        ids = [vpc.id for vpc in listed_vpcs]
        (vpc_id,) = pick("VPC (its number or ID)", ids, lambda words: _check_one(words, ids))
        return vpc_id

    def ask_subnets(self, vpc_id: str) -> tuple[str, ...]:
        """Asks for the subnets of a VPC: of those that AWS lists, or typed if it lists none."""
        self._subnets = self._list_subnets(vpc_id)
        if not self._subnets:
            answer = ask("Its private subnets, separated by spaces", settings.check_subnets)
            return tuple(answer.split())
        question = "Subnets, one for each zone (numbers or IDs, separated by spaces)"
        return tuple(pick(question, self._ids, self._check_subnets))

    def ask_endpoints(self, zones: int) -> str:
        """Asks for one of the sets of endpoints, whose cost it says."""
        say(f"Interface endpoints, and what they cost in {self.region}:")
        endpoint_rows = [
            (name, str(self._endpoints_cost(len(services), zones)), ", ".join(services))
            for name, services in ENDPOINT_SETS.items()
        ]
        columns = ("Set", Column("A month", to_right=True), "Endpoints")
        table.show(endpoint_rows, columns, indent="  ", err=True)
        say("The SageMaker Python SDK needs those of sdk, or hangs (docs/endpoints.md).")
        choice = click.Choice(list(ENDPOINT_SETS))
        show_kept()
        return str(click.prompt("Endpoints", type=choice, default="default", err=True))

    def ask_nat(self, subnet_ids: Sequence[str]) -> str:
        """Asks for the place of a NAT gateway, empty for none; not if the subnets have one."""
        ways = [subnet.internet for subnet in self._subnets if subnet.id in subnet_ids]
        if ways and set(ways) == {"NAT"}:
            say(
                "The subnets have a NAT gateway. To let notebooks use it: allow_internet_egress = "
                "true in shared-infra/security-groups/terraform.tfvars"
            )
            return ""
        cost = estimate(self.region, SharedSpec(nat_gateway=True)).amount
        say("Without a NAT gateway notebooks do not reach pip's, conda's and Git hosts.")
        say(f"What it costs a month, traffic apart: {cost}")
        what = "a public subnet's number or ID" if self._subnets else "a public subnet's ID"
        question = f"NAT gateway ({what}, a free range, or empty for none)"
        words = pick(question, self._ids, self._check_nat, default="")
        return words[0] if words else ""

    def _endpoints_cost(self, service_count: int, zones: int) -> Amount:
        return estimate(self.region, SharedSpec(service_count, zones)).amount

    @property
    def _ids(self) -> list[str]:
        return [subnet.id for subnet in self._subnets]

    def _list_subnets(self, vpc_id: str) -> list[Subnet]:
        try:
            listed_subnets = vpcs.read_subnets(Cloud(self.region, is_hurried=True), vpc_id)
        except UserError as error:
            say(f"The subnets of {vpc_id} cannot be listed: {error}")
            return []
        if not listed_subnets:
            say(f"AWS lists no subnets of {vpc_id}.")
            return []
        subnet_rows = [
            (number, subnet.id, subnet.cidr, subnet.zone, subnet.internet, subnet.name)
            for number, subnet in enumerate(listed_subnets, 1)
        ]
        columns = ("No.", "Subnet", "Range", "Zone", "Internet", "Name")
        table.show(subnet_rows, columns, err=True)
        say("\n".join(_LEGEND))
        return listed_subnets

    def _check_subnets(self, words: Sequence[str]) -> None:
        """Raises UserError unless `words` are listed subnets, in a zone each.

        An endpoint takes one of each zone:
        https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
        """
        if not words:
            raise UserError("choose at least one subnet")
        for word in words:
            _check_listed(word, self._ids)
        by_id = {subnet.id: subnet for subnet in self._subnets}
        for zone, count in Counter(by_id[word].zone for word in words).items():
            if count > 1:
                raise UserError(f"{count} of them are in {zone}; an endpoint takes one of a zone")

    def _check_nat(self, words: Sequence[str]) -> None:
        if len(words) > 1:
            raise UserError("name one subnet or one address range")
        for word in words:
            settings.check_nat_subnet(word)
            way = {subnet.id: subnet.internet for subnet in self._subnets}.get(word, "unknown")
            if way not in ("public", "unknown"):
                raise UserError(f"{word} is not public, so a NAT gateway there leads nowhere")


def ask_region() -> str:
    """Asks for the region, with the one of the user's settings as default."""
    default = None
    try:
        default = default_region()
    except UserError as error:
        say(str(error))
    return ask("AWS region", model.check_region, default[0] if default else None)


def default_region() -> tuple[str, str] | None:
    """Returns the region of the user's settings, and which setting it is; None without one.

    Raises UserError, which names the setting, if there is no such region.
    """
    region_and_setting = sessions.default_region()
    if region_and_setting:
        region, setting = region_and_setting
        try:
            model.check_region(region)
        except UserError as error:
            raise UserError(f"{setting}: {error}") from None
    return region_and_setting


def estimate(region: str, spec: SharedSpec) -> Estimate:
    """Estimates what `spec` costs in a month in a region."""
    return estimate_month(Quantities(region, [], spec), prices.load(), Assumptions())


def _list_vpcs(region: str) -> list[Vpc]:
    """The VPCs of the region; says in which account, or why they cannot be listed."""
    cloud = Cloud(region, is_hurried=True)
    try:
        caller = cloud.identity()
        listed_vpcs = vpcs.read_vpcs(cloud)
    except UserError as error:
        say(f"The VPCs cannot be listed: {error}")
        return []
    whose = f"account {caller.account}, {region}"
    say(f"VPCs in {whose}:" if listed_vpcs else f"There is no VPC in {whose}; make one first.")
    return listed_vpcs


def _check_one(words: Sequence[str], ids: Sequence[str]) -> None:
    if len(words) != 1:
        raise UserError("choose one VPC")
    if words[0] != DEFAULT_VPC:
        _check_listed(words[0], ids)


def _check_listed(word: str, ids: Sequence[str]) -> None:
    if word not in ids:
        raise UserError(f"{shorten(word)} is not in the list; type a number or an ID from it")
