"""Message and call records of the demo world, such that they explain the usage of their day.

What usage bills has its records: as many messages and segments, calls and minutes by category,
at the same prices.  Beside these stand records that Twilio does not bill: failed messages, calls
that were busy or not answered.  Calls tell seconds, where usage bills started minutes.
Numbers are of the fictitious range 555-0100 to 555-0199.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random

from data.demo.cast import Account, sid_of
from data.demo.categories import CATEGORIES
from data.demo.world import World
from data.periods import DAY, days_between

AREAS = ("206", "312", "415", "503", "617", "718", "919")
KEPT_DAYS = 60  # how long the log of messages and calls goes back
COUNTED_SECONDS = 9 * 3600 + 1800  # of today: Twilio has counted until 9:30
FAILED_SHARE = 0.01
FAULTS = (30003, 30005, 30006, 30007)  # unreachable, unknown, landline, filtered
UNANSWERED = ("busy", "no-answer", "failed")

_MESSAGES = {  # leaf category: direction, form of a SID, channel
    "sms-inbound-longcode": ("inbound", "SM", ""),
    "sms-outbound-longcode": ("outbound-api", "SM", ""),
    "sms-outbound-shortcode": ("outbound-api", "SM", ""),
    "mms-inbound": ("inbound", "MM", ""),
    "mms-outbound": ("outbound-api", "MM", ""),
    "channels-whatsapp-inbound": ("inbound", "SM", "whatsapp:"),
    "channels-whatsapp-outbound": ("outbound-api", "SM", "whatsapp:"),
}
_CALLS = {
    "calls-inbound-local": "inbound",
    "calls-inbound-tollfree": "inbound",
    "calls-outbound": "outbound-api",
}


@dataclass(frozen=True, slots=True)
class Number:
    """A number that an account holds."""

    sid: str
    number: str  # E.164
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """A message or a call; `price` is what was billed for it, None where nothing is or not yet."""

    sid: str
    at: datetime
    direction: str
    status: str
    own: str
    other: str
    units: int  # segments or minutes
    price: Decimal | None
    seconds: int = 0
    media: int = 0
    error_code: int | None = None

    @property
    def ends(self) -> tuple[str, str]:
        """From, to."""
        inbound = self.direction == "inbound"
        return (self.other, self.own) if inbound else (self.own, self.other)


def numbers(world: World, sid: str) -> tuple[Number, ...]:
    """The account's numbers, those included that a closed one has given back."""
    position = 0
    for other, account in world.accounts.items():
        if other == sid:
            break
        position += sum(account.numbers.values())
    account, own = world.accounts[sid], []
    for leaf, many in account.numbers.items():
        for _ in range(many):
            own.append(_number("800" if leaf.endswith("tollfree") else _area(account), position))
            position += 1
    return tuple(own)


def _area(account: Account) -> str:
    return AREAS[int(account.sid[2:10], 16) % len(AREAS)]


def _number(area: str, position: int) -> Number:
    line = f"01{(position * 37 + 11) % 100:02}"  # 37 and 100 share no factor: none comes twice
    digits = f"+1{area}555{line}"
    return Number(sid_of(digits, "PN"), digits, f"({area}) 555-{line}")


@lru_cache(maxsize=4)
def records(world: World, sid: str, kind: str, first: date, last: date) -> tuple[Record, ...]:
    """The account's "messages" or "calls" of the days, both included, newest first."""
    first = max(first, world.first_day, world.counted_on - KEPT_DAYS * DAY)
    last = min(last, world.counted_on)
    of_a_day = messages_on if kind == "messages" else calls_on
    found = [one for day in days_between(first, last + DAY) for one in of_a_day(world, sid, day)]
    return tuple(sorted(found, key=lambda one: (one.at, one.sid), reverse=True))


