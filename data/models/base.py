"""What every table stands on: exact numbers, moments in UTC, and whose a row is.

Tables stand on our own registry, or a hot reload would define them twice.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Numeric
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

from data.errors import InputError


class Exact(TypeDecorator[Decimal]):
    """A Decimal with a fixed number of places.

    SQLite's NUMERIC is a float (98765432.10 came back as 98765432.099999994), so there it is a
    64-bit integer of the smallest unit.  What does not fit is refused, never rounded.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.unit = Decimal(1).scaleb(-scale)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(18 + 1, self.scale))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        scaled = Decimal(value).scaleb(self.scale)
        whole = int(scaled)
        if whole != scaled or abs(whole) >= 2**63:
            raise InputError(f"{value} does not fit: at most {self.scale} decimals and 18 digits")
        return whole if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            value = Decimal(value).scaleb(-self.scale)
        return Decimal(value).quantize(self.unit)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is added on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC)


QUANTITY = Exact(6)  # up to 10^12 units
COST = Exact(9)  # Twilio's unit prices have five decimals and more
AMOUNT = Exact(6)


class Table(SQLModel, registry=registry()):
    tenant_key: ClassVar[str | None] = None
    shared: ClassVar[bool] = False


class TenantTable(Table):
    tenant_key: ClassVar[str | None] = "customer_id"

    customer_id: int = Field(foreign_key="customer.id", primary_key=True)
