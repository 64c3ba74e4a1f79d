"""Which files a plan reads: the right answers are Terraform's, tried with its own binary.

`tests/cli/test_inputs.py` holds a choice of them against `terraform plan`.
"""

import json
import os
from pathlib import Path

import pytest

from tests.trees import write_stack
from tools.engine.file_digests import FileDigests
from tools.engine.file_reads import FileReader
from tools.engine.read_collector import FileReads


class Tree:
    """A stack in a repository, and what a plan of it reads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env = {"HOME": str(root / "home")}
        self.stack = write_stack(root, "notebooks/n", "")

    def write(self, name: str, text: str = "x") -> Path:
        """A file by its path from the stack."""
        path = Path(os.path.normpath(self.stack / name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, text: str = "", name: str = "main.tf") -> FileReads:
        if text:
            self.write(name, text)
        return FileReader(str(self.root), self.env).read(str(self.stack))

    def counts(self, name: str, text: str = "") -> bool:
        """Whether a change of a file counts, and nothing is unknown."""
        reads = self.read(text)
        assert not reads.unknown, list(reads.unknown)
        return os.path.normpath(self.stack / name) in reads.files


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def value(expression: str) -> str:
    return f'output "x" {{\n  value = {expression}\n}}\n'


@pytest.mark.parametrize(
    ("expression", "file"),
    [
        ('file("${path.module}/../../scripts/${each.key}.sh")', "../../scripts/prod.sh"),
        ('file("../../scripts/${upper(each.key)}.sh")', "../../scripts/prod.sh"),
        ('[for k in ["a"] : filemd5("../../scripts/a-${k}.sh")]', "../../scripts/prod.sh"),
        ('file("~/.ssh/id.pub")', "../../home/.ssh/id.pub"),
        ('file(pathexpand("~/.ssh/id.pub"))', "../../home/.ssh/id.pub"),
        ('file("${path.root}/../../s/a.sh")', "../../s/a.sh"),
        ('file("${abspath(path.module)}/../../s/a.sh")', "../../s/a.sh"),
        ('file(format("../../s/%s.sh", "a"))', "../../s/a.sh"),
        ('file(join("/", ["../..", "s", "a.sh"]))', "../../s/a.sh"),
        ('file(true ? "../../s/a.sh" : "b")', "../../s/a.sh"),
        ('file(data.x.y.z ? "c" : "../../s/a.sh")', "../../s/a.sh"),
        ('core::filesha256("../../s/a.sh")', "../../s/a.sh"),
        ('file(# c\n  "../../s/a.sh" # d\n  )', "../../s/a.sh"),
        ('<<EOT\n${file("../../s/a.sh")}\nEOT  ', "../../s/a.sh"),
        ('"%{ if file("../../s/a.sh") == "" }a%{ endif }"', "../../s/a.sh"),
        ('fileset("../../s", "*.sh")', "../../s/.hidden.sh"),
        ('fileset("../..", "s/**/*.pyc")', "../../s/b/a.pyc"),
        ('fileset(".", "../../s/*")', "../../s/crash.log"),
        ('file("crash.log")', "crash.log"),
        ('file("x.tfstate.json")', "x.tfstate.json"),
        ('file(".hidden")', ".hidden"),
        ('fileexists("a.pyc")', "a.pyc"),
        (
            'file("../../shared-infra/b/terraform.tfstate")',
            "../../shared-infra/b/terraform.tfstate",
        ),
        ('templatefile("../../s/a.tpl", {})', "../../s/a.tpl"),
    ],
)
def test_a_file_that_a_function_reads_counts(tree: Tree, expression: str, file: str) -> None:
    tree.write(file)
    assert tree.counts(file, value(expression))


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("file(format(var.pattern, 1))", "file() in main.tf reads a path that is not known"),
        ('file("${each.key}.sh")', "file() in main.tf reads a path that is not known"),
        ('file("/${each.key}.sh")', "file() in main.tf reads a path that is not known"),
        ("filebase64(data.x.y.path)", "filebase64() in main.tf reads a path that is not known"),
        ('fileset(var.folder, "*")', "fileset() in main.tf reads a path that is not known"),
        ('file("terraform.tfstate")', "which each apply changes"),
        ('fileset(path.module, "*")', "lists what Terraform writes beside it"),
        ('fileset(path.root, "**/*.json")', "lists what Terraform writes beside it"),
        ('fileset("..", "n/t*")', "lists what Terraform writes beside it"),
        ('file("/proc/self/status")', "belongs to the operating system"),
        ('fileset("/proc", "*")', "belongs to the operating system"),
        ('file("/proc/${each.key}")', "belongs to the operating system"),
        ('file("../../many/${each.key}")', "holds more than"),
        ('file("../../${each.key}")', "holds .git, which changes by itself"),
        ('file("../../pipe/${each.key}")', "holds p, which is no regular file"),
        ('file("../../pipe/p")', "is no regular file"),
        ('templatefile("../../s/calls.tpl", {})', "calls.tpl, a template of main.tf reads"),
    ],
)
def test_a_path_that_cannot_be_told_is_unknown_with_the_reason(
    tree: Tree, expression: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.engine.file_digests._MOST_FILES", 3)
    for number in range(4):
        tree.write(f"../../many/{number}")
    tree.write("../../.git/HEAD")
    tree.write("../../s/calls.tpl", "${file(name)}")
    tree.write("../../pipe/a").with_name("p").unlink(missing_ok=True)
    os.mkfifo(tree.root / "pipe/p")
    tree.write("terraform.tfstate", "{}")
    [unknown] = tree.read(value(expression)).unknown
    assert reason in unknown


@pytest.mark.parametrize(
    "text",
    [
        value('"/usr/share"'),
        value('"/proc/self"'),
        value('"/"'),
        value('"../.."'),
        value('provider::x::file("/usr/share")'),
        value('templatestring("${path.module}", {})'),
        value('filenames("/usr/share/${each.key}")'),
        "# file(var.x)\n",
        value('"file(\\"/proc/self\\")"'),
    ],
)
def test_a_text_that_no_function_reads_is_no_input(tree: Tree, text: str) -> None:
    reads = tree.read(text)
    assert not reads.unknown
    assert list(reads.files) == [str(tree.stack / "main.tf")]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('data "archive_file" "x" {\n  source_dir = "../../src"\n}\n', "../../src/.env"),
        ('data "archive_file" "x" {\n  source_dir = "../../src/${each.key}"\n}\n', "../../src/a/b"),
        ('data "local_file" "x" {\n  filename = "../../src/a"\n}\n', "../../src/a"),
        (
            'resource "aws_s3_object" "x" {\n  source = local.f\n}\nlocals {\n  f = "../../a"\n}\n',
            "../../a",
        ),
        (
            'resource "x" "x" {\n  anything = "${path.module}/../../some file"\n}\n',
            "../../some file",
        ),
        ('resource "x" "x" {\n  inner {\n    chart = "../../chart"\n  }\n}\n', "../../chart/a/b"),
        ('module "m" {\n  source = "../../modules/m"\n  f = "../../a"\n}\n', "../../a"),
        ('variable "x" {\n  default = "../../a"\n}\n', "../../a"),
    ],
)
def test_a_path_in_an_argument_counts(tree: Tree, text: str, name: str) -> None:
    tree.write("../../modules/m/main.tf")
    tree.write(name)
    assert tree.counts(name, text)


def test_a_path_argument_that_cannot_be_told_is_unknown(tree: Tree) -> None:
    text = 'data "archive_file" "x" {\n  source_dir = var.dir\n}\nvariable "dir" {}\n'
    [unknown] = tree.read(text).unknown
    assert unknown.startswith("archive_file.x.source_dir in main.tf is a path that is not known")
    made = 'resource "aws_lambda_function" "x" {\n  filename = data.archive_file.x.output_path\n}\n'
    assert not tree.read(made).unknown


@pytest.mark.parametrize("name", ["terraform.workspace", "tofu.workspace"])
def test_a_path_with_the_workspace_in_it_is_known(tree: Tree, name: str) -> None:
    tree.write("../../s/default.sh")
    other = tree.write("../../s/other.sh")
    assert tree.counts("../../s/default.sh", value(f'file("../../s/${{{name}}}.sh")'))
    assert str(other) not in tree.read().files
    object_ = f'resource "aws_s3_object" "x" {{\n  source = {name}\n}}\n'
    tree.write("default")
    assert tree.counts("default", object_)


@pytest.mark.parametrize("name", [".my.auto.tfvars", ".x.auto.tfvars.json", "a.auto.tfvars"])
def test_values_that_terraform_reads_by_itself_count(tree: Tree, name: str) -> None:
    tree.write(name, "{}")
    assert tree.counts(name)


@pytest.mark.parametrize(
    ("source", "given"),
    [
        ("default", {}),
        ("terraform.tfvars", {"terraform.tfvars": 'which = "p"\n'}),
        (".x.auto.tfvars", {"terraform.tfvars": 'which = "q"\n', ".x.auto.tfvars": 'which = "p"'}),
        ("json", {"terraform.tfvars.json": '{"which": "p"}'}),
        ("environment", {}),
    ],
)
def test_a_path_made_of_a_variable_is_followed_to_its_value(
    tree: Tree, source: str, given: dict[str, str]
) -> None:
    default = '"p"' if source == "default" else '"r"'
    for name, text in given.items():
        tree.write(name, text)
    if source == "environment":
        tree.env["TF_VAR_which"] = "p"
    tree.write("../../s/p/a")
    tree.write("../../s/q/a")
    text = f'variable "which" {{\n  default = {default}\n}}\n'
    reads = tree.read(text + value('file("../../s/${var.which}/a")'))
    assert not reads.unknown
    outside = {path for path in reads.files if not path.startswith(str(tree.stack))}
    assert outside == {str(tree.root / "s/p/a")}


def test_a_value_that_leads_out_of_the_folder_is_followed_or_unknown(tree: Tree) -> None:
    outside = tree.write("../../s/a")
    text = 'variable "f" {\n  default = "../../s/a"\n}\n' + value('file("${path.root}/${var.f}")')
    assert tree.counts(str(outside), text)
    text = value('[for f in ["../../s/a"] : file("${path.root}/${f}")]')
    assert any(
        'may lead out of its folder by a ".."' in unknown for unknown in tree.read(text).unknown
    )


@pytest.mark.parametrize(
    "path",
    [
        '"../../s/d/${chomp("k")}/../../a"',
        '"../../s/d/${chomp("k")}/../${local.dot}${local.dot}/a"',
        '"../../s/d/${substr("...", 1, var.n)}/a"',
        '"../../s/d/${trim("a..a", var.x)}/a"',
        '"../../s/d/${join("", [for i in var.l : "."])}/a"',
        '"../../s/d/${title(join(".", ["", var.x, "/a"]))}"',
        '"../../s/d/${format("%s.%s", ".", var.x)}/a"',
        '"../../s/d/${yamldecode("x: ../a").x}"',
        '"../../s/d/${yamldecode(local.text).x}"',
        '"../../s/d/${sort(split(",", var.list))[0]}"',
        '"../../s/d/${strrev("a/${local.dot}${upper(local.dot)}")}"',
        'var.x == "" ? "../../s/a" : "../../s/d/${var.x}/../a"',
        '"../../s/d/.${join("", [var.x, "./a"])}"',
    ],
)
def test_a_path_that_may_climb_where_it_is_not_known_is_unknown(tree: Tree, path: str) -> None:
    """Each can be "../../s/d/../a", or leads there, for which plain Terraform reads s/a."""
    names = 'variable "n" {}\nvariable "x" {}\nvariable "l" {}\nvariable "list" {}\n'
    texts = 'locals {\n  dot = "."\n  text = <<-X\n    x: ../a\n  X\n}\n'
    tree.write("terraform.tfvars", 'list = "one,../a"\n')
    assert tree.read(names + texts + value(f"file({path})")).unknown


@pytest.mark.parametrize(
    "path", ['"s/${null}"', '"s/${[1]}"', '"s/${format()}"', '"s/${join()}"', '"s/${substr()}"']
)
def test_a_path_that_terraform_refuses_is_no_error_of_ours(tree: Tree, path: str) -> None:
    tree.read(value(f"file({path})"))


@pytest.mark.parametrize(
    "path",
    [
        '"../../s/d/${var.x}.${var.n}"',
        '"../../s/d/${var.x}.sh"',
        '"../../s/d/${replace(var.x, ".", "-")}.json"',
        '"../../s/${var.x == "" ? "d" : "./d"}/${lower(var.x)}.a.b"',
        '"${path.module}/${local.folder}"',
    ],
)
def test_a_path_that_cannot_climb_counts_by_its_folder(tree: Tree, path: str) -> None:
    names = (
        'variable "n" {}\nvariable "x" {}\nlocals {\n  folder = "../../s/d/${lower(var.x)}"\n}\n'
    )
    tree.write("../../s/d/a")
    assert tree.counts("../../s/d/a", names + value(f"file({path})"))


def test_a_module_and_a_folder_behind_links_lie_where_they_really_are(tree: Tree) -> None:
    """Terraform's path.module is behind the link, whose ".." is the real parent."""
    tree.write("../../far/deep/mod/main.tf", value('file("${path.module}/../a")'))
    tree.write("../../far/deep/a")
    (tree.root / "modules").mkdir()
    (tree.root / "modules/m").symlink_to("../far/deep/mod")
    call = 'module "m" {\n  source = "../../modules/m"\n}\n'
    assert tree.counts("../../far/deep/a", call)
    (tree.root / "notebooks").rename(tree.root / "far/deep/notebooks")
    (tree.root / "notebooks").symlink_to("far/deep/notebooks")
    (tree.root / "far/deep/x").write_text("1")
    (tree.root / "x").write_text("1")
    text = value('file("../../x")')
    before = tree.read(text).files
    (tree.root / "x").write_text("2")
    assert tree.read(text).files == before
    (tree.root / "far/deep/x").write_text("2")
    assert tree.read(text).files != before


