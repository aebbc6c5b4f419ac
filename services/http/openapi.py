"""OpenAPI descriptions of request bodies that routes read themselves."""

from typing import Any

from services.types import Value


def describe_body(**kinds: type[Value]) -> dict[str, Any]:
    """Return the OpenAPI description of a body that is sent as `json` or as a `form`."""
    media = {"json": "application/json", "form": "multipart/form-data"}
    content = {media[kind]: {"schema": _inlined(model.model_json_schema())} for kind, model in kinds.items()}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its definitions inlined; none refers to itself."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:  # noqa: ANN401 - any JSON
        """Replace every `$ref` inside a part of the schema by its definition."""
        if isinstance(part, list):
            return [resolved(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolved(definitions[part["$ref"].rpartition("/")[2]])
        return {name: resolved(one) for name, one in part.items() if name != "discriminator"}

    whole: dict[str, Any] = resolved(schema)
    return whole
