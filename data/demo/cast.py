"""Who is in the demo world: the ISV "Owl Inc." and eight customers, each with a story.

SIDs and tokens come from names alone: on another seed or day the same accounts have other usage.
Everything else that is dated counts back from today, so the stories hold whenever a demo is shown.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import Literal

from data.demo.rhythm import CLUB, OFFICE, SHOP, SPIKY, Flow, Rhythm
from data.periods import DAY

HISTORY_MONTHS = 14
SEEN_DAYS_AGO = 12  # a new demo was read once before, that many days ago
CORRECTED_DAYS_AGO = 5

Kind = Literal["parent", "subaccount", "connected"]


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def sid_of(name: str, kind: str = "AC") -> str:
    return f"{kind}{_digest(name)}"


PARENT_SID = sid_of("Owl Inc.")
AUTH_TOKEN = "demo-token-that-opens-nothing-real"  # nosec B105 # says so itself


@dataclass(frozen=True, slots=True)
class Correction:
    """Units of a day that Twilio counts only later."""

    day: date
    leaf: str
    units: int
    made_on: date


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Reads one account, but neither its balance nor what stands below `/Accounts` itself."""

    sid: str
    secret: str


@dataclass(frozen=True, slots=True)
class Account:
    """A Twilio account that bears usage; its last day with usage is `closed_on`.

    `numbers`: phone numbers by leaf category, charged once a month on `charge_day`.
    """

    friendly_name: str
    opened_on: date
    flows: tuple[Flow, ...]
    rhythm: Rhythm = OFFICE
    numbers: Mapping[str, int] = field(default_factory=dict)
    application: str = ""
    kind: Kind = "subaccount"
    closed_on: date | None = None
    corrections: tuple[Correction, ...] = ()

    @property
    def sid(self) -> str:
        return sid_of(self.friendly_name)

    @property
    def owner_sid(self) -> str:
        """A connected account belongs to the customer's own Twilio account, not to the ISV's."""
        return sid_of(f"owner of {self.friendly_name}") if self.kind == "connected" else PARENT_SID

    @property
    def auth_token(self) -> str:
        """What opens it: a connected account takes the ISV's own token, a subaccount its own."""
        return f"demo-{_digest(self.sid)}" if self.kind == "subaccount" else AUTH_TOKEN

    @property
    def api_key(self) -> ApiKey:
        return ApiKey(sid_of(f"key of {self.sid}", "SK"), f"demo-key-{_digest(f'k{self.sid}')}")

    @property
    def status(self) -> Literal["active", "closed"]:
        return "active" if self.closed_on is None else "closed"

    @property
    def charge_day(self) -> int:
        """Day of the month, 1–28."""
        return int(self.sid[2:8], 16) % 28 + 1

    def is_open(self, day: date) -> bool:
        return self.opened_on <= day and (self.closed_on is None or day <= self.closed_on)


