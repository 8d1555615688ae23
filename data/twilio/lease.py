"""One sync at a time, over all processes and machines: a lock row with a lease.

Its holder renews it with everything it stores, in the same transaction, so that one that was
thought dead and comes back stores nothing more.  A holder that died is recognised at once where its
process was one of this machine, and elsewhere by the lease that runs out.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from threading import Event, Thread

import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, update

from data.errors import AppError, StoreUnavailable, SyncInProgress
from data.models import SyncLease
from data.scope import EveryTenant, ScopedSession, writing

NAME = "sync"
LASTS = timedelta(seconds=45)
log = structlog.get_logger(__name__)
_OURS: set[str] = set()  # holders in this process
RENEWED_EVERY = timedelta(seconds=10)


@dataclass(frozen=True)
class Lease:
    """`clock` is the real one: a demo's day stands still."""

    scope: EveryTenant
    clock: Callable[[], datetime]
    holder: str

    def renew(self, session: ScopedSession) -> None:
        """Confirm the holder within a transaction; SyncInProgress if another took over."""
        kept = session.execute(
            update(SyncLease)
            .where(col(SyncLease.name) == NAME, col(SyncLease.holder) == self.holder)
            .values(expires_at=self.clock() + LASTS)
        )
        if kept.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
            raise SyncInProgress("Another sync has taken over; this one stores nothing more.")

    def confirm(self) -> None:
        """Renew it by itself; SyncInProgress if another took over."""
        with writing(self.scope) as session:
            self.renew(session)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renewed from time to time, and let go at the end."""
        over = Event()
        thread = Thread(target=self._keep, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self._release()

    def _keep(self, over: Event) -> None:
        while not over.wait(RENEWED_EVERY.total_seconds()):
            try:
                self.confirm()
            except SyncInProgress:
                return  # what stores next will be told
            except StoreUnavailable as error:
                log.warning("sync.lease_not_renewed", error=str(error))

    def _release(self) -> None:
        _OURS.discard(self.holder)
        with writing(self.scope) as session:
            session.execute(
                delete(SyncLease).where(
                    col(SyncLease.name) == NAME, col(SyncLease.holder) == self.holder
                )
            )


def take(scope: EveryTenant, clock: Callable[[], datetime]) -> Lease:
    """The lease, or SyncInProgress that says who has it and until when."""
    lease = Lease(scope, clock, f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}")
    _OURS.add(lease.holder)  # before anybody can see it stored, and take it for a dead one's
    try:
        with writing(scope) as session:
            _take(session, lease)
    except IntegrityError:  # another took the free lease in the same moment
        _OURS.discard(lease.holder)
        raise SyncInProgress("Another sync has just begun.") from None
    except AppError:
        _OURS.discard(lease.holder)
        raise
    return lease


def _take(session: ScopedSession, lease: Lease) -> None:
    now = lease.clock()
    row = session.get(SyncLease, NAME, with_for_update=True)
    if row is not None and row.expires_at > now and not _is_dead(row.holder):
        raise SyncInProgress(
            f"Another sync is running ({row.holder}, since {row.taken_at:%H:%M:%S} UTC); "
            f"if it has died, its turn ends at {row.expires_at:%H:%M:%S} UTC.",
            expires_at=row.expires_at.isoformat(),
        )
    row = row or SyncLease(name=NAME, holder="", taken_at=now, expires_at=now)
    row.holder, row.taken_at, row.expires_at = lease.holder, now, now + LASTS
    session.add(row)


def _is_dead(holder: str) -> bool:
    """A process of this machine that is no more; of other machines nothing is known."""
    host, process, _ = holder.split(":")
    if host != socket.gethostname():
        return False
    if int(process) == os.getpid():
        return holder not in _OURS  # a container's processes begin with the same number
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
