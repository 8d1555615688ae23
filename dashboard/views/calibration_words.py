"""How good past projections were, and how new ones are read by that: in words."""

from dashboard.charts.formats import day, fine_percent, percent, sentence, whole
from dashboard.views.markup import Part, strong
from dashboard.words import N_, _, n_
from data.backtest.quality import Quality
from data.projection.calibration import HIGH, LOW, MIDDLE, Calibration

KINDS = {  # of use, as the back-test names them
    "regular": N_("regular"),
    "intermittent": N_("intermittent"),
    "sparse": N_("sparse"),
    "cold start": N_("cold start"),
    "idle": N_("idle"),
}
NOTICEABLE = 0.005  # a level that is read this close to itself is not changed


def percent_or_none(share: float | None) -> str:
    """A small share keeps a decimal."""
    if share is None:
        return "–"
    return fine_percent(share)


def drift(one: Quality, kind: str | None = None) -> str:
    share = percent_or_none(one.coverage)
    if kind is None:
        return _("{share} of periods ended inside their 80% range.").format(share=share)
    words = _("{share} of periods of {kind} use ended inside their 80% range.")
    return words.format(share=share, kind=kind_of_use(kind))


def kind_of_use(kind: str) -> str:
    return _(KINDS.get(kind, kind))


def fault(one: Quality) -> str:
    if (one.coverage or 0) > 0.8:
        return _("It should be 70% to 90%: the ranges were too wide.")
    return _("It should be 70% to 90%: the ranges were too narrow.")


def calibration_words(kind: str, one: Calibration) -> tuple[Part, ...]:
    """Regular use is read narrower: the ends of its 80% range are its 18% and 82% points."""
    since = n_("From {n} past projection.", "From {n} past projections.", one.cases)
    if one.computed_on:
        since = n_(
            "From {n} past projection, {day}.", "From {n} past projections, {day}.", one.cases
        )
    on = day(one.computed_on) if one.computed_on else ""
    since = f" {since.format(n=whole(one.cases), day=on)}"
    use = sentence(kind_of_use(kind))
    shifts = (abs(one.low - LOW), abs(one.middle - MIDDLE), abs(one.high - HIGH))
    if max(shifts) < NOTICEABLE:
        return strong(_("{kind} use is read as it is.").format(kind=use)), since
    width = (one.high - one.low) - (HIGH - LOW)
    if abs(width) < NOTICEABLE:
        how = _("{kind} use is read as wide, but shifted:")
    elif width > 0:
        how = _("{kind} use is read wider:")
    else:
        how = _("{kind} use is read narrower:")
    rule = _(
        "the ends of its 80% range are the {low} and {high} points of the method's own forecast, "
        "the likely total its {middle} point."
    ).format(low=percent(one.low), high=percent(one.high), middle=percent(one.middle))
    return strong(how.format(kind=use)), f" {rule}", since
