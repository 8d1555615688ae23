"""The page Audit: every action has words, filters hold, the export is whole and itself logged."""

import csv
from datetime import UTC, date, datetime, timedelta

import pytest

from dashboard.access import Role
from dashboard.exports import as_csv
from dashboard.views import audit as page
from dashboard.views.audit import Filter, audit_rows, detail_of, log_table, what
from dashboard.views.page import Visit, configuration
from data import identity
from data.errors import AccessError
from data.identity import Action, Entry
from tests.staffed import (
    ADMIN,
    ANNA,
    ARON,
    BILLING,
    DEVELOPER,
    SUPPORT,
    app_on,
    opened,
    put_people,
    text_of,
    viewer,
)
from tests.stores import ACME, BETA

NOW = datetime.now(UTC)  # the app's clock is the real one


@pytest.fixture
def app(sqlite_store, monkeypatch):
    put_people(sqlite_store)
    with app_on(sqlite_store, monkeypatch) as ready:
        yield ready


def noted(store, action, detail, *, customer_id=None, at=NOW):
    identity.record(store.app, at, action, customer_id=customer_id, actor="Zoe", detail=detail)


def visit_of(store, member):
    settings, brand = configuration()
    own = viewer(store, member, NOW)
    return Visit(own, settings, brand, NOW, NOW, NOW.date(), "light")


def whole(store, member=ADMIN, **terms):
    """What the download holds, as its button reads it."""
    wanted = Filter(terms.pop("first", NOW.date()), terms.pop("last", NOW.date()), **terms)
    return page._read(visit_of(store, member), wanted, None)


@pytest.mark.parametrize("action", Action, ids=str)
def test_every_action_has_words_of_its_own(action):
    assert page.WORDS[action] not in [w for a, w in page.WORDS.items() if a != action]
    assert what(Entry(NOW, "Zoe", action.value, "", "", "")) == page.WORDS[action]


def test_an_action_of_another_release_is_shown_as_it_is_written():
    assert what(Entry(NOW, "Zoe", "later_thing", "", "", "")) == "later_thing"


def test_what_strangers_wrote_is_escaped_and_defused():
    entry = Entry(NOW, "", "sign_in_refused", "<b>A</b>", "=cmd()", "10.0.0.1")
    assert "&lt;b&gt;A" in log_table([entry])
    assert "A stranger" in log_table([entry])
    assert "'=cmd()" in as_csv(audit_rows([entry])).decode()
    assert detail_of(entry) == "=cmd()"


@pytest.mark.parametrize("member", [ADMIN, BILLING, DEVELOPER, SUPPORT, ANNA, ARON])
def test_only_administrators_get_the_page(app, member):
    noted(app, Action.KEY_CREATED, "portal-4711", customer_id=ACME)
    shown = "portal-4711" in text_of(opened(app, member, "audit"))
    assert shown == (member == ADMIN)


def test_filters_choose_by_customer_kind_and_day(app):
    noted(app, Action.EXPORT, "of Acme", customer_id=ACME)
    noted(app, Action.EXPORT, "of Beta", customer_id=BETA)
    noted(app, Action.KEY_CREATED, "portal", customer_id=BETA, at=NOW - timedelta(days=2))
    test = opened(app, ADMIN, "audit")
    test.selectbox(key="audit_customer").select(BETA)
    text = text_of(test.run())
    assert "of Beta" in text
    assert "portal" in text
    assert "of Acme" not in text
    test.selectbox(key="audit_action").select(Action.KEY_CREATED)
    assert "of Beta" not in text_of(test.run())
    test.date_input(key="audit_days").set_value((NOW.date(), NOW.date()))
    assert "Nothing stands in the log here" in text_of(test.run())


def test_a_last_day_is_included_and_the_next_is_not():
    wanted = Filter(date(2026, 3, 1), date(2026, 3, 2))
    assert wanted.since == datetime(2026, 3, 1, tzinfo=UTC)
    assert wanted.until == datetime(2026, 3, 3, tzinfo=UTC)


def test_a_long_log_is_shown_in_parts(app):
    for n in range(page.A_LEAF + 10):
        noted(app, Action.EXPORT, f"file-{n:03}.csv")
    test = opened(app, ADMIN, "audit")
    assert f"The newest {page.A_LEAF}" in text_of(test)
    assert "file-000.csv" not in text_of(test)
    next(one for one in test.button if one.label == "Show more").click()
    text = text_of(test.run())
    assert "file-000.csv" in text
    assert "in all" in text


def test_the_export_holds_all_that_matches_and_no_more(app):
    for n in range(page.A_LEAF + 10):
        noted(app, Action.EXPORT, f"{n}.csv", customer_id=ACME)
    noted(app, Action.EXPORT, "beta.csv", customer_id=BETA)
    found = whole(app, customer_id=ACME, action=Action.EXPORT)
    rows = list(csv.reader(as_csv(audit_rows(found)).decode("utf-8-sig").splitlines()))
    assert rows[0] == list(page.COLUMNS)
    assert [row[4] for row in rows[1:]] == [f"{n}.csv" for n in reversed(range(page.A_LEAF + 10))]


def written_by(visit, monkeypatch):
    """What the page hands to the download button."""
    caught = []
    monkeypatch.setattr(page, "csv_button", lambda _visit, _label, build, *_: caught.append(build))
    page._foot(visit, Filter(NOW.date(), NOW.date()), shown=1, more=False)
    return caught[0]


def test_a_button_of_before_gives_nothing_to_who_administers_no_more(app, monkeypatch):
    visit = visit_of(app, ADMIN)
    build = written_by(visit, monkeypatch)
    assert build().rows
    identity.add_membership(app.app, ADMIN, Role.SUPPORT)
    with pytest.raises(AccessError):
        build()


@pytest.mark.parametrize("member", [SUPPORT, DEVELOPER, BILLING, ANNA])
def test_nobody_else_reads_the_log_by_an_export(app, member):
    with pytest.raises(AccessError):
        whole(app, member)
