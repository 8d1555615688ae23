"""Company: all contracts and accounts of a customer side by side; totals per currency.

For a customer with one account it says that there is nothing to compare.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from dashboard.access import Permission
from dashboard.charts.formats import (
    about,
    change,
    day,
    money,
    money_range,
    percent,
    period_name,
    quantity,
    sentence,
)
from dashboard.exports import Table
from dashboard.views.markup import (
    Part,
    Safe,
    div,
    filled,
    grid,
    note,
    number_cell,
    number_head,
    strong,
    tag,
)
from dashboard.views.page import Page, Visit
from dashboard.views.parts import csv_button, show, state
from dashboard.views.readings import (
    read_periods,
    read_subscription_line,
    read_subscriptions,
    ten_minutes,
)
from dashboard.views.wording import STATUS_WORDS
from dashboard.words import N_, _, n_
from data.company import AccountLine, CurrencyTotal, SubscriptionLine, lines_total, totals
from data.freshness import Freshness
from data.money import total
from data.store import SubscriptionView


def render(visit: Visit) -> None:
    own = read_subscriptions(visit.scope, visit.version)
    show(tag("h1", _("Company"), class_="u-title"))
    if sum(len(one.accounts) for one in own) < 2:
        show(_nothing_to_compare(own))
        return
    lines = [line for one in own if (line := _line(visit, one))]
    accounts = sum(len(one.accounts) for one in lines)
    show(
        tag("p", _summary(lines, accounts), class_="u-summary"),
        _totals(totals(lines)),
        *(part for line in lines for part in _subscription(line)),
        tag("p", _("All days and times are UTC."), class_="u-foot"),
    )
    csv_button(visit, _("CSV"), lambda: _rows(lines), "company")


def _nothing_to_compare(own: Sequence[SubscriptionView]) -> Safe:
    link = tag("a", _("Go to the overview"), href="overview", target="_self")
    return state(
        _("One account, nothing to compare"),
        _(
            "This page puts several accounts and contracts side by side. You have one account; "
            "all of its figures are on the overview."
        ),
        hint=link if own else None,
    )


def _line(visit: Visit, own: SubscriptionView) -> SubscriptionLine | None:
    """Of the newest period; None before a contract has begun."""
    periods = read_periods(visit.scope, visit.version, own.key, visit.today)
    if not periods:
        return None
    return read_subscription_line(
        *(visit.scope, visit.version, own.key, periods[0], visit.today, ten_minutes(visit.now)),
        visit.settings.settling_days,
        visit.settings.holidays,
    )


def _summary(lines: Sequence[SubscriptionLine], accounts: int) -> Safe:
    together = n_("{n} account", "{n} accounts", accounts).format(n=accounts)
    contracts = n_("{n} contract", "{n} contracts", len(lines)).format(n=len(lines))
    text = _("{accounts} under {contracts}. Amounts of different currencies are never added up.")
    if len({one.statement.currency for one in lines if one.statement}) < 2:
        text = _("{accounts} under {contracts}.")
    return filled(text, accounts=strong(together), contracts=contracts)


def _totals(found: Sequence[CurrencyTotal]) -> Safe | None:
    """A sum says something only where there are several contracts."""
    shown = [one for one in found if one.subscriptions > 1]
    if not shown:
        return None
    facts = []
    for one in shown:
        text = _("{amount} so far in {currency}")
        parts: dict[str, Part] = {
            "amount": strong(money(one.so_far, one.currency)),
            "currency": one.currency,
        }
        if one.expected is not None:
            text = _("{amount} so far in {currency}, about {expected} expected on average")
            parts["expected"] = strong(about(one.expected, one.currency))
        facts.append(tag("p", filled(text, **parts)))
    return div("u-panel", *facts)


def _subscription(one: SubscriptionLine) -> list[Safe]:
    head = div(
        "u-company-head",
        tag("h2", one.plan or _("Own Twilio account"), class_="u-section"),
        _bill_line(one),
        tag(
            "a",
            _("Open the overview of {plan}").format(plan=one.plan or _("Own Twilio account")),
            href=f"./?{urlencode({'contract': one.key})}",
            target="_self",
            class_="u-link",
        ),
    )
    said = [_shared(one), _beside(one)] if one.statement else [_unpriced()]
    return [head, _table(one), note(" ".join(one_said for one_said in said if one_said))]


def _bill_line(one: SubscriptionLine) -> Safe:
    bill, ahead = one.statement, one.overview.outlook
    name = period_name(one.period)
    if bill is None:
        return tag("p", name, class_="u-note")
    amount = strong(money(bill.total, bill.currency))
    if ahead is None or ahead.amount is None or ahead.over:
        text = _("{period}: {amount} {label}")
        label = _(STATUS_WORDS[bill.status])
        return tag("p", filled(text, period=name, amount=amount, label=label), class_="u-note")
    expected = strong(money_range(ahead.amount, bill.currency))
    text = _("{period}: {amount} so far, {expected} expected")
    return tag("p", filled(text, period=name, amount=amount, expected=expected), class_="u-note")


def _shared(one: SubscriptionLine) -> str:
    if len(one.accounts) == 1:
        return _("One account bears all of it.")
    if one.own_spend:
        return _("Each account's usage, priced alone, adds up to the bill: the spend is its own.")
    return _(
        "Accounts share what this plan includes, its steps and its fees. Spend by account is the "
        "bill divided by {meter}, not a price of each."
    ).format(meter=_(one.label))


def _beside(one: SubscriptionLine) -> str | None:
    """What the bill has that no account has used."""
    bill = one.statement
    if bill is None or bill.total == lines_total(bill):
        return None
    text = _("With adjustments and credits the bill is {amount} so far.")
    return text.format(amount=money(bill.total, bill.currency))


def _unpriced() -> str:
    return _("You pay Twilio directly, so no amounts are shown here.")


def _table(one: SubscriptionLine) -> Safe:
    spend = _("Spend so far") if one.own_spend else _("Share by usage")
    figures = [sentence(_(one.unit)), _("Same days before"), _("Pace")]
    figures += [spend, _("Share")] if one.statement else []
    heads = (_("Account"), *(number_head(name) for name in figures), _("Read"))
    rows = [_account(account, one) for account in one.accounts]
    if len(rows) > 1 and one.statement:
        rows.append(_foot(one))
    return grid(one.plan or _("Own Twilio account"), heads, rows, around="u-company")


def _account(account: AccountLine, one: SubscriptionLine) -> Safe:
    moved = None
    if account.settled_before is not None:
        moved = change(account.settled, account.settled_before)
    figures = [
        quantity(account.quantity),
        "–" if account.settled_before is None else quantity(account.settled_before),
        moved or "–",
    ]
    if one.statement:
        amount = account.amount
        figures.append("–" if amount is None else money(amount, one.statement.currency))
        figures.append("–" if account.share is None else percent(account.share))
    cells = (number_cell(figure) for figure in figures)
    return tag("tr", tag("th", account.name, scope="row"), *cells, tag("td", _read(account)))


def _foot(one: SubscriptionLine) -> Safe:
    bill = one.statement
    assert bill is not None
    used = total(account.quantity for account in one.accounts)
    figures = [quantity(used), "", "", money(lines_total(bill), bill.currency), ""]
    cells = (number_cell(figure) for figure in figures)
    return tag("tr", tag("th", _("Together"), scope="row"), *cells, tag("td"), class_="u-total")


def _read(account: AccountLine) -> str:
    """As of when, or what is wrong with it: in words, for colour alone says nothing."""
    fresh: Freshness = account.freshness
    if account.status == "closed":
        return _("Closed")
    if account.status == "suspended":
        return _("Suspended")
    if fresh.withdrawn_on:
        return _("Consent withdrawn")
    if fresh.as_of is None:
        return _("Not read yet")
    at = f"{day(fresh.as_of.date())} {fresh.as_of:%H:%M}"
    if fresh.failed:
        return _("Reading failed, as of {moment}").format(moment=at)
    if fresh.stale:
        return _("Old, as of {moment}").format(moment=at)
    return _("as of {moment}").format(moment=at)


def _rows(lines: Sequence[SubscriptionLine]) -> Table:
    columns = (
        *(
            _("Contract"),
            _("Account"),
            _("Unit"),
            _("Quantity"),
            _("Settled"),
            _("Same days before"),
        ),
        *(_("Currency"), _("Amount"), _("Amount is"), _("As of")),
    )
    rows = []
    for one in lines:
        kind = _("its own") if one.own_spend else _("a share by usage")
        for account in one.accounts:
            has = account.amount is not None and one.statement is not None
            rows.append(
                (
                    one.plan or _("Own Twilio account"),
                    account.name,
                    _(one.unit),
                    account.quantity,
                    account.settled,
                    account.settled_before,
                    one.statement.currency if one.statement else "",
                    account.amount,
                    kind if has else "",
                    account.freshness.as_of.isoformat() if account.freshness.as_of else "",
                )
            )
    return Table(columns, tuple(rows))


def _has_several(visit: Visit) -> bool:
    return sum(len(one.accounts) for one in read_subscriptions(visit.scope, visit.version)) > 1


PAGE = Page(
    *("company", N_("Company"), ":material/domain:", Permission.VIEW_OWN, render),
    listed=_has_several,
)
