"""Accounts: which Twilio accounts a customer's figures are of, and the way to connect its own."""

from datetime import date

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import day, moment
from dashboard.views.markup import Part, Safe, div, span, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import callout, show, state
from dashboard.words import N_, _
from data.connect import OwnAccount, own_accounts
from data.periods import DAY

Health = tuple[str, str]  # in words, and how bad it is: good, quiet, bad


def render(visit: Visit) -> None:
    visit.viewer.require(Permission.VIEW_OWN)
    found = own_accounts(visit.scope)
    show(
        tag("h1", _("Accounts"), class_="u-title"),
        _just_connected(found, st.query_params.get("connected")),
        _list(found, visit.today) if found else _none(visit),
        _connect(visit),
    )


def _just_connected(found: tuple[OwnAccount, ...], sid: str | None) -> Safe | None:
    """The address only points at an account; what is said of it is the store's."""
    one = next((each for each in found if each.sid == sid and each.kind == "connected"), None)
    if one is None or one.withdrawn_at is not None:
        return None
    goes_on = _("It is read with every reading from Twilio.")
    first = _("Its usage is shown here after the next reading from Twilio, in about an hour.")
    name = one.application or one.name
    done = strong(_("{name} is connected.").format(name=name))
    return callout(done, " ", first if one.synced_at is None else goes_on)


def _none(visit: Visit) -> Safe:
    name = visit.viewer.customer.name if visit.viewer.customer else visit.brand.name
    return state(
        _("No accounts yet"), _("No Twilio account belongs to {name} yet.").format(name=name)
    )


def _list(found: tuple[OwnAccount, ...], today: date) -> Safe:
    items = (tag("li", *_entry(one, today), class_="u-account") for one in found)
    return tag("ul", *items, class_="u-panel u-accounts")


def _entry(one: OwnAccount, today: date) -> tuple[Safe, ...]:
    title = one.application or one.name
    word, kind = status(one, today)
    pays = span("u-tag", _("You pay Twilio")) if one.kind == "connected" else None
    return (
        div(
            "u-pair",
            div("u-account-name", tag("h2", title), pays),
            span("u-key", one.name) if one.name not in (title, one.sid) else None,
            span("u-key u-sid", one.sid),
        ),
        div("u-health", span(f"u-dot u-{kind}"), tag("span", word)),
        div("u-pair", *(span(class_, text) for class_, text in reading(one))),
        div("u-pair", span("u-key", _held(one))),
    )


def status(one: OwnAccount, today: date) -> Health:
    """What is true of the account at Twilio and of our right to read it."""
    if one.ends_on is not None and one.ends_on <= today:
        return _("No longer yours"), "quiet"
    if one.withdrawn_at is not None:
        since = day(one.withdrawn_at.date(), year=True)
        return _("Consent withdrawn since {day}").format(day=since), "bad"
    if one.status == "closed":
        if one.closed_on is None:
            return _("Closed"), "quiet"
        return _("Closed on {day}").format(day=day(one.closed_on, year=True)), "quiet"
    if one.status == "suspended":
        return _("Suspended"), "bad"
    return _("Active"), "good"


def reading(one: OwnAccount) -> tuple[tuple[str, str], ...]:
    """(class, sentence): when it was read, and through when its figures are."""
    if one.withdrawn_at is not None:
        first = ("u-text", _("No longer read; what was read stays"))
    elif one.failed:
        first = ("u-text u-warn", _("The last reading failed"))
    elif one.synced_at is None:
        return (
            ("u-text", _("Not read yet")),
            ("u-key", _("Its first reading comes with the next sync")),
        )
    else:
        first = ("u-text", _("Read {time}").format(time=moment(one.synced_at)))
    seen = one.as_of or one.synced_at
    figures = _("No figures yet")
    if seen:
        figures = _("Figures through {time}").format(time=moment(seen))
    return first, ("u-key", figures)


def _held(one: OwnAccount) -> str:
    since = day(one.starts_on, year=True)
    if one.ends_on is None:
        return _("Yours since {day}").format(day=since)
    until = day(one.ends_on - DAY, year=True)
    return _("Yours since {day}, until {last}").format(day=since, last=until)


def _connect(visit: Visit) -> Safe | None:
    """A form of the page's own: Streamlit's buttons cannot lead to another site."""
    if visit.settings.connect_app is None or not visit.viewer.may(Permission.CHANGE_OWN):
        return None
    if visit.viewer.person_id is None:
        return None  # in a frame nobody has signed in, and Twilio's page of consent takes no frame
    button = tag("button", _("Connect your Twilio account"), type="submit", class_="u-button")
    words: Part = _(
        "Connect it, and {name} shows its usage here: usage, alerts and phone numbers "
        "are read, nothing is changed, and you go on paying Twilio directly. "
        "You can withdraw your consent at Twilio at any time."
    ).format(name=visit.brand.name)
    return tag(
        "section",
        div("u-pair", tag("h2", _("Your own Twilio account")), tag("p", words, class_="u-note")),
        tag("form", button, method="post", action="/connect/start"),
        class_="u-panel u-connect",
    )


PAGE = Page(
    "accounts", N_("Accounts"), ":material/key:", Permission.VIEW_OWN, render, without_contract=True
)
