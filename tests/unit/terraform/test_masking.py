"""What is hidden, wherever Terraform could say it."""

import json
from pathlib import Path

import pytest

from tools.terraform import masking
from tools.terraform.masking import PLACEHOLDER

VARIABLES = """
variable "plain" {
  type = string
}

variable "password" {
  type      = string
  sensitive = true
}

variable "keys" {
  type      = map(object({ value = string }))
  default   = {}
  sensitive = true
}

output "password" {
  value     = var.password
  sensitive = true
}
"""
SECRET = "hunter2-planted"


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    (tmp_path / "variables.tf").write_text(VARIABLES)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("terraform.tfvars", f'password = "{SECRET}"\n'),
        ("terraform.tfvars", f'plain = "x"\nkeys = {{ a = {{ value = "{SECRET}" }} }}\n'),
        ("a.auto.tfvars", f'password = "{SECRET}"\n'),
        ("terraform.tfvars.json", json.dumps({"password": SECRET})),
        ("b.auto.tfvars.json", json.dumps({"keys": {"a": {"value": SECRET}}})),
        # Terraform refuses these, and quotes the line.
        ("terraform.tfvars.json", f'[{{"password": "{SECRET}", "plain": "x"}}]'),
        ("terraform.tfvars.json", f'{{"password": "{SECRET}", "password": "x"}}'),
        ("terraform.tfvars.json", f'{{"password": ["{SECRET}", {"[" * 5000 + "]" * 5000}]}}'),
        # Broken: the line itself is what the error quotes.
        ("terraform.tfvars", f'password = "{SECRET}\n'),
        ("terraform.tfvars", f"password = {SECRET}\n"),
        ("terraform.tfvars", f'plain = = 1\n  password="{SECRET}"\n'),
    ],
)
def test_a_value_in_a_file_is_hidden(stack: Path, file: str, text: str) -> None:
    (stack / file).write_text(text)
    mask = masking.mask_of(stack, {})
    assert mask(f"it is {SECRET}, twice {SECRET}.") == f"it is {PLACEHOLDER}, twice {PLACEHOLDER}."


@pytest.mark.parametrize(
    "env",
    [
        {"TF_VAR_password": SECRET},
        {"TF_VAR_keys": json.dumps({"a": {"value": SECRET}})},
        {"TF_VAR_keys": f'{{ a = {{ value = "{SECRET}" }} }}'},
        {"TF_CLI_ARGS_plan": f"-var password={SECRET}"},
        {"TF_CLI_ARGS": f"-no-color '-var=password={SECRET}'"},
        {"TF_CLI_ARGS_apply": "-var-file=secret.tfvars"},
        {"AWS_SECRET_ACCESS_KEY": f"wJalrXUtnFEMI/{SECRET}"},
        {"AWS_SESSION_TOKEN": f"IQoJb3JpZ2luX2Vj{SECRET}"},
    ],
    ids=lambda env: next(iter(env)),
)
def test_a_value_in_the_environment_is_hidden(stack: Path, env: dict[str, str]) -> None:
    (stack / "secret.tfvars").write_text(f'password = "{SECRET}"\n')
    mask = masking.mask_of(stack, env)
    [value] = (v for v in env.values()) if "AWS" in str(env) else [SECRET]
    assert mask(f"it is {value}.") == f"it is {PLACEHOLDER}."


@pytest.mark.parametrize(
    "written", ["hunter\\ud83d-x", "hunt\\u00e9r-x", "hunter\\/x", "hunt\\u00E9r-x"]
)
@pytest.mark.parametrize("is_default", [False, True])
def test_a_value_in_json_is_hidden_as_its_line_has_it(
    tmp_path: Path, written: str, is_default: bool
) -> None:
    default = f', "default": "{written}"' if is_default else ""
    (tmp_path / "v.tf.json").write_text(f'{{"variable": {{"s": {{"sensitive": true{default}}}}}}}')
    (tmp_path / "terraform.tfvars.json").write_text(
        "{}" if is_default else f'{{"s": ["{written}"]}}'
    )
    mask = masking.mask_of(tmp_path, {})
    assert mask(f'3: "s": "{written}"') == f'3: "s": "{PLACEHOLDER}"'
    value = "hunter\ufffd-x" if "ud83d" in written else json.loads(f'"{written}"')
    assert mask(value) == PLACEHOLDER