@pytest.mark.parametrize(
    "number",
    [
        "0.00001",
        "1e-5",
        "1e-99999999999999999999",
        "0.1234567890123456789",
        "12345678901234567.5",
        "-0",
        "-0.0",
    ],
)
@pytest.mark.parametrize("file", ["terraform.tfvars", "terraform.tfvars.json"])
def test_a_number_that_python_has_not_exactly_is_not_known(
    tree: Tree, number: str, file: str
) -> None:
    """Terraform keeps 512 bits, and writes no exponent."""
    tree.write(file, f'{{"n": {number}}}' if file.endswith(".json") else f"n = {number}\n")
    tree.write("../../s/d/lr-0.00001")
    text = 'variable "n" {}\n' + value('file("../../s/d/lr-${var.n}")')
    assert tree.counts("../../s/d/lr-0.00001", text)


def test_the_value_of_a_sensitive_variable_is_in_no_path(tree: Tree) -> None:
    tree.write("terraform.tfvars", 'x = "S3CRET"\n')
    tree.write("../../s/d/S3CRET")
    text = 'variable "x" {\n  sensitive = true\n}\nlocals {\n  y = upper(var.x)\n}\n'
    reads = tree.read(text + value('[fileexists("../../s/e/${var.x}"), file("gone/${local.y}")]'))
    assert "S3CRET" not in repr((reads.files, reads.unknown, reads.by_outputs))


