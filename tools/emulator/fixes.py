"""Fixes of LocalStack 4.13.1 and the moto-ext 5.1.18.post6 inside it, made as it starts.

Each says which release does what wrong, and in which of its files. A fix whose place is not there
any more is left out, and the log says so.
"""

import inspect
import json
import logging
import re
import sys
import tempfile
import uuid
from functools import partial, wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from localstack.runtime import hooks

from . import dependencies, models, pages, recording
from .sagemaker import malformed, tagging

LOG = logging.getLogger(__name__)


@hooks.on_infra_start(name="sagemaker_notebooks_emulator_fixes")  # type: ignore[untyped-decorator]
def apply() -> None:
    for fix in (
        pages.install,
        malformed.install,
        tagging.install,
        dependencies.install,
        recording.install,
        models.keep_index,
        _listen_on_one_address,
        _ask_no_name_server,
        _keep_objects_in_the_own_folder,
        _keep_descriptions_of_rules,
        _change_rules_without_ports,
        _create_keys_on_python_3_11,
        _keep_the_version_of_endpoint_policies,
        _move_endpoints_to_other_groups,
        _filter_logs_as_aws_does,
        _filter_endpoint_services,
        _take_lifecycle_rules_in_the_older_form,
        _find_tagged_resources_where_a_service_is_missing,
    ):
        try:
            fix()
        except (ImportError, AttributeError):
            LOG.exception("not applied, since the emulator has changed: %s", fix.__name__)


def _listen_on_one_address() -> None:
    """localstack-core 4.13.1, localstack/runtime/server/twisted.py: with
    GATEWAY_LISTEN=127.0.0.1:<port> it listens on 0.0.0.0."""
    from localstack.runtime.server import twisted

    server: Any = twisted
    server.endpoints = SimpleNamespace(
        TCP4ServerEndpoint=partial(server.endpoints.TCP4ServerEndpoint, interface="127.0.0.1"),
        TCP6ServerEndpoint=server.endpoints.TCP6ServerEndpoint,
    )


def _ask_no_name_server() -> None:
    """localstack-core 4.13.1, localstack/utils/aws/aws_stack.py: looks
    s3.localhost.localstack.cloud up, for a client of its own that works without; offline this can
    take seconds."""
    from localstack.utils.aws import aws_stack

    answers: Any = aws_stack
    if not hasattr(answers, "CACHE_S3_HOSTNAME_DNS_STATUS"):
        raise AttributeError("CACHE_S3_HOSTNAME_DNS_STATUS")
    answers.CACHE_S3_HOSTNAME_DNS_STATUS = False


def _keep_objects_in_the_own_folder() -> None:
    """localstack-core 4.13.1, localstack/services/s3/provider.py: keeps objects in
    /tmp/localstack-s3-storage whatever TMPDIR says, where they outlive the emulator, and two that
    run at once share the folder of a bucket's name."""
    from localstack.services.s3 import provider

    s3: Any = provider
    s3.DEFAULT_S3_TMP_DIR = f"{tempfile.gettempdir()}/{Path(s3.DEFAULT_S3_TMP_DIR).name}"


def _keep_descriptions_of_rules() -> None:
    """moto-ext 5.1.18.post6, moto/ec2/models/security_groups.py: a rule whose source is a group or
    a prefix list loses its description, and Terraform wants to set it again for ever."""
    from moto.ec2.models.security_groups import SecurityGroupRule

    rule_class: Any = SecurityGroupRule
    init = rule_class.__init__

    def init_with_description(rule: Any, *args: Any, **kwargs: Any) -> None:
        init(rule, *args, **kwargs)
        arguments = inspect.signature(init).bind(rule, *args, **kwargs).arguments
        source = arguments.get("source_group") or arguments.get("prefix_list_id") or {}
        if "Description" in source:
            # where moto looks for the description of any rule
            rule.ip_range = {"Description": source["Description"]}

    rule_class.__init__ = init_with_description