def test_a_value_that_is_no_utf8_is_hidden_as_logs_have_it(stack: Path) -> None:
    mask = masking.mask_of(stack, {"TF_VAR_password": f"{SECRET}\udcffend"})
    log = stack / "log"
    log.write_bytes(b"it is %s\xffend" % SECRET.encode())
    mask.scrub(log)
    assert log.read_text() == f"it is {PLACEHOLDER}"


def test_a_default_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        f'variable "a" {{\n  sensitive = true\n  default   = "{SECRET}"\n}}\n'
    )
    assert masking.mask_of(tmp_path, {})(SECRET) == PLACEHOLDER


def test_a_variable_declared_in_json_is_one(tmp_path: Path) -> None:
    declared = {"variable": {"a": {"sensitive": True}}}
    (tmp_path / "main.tf.json").write_text(json.dumps(declared))
    assert masking.mask_of(tmp_path, {"TF_VAR_a": SECRET})(SECRET) == PLACEHOLDER


@pytest.mark.parametrize(
    "value",
    ['say "hi" <now>', "back\\slash\there", "${literal} %{x}", "gr\u00fcn&wei\u00df", "a.*(b"],
)
def test_a_value_is_hidden_as_json_and_hcl_write_it(stack: Path, value: str) -> None:
    mask = masking.mask_of(stack, {"TF_VAR_password": value})
    in_go = json.dumps(value, ensure_ascii=False)
    for character in "<>&":
        in_go = in_go.replace(character, f"\\u{ord(character):04x}")
    quoted = in_go[1:-1]
    for written in (value, json.dumps(value)[1:-1], quoted):
        assert mask(f"<{written}>") == f"<{PLACEHOLDER}>"


def test_each_line_of_a_long_value_is_hidden(stack: Path) -> None:
    key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7\n-----END KEY-----\n"
    mask = masking.mask_of(stack, {"TF_VAR_password": key})
    assert "MIIE" not in mask("   + MIIEpAIBAAKCAQEA7")
    assert "MIIE" not in mask(json.dumps({"@message": key}))


def test_others_values_and_short_ones_are_shown(stack: Path) -> None:
    (stack / "terraform.tfvars").write_text('plain = "visible"\npassword = "dev"\n')
    mask = masking.mask_of(stack, {"AWS_SECRET_ACCESS_KEY": "test", "TF_VAR_other": "visible"})
    text = "visible, dev, a test of https://example.com/r.git"
    assert mask(text) == text


def test_a_password_in_an_url_is_hidden(tmp_path: Path) -> None:
    mask = masking.mask_of(tmp_path, {})
    assert (
        mask('"https://me:ghp_x1@example.com/r.git"')
        == f'"https://{PLACEHOLDER}@example.com/r.git"'
    )
    assert mask("http://127.0.0.1:4566/@x") == "http://127.0.0.1:4566/@x"


def test_a_log_is_written_again_only_where_it_holds_something(stack: Path) -> None:
    mask = masking.mask_of(stack, {"TF_VAR_password": SECRET})
    clean, dirty = stack / "clean.log", stack / "dirty.log"
    clean.write_bytes(b"\xff as it was\r\n")
    dirty.write_text(f"a\n{SECRET}\n")
    mask.scrub(clean)
    mask.scrub(dirty)
    assert clean.read_bytes() == b"\xff as it was\r\n"
    assert dirty.read_text() == f"a\n{PLACEHOLDER}\n"


