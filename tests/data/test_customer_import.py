"""Customers by CSV: each row's verdict before anything is stored; all of them, or none; once."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import identity
from data.customer_acts import agreement, all_agreements
from data.customer_import import COLUMNS, TEMPLATE, Verdict, import_csv, read_rows
from data.errors import InputError
from data.identity.audit import By
from tests.bills import agreed, overage
from tests.customer_files import importer
from tests.stores import ACME_SID, BETA_SID, version

NOW = datetime(2026, 3, 21, 12, tzinfo=UTC)
BILLIE = By("Billie", None, "ticket 7", NOW)
NEW_SID = "AC" + "c" * 32
HEAD = ",".join(COLUMNS)


@pytest.fixture
def filled(store, tmp_path):
    importer(store, tmp_path)()
    for tier in ("small", "medium"):
        store.put(version(agreed(overage(tier), plan=f"over-{tier}", name=tier)))
    return store


def csv_of(*rows):
    return "\n".join((HEAD, *rows))


def run(store, *rows, dry_run=False):
    return import_csv(store.app, csv_of(*rows), by=BILLIE, dry_run=dry_run)


def kinds(found):
    return [str(row.verdict) for row in found.rows]


NEW = f"gamma,Gamma,office@gamma.test,G-1,{NEW_SID},Shop,over-small,medium,15,2026-03-15"


def test_a_new_customer_comes_with_account_plan_and_tier(filled):
    found = run(filled, NEW)
    assert (kinds(found), found.stored) == (["new"], True)
    entry = agreement(filled.app, "gamma")
    assert (entry.name, entry.anchor_day, entry.external_id) == ("Gamma", 15, "G-1")
    assert [(one.sid, one.application) for one in entry.accounts] == [(NEW_SID, "Shop")]
    assert [(one.plan, f"{one.starts_on}") for one in entry.plans] == [
        ("over-medium", "2026-03-15")
    ]


def test_the_log_says_who_stored_what(filled):
    run(filled, NEW)
    found = [one for one in identity.entries(filled.app) if one.actor == "Billie"]
    assert [(one.customer, one.action) for one in found] == [("Gamma", "agreement_changed")]
    assert found[0].detail.endswith("(ticket 7)")


def test_an_empty_cell_changes_nothing_and_a_changed_one_is_named(filled):
    before = agreement(filled.app, "beta")
    found = run(filled, "acme,Acme,,,,,,,,", "beta,Beta Ltd,,,,,,,,")
    assert kinds(found) == ["unchanged", "changed"]
    assert found.rows[1].details == ("name changed",)
    assert agreement(filled.app, "beta") == before.model_copy(update={"name": "Beta Ltd"})
    assert len(agreement(filled.app, "acme").credits) == 1


def test_a_second_row_is_another_account(filled):
    found = run(filled, NEW, f"gamma,,,,AC{'d' * 32},Desk,,,,2026-03-20")
    assert kinds(found) == ["new", "new"]
    assert [one.application for one in agreement(filled.app, "gamma").accounts] == ["Shop", "Desk"]


WRONG = {
    "an account of another": (
        (f"gamma,Gamma,,,{ACME_SID},,,,,2026-02-01",),
        "account_sid: .*belongs to acme",
    ),
    "an account twice": ((NEW, NEW.replace("gamma", "delta")), "account_sid: stands in line 2"),
    "a customer twice": (("acme,Acme,,,,,,,,", "acme,Acme,,,,,,,,"), "slug: stands in line 2"),
    "two names of one": (
        (NEW, f"gamma,Other,,,AC{'d' * 32},,,,,2026-03-20"),
        "name: an earlier row",
    ),
    "no name": (("gamma,,,,,,,,,",), "name: needed"),
    "no SID": (("gamma,Gamma,,,AC1,,,,,2026-01-01",), "account_sid: "),
    "no such plan": (("beta,,,,,,nothing,,,2026-04-01",), "plan: there is no 'nothing'"),
    "no such version": (("beta,,,,,,margin@7,,,2026-04-01",), "plan: margin has no version 7"),
    "no such tier": (("beta,,,,,,over-small,huge,,2026-04-01",), "tier: .*small, medium, large"),
    "no tiers": (("beta,,,,,,margin,small,,2026-04-01",), "tier: .*no tiers"),
    "no day": (("beta,,,,,,bundle,,,soon",), "starts_on: 'soon' is not a day"),
    "no slug's letters": (("Gamma!,Gamma,,,,,,,,",), "slug: "),
    "a wrong anchor": (("gamma,Gamma,,,,,,,40,",), "anchor_day: "),
    "the waiting": (("unassigned,X,,,,,,,,",), "slug: "),
}


@pytest.mark.parametrize(("rows", "why"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_names_its_line_and_field_and_nothing_is_stored(filled, rows, why):
    before = all_agreements(filled.app)
    found = run(filled, *rows)
    wrong = [row for row in found.rows if row.verdict is Verdict.ERROR]
    assert not found.stored
    assert re.search(why, "; ".join(wrong[-1].details))
    assert wrong[-1].line == len(rows) + 1
    assert all_agreements(filled.app) == before


TABLES = {
    "nothing": ("  ", "columns' names first"),
    "a column that is not known": ("slug,nam\na,b", "'nam' is not a column"),
    "no slug": ("name\nGamma", "slug is missing"),
    "a column twice": ("slug,name,name\na,b,c", "stands there twice"),
    "a head that is no CSV": ('"slug"x,name\na,b', "line 1: "),
    "a head without an end": ("s" * 150_000, "line 1: field larger"),
    "far too much": ("slug,name\n" + "a,b\n" * 60_000, "at most 200,000"),
    "too many cells": ("slug,name\na,b,c", "line 2: more cells"),
}


@pytest.mark.parametrize(("text", "why"), TABLES.values(), ids=TABLES)
def test_a_text_that_is_no_table_is_refused_as_a_whole(filled, text, why):
    with pytest.raises(InputError, match=why):
        import_csv(filled.app, text, by=BILLIE)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_come_from_any_spreadsheet(separator):
    text = "\ufeff" + csv_of("acme,Acme,,,,,,,,").replace(",", separator)
    assert read_rows(text)[0][1]["name"] == "Acme"
    assert len(read_rows(TEMPLATE)) == 2


slugs = st.sampled_from(["acme", "beta", "gamma", "delta"])
rows = st.builds(
    lambda slug, name, sid, plan, anchor: (
        f"{slug},{name},,,{sid},,{plan},,{anchor},{'2026-04-01' if sid or plan else ''}"
    ),
    slugs,
    st.sampled_from(["", "One", "Two"]),
    st.sampled_from(["", NEW_SID, ACME_SID, BETA_SID]),
    st.sampled_from(["", "bundle", "over-small", "credits"]),
    st.sampled_from(["", "1", "15"]),
)


@given(tables=st.lists(st.lists(rows, min_size=1, max_size=3), min_size=1, max_size=3))
@settings(max_examples=15)
def test_a_dry_run_says_what_happens_and_a_second_time_changes_nothing(filled, tables):
    """Table after table, in whatever state the ones before have left."""
    store = filled
    for table in tables:
        before = all_agreements(store.app)
        dry = run(store, *table, dry_run=True)
        assert all_agreements(store.app) == before
        real = run(store, *table)
        assert real.rows == dry.rows
        assert real.stored == (not dry.errors)
        if not real.stored:
            assert all_agreements(store.app) == before
            continue
        after = all_agreements(store.app)
        again = run(store, *table)
        assert set(kinds(again)) == {"unchanged"}
        assert all_agreements(store.app) == after
