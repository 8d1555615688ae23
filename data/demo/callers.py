"""Who asks the emulated API, and what they may read: a token opens more than a key."""

from base64 import b64decode
from dataclasses import dataclass
from secrets import compare_digest

from starlette.requests import Request

from data.demo.answers import Refused, not_found
from data.demo.cast import Account
from data.demo.world import World


@dataclass(frozen=True, slots=True)
class Caller:
    account: Account
    by_key: bool  # by an API key of the account rather than its token

    def may_read(self, account: Account) -> bool:
        """A parent's token opens its subaccounts; a key opens its own account only."""
        over_it = self.account.kind == "parent" and account.kind == "subaccount"
        return self.account is account or (over_it and not self.by_key)


class Callers:
    """The credentials of one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def caller(self, request: Request, *, keys: bool = True) -> Caller:
        """Whose credentials these are; `keys`: whether an API key will do."""
        user, password = _basic_auth(request.headers.get("Authorization", ""))
        secret, caller = self._holder(user)
        right = compare_digest(password.encode(), secret.encode())
        if caller is None or not right or (caller.by_key and not keys):
            raise Refused(401, 20003, "Authenticate")
        return caller

    def _holder(self, user: str) -> tuple[str, Caller | None]:
        """The secret that `user` must know, and who that is."""
        if account := self.world.accounts.get(user):
            return account.auth_token, Caller(account, by_key=False)
        for sid, key in self.world.keys.items():
            if key.sid == user:
                return key.secret, Caller(self.world.accounts[sid], by_key=True)
        return "", None

    def account(self, request: Request, *, keys: bool = True) -> Account:
        """The account of the path, if the caller may read it."""
        caller = self.caller(request, keys=keys)
        account = self.world.accounts.get(request.path_params["sid"])
        if account is None:
            raise not_found(request)
        if not caller.may_read(account):
            raise Refused(401, 20003, "Authenticate")
        return account


def _basic_auth(header: str) -> tuple[str, str]:
    """User and password; both empty where there are none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password
