"""`serment account`: who signs in. Enrolling people, giving and ending their exercises, leaving.

Works on the installation as it stands, beside a server that runs: whoever leaves is out at the next request.
A person has one account; what they may do is decided by the exercise that they choose at sign-in.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serment.cli import opening
from serment.cli.options import Directory, Json, PassphraseFile, Port, argument, chosen, group, option
from serment.cli.output import Output, local_time
from serment.cli.speech import told
from serment.errors import RequestError

if TYPE_CHECKING:
    from serment.identity.directory import Directory as PublicDirectory
    from serment.model import Instant
    from serment.people.accounts import Account, Exercise
    from serment.people.people import People
    from serment.record.asking import Asking
    from serment.record.house import House

Who = Annotated[str, argument("cli.argument-login", "cli.value-login")]
Rpps = Annotated[str, option("cli.option-rpps", "cli.value-rpps", "--rpps")]
Function = Annotated[str, option("cli.option-function", "cli.value-function", "--function")]
Profession = Annotated[str, option("cli.option-profession", "cli.value-profession", "--profession")]
Structure = Annotated[str, option("cli.option-workplace", "cli.value-structure", "--structure")]
Supervisor = Annotated[str, option("cli.option-supervisor", "cli.value-rpps", "--supervisor")]
Replaces = Annotated[str, option("cli.option-replaces", "cli.value-rpps", "--replaces")]
Patient = Annotated[str, option("cli.option-patient", "cli.value-id", "--patient")]
From = Annotated[str, option("cli.option-from", "cli.value-day", "--from")]
Until = Annotated[str, option("cli.option-until", "cli.value-day", "--until")]
Regulation = Annotated[bool, option("cli.option-regulation", "", "--regulation")]

OFFICERS = frozenset({"security-officer", "dpo", "auditor"})
OTHERS = {"operator": "operator", "researcher": "researcher"}


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-account"))
    commands.command("add", help=told("cli.help-account-add"))(enrol)
    commands.command("exercise", help=told("cli.help-account-exercise"))(exercise)
    commands.command("end", help=told("cli.help-account-end"))(end)
    commands.command("leave", help=told("cli.help-account-leave"))(leave)
    commands.command("sign-out", help=told("cli.help-account-sign-out"))(sign_out)
    commands.command("invite", help=told("cli.help-account-invite"))(invite)
    commands.command("list", help=told("cli.help-account-list"))(list_)
    commands.command("directory", help=told("cli.help-account-directory"))(directory_)
    app.add_typer(commands, name="account")


def enrol(
    login: Who,
    name: Annotated[str, option("cli.option-full-name", "cli.value-text", "--name")],
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Make the account of one person; exercises come next."""
    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        account = people.staff.enrol(asking, name, login, [])
    out.say("cli.account-added", login=login)
    out.say("cli.account-next", login=login)
    _result(out, account)


