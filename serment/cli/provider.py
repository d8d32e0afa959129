"""`serment provider`: the identity providers by which people may come in, each registered by name.

Works on the installation as it stands, beside a server that runs. The client's secret is typed or read from a
file, kept sealed, and shown to nobody.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serment.cli import opening, secret
from serment.cli.account import people_of
from serment.cli.options import Directory, Json, PassphraseFile, argument, chosen, group, option
from serment.cli.output import Output
from serment.cli.speech import told

if TYPE_CHECKING:
    from serment.people.providers import Provider

Name = Annotated[str, argument("cli.argument-provider", "cli.value-name")]
Client = Annotated[str, option("cli.option-client", "cli.value-text", "--client")]
ClientFile = Annotated[
    Path | None, option("cli.option-client-file", "cli.value-file", "--client-secret-file")
]


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-provider"))
    commands.command("psc", help=told("cli.help-provider-psc"))(psc)
    commands.command("add", help=told("cli.help-provider-add"))(register)
    commands.command("list", help=told("cli.help-provider-list"))(list_)
    commands.command("remove", help=told("cli.help-provider-remove"))(remove)
    app.add_typer(commands, name="provider")


def psc(
    client: Client,
    client_secret_file: ClientFile = None,
    sandbox: Annotated[bool, option("cli.option-sandbox", "", "--sandbox")] = False,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Register Pro Santé Connect, as the ANS publishes it."""
    from serment.people.providers import pro_sante_connect

    place = "sandbox" if sandbox else "production"
    made = pro_sante_connect("psc", client, secret.client(client_secret_file), place)
    _registered(made, directory, passphrase_file, Output(json))


def register(
    name: Name,
    issuer: Annotated[str, argument("cli.argument-issuer", "cli.value-address")],
    kind: Annotated[str, option("cli.option-provider-kind", "cli.value-text", "--kind")],
    label: Annotated[str, option("cli.option-label", "cli.value-text", "--label")],
    client: Client,
    country: Annotated[str, option("cli.option-country", "cli.value-country", "--country")],
    acr: Annotated[list[str], option("cli.option-acr", "cli.value-text", "--acr")],
    algorithm: Annotated[
        list[str] | None, option("cli.option-algorithm", "cli.value-text", "--algorithm")
    ] = None,
    scope: Annotated[str, option("cli.option-scope", "cli.value-text", "--scope")] = "openid",
    discovery: Annotated[
        str, option("cli.option-discovery", "cli.value-text", "--discovery")
    ] = "openid-configuration",
    browser: Annotated[str, option("cli.option-browser", "cli.value-address", "--browser")] = "",
    basis: Annotated[str, option("cli.option-basis", "cli.value-text", "--basis")] = "",
    private: Annotated[bool, option("cli.option-private", "", "--private")] = False,
    client_secret_file: ClientFile = None,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Register another provider: of patients, or the site's own."""
    from serment.people.providers import Provider

    made = Provider(
        name,
        kind,
        label,
        issuer,
        client,
        secret.client(client_secret_file),
        country,
        tuple(acr),
        tuple(algorithm or ["RS256"]),
        scope,
        discovery,
        browser,
        basis,
        private,
    )
    _registered(made, directory, passphrase_file, Output(json))


def list_(directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False) -> None:
    """List the providers: who is called, in which country, by which client. No secret."""
    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        found = people.providers.all(asking)
        redirects = {one.name: people.arriving.redirect(one) for one in found}
    titles = ("name", "kind", "issuer", "country", "basis", "redirect")
    rows = [
        (one.name, one.kind, one.issuer, one.country, one.basis or "—", redirects[one.name]) for one in found
    ]
    out.table([told(f"cli.title-{title}") for title in titles], rows)
    if not found:
        out.say("cli.provider-none")
    out.result(providers=[_object(one, redirects[one.name]) for one in found])


def remove(
    name: Name, directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False
) -> None:
    """Take a provider away: nobody comes in by it any more."""
    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        people.providers.remove(asking, name)
    out.say("cli.provider-removed", name=name)
    out.result(name=name, removed=True)


def _registered(made: Provider, directory: Path | None, passphrase_file: Path | None, out: Output) -> None:
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        people.providers.register(asking, made)
        redirect = people.arriving.redirect(made)
    out.say("cli.provider-added", name=made.name)
    out.line(redirect)
    out.result(**_object(made, redirect))


def _object(one: Provider, redirect: str) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "label": one.label,
        "issuer": one.issuer,
        "browser": one.wallet or one.origin,
        "client": one.client,
        "country": one.country,
        "basis": one.basis,
        "acr": list(one.acr),
        "algorithms": list(one.algorithms),
        "redirect": redirect,
    }
