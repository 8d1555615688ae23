"""Charts: pure values in, a plotly figure and its alternative text out."""

from dashboard.charts.allowance_pace import allowance_pace
from dashboard.charts.burn_down import burn_down
from dashboard.charts.calibration import calibration
from dashboard.charts.category_days import adds_up, category_days
from dashboard.charts.cost_by_use import Curve, cost_by_use
from dashboard.charts.daily_usage import daily_usage
from dashboard.charts.errors_by_day import errors_by_day
from dashboard.charts.explored import explored
from dashboard.charts.running_total import running_total
from dashboard.charts.sync_requests import sync_requests
from dashboard.charts.theme import Chart, Look, Mode, look

__all__ = [
    "Chart",
    "Curve",
    "Look",
    "Mode",
    "adds_up",
    "allowance_pace",
    "burn_down",
    "calibration",
    "category_days",
    "cost_by_use",
    "daily_usage",
    "errors_by_day",
    "explored",
    "look",
    "running_total",
    "sync_requests",
]
