"""Charts: pure values in, a plotly figure and its alternative text out."""

from dashboard.charts.calibration import calibration
from dashboard.charts.category_days import adds_up, category_days
from dashboard.charts.daily_usage import daily_usage
from dashboard.charts.running_total import running_total
from dashboard.charts.sync_requests import sync_requests
from dashboard.charts.theme import Chart, Look, Mode, look

__all__ = [
    "Chart",
    "Look",
    "Mode",
    "adds_up",
    "calibration",
    "category_days",
    "daily_usage",
    "look",
    "running_total",
    "sync_requests",
]
