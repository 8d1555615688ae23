"""Sessions end: idle, too old, signed out everywhere, role taken, person disabled, key revoked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from data import identity
from data.errors import AccessError, Conflict, LinkRejected, NotFound
from data.identity import Claims, Role, hashed
from tests.stores import ACME, BETA, customers

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LIFE, IDLE = timedelta(hours=12), timedelta(minutes=60)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(store):
    store.put(*customers())
    return store


def member(store, name="pat", role=Role.VIEWER, customer=ACME):
    person = identity.add_person(store.app, f"{name}@acme.test", name)
    return identity.add_membership(store.app, person, role, customer)


def person_of(store, membership):
    found = {one.membership_id: one.person_id for one in identity.members(store.app)}
    return found[membership]


def signed_in(store, membership, now=NOW, **terms):
    given = {"life": LIFE, "idle": IDLE, **terms}
    return hashed(identity.open_session(store.app, membership, "link", now, **given))


def alive(store, key, now=NOW):
    by_poll = key in identity.live_keys(store.app, [key], now)
    assert by_poll == (identity.resolve(store.app, key, now) is not None)
    return by_poll


def test_a_session_ends_when_nobody_does_anything(world):
    key, other = (
        signed_in(world, member(world)),
        signed_in(world, member(world, "ben", customer=BETA)),
    )
    assert alive(world, key, NOW + IDLE - MINUTE)
    identity.touch(world.app, [other], NOW + IDLE - MINUTE)
    assert not alive(world, key, NOW + IDLE)
    assert alive(world, other, NOW + IDLE)


def test_what_is_done_keeps_it_alive_but_never_beyond_its_whole_life(world):
    key = signed_in(world, member(world), life=3 * IDLE)
    for step in (1, 2, 3, 4, 5):
        identity.touch(world.app, [key], NOW + step * IDLE / 2)
    assert alive(world, key, NOW + 3 * IDLE - MINUTE)
    assert not alive(world, key, NOW + 3 * IDLE)


def test_touching_does_not_wake_the_dead(world):
    key = signed_in(world, member(world))
    identity.touch(world.app, [key], NOW + IDLE)
    assert not alive(world, key, NOW + IDLE)


def test_signing_out_everywhere_ends_every_session_of_one_person(world):
    ada, ben = member(world, "ada"), member(world, "ben", customer=BETA)
    hers, his = [signed_in(world, ada) for _ in range(3)], signed_in(world, ben)
    assert identity.revoke_person(world.app, person_of(world, ada), NOW) == 3
    assert not any(alive(world, key) for key in hers)
    assert alive(world, his)


def test_a_disabled_person_is_out_and_stays_out_of_old_sessions_when_enabled_again(world):
    ada, ben = member(world, "ada"), member(world, "ben", customer=BETA)
    key, his, person = signed_in(world, ada), signed_in(world, ben), person_of(world, ada)
    link = identity.create_link(world.app, person, NOW)
    identity.disable_person(world.app, person, NOW)
    identity.enable_person(world.app, person, NOW)
    assert not alive(world, key)
    assert alive(world, his)
    with pytest.raises(LinkRejected):
        identity.enter_by_link(world.app, link, NOW, life=LIFE)
    assert alive(world, signed_in(world, ada))


def test_a_role_taken_away_ends_its_sessions_and_no_others(world):
    person = identity.add_person(world.app, "pat@both.test", "Pat")
    here, there = (
        identity.add_membership(world.app, person, Role.VIEWER, one) for one in (ACME, BETA)
    )
    keys = signed_in(world, here), signed_in(world, there)
    identity.remove_membership(world.app, here, NOW)
    assert [alive(world, key) for key in keys] == [False, True]
    with pytest.raises(NotFound):
        identity.remove_membership(world.app, here, NOW)


def test_a_person_of_two_customers_goes_on_at_the_other(world):
    person = identity.add_person(world.app, "pat@both.test", "Pat")
    here, there = (
        identity.add_membership(world.app, person, role, one)
        for role, one in ((Role.VIEWER, ACME), (Role.MANAGER, BETA))
    )
    key = signed_in(world, here)
    assert {one.customer.name for one in identity.memberships_of(world.app, person)} == {
        *("Acme", "Beta")
    }
    identity.choose_membership(world.app, key, there, NOW)
    now = identity.resolve(world.app, key, NOW).member
    assert (now.customer.id, now.role) == (BETA, Role.MANAGER)


def test_nobody_takes_the_role_of_somebody_else(world):
    ada, ben = member(world, "ada"), member(world, "ben", customer=BETA)
    key = signed_in(world, ada)
    for wanted in (ben, 999_999):
        with pytest.raises(AccessError, match="no such role"):
            identity.choose_membership(world.app, key, wanted, NOW)
    assert identity.resolve(world.app, key, NOW).member.customer.id == ACME


def test_a_dead_session_chooses_nothing(world):
    ada = member(world, "ada")
    key = signed_in(world, ada)
    identity.revoke(world.app, key, NOW)
    with pytest.raises(AccessError):
        identity.choose_membership(world.app, key, ada, NOW)


def test_choosing_another_role_ends_the_view_of_a_customer(world):
    person = identity.add_person(world.app, "sue@isv.test", "Sue")
    staff = identity.add_membership(world.app, person, Role.SUPPORT)
    own = identity.add_membership(world.app, person, Role.VIEWER, BETA)
    key = signed_in(world, staff)
    identity.start_viewing(world.app, key, ACME, "ticket 12", NOW)
    identity.choose_membership(world.app, key, own, NOW)
    assert identity.resolve(world.app, key, NOW).viewing is None


def test_the_last_sign_in_is_known(world):
    ada, ben = member(world, "ada"), member(world, "ben", customer=BETA)
    signed_in(world, ada, NOW)
    signed_in(world, ada, NOW + MINUTE)
    known = {one.name: one.last_sign_in_at for one in identity.people(world.app)}
    assert known == {"ada": NOW + MINUTE, "ben": None}
    assert ben in [one.membership_id for one in identity.members(world.app)]


def test_an_invitation_adds_the_person_the_role_and_a_link_at_once(world):
    secret = identity.invite(world.app, " Pat@Acme.test", Role.MANAGER, ACME, NOW, actor="Ada")
    key = hashed(identity.enter_by_link(world.app, secret, NOW, life=LIFE))
    pat = identity.resolve(world.app, key, NOW).member
    assert (pat.email, pat.role, pat.customer.id) == ("pat@acme.test", Role.MANAGER, ACME)
    said = [(one.action, one.actor, one.customer) for one in identity.entries(world.app)]
    assert said == [
        ("sign_in", "pat@acme.test", "Acme"),
        ("link_created", "Ada", ""),
        ("role_given", "Ada", "Acme"),
    ]


def test_an_invitation_that_is_wrong_leaves_nothing_behind(world):
    with pytest.raises(NotFound):
        identity.invite(world.app, "pat@acme.test", Role.VIEWER, 999, NOW)
    assert identity.people(world.app) == ()
    assert list(identity.entries(world.app)) == []


def test_of_many_who_invite_one_address_each_gets_a_link_or_is_told(world):
    def invite(_):
        try:
            return identity.invite(world.app, "pat@acme.test", Role.VIEWER, ACME, NOW, actor="Ada")
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        links = [one for one in pool.map(invite, range(8)) if one]
    assert links
    assert [one.email for one in identity.people(world.app)] == ["pat@acme.test"]
    for link in links:
        assert identity.enter_by_link(world.app, link, NOW, life=LIFE)


def test_a_disabled_person_gets_no_link(world):
    person = person_of(world, member(world))
    identity.disable_person(world.app, person, NOW)
    with pytest.raises(Conflict, match="is disabled"):
        identity.create_link(world.app, person, NOW)


def test_an_address_counts_once_more_after_its_identity_is_forgotten(world):
    person = person_of(world, member(world, "pat"))
    member(world, "ben", customer=BETA)

    def enter(subject):
        claims = Claims("https://id.test", subject, "pat@acme.test", email_verified=True)
        return identity.enter_by_identity(world.app, claims, NOW, life=LIFE)

    assert enter("old")
    with pytest.raises(AccessError):
        enter("new")
    assert identity.forget_identities(world.app, person, NOW) == 1
    assert enter("new")
    with pytest.raises(AccessError):
        enter("old")


def test_a_session_keeps_the_visit_before_while_the_member_is_seen_again(world):
    ada, ben = member(world, "ada"), member(world, "ben", customer=BETA)
    first = signed_in(world, ada)
    identity.saw(world.app, ada, NOW)
    identity.saw(world.app, ada, NOW + MINUTE)
    second = signed_in(world, ada, NOW + 2 * MINUTE)
    identity.saw(world.app, ada, NOW + 3 * MINUTE)
    found = {key: identity.resolve(world.app, key, NOW + 4 * MINUTE) for key in (first, second)}
    assert found[first].seen_before_at is None
    assert found[second].seen_before_at == NOW + MINUTE
    assert found[second].last_seen_at == NOW + 3 * MINUTE
    his = identity.resolve(world.app, signed_in(world, ben), NOW)
    assert (his.seen_before_at, his.last_seen_at) == (None, None)


def test_being_seen_never_goes_back_in_time(world):
    ada = member(world, "ada")
    identity.saw(world.app, ada, NOW + MINUTE)
    identity.saw(world.app, ada, NOW)
    session = identity.resolve(world.app, signed_in(world, ada, NOW), NOW)
    assert session.seen_before_at == NOW + MINUTE
