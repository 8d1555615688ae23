"""The names of a plan's fields and strategies, for people; a field not named here names itself."""

from dashboard.charts.formats import sentence
from dashboard.words import N_, _

KINDS = {
    "fixed_margin": N_("Fixed margin over cost"),
    "graduated_margin": N_("Margins by band"),
    "tiers": N_("Tiers"),
    "tiers_with_overage": N_("Tiers with overage"),
    "credit_lots": N_("Credits"),
    "per_unit": N_("Price per unit"),
    "graduated": N_("Prices by band"),
    "volume": N_("Volume price"),
    "package": N_("Packages"),
}
FIELDS = {
    "plan": N_("Id"),
    "name": N_("Name"),
    "currency": N_("Currency"),
    "monthly_fee": N_("Monthly fee"),
    "offered": N_("Customers may try it"),
    "prorate": N_("Parts of a month"),
    "tax": N_("Tax"),
    "rate": N_("Rate"),
    "meters": N_("Meters"),
    "meter": N_("Meter"),
    "key": N_("Short name"),
    "label": N_("Label"),
    "unit": N_("Unit"),
    "categories": N_("Twilio categories"),
    "quantity": N_("Billed figure"),
    "discount": N_("Discount"),
    "maximum": N_("Maximum"),
    "minimum": N_("Minimum"),
    "gross_margin": N_("Gross margin"),
    "markup": N_("Markup"),
    "allow_loss": N_("May sell at a loss"),
    "bands": N_("Bands"),
    "up_to": N_("Up to"),
    "above_last": N_("Above the last band"),
    "tiers": N_("Tiers"),
    "chosen": N_("Chosen tier"),
    "fee": N_("Fee"),
    "allowance": N_("Allowance"),
    "overage_amount": N_("Overage a unit"),
    "unit_amount": N_("Price a unit"),
    "flat_fee": N_("Flat fee"),
    "fixed_fee": N_("Fixed fee"),
    "flat_fee_when_unused": N_("Flat fee when unused"),
    "packs": N_("Packs"),
    "credits": N_("Credits"),
    "price": N_("Price"),
    "prices": N_("Prices"),
    "units_per_credit": N_("Units a credit"),
    "shortfall": N_("When credits run out"),
    "recurring": N_("Credits with every period"),
    "refill": N_("Fill up only"),
    "rollover_min": N_("Least carried over"),
    "rollover_max": N_("Most carried over"),
    "burn_order": N_("Order of use"),
    "package_size": N_("Units a package"),
    "package_amount": N_("Price a package"),
    "free_units": N_("Free units"),
}
HELP = {
    "plan": N_("Small letters, digits and dashes. It stays the same for every version."),
    "gross_margin": N_("A share of the price: 0.03 turns 100.00 into 103.09. Or give a markup."),
    "markup": N_("A share of the cost: 0.03 turns 100.00 into 103.00. Or give a gross margin."),
    "units_per_credit": N_("By meter: sms: 5, mms: 2"),
    "meters": N_("With commas; empty: all usage, where the strategy allows it."),
    "up_to": N_("The last unit that belongs to the band; empty: open."),
    "discount": N_("A share: 0.10 takes a tenth off."),
    "rate": N_("A share: 0.19"),
    "rollover_max": N_("Empty: nothing; none: everything."),
    "maximum": N_("The most a period costs; empty: no limit."),
}


def kind_name(kind: str) -> str:
    return _(KINDS[kind]) if kind in KINDS else sentence(kind.replace("_", " "))


def field_name(name: str) -> str:
    return _(FIELDS[name]) if name in FIELDS else sentence(name.replace("_", " "))


def field_help(name: str) -> str | None:
    return _(HELP[name]) if name in HELP else None


def place_in_words(path: str) -> str:
    """prices.0.tiers.1.fee -> Prices 1 · Tiers 2 · Fee"""
    words: list[str] = []
    for part in path.split("."):
        if part.isdigit() and words:
            words[-1] = f"{words[-1]} {int(part) + 1}"
        else:
            words.append(field_name(part))
    return " · ".join(words)
