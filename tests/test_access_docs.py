"""docs/access.md can't lie: its tables are made anew, its commands and its SQL are run."""

import re
import shlex
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import make_url

from dashboard.access import note_page, start_viewing, stop_viewing, viewer_of
from data import identity
from data.commands.doctor import _walls
from data.identity import Role, hashed
from data.migrations import migrate
from data.models import Customer
from data.scope import EveryTenant, engine, writing
from data.settings import Settings
from tests.access_tables import PAGE, TABLES, WHO, addresses, full_door, part
from tests.command_line import run

TEXT = PAGE.read_text(encoding="utf-8")
BLOCK = re.compile(r"^```sh\n(.*?)^```\n\s*^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(TEXT)
WHEN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?(\.\d+)?|\b\d\d:\d\d\b")
REASON = "Ticket 4711: high bill"
LIFE = timedelta(hours=12)


def pattern(line):
    """What a line of the page stands for: another moment, and any secret for `…`."""
    return re.escape(WHEN.sub("WHEN", line)).replace("…", r"\S+")


def look_on(scope):
    """As Sue of the support, at Elm Fitness, for a reason."""
    now = datetime.now(UTC)
    sue = identity.add_person(scope, "sue@your-isv.com", "Sue Support")
    member = identity.add_membership(scope, sue, Role.SUPPORT)
    key = hashed(identity.open_session(scope, member, "link", now, life=LIFE))
    start_viewing(viewer_of(key, scope.url, now), 2, REASON, now)
    viewer = viewer_of(key, scope.url, now)
    note_page(viewer, "overview", now)
    stop_viewing(viewer, now)


def sign_in(scope, said):
    """By the last link that was printed."""
    token = re.findall(r"token=(\S+)", said)[-1]
    identity.enter_by_link(scope, token, datetime.now(UTC), life=LIFE)


def lines_of(script):
    return [shlex.split(line)[3:] for line in script.splitlines()]


@pytest.fixture(scope="module")
def answers(sqlite_template, tmp_path_factory):
    """What the page's commands say, one after the other, in a database of their own."""
    path = tmp_path_factory.mktemp("docs") / "docs.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    scope = EveryTenant(f"sqlite:///{path}")
    with writing(scope) as session:
        for id, name in ((1, "Birch Bakery"), (2, "Elm Fitness")):
            session.add(Customer(id=id, slug=name.lower().replace(" ", "-"), name=name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Settings.model_config, "env_file", None)
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        patch.setenv("DATABASE_URL", scope.url)
        patch.setenv("PUBLIC_ORIGIN", "https://usage.your-isv.com")
        found = []
        for script, _ in BLOCKS:
            if "people sessions" in script:
                sign_in(scope, "".join(found))
            if "data audit --customer" in script:
                look_on(scope)
            said = [run(*words) for words in lines_of(script)]
            assert [one.err for one in said] == ["" for _ in said]
            found.append("".join(one.out for one in said))
    engine(scope.url).dispose()
    return found


@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=lambda n: BLOCKS[n][0].split("\n")[0])
def test_a_block_says_what_the_page_shows(answers, number):
    expected = BLOCKS[number][1].splitlines()
    found = [WHEN.sub("WHEN", line.rstrip()) for line in answers[number].splitlines()]
    assert len(found) == len(expected)
    for shown, said in zip(expected, found, strict=True):
        assert re.fullmatch(pattern(shown), said), said


def test_every_shell_block_is_followed_by_its_output():
    assert TEXT.count("```sh\n") == len(BLOCKS) == 7


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_as_the_code_has_it(name):
    assert part(name).findall(TEXT) == [f"\n{TABLES[name]()}\n\n"], "python -m tests.access_tables"


def test_every_address_of_ours_has_its_row(tmp_path):
    ours = set(addresses(full_door(tmp_path)))
    assert ours - set(WHO) == set()
    beside = ("GET /", "GET /anything/else", "GET /media/…", "GET /component/…")
    assert [one for one in set(WHO) - ours if "_stcore" not in one and one not in beside] == []


EXAMPLES = re.findall(r"^```env\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def read_settings(example, tmp_path):
    file = tmp_path / ".env"
    file.write_text(example, encoding="utf-8")
    return Settings(_env_file=file)


def test_the_settings_are_read_as_settings(tmp_path):
    views, kept, urls = (read_settings(one, tmp_path) for one in EXAMPLES)
    assert views.show_viewings
    assert kept.retention == {"audit_entry": 1100}
    assert urls.admin_url != urls.database_url


STATEMENTS = [
    line
    for block in re.findall(r"^```sql\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


def test_the_sql_makes_a_role_that_row_level_security_binds(postgres_server, tmp_path):
    token = postgres_server.token
    renamed = {"dashboard_": f"docs_{token}_", "DATABASE dashboard": f"DATABASE docs_{token}"}
    _, _, given = (read_settings(one, tmp_path) for one in EXAMPLES)

    def local(url):
        role = make_url(url).username.replace("dashboard_", f"docs_{token}_")
        server = postgres_server.superuser
        whole = make_url(url).set(
            username=role, database=f"docs_{token}", host=server.host, port=server.port
        )
        return whole.render_as_string(hide_password=False)

    settings = Settings(
        database_url=local(given.database_url),
        database_admin_url=local(given.admin_url),
        _env_file=None,
    )
    try:
        for statement in STATEMENTS:
            for name, other in renamed.items():
                statement = statement.replace(name, other)
            postgres_server.run(statement)
        migrate(settings)
        mark, text = next(iter(_walls(settings)))
        assert mark == "ok"
        assert text in TEXT
    finally:
        for url in (settings.database_url, settings.admin_url):
            engine(url).dispose()
        postgres_server.drop_database(f"docs_{token}")
        postgres_server.run(
            *(f"DROP ROLE IF EXISTS docs_{token}_{one}" for one in ("app", "owner"))
        )
