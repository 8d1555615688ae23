"""The pages that need no session and no JavaScript: sign-in, one-time link, a short error.

Pure: values in, HTML out.  All text of others is escaped; the style stands in assets/sign_in.css.
"""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qsl, quote, urlencode

from dashboard.words import LANGUAGES, N_, _, language
from data.brand import Brand, as_text
from data.demo.people import DemoPerson
from data.identity import Role
from data.settings import OidcProvider

STYLE = (Path(__file__).parent / "assets" / "sign_in.css").read_text(encoding="utf-8")
STAFF_LINES = {
    Role.SUPPORT: N_("Support: sees what customers see"),
    Role.BILLING_MANAGER: N_("Billing manager: also sees cost and margin"),
    Role.DEVELOPER: N_("Developer"),
    Role.ADMINISTRATOR: N_("Administrator"),
}


def worded(sentence: str, **parts: str) -> str:
    """A sentence as HTML; the parts are HTML already."""
    return escape(sentence).format(**parts)


def style(brand: Brand, font: str) -> str:
    """The style sheet in the brand's colours; `font` is the path of the app's own typeface."""
    face = f"@font-face{{font-family:App;font-weight:200 900;src:url({font}) format('woff2')}}"
    light, dark = brand.accent.light, brand.accent.dark
    return (
        f"{face if font else ''}:root{{--accent:{light};--accent-text:{as_text(light, 'light')};"
        f"--dark-accent:{dark};--dark-accent-text:{as_text(dark, 'dark')}}}{STYLE}"
    )


def demo_page(
    brand: Brand,
    people: Iterable[DemoPerson],
    next_path: str,
    providers: Mapping[str, OidcProvider] = MappingProxyType({}),
) -> str:
    """A list of demo people; one click enters as one of them.  Providers, if set, stand below."""
    everyone, ours = tuple(people), escape(brand.name)
    invented = _(
        "These customers are invented and nothing here is real. Choose whose dashboard to open."
    )
    customers = "".join(_entry(p, p.plan) for p in everyone if p.member.customer)
    staff = "".join(
        _entry(p, _(STAFF_LINES.get(p.member.role, p.member.role.capitalize())))
        for p in everyone
        if not p.member.customer
    )
    if not everyone:
        return document(
            brand,
            _("The demo is empty"),
            f"<p>{worded(_('Set it up first: {command}.'), command='<code>make run</code>')}</p>",
        )
    return document(
        brand,
        _("Sign in to {product}").format(product=brand.product),
        f"""<p class="notice"><strong>{escape(_("Demo data."))}</strong> {escape(invented)}</p>
<form method="post" action="/auth/demo">
<input type="hidden" name="next" value="{escape(next_path)}">
<h2>{worded(_("Customers of {name}"), name=ours)}</h2>
<ul class="people">{customers}</ul>
<h2>{worded(_("Staff of {name}"), name=ours)}</h2>
<ul class="people">{staff}</ul>
</form>
<div class="providers">{_provider_buttons(providers, next_path)}</div>
{_other_languages(next_path)}""",
        wide=True,
    )


def closed_page(
    brand: Brand,
    providers: Mapping[str, OidcProvider] = MappingProxyType({}),
    next_path: str = "/",
) -> str:
    """Outside the demo nobody is listed: a button for each provider, and links of one's own."""
    buttons = _provider_buttons(providers, next_path)
    ask, support = escape(_("Ask for a link")), escape(brand.support)
    alone = _(
        "You sign in with a personal link, which works once. "
        "If you have one, open it in this browser."
    )
    beside = _("If you were given a personal link, open it in this browser: it works once.")
    by_link = f"""{escape(alone)}</p>
<p><a class="button" href="{support}">{ask}</a></p>"""
    if buttons:
        by_link = f"""{escape(beside)} <a href="{support}">{ask}</a></p>"""
    body = f"<p>{by_link}"
    if buttons:
        body = f"""<div class="providers">{buttons}</div>
<p class="or">{escape(_("or"))}</p><p class="quiet">{by_link}"""
    return document(
        brand,
        _("Sign in to {product}").format(product=brand.product),
        f"{body}\n{_other_languages(next_path)}",
    )


