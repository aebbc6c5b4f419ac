"""How the API describes bodies that its routes read by hand."""

from typing import Any

from services.types import Value


def describe_body(**kinds: type[Value]) -> dict[str, Any]:
    """Return what a route that takes `json` or a `form` says of its body."""
    media = {"json": "application/json", "form": "multipart/form-data"}
    content = {media[kind]: {"schema": _inlined(model.model_json_schema())} for kind, model in kinds.items()}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its definitions written where they are used, as none refers to itself."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(part, list):
            return [resolved(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolved(definitions[part["$ref"].rpartition("/")[2]])
        return {name: resolved(one) for name, one in part.items() if name != "discriminator"}

    whole: dict[str, Any] = resolved(schema)
    return whole