def exercise(
    login: Who,
    function: Function = "none",
    profession: Profession = "",
    structure: Structure = "",
    rpps: Rpps = "",
    supervisor: Supervisor = "",
    replaces: Replaces = "",
    from_: From = "",
    until: Until = "",
    regulation: Regulation = False,
    patient: Patient = "",
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Give a person an exercise: they choose one at sign-in."""
    from serment.people.accounts import Exercise

    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        account = people.staff.find(asking, login)
        kind, actor = _kind(login, _known(function, rpps, patient), rpps, patient)
        given = Exercise(
            "",
            actor,
            kind,
            function,
            profession,
            structure=structure,
            label=structure,
            patient=patient or None,
            regulation=regulation,
            supervisor=f"rpps:{supervisor}" if supervisor else None,
            replaces=f"rpps:{replaces}" if replaces else None,
            start=_instant(from_) or 0,
            end=_instant(until),
        )
        after = people.staff.give(asking, account.id, given)
    out.say("cli.account-exercise", login=login)
    _result(out, after)


def end(
    login: Who,
    which: Annotated[str, argument("cli.argument-exercise", "cli.value-id")],
    on: Annotated[str, option("cli.option-on", "cli.value-day", "--on")] = "",
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """End one exercise of a person, now or on a day."""
    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        account = people.staff.find(asking, login)
        after = people.staff.end(asking, account.id, which, _instant(on) or asking.now)
    out.say("cli.account-ended", login=login)
    _result(out, after)


def leave(
    login: Who,
    on: Annotated[str, option("cli.option-on", "cli.value-day", "--on")] = "",
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Say that a person leaves, now or on a day: their sessions and tokens end with it."""
    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        account = people.staff.find(asking, login)
        after = people.staff.leave(asking, account.id, _instant(on) or asking.now)
    out.say("cli.account-left", login=login)
    _result(out, after)


def sign_out(
    login: Who = "",
    everybody: Annotated[bool, option("cli.option-everybody", "", "--everybody")] = False,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """End the sessions of a person, or of everybody, with what their programs were let do."""
    if bool(login) == everybody:
        raise RequestError("cli.account-whose")
    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        found = people.accounts.all(asking) if everybody else [people.staff.find(asking, login)]
        logins = sorted(_signed_out(people, asking, one) for one in found)
    out.say("cli.account-signed-out", count=len(logins))
    out.result(logins=logins)


def invite(
    login: Who,
    port: Port = None,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Make the link by which a person begins to sign in, or begins again: good once, for a day."""
    out = Output(json)
    settings = chosen(directory, port)
    with opening.house(settings, passphrase_file) as house:
        people, asking = people_of(house)
        account = people.staff.find(asking, login)
        link = f"{settings.base}/join/{people.entering.inviting.invite(asking, account.id)}"
    out.say("cli.account-invited", login=login, link=link)
    if not account.exercises:
        out.say("cli.account-next", login=login)
    out.result(login=account.login, link=link)


def list_(directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False) -> None:
    """List the accounts with their exercises. No secret."""
    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        found = sorted(people.accounts.all(asking), key=lambda one: one.login)
    titles = ("login", "name", "exercise", "function", "structure", "from", "until", "left")
    rows = [_row(account, one) for account in found for one in account.exercises or (None,)]
    out.table([told(f"cli.title-{title}") for title in titles], rows)
    if not found:
        out.say("cli.account-none")
    out.result(accounts=[_object(one) for one in found])


def directory_(
    file: Annotated[Path, argument("cli.argument-annuaire", "cli.value-file")],
    structures: Annotated[list[str], option("cli.option-finess", "cli.value-finess", "--finess")],
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Hold the accounts against the public directory: who is new, who has left. Changes nothing."""
    from serment.people.directory import compare

    out, listed = Output(json), _directory(file)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        accounts = list(people.accounts.all(asking))
    today = datetime.now().astimezone().date()
    found = compare(listed.people, accounts, frozenset(structures), today, asking.now)
    titles = ("rpps", "name", "profession", "finding")
    rows = [(one.rpps, one.name, one.profession, told(f"cli.directory-{one.finding}")) for one in found]
    out.table([told(f"cli.title-{title}") for title in titles], rows)
    if listed.unread:
        out.say("cli.directory-unread", count=listed.unread)
    out.result(unread=listed.unread, found=[asdict(one) for one in found])


def _directory(file: Path) -> PublicDirectory:
    """Read a bundle of the public directory. Raises `RequestError` for what is none."""
    import msgspec

    from serment.identity.directory import read

    try:
        said = msgspec.json.decode(file.read_bytes())
        entries = said["entry"] if isinstance(said, dict) else said
        return read([one.get("resource", one) for one in entries])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        raise RequestError("cli.not-a-directory") from None


def people_of(house: House) -> tuple[People, Asking]:
    """Give the people of the house, asked by its own keeper: whoever holds the machine and opened custody."""
    from serment.model import Purpose, RequestId
    from serment.people.people import People
    from serment.record.asking import Asking
    from serment.record.today import KEEPER
    from serment.record.writing import new_id

    now = house.passage.clock()
    return People.of(house), Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)


def _signed_out(people: People, asking: Asking, account: Account) -> str:
    people.entering.own.end_all(asking, account)
    return account.login


def _known(function: str, rpps: str, patient: str) -> str:
    """Give a function that goes with this kind of person. Raises `RequestError` with those that there are."""
    from serment.model import Function
    from serment.people.exercises import CARE, OFFICE

    other = OFFICE if rpps else CARE
    if not patient and (function == Function.NONE or function in other or function not in list(Function)):
        care, office = (", ".join(one for one in Function if one in some) for some in (CARE, OFFICE))
        raise RequestError("cli.account-functions", care=care, office=office)
    return function


def _kind(login: str, function: str, rpps: str, patient: str) -> tuple[str, str]:
    """Say what somebody is towards a record, and how records name them."""
    if rpps:
        return "professional", f"rpps:{rpps}"
    if patient:
        return "patient", f"patient:{patient}"
    kind = "officer" if function in OFFICERS else OTHERS.get(function, "staff")
    return kind, f"staff:{login.strip().casefold()}"


def _instant(day: str) -> Instant | None:
    """Read a day as its first moment here. Raises `RequestError`."""
    from serment.model import Instant

    if not day:
        return None
    try:
        begins = datetime.combine(date.fromisoformat(day), time()).astimezone()
    except ValueError:
        raise RequestError("cli.not-a-day") from None
    return Instant(int(begins.timestamp() * 1000))


def _row(account: Account, one: Exercise | None) -> tuple[str, ...]:
    """Write one exercise of an account, or an account that has none yet."""
    what = (one.id, one.function, one.structure or "—") if one else ("—", "—", "—")
    instants = (one.start if one else None, one.end if one else None, account.left)
    return account.login, account.name, *what, *(local_time(at) if at else "—" for at in instants)


def _result(out: Output, account: Account) -> None:
    out.result(**_object(account))


def _object(account: Account) -> dict[str, object]:
    import msgspec

    exercises = [msgspec.to_builtins(one) for one in account.exercises]
    return {"login": account.login, "name": account.name, "left": account.left, "exercises": exercises}