def unknown_page(brand: Brand, name: str, provider: OidcProvider, email: str) -> str:
    """For whom a provider has vouched and we do not know: the same for all of them."""
    label = escape(label_of(name, provider))
    ours = escape(brand.name)
    first = _("You signed in through {provider} as {account}, and {name} has no dashboard for it.")
    then = _(
        "Do you have another account? Use that one. If you should have a dashboard here, "
        "ask {name} to add this account."
    )
    account = f"<strong>{escape(email)}</strong>" if email else _("this account")
    ask = worded(_("Ask {name}"), name=ours)
    return document(
        brand,
        _("No dashboard for this account"),
        f"""<p>{worded(first, provider=label, account=account, name=ours)}</p>
<p>{worded(then, name=ours)}</p>
<p class="choices">
<a class="button" href="/auth/oidc/{escape(name)}?another">{escape(_("Use another account"))}</a>
<a class="button plain" href="{escape(brand.support)}">{ask}</a></p>""",
    )


def label_of(name: str, provider: OidcProvider) -> str:
    return provider.label or name


def sign_in_path(next_path: str) -> str:
    return "/sign-in" if next_path == "/" else f"/sign-in?next={quote(next_path)}"


def _other_languages(next_path: str) -> str:
    """Each in its own name; what is opened after it speaks that language too."""
    path, _query, query = next_path.partition("?")
    links = []
    for code, name in LANGUAGES.items():
        if code != language():
            after = f"{path}?{urlencode({**dict(parse_qsl(query)), 'lang': code})}"
            href = escape(f"/sign-in?{urlencode({'lang': code, 'next': after})}")
            links.append(f'<a href="{href}" lang="{code}" hreflang="{code}">{escape(name)}</a>')
    return f'<p class="languages">{" · ".join(links)}</p>' if links else ""


def link_page(brand: Brand, token: str) -> str:
    """Mail scanners open links ahead of people, so that only the button uses one up."""
    return document(
        brand,
        _("Sign in to {product}").format(product=brand.product),
        f"""<p>{escape(_("Your link is ready. It works once, in this browser."))}</p>
<form method="post" action="/auth/link">
<input type="hidden" name="token" value="{escape(token)}">
<button class="button">{escape(_("Sign in"))}</button>
</form>""",
    )


def message_page(
    brand: Brand,
    title: str,
    message: str,
    *,
    path: str = "/",
    button: str = N_("Go to the dashboard"),
) -> str:
    return document(
        brand,
        title,
        f"<p>{escape(message)}</p>"
        f'<p><a class="button" href="{escape(path)}">{escape(_(button))}</a></p>',
    )


def document(brand: Brand, title: str, body: str, *, wide: bool = False) -> str:
    contact = worded(_("Contact {name}"), name=escape(brand.name))
    return f"""<!doctype html>
<html lang="{language()}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{escape(title)} · {escape(brand.name)}</title>
<link rel="icon" href="/brand/logo.svg">
<link rel="stylesheet" href="/brand/style.css">
</head>
<body>
<main class="{"wide" if wide else "narrow"}">
<header><img src="/brand/logo.svg" alt="" width="44" height="44">
<span>{escape(brand.name)}</span></header>
<h1>{escape(title)}</h1>
{body}
</main>
<footer><a href="{escape(brand.support)}">{contact}</a></footer>
</body>
</html>
"""


def _provider_buttons(providers: Mapping[str, OidcProvider], next_path: str) -> str:
    return "".join(_provider_button(name, one, next_path) for name, one in providers.items())


def _provider_button(name: str, provider: OidcProvider, next_path: str) -> str:
    query = "" if next_path == "/" else f"?next={quote(next_path)}"
    label = label_of(name, provider)
    words = worded(_("Continue with {provider}"), provider=escape(label))
    return (
        f'<a href="/auth/oidc/{escape(name)}{escape(query)}">'
        f'<span class="initials" aria-hidden="true">{escape(_initials(label))}</span>'
        f"<span>{words}</span></a>"
    )


def _entry(person: DemoPerson, line: str) -> str:
    name = escape(person.member.name)
    return (
        f'<li><button name="member" value="{person.member.membership_id}">'
        f'<span class="initials" aria-hidden="true">{escape(_initials(person.member.name))}</span>'
        f'<span class="who"><b>{name}</b><small>{escape(line)}</small></span></button></li>'
    )


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()
