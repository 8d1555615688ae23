"""An identity provider (OpenID Connect) as we ask it: Authlib's Starlette client, narrowed.

Authlib keeps state, nonce and PKCE verifier, and fetches.  By itself it would take from the
discovery document how to connect and which algorithms count; here three addresses are read of it,
its issuer must be the configured one, and an ID token counts if a public key of the provider has
signed it, for this client, this attempt and this moment (OpenID Connect Core 1.0, 3.1.3.7).
"""

import asyncio
import re
import ssl
import warnings
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from starlette.requests import Request
from starlette.responses import Response

from data.identity import Claims
from data.settings import OidcProvider

with warnings.catch_warnings():  # Authlib would rather have httpx2, and says so at every start
    import authlib.deprecate

    warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
    from authlib.integrations.starlette_client import StarletteIntegration, StarletteOAuth2App
    from authlib.oidc.core import CodeIDToken

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "EdDSA")  # public keys only
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
MICROSOFT = "https://login.microsoftonline.com/"

SECONDS = 10.0  # that a provider may take for all we ask in one step
KEPT = timedelta(hours=1)  # discovery document and keys; a key withdrawn counts no longer than that
LEEWAY = 60  # seconds by which clocks may differ
LARGEST_ANSWER = 262_144  # bytes
LONGEST_TOKEN = 16_384  # characters

# "It MUST NOT exceed 255 ASCII characters" (Core 1.0, section 2).
SUBJECT = re.compile(r"[ -~]{1,255}")
ERROR = re.compile(r"[a-z_]{1,40}")
# Beyond ASCII, letters that lower() makes the same belong to different mailboxes: K (U+212A), k.
EMAIL = re.compile(r"[!-~]{3,320}")


class Refused(Exception):
    """What came back proves nothing.  The reason is for the log alone."""


class Unavailable(Exception):
    """The provider is down, slow, or not what the settings say."""


