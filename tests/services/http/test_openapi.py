"""The API does what its OpenAPI document says, tried with generated requests (schemathesis)."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.scripted.service import ScriptedService

pytestmark = pytest.mark.slow  # the import of schemathesis is

# A schema can't say which base64 is a recording, nor which names exist: `positive_data_acceptance` is left out.
JSON = "application/json"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]

LOOPBACK = {"Host": "127.0.0.1"}  # without keys, other hosts are refused

service = ScriptedService()
service.names = ("text/tiny",)  # the default hears nothing, so that questions without a recording are answered
schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(service, Limits()), headers=LOOPBACK)


@schema.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests_get_documented_answers(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=CHECKS, headers=LOOPBACK)


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/v1/audio/questions", JSON), ("/v1/chat/completions", JSON), ("/v1/responses", JSON)],
)
def test_documented_examples_are_answered(path: str, media_type: str) -> None:
    operation = schema[path]["POST"]
    examples = operation.definition.raw["requestBody"]["content"][media_type]["schema"]["examples"]
    for example in examples:
        response = operation.Case(body=example, media_type=media_type).call_and_validate(
            checks=CHECKS, headers=LOOPBACK
        )
        assert response.status_code == 200
