"""`people`: who may come in, until a page or an identity provider takes over."""

from typing import Annotated

import typer

from data import identity
from data.commands.clock import now
from data.errors import InputError, NotFound
from data.identity import PersonView, Role
from data.scope import EveryTenant
from data.settings import Settings, load_settings
from data.store import customer_by_slug

app = typer.Typer(no_args_is_help=True, help="People, their roles, links and sessions.")
ACTOR = "command line"


@app.command()
def add(
    email: str,
    role: Annotated[Role, typer.Option(help="At the ISV, or with --customer at a customer.")],
    name: Annotated[str, typer.Option(help="Default: the e-mail address.")] = "",
    customer: Annotated[str, typer.Option(help="Slug of the customer.")] = "",
) -> None:
    """Invite a person, or give one another role, and print a one-time sign-in link."""
    settings, scope = _opened()
    at = customer_by_slug(scope, customer).id if customer else None
    secret = identity.invite(scope, email, role, at, now(), name=name, actor=ACTOR)
    print(f"{email} is {role.value}" + (f" at {customer}" if customer else ""))
    _print_link(settings, secret)


@app.command()
def link(email: str) -> None:
    """Print a link that signs the person in, once."""
    settings, scope = _opened()
    person = _person(scope, email)
    _print_link(settings, identity.create_link(scope, person.id, now(), actor=ACTOR))


@app.command()
def disable(email: str) -> None:
    """Shut a person out at once: sessions and links of theirs end."""
    _, scope = _opened()
    identity.disable_person(scope, _person(scope, email).id, now(), actor=ACTOR)
    print(f"{email} is shut out.")


@app.command()
def enable(email: str) -> None:
    """Let a person in again who was disabled."""
    _, scope = _opened()
    identity.enable_person(scope, _person(scope, email).id, now(), actor=ACTOR)
    print(f"{email} may sign in again.")


@app.command()
def remove(
    email: str,
    customer: Annotated[str, typer.Option(help="Slug; without it, the role among the staff.")] = "",
) -> None:
    """Take one role away; sessions in it end at once."""
    _, scope = _opened()
    wanted = customer or None
    for member in _person(scope, email).members:
        if (member.customer.slug if member.customer else None) == wanted:
            identity.remove_membership(scope, member.membership_id or 0, now(), actor=ACTOR)
            print(f"{email} is no longer {member.role.value}.")
            return
    raise NotFound(f"{email} has no such role.")


@app.command("forget-identity")
def forget_identity(email: str) -> None:
    """Let the address count once more at sign-in, after its account at a provider was made anew."""
    _, scope = _opened()
    gone = identity.forget_identities(scope, _person(scope, email).id, now(), actor=ACTOR)
    print(f"{gone} accounts at providers are forgotten.")


@app.command("sign-out")
def sign_out(
    email: Annotated[str, typer.Argument(help="Whose sessions end.")] = "",
    everybody: Annotated[bool, typer.Option(help="Everybody's, and all frames.")] = False,
) -> None:
    """End every session of a person, or of everybody; they may sign in again."""
    _, scope = _opened()
    if bool(email) == everybody:
        raise InputError("Give an e-mail address, or --everybody.", field="email")
    if everybody:
        ended = identity.revoke_all(scope, now(), actor=ACTOR)
    else:
        ended = identity.revoke_person(scope, _person(scope, email).id, now(), actor=ACTOR)
    print(f"{ended} sessions ended.")


@app.command("list")
def list_command() -> None:
    """List people, their roles and when they last signed in."""
    _, scope = _opened()
    for person in identity.people(scope):
        last = person.last_sign_in_at
        seen = f"{last:%Y-%m-%d %H:%M} UTC" if last else "never signed in"
        state = "disabled" if person.disabled else seen
        for member in person.members:
            where = member.customer.name if member.customer else "staff"
            print(f"{person.email:<36} {member.role.value:<16} {where:<24} {state}")


@app.command()
def sessions() -> None:
    """List who is signed in now, by which door, and until when."""
    _, scope = _opened()
    for one in identity.sessions(scope, now()):
        where = one.member.customer.name if one.member.customer else "staff"
        who = one.member.email or one.member.name
        print(f"{who:<36} {where:<24} {one.door:<6} until {one.expires_at:%Y-%m-%d %H:%M} UTC")


def _opened() -> tuple[Settings, EveryTenant]:
    settings = load_settings()
    return settings, EveryTenant(settings.database_url)


def _person(scope: EveryTenant, email: str) -> PersonView:
    for one in identity.people(scope):
        if one.email == email.strip().lower():
            return one
    raise NotFound(f"Nobody here has the address {email!r}; `people add` adds them.")


def _print_link(settings: Settings, secret: str) -> None:
    print(f"Sign in once, within a day: {settings.origin}/auth/link?token={secret}")