def test_a_null_file_is_none(tree: Tree) -> None:
    """As `on_create_file` of a notebook is, where none is set."""
    text = 'variable "f" {\n  default = null\n}\n'
    expression = 'var.f == null ? "" : file("../../s/${var.f}")'
    tree.write("../../s/a")
    reads = tree.read(text + value(expression))
    assert not reads.unknown
    assert list(reads.files) == [str(tree.stack / "main.tf")]


def test_path_root_and_plain_paths_in_a_module_are_the_stack_s(tree: Tree) -> None:
    tree.write("../../modules/m/main.tf", value('file("${path.root}/.a") == file(".b")'))
    tree.write(".a")
    tree.write(".b")
    call = 'module "m" {\n  source = "../../modules/m"\n}\n'
    assert tree.counts(".a", call)
    assert tree.counts(".b", call)


def test_what_a_module_reads_is_not_taken_from_another_caller(tree: Tree) -> None:
    """A module that hundreds call is looked at once, if nothing in it depends on the caller."""
    text = 'variable "f" {}\n' + value('file("${path.module}/.${var.f}")')
    tree.write("../../modules/m/main.tf", text)
    reader = FileReader(str(tree.root), tree.env)
    for name in ("a", "b"):
        hidden = tree.write(f"../../modules/m/.{name}")
        call = f'module "m" {{\n  source = "../../modules/m"\n  f = "{name}"\n}}\n'
        stack = write_stack(tree.root, f"notebooks/{name}", call)
        assert str(hidden) in reader.read(str(stack)).files


