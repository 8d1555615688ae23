"""People and their roles: who may come in, at which customer or among the ISV's staff."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, func, select

from data.errors import Conflict, InputError, NotFound
from data.identity.audit import Action, note
from data.models import AuditEntry, Customer, Membership, Person
from data.scope import EveryTenant, ScopedSession, reading, writing


class Role(StrEnum):
    """At one customer, or among the ISV's staff, whose roles follow Twilio's own."""

    VIEWER = "viewer"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"
    BILLING_MANAGER = "billing_manager"
    DEVELOPER = "developer"
    SUPPORT = "support"

    @property
    def is_staff(self) -> bool:
        return self not in (Role.VIEWER, Role.MANAGER)


@dataclass(frozen=True, slots=True)
class CustomerName:
    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person in one role; `customer` is None for the ISV's staff.

    Who looks through a frame of the ISV's own product is a role without a person or a membership.
    """

    membership_id: int | None
    person_id: int | None
    name: str
    email: str
    role: Role
    customer: CustomerName | None
    language: str | None = None  # as the person chose it; None: the browser's


@dataclass(frozen=True, slots=True)
class PersonView:
    id: int
    name: str
    email: str
    disabled: bool
    last_sign_in_at: datetime | None
    members: tuple[Member, ...]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Of two who add the same at once, the second is told so."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("Somebody else is doing the same just now. Look, and try again.") from error


def add_person(scope: EveryTenant, email: str, name: str) -> int:
    """The id of the person with this e-mail address, who is added if new; the name is kept."""
    with writing(scope) as session:
        return person_by_email(session, email, name)


def person_by_email(session: ScopedSession, email: str, name: str) -> int:
    address = email_address(email)
    known = session.exec(select(Person.id).where(Person.email == address)).first()
    return known or added(session, Person(email=address, name=name.strip() or address))


def email_address(text: str) -> str:
    """In lower case; InputError for what is none."""
    address = text.strip().lower()
    # Beyond ASCII two different letters may have the same small one: K and the sign of kelvin.
    plain = text.isascii() and not any(letter.isspace() for letter in address)
    if "@" not in address[1:-1] or not plain:
        raise InputError(f"{text!r} is not an e-mail address", field="email")
    return address


def add_membership(
    scope: EveryTenant, person_id: int, role: Role, customer_id: int | None = None
) -> int:
    """The id of the membership; given again with another role, it changes the role."""
    with writing(scope) as session:
        return membership_in_role(session, person_id, role, customer_id)


def give_role(
    scope: EveryTenant,
    person_id: int,
    role: Role,
    customer_id: int | None,
    now: datetime,
    *,
    actor: str,
) -> None:
    """`add_membership` as an act of somebody: into the audit log with it."""
    with one_at_a_time(), writing(scope) as session:
        membership_in_role(session, person_id, role, customer_id)
        note_role(session, person_id, role, customer_id, now, actor=actor)


def note_role(
    session: ScopedSession,
    person_id: int,
    role: Role,
    customer_id: int | None,
    now: datetime,
    *,
    actor: str,
) -> None:
    detail = f"{existing_person(session, person_id).email} is {role.value}"
    note(session, now, Action.ROLE_GIVEN, customer_id=customer_id, actor=actor, detail=detail)


def membership_in_role(
    session: ScopedSession, person_id: int, role: Role, customer_id: int | None
) -> int:
    """InputError where the role does not belong; NotFound for a person or customer unknown."""
    if role.is_staff != (customer_id is None):
        raise InputError(f"{role} is a role {'of staff' if role.is_staff else 'at a customer'}")
    existing_person(session, person_id)
    if customer_id is not None:
        customer_name(session, customer_id)
    at = select(Membership).where(Membership.person_id == person_id)
    # "= NULL" finds nothing, and no unique key holds two nulls apart.
    known = session.exec(at.where(col(Membership.customer_id).is_not_distinct_from(customer_id)))
    row = known.first() or Membership(person_id=person_id, customer_id=customer_id, role=role.value)
    row.role = role.value
    return added(session, row)


