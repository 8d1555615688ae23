"""What is said of credits: warnings, the last day of a lot, entries of the ledger."""

from datetime import date

from dashboard.charts.formats import counted, day, day_range, sentence, whole
from dashboard.views.markup import Part, filled, strong
from dashboard.words import N_, _
from data.credits import Concern, Credits, CreditWarning
from data.periods import DAY
from data.pricing import EntryKind, LedgerEntry

KIND_WORDS = {
    EntryKind.GRANT: N_("Granted"),
    EntryKind.DRAW: N_("Used"),
    EntryKind.RETURN: N_("Returned"),
    EntryKind.EXPIRE: N_("Expired"),
    EntryKind.VOID: N_("Taken back"),
}
RETURN_WORDS = {  # of what is corrected: the day's figure has changed since
    EntryKind.GRANT: N_("Grant corrected"),
    EntryKind.DRAW: N_("Use returned"),
    EntryKind.EXPIRE: N_("Expiry returned"),
    EntryKind.VOID: N_("Restored"),
}


def last_of(expires_on: date | None) -> date:
    """An expiry is exclusive: the day before is the last on which the credits can be used."""
    assert expires_on is not None
    return expires_on - DAY


def entry_words(entry: LedgerEntry) -> str:
    if entry.kind is EntryKind.RETURN:
        return _(RETURN_WORDS[entry.counts_as])
    return _(KIND_WORDS[entry.kind])


def warning_words(one: CreditWarning, own: Credits) -> list[Part]:
    """A sentence that says what, when, and what to do where there is something."""
    match one.concern:
        case Concern.USED_UP if own.owed:
            units = strong(counted(own.owed, own.unit))
            said = _("Your credits are used up, and {units} were used beyond them.")
            return [filled(said, units=units), " ", _("The next pack pays for them first.")]
        case Concern.USED_UP:
            return [strong(_("No credits are left.")), " ", _("A new pack is needed to go on.")]
        case Concern.RUNS_OUT:
            lasts = strong(day_range(one.on) or "")
            return [filled(_("At this pace your credits run out {days}."), days=lasts)]
    return [_expiry(one)]


def _expiry(one: CreditWarning) -> Part:
    low, high = one.credits or (0, 0)
    few, many = whole(round(low)), whole(round(high))
    assert one.on.early is not None
    return filled(
        _("{credits} credits of the {lot} pack expire unused at this pace, after {day}."),
        credits=strong(few if few == many else f"{few}–{many}"),
        lot=sentence(one.lot),
        day=strong(day(last_of(one.on.early))),
    )
