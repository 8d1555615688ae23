"""Random terms of every strategy but credits, for the properties that all of them have."""

from decimal import Decimal as D
from typing import get_args

from hypothesis import strategies as st

from data.money import plain
from data.pricing import CreditLots, Price

STRATEGIES = [one for one in get_args(get_args(Price)[0]) if one is not CreditLots]

money = st.decimals("0", "90", places=4).map(plain)
prices = st.one_of(st.decimals("0", "2", places=12), st.decimals("0", "2", places=3)).map(plain)
shares = st.decimals("0", "1", places=3).map(plain)
margins = st.one_of(
    st.decimals("-0.5", "0.95", places=3).map(lambda m: {"gross_margin": str(m)}),
    st.decimals("-0.5", "3", places=3).map(lambda m: {"markup": str(m)}),
).map(lambda terms: {**terms, "allow_loss": True})
allowances = st.one_of(st.integers(0, 400), st.decimals("0", "400", places=2)).map(str)
limits = st.fixed_dictionaries(
    {},
    optional={
        "discount": shares,
        "minimum": st.integers(0, 40).map(str),
        "maximum": st.decimals("40", "900", places=3).map(str),
    },
)
tiers = st.fixed_dictionaries({"name": st.just("small"), "fee": money, "allowance": allowances})


def bands(terms):
    """One to four bands of ascending edges, the last one open or closed."""

    def made(drawn):
        widths, each, is_open = drawn
        edges = [sum(widths[: n + 1], D(0)) for n in range(len(widths))]
        found = [{"up_to": plain(edge), **one} for edge, one in zip(edges, each, strict=False)]
        if is_open:
            found[-1].pop("up_to")
        return found

    width = st.one_of(st.integers(1, 300).map(D), st.decimals("0.1", "300", places=1))
    return st.tuples(
        st.lists(width, min_size=1, max_size=4),
        st.lists(terms, min_size=4, max_size=4),
        st.booleans(),
    ).map(made)


priced_band = st.fixed_dictionaries({"unit_amount": prices}, optional={"flat_fee": money})
above = {"above_last": st.sampled_from(["continue", "at_cost", "unpriced"])}
by_band = {"meter": st.just("sms"), "bands": bands(priced_band), **above}
in_any_case = {"flat_fee_when_unused": st.booleans()}
TERMS = {
    "fixed_margin": st.builds(
        lambda terms, meters: {**terms, "meters": meters},
        margins,
        st.sampled_from([[], ["sms"], ["sms", "voice"]]),
    ),
    "graduated_margin": st.fixed_dictionaries(
        {"meter": st.just("sms"), "bands": bands(margins), **above}
    ),
    "tiers": st.fixed_dictionaries(
        {
            "meter": st.just("sms"),
            "chosen": st.just("small"),
            "tiers": tiers.map(lambda tier: [tier]),
        }
    ),
    "tiers_with_overage": st.fixed_dictionaries(
        {
            "meter": st.just("sms"),
            "chosen": st.just("small"),
            "tiers": st.tuples(tiers, prices).map(
                lambda drawn: [{**drawn[0], "overage_amount": drawn[1]}]
            ),
        }
    ),
    "per_unit": st.fixed_dictionaries({"meter": st.just("sms"), "unit_amount": prices}),
    "graduated": st.fixed_dictionaries({**by_band, **in_any_case}),
    "volume": st.fixed_dictionaries({**by_band, **in_any_case}),
    "package": st.fixed_dictionaries(
        {
            "meter": st.just("sms"),
            "package_size": st.decimals("0.5", "90", places=1).map(str),
            "package_amount": money,
            "free_units": allowances,
        }
    ),
}


def terms_of(strategy):
    """Random terms of a kind; a strategy that is new here has its example."""
    kind = strategy.model_fields["kind"].default
    found = TERMS.get(kind, st.just(strategy.example))
    return st.tuples(found, limits).map(lambda drawn: {"kind": kind, **drawn[0], **drawn[1]})
