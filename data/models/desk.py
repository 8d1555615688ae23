"""What staff and customers say to each other: requests and their answers, notes of the staff."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index
from sqlmodel import Field

from data.models.base import Instant, Table


class ChangeRequest(Table, table=True):
    """A customer's manager asks for a tier, a plan or a pack; staff answer."""

    __tablename__ = "change_request"
    __table_args__ = (Index("change_request_by_customer", "customer_id", "asked_at"),)
    tenant_key: ClassVar[str | None] = "customer_id"

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    subscription: str
    kind: str  # tier, plan, pack
    wanted: str  # the tier's, plan's or pack's name
    message: str = ""
    asked_by: str
    person_id: int | None = Field(default=None, foreign_key="person.id")
    asked_at: datetime = Field(sa_type=Instant)
    status: str = "open"  # open, granted, declined, withdrawn
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = Field(default=None, sa_type=Instant)


class CustomerNote(Table, table=True):
    """What staff want the next colleague to know of a customer; never shown to the customer."""

    __tablename__ = "customer_note"
    __table_args__ = (Index("customer_note_by_customer", "customer_id", "written_at"),)

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    author: str
    written_at: datetime = Field(sa_type=Instant)
    text: str
