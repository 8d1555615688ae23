"""What every answer says to the browser: what may run here, who may frame it, who may read it."""

from dashboard.frontend import Frontend
from data.settings import Settings

YEAR = 31_536_000  # seconds
POLICY = "content-security-policy"
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors {}"
)


def security_headers(frontend: Frontend, settings: Settings) -> dict[str, str]:
    headers = {
        POLICY: app_policy(frontend, settings, None),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if settings.secure:
        headers["strict-transport-security"] = f"max-age={YEAR}"
    return headers


def app_policy(frontend: Frontend, settings: Settings, framed_by: str | None) -> str:
    """Of Streamlit's page: no script but the installed ones, no frame but the one agreed."""
    # The form that leads to Twilio is answered with the way there: browsers hold that against it.
    consent = f" {settings.authorize_base}" if settings.connect_app else ""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {' '.join(frontend.script_hashes)}",
            "style-src 'self' 'unsafe-inline'",  # Streamlit styles by inline rules
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            f"form-action 'self'{consent}",
            f"frame-ancestors {ancestors(framed_by)}",
        )
    )


def page_headers(framed_by: str | None = None) -> dict[str, str]:
    """Of our own small pages, which run nothing at all."""
    return {POLICY: PAGE_POLICY.format(ancestors(framed_by)), "cache-control": "no-store"}


def ancestors(framed_by: str | None) -> str:
    return framed_by or "'none'"
