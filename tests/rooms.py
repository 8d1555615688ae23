"""Where everything has its place: what tests/test_architecture.py holds the source to."""

# A module imports from its own line or from those above it.
LAYERS = (
    ("data.errors", "data.logs", "data.memory"),
    ("data.brand",),
    ("data.holidays", "data.money", "data.periods", "data.settings"),
    ("data.pricing",),
    (
        "data.meters",
        "data.models",
        "data.projection",
        "data.yaml_file",
        "data.grants",
        "data.plan_form",
    ),
    ("data.scope", "data.secrets"),
    ("data.service_rows", "data.retention"),
    ("data.identity", "data.store", "data.plans", "data.assignment", "data.migrations"),
    ("data.agreements", "data.freshness", "data.usage_rows", "data.requests"),
    ("data.service",),
    ("data.sync_history", "data.revisions", "data.track_record"),
    ("data.fleet", "data.search", "data.notes"),
    ("data.search_index",),
    ("data.usage",),
    ("data.explorer",),
    ("data.billed",),
    ("data.statement_content", "data.allowance"),
    ("data.statement_archive", "data.credit_ledger", "data.customers_file"),
    ("data.account_credentials", "data.twilio"),
    ("data.customers", "data.customer_checks", "data.statement"),
    ("data.closing", "data.connect", "data.explanation", "data.simulation", "data.rating"),
    ("data.customer_acts", "data.customer_import", "data.plan_preview"),
    ("data.what_if", "data.plan_terms"),
    ("data.ahead", "data.drawn", "data.advice", "data.outlook"),
    (
        *("data.credits", "data.overview", "data.plan_progress", "data.company", "data.since"),
        *("data.demo", "data.backtest"),
    ),
    ("data.health",),
    ("data.commands", "data.__main__"),
    ("dashboard.words",),
    ("dashboard.catalogue",),
    ("dashboard.brand", "dashboard.access", "dashboard.charts", "dashboard.exports"),
    (
        *("dashboard.views", "dashboard.warm", "dashboard.logs"),
        *("dashboard.door", "dashboard.frontend", "dashboard.sign_in", "dashboard.rate_limits"),
    ),
    ("dashboard.headers", "dashboard.sockets", "dashboard.metrics", "dashboard.sync_task"),
    ("dashboard.entrance",),
    ("dashboard.embedding", "dashboard.oidc", "dashboard.oidc_client"),
    ("dashboard.edge",),
    ("dashboard.connect",),
    ("dashboard.main", "dashboard.endpoints"),
    ("streamlit_app", "run"),
)
APART = (
    ("dashboard.views", "dashboard.door"),
    ("dashboard.views", "dashboard.sign_in"),
    ("dashboard.main", "dashboard.edge"),
    ("dashboard.main", "dashboard.endpoints"),
)
BELOW_THE_DEMO = "a demo's credentials are known only to its world"
MAY_IMPORT_UPWARDS = {("data.twilio.reading", "data.demo.world"): BELOW_THE_DEMO}

WRITERS = (
    *("data.customer_acts", "data.customer_import"),
    *("data.identity", "data.customers", "data.customer_checks", "data.plans", "data.assignment"),
    *("data.closing", "data.credit_ledger", "data.connect", "data.account_credentials"),
    *("data.twilio.intake", "data.twilio.bulk", "data.twilio.account_list", "data.twilio.lease"),
    *("data.twilio.runs", "data.twilio.corrections", "data.twilio.months", "data.twilio.extras"),
    *("data.twilio.service_intake", "data.retention", "data.backtest.run"),
    *("data.requests", "data.notes", "data.health"),
)
READERS = (
    *("data.store", "data.agreements", "data.usage_rows", "data.statement_archive"),
    *("data.service_rows", "data.sync_history", "data.revisions"),
    *("data.track_record", "data.backtest.quality", "data.since"),
    *("data.fleet", "data.search_index", "data.plan_preview"),
)
STORE = ("data.models", "data.scope", "data.migrations", *READERS, *WRITERS)
BULK = (
    *("data.pricing.bulk", "data.pricing.columns", "data.pricing.rows", "data.pricing.paths"),
    *("data.pricing.band_paths", "data.pricing.burning"),
)
DRAWN = (
    *("data.projection", "data.ahead", "data.drawn", "data.advice", "data.outlook"),
    "data.credits",
)
HOMES = {
    "twilio": ("data.twilio.client",),
    "requests": ("data.twilio.client",),
    "urllib3": ("data.twilio.client",),
    "msgspec": ("data.twilio.client", "data.twilio.usage_records"),
    "cryptography": ("data.secrets",),
    "prometheus_client": ("dashboard.metrics",),
    "plotly": ("dashboard.charts",),
    "streamlit": (
        *("dashboard.main", "dashboard.access", "dashboard.views", "streamlit_app"),
        "dashboard.sockets",  # reads its messages
    ),
    **dict.fromkeys(("authlib", "joserfc"), ("dashboard.oidc_client",)),
    "httpx": ("dashboard.oidc_client", "dashboard.sockets"),
    **dict.fromkeys(("fpdf", "fontTools"), ("dashboard.exports.pdf",)),
    "limits": ("dashboard.rate_limits",),
    "holidays": ("data.holidays",),
    "rapidfuzz": ("data.search",),
    "numpy": (*DRAWN, *BULK),
    "alembic": ("data.migrations",),
    "sqlmodel": (*STORE, "data.demo.people", "data.demo.desk"),  # of whom the demo is
    # Three read or show a database's address.
    "sqlalchemy": (*STORE, "data.commands.doctor", "data.commands.demo"),
}
SESSIONS = ("data.scope",)
RAW_SQL = ("data.scope", "data.migrations", "data.twilio.bulk")
INDEX_CONDITION = "the condition of a partial index is text wherever it is declared"
MAY_WRITE_SQL = {"data.models.access": INDEX_CONDITION}
EXACT = (
    *("data.money", "data.pricing", "data.statement", "data.rating", "data.store"),
    *("data.usage", "data.grants", "data.customers", "data.overview", "data.periods"),
    "data.allowance",
    *("data.customer_acts", "data.customer_import", "data.plan_form", "data.plan_preview"),
    *(
        "data.agreements",
        "data.usage_rows",
        "data.explorer",
        "data.billed",
        "data.company",
        "data.since",
        "data.closing",
        "data.credit_ledger",
        "data.simulation",
    ),
    *("data.statement_content", "data.statement_archive", "data.explanation"),
    *("data.plan_terms", "data.plan_progress", "data.what_if"),
)
CLOCKS = {
    "data.commands.sync": "a progress bar, and the pause between two runs",
    "data.twilio.answers": "Retry-After may be a date",
    "data.commands.clock": "the command line's edge",
    "dashboard.main": "the script's edge",
    "dashboard.door": "the edge of the endpoints",
    "dashboard.views.parts": "a download is written, and logged, after the run of its page",
    "run": "waits for what it has started",
}
