"""The documentation for people at /docs: Swagger UI from the swagger-ui-py wheel, nothing from afar."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, abort, send_from_directory

blueprint = Blueprint("docs_page", __name__)
_FILES = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
# Swagger UI sets styles in elements and draws its icons from data: addresses; no script is inline.
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>o2c API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null});
"""


def _folder() -> Path:
    # find_spec does not run the package, which would load its web frameworks.
    spec = find_spec("swagger_ui")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        abort(404)
    return Path(next(iter(folders))) / "static"


@blueprint.get("/docs")
def page() -> Response:
    """The page itself."""
    return Response(
        _PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY}
    )


@blueprint.get("/docs/start.js")
def start() -> Response:
    """Its own few words of script."""
    return Response(_START, content_type="text/javascript; charset=utf-8")


@blueprint.get("/docs/<name>")
def file(name: str) -> Response:
    """One of Swagger UI's files."""
    if name not in _FILES:
        abort(404)
    return send_from_directory(_folder(), name, max_age=3600)