@pytest.mark.parametrize("source", ["../../modules/${var.w}", "../../modules/${local.w}"])
def test_a_module_s_source_with_a_known_variable_is_followed(tree: Tree, source: str) -> None:
    names = 'variable "w" {\n  default = "m"\n}\nlocals {\n  w = var.w\n}\n'
    tree.write("../../modules/m/main.tf")
    assert tree.counts(
        "../../modules/m/main.tf", f'{names}module "m" {{\n  source = "{source}"\n}}\n'
    )
    unknown = tree.read(
        f'variable "w" {{}}\nmodule "m" {{\n  source = "../../{"${var.w}"}"\n}}\n'
    ).unknown
    assert list(unknown) == ["the source of module m is not known without Terraform"]


def test_a_module_from_elsewhere_counts_by_what_is_installed(tree: Tree) -> None:
    call = 'module "m" {\n  source = "git::https://example.com/m.git?ref=main"\n}\n'
    [unknown] = tree.read(call).unknown
    assert unknown.endswith("is not installed here")
    manifest = {"Modules": [{"Key": "m", "Source": "x", "Dir": ".terraform/modules/m/sub"}]}
    tree.write(".terraform/modules/modules.json", json.dumps(manifest))
    tree.write(".terraform/modules/m/sub/main.tf", value('file("${path.module}/../x")'))
    tree.write(".terraform/modules/m/x")
    assert tree.counts(".terraform/modules/m/sub/main.tf")
    assert tree.counts(".terraform/modules/m/x")
    assert not tree.counts(".terraform/modules/modules.json")