class Client(StarletteOAuth2App):  # type: ignore[misc]  # Authlib has no types
    """`now` is asked for the moment at which a token must be valid."""

    def __init__(self, name: str, provider: OidcProvider, now: Callable[[], datetime]) -> None:
        discovery = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        scopes = provider.scopes.split()
        super().__init__(
            StarletteIntegration(name),
            name=name,
            client_id=provider.client_id,
            client_secret=provider.client_secret.get_secret_value(),
            server_metadata_url=discovery,
            client_kwargs={
                "scope": " ".join(scopes if "openid" in scopes else ["openid", *scopes]),
                "code_challenge_method": "S256",
                "timeout": SECONDS,
                "verify": _certificates(),
                "headers": {"accept-encoding": "identity"},
                "event_hooks": {"response": [_bound]},
            },
        )
        self.provider, self.now = provider, now
        self.read_at: datetime | None = None

    async def begin(self, request: Request, redirect_uri: str, *, another: bool) -> Response:
        """The way to the provider; `another`: let it ask which account.  Unavailable."""
        try:
            async with asyncio.timeout(SECONDS):
                more = {"prompt": await self._prompt()} if another else {}
                answer: Response = await self.authorize_redirect(request, redirect_uri, **more)
        except Unavailable:
            raise
        except Exception as error:  # whatever a stranger's document may break
            raise Unavailable(_reason(error)) from error
        return answer

    async def identify(self, request: Request) -> Claims:
        """Whom an answer proves whose state was found in the session.

        Refused; Unavailable where the provider cannot be asked.
        """
        try:
            async with asyncio.timeout(SECONDS):
                await self._check_issuer(request.query_params.get("iss"))
                token = await self.authorize_access_token(request)
            return claims_of(self.provider.issuer, token["userinfo"])
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(_reason(error)) from error
        except (Refused, Unavailable):
            raise
        except Exception as error:  # whatever a stranger's token may break
            raise Refused(_reason(error)) from error

    async def check_state(self, request: Request) -> None:
        """Refused if the answer is not to this browser's attempt at this provider."""
        state = request.query_params.get("state", "")
        if not await self.framework.get_state_data(request.session, state):
            raise Refused("the state is not this attempt's")

    async def load_server_metadata(self) -> dict[str, Any]:
        """Of the discovery document what we rely on, and nothing more: Authlib hands all of it on
        to its HTTP client, where `verify` or `proxy` would have a meaning."""
        now = self.now()
        if self.read_at is None or now - self.read_at >= KEPT:
            async with self._get_session() as client:
                answer = await client.request("GET", self._server_metadata_url, withhold_token=True)
            answer.raise_for_status()
            self.server_metadata, self.read_at = self._known(answer.json()), now
        return self.server_metadata

    async def _check_issuer(self, named: str | None) -> None:
        """RFC 9207: with several providers, one must not be given what another has answered."""
        names_itself = (await self.load_server_metadata())["names_itself"]
        if named != self.provider.issuer and (named is not None or names_itself):
            raise Refused("the answer is another provider's")

    async def parse_id_token(
        self, token: Mapping[str, Any], nonce: str, *_: Any, **__: Any
    ) -> dict[str, Any]:
        text = token["id_token"]
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TOKEN:
            raise Refused("the token is no text, or too long")
        decoded = await self._decoded(text)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {"iss": {"value": self.provider.issuer}, "aud": {"value": self.client_id}},
            {"nonce": nonce, "client_id": self.client_id, "access_token": token["access_token"]},
        )
        claims.validate(now=int(self.now().timestamp()), leeway=LEEWAY)
        return dict(claims)

    async def _decoded(self, text: str) -> jwt.Token:
        """With the keys we have; if the token names another, with those of this moment."""
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        for fresh in (False, True):
            keys = KeySet.import_key_set(await self.fetch_jwk_set(force=fresh))
            try:
                return jwt.decode(text, keys, registry=registry)
            except InvalidKeyIdError:
                continue
        raise Refused("no key of the provider's has signed the token")

    def _known(self, document: Any) -> dict[str, Any]:
        if document["issuer"] != self.provider.issuer:
            raise Unavailable("the discovery document names another issuer")
        endpoints = {name: document[name] for name in ENDPOINTS}
        scheme = self.provider.issuer.partition("//")[0]  # no step down from https
        if not all(address.startswith(f"{scheme}//") for address in endpoints.values()):
            raise Unavailable("the discovery document names an address without https")
        ways = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = "client_secret_basic" in ways
        return {
            **endpoints,
            "token_endpoint_auth_method": "client_secret_basic" if basic else "client_secret_post",
            "names_itself": document.get("authorization_response_iss_parameter_supported") is True,
            "prompts": document.get("prompt_values_supported") or ["select_account"],
        }

    async def _prompt(self) -> str:
        prompts = (await self.load_server_metadata())["prompts"]
        return "select_account" if "select_account" in prompts else "login"


def claims_of(issuer: str, token: Mapping[str, Any]) -> Claims:
    """Of a token that was checked.  An address is verified if the provider says `true` (some send
    it as text); Microsoft says so in `xms_edov`: the owner of the domain has been verified."""
    subject, email = token["sub"], token.get("email")
    if not SUBJECT.fullmatch(subject):
        raise Refused("the subject is no 1 to 255 characters of ASCII")
    said = token.get("email_verified")
    verified = said is True or said == "true"
    if said is None and issuer.startswith(MICROSOFT):
        verified = token.get("xms_edov") in (True, "true", "1")
    if not isinstance(email, str) or not EMAIL.fullmatch(email):
        return Claims(issuer, subject)
    return Claims(issuer, subject, email, verified)


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: Authlib makes a new HTTP client for every request."""
    return httpx.create_ssl_context()


async def _bound(response: httpx.Response) -> None:
    """Nothing compressed, nothing large: a few bytes must not become the memory of the machine."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ValueError("the answer is compressed, which was not asked for")
    assert isinstance(response.stream, httpx.AsyncByteStream)
    response.stream = _Bounded(response.stream)


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self.stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self.stream:
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise ValueError("the answer is too large")
            yield chunk

    async def aclose(self) -> None:
        await self.stream.aclose()


def _reason(error: Exception) -> str:
    """For the log: no text of the other side's, which might hold a code or a token, but for one
    of the words by which OAuth names an error, such as invalid_client."""
    word = str(getattr(error, "error", ""))
    return type(error).__name__ + (f" {word}" if ERROR.fullmatch(word) else "")
