"""The stand-in for GitHub on a port of its own, for whoever wants to ask it directly."""

from urllib.parse import urlencode

from aiohttp import web

from lab.effects import play
from lab.faults import RESET_STATUS
from lab.github.directory import CLIENT_ID
from lab.github.hub import GitHub, operation_of


def application(github: GitHub) -> web.Application:
    """Return the stand-in as a web application."""

    async def handle(request: web.Request) -> web.StreamResponse:
        name = operation_of(request.method, request.path)
        facts = {"method": request.method, "path": request.path}
        effect = github.faults.take("github", name, facts)
        response = await play(effect, request, lambda: _answer(github, request))
        status = RESET_STATUS if effect and effect.reset else response.status
        github.journal.record("github", name, status)
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _answer(github: GitHub, request: web.Request) -> web.Response:
    if (request.method, request.path) == ("GET", "/login/oauth/authorize"):
        return _authorize(github, request)
    form = {name: str(value) for name, value in (await request.post()).items()}
    _, _, token = request.headers.get("Authorization", "").partition(" ")
    reply = github.answer(request.method, request.path, request.query, token, form)
    headers = {"Link": f'<{reply.next_page}>; rel="next"'} if reply.next_page else {}
    return web.json_response(reply.document, status=reply.status, headers=headers)


def _authorize(github: GitHub, request: web.Request) -> web.Response:
    """Play the page on which a person lets the application in, and go back with the code.

    GitHub asks who one is; the stand-in believes the parameter `login`, which suggests it there.
    Source: docs.github.com, Authorizing OAuth apps
    """
    if request.query.get("client_id") != CLIENT_ID:
        return web.json_response({"error": "Not Found"}, status=404)
    try:
        code = github.authorize(request.query.get("login", ""))
    except LookupError as error:
        return web.json_response({"error": str(error)}, status=422)
    back = request.query.get("redirect_uri", "http://localhost:8080")
    answer = urlencode({"code": code, "state": request.query.get("state", "")})
    return web.Response(status=302, headers={"Location": f"{back}?{answer}"})
