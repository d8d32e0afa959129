"""`serment address`: where notices of subscriptions may be sent, each with its country. Nowhere else.

Works on the installation as it stands, beside a server that runs. A secret is told once, when it is made.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from serment.cli import opening
from serment.cli.options import Directory, Json, PassphraseFile, argument, chosen, group, option
from serment.cli.output import Output, local_time
from serment.cli.speech import told

if TYPE_CHECKING:
    from serment.record.subscriptions.addresses import Standing

Name = Annotated[str, argument("cli.argument-address", "cli.value-name")]


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-address"))
    commands.command("add", help=told("cli.help-address-add"))(register)
    commands.command("list", help=told("cli.help-address-list"))(list_)
    commands.command("remove", help=told("cli.help-address-remove"))(remove)
    app.add_typer(commands, name="address")


def register(
    name: Name,
    url: Annotated[str, argument("cli.argument-url", "cli.value-address")],
    country: Annotated[str, option("cli.option-country", "cli.value-country", "--country")],
    basis: Annotated[str, option("cli.option-basis", "cli.value-text", "--basis")] = "",
    private: Annotated[bool, option("cli.option-private", "", "--private")] = False,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Register an address, and tell its secret once."""
    from serment.record.subscriptions import addresses

    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        secret = addresses.register(house.passage, name, url, country, basis=basis, private=private)
    out.say("cli.address-added", name=name)
    out.line(secret)
    out.result(name=name, url=url, country=country, secret=secret)


def list_(directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False) -> None:
    """List the addresses: country, legal basis, what waits and what was given up. No secret."""
    from serment.record.subscriptions import addresses

    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        found = addresses.listed(house.passage)
    titles = ("name", "url", "country", "basis", "since", "subscriptions", "waiting", "failed")
    out.table([told(f"cli.title-{title}") for title in titles], [_row(one) for one in found])
    if not found:
        out.say("cli.address-none")
    out.result(addresses=[asdict(one) for one in found])


def remove(
    name: Name, directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False
) -> None:
    """Take an address away."""
    from serment.record.subscriptions import addresses

    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        addresses.remove(house.passage, name)
    out.say("cli.address-removed", name=name)
    out.result(name=name, removed=True)


def _row(one: Standing) -> tuple[str, ...]:
    counts = (str(count) for count in (one.subscriptions, one.waiting, one.failed))
    return one.name, one.url, one.country, one.basis or "—", local_time(one.added), *counts