@pytest.mark.parametrize(
    "call",
    [
        'source = "git::https://example.com/m.git?ref=0123456789abcdef0123456789abcdef01234567"',
        'source = "terraform-aws-modules/vpc/aws"\n  version = "5.1.0"',
    ],
)
def test_a_module_with_a_fixed_version_need_not_be_installed(tree: Tree, call: str) -> None:
    """Pipelines begin with a fresh checkout."""
    assert tree.counts("main.tf", f'module "m" {{\n  {call}\n}}\n')


def test_what_an_option_names_counts(tree: Tree) -> None:
    tree.env["TF_CLI_ARGS_plan"] = "-var-file=../../prod.tfvars -no-color"
    tree.write("../../prod.tfvars", 'a = "b"\n')
    assert tree.counts("../../prod.tfvars")


def test_a_file_in_json_reads_files_too(tree: Tree) -> None:
    tree.write("../../s/a")
    text = json.dumps({"output": {"x": {"value": 'a "${file("../../s/a")}"'}}})
    assert str(tree.root / "s/a") in tree.read(text, "x.tf.json").files


IN_CHECK = 'data "http" "up" {\n    url = "u"\n  }\n  '
ASSERTED = 'assert {\n    condition = true\n    error_message = "m"\n  }\n'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("main.tf", f'check "health" {{\n  {IN_CHECK}{ASSERTED}}}\n'),
        ("../../modules/m/main.tf", f'check "health" {{\n  {IN_CHECK}{ASSERTED}}}\n'),
        ("main.tf.json", '{"check": {"health": {"data": {"http": {"up": {"url": "u"}}}}}}'),
        ("main.tf.json", '{"check": [{"health": [{"data": [{"http": [{"up": {}}]}]}]}]}'),
    ],
)
def test_a_data_source_in_a_check_is_read_in_every_apply(tree: Tree, name: str, text: str) -> None:
    """Terraform 1.11.4: `plan -detailed-exitcode` says 2, "config will be reloaded to verify"."""
    call = 'module "m" {\n  source = "../../modules/m"\n}\n'
    tree.write(name, text)
    [unknown] = (tree.read(call) if "modules" in name else tree.read(text, name)).unknown
    assert unknown == f'data.http.up in check "health" in {name} is read in every apply'


def test_a_check_without_a_data_source_is_known(tree: Tree) -> None:
    assert not tree.read(f'check "health" {{\n  {ASSERTED}}}\n').unknown
    assert not tree.read(
        '{"check": {"health": {"assert": {"condition": true}}}}', "c.tf.json"
    ).unknown


