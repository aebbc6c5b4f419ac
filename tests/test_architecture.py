"""The promises of the README and of the design that a machine can check."""

import ast
import os
import re
import resource
import shlex
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGES = ("services", "lalm", "agents", "eval", "deploy")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_installed_distribution_shadows_our_packages(package: str) -> None:
    command = [sys.executable, "-c", f"import {package}; print({package}.__file__)"]
    path = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout
    assert Path(path.strip()) == ROOT / package / "__init__.py"


@pytest.mark.parametrize("command", ["-m eval --help", "-m deploy.cli --help"])
@pytest.mark.slow
def test_help_is_quick(command: str) -> None:
    def processor_s() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = processor_s()
    subprocess.run([sys.executable, *shlex.split(command)], capture_output=True, check=True)
    assert processor_s() - before < 1.0


PRIVATE_API = {"services.deployments.ray_internals"}
"""Where a private module of another library is imported, guarded by `require_ray` and a test of what it has to keep."""
PRIVATE_NAMES = {
    "lalm.export.vllm_model": "`require_vllm` pins the version",
    "services.deployments.ray_internals": "`require_ray` pins the version",
    "services.http.forms": "pyproject.toml bounds the version of Starlette; a test of what its parser has to keep",
}
"""Where private attributes and methods of other libraries are used."""


@pytest.mark.slow
def test_private_modules_of_libraries_are_imported_where_a_version_check_guards_them() -> None:
    imported = {
        name
        for name, path in modules().items()
        for node in nodes(path)
        for text in imported_names(node)
        if text.split(".")[0] not in {*PACKAGES, "__future__"} and any(part.startswith("_") for part in text.split("."))
    }
    assert imported == PRIVATE_API


@pytest.mark.slow
def test_private_names_of_libraries_are_used_where_their_version_is_bounded() -> None:
    ours = {name for path in modules().values() for node in nodes(path) for name in private_names(node)}
    tuples = {"_asdict", "_exit", "_fields", "_replace"}  # public in spite of their names: NamedTuple and os
    used = {
        name
        for name, path in modules().items()
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr) and node.attr not in ours | tuples
    }
    assert used == set(PRIVATE_NAMES)


def private_names(node: ast.AST) -> list[str]:
    """Return what a node defines that begins with an underscore: functions, variables, attributes and fields."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
            return [name]
    return []


BROAD_HANDLERS = ["eval.run.driver", "services.extensions.error_boundary"]
"""Where an error of any kind is caught; CONTRIBUTING.md says why."""


@pytest.mark.slow
def test_errors_of_any_kind_are_caught_at_two_edges_only() -> None:
    broad = [name for name, path in modules().items() for node in nodes(path) if catches_any_error(node)]
    assert sorted(broad) == BROAD_HANDLERS


@pytest.mark.parametrize(
    ("line", "is_broad"),
    [
        ("except:", True),
        ("except Exception as error:", True),
        ("except (OSError, BaseException):", True),
        ("except OSError:", False),
    ],
)
def test_a_broad_handler_is_told_from_a_narrow_one(line: str, *, is_broad: bool) -> None:
    tree = ast.parse(f"try:\n    pass\n{line}\n    pass")
    assert any(catches_any_error(node) for node in ast.walk(tree)) == is_broad


def catches_any_error(node: ast.AST) -> bool:
    """Say whether a node handles errors of any kind: `except Exception`, `suppress(Exception)` or a bare `except`."""
    match node:
        case ast.ExceptHandler(type=None):
            return True
        case ast.ExceptHandler(type=ast.AST() as caught):
            kinds = list(ast.walk(caught))
        case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=kinds):
            pass
        case _:
            return False
    return any(isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"} for kind in kinds)


def imported_names(node: ast.AST) -> list[str]:
    """Return the modules that an import statement names, and what it takes out of them."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module=str(module)):
            return [f"{module}.{alias.name}" for alias in node.names]
    return []


