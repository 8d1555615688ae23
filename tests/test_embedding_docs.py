"""docs/embedding.md can't lie: its requests are sent, its portal opened, its figures compared."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from textwrap import dedent

import httpx
import pytest

from dashboard.access import MAY, Role
from dashboard.edge import LARGEST_BODY
from dashboard.embedding import CodeRequest
from dashboard.rate_limits import ASKED, ATTEMPTS, FAILURES
from dashboard.views import PAGES
from data.customers_file import CustomersFile
from data.identity import CODE_LIFE
from data.identity.embedding import LONGEST_VISITOR
from data.models import Customer
from data.scope import EveryTenant, engine, writing
from data.settings import ROOT, Settings
from data.yaml_file import read_yaml
from tests.streamlit_client import START_SECONDS, free_port, serving

PAGE = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(kind, dedent(body)) for kind, body in BLOCK.findall(PAGE)]
ASKING = [
    (script, BLOCKS[number + 1][1])
    for number, (kind, script) in enumerate(BLOCKS)
    if kind == "sh" and "curl" in script
]
BASE, PORTAL = "http://localhost:8501", "http://127.0.0.1:8600"


def blocks(kind):
    return [body for name, body in BLOCKS if name == kind]


def environment(**names):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": os.environ.get("HOME", "/"), "SYNC_EVERY": "off", **names}


def said(words, **names):
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=environment(**names),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """As the page's own example has them."""
    file = tmp_path_factory.mktemp("settings") / ".env"
    file.write_text(blocks("env")[0], encoding="utf-8")
    return Settings(_env_file=file)


@pytest.fixture(scope="module")
def database(sqlite_template, tmp_path_factory):
    path = tmp_path_factory.mktemp("docs") / "docs.sqlite"
    shutil.copy(sqlite_template, path)
    url = f"sqlite:///{path}"
    with writing(EveryTenant(url)) as session:
        for id, name in ((1, "Birch Bakery"), (2, "Elm Fitness")):
            session.add(Customer(id=id, slug=name.lower().replace(" ", "-"), name=name))
    yield url
    engine(url).dispose()


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def base(database, settings, port):
    origins = json.dumps([*settings.embed_origins, f"http://127.0.0.1:{port}"])
    with serving(
        "streamlit_app:app", DATABASE_URL=database, SYNC_EVERY="off", EMBED_ORIGINS=origins
    ) as address:
        yield address


@pytest.fixture(scope="module")
def key(database):
    """By the command of the page."""
    script = next(body for body in blocks("sh") if "keys create" in body)
    script += 'printf %s "$DASHBOARD_KEY"'
    return said(["bash", "-euc", script], DATABASE_URL=database)


def test_a_key_is_made_by_the_command_of_the_page(key):
    assert re.fullmatch(r"dash_1_\S{43}", key)


@pytest.mark.parametrize(("script", "shown"), ASKING, ids=["a code", "key", "origin", "customer"])
def test_a_request_is_answered_as_the_page_shows(base, key, script, shown):
    found = said(["bash", "-euc", script.replace(BASE, base)], DASHBOARD_KEY=key)
    told, wanted = json.loads(found), json.loads(shown.replace(BASE, base))
    assert list(told) == list(wanted)
    expected = re.escape(json.dumps(wanted, ensure_ascii=False)).replace("…", r"[^ \"]+")
    assert re.fullmatch(expected, json.dumps(told, ensure_ascii=False))


def test_the_request_for_node_leads_to_the_page(base, key):
    if shutil.which("node") is None:
        pytest.skip("the snippet is for Node, which is not installed here")
    words = ["node", "--input-type=module", "--eval", blocks("js")[0]]
    answer = walk(said(words, DASHBOARD_URL=base, DASHBOARD_KEY=key).strip())
    assert frame_ancestors(answer) == PORTAL


def test_the_sample_portal_shows_the_pages(base, key, port):
    with portal(base, key, port) as address:
        page = httpx.get(address)
        assert page.headers["cache-control"] == "no-store"
        assert key not in page.text
        frame = unescape(re.findall(r'<iframe src="([^"]+)"', page.text)[0])
        assert frame.startswith(f"{base}/embed?code=")
        assert frame_ancestors(walk(frame)) == address
        assert walk(frame).status_code == 403  # a code works once


@contextmanager
def portal(base, key, port):
    names = {"DASHBOARD_URL": base, "DASHBOARD_KEY": key, "PORTAL_PORT": str(port)}
    words = [sys.executable, "examples/embed/portal.py"]
    process = subprocess.Popen(words, cwd=ROOT, env=environment(**names), stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{address}/nowhere")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def walk(address):
    """Where a browser ends that keeps the frame's cookie, as browsers do on localhost."""
    cookie = ""
    for _ in range(4):
        answer = httpx.get(address, headers={"cookie": cookie})
        for line in answer.headers.get_list("set-cookie"):
            if line.startswith("__Host-dash_frame=") and "Max-Age=0" not in line:
                assert line.endswith("SameSite=None; Partitioned; Secure")
                cookie = line.partition(";")[0]
        if not answer.is_redirect:
            return answer
        address = str(httpx.URL(address).join(answer.headers["location"]))
    raise AssertionError(f"a redirect too many, to {address}")


def frame_ancestors(answer):
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    return re.findall(r"frame-ancestors ([^;]+)", policy)[0]


def test_the_customers_file_of_the_page_is_one(tmp_path):
    file = tmp_path / "customers.yaml"
    file.write_text(blocks("yaml")[0], encoding="utf-8")
    (one,) = read_yaml(file).parsed(CustomersFile).customers
    assert one.embed_origins == ("https://my.birch-bakery.example",)


def test_every_field_and_every_customers_page_is_named():
    names = {*CodeRequest.model_fields, *(role.value for role in Role if not role.is_staff)}
    names |= {page.path for page in PAGES if page.permission in MAY[Role.VIEWER]}
    assert [name for name in names if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize(
    "words",
    [
        f"A key may ask {ASKED.amount} times a minute",
        f"an address {ATTEMPTS.amount} times",
        f"after {FAILURES.amount} refusals in a minute",
        f"more than {LARGEST_BODY:,} bytes",
        f"up to {LONGEST_VISITOR} characters",
        f"`EMBED_MINUTES` ({Settings.model_fields['embed_minutes'].default})",
    ],
)
def test_a_figure_is_the_codes(words):
    assert words in PAGE
    assert ASKED.get_expiry() == ATTEMPTS.get_expiry() == CODE_LIFE.total_seconds() == 60


def test_the_samples_own_page_names_its_variables():
    sample = (ROOT / "examples" / "embed" / "portal.py").read_text(encoding="utf-8")
    about = (ROOT / "examples" / "embed" / "README.md").read_text(encoding="utf-8")
    names = re.findall(r'environ(?:\.get\(|\[)"(\w+)"', sample)
    assert len(names) == 6
    assert [name for name in names if f"`{name}`" not in about] == []
