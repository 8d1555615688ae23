"""A plan's terms in words.  A price that follows what is charged to us is told without figures."""

from collections.abc import Iterator

from dashboard.charts.formats import (
    counted,
    money,
    one_of,
    percent,
    quantity,
    sentence,
    unit_price,
)
from dashboard.words import N_, _
from data.plan_terms import PackTerms, PlanTerms, PriceTerms, Step

KINDS = {
    "fixed_margin": N_(
        "You pay for what you use. Each message, minute and number is charged as it is counted, "
        "at a price that follows the networks' prices. Nothing is included, so nothing can run out."
    ),
    "graduated_margin": N_(
        "You pay for what you use, at a price that follows the networks' prices. Units are counted "
        "over the period and fall into bands; each band has its own terms."
    ),
    "tiers": N_(
        "You have chosen a bundle in advance: its fee covers so many units. There is no price for "
        "use beyond it, so a larger bundle is the way to more."
    ),
    "tiers_with_overage": N_(
        "You have chosen a tier in advance: its fee covers so many units, and each unit beyond "
        "them is charged at the tier's price."
    ),
    "credit_lots": N_(
        "You buy credits in packs, and use is taken from them. Each pack has its own exchange "
        "into units, which stays as it was when the pack was bought."
    ),
    "per_unit": N_("Every unit has one price."),
    "graduated": N_(
        "Units are counted over the period and fall into bands. Each unit has the price of its "
        "band; reaching a band does not change the price of the units before it."
    ),
    "volume": N_(
        "Units are counted over the period. The band that their number reaches gives one price "
        "for all of them, the first one included."
    ),
    "package": N_("Units are charged in packages: each one that is begun counts whole."),
}
SHORTFALLS = {
    "owed": N_("Use that no credits cover is taken from the next pack."),
    "unpriced": N_("Use that no credits cover has no price on this plan."),
}


def explained(price: PriceTerms) -> str:
    """The price model, without a figure."""
    return _(KINDS[price.kind]) if price.kind in KINDS else ""


def priced_for(price: PriceTerms) -> str:
    """What the price is for: SMS; SMS, Voice; everything you use."""
    return ", ".join(_(label) for label in price.labels) or _("Everything you use")


def step_range(step: Step) -> str:
    """1 – 100; above 100; every unit."""
    if step.up_to is None:
        above = _("Above {units}").format(units=quantity(step.start))
        return above if step.start else _("Every unit")
    whole = step.start == step.start.to_integral_value()
    first = quantity(step.start + 1) if whole else f"> {quantity(step.start)}"
    return f"{first} – {quantity(step.up_to)}"


def step_price(step: Step, kind: str, currency: str) -> str:
    """What one more unit of the step costs."""
    if not step.priced:
        return _("no price")
    if step.unit_amount is None:
        return _("by the package") if kind == "package" else _("as counted")
    return _("included") if step.included else unit_price(step.unit_amount, currency)


def plan_facts(terms: PlanTerms) -> Iterator[tuple[str, str]]:
    """(what, how much) of a plan as a whole."""
    currency = terms.currency
    if terms.monthly_fee:
        yield _("Monthly fee"), money(terms.monthly_fee, currency)
    if terms.discount:
        yield _("Discount"), percent(terms.discount)
    if terms.minimum:
        yield _("Least a period costs"), money(terms.minimum, currency)
    if terms.maximum is not None:
        yield _("Most a period costs"), money(terms.maximum, currency)
    if terms.tax:
        on_top = _("{rate}, on top of each amount").format(rate=percent(terms.tax_rate))
        yield terms.tax, on_top
    part = _("takes its share, by days") if terms.prorated else _("is charged in full")
    yield _("A part of a period"), part


def price_facts(price: PriceTerms, currency: str) -> Iterator[tuple[str, str]]:
    """(what, how much) of one price."""
    unit = one_of(price.unit) if price.unit else ""
    for tier in price.tiers:
        if tier.name != price.chosen:
            continue
        yield _("Tier"), sentence(tier.name)
        yield _("Fee of a full period"), money(tier.fee, currency)
        yield _("Included in a full period"), counted(tier.allowance, price.unit)
        beyond = _("no price")
        if tier.unit_amount is not None:
            amount = unit_price(tier.unit_amount, currency)
            beyond = _("{amount} per {unit}").format(amount=amount, unit=unit)
        yield _("Beyond it"), beyond
    if price.package_size:
        each = _("{amount} for {units}")
        units = counted(price.package_size, price.unit)
        amount = money(price.package_amount, currency)
        yield _("Each package begun"), each.format(amount=amount, units=units)
    if price.overage_amount is not None:
        each = _("{amount} per unit").format(amount=unit_price(price.overage_amount, currency))
        yield _("Beyond the credits"), each
    yield from _limits(price, currency)


def _limits(price: PriceTerms, currency: str) -> Iterator[tuple[str, str]]:
    if price.discount:
        yield _("Discount on it"), percent(price.discount)
    if price.minimum:
        yield _("Least it costs"), money(price.minimum, currency)
    if price.maximum is not None:
        yield _("Most it costs"), money(price.maximum, currency)


def pack_line(pack: PackTerms, currency: str) -> str:
    """Small: 100 credits for $10.00; a credit buys 5 SMS."""
    each = ", ".join(
        f"{quantity(rate)} {_(label)}" for label, rate in pack.units_per_credit.items()
    )
    said = _("{name}: {credits} for {price}; a credit buys {units}")
    return said.format(
        name=sentence(pack.name),
        credits=counted(pack.credits, "credits"),
        price=money(pack.price, currency),
        units=each,
    )
