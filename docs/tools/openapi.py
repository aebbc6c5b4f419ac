"""The OpenAPI document of the HTTP API: `python docs/tools/openapi.py > docs/openapi.json`."""

import json
import sys

from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.scripted.service import ScriptedService

if __name__ == "__main__":
    document = create_app(ScriptedService(), Limits()).openapi()
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