def messages_on(world: World, sid: str, day: date) -> Iterator[Record]:
    usage = world.usage_on(sid, day)
    for leaf, (direction, form, channel) in _MESSAGES.items():
        if leaf not in usage:
            continue
        maker = _Maker(world, sid, day, leaf)
        fee = Decimal(0)
        if leaf.startswith("sms-outbound"):  # a message's price has the carrier's fee in it
            fee = CATEGORIES["sms-messages-carrierfees"].unit_price or fee
        for units in maker.shared_out(int(usage[leaf].count or 0), int(usage[leaf].usage)):
            yield maker.record(
                form,
                direction,
                "received" if direction == "inbound" else "delivered",
                units=units,
                price=maker.price(units, fee),
                channel=channel,
                media=int(form == "MM"),
            )
    yield from failed_messages_on(world, sid, day)


def failed_messages_on(world: World, sid: str, day: date) -> Iterator[Record]:
    """Messages that were not delivered and are not billed: one of a hundred sent."""
    usage, maker = world.usage_on(sid, day), _Maker(world, sid, day, "failed")
    for leaf, (direction, form, channel) in _MESSAGES.items():
        sent = int(usage[leaf].count or 0) if direction != "inbound" and leaf in usage else 0
        for _ in range(sum(maker.chance.random() < FAILED_SHARE for _ in range(sent))):
            fault = maker.chance.choice(FAULTS)
            yield maker.record(
                form, direction, "failed", units=1, channel=channel, error_code=fault
            )


def calls_on(world: World, sid: str, day: date) -> Iterator[Record]:
    usage = world.usage_on(sid, day)
    for leaf, direction in _CALLS.items():
        if leaf not in usage:
            continue
        maker = _Maker(world, sid, day, leaf)
        for minutes in maker.shared_out(int(usage[leaf].count or 0), int(usage[leaf].usage)):
            seconds = (minutes - 1) * 60 + maker.chance.randint(1, 60)
            price = maker.price(minutes)
            yield maker.record(
                "CA", direction, "completed", units=minutes, price=price, seconds=seconds
            )
            if maker.chance.random() < FAILED_SHARE * 3:
                yield maker.record("CA", direction, maker.chance.choice(UNANSWERED), units=0)


class _Maker:
    """Makes the records of one account, day and category from a random stream of their own."""

    def __init__(self, world: World, sid: str, day: date, leaf: str) -> None:
        self.stream = f"{world.seed}/{sid}/{day}/{leaf}"
        self.chance = Random(self.stream)  # nosec B311 # a world from a seed
        self.midnight = datetime.combine(day, time(), UTC)
        self.is_today = day == world.counted_on
        self.own = numbers(world, sid)
        category = CATEGORIES.get(leaf)
        self.unit_price = (category.unit_price if category else None) or Decimal(0)
        self.made = 0

    def shared_out(self, events: int, units: int) -> list[int]:
        """The units by event: one each, and the rest where it falls."""
        shares = [1] * events
        for _ in range(units - events):
            shares[self.chance.randrange(events)] += 1
        return shares

    def price(self, units: int, fee: Decimal = Decimal(0)) -> Decimal | None:
        return None if self.is_today else units * (self.unit_price + fee)  # settles overnight

    def record(
        self,
        form: str,
        direction: str,
        status: str,
        *,
        units: int,
        price: Decimal | None = None,
        channel: str = "",
        seconds: int = 0,
        media: int = 0,
        error_code: int | None = None,
    ) -> Record:
        self.made += 1
        until = COUNTED_SECONDS if self.is_today else 86_400
        at = self.midnight + timedelta(seconds=int(self.chance.random() * until))
        line = f"555{self.chance.randrange(100, 200):04}"
        return Record(
            sid=sid_of(f"{self.stream}/{self.made}", form),
            at=at,
            direction=direction,
            status=status,
            own=channel + self.chance.choice(self.own).number,
            other=f"{channel}+1{self.chance.choice(AREAS)}{line}",
            units=units,
            price=price,
            seconds=seconds,
            media=media,
            error_code=error_code,
        )
