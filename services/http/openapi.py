"""OpenAPI descriptions of request bodies that routes read themselves."""

from functools import cache
from typing import Any

from services.types import Value


def describe_body(**kinds: type[Value]) -> dict[str, Any]:
    """Return the OpenAPI description of a body that is sent as `json` or as a `form`."""
    media = {"json": "application/json", "form": "multipart/form-data"}
    content = {media[kind]: {"schema": _describe(model)} for kind, model in kinds.items()}
    return {"requestBody": {"required": True, "content": content}}


@cache
def _describe(model: type[Value]) -> dict[str, Any]:
    return _inline(model.model_json_schema())


def _inline(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its definitions inlined; none refers to itself."""
    definitions = schema.pop("$defs", {})

    def resolve(part: Any) -> Any:  # noqa: ANN401 - any JSON
        """Replace every `$ref` inside a part of the schema by its definition."""
        if isinstance(part, list):
            return [resolve(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolve(definitions[part["$ref"].rpartition("/")[2]])
        return {name: resolve(one) for name, one in part.items() if name != "discriminator"}

    whole: dict[str, Any] = resolve(schema)
    return whole