@pytest.mark.parametrize(
    "block",
    [
        'variable "s" {\n  sensitive = "true"\n}',
        'variable "s" {\n  sensitive = (true)\n}',
        'variable "s" { sensitive = true }',
        '   variable   "s"\t{\n sensitive=true\n   }',
        "variable s {\n  sensitive = true\n}",
        '/* a */ variable /* b */ "s" { # c\n  sensitive /* d */ = true // e\n}',
        '# variable "s" {}\nvariable "s" {\n  default = {\n    a = "}"\n  }\n  sensitive = true\n}',
        'variable "s" {\n  description = <<EOT\n  }\n  EOT  \n  sensitive = true\n}',
        'variable "s" {\n  sensitive = !false\n}',
        "variable s {\r\n  sensitive = true\r\n}\r\n",
        '\ufeffvariable "s" {\n  sensitive = true\n}',
        'locals {\n  größe = "${~ "y" ~}$${ only"\n}\nvariable "s" {\n  sensitive = true\n}',
        # What cannot be read may say so.
        'locals {\n  a = = 1\n}\nvariable "s" {\n  sensitive = true\n}',
    ],
)
@pytest.mark.parametrize("file", ["terraform.tfvars", ".x.auto.tfvars", "environment"])
def test_a_sensitive_variable_is_one_however_its_block_is_written(
    tmp_path: Path, block: str, file: str
) -> None:
    (tmp_path / "main.tf").write_text(block, encoding="utf-8")
    if file == "environment":
        env = {"TF_VAR_s": SECRET}
    else:
        env = {}
        (tmp_path / file).write_text(f's = "{SECRET}"\n')
    assert SECRET not in masking.mask_of(tmp_path, env)(f"it is {SECRET}")


@pytest.mark.parametrize(
    "text",
    [
        f'\ufeffs = "{SECRET}"\n',
        f's = "{SECRET}\n',
        f's = {{\n  a = "{SECRET}"\n',
        f"s = <<EOT\n{SECRET}\n",
        f's = concat("{SECRET}", var.x)\n',
        f"s = <<EOT\n{SECRET}\nEOT  \n",
        f'a = 1 + 2\ns = ("{SECRET}")\n',
        f"s = = {SECRET}\n",
    ],
)
def test_a_value_is_hidden_however_its_file_is_written(tmp_path: Path, text: str) -> None:
    (tmp_path / "main.tf").write_text('variable "s" {\n  sensitive = true\n}\n')
    (tmp_path / "terraform.tfvars").write_text(text, encoding="utf-8")
    assert SECRET not in masking.mask_of(tmp_path, {})(f"line 2: {SECRET}")


