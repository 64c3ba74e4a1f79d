"""Writes the repository of a recipe, and collects the changes that its parts offer."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.soundness.forms import FORMS
from tests.soundness.recipe import ROOT, ChangeRecipe, FormRecipe, Recipe, StackRecipe
from tests.soundness.render import Configuration, Expression, to_hcl, to_json
from tests.soundness.site import STATE, Changes, Site, Tree, Upstream


@dataclass
class Built:
    """A repository as it was written.

    `changes` are of each stack and form (None is the stack itself), by name; `reads` are the
    stacks that each one truly reads. The names of changes that have to be deployed before others
    can notice them begin with "deploy".
    """

    tree: Tree
    names: list[str] = field(default_factory=list)
    places: list[Upstream] = field(default_factory=list)
    changes: dict[tuple[str, int | None], Changes] = field(default_factory=dict)
    reads: dict[str, set[str]] = field(default_factory=dict)

    def change(self, recipe: ChangeRecipe) -> tuple[str, Callable[[], object]] | None:
        """The name and the work of a change, or None if there is nothing to change."""
        possible = self.changes[recipe.stack, recipe.form]
        if isinstance(recipe.pick, str):
            return recipe.pick, possible[recipe.pick]
        # What Terraform never notices is tried less often.
        noticed = [name for name in possible if not name.endswith(("touch", "mode"))]
        names = sorted((noticed if recipe.pick % 5 else possible) or possible)
        if not names:
            return None
        name = names[recipe.pick % len(names)]
        return name, possible[name]


def build(recipe: Recipe, folder: Path) -> Built:
    """Writes the repository of `recipe` into `folder`, beside the home of its user."""
    tree = Tree(folder / "repository", folder / "home")
    for name in ("shared-infra", "modules", "notebooks", "scripts"):
        (tree.root / name).mkdir(parents=True)
    tree.home.mkdir()
    tree.env["HOME"] = str(tree.home)
    built = Built(tree)
    roots = []
    upstreams: list[Upstream] = []
    for number, stack in enumerate(recipe.stacks):
        root = _Root(built, stack, number, list(upstreams))
        roots.append(root)
        if stack.is_certain:
            upstreams.append(root.place)
    for root in roots:  # once it is known what each stack has to declare
        root.write()
    return built


class _Root:
    """A stack being written, with its modules."""

    def __init__(
        self, built: Built, recipe: StackRecipe, number: int, upstreams: list[Upstream]
    ) -> None:
        self._built = built
        self._tree = built.tree
        self._recipe = recipe
        self._number = number
        self._directory = self._make_directory()
        self._site = Site(self._tree, self._directory, self._directory, upstreams)
        self._modules: list[tuple[str, Site]] = []
        self._value = "one"
        self._style = recipe.style
        self.place = Upstream(recipe.name, self._directory, self._state())
        self._base()
        for index, form in enumerate(recipe.forms):
            built.changes[recipe.name, index] = self._add(form, f"f{number}{index}")
        sites = [self._site, *(site for _, site in self._modules)]
        built.names.append(recipe.name)
        built.places.append(self.place)
        built.reads[recipe.name] = set().union(*(site.reads for site in sites))
        built.changes[recipe.name, None] = self._changes()

    def _make_directory(self) -> Path:
        directory = self._tree.root / self._recipe.name
        if self._recipe.is_link:
            target = self._tree.root / "elsewhere" / directory.name
            target.mkdir(parents=True)
            directory.symlink_to(os.path.relpath(target, directory.parent))
            return target
        directory.mkdir(parents=True)
        return directory

    def _state(self) -> Path:
        if self._recipe.state == "inside":
            return self._directory / "state" / f"x.{STATE}"
        if self._recipe.state == "outside":
            return self._tree.root / f"states{self._number}" / STATE
        return self._directory / STATE

    def _base(self) -> None:
        """What other stacks read."""
        if self._recipe.state != "beside":
            path = os.path.relpath(self.place.state, self._directory)
            self._site.block("terraform", "backend", "local", path=path)
        self._site.block("resource", "terraform_data", "this", input=f"{self._recipe.name} one")
        self._site.block("output", "text", value=Expression("terraform_data.this.output"))
        self._site.block("output", "map", value={"a": "one", "b": "two"})

    def _add(self, form: FormRecipe, name: str) -> Changes:
        site = self._site if form.site == ROOT else self._module(form.site, name)
        # Its numbers: the same address twice would be one resource.
        site.name = name
        return FORMS[form.form].write(site)

    def _module(self, kind: str, name: str) -> Site:
        """A module of the stack, which is called in the way that `kind` says."""
        folder = self._tree.root / "modules" / f"of-{name}"
        source = os.path.relpath(folder, self._directory)
        if kind == "inside":
            folder = self._directory / f"module-{name}"
            source = f"./{folder.name}"
        elif kind == "linked":
            link = self._tree.root / "modules" / f"link-{name}"
            link.symlink_to(folder.name)
            source = os.path.relpath(link, self._directory)
        elif kind == "nested":
            between = self._tree.root / "modules" / f"between-{name}"
            call = {"module": {"inner": {"source": os.path.relpath(folder, between)}}}
            self._tree.write(between / "main.tf", to_hcl(call))
            source = os.path.relpath(between, self._directory)
        elif kind == "absolute":
            source = str(folder)
        folder.mkdir()
        self._site.block("module", f"of_{name}", source=source)
        # Terraform links a module with an absolute path into .terraform/modules, and path.module
        # is the link there, whose parent it takes from the path's text.
        lexical = self._directory / f".terraform/modules/of_{name}" if kind == "absolute" else None
        site = Site(self._tree, self._directory, folder, self._site.upstreams, lexical=lexical)
        self._modules.append((kind, site))
        return site

    def write(self) -> None:
        """Writes every file, again after a change."""
        for kind, content in self._tree.everywhere.items():
            for label, body in content.items():
                self._site.block(kind, label, **body)
        for name, text in self._files(self._site.configuration).items():
            self._tree.write(self._directory / name, text)
        for kind, site in self._modules:
            if kind == "json module":
                self._tree.write(site.directory / "main.tf.json", to_json(site.configuration))
            else:
                text = to_hcl(site.configuration, self._style)
                self._tree.write(site.directory / "main.tf", text)
        for site in (self._site, *(site for _, site in self._modules)):
            for name, text in site.extra_files.items():
                self._tree.write(site.directory / name, text)

    def _files(self, configuration: Configuration) -> dict[str, str]:
        layout, style = self._recipe.layout, self._style
        if layout == "json":
            return {"main.tf.json": to_json(configuration)}
        if layout == "files":
            return {
                f"{kind}.tf": to_hcl({kind: content}, style)
                for kind, content in configuration.items()
            }
        if layout == "mixed":
            first = {k: v for k, v in configuration.items() if k in ("resource", "variable")}
            rest = {k: v for k, v in configuration.items() if k not in first}
            return {"main.tf": to_hcl(first, style), "rest.tf.json": to_json(rest)}
        files = {"main.tf": to_hcl(configuration, style)}
        if layout == "override":
            this = {"resource": {"terraform_data": {"this": {"input": f"over {self._value}"}}}}
            files["x_override.tf"] = to_hcl(this, style)
        if layout == "ignored":
            files[".main.tf"] = "what Terraform does not read {"
            files["main.tf~"] = 'data "terraform_remote_state" "x" {'
        return files

    def _changes(self) -> Changes:
        directory = self._directory
        return {
            "edit": self._edit,
            "deploy an edit": self._edit,
            "deploy another map": self._edit_map,
            "respell": self._respell,
            "add a file that is none of Terraform's": lambda: self._tree.write(
                directory / "notes.txt", "notes\n"
            ),
            "add a file outside": lambda: self._tree.write(self._tree.root / "notes.md", "notes\n"),
            "add an output": self._add_output,
            "add a file of Terraform": lambda: self._tree.write(
                directory / "more.tf", 'output "more" {\n  value = 1\n}\n'
            ),
            "add values": lambda: self._tree.write(directory / "x.auto.tfvars", ""),
            "touch": self._touch,
        }

    def _touch(self) -> None:
        for path in self._directory.iterdir():
            os.utime(path, (1, 1))

    def _edit(self) -> None:
        self._value += " more"
        self._site.block(
            "resource", "terraform_data", "this", input=f"{self._recipe.name} {self._value}"
        )
        self.write()

    def _edit_map(self) -> None:
        self._site.block("output", "map", value={"a": "another", "b": "two"})
        self.write()

    def _respell(self) -> None:
        self._style = "roomy" if self._style != "roomy" else "fmt"
        self.write()

    def _add_output(self) -> None:
        self._site.block("output", "another", value="another")
        self.write()
