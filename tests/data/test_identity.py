"""People, links, sessions and view-as: what a stranger's request may reach, and for how long."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from data import identity
from data.demo.people import demo_people, ensure_demo_people
from data.errors import AccessError, InputError, LinkRejected, NotFound, StoreUnavailable
from data.identity import Role, hashed
from data.models import AuditEntry, LoginLink, LoginSession
from data.scope import EveryTenant, reading
from data.store import check_store
from tests.doors import ACME, BETA, LIFE, START, make_world

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


def audit(world):
    with reading(world.scope) as session:
        return [entry.action for entry in session.exec(select(AuditEntry).order_by("id"))]


def resolve(world, secret, now=NOW):
    return identity.resolve(world.scope, hashed(secret), now)


def person_of(world, membership_id):
    return next(
        m.person_id for m in identity.members(world.scope) if m.membership_id == membership_id
    )


def link_for(world, membership_id, **options):
    return identity.create_link(world.scope, person_of(world, membership_id), NOW, **options)


def enter(world, secret, now=NOW):
    return identity.enter_by_link(world.scope, secret, now, life=LIFE)


def test_a_person_is_added_once_whatever_the_case_of_the_address(world):
    first = identity.add_person(world.scope, " New@Acme.test ", "New")
    assert identity.add_person(world.scope, "new@acme.TEST", "Other") == first


def test_what_is_no_address_is_refused(world):
    with pytest.raises(InputError, match="not an e-mail"):
        identity.add_person(world.scope, "nobody", "Nobody")


def test_a_membership_given_again_changes_the_role_and_stays_one(world):
    person = person_of(world, world.sue)
    assert identity.add_membership(world.scope, person, Role.DEVELOPER) == world.sue
    roles = [m.role for m in identity.members(world.scope) if m.person_id == person]
    assert roles == [Role.DEVELOPER]


@pytest.mark.parametrize(
    ("role", "customer"),
    [(Role.SUPPORT, ACME), (Role.VIEWER, None)],
    ids=["staff at a customer", "customer without one"],
)
def test_a_role_stands_only_where_it_belongs(world, role, customer):
    with pytest.raises(InputError):
        identity.add_membership(world.scope, person_of(world, world.ada), role, customer)


def test_nobody_joins_a_customer_that_does_not_exist(world):
    with pytest.raises(NotFound):
        identity.add_membership(world.scope, person_of(world, world.ada), Role.VIEWER, 99)


def test_a_link_opens_a_session_of_its_own_person(world):
    session = resolve(world, enter(world, link_for(world, world.ben)))
    assert (session.member.name, session.member.customer.slug) == ("Ben", "beta")
    assert session.door == "link"


def test_only_hashes_of_secrets_are_stored(world):
    secret = link_for(world, world.ada)
    cookie = enter(world, secret)
    with reading(world.scope) as session:
        link, login = (
            session.exec(select(LoginLink)).one(),
            session.exec(select(LoginSession)).one(),
        )
    assert (link.secret_hash, login.secret_hash) == (hashed(secret), hashed(cookie))
    assert secret not in repr(link)
    assert cookie not in repr(login)


def test_every_rejected_link_gets_the_same_answer(world):
    used, expired = link_for(world, world.ada), link_for(world, world.ada, life=SECOND)
    shut_out = link_for(world, world.ben)
    enter(world, used)
    identity.disable_person(world.scope, person_of(world, world.ben), NOW)
    answers = set()
    for secret in (used, expired, shut_out, "forged"):
        with pytest.raises(LinkRejected) as caught:
            enter(world, secret, NOW + SECOND)
        answers.add(str(caught.value))
    assert len(answers) == 1


def test_of_many_clicks_on_one_link_exactly_one_enters(world):
    secret = link_for(world, world.ada)

    def click(_):
        try:
            return enter(world, secret)
        except LinkRejected:
            return None

    with ThreadPoolExecutor(8) as pool:
        entered = [cookie for cookie in pool.map(click, range(8)) if cookie]
    assert len(entered) == 1


def test_a_person_with_several_roles_enters_as_staff(world):
    person = person_of(world, world.ada)
    identity.add_membership(world.scope, person, Role.SUPPORT)
    session = resolve(world, enter(world, identity.create_link(world.scope, person, NOW)))
    assert session.member.role is Role.SUPPORT


def test_sign_ins_and_failed_links_are_in_the_audit_log(world):
    secret = link_for(world, world.ada)
    cookie = enter(world, secret)
    with pytest.raises(LinkRejected):
        enter(world, secret)
    identity.revoke(world.scope, hashed(cookie), NOW)
    assert audit(world) == ["link_created", "sign_in", "link_rejected", "sign_out"]


def test_forged_links_cannot_fill_the_audit_log(world):
    for seconds in (0, 1, 59, 61):
        with pytest.raises(LinkRejected):
            enter(world, f"forged {seconds}", NOW + seconds * SECOND)
    assert audit(world) == ["link_rejected"] * 2


def test_a_session_ends_at_its_hour(world):
    secret = world.sign_in(world.ada, NOW)
    assert resolve(world, secret, NOW + LIFE - SECOND)
    assert resolve(world, secret, NOW + LIFE) is None


def test_a_revoked_session_is_gone_and_others_stay(world):
    ada, ben = world.sign_in(world.ada, NOW), world.sign_in(world.ben, NOW)
    identity.revoke(world.scope, hashed(ada), NOW)
    identity.revoke(world.scope, hashed(ada), NOW)
    assert resolve(world, ada) is None
    assert resolve(world, ben).member.name == "Ben"
    assert audit(world).count("sign_out") == 1


def test_the_secret_itself_is_not_a_key(world):
    assert identity.resolve(world.scope, world.sign_in(world.ada, NOW), NOW) is None


def test_a_disabled_person_is_out_at_once(world):
    secret = world.sign_in(world.ada, NOW)
    identity.disable_person(world.scope, person_of(world, world.ada), NOW)
    assert resolve(world, secret) is None
    assert "Ada" not in {member.name for member in identity.members(world.scope)}


def test_a_changed_role_holds_for_running_sessions(world):
    secret = world.sign_in(world.ada, NOW)
    identity.add_membership(world.scope, person_of(world, world.ada), Role.MANAGER, ACME)
    assert resolve(world, secret).member.role is Role.MANAGER


def test_live_sessions_are_listed_newest_first(world):
    for minutes, member in enumerate((world.ada, world.ben)):
        world.sign_in(member, NOW + timedelta(minutes=minutes))
    names = [s.member.name for s in identity.sessions(world.scope, NOW + timedelta(hours=1))]
    assert names == ["Ben", "Ada"]


def test_one_question_tells_the_living_from_the_dead(world):
    ada, ben = hashed(world.sign_in(world.ada, NOW)), hashed(world.sign_in(world.ben, NOW))
    identity.revoke(world.scope, ada, NOW)
    assert identity.live_keys(world.scope, (ada, ben, "forged"), NOW) == {ben}


def test_viewing_lasts_thirty_minutes_and_says_why(world):
    secret = world.sign_in(world.sue, NOW)
    identity.start_viewing(world.scope, hashed(secret), BETA, "  ticket\n 12 ", NOW)
    viewing = resolve(world, secret).viewing
    assert (viewing.customer.slug, viewing.reason) == ("beta", "ticket 12")
    assert resolve(world, secret, NOW + timedelta(minutes=30) - SECOND).viewing
    assert resolve(world, secret, NOW + timedelta(minutes=30)).viewing is None


def test_start_and_end_of_viewing_are_in_the_audit_log(world):
    key = hashed(world.sign_in(world.sue, NOW))
    identity.start_viewing(world.scope, key, ACME, "ticket 12", NOW)
    identity.start_viewing(world.scope, key, BETA, "ticket 13", NOW)
    identity.stop_viewing(world.scope, key, NOW)
    identity.stop_viewing(world.scope, key, NOW)
    assert audit(world) == ["sign_in", *["view_as_start", "view_as_stop"] * 2]
    with reading(world.scope) as session:
        seen = [e.customer_id for e in session.exec(select(AuditEntry)) if "view" in e.action]
    assert seen == [ACME, ACME, BETA, BETA]


def test_signing_out_ends_viewing_too(world):
    key = hashed(world.sign_in(world.sue, NOW))
    identity.start_viewing(world.scope, key, ACME, "ticket 12", NOW)
    identity.revoke(world.scope, key, NOW)
    assert audit(world)[-2:] == ["view_as_stop", "sign_out"]


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 301], ids=["none", "blank", "a novel"])
def test_viewing_needs_a_reason(world, reason):
    key = hashed(world.sign_in(world.sue, NOW))
    with pytest.raises(InputError):
        identity.start_viewing(world.scope, key, ACME, reason, NOW)


def test_nobody_at_a_customer_can_view_another(world):
    key = hashed(world.sign_in(world.ben, NOW))
    with pytest.raises(AccessError):
        identity.start_viewing(world.scope, key, ACME, "curious", NOW)


def test_a_dead_session_cannot_start_viewing(world):
    key = hashed(world.sign_in(world.sue, NOW))
    with pytest.raises(AccessError):
        identity.start_viewing(world.scope, key, ACME, "late", NOW + LIFE)


def test_an_unknown_customer_cannot_be_viewed(world):
    key = hashed(world.sign_in(world.sue, NOW))
    with pytest.raises(NotFound):
        identity.start_viewing(world.scope, key, 99, "ticket", NOW)


def test_demo_people_are_made_once_and_real_people_are_never_listed(world):
    ensure_demo_people(world.scope)
    ensure_demo_people(world.scope)
    people = demo_people(world.scope, START)
    assert [(p.member.name, p.member.role.value, p.plan) for p in people] == [
        ("Acme", "manager", "Basic"),
        ("Beta & Sons", "manager", "Own Twilio account"),
        ("Alex Admin", "administrator", ""),
        ("Billie Billing", "billing_manager", ""),
        ("Dev Developer", "developer", ""),
        ("Sam Support", "support", ""),
    ]


def test_a_plan_of_tomorrow_is_not_named_today(world):
    ensure_demo_people(world.scope)
    assert demo_people(world.scope, START - timedelta(days=1))[0].plan == "Own Twilio account"


def test_a_store_without_tables_says_what_to_do(world, tmp_path):
    check_store(world.scope)
    with pytest.raises(StoreUnavailable, match="migrate"):
        check_store(EveryTenant(f"sqlite:///{tmp_path / 'empty.sqlite'}"))
