"""`people`: who may sign in, until an identity provider says so."""

from typing import Annotated

import typer

from data.commands.clock import now
from data.errors import NotFound
from data.identity import Role, add_membership, add_person, create_link, members
from data.models import Customer
from data.scope import EveryTenant, reading
from data.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="People, their roles and one-time sign-in links.")


@app.command()
def add(
    email: str,
    role: Annotated[Role, typer.Option(help="At the ISV, or with --customer at a customer.")],
    name: Annotated[str, typer.Option(help="Default: the e-mail address.")] = "",
    customer: Annotated[str, typer.Option(help="Slug of the customer.")] = "",
) -> None:
    """Add a person, or give one another role, and print a one-time sign-in link."""
    settings = load_settings()
    scope = EveryTenant(settings.database_url)
    person = add_person(scope, email, name or email)
    add_membership(scope, person, role, _customer_id(scope, customer))
    print(f"{email} is {role.value}" + (f" at {customer}" if customer else ""))
    _print_link(scope, person, settings.origin)


@app.command()
def link(email: str) -> None:
    """Print a link that signs the person in, once."""
    settings = load_settings()
    scope = EveryTenant(settings.database_url)
    known = [one for one in members(scope) if one.email == email.strip().lower()]
    if not known:
        raise NotFound(f"Nobody here has the address {email!r}; `people add` adds them.")
    _print_link(scope, known[0].person_id, settings.origin)


def _print_link(scope: EveryTenant, person_id: int, origin: str) -> None:
    secret = create_link(scope, person_id, now())
    print(f"Sign in once, within a day: {origin}/auth/link?token={secret}")


@app.command("list")
def list_command() -> None:
    """List who may sign in."""
    for member in members(EveryTenant(load_settings().database_url)):
        where = member.customer.name if member.customer else "staff"
        print(f"{member.email:<36} {member.role.value:<16} {where}")


def _customer_id(scope: EveryTenant, slug: str) -> int | None:
    if not slug:
        return None
    from sqlmodel import select

    with reading(scope) as session:
        found = session.exec(select(Customer.id).where(Customer.slug == slug)).first()
    if found is None:
        raise NotFound(f"There is no customer {slug!r}; import customers.yaml first.")
    return found
