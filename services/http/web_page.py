"""The web page at `/`: static files of `services/web`, which send requests to this same server only."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from services.web import FOLDER

TYPES: Mapping[str, str] = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mp3": "audio/mpeg",
}
FILES = frozenset(path.name for path in FOLDER.iterdir() if path.suffix in TYPES)
HEADERS: Mapping[str, str] = {
    # Styles of elements are set by the waveform; media and images are the clip's own.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' blob:; "
        "media-src blob:; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self)",
    "Cache-Control": "no-cache",
}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def send_page() -> FileResponse:
    """Return the page."""
    return _send_file("page.html")


@router.get("/web/{name}")
async def send_part(name: str) -> FileResponse:
    """Return a style, a script or the example recording of the page."""
    if name not in FILES:
        raise HTTPException(404, f"No file named {name!r}")
    return _send_file(name)


def _send_file(name: str) -> FileResponse:
    path = FOLDER / name
    return FileResponse(path, media_type=TYPES[path.suffix], headers=dict(HEADERS))
