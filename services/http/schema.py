"""The JSON schema of an answer and its evidence: `python -m services.http.schema > docs/answer.schema.json`."""

import json
import sys

from services.types import Answer

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def render_schema() -> str:
    """Return the schema of `Answer` as the command line and the service write it, with `Evidence` among its parts."""
    return json.dumps({"$schema": DIALECT, **Answer.model_json_schema(mode="serialization")}, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render_schema())
