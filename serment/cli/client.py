"""`serment client`: the programs that are let in, each with who answers for it (ADR 51).

A program is described in a TOML file, which two people may read before it counts; its public keys stand in a
JWK Set beside it. Works on the installation as it stands, beside a server that runs: what ends here is closed
there at the next request.
"""

from __future__ import annotations

import tomllib
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serment.cli import opening
from serment.cli.account import people_of
from serment.cli.options import Directory, Json, PassphraseFile, argument, chosen, group
from serment.cli.output import Output, local_time
from serment.cli.speech import told
from serment.errors import RequestError

if TYPE_CHECKING:
    from serment.people.clients import Client, Contract

Name = Annotated[str, argument("cli.argument-client", "cli.value-name")]
File = Annotated[Path, argument("cli.argument-client-file", "cli.value-file")]
Keys = Annotated[Path, argument("cli.argument-keys", "cli.value-file")]


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-client"))
    commands.command("add", help=told("cli.help-client-add"))(register)
    commands.command("list", help=told("cli.help-client-list"))(list_)
    commands.command("renew", help=told("cli.help-client-renew"))(renew)
    commands.command("rotate", help=told("cli.help-client-rotate"))(rotate)
    commands.command("end", help=told("cli.help-client-end"))(end)
    app.add_typer(commands, name="client")


def register(
    file: File, directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False
) -> None:
    """Let a program in, as a file describes it."""
    out, described = Output(json), _client(file)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        made = people.programs.clients.add(asking, described)
    out.say("cli.client-added", name=made.id)
    out.result(**_object(made))


def list_(directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False) -> None:
    """List the programs: who answers for each, where, until when."""
    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        found = list(people.programs.clients.all(asking))
    titles = ("name", "kind", "processor", "country", "until", "ended")
    out.table([told(f"cli.title-{title}") for title in titles], [_row(one) for one in found])
    if not found:
        out.say("cli.client-none")
    out.result(clients=[_object(one) for one in found])


def renew(
    name: Name,
    file: File,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Write a new entry of who answers for a program, as a file describes it."""
    out, processor = Output(json), _client(file).processor
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        after = people.programs.clients.renew(asking, name, processor)
    out.say("cli.client-renewed", name=name)
    out.result(**_object(after))


def rotate(
    name: Name,
    keys: Keys,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Put other public keys in the place of a program's; what it was let do ends at once."""
    from serment.people.clients import keys_of

    out, fresh = Output(json), keys_of(_json(keys))
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        after = people.programs.clients.rotate(asking, name, fresh)
    out.say("cli.client-rotated", name=name)
    out.result(**_object(after))


def end(
    name: Name, directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False
) -> None:
    """Let a program in no more: all that it was let do ends at once."""
    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        after = people.programs.clients.end(asking, name)
    out.say("cli.client-ended", name=name)
    out.result(**_object(after))


def _client(file: Path) -> Client:
    """Read the description of a program. Raises `RequestError`: no such file, or not what it should say."""
    import msgspec

    from serment.people.clients import Client, keys_of

    try:
        said: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
        keys = said.pop("keys", "")
        said["processor"] = {name: _instant(one) for name, one in said["processor"].items()}
        described = msgspec.convert({**said, "keys": []}, Client)
        processor = _dated(described.processor)
    except OSError as error:
        raise RequestError("cli.not-a-client", why=error.strerror or "") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise RequestError("cli.not-a-client", why=str(error)) from None
    except (KeyError, AttributeError, TypeError):
        raise RequestError("cli.not-a-client", why="[processor]") from None
    public = keys_of(_json(file.parent / keys)) if keys else ()
    return msgspec.structs.replace(described, keys=public, processor=processor, made=0, ended=None)


def _dated(processor: Contract) -> Contract:
    """Let an entry last until the end of its last day."""
    import msgspec

    return msgspec.structs.replace(processor, until=processor.until + 24 * 3600 * 1000)


def _instant(one: object) -> object:
    """Give a day as its first moment here, in ms; leave anything else."""
    if not isinstance(one, date):
        return one
    return int(datetime.combine(one, time()).astimezone().timestamp() * 1000)


def _json(file: Path) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        raise RequestError("oauth.client-keys") from None


def _row(one: Client) -> tuple[str, ...]:
    who = one.processor
    ended = local_time(one.ended) if one.ended is not None else "—"
    return one.id, one.kind, who.name, who.country, local_time(who.until)[:10], ended


def _object(one: Client) -> dict[str, object]:
    import msgspec

    found: dict[str, object] = msgspec.to_builtins(one)
    return found