def test_one_file_that_cannot_be_read_is_unknown_and_names_it(tree: Tree) -> None:
    [unknown] = tree.read('locals {\n  a = file("x") = 1\n}\n').unknown
    assert unknown.startswith("this tool cannot read main.tf; Terraform can (line 2")


def test_what_terraform_writes_in_the_stack_is_no_input(tree: Tree) -> None:
    for name in ("terraform.tfstate", ".terraform/providers/x", ".terraform.lock.hcl"):
        tree.write(name)
    reads = tree.read(value('[for f in fileset("sub", "*") : file("${path.module}/${f}")]'))
    assert not reads.unknown
    assert list(reads.files) == [str(tree.stack / "main.tf")]


def test_a_link_in_a_circle_ends(tree: Tree) -> None:
    (tree.root / "loop").mkdir()
    for name in ("one", "two"):
        (tree.root / "loop" / name).symlink_to(".")
    [unknown] = tree.read(value('fileset("../../loop", "**")')).unknown
    assert "folders" in unknown


CLIMBING = {
    "a decoded file": 'file("s/${jsondecode(file("names.json")).x}")',
    "a file of one line": 'file("s/${trimspace(file("name.txt"))}")',
    "an element of a decoded file": '[for n in jsondecode(file("names.json")) : file("s/${n}")]',
    "a local of it": 'file("s/${local.names.x}")',
    "a data source": 'file("s/${data.aws_ssm_parameter.x.value}")',
    "a resource": 'file("s/${terraform_data.x.output}")',
    "a module": 'file("s/${module.x.path}")',
    "a text that is decoded": 'file("s/${base64decode("Li4v")}")',
}


@pytest.mark.parametrize("expression", CLIMBING.values(), ids=CLIMBING)
def test_a_path_is_unknown_if_its_rest_may_lead_out_of_its_folder(
    tree: Tree, expression: str
) -> None:
    """By tests/soundness Terraform says so of the first."""
    tree.write("names.json", '{"x": "../../../scripts/x.sh"}')
    tree.write("name.txt", "../../../scripts/x.sh\n")
    tree.write("s/a")
    names = 'locals {\n  names = jsondecode(file("names.json"))\n}\n'
    [unknown] = tree.read(names + value(expression)).unknown
    assert "main.tf reads a path that depends on" in unknown


STAYING = {
    "a decoded file": 'file("s/${jsondecode(file("names.json")).x}")',
    "an element of a decoded file": '[for n in jsondecode(file("names.json")) : file("s/${n}")]',
    "a name of a fileset": '[for n in fileset("s", "*") : file("s/${n}")]',
    "a condition by a data source": 'file("s/${data.x.y.z ? "a" : "b"}")',
    "an element in a template": 'file("s/%{ for n in ["a"] }${n}%{ endfor }")',
    "a group of elements": 'file("s/${{ for n in ["a"] : "k" => n... }["k"][0]}")',
    "a part that the environment gives": 'file("s/${var.of_environment}")',
}


@pytest.mark.parametrize("expression", STAYING.values(), ids=STAYING)
def test_the_folder_of_a_path_counts_if_its_rest_stays_in_it(tree: Tree, expression: str) -> None:
    tree.write("names.json", '{"x": "a"}')
    tree.write("s/a")
    assert tree.counts("s/a", 'variable "of_environment" {}\n' + value(expression))


VALUES = {
    "null for what may not be null": ('nullable = false\n  default = "a"', "x = null", "var.x"),
    "a type's default": (
        'type = object({ f = optional(string, "a") })',
        "x = {}",
        'lookup(var.x, "f", "b")',
    ),
    "a set of one text twice": (
        "type = set(string)",
        'x = ["v", "v"]',
        'length(var.x) == 1 ? "a" : "b"',
    ),
    "a number in a list of texts": (
        "type = list(string)",
        "x = [1]",
        'var.x[0] == "1" ? "a" : "b"',
    ),
    "a number with zeros": ("type = number", 'x = "01"', 'var.x == 1 ? "a" : "b"'),
}


@pytest.mark.parametrize(("declared", "given", "expression"), VALUES.values(), ids=VALUES)
def test_a_variable_has_the_value_that_its_declaration_makes(
    tree: Tree, declared: str, given: str, expression: str
) -> None:
    for name in ("../../s/a", "../../s/b"):
        tree.write(name)
    tree.write("terraform.tfvars", given + "\n")
    text = f'variable "x" {{\n  {declared}\n}}\n' + value(f'file("../../s/${{{expression}}}")')
    assert tree.counts("../../s/a", text)
    assert not tree.counts("../../s/b")


