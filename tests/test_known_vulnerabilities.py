"""The audit of what is pinned: a flaw fails the build, silence is said aloud.

pip-audit itself asks here a database of our own, which speaks OSV's protocol on loopback.
"""

import re

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.known_vulnerabilities import CANARY, PINNED, main
from tests.servers import serving

FLAW = {
    "id": "PYSEC-2026-1",
    "summary": "Tells everybody everything.",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "starlette"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}


def database(*vulnerable: str, status: int = 200) -> Starlette:
    async def answer(request: Request) -> JSONResponse:
        asked = await request.json()
        name = asked["package"]["name"]
        vulns = [FLAW] if {name, f"{name}=={asked['version']}"} & {*vulnerable} else []
        return JSONResponse({"vulns": vulns} if vulns else {}, status)

    return Starlette(routes=[Route("/v1/query", answer, methods=["POST"])])


def verdict(app: Starlette, capsys) -> tuple[int, str]:
    with serving(app) as base:
        code = main([("-s", "osv", "--osv-url", f"{base}/v1/query")], PINNED)
    return code, capsys.readouterr().out


def test_a_known_vulnerability_fails_with_the_version_that_cures_it(capsys):
    code, out = verdict(database(CANARY, "starlette"), capsys)
    assert code == 1
    assert re.search(r"starlette \S+: PYSEC-2026-1, fixed in 99\.1", out)


def test_nothing_known_is_a_clean_bill(capsys):
    code, out = verdict(database(CANARY), capsys)
    assert (code, "No known vulnerability" in out, "SKIPPED" in out) == (0, True, False)


@pytest.mark.parametrize(
    "app",
    [database(), database(status=503)],
    ids=["knows nothing at all", "is out of order"],
)
def test_a_service_that_cannot_be_believed_is_skipped_loudly(app, capsys):
    code, out = verdict(app, capsys)
    assert (code, "SKIPPED" in out, "No known vulnerability" in out) == (0, True, False)


def test_no_service_at_all_is_skipped_loudly(capsys):
    code = main([("-s", "osv", "--osv-url", "http://127.0.0.1:9/v1/query")], PINNED)
    out = capsys.readouterr().out
    assert (code, "SKIPPED" in out, "127.0.0.1" in out) == (0, True, True)
