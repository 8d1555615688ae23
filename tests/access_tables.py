"""Who may do, see and call what, as the tables of docs/access.md: made of the code, not written.

    python -m tests.access_tables      writes them anew

What a stranger gets is not looked up but asked for, at the door itself.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard.access import MAY, MEANING, Permission, Role
from dashboard.access.permission import WHILE_VIEWING
from dashboard.door import Door
from dashboard.endpoints import routes
from dashboard.views import PAGES
from data.settings import ROOT
from tests.doors import make_client, make_door, make_world

PAGE = ROOT / "docs" / "access.md"
GUEST = "staff viewing a customer"
TWILIO = "Twilio, whose signature is checked"
KEY = "your backend, with an API key"
MANAGER = "a customer's own manager"
WHO = {
    "GET /healthz": "anybody",
    "GET /readyz": "anybody",
    "GET /brand/logo.svg": "anybody",
    "GET /brand/style.css": "anybody",
    "GET /sign-in": "anybody",
    "GET /auth/link": "anybody: shows a button, uses nothing up",
    "POST /auth/link": "who has a link that is unused and younger than a day",
    "GET /auth/logout": "who is signed in; ends this session",
    "GET /auth/over": "anybody; leads on from a page whose session has ended",
    "GET /auth/oidc/NAME": "anybody; leads to the provider",
    "GET /auth/oidc/NAME/callback": "the browser that the provider sends back",
    "POST /embed/codes": KEY,
    "GET /embed": "who has a code that is unused and younger than a minute",
    "GET /embed/check": "the browser that came by a code",
    "GET /embed/ended": "anybody; shows nothing of anybody",
    "POST /connect/start": MANAGER,
    "GET /connect/callback": f"{MANAGER}, sent back by Twilio",
    "GET /connect/deauthorized": TWILIO,
    "POST /connect/deauthorized": TWILIO,
    "GET /metrics": "who has `METRICS_TOKEN`",
    "POST /auth/demo": "anybody, in demo mode only",
    # Streamlit's own
    "GET /": "who is signed in; every page's address, too",
    "GET /media/…": "the session that was shown this very file",
    "GET /component/…": "who is signed in",
    "GET /_stcore/bidi-components/…": "who is signed in",
    "GET /_stcore/health": "anybody",
    "GET /_stcore/host-config": "anybody",
    "GET /_stcore/metrics": "nobody",
    "PUT /_stcore/upload_file/…": "nobody",
    "POST /_stcore/agent/…": "nobody",
    "GET /anything/else": "nobody",
}
ELSEWHERE = "GET /auth/oidc/NAME"  # asks the provider, which is not there


def named(role: Role) -> str:
    return role.value.replace("_", " ")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(head)]
    lines += [("---",) * len(lines[0]), *(tuple(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def permissions() -> str:
    """Roles by what they may do; the last column is any of the staff while they view."""
    columns = [(named(role), may) for role, may in MAY.items()]
    columns.append((GUEST, WHILE_VIEWING))
    rows = (
        (MEANING[one], *("✓" if one in may else "" for _, may in columns)) for one in Permission
    )
    return table(("may", *(name for name, _ in columns)), rows)


def pages() -> str:
    columns = [(named(role), may) for role, may in MAY.items()]
    columns.append((GUEST, WHILE_VIEWING))
    rows = (
        (one.title, f"`{one.path}`", *("✓" if one.permission in may else "" for _, may in columns))
        for one in PAGES
    )
    return table(("page", "name", *(name for name, _ in columns)), rows)


def full_door(folder: Path) -> Door:
    """With everything switched on that has an address."""
    provider = {"issuer": "http://localhost:1", "client_id": "x", "client_secret": "x" * 40}
    return make_door(
        make_world(folder),
        tuple(page.path for page in PAGES),
        demo=True,
        metrics_token="x" * 40,
        oidc_providers={"name": provider},
    )


def addresses(door: Door) -> Iterator[str]:
    """Each method and path of routes(door); HEAD is GET without a body."""
    for route in routes(door):
        assert isinstance(route, Route)
        for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
            yield f"{method} {route.path.replace('/oidc/name', '/oidc/NAME')}"


def answered(client: TestClient, address: str) -> str:
    """What a stranger without cookie or key gets, who yet comes from our own page."""
    if address == ELSEWHERE:
        return "303 to the provider"
    method, path = address.split(" ", 1)
    asked = path.replace("NAME", "name").replace("…", "x")
    answer = client.request(method, asked, headers={"origin": str(client.base_url).rstrip("/")})
    to = f" to `{answer.headers['location']}`" if "location" in answer.headers else ""
    return f"{answer.status_code}{to}"


def endpoints() -> str:
    with tempfile.TemporaryDirectory() as folder:
        client = make_client(full_door(Path(folder)))
        rows = [(f"`{one}`", who, answered(client, one)) for one, who in WHO.items()]
    return table(("address", "who may call it", "a stranger gets"), rows)


TABLES = {"permissions": permissions, "pages": pages, "endpoints": endpoints}


def part(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, made in TABLES.items():
        text = part(name).sub(f"\n{made()}\n\n", text, count=1)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
