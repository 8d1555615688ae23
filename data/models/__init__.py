"""All tables, and the one list of them.

A tenant table names the column that says whose row it is (`tenant_key`); the guard of scope.py
and the row-level security of PostgreSQL both read it from here.  Tables without one hold the
deployment's own affairs and are never read under a customer's scope; `shared` tables (plans,
incidents) may be read by all and hold nothing of a tenant.
"""

from data.models.access import (
    ApiKey,
    AuditEntry,
    EmbedCode,
    FederatedIdentity,
    LoginAttempt,
    LoginLink,
    LoginSession,
    Membership,
    Person,
)
from data.models.base import Exact, Instant, Table, TenantTable
from data.models.billing import (
    ClosedStatement,
    CreditEntry,
    CreditLot,
    MoneyCredit,
    PlanChange,
    PlanVersion,
    StatementAdjustment,
    Subscription,
)
from data.models.desk import ChangeRequest, CustomerNote
from data.models.fleet import CustomerHealth
from data.models.forecast import ForecastCalibration, PastProjection
from data.models.service import Alert, Incident, LogDay, PhoneNumber, UsageTrigger
from data.models.sync import (
    USAGE_RECORDS,
    AccountCredential,
    AccountEvent,
    ConnectRequest,
    FleetDay,
    Reconciliation,
    SyncCursor,
    SyncLease,
    SyncRun,
    UsageRevision,
)
from data.models.usage import SYSTEM_CUSTOMER, Account, Customer, UsageRecord

TABLES: tuple[type[Table], ...] = (
    *(Customer, Account, UsageRecord, PlanVersion, Subscription, PlanChange),
    *(CreditLot, CreditEntry, MoneyCredit, ClosedStatement, StatementAdjustment),
    *(Person, Membership, FederatedIdentity, LoginAttempt, LoginLink),
    *(ApiKey, EmbedCode, LoginSession, AuditEntry),
    *(SyncLease, SyncRun, SyncCursor, FleetDay, UsageRevision, Reconciliation),
    *(AccountEvent, AccountCredential, ConnectRequest),
    *(Alert, UsageTrigger, PhoneNumber, LogDay, Incident),
    *(PastProjection, ForecastCalibration),
    *(ChangeRequest, CustomerNote, CustomerHealth),
)

__all__ = [
    "SYSTEM_CUSTOMER",
    "TABLES",
    "USAGE_RECORDS",
    "Account",
    "AccountCredential",
    "AccountEvent",
    "Alert",
    "ApiKey",
    "AuditEntry",
    "ChangeRequest",
    "ClosedStatement",
    "ConnectRequest",
    "CreditEntry",
    "CreditLot",
    "Customer",
    "CustomerHealth",
    "CustomerNote",
    "EmbedCode",
    "Exact",
    "FederatedIdentity",
    "FleetDay",
    "ForecastCalibration",
    "Incident",
    "Instant",
    "LogDay",
    "LoginAttempt",
    "LoginLink",
    "LoginSession",
    "Membership",
    "MoneyCredit",
    "PastProjection",
    "Person",
    "PhoneNumber",
    "PlanChange",
    "PlanVersion",
    "Reconciliation",
    "StatementAdjustment",
    "Subscription",
    "SyncCursor",
    "SyncLease",
    "SyncRun",
    "Table",
    "TenantTable",
    "UsageRecord",
    "UsageRevision",
    "UsageTrigger",
]
