"""Every error this product raises on purpose.

AppError 500              the text may be shown to a customer; details go to the log
├─ ConfigError                a setting is missing or wrong: raised at start, naming the setting
├─ InputError 400             what a person or a file gave us; InvalidTerms, InvalidPeriod
├─ AccessError 403            NotSignedIn 401, LinkRejected (forged, expired, used: one message)
├─ NotFound 404               absent or another tenant's: indistinguishable
├─ Conflict 409               SyncInProgress, StaleVersion
├─ TooManyRequests 429         one address or key asks too often
├─ TwilioError 502            TwilioBusy 503, ListingLoops, TwilioRefused (the ISV must act)
├─ StoreUnavailable 503       the database is locked, read-only or gone
└─ ScopeViolation 500         our bug; never shown, always logged as critical

Each carries a code and its parameters beside the English text, so that a page can translate it.
"""

from typing import Any, ClassVar


class AppError(Exception):
    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(message)
        self.params = params


class ConfigError(AppError):
    code = "config"


class InputError(AppError):
    status = 400
    code = "input"


class InvalidTerms(InputError):
    code = "invalid_terms"


class InvalidPeriod(InputError):
    code = "invalid_period"


class AccessError(AppError):
    status = 403
    code = "access"


class NotSignedIn(AccessError):
    status = 401
    code = "not_signed_in"


class LinkRejected(AccessError):
    code = "link_rejected"


class NotFound(AppError):
    status = 404
    code = "not_found"


class Conflict(AppError):
    status = 409
    code = "conflict"


class SyncInProgress(Conflict):
    code = "sync_in_progress"


class StaleVersion(Conflict):
    code = "stale_version"


class TooManyRequests(AppError):
    status = 429
    code = "too_many_requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after} seconds.")
        self.retry_after = retry_after  # seconds


class TwilioError(AppError):
    status = 502
    code = "twilio"


class TwilioBusy(TwilioError):
    """Twilio answers 429 or 5xx, or not at all: the same request may succeed later."""

    status = 503
    code = "twilio_busy"

    def __init__(self, message: str, retry_after: float | None = None, **params: Any) -> None:
        super().__init__(message, **params)
        self.retry_after = retry_after  # seconds, where Twilio sent it


class ListingLoops(TwilioError):
    """A page of Twilio's leads back to one that was read already."""

    code = "twilio_loops"


class TwilioRefused(TwilioError):
    """Twilio will not answer until the ISV changes something (credentials, permissions)."""

    code = "twilio_refused"


class StoreUnavailable(AppError):
    status = 503
    code = "store_unavailable"


class ScopeViolation(AppError):
    code = "scope_violation"