@dataclass(frozen=True, slots=True)
class CreditPurchase:
    pack: str
    bought_on: date
    expires_on: date  # exclusive
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the ISV keeps it; `plan` is None where it pays Twilio itself."""

    slug: str
    name: str
    email: str
    external_id: str
    accounts: tuple[Account, ...]
    plan: str | None = None
    plans_before: tuple[tuple[str, date], ...] = ()  # with the day each began; `plan` came last
    plan_since: date | None = None  # None: since the first account was opened
    credits: tuple[CreditPurchase, ...] = ()


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _months_ago(today: date, months: int, *, on: int) -> date:
    return months_before(today.replace(day=1), months).replace(day=on)


def parent_account(today: date) -> Account:
    return Account(
        "Owl Inc.",
        months_before(today, HISTORY_MONTHS),
        (
            _sms((60, 110)),
            Flow((40, 90), {"calls-outbound": 0.7, "calls-inbound-local": 0.3}),
            Flow((20, 40), {"carrier-lookups": 1}),
        ),
        numbers={"phonenumbers-local": 2},
        kind="parent",
    )


def customers(today: date) -> tuple[Customer, ...]:
    first_day = months_before(today, HISTORY_MONTHS)
    return (
        _cedar_logistics(first_day, today),
        _dune_travel(first_day, today),
        _fjord_optik(first_day, today),
        _birch_bakery(first_day),
        _elm_fitness(first_day, today),
        _grove_vets(today),
        _harbor_events(first_day, today),
        _iris_studio(first_day),
    )


def _sms(segments: tuple[int, int], *, inbound: float = 0.15) -> Flow:
    return Flow(segments, {"sms-outbound-longcode": 1 - inbound, "sms-inbound-longcode": inbound})


_DISPATCH_FLOWS = (
    Flow(
        (19_000, 26_000),
        {
            "sms-outbound-longcode": 0.6,
            "sms-outbound-shortcode": 0.25,
            "sms-inbound-longcode": 0.15,
        },
    ),
    Flow((2_600, 3_600), {"calls-outbound": 1}),
    Flow((300, 450), {"mms-outbound": 0.7, "mms-inbound": 0.3}),
    Flow((900, 1_300), {"carrier-lookups": 1}),
)
_DRIVER_APP_FLOWS = (
    _sms((11_000, 15_000), inbound=0.25),
    Flow((5_000, 8_000), {"channels-whatsapp-outbound": 0.6, "channels-whatsapp-inbound": 0.4}),
    Flow((1_300, 1_900), {"authy-phone-verifications": 1}),
)
_SUPPORT_LINE_FLOWS = (
    _sms((1_500, 2_200), inbound=0.45),
    Flow((6_500, 8_500), {"calls-inbound-tollfree": 0.6, "calls-inbound-local": 0.4}),
    Flow((2_200, 3_000), {"calls-outbound": 1}),
    Flow((4_500, 6_000), {"calls-recordings": 1}),
    Flow((3_000, 4_000), {"voice-insights-ptsn-insights-on-demand-minute": 1}),
)


def _cedar_logistics(first_day: date, today: date) -> Customer:
    """The large one: three applications, many products, a margin over everything."""
    dispatch = Account(
        "Cedar Logistics Dispatch",
        first_day,
        _DISPATCH_FLOWS,
        numbers={"phonenumbers-local": 12},
        application="Dispatch",
    )
    driver_app = Account(
        "Cedar Logistics Driver App",
        first_day,
        _DRIVER_APP_FLOWS,
        numbers={"phonenumbers-local": 4},
        application="Driver App",
    )
    support_line = Account(
        "Cedar Logistics Support Line",
        months_before(today, 9),
        _SUPPORT_LINE_FLOWS,
        numbers={"phonenumbers-local": 3, "phonenumbers-tollfree": 2},
        application="Support Line",
    )
    return Customer(
        "cedar-logistics",
        "Cedar Logistics",
        "billing@cedar-logistics.example",
        "OWL-1001",
        (dispatch, driver_app, support_line),
        plan="pay-as-you-go",
    )


def _dune_travel(first_day: date, today: date) -> Customer:
    """Many of a month's messages on a few days; some of an older month were counted late."""
    late = Correction(
        _months_ago(today, 2, on=12), "sms-outbound-longcode", 640, today - CORRECTED_DAYS_AGO * DAY
    )
    account = Account(
        "Dune Travel",
        first_day,
        (_sms((25_500, 39_500)),),
        rhythm=SPIKY,
        numbers={"phonenumbers-local": 1},
        application="Trip Alerts",
        corrections=(late,),
    )
    return Customer(
        "dune-travel",
        "Dune Travel",
        "finance@dune-travel.example",
        "OWL-1002",
        (account,),
        plan="graduated-margin",
    )


