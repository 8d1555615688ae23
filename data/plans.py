"""Plan files and the plan versions in the store.

A version never changes: a file whose version is stored already must say the same as the store.
"""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlmodel import func, select

from data.errors import Conflict, InputError, InvalidTerms, StaleVersion
from data.identity.audit import Action, By
from data.meters import meters_of
from data.models import PlanVersion
from data.pricing import Plan, parse_plan
from data.scope import AnyScope, EveryTenant, ScopedSession, reading, writing
from data.yaml_file import read_yaml


def read_plan(path: Path) -> Plan:
    """The plan in a file; InputError names file, line and field."""
    file = read_yaml(path)
    plan = file.parsed(Plan)
    try:
        meters_of(plan)
    except InvalidTerms as error:
        line = file.line(("prices",))
        raise InvalidTerms(f"{path.name}, line {line}: {error}") from None
    return plan


def read_plans(folder: Path) -> tuple[Plan, ...]:
    """All plan files of a folder, by name; two with the same plan and version are refused."""
    if not folder.is_dir():
        raise InputError(f"PLANS_DIR: {folder} is not a folder; put your plan files there")
    plans: dict[tuple[str, int], Path] = {}
    read = []
    for path in sorted(folder.glob("*.yaml")):
        plan = read_plan(path)
        if other := plans.get((plan.plan, plan.version)):
            raise InputError(
                f"{path.name}: plan {plan.plan} version {plan.version} stands in {other.name} too"
            )
        plans[plan.plan, plan.version] = path
        read.append(plan)
    return tuple(read)


def store_plans(session: ScopedSession, plans: Iterable[Plan]) -> list[str]:
    """Add the versions that are new; returns a line for each.  Conflict where one has changed."""
    rows = session.exec(select(PlanVersion)).all()
    stored = {(row.plan, row.version): parse_plan(row.terms) for row in rows}
    added = []
    for plan in plans:
        before = stored.get((plan.plan, plan.version))
        if before is None:
            terms = plan.model_dump(mode="json", exclude_defaults=False)
            session.add(PlanVersion(plan=plan.plan, version=plan.version, terms=terms))
            added.append(f"plan {plan.plan} version {plan.version}: new")
        elif before != plan:
            raise Conflict(
                f"plan {plan.plan} version {plan.version} is stored with other terms and a version "
                f"never changes: give the file version {plan.version + 1}"
            )
    session.flush()
    return added


def save_version(scope: EveryTenant, plan: Plan, *, after: int, by: By) -> Plan:
    """Store the version that follows on `after` (0: the plan is new) and say who did it, and why.

    A version never changes: `plan.version` is made `after` + 1, whatever it says.  StaleVersion
    where another has been saved since; InvalidTerms for terms whose meters are unknown or overlap.
    """
    if not by.reason.strip():
        raise InputError("Say why: the reason stands in the log.", field="reason")
    plan = plan.model_copy(update={"version": after + 1})
    meters_of(plan)
    try:
        with writing(scope) as session:
            newest = session.exec(
                select(func.max(PlanVersion.version)).where(PlanVersion.plan == plan.plan)
            ).one()
            if (newest or 0) != after:
                raise _stale(plan.plan, newest or 0)
            store_plans(session, [plan])
            by.note(session, Action.PLAN_SAVED, f"{plan.plan} version {plan.version}: {plan.name}")
    except IntegrityError:  # another stored it in this moment
        raise _stale(plan.plan, plan.version) from None
    return plan


def _stale(plan: str, newest: int) -> StaleVersion:
    if newest == 1:
        return StaleVersion(f"A plan {plan} exists already: open it, or choose another id.")
    return StaleVersion(
        f"Version {newest} of {plan} has been saved since you opened it. Nothing you typed is "
        "lost: look at that version, then save yours as the next one."
    )


def stored_plan(session: ScopedSession, plan: str, version: int) -> Plan | None:
    rows = session.exec(
        select(PlanVersion).where(PlanVersion.plan == plan, PlanVersion.version == version)
    ).all()
    return parse_plan(rows[0].terms) if rows else None


def stored_plans(session: ScopedSession) -> dict[tuple[str, int], Plan]:
    """Every version of every plan: plans are the ISV's and hold nothing of a tenant."""
    rows = session.exec(select(PlanVersion)).all()
    return {(row.plan, row.version): parse_plan(row.terms) for row in rows}


def all_plans(scope: AnyScope) -> dict[tuple[str, int], Plan]:
    with reading(scope) as session:
        return stored_plans(session)
