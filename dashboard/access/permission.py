"""Everything a person may do, as one table: role × permission.

Amounts are visible to all who see a customer's pages; cost and margin to two roles only.
"""

from collections.abc import Mapping
from enum import StrEnum

from data.identity import Role


class Permission(StrEnum):
    VIEW_OWN = "view_own"  # overview, usage and spend of one customer
    CHANGE_OWN = "change_own"  # the customer's own alerts and requests
    LOOKUP = "lookup"  # find customers
    VIEW_AS = "view_as"  # see a customer's own pages, with a reason and for a while
    VIEW_COST = "view_cost"  # what Twilio charges the ISV, and the margin
    CHANGE_PLANS = "change_plans"  # plans, credits, statements
    OPERATE = "operate"  # sync, triggers, webhooks
    ADMINISTER = "administer"  # people and keys


P = Permission

MAY: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({P.VIEW_OWN}),
    Role.MANAGER: frozenset({P.VIEW_OWN, P.CHANGE_OWN}),
    Role.SUPPORT: frozenset({P.LOOKUP, P.VIEW_AS}),
    Role.DEVELOPER: frozenset({P.LOOKUP, P.VIEW_AS, P.OPERATE}),
    Role.BILLING_MANAGER: frozenset({P.LOOKUP, P.VIEW_AS, P.VIEW_COST, P.CHANGE_PLANS}),
    Role.ADMINISTRATOR: frozenset(
        {P.LOOKUP, P.VIEW_AS, P.VIEW_COST, P.CHANGE_PLANS, P.OPERATE, P.ADMINISTER}
    ),
}

# Staff who look at a customer's pages see what the customer sees: no cost, and nothing to change.
WHILE_VIEWING = frozenset({P.VIEW_OWN, P.LOOKUP, P.VIEW_AS})