def _change_rules_without_ports() -> None:
    """moto-ext 5.1.18.post6, moto/ec2/models/security_groups.py: ModifySecurityGroupRules refuses a
    rule of all protocols (-1), because it has no ports."""
    from moto.ec2.models.security_groups import SecurityGroupBackend

    backend_class: Any = SecurityGroupBackend
    modify = backend_class.modify_security_group_rules

    def modify_without_ports(backend: Any, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
        portless = [rule_id for rule_id, rule in rules.items() if rule.get("IpProtocol") == "-1"]
        for rule_id in portless:
            rules[rule_id].update(FromPort=-1, ToPort=-1)
        modify(backend, group_id, rules)
        for rule_id in portless:
            changed = backend.get_security_group_by_name_or_id(group_id).get_rule(rule_id)
            changed.from_port = changed.to_port = None

    backend_class.modify_security_group_rules = modify_without_ports


def _create_keys_on_python_3_11() -> None:
    """localstack-core 4.13.1, localstack/services/kms/models.py: kms.CreateKey answers 500 below
    Python 3.12, whose uuid5 is the first to take bytes."""
    if sys.version_info >= (3, 12):
        return
    from localstack.services.kms.models import KmsKey

    key_class: Any = KmsKey
    if not hasattr(key_class, "generate_key_material_id"):
        raise AttributeError("generate_key_material_id")

    def generate_key_material_id(key: Any, key_material: bytes) -> str:
        return uuid.uuid5(key._internal_key_id, key_material.hex()).hex * 2

    key_class.generate_key_material_id = generate_key_material_id


def _filter_logs_as_aws_does() -> None:
    """moto-ext 5.1.18.post6, moto/logs/responses.py: FilterLogEvents ignores logStreamNamePrefix,
    and puts one stream after the other. AWS has sorted their events by time since 2019."""
    from moto.logs.responses import LogsResponse

    response_class: Any = LogsResponse
    answer = response_class.filter_log_events

    def filter_log_events(response: Any) -> str:
        get_param = response._get_param
        group = response.logs_backend.groups.get(get_param("logGroupName"))
        prefix = get_param("logStreamNamePrefix")
        overrides: dict[str, Any] = {"interleaved": True}
        if prefix and group:
            # An empty list would be every stream; no stream has an empty name.
            names = [name for name in group.streams if name.startswith(prefix)]
            overrides["logStreamNames"] = names or [""]
        response._get_param = lambda name, *default: (
            overrides.get(name) or get_param(name, *default)
        )
        return str(answer(response))

    response_class.filter_log_events = filter_log_events


def _take_lifecycle_rules_in_the_older_form() -> None:
    """localstack-core 4.13.1, localstack/services/s3/validation.py: refuses a rule of a bucket's
    lifecycle that has `Prefix` in the place of `Filter`, and one without an ID, which AWS gives it.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html"""
    from localstack.services.s3 import provider

    s3: Any = provider
    validate, find = s3.validate_lifecycle_configuration, s3.get_lifecycle_rule_from_object

    def in_newer_form(rule: dict[str, Any]) -> dict[str, Any]:
        is_older = "Prefix" in rule and "Filter" not in rule
        return {**rule, "Filter": {"Prefix": rule["Prefix"]}} if is_older else rule

    def validate_either_form(configuration: dict[str, Any]) -> None:
        rules = (configuration or {}).get("Rules", [])
        for rule in rules:
            rule.setdefault("ID", uuid.uuid4().hex)
        validate({"Rules": [in_newer_form(rule) for rule in rules]} if rules else configuration)

    def find_in_either_form(rules: list[dict[str, Any]], *args: Any, **kwargs: Any) -> Any:
        return find([in_newer_form(rule) for rule in rules], *args, **kwargs)

    s3.validate_lifecycle_configuration = validate_either_form
    s3.get_lifecycle_rule_from_object = find_in_either_form


def _keep_the_version_of_endpoint_policies() -> None:
    """localstack-core 4.13.1, localstack/services/ec2/provider.py: DescribeVpcEndpoints removes
    `"Version":` from every policy, not only from AWS's own, and Terraform wants to set it again for
    ever. A space hides it, in the model of moto-ext (moto/ec2/models/vpcs.py)."""
    from moto.ec2.models.vpcs import VPCEndPoint

    endpoint_class: Any = VPCEndPoint
    default_policy = json.dumps(endpoint_class.DEFAULT_POLICY)

    def policy(endpoint: Any) -> str:
        return str(endpoint.policy_as_given)

    def set_policy(endpoint: Any, text: str) -> None:
        policy_text = text if text == default_policy else text.replace('"Version":', '"Version" :')
        endpoint.policy_as_given = policy_text

    endpoint_class.policy_document = property(policy, set_policy)


def _move_endpoints_to_other_groups() -> None:
    """localstack-core 4.13.1, localstack/services/ec2/provider.py: ModifyVpcEndpoint leaves out
    the security groups to add and to remove, and Terraform wants to change them for ever."""
    from localstack.services.ec2.models import get_ec2_backend
    from localstack.services.ec2.provider import Ec2Provider

    provider_class: Any = Ec2Provider
    modify = provider_class.modify_vpc_endpoint

    @wraps(modify)  # with the marks by which LocalStack finds a handler
    def modify_with_groups(
        provider: Any, context: Any, vpc_endpoint_id: str, **request: Any
    ) -> Any:
        done = modify(provider, context, vpc_endpoint_id, **request)
        backend = get_ec2_backend(context.account_id, context.region)
        endpoint = backend.vpc_end_points[vpc_endpoint_id]
        removed = request.get("remove_security_group_ids") or []
        kept = [group for group in endpoint.security_group_ids or [] if group not in removed]
        added = request.get("add_security_group_ids") or []
        endpoint.security_group_ids = [*kept, *(group for group in added if group not in kept)]
        return done

    provider_class.modify_vpc_endpoint = modify_with_groups


def _filter_endpoint_services() -> None:
    """moto-ext 5.1.18.post6, moto/ec2/models/vpcs.py: DescribeVpcEndpointServices looks for a
    filter's values under Value, where LocalStack passes Values, and answers 500. To say of
    CloudFormation what it says of most, it loads every service, for 1.6 s of a core. And
    localstack-core 4.13.1, localstack/aws/handlers/region.py, serves the regions of other
    partitions as us-east-1, whose services then have other names."""
    from moto.ec2.models import vpcs

    module: Any = vpcs
    for names in (module.IMPLEMENTED_ENDPOINT_SERVICES, module.COVERED_ENDPOINT_SERVICES):
        if "cloudformation" in names:
            names.remove("cloudformation")
    backend_class = module.VPCBackend
    apply_filters = backend_class._filter_endpoint_services

    def filter_services(names: Any, filters: list[dict[str, Any]], services: Any) -> Any:
        named = [
            {**criterion, "Value": criterion.get("Value", criterion.get("Values", []))}
            for criterion in filters
        ]
        asked_names = [
            name
            for criterion in named
            if criterion["Name"] == "service-name"
            for name in criterion["Value"]
        ]
        all_services = [*services, *_of_other_partitions(asked_names, services)]
        return apply_filters(names, named, all_services)

    backend_class._filter_endpoint_services = staticmethod(filter_services)


# As com.amazonaws.us-east-1.logs, cn.com.amazonaws.cn-north-1.ec2, aws.sagemaker.us-east-1.notebook
_SERVICE_NAME = re.compile(
    r"(?:(?:cn\.)?com\.amazonaws|eu\.amazonaws|aws\.sagemaker)\.([\w-]+)\.(.+)"
)


def _of_other_partitions(names: list[str], services: list[dict[str, Any]]) -> Any:
    """The services of `names` whose region LocalStack serves as another one."""
    for asked_name in filter(None, map(_SERVICE_NAME.fullmatch, names)):
        for service in services:
            known_name = _SERVICE_NAME.fullmatch(service["ServiceName"])
            if known_name and known_name[2] == asked_name[2] and known_name[1] != asked_name[1]:
                yield {**service, "ServiceName": asked_name[0]}


def _find_tagged_resources_where_a_service_is_missing() -> None:
    """moto-ext 5.1.18.post6, moto/resourcegroupstaggingapi/models.py: GetResources asks WorkSpaces
    Web in each region that has WorkSpaces, and answers 500 if it is not there, as in
    ap-northeast-2."""
    from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
    from moto.workspacesweb.models import workspacesweb_backends

    backend_class: Any = ResourceGroupsTaggingAPIBackend
    if not hasattr(backend_class, "workspacesweb_backends"):
        raise AttributeError("workspacesweb_backends")

    def find_backend(backend: Any) -> Any:
        in_account = workspacesweb_backends[backend.account_id]
        is_there = backend.region_name in in_account.regions
        return in_account[backend.region_name] if is_there else None

    backend_class.workspacesweb_backends = property(find_backend)