def _fjord_optik(first_day: date, today: date) -> Customer:
    """A contract in another currency, around its allowance of 200 segments.

    It outgrew the small bundle and took the medium one on the 12th of last month.
    """
    account = Account(
        "Fjord Optik",
        first_day,
        (_sms((150, 220), inbound=0.1),),
        numbers={"phonenumbers-local": 1},
        application="Appointments",
    )
    return Customer(
        "fjord-optik",
        "Fjord Optik",
        "regnskab@fjord-optik.example",
        "OWL-1003",
        (account,),
        plans_before=(("sms-tiers-eur-small", first_day),),
        plan="sms-tiers-eur",
        plan_since=_months_ago(today, 1, on=12),
    )


def _birch_bakery(first_day: date) -> Customer:
    """An allowance of 100 segments, gone on about the 11th of every month."""
    account = Account(
        "Birch Bakery",
        first_day,
        (_sms((260, 300)),),
        rhythm=SHOP,
        numbers={"phonenumbers-local": 1},
        application="Orders",
    )
    return Customer(
        "birch-bakery",
        "Birch Bakery",
        "office@birch-bakery.example",
        "OWL-1004",
        (account,),
        plan="sms-overage-small",
    )


def _elm_fitness(first_day: date, today: date) -> Customer:
    """Buys credits in advance; some of them are about to expire unused."""
    account = Account(
        "Elm Fitness",
        first_day,
        (_sms((595, 625), inbound=0.2),),
        rhythm=CLUB,
        numbers={"phonenumbers-local": 1},
        application="Bookings",
    )
    return Customer(
        "elm-fitness",
        "Elm Fitness",
        "accounts@elm-fitness.example",
        "OWL-1005",
        (account,),
        plan="sms-credits",
        credits=_elm_credits(first_day, today),
    )


def _elm_credits(first_day: date, today: date) -> tuple[CreditPurchase, ...]:
    """1500 segments every 66 days, each valid for 72, at about 20 segments a day.

    72 days use about 1450, fewer the 150 left of the lot before: the newest one, which ends nine
    days from now, always has some left.  Beside it waits a small pack at the lesser conversion.
    """
    lots = []
    for age in range(7):  # 7 × 66 days are more than the history
        bought_on = today - (63 + age * 66) * DAY
        pack, quantity = ("small", 3) if age % 2 else ("large", 1)
        expires_on = bought_on + 72 * DAY
        lots.append(CreditPurchase(pack, max(bought_on, first_day), expires_on, quantity))
    spare = CreditPurchase("small", today - 20 * DAY, today + 160 * DAY)
    return (*reversed(lots), spare)


def _grove_vets(today: date) -> Customer:
    """New: signed up 12 days ago, never on a 1st, so that its first period is a part of one."""
    signed_up_on = today - 12 * DAY
    if signed_up_on.day == 1:
        signed_up_on += DAY
    account = Account(
        "Grove Vets",
        signed_up_on,
        (_sms((190, 240)),),
        numbers={"phonenumbers-local": 1},
        application="Reminders",
    )
    return Customer(
        "grove-vets",
        "Grove Vets",
        "hello@grove-vets.example",
        "OWL-1006",
        (account,),
        plan="sms-overage-medium",
    )


def _harbor_events(first_day: date, today: date) -> Customer:
    """Gone: closed six weeks ago."""
    account = Account(
        "Harbor Events",
        first_day,
        (_sms((70, 120)),),
        rhythm=SPIKY,
        numbers={"phonenumbers-local": 1},
        application="Guest Lists",
        closed_on=today - 42 * DAY,
    )
    return Customer(
        "harbor-events",
        "Harbor Events",
        "post@harbor-events.example",
        "OWL-1007",
        (account,),
        plan="sms-tiers-small",
    )


def _iris_studio(first_day: date) -> Customer:
    """Pays Twilio itself: a connected account, read with the ISV's token."""
    account = Account(
        "Iris Studio",
        first_day,
        (_sms((500, 800)), Flow((250, 400), {"calls-outbound": 0.8, "calls-inbound-local": 0.2})),
        numbers={"phonenumbers-local": 2},
        application="Client Portal",
        kind="connected",
    )
    return Customer(
        "iris-studio", "Iris Studio", "studio@iris-studio.example", "OWL-1008", (account,)
    )
