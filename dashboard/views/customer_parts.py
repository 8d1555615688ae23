"""The cards of a customer's page for the staff: frozen values in, HTML out."""

from collections.abc import Sequence

from dashboard.charts.formats import day, moment, money, period_name, sentence, whole
from dashboard.views.ask import STATE_WORDS
from dashboard.views.cards import card, row
from dashboard.views.customers import health
from dashboard.views.fleet_readings import Lately
from dashboard.views.forecast_words import unusual_in
from dashboard.views.markup import Part, Safe, div, note, span, strong, tag
from dashboard.views.page import Visit
from dashboard.views.people_lists import ROLES
from dashboard.views.wording import STATUS_WORDS
from dashboard.words import N_, _, n_
from data.identity import PersonView
from data.notes import Note
from data.overview import Overview
from data.periods import BillingPeriod
from data.requests import RequestView
from data.revisions import RevisedDay
from data.statement import Statement
from data.store import CustomerView, SubscriptionView

MOST = 4  # of a list inside a card
STATUSES = {"active": N_("Active"), "suspended": N_("Suspended"), "closed": N_("Closed")}


def who_card(own: CustomerView, people: Sequence[PersonView]) -> Safe:
    mail = tag("a", own.email, href=f"mailto:{own.email}") if own.email else "–"
    rows = [row(_("E-mail"), mail), row(_("External id"), own.external_id or "–")]
    shown = [_person(one) for one in people[:MOST]]
    return card(
        _("Who"),
        None,
        div("u-rows", *rows),
        tag("h3", _("People"), class_="u-sub"),
        div("u-rows", *shown) if shown else note(_("Nobody may sign in.")),
        _more(len(people) - MOST),
    )


def _person(one: PersonView) -> Safe:
    roles = ", ".join(_(ROLES[member.role]) for member in one.members)
    seen = moment(one.last_sign_in_at) if one.last_sign_in_at else _("never signed in")
    return div(
        "u-item",
        strong(one.name),
        span("u-key", roles),
        span("u-key u-wrap", one.email),
        span("u-key", seen),
    )


def accounts_card(contract: SubscriptionView, view: Overview | None, visit: Visit) -> Safe:
    """The contract's plan, its accounts and how current they are."""
    shown = []
    for one in contract.accounts[:MOST]:
        word, kind = health((one,), visit.now)
        status = _(STATUSES.get(one.status, one.status))
        shown.append(
            div(
                "u-item",
                strong(one.application or one.name),
                span("u-key", status),
                span("u-sid", one.sid),
                div("u-health", span(f"u-dot u-{kind}"), word),
            )
        )
    plan = contract.plan or _("Own Twilio account")
    since = _("since {day}").format(day=day(contract.starts_on, year=True))
    read = view.freshness.as_of if view else None
    return card(
        _("Plan and accounts"),
        None,
        div("u-item", strong(plan), span("u-key", since)),
        *shown,
        _more(len(contract.accounts) - MOST),
        note(_("Data as of {moment}.").format(moment=moment(read))) if read else None,
    )


def service_card(view: Overview, lately: Lately) -> Safe:
    """Errors of seven days, Twilio's open incidents, unusual days."""
    errors: dict[str, int] = {}
    for one in lately.alerts:
        if one.level == "error":
            errors[one.code or "–"] = errors.get(one.code or "–", 0) + one.count
    most = sorted(errors.items(), key=lambda item: (-item[1], item[0]))
    number = sum(errors.values())
    rows = [row(_("Error {code}").format(code=code), whole(count)) for code, count in most[:MOST]]
    unusual = unusual_in({_(one.label): one.unusual for one in view.series if one.unusual})
    return card(
        _("Service, 7 days"),
        tag(
            "span",
            whole(number),
            span("u-of", f" {n_('error', 'errors', number)}"),
        ),
        div("u-rows", *rows) if rows else None,
        note(unusual) if unusual else note(_("No unusual day in this period.")),
        *_incidents(lately),
    )


def _incidents(lately: Lately) -> list[Part]:
    if not lately.incidents:
        return [note(_("No open incident at Twilio."))]
    return [
        note(strong(one.name), " ", _("since {moment}").format(moment=moment(one.started_at)))
        for one in lately.incidents[:MOST]
    ]


def changes_card(lately: Lately) -> Safe:
    """Plans by day, newest first, and days that Twilio has changed of late."""
    plans = [
        row(one.plan.name, day(one.starts_on, year=True))
        for one in reversed(lately.timeline)
        if one.billed or one.waited
    ]
    restated = [_restated(one) for one in lately.revised[:MOST]]
    return card(
        _("Recent changes"),
        None,
        tag("h3", _("Plans"), class_="u-sub"),
        div("u-rows", *plans[:MOST]) if plans else note(_("No plan: the customer pays Twilio.")),
        tag("h3", _("Days restated by Twilio, 14 days"), class_="u-sub"),
        div("u-rows", *restated) if restated else note(_("None.")),
        _more(len(lately.revised) - MOST),
    )


def _restated(one: RevisedDay) -> Safe:
    labels = ", ".join(sorted({_(each.label) for each in one.categories}))
    return div("u-restated", span("u-key", day(one.day)), span("u-text", sentence(labels)))


def requests_card(asked: Sequence[RequestView]) -> Safe:
    waiting = [one for one in asked if one.is_open]
    shown = waiting or list(asked[:1])
    items = [
        div(
            "u-item",
            strong(sentence(one.wanted)),
            span("u-key", _(STATE_WORDS[one.status])),
            span("u-key", f"{one.asked_by}, {day(one.asked_at.date())}"),
        )
        for one in shown[:MOST]
    ]
    link = tag("a", _("Open the requests"), href="requests", target="_self", class_="u-link")
    nothing = note(_("Nothing was asked for."))
    return card(_("Requests"), None, *(items or [nothing]), link if waiting else None)


def bills_card(bills: Sequence[tuple[BillingPeriod, Statement | None]]) -> Safe:
    rows = [
        row(
            period_name(period),
            tag(
                "span",
                money(bill.total, bill.currency),
                " ",
                span("u-tag", _(STATUS_WORDS[bill.status])),
            ),
        )
        for period, bill in bills
        if bill is not None
    ]
    nothing = note(_("No earlier statement."))
    return card(_("Last statements"), None, div("u-rows", *rows) if rows else nothing)


def notes_list(written: Sequence[Note]) -> Safe:
    if not written:
        return note(_("No note yet."))
    items = (
        tag(
            "li",
            span("u-key", f"{one.author}, {moment(one.written_at)}"),
            tag("p", one.text, class_="u-text u-wrap"),
        )
        for one in written
    )
    return tag("ul", *items, class_="u-noted")


def _more(number: int) -> Safe | None:
    if number <= 0:
        return None
    return note(n_("and {n} more", "and {n} more", number).format(n=whole(number)))