@pytest.mark.parametrize(
    "files",
    [
        {"main.tf": f'variable "s" {{\n  default = {{ a = ["{SECRET}"] }}\n  sensitive = true\n}}'},
        {
            "main.tf": 'variable "s" {\n  sensitive = true\n  type = object({ a = optional(any), '
            f'b = list(object({{ pw = optional(string, "{SECRET}") }})) }})\n}}'
        },
        {
            "main.tf.json": json.dumps(
                {"variable": [{"s": [{"sensitive": "true", "default": SECRET}]}]}
            )
        },
        # Terraform takes both blocks.
        {
            "main.tf.json": f'{{"variable": {{"s": {{"sensitive": true, "default": "{SECRET}"}}}}, '
            '"variable": {"b": {}}}'
        },
        {
            "main.tf": f'variable "s" {{\n  default = "{SECRET}"\n}}\n',
            "x_override.tf": 'variable "s" {\n  sensitive = true\n}\n',
        },
        {"main.tf": f'variable "s" {{\n  sensitive = true\n  default = "{SECRET}"\n  a = = 1\n}}'},
    ],
)
def test_a_default_is_hidden_however_it_is_written(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert SECRET not in masking.mask_of(tmp_path, {})(f"it is {SECRET}")


def test_the_type_of_a_resource_is_never_hidden(tmp_path: Path) -> None:
    """By it the program knows what holds data."""
    (tmp_path / "main.tf").write_text('variable "s" {\n  sensitive = true\n}\n')
    mask = masking.mask_of(tmp_path, {"TF_VAR_s": "aws_s3_bucket"})
    assert mask.event({"resource_type": "aws_s3_bucket"}) == {"resource_type": "aws_s3_bucket"}


def test_an_ephemeral_value_is_hidden(tmp_path: Path) -> None:
    """Terraform 1.11.4 prints it where a provisioner does."""
    (tmp_path / "main.tf").write_text('variable "a" {\n  ephemeral = true\n}\n')
    (tmp_path / "terraform.tfvars").write_text(f'a = "{SECRET}"\n')
    assert masking.mask_of(tmp_path, {})(SECRET) == PLACEHOLDER


def test_the_keys_of_a_map_are_hidden_and_the_names_of_attributes_are_not(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        'variable "a" {\n  sensitive = true\n  type = map(object({ attribute = string }))\n}\n'
        'variable "b" {\n  sensitive = true\n  type = object({ another = string })\n}\n'
    )
    values = f'a = {{ "{SECRET}" = {{ attribute = "value" }} }}\nb = {{ another = "value" }}\n'
    (tmp_path / "terraform.tfvars").write_text(values)
    mask = masking.mask_of(tmp_path, {})
    assert mask(f"{SECRET} attribute another") == f"{PLACEHOLDER} attribute another"


NESTED = {
    "a map in an object": ("object({ attribute = map(string) })", '{ attribute = { KEY = "v" } }'),
    "maps in a list": (
        "object({ attribute = list(map(number)) })",
        "{ attribute = [{ KEY = 1 }] }",
    ),
    "a map in an optional object": (
        "object({ attribute = optional(object({ attribute = map(any) }), null) })",
        '{ attribute = { attribute = { KEY = "v" } } }',
    ),
    "a map in a tuple": ("tuple([string, map(string)])", '["v", { KEY = "v" }]'),
    "maps in maps": ("map(map(string))", '{ "a" = { KEY = "v" } }'),
    "a map of objects": (
        "set(map(object({ attribute = string })))",
        '[{ KEY = { attribute = "v" } }]',
    ),
    "any": ("any", '{ "a" = { KEY = "v" } }'),
    "any in an object": ("object({ attribute = any })", '{ attribute = [{ KEY = "v" }] }'),
    "a map without a type": ("map", '{ KEY = { "a" = "v" } }'),
    "what the type has not": ("object({ attribute = string })", '{ attribute = "v", KEY = "v" }'),
    "another value than the type": ("list(string)", '{ KEY = "v" }'),
    "a type that is not known": ("a_type_to_come(string)", '{ KEY = "v" }'),
}


@pytest.mark.parametrize(("type_", "value"), NESTED.values(), ids=NESTED)
@pytest.mark.parametrize("place", ["file", "JSON", "default", "environment", "option"])
def test_the_keys_of_nested_maps_are_hidden(
    tmp_path: Path, type_: str, value: str, place: str
) -> None:
    value, env = value.replace("KEY", f'"{SECRET}"'), {}
    default = f"  default = {value}\n" if place == "default" else ""
    declared = f'variable "a" {{\n  sensitive = true\n  type = {type_}\n{default}}}\n'
    (tmp_path / "main.tf").write_text(declared)
    if place == "file":
        (tmp_path / "terraform.tfvars").write_text(f"a = {value}\n")
    elif place == "JSON":
        in_json = value.replace("=", ":").replace("attribute :", '"attribute" :')
        (tmp_path / "terraform.tfvars.json").write_text(f'{{"a": {in_json}}}')
    elif place == "environment":
        env["TF_VAR_a"] = value
    elif place == "option":
        env["TF_CLI_ARGS_plan"] = f"'-var=a={value}'"
    mask = masking.mask_of(tmp_path, env)
    assert mask(f"{SECRET} attribute") == f"{PLACEHOLDER} attribute"


def test_the_names_in_json_that_is_a_text_are_shown(tmp_path: Path) -> None:
    """As the key of a service account is given."""
    (tmp_path / "main.tf").write_text(
        'variable "a" {\n  sensitive = true\n}\n'
        'variable "b" {\n  type = string\n  sensitive = true\n}\n'
    )
    text = json.dumps({"type": "account", "keys": {"private": SECRET}})
    for name in ("a", "b"):
        mask = masking.mask_of(tmp_path, {f"TF_VAR_{name}": text})
        assert mask(f"type of private: {SECRET}") == f"type of private: {PLACEHOLDER}"


def test_the_keys_of_a_map_without_a_type_are_hidden(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('variable "a" {\n  sensitive = true\n}\n')
    (tmp_path / "x_override.tf").write_text('variable "a" {\n  default = {}\n}\n')
    (tmp_path / "terraform.tfvars").write_text(f'a = {{ "{SECRET}" = "value" }}\n')
    assert masking.mask_of(tmp_path, {})(SECRET) == PLACEHOLDER


def test_the_keys_of_a_map_that_json_declares_are_hidden(tmp_path: Path) -> None:
    variables = {
        "a": {"sensitive": True, "type": "map(string)"},
        "b": {"sensitive": True, "type": "object({ another = string })"},
    }
    (tmp_path / "main.tf.json").write_text(json.dumps({"variable": variables}))
    (tmp_path / "terraform.tfvars").write_text(
        f'a = {{ "{SECRET}" = "value" }}\nb = {{ another = "value" }}\n'
    )
    assert masking.mask_of(tmp_path, {})(f"{SECRET} another") == f"{PLACEHOLDER} another"


CHOICE = 'contains(["visible"], terraform.workspace)'
HANDED = {
    "a literal": (f'"{SECRET}"', ""),
    "a variable": ("var.root", f'root = "{SECRET}"\n'),
    "a local of a variable": ("local.whole", f'root = "{SECRET}"\n'),
    "a part of a text": (f'"${{var.root}}-{SECRET}"', 'root = "x"\n'),
    "a default": ("var.root", ""),
    # "visible" only chooses.
    "one of a map": ('local.whole["visible"]', f'root = "{SECRET}"\n'),
    "one of two": (f'{CHOICE} ? "{SECRET}" : "other"', ""),
    "the other of two": (f'{CHOICE} ? "other" : "{SECRET}"', ""),
}


@pytest.mark.parametrize(("argument", "values"), HANDED.values(), ids=HANDED)
@pytest.mark.parametrize("nested", [False, True])
def test_what_a_sensitive_variable_of_a_module_is_given_is_hidden(
    tmp_path: Path, argument: str, values: str, nested: bool
) -> None:
    """It is marked in the module alone."""
    inner = 'variable "pw" {\n  sensitive = true\n}\nvariable "shown" {}\n'
    between = (
        'variable "pw" {}\nvariable "shown" {}\nmodule "m" {\n  source = "../inner"\n'
        "  pw = var.pw\n  shown = var.shown\n}\n"
    )
    root = (
        f'variable "root" {{\n  default = "{SECRET}"\n}}\n'
        "locals {\n  whole = { a = var.root }\n}\n"
        f'module "m" {{\n  source = "../{"between" if nested else "inner"}"\n'
        f'  pw = {argument}\n  shown = "visible"\n}}\n'
    )
    for name, text in {"inner": inner, "between": between, "root": root}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(text)
    (tmp_path / "root/terraform.tfvars").write_text(values)
    mask = masking.mask_of(tmp_path / "root", {})
    assert mask(f"{SECRET} and visible") == f"{PLACEHOLDER} and visible"


@pytest.mark.parametrize("root", ["stacks/root", "linked"])
def test_a_module_behind_a_link_calls_another_beside_its_real_place(
    tmp_path: Path, root: str
) -> None:
    """Terraform follows the link before it looks for "../inner"."""
    texts = {
        "stacks/root": f'module "m" {{\n  source = "./m"\n  token = "{SECRET}"\n}}\n',
        "real/m": 'variable "token" {}\nmodule "i" {\n  source = "../inner"\n  t = var.token\n}\n',
        "real/inner": 'variable "t" {\n  sensitive = true\n}\n',
    }
    for name, text in texts.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "main.tf").write_text(text)
    (tmp_path / "stacks/root/m").symlink_to("../../real/m")
    (tmp_path / "linked").symlink_to("stacks/root")
    assert masking.mask_of(tmp_path / root, {})(SECRET) == PLACEHOLDER


def test_modules_that_are_missing_or_call_themselves_keep_nothing_from_being_hidden(
    tmp_path: Path,
) -> None:
    """Terraform refuses both, and may quote the line."""
    call = 'module "%s" {\n  source = "../%s"\n  pw = %s\n}\n'
    declared = 'variable "pw" {\n  sensitive = true\n}\n'
    texts = {
        "circle": declared + call % ("again", "circle", "var.pw"),
        "root": call % ("a", "gone", '"visible"') + call % ("b", "circle", f'"{SECRET}"'),
    }
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(text)
    mask = masking.mask_of(tmp_path / "root", {})
    assert mask(f"{SECRET} and visible") == f"{PLACEHOLDER} and visible"