def test_tests_are_not_packages() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        path: n
        for folder in (*PACKAGES, "tests", "benchmarks", "docs/tools")
        for path in (ROOT / folder).rglob("*.py")
        if (n := path.read_text().count("\n")) > 400
    }
    assert not long


def modules() -> dict[str, Path]:
    """Return the modules of the five packages by name."""
    paths = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return the parts of a file's syntax tree."""
    return tuple(ast.walk(ast.parse(path.read_text())))


def named(path: Path, known: Iterable[str]) -> set[str]:
    """Return the known modules that a file imports, also within functions, or names in a string as `-m` has it."""
    names: set[str] = set()
    for node in nodes(path):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
            case ast.Constant(value=str(text)):
                names.add(text.partition(":")[0])
    return names & set(known)


@pytest.mark.slow
def test_every_module_has_a_test_file_of_its_name_or_is_listed_as_covered_elsewhere() -> None:
    known = modules()
    listed: dict[str, list[str]] = yaml.safe_load((ROOT / "tests" / "covered_elsewhere.yaml").read_text())
    own = {name for name, path in known.items() if own_test_file(path).is_file()}
    exempt = {name for name, path in known.items() if path.name in {"__init__.py", "__main__.py"}}
    elsewhere = [name for names in listed.values() for name in names]
    assert sorted(elsewhere) == sorted(known.keys() - own - exempt)
    imported = {name: named(path, known) for name, path in known.items()}
    for file, names in listed.items():
        reached = named(ROOT / file, known)
        for _ in range(2):
            reached |= {other for name in reached for other in imported[name]}
        assert reached >= set(names), f"{file} reaches no {sorted(set(names) - reached)}"


def own_test_file(module: Path) -> Path:
    """Return where the test file of a module's own name lies."""
    return ROOT / "tests" / module.relative_to(ROOT).with_name(f"test_{module.name}")


def test_a_folder_has_at_most_20_modules_and_nine_in_ten_have_at_most_15() -> None:
    sizes = Counter(path.parent.relative_to(ROOT) for path in modules().values() if path.name != "__init__.py")
    assert [folder for folder, size in sizes.items() if size > 20] == []
    assert sorted(sizes.values())[int(0.9 * len(sizes))] <= 15


def test_no_function_is_longer_than_60_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules().values()
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert long == []


@pytest.mark.slow
def test_doubles_of_models_are_in_services_scripted() -> None:
    """Neither a class of the tests has a model's methods, nor does one extend a double."""
    models = {"complete", "choose", "caption", "transcribe", "listen", "listen_to_several"}
    protocols = {*models, "choose_of_several", "complete_as", "transcribe_guided", "answer", "find_answerer"}
    ours = {node.name for path in (ROOT / "services/scripted").glob("*.py") for node in classes(path)}
    doubles = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in (ROOT / "tests").rglob("*.py")
        for node in classes(path)
        if {part.name for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)} & protocols
        or {ast.unparse(base) for base in node.bases} & ours
    }
    assert doubles == set()


def classes(path: Path) -> tuple[ast.ClassDef, ...]:
    """Return the classes that a file defines."""
    return tuple(node for node in nodes(path) if isinstance(node, ast.ClassDef))


def test_a_class_name_is_defined_once_private_or_not() -> None:
    homes: defaultdict[str, list[str]] = defaultdict(list)
    for name, path in modules().items():
        for node in classes(path):
            homes[node.name.removeprefix("_")].append(name)
    repeated = {name: where for name, where in homes.items() if len(where) > 1}
    assert repeated == {}


@pytest.mark.slow
def test_no_function_is_written_twice() -> None:
    """Neither in another file nor under another name; what its arguments and variables are called does not count."""
    homes: defaultdict[str, list[str]] = defaultdict(list)
    for name, path in modules().items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (body := describe_body(node)):
                homes[body].append(f"{name}.{node.name}")
    assert [same for same in homes.values() if len(same) > 1] == []


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("def join(words): return '|'.join(words)", "def match(tokens):\n 'Doc.'\n return '|'.join(tokens)", True),
        ("def join(words): return '|'.join(words)", "def join(words): return ','.join(words)", False),
        ("def load(): return read(ONE)", "def load(): return read(OTHER)", False),
    ],
)
def test_a_function_is_known_by_what_it_does(one: str, other: str, *, is_same: bool) -> None:
    bodies = [describe_body(node) for text in (one, other) for node in ast.parse(text).body]  # type: ignore[arg-type]
    assert (bodies[0] == bodies[1]) == is_same


