"""Credits of one customer, for staff: lots granted once for their key, and lots taken back."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import partial
from secrets import token_hex

import streamlit as st

from dashboard.charts.formats import day, day_entry, money, quantity
from dashboard.views.acts import ask, done
from dashboard.views.agreement_parts import MAY, acting, plans_of, reason_box, section, tried
from dashboard.views.dialogs import dialog
from dashboard.views.markup import Safe, div, filled, grid, note, strong, tag
from dashboard.views.page import Visit
from dashboard.views.parts import must_still, show
from dashboard.views.plans_readings import read_plans
from dashboard.words import N_, _
from data.customer_acts import grant_credits, void_credits
from data.customers_file import CustomerEntry
from data.grants import CreditEntry
from data.periods import DAY
from data.pricing import CreditLots, Pack, Plan
from data.scope import EveryTenant


def credits_section(visit: Visit, entry: CustomerEntry, key: str) -> None:
    lots = [one for one in entry.credits if one.subscription == key]
    prices = _credit_prices(visit, entry, key)
    if not lots and not prices:
        return
    section(_("Credits granted"))
    if lots:
        show(lots_table(lots, prices[0][0].currency if prices else ""))
    with st.container(horizontal=True, key="agreement_credits"):
        if prices and st.button(_("Grant credits"), icon=":material/add:"):
            st.session_state["grant_key"] = f"grant-{visit.today}-{token_hex(3)}"
            _grant(visit, entry, key)
        standing = [lot for lot in lots if lot.voided_on is None]
        if standing and st.button(_("Void credits…")):
            _void(visit, entry, standing)


def _credit_prices(visit: Visit, entry: CustomerEntry, key: str) -> list[tuple[Plan, CreditLots]]:
    plans = read_plans(EveryTenant(visit.settings.database_url))
    found = [plans.get((one.plan, one.version)) for one in plans_of(entry, key)]
    return [
        (plan, price)
        for plan in reversed(found)
        if plan is not None
        for price in plan.prices
        if isinstance(price, CreditLots)
    ]


def lots_table(lots: Iterable[CreditEntry], currency: str) -> Safe:
    names = (_("Lot"), _("Credits"), _("Units a credit"), _("Price"), _("From"), _("Until"))
    rows = (tag("tr", *(tag("td", text) for text in _lot(one, currency))) for one in lots)
    return div("u-panel", grid(_("Credits"), names, rows))


def _lot(one: CreditEntry, currency: str) -> tuple[str, ...]:
    rates = one.units_per_credit or {}
    until = day(one.expires_on - DAY, year=True) if one.expires_on else _("open")
    if one.voided_on:
        until = _("void from {day}").format(day=day(one.voided_on, year=True))
    return (
        f"{one.name} ({one.key})",
        quantity(one.credits) if one.credits is not None else "",
        ", ".join(f"{meter}: {quantity(rate)}" for meter, rate in rates.items()),
        _paid(one.price, currency),
        day(one.bought_on, year=True),
        until,
    )


def _paid(price: Decimal | None, currency: str) -> str:
    if not price:
        return _("free")
    return money(price, currency) if currency else quantity(price)


@dialog(N_("Grant credits"), width="medium")
def _grant(visit: Visit, entry: CustomerEntry, key: str) -> None:
    must_still(visit, MAY)
    plan, price = _credit_prices(visit, entry, key)[0]
    packs = {pack.name: pack for pack in price.packs}
    if not packs:
        show(note(_("The plan sells no packs: write the grant into customers.yaml.")))
        return
    name = st.selectbox(
        _("Pack"),
        tuple(packs),
        format_func=lambda one: _pack_label(packs[one], plan.currency),
        key="grant_pack",
    )
    left, right = st.columns(2)
    number = left.number_input(_("How many"), 1, 1000, 1, key="grant_number")
    free = right.checkbox(_("Free of charge"), key="grant_free")
    bought = left.date_input(_("From (UTC day)"), visit.today, format=day_entry(), key="grant_on")
    expires = right.date_input(
        _("Expires (first day without)"), None, format=day_entry(), key="grant_until"
    )
    sent = st.text_input(
        _("Key"),
        max_chars=80,
        key="grant_key",
        help=_("Sent twice with one key, it counts once."),
    )
    if not isinstance(bought, date):
        return
    grant = grant_of(
        packs[name],
        int(number),
        sent or "",
        bought,
        free=free,
        key=key,
        expires=expires if isinstance(expires, date) else None,
    )
    scope = EveryTenant(visit.settings.database_url)
    possible = grant is not None and tried(partial(grant_credits, scope, entry.slug, grant), visit)
    reason = reason_box("grant")
    if st.button(_("Grant them"), type="primary", disabled=not (possible and reason.strip())):
        assert grant is not None
        ask(partial(_do_grant, entry, grant, reason))


def _pack_label(pack: Pack, currency: str) -> str:
    words = _("{name}: {credits} credits for {price}")
    price = money(pack.price, currency)
    return words.format(name=pack.name, credits=quantity(pack.credits), price=price)


def grant_of(
    pack: Pack, number: int, sent: str, bought: date, *, free: bool, key: str, expires: date | None
) -> CreditEntry | None:
    """The pack as sold, or its terms without its price; None without a key."""
    if not sent.strip():
        return None
    terms: dict[str, object] = {"pack": pack.name, "quantity": number}
    if free:
        terms = {"name": pack.name, "credits": pack.credits * number, "price": "0"}
        terms["units_per_credit"] = pack.units_per_credit
    given = {"key": sent.strip(), "subscription": key, "bought_on": bought, "expires_on": expires}
    return CreditEntry.model_validate({**terms, **given})


def _do_grant(entry: CustomerEntry, grant: CreditEntry, reason: str, visit: Visit) -> None:
    scope = EveryTenant(visit.settings.database_url)
    found = grant_credits(scope, entry.slug, grant, by=acting(visit, reason))
    if found.lines:
        done(
            filled(_("{key} is granted to {customer}."), key=strong(grant.key), customer=entry.name)
        )
    else:
        done(filled(_("{key} was granted already; it counts once."), key=strong(grant.key)))


@dialog(N_("Void credits"))
def _void(visit: Visit, entry: CustomerEntry, lots: list[CreditEntry]) -> None:
    must_still(visit, MAY)
    by_key = {lot.key: lot for lot in reversed(lots)}
    chosen = st.selectbox(_("Lot"), tuple(by_key), key="void_lot")
    show(note(_("From that day on nothing is left of the lot; what was drawn before stays drawn.")))
    since = st.date_input(_("From (UTC day)"), visit.today, format=day_entry(), key="void_on")
    if not isinstance(since, date):
        return
    void = by_key[chosen].model_copy(update={"voided_on": since})
    scope = EveryTenant(visit.settings.database_url)
    possible = tried(partial(void_credits, scope, entry.slug, void), visit)
    reason = reason_box("void")
    if st.button(_("Void it"), type="primary", disabled=not (possible and reason.strip())):
        ask(partial(_do_void, entry, void, reason))


def _do_void(entry: CustomerEntry, void: CreditEntry, reason: str, visit: Visit) -> None:
    scope = EveryTenant(visit.settings.database_url)
    void_credits(scope, entry.slug, void, by=acting(visit, reason))
    done(filled(_("{key} is void."), key=strong(void.key)))