def members(scope: EveryTenant) -> tuple[Member, ...]:
    """Everyone who may sign in: customers by name, then staff."""
    with reading(scope) as session:
        rows = session.exec(
            _memberships()
            .where(col(Person.disabled).is_(False))
            .order_by(col(Customer.name).is_(None), col(Customer.name), col(Person.name))
        )
        return tuple(member_of(*row) for row in rows)


def people(scope: EveryTenant) -> tuple[PersonView, ...]:
    """Everyone ever added, the disabled included, with all their roles; by name."""
    with reading(scope) as session:
        persons = session.exec(select(Person).order_by(col(Person.name), col(Person.id))).all()
        rows = session.exec(_memberships().order_by(col(Membership.id))).all()
    roles: dict[int, list[Member]] = {}
    for row in rows:
        roles.setdefault(row[1].id, []).append(member_of(*row))
    return tuple(
        PersonView(
            person.id or 0,
            person.name,
            person.email,
            person.disabled,
            person.last_sign_in_at,
            tuple(roles.get(person.id or 0, ())),
        )
        for person in persons
    )


def members_at(scope: EveryTenant, customer_id: int) -> tuple[PersonView, ...]:
    """Who may sign in at one customer, by name, each with the role there alone.

    `last_sign_in_at` is what the audit log knows of this customer: when a person was elsewhere is
    not this customer's business.
    """
    entered = (
        select(AuditEntry.person_id, func.max(AuditEntry.at).label("at"))
        .where(
            AuditEntry.customer_id == customer_id,
            col(AuditEntry.action).in_([str(Action.SIGN_IN), str(Action.MEMBERSHIP_CHOSEN)]),
        )
        .group_by(col(AuditEntry.person_id))
    )
    with reading(scope) as session:
        last = dict(session.exec(entered).all())
        rows = session.exec(
            _memberships()
            .where(Membership.customer_id == customer_id, col(Person.disabled).is_(False))
            .order_by(col(Person.name), col(Person.id))
        ).all()
    return tuple(
        PersonView(one.id, one.name, one.email, False, last.get(one.id), (member_of(*row),))
        for row in rows
        for one in (row[1],)
    )


def memberships_of(scope: EveryTenant, person_id: int) -> tuple[Member, ...]:
    """The roles of one person: staff first, then customers by name."""
    with reading(scope) as session:
        rows = session.exec(_memberships_of(), params={"person": person_id})
        return tuple(member_of(*row) for row in rows)


@lru_cache(maxsize=1)
def _memberships_of() -> Any:
    """Asked on every run of a page, and slower to build than to answer: built once."""
    return (
        _memberships()
        .where(Membership.person_id == bindparam("person"), col(Person.disabled).is_(False))
        .order_by(col(Membership.customer_id).is_not(None), col(Customer.name))
    )


def _memberships() -> Any:
    return (
        select(Membership, Person, Customer)
        .join(Person, col(Person.id) == Membership.person_id)
        .outerjoin(Customer, col(Customer.id) == Membership.customer_id)
    )


def first_membership(session: ScopedSession, person_id: int) -> int | None:
    """As what a person enters: as staff, else by the oldest role; None for the disabled."""
    found: Sequence[int | None] = session.exec(
        select(Membership.id)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(Person.id == person_id, col(Person.disabled).is_(False))
        .order_by(col(Membership.customer_id).is_not(None), col(Membership.id))
        .limit(1)
    ).all()
    return found[0] if found else None


def added(session: ScopedSession, row: Any) -> int:
    session.add(row)
    session.flush()
    return int(row.id)


def existing_person(session: ScopedSession, person_id: int) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("There is no such person.")
    return person


def choose_language(scope: EveryTenant, person_id: int, language: str) -> None:
    """Remember the language a person reads pages in; `language` is a code such as "de"."""
    with writing(scope) as session:
        existing_person(session, person_id).language = language


def customer_name(session: ScopedSession, customer_id: int) -> CustomerName:
    row = session.get(Customer, customer_id)
    if row is None:
        raise NotFound("There is no such customer.")
    return CustomerName(customer_id, row.slug, row.name)


def member_of(membership: Any, person: Any, customer: Any) -> Member:
    at = customer and CustomerName(customer.id, customer.slug, customer.name)
    role = Role(membership.role)
    return Member(membership.id, person.id, person.name, person.email, role, at, person.language)