def describe_body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the statements of a function without docstring and annotations, its own names as numbers."""
    arguments = [node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)]
    stored = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    numbers = {name: str(number) for number, name in enumerate(dict.fromkeys([*arguments, *stored]))}
    copy = ast.parse(ast.unparse(function)).body[0]
    assert isinstance(copy, ast.FunctionDef | ast.AsyncFunctionDef)
    for node in ast.walk(copy):
        if isinstance(node, ast.Name):
            node.id = numbers.get(node.id, node.id)
    statements = copy.body[1:] if ast.get_docstring(copy) is not None else copy.body
    return "\n".join(map(ast.dump, statements))


BY_NAME = {"services/scripted": "doubles, for tests", "lalm/synthesise/sounds": "makers, for the names in models.json"}


@pytest.mark.slow
def test_no_name_of_a_module_is_unused() -> None:
    """Functions, classes, aliases and constants; what only a test uses is not used. vulture is not sure of these."""
    words = Counter(word for path in package_texts() for word in re.findall(r"\w+", path.read_text()))
    unused = {
        f"{name}.{defined}"
        for name, path in modules().items()
        for node in ast.parse(path.read_text()).body
        for defined in defined_names(node)
        if words[defined] == 1 and str(path.parent.relative_to(ROOT)) not in BY_NAME
    }
    assert unused == set()


def package_texts() -> list[Path]:
    """Return the files of the packages and benchmarks that may use a name, and the project's own description."""
    folders = [ROOT / folder for folder in (*PACKAGES, "benchmarks", "docs/tools")]
    kinds = {".py", ".j2", ".js", ".md", ".yaml"}
    found = [path for folder in folders for path in folder.rglob("*") if path.suffix in kinds and path.is_file()]
    return [*found, ROOT / "pyproject.toml"]


def defined_names(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines; a decorator may use a function."""
    match node:
        case ast.ClassDef():
            return [node.name]
        case ast.FunctionDef(decorator_list=[]) | ast.AsyncFunctionDef(decorator_list=[]):
            return [node.name]
        case ast.Assign(targets=targets):
            return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def test_no_type_alias_has_the_name_of_a_class() -> None:
    parts = [node for path in modules().values() for node in nodes(path)]
    classes = {node.name for node in parts if isinstance(node, ast.ClassDef)}
    aliases = {ast.unparse(node.target) for node in parts if isinstance(node, ast.AnnAssign) and is_alias(node)}
    assert classes & aliases == set()


def is_alias(node: ast.AnnAssign) -> bool:
    """Say whether an annotated assignment defines a type alias."""
    return ast.unparse(node.annotation) == "TypeAlias"


CIRCLE = {
    "plain/__init__.py": "",
    "plain/one.py": "def lazy() -> None:\n    import plain.two\n",
    "plain/two.py": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import plain.one\n",
    "setup.cfg": "[importlinter]\nroot_package = plain\n\n[importlinter:contract:1]\nname = circles\n"
    "type = acyclic_siblings\nancestors = plain\n",
}


def check_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_there_are_no_circles_between_files_or_folders() -> None:
    done = check_imports(ROOT)
    assert "no circles between files or folders KEPT" in done.stdout
    assert done.returncode == 0, done.stdout


def test_a_circle_of_a_lazy_import_and_one_for_types_alone_is_found(tmp_path: Path) -> None:
    for name, text in CIRCLE.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    done = check_imports(tmp_path)
    assert "circles BROKEN" in done.stdout
    assert done.returncode == 1
