"""How often one address may try, and one key may ask: counted in each process by itself.

Failures are counted apart and are few, because a portal's users may all come from one address;
what succeeds is bounded generously.
"""

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from data.errors import TooManyRequests

ATTEMPTS = parse("600/minute")  # of one address at our doors, whatever comes of them
FAILURES = parse("120/minute")  # of one address
ASKED = parse("600/minute")  # of one key


class RateLimits:
    def __init__(self) -> None:
        self.limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, limit: RateLimitItem, who: str) -> None:
        """Count one; TooManyRequests beyond the limit."""
        if not self.limiter.hit(limit, who):
            raise TooManyRequests(limit.get_expiry())

    def check(self, limit: RateLimitItem, who: str) -> None:
        """Count nothing; TooManyRequests if the limit is reached."""
        if not self.limiter.test(limit, who):
            raise TooManyRequests(limit.get_expiry())
