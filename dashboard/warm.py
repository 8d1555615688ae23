"""What the first visitor would otherwise wait for, done once at start: imports, drivers, SQL.

After every run Streamlit collects all garbage, holding every thread.  Objects that exist when
the app starts can be frozen out of that: 18,000 objects made by the first runs cost 13 ms a
rerun, after this 5 ms are left.  So whatever is imported, compiled or parsed lazily happens here.
"""

import gc
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module

import structlog
from babel import dates, numbers

from dashboard.words import LOCALES, _, speak
from data import identity
from data.errors import AppError
from data.meters import category
from data.overview import MeterSeries
from data.periods import period_of
from data.scope import EveryTenant, Scope
from data.store import data_version, subscriptions

log = structlog.get_logger()

HEAVY = (
    *("pandas", "pyarrow", "plotly.graph_objects", "plotly.offline", "sqlmodel"),
    *("PIL.Image", "PIL.ImageFile", "packaging.tags", "streamlit.material_icon_names"),
    "dashboard.views",
)
NOBODY = 0  # no customer has this id


def warm_up(url: str, now: datetime) -> None:
    """Load, compile and parse what pages need, then freeze it."""
    for module in HEAVY:
        import_module(module)
    _compile_statements(url, now)
    _parse_formats(now.date())
    _draw_a_chart(now.date())
    category("sms")
    gc.collect()
    gc.freeze()


def _compile_statements(url: str, now: datetime) -> None:
    try:
        identity.resolve(EveryTenant(url), "", now)
        data_version(Scope(NOBODY, url))
        subscriptions(Scope(NOBODY, url))
    except AppError as error:  # the app starts all the same, and its pages say what is wrong
        log.warning("database not ready", error=str(error))


def _parse_formats(day: date) -> None:
    for spoken, where in LOCALES.items():
        speak(spoken)
        _("Used")  # reads the catalogue
        numbers.format_currency(Decimal("1.5"), "USD", locale=where)
        numbers.format_decimal(Decimal("1.5"), locale=where)
        dates.format_date(day, "d MMM", locale=where)
    speak("en")


def _draw_a_chart(day: date) -> None:
    from dashboard.charts import daily_usage, look  # not sooner: the import takes a second

    days, zeros = (day,), (Decimal(0),)
    series = MeterSeries("sms", "SMS", "", "", days, zeros, zeros, zeros, zeros, Decimal(0), None)
    daily_usage(series, period_of(day), day, look("light", "#000000"))