def test_a_text_of_the_environment_is_an_expression_for_a_variable_of_any_type(tree: Tree) -> None:
    tree.env |= {"TF_VAR_any": '"a"', "TF_VAR_text": "[a]"}
    for name in ("../../s/a", "../../s/[a]"):
        tree.write(name)
    declared = 'variable "any" {\n  type = any\n}\nvariable "text" {\n  type = string\n}\n'
    assert tree.counts("../../s/a", declared + value('file("../../s/${var.any}")'))
    assert tree.counts("../../s/[a]", declared + value('file("../../s/${var.text}")'))


@pytest.mark.parametrize(("tofu", "chosen", "other"), [(False, "a", "b"), (True, "b", "a")])
def test_only_the_program_that_runs_says_which_files_are_configuration(
    tree: Tree, tofu: bool, chosen: str, other: str
) -> None:
    """https://opentofu.org/docs/language/files/: x.tofu takes x.tf's place."""
    local = 'locals {{\n  x = "{}"\n}}\n'
    tree.write("x.tf", local.format("a"))
    tree.write("x.tofu", local.format("b"))
    tree.write("main.tf", value('file("../../s/${local.x}")'))
    for name in ("../../s/a", "../../s/b"):
        tree.write(name)
    reader = FileReader(str(tree.root), tree.env, FileDigests(tofu))
    found = reader.read(str(tree.stack)).files
    assert str(tree.root / "s" / chosen) in found
    assert str(tree.root / "s" / other) not in found


def test_home_is_found_without_the_variable(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    del tree.env["HOME"]
    monkeypatch.setattr(Path, "home", lambda: tree.root / "home")
    tree.write("../../home/x")
    assert tree.counts("../../home/x", value('file("~/x")'))


def test_one_name_of_a_local_in_a_root_and_a_module_is_two_values(tree: Tree) -> None:
    """Each reads what an apply writes, so that its value counts, and no file."""
    seen = 'fileexists("${path.root}/terraform.tfstate") ? file("%s") : file("%s")'
    local = f"locals {{\n  seen = {seen}\n}}\n"
    root, module = ("${path.root}/../../s/" + name for name in ("a", "b"))
    tree.write("../../modules/m/main.tf", (local % (module, module)) + value("local.seen"))
    a, b = tree.write("../../s/a", "1"), tree.write("../../s/b", "1")
    call = 'module "m" {\n  source = "../../modules/m"\n}\n'
    before = tree.read((local % (root, root)) + value("local.seen") + call)
    assert not before.unknown
    found = [before.files]
    for path in (a, b):
        path.write_text("2")
        found.append(tree.read().files)
    assert found[0] != found[1] != found[2]


def test_a_variable_is_secret_if_a_module_has_it_in_a_sensitive_one(tree: Tree) -> None:
    module = 'variable "pw" {\n  sensitive = true\n}\nvariable "shown" {}\n'
    tree.write("../../modules/inner/main.tf", module)
    between = 'module "n" {\n  source = "../inner"\n  pw = var.pw\n  shown = var.shown\n}\n'
    tree.write("../../modules/m/main.tf", f'variable "pw" {{}}\nvariable "shown" {{}}\n{between}')
    call = 'module "m" {\n  source = "../../modules/m"\n  pw = local.a\n  shown = var.plain\n}\n'
    declared = 'variable "root" {}\nvariable "plain" {}\nlocals {\n  a = upper(var.root)\n}\n'
    assert tree.read(declared + call).secrets == {"root"}


def test_dots_in_a_comment_of_values_lead_nowhere(tree: Tree) -> None:
    tree.write("s/a")
    tree.write("terraform.tfvars", '# the name of all: dev, ...\nx = "a.."\n')
    text = 'variable "x" {}\nvariable "y" {}\n' + value('file("s/${var.y}")')
    assert tree.counts("s/a", text)
    tree.write("terraform.tfvars", 'x = "../a"\n')
    [unknown] = tree.read().unknown
    assert 'may lead out of its folder by a ".."' in unknown
