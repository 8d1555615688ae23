"""Everything a person may do, as one table: role × permission.

Amounts are visible to all who see a customer's pages; cost and margin to two roles only.
"""

from collections.abc import Mapping
from enum import StrEnum

from data.identity import Role


class Permission(StrEnum):
    """The value is the permission's name; what it allows stands in MEANING, and in the docs."""

    VIEW_OWN = "view_own"
    EXPORT = "export"
    CHANGE_OWN = "change_own"
    LOOKUP = "lookup"
    WRITE_NOTES = "write_notes"
    VIEW_AS = "view_as"
    VIEW_COST = "view_cost"
    CHANGE_PLANS = "change_plans"
    OPERATE = "operate"
    MANAGE_KEYS = "manage_keys"
    ADMINISTER = "administer"


P = Permission

MEANING: Mapping[Permission, str] = {
    P.VIEW_OWN: "see one customer's usage, plan, spend and credits",
    P.EXPORT: "download what a page shows",
    P.CHANGE_OWN: "change the customer's own alerts and requests, connect its accounts",
    P.LOOKUP: "find customers, see what is amiss, how they fare and what they ask for",
    P.WRITE_NOTES: "write notes on a customer, which the customer never sees",
    P.VIEW_AS: "see a customer's own pages, read-only, with a reason and for half an hour",
    P.VIEW_COST: "see what Twilio charges, and the margin",
    P.CHANGE_PLANS: "change plans, credits and statements",
    P.OPERATE: "watch the sync, triggers and webhooks",
    P.MANAGE_KEYS: "make, rotate and revoke API keys",
    P.ADMINISTER: "invite and disable people, end their sessions, read the audit log",
}

STAFF = frozenset({P.LOOKUP, P.WRITE_NOTES, P.VIEW_AS, P.EXPORT})

MAY: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({P.VIEW_OWN, P.EXPORT}),
    Role.MANAGER: frozenset({P.VIEW_OWN, P.EXPORT, P.CHANGE_OWN}),
    Role.SUPPORT: STAFF,
    Role.DEVELOPER: STAFF | {P.OPERATE, P.MANAGE_KEYS},
    Role.BILLING_MANAGER: STAFF | {P.VIEW_COST, P.CHANGE_PLANS},
    Role.ADMINISTRATOR: STAFF
    | {P.VIEW_COST, P.CHANGE_PLANS, P.OPERATE, P.MANAGE_KEYS, P.ADMINISTER},
}

# Staff who look at a customer's pages see what the customer sees: no cost, and nothing to change.
WHILE_VIEWING = frozenset({P.VIEW_OWN, P.EXPORT, P.LOOKUP, P.VIEW_AS})
