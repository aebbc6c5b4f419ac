"""YAML configuration files, read strictly: a misspelt key is an error that names the nearest one.

A key that is given twice is an error too: YAML forbids it (1.2.2, section 3.2.1.1), and PyYAML takes the last one.
"""

from collections.abc import Hashable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from services.errors import BadConfig, word_problem
from services.json_lines import read_text
from services.types import Value

ConfigT = TypeVar("ConfigT", bound=Value)


class _UniqueKeys(yaml.SafeLoader):
    """PyYAML's safe loader that refuses a key given twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping; a key that is given twice is an error, where PyYAML keeps the last."""
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for index, key in enumerate(keys):
            if any(key.value == earlier.value for earlier in keys[:index]):
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def read_config(path: Path, kind: type[ConfigT]) -> ConfigT:
    """Read a configuration; `BadConfig` says which key is wrong, and what would work.

    An empty file is a configuration of defaults, where every key has one.
    """
    try:
        content = yaml.load(read_text(path, f"Configuration '{path}'"), _UniqueKeys)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # PyYAML lets through what the 13th month makes of a date
        raise BadConfig(f"Configuration '{path}' is not YAML: {' '.join(str(error).split())}.") from error
    except RecursionError as error:
        raise BadConfig(f"Configuration '{path}' is nested too deeply.") from error
    if content is None and not any(field.is_required() for field in kind.model_fields.values()):
        content = {}
    if not isinstance(content, dict):
        raise BadConfig(f"Configuration '{path}' holds no keys. Known: {', '.join(kind.model_fields)}.")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise BadConfig(f"Configuration '{path}': {_describe_first(error, kind)}") from error


def _describe_first(error: ValidationError, kind: type[BaseModel]) -> str:
    """Describe the first fault; an unknown key comes first, as it explains a missing one."""
    fault = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    *parents, last = map(str, fault["loc"] or ("",))
    key = ".".join([*parents, last])
    if fault["type"] == "extra_forbidden":
        known = list(_find_record(kind, parents).model_fields)
        near = get_close_matches(last, known, n=1)
        cure = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}."
        return f"unknown key {key!r}; {cure}"
    if fault["type"] == "missing":
        return f"key {key!r} is missing."
    value = f" = {fault['input']!r}" if isinstance(fault["input"], str | int | float) else ""
    problem = word_problem(fault).rstrip(".")
    return f"{key}{value}: {problem}." if key else f"{problem}."


def _find_record(kind: type[BaseModel], parents: list[str]) -> type[BaseModel]:
    """Return the record that a path of keys leads to."""
    for parent in parents:
        if parent in kind.model_fields:
            kind = next(_find_records(kind.model_fields[parent].annotation), kind)
    return kind


def _find_records(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - whatever a field is annotated with
    """Yield the records that an annotation such as `tuple[Part, ...]` or `Part | None` names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _find_records(part)
