"""The command line as people use it: made, served locked, unlocked, tried, verified; and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from tests.doors.programs import ASSERTION, assertion, proof
from tests.journeys.terminal import PASSPHRASE, Terminal, made


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return made(tmp_path_factory.mktemp("demo"), "--demo")


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return made(tmp_path_factory.mktemp("production"))


def ready(base: str) -> bool:
    """Ask until the server says that it is ready, within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if httpx.get(f"{base}/readyz").status_code == 200:
            return True
    return False


def by_number(base: str) -> str:
    """Give the address without the name: a test machine may not resolve localhost to IPv4 first."""
    return base.replace("localhost", "127.0.0.1")


# Making.


def test_init_says_what_was_made_and_what_comes_next(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    said = terminal.run("init", "--passphrase-file", terminal.secret())
    assert said.code == 0
    assert str(terminal.directory) in said.out
    assert "serment unlock" in said.out
    assert "add-slot" in said.out
    assert said.err == ""


def test_init_speaks_the_language_of_the_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "fr_FR.UTF-8")
    assert "Installation de production" in terminal.run("init", "--passphrase-file", terminal.secret()).out


def test_init_refuses_a_second_installation_and_changes_nothing(demo: Terminal) -> None:
    kept = {path: path.read_bytes() for path in demo.directory.rglob("*sqlite") if path.is_file()}
    said = demo.call("init", "--passphrase-file", demo.secret(), "--json")
    assert said.code == 2
    assert said.object["error"] == "custody.already-made"
    assert {path: path.read_bytes() for path in kept} == kept


def test_a_weak_passphrase_leaves_nothing_behind(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    assert terminal.call("init", "--passphrase-file", terminal.secret("azerty")).code == 2
    assert not terminal.directory.exists()
    assert terminal.call("init", "--passphrase-file", terminal.secret()).code == 0


def test_a_passphrase_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    path = Path(terminal.secret())
    path.chmod(0o644)
    said = terminal.call("init", "--passphrase-file", str(path), "--json")
    assert (said.code, said.object["error"]) == (2, "cli.secret-open")


def test_a_typed_passphrase_is_asked_twice_and_never_shown(tmp_path: Path) -> None:
    said = Terminal(tmp_path).typing("init", "--demo", answers=[PASSPHRASE, PASSPHRASE])
    assert said.code == 0
    assert PASSPHRASE not in said.out


def test_two_passphrases_that_differ_make_nothing(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    said = terminal.typing("init", answers=[PASSPHRASE, f"{PASSPHRASE}s"])
    assert said.code == 2
    assert not terminal.directory.exists()


def test_no_file_of_an_installation_is_readable_by_others(demo: Terminal) -> None:
    open_ = [path for path in (demo.directory, *demo.directory.rglob("*")) if path.stat().st_mode & 0o077]
    assert open_ == []


# Opening.


@pytest.mark.parametrize("command", [["ledger", "verify"], ["ledger", "status"], ["token", "--as", "nurse"]])
def test_a_wrong_passphrase_opens_nothing(demo: Terminal, command: list[str]) -> None:
    said = demo.call(
        *command, "--passphrase-file", demo.secret("une autre phrase entière", "wrong"), "--json"
    )
    assert (said.code, said.object["error"]) == (3, "custody.wrong-passphrase")


def test_without_a_terminal_nobody_is_asked(demo: Terminal) -> None:
    said = demo.run("ledger", "status", "--json", typed="")
    assert (said.code, said.object["error"]) == (2, "cli.nobody-to-ask")


def test_the_passphrase_may_come_by_a_pipe(demo: Terminal) -> None:
    assert demo.run("ledger", "status", "--passphrase-file", "-", typed=f"{PASSPHRASE}\n").code == 0


def test_the_ledger_verifies_with_the_keys_and_without(demo: Terminal) -> None:
    whole = demo.run("ledger", "verify", "--json", "--passphrase-file", demo.secret()).object
    rows = demo.run("ledger", "verify", "--locked", "--json").object
    assert (whole["ok"], whole["unlocked"]) == (True, True)
    assert (rows["ok"], rows["unlocked"], rows["opened"]) == (True, False, 0)
    assert whole["opened"] == whole["size"]


def test_a_second_passphrase_opens_and_can_be_taken_away(tmp_path: Path) -> None:
    terminal = made(tmp_path, "--demo")
    first, second = terminal.secret(), terminal.secret("coffre vide sous la pendule", "second")
    added = terminal.call(
        "keys", "add-slot", "coffre", "--passphrase-file", first, "--new-passphrase-file", second
    )
    assert added.code == 0
    assert terminal.call("ledger", "status", "--passphrase-file", second).code == 0
    assert len(terminal.call("keys", "slots", "--json").object["slots"]) == 2
    assert terminal.call("keys", "remove-slot", "1", "--passphrase-file", second).code == 0
    assert terminal.call("ledger", "status", "--passphrase-file", first).code == 3
    last = terminal.call("keys", "remove-slot", "2", "--passphrase-file", second, "--json")
    assert (last.code, last.object["error"]) == (2, "custody.last-slot")


def test_the_store_of_another_installation_stays_closed(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = made(tmp_path / "one", "--demo"), made(tmp_path / "two", "--demo")
    for file in two.directory.glob("record.sqlite*"):
        shutil.copy(file, one.directory / file.name)
    said = one.call("ledger", "verify", "--json", "--passphrase-file", one.secret())
    assert (said.code, said.object["error"]) == (4, "custody.other-installation")
    assert one.call("doctor", "--json", "--port", "0").code == 4


def test_a_database_put_back_to_an_earlier_day_stays_closed(tmp_path: Path) -> None:
    terminal = made(tmp_path, "--demo")
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    for file in terminal.directory.glob("record.sqlite*"):
        shutil.copy(file, earlier / file.name)
    key = terminal.secret()
    for _ in range(2):
        assert terminal.call("ledger", "checkpoint", "--passphrase-file", key).code == 0
        assert terminal.call("quarantine", "list", "--passphrase-file", key).code == 0
    assert terminal.call("ledger", "checkpoint", "--passphrase-file", key).code == 0
    for file in terminal.directory.glob("record.sqlite*"):
        file.unlink()
    for file in earlier.glob("record.sqlite*"):
        shutil.copy(file, terminal.directory / file.name)
    said = terminal.call("ledger", "status", "--json", "--passphrase-file", key)
    assert said.code == 4


def test_what_cannot_be_filed_is_counted_listed_and_never_shown(demo: Terminal) -> None:
    file = demo.home / "received.json"
    file.write_text('{"resourceType": "Bundle", "patient": "Valmaud"', "utf-8")
    key = ["--passphrase-file", demo.secret()]
    report = demo.call("import", str(file), "--source", "received", *key, "--json").object
    assert (report["received"], report["stored"], report["quarantined"]) == (1, 0, 1)
    listed = demo.call("quarantine", "list", *key, "--json")
    assert "Valmaud" not in listed.out
    name = listed.object["quarantine"][0]["name"]
    shown = demo.call("quarantine", "show", name, *key)
    assert shown.code == 0
    assert "Valmaud" not in shown.out
    assert demo.call("quarantine", "retry", *key, "--json").object["filed"] == 0
    assert demo.call("quarantine", "show", "nothing", *key).code == 2


def test_a_provider_is_registered_by_name_and_its_secret_never_shown(demo: Terminal) -> None:
    key = ["--passphrase-file", demo.secret()]
    client = demo.secret("the secret of the client", "client")
    to = ["--client", "serment", "--client-secret-file", client]
    made = demo.call("provider", "psc", *to, "--sandbox", *key, "--json")
    assert made.object["redirect"].endswith("/openid/psc/return")
    assert made.object["issuer"].startswith("https://auth.bas.psc.esante.gouv.fr/")
    assert demo.call("provider", "psc", *to, *key).code == 2
    site = ["--kind", "site", "--label", "Site", "--country", "FR", "--acr", "mfa"]
    outside = demo.call("provider", "add", "site", "http://sso.example", *site, *to, *key, "--json")
    assert (outside.code, outside.object["error"]) == (2, "subscribing.address-https")
    assert demo.call("provider", "add", "site", "https://sso.example", *site, *to, *key).code == 0
    listed = demo.call("provider", "list", *key, "--json")
    assert [one["name"] for one in listed.object["providers"]] == ["psc", "site"]
    shown = demo.call("provider", "list", *key)
    assert "the secret of the client" not in made.out + listed.out + shown.out
    assert demo.call("provider", "remove", "psc", *key).code == 0
    assert demo.call("provider", "remove", "psc", *key).code == 2


def test_an_address_is_registered_listed_with_its_country_and_taken_away(demo: Terminal) -> None:
    key = ["--passphrase-file", demo.secret()]
    url = "https://hub.example.org/serment"
    made = demo.call("address", "add", "hub", url, "--country", "FR", *key, "--json")
    secret = made.object["secret"]
    assert demo.call("address", "add", "hub", url, "--country", "FR", *key).code == 2
    refused = demo.call("address", "add", "far", "https://far.example", "--country", "US", *key)
    assert refused.code == 2
    listed = demo.call("address", "list", *key, "--json")
    assert [(one["name"], one["country"]) for one in listed.object["addresses"]] == [("hub", "FR")]
    shown = demo.call("address", "list", *key)
    assert url in shown.out
    assert secret not in listed.out + shown.out
    assert demo.call("address", "remove", "hub", *key).code == 0
    assert demo.call("address", "remove", "hub", *key).code == 2


def test_an_import_on_production_says_for_which_structure(production: Terminal) -> None:
    file = production.home / "received.json"
    file.write_text("{}", "utf-8")
    said = production.call("import", str(file), "--passphrase-file", production.secret(), "--json")
    assert (said.code, said.object["error"]) == (2, "cli.say-structure")


def test_nothing_to_import_is_said(demo: Terminal) -> None:
    said = demo.call("import", str(demo.home / "none"), "--passphrase-file", demo.secret(), "--json")
    assert (said.code, said.object["error"]) == (2, "cli.nothing-there")


def test_a_key_file_that_is_damaged_is_said_to_be(tmp_path: Path) -> None:
    terminal = made(tmp_path, "--demo")
    (terminal.directory / "custody" / "keys.sqlite").write_bytes(b"not a key file at all" * 400)
    said = terminal.call("ledger", "status", "--passphrase-file", terminal.secret(), "--json")
    assert (said.code, said.object["error"]) == (4, "custody.file-broken")


# Production.


@pytest.mark.capability("0-09", "refuses")
@pytest.mark.parametrize(
    "command",
    [
        ["token", "--as", "team-doctor"],
        ["record", "show", "somebody", "--as", "team-doctor"],
        ["record", "show", "somebody"],
        ["record", "history", "Observation/1", "--as", "team-doctor"],
        ["record", "trace", "somebody", "--as", "patient:somebody"],
        ["record", "consent", "mask", "somebody", "Observation/1", "--as", "patient:somebody"],
        ["record", "consent", "list", "somebody", "--as", "patient:somebody"],
        ["record", "attending", "somebody", "10000000000", "--as", "patient:somebody"],
        ["access", "explain", "Observation/1", "--as", "team-doctor"],
    ],
)
def test_whoever_holds_the_machine_reads_no_record_of_production(
    production: Terminal, command: list[str]
) -> None:
    said = production.call(*command, "--passphrase-file", production.secret(), "--json")
    assert said.code == 3


def test_production_is_unlocked_by_somebody_and_never_at_its_start(production: Terminal) -> None:
    said = production.call("serve", "--port", "0", "--passphrase-file", production.secret(), "--json")
    assert (said.code, said.object["error"]) == (3, "cli.unlock-by-hand")


def test_production_starts_locked_opens_and_locks_again(production: Terminal) -> None:
    key = production.secret()
    with production.running("serve", "--port", "0") as server:
        base = by_number(server["base"])
        assert server["locked"] is True
        assert httpx.get(f"{base}/livez").status_code == 200
        assert httpx.get(f"{base}/readyz").status_code == 503
        assert httpx.get(f"{base}/fhir/Patient/1").status_code == 503
        assert httpx.get(f"{base}/").status_code == 503
        assert production.run("ledger", "status", "--json", "--passphrase-file", key).code == 6
        wrong = production.secret("une autre phrase entière", "wrong")
        assert production.run("unlock", "--passphrase-file", wrong).code == 3
        assert production.run("unlock", "--passphrase-file", key).code == 0
        assert ready(base)
        assert production.run("ledger", "verify", "--json").object["ok"]
        assert production.run("keys", "status", "--json").object["wrong_passphrases"] == 1
        assert production.run("keys", "lock").code == 0
        end = time.monotonic() + 10
        while httpx.get(f"{base}/readyz").status_code == 200 and time.monotonic() < end:
            continue
        assert httpx.get(f"{base}/readyz").status_code == 503


def test_production_is_unlocked_on_its_page(production: Terminal) -> None:
    with production.running("serve", "--port", "0") as server:
        base = by_number(server["base"])
        ours = {"sec-fetch-site": "same-origin"}
        assert "/unlock" in httpx.get(f"{base}/").text
        assert httpx.get(f"{base}/unlock").status_code == 200
        wrong = httpx.post(f"{base}/unlock", data={"passphrase": "une autre phrase entière"}, headers=ours)
        assert wrong.status_code == 403
        assert httpx.get(f"{base}/readyz").status_code == 503
        right = httpx.post(f"{base}/unlock", data={"passphrase": PASSPHRASE}, headers=ours)
        assert right.headers["location"] == "/unlocked"
        assert httpx.get(f"{base}/readyz").status_code == 200
        assert production.run("keys", "status", "--json").object["wrong_passphrases"] == 1


def test_unlocking_where_no_server_runs_says_what_to_do(production: Terminal) -> None:
    said = production.call("unlock", "--json", "--passphrase-file", production.secret())
    assert (said.code, said.object["error"]) == (6, "cli.no-server")


# Trying the demonstration.


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Terminal, dict[str, dict[str, str]]]]:
    terminal = Terminal(tmp_path_factory.mktemp("shown"))
    with terminal.running("demo", "--patients", "10", "--port", "0") as said:
        yield (
            Terminal(terminal.home),
            {**said, "at": {"-d": said["directory"], "base": by_number(said["base"])}},
        )


def test_a_token_of_the_demonstration_reads_through_the_http_door(
    shown: tuple[Terminal, dict[str, dict[str, str]]],
) -> None:
    terminal, said = shown
    at, patient = said["at"], said["patients"]["patient"]
    token = terminal.run("token", "--as", "team-doctor", "-d", at["-d"]).out.strip()
    answer = httpx.get(f"{at['base']}/fhir/Patient/{patient}", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.json()["id"] == patient


def test_a_link_works_once(shown: tuple[Terminal, dict[str, dict[str, str]]]) -> None:
    terminal, said = shown
    link = by_number(terminal.call("token", "--as", "officer", "--once", "-d", said["at"]["-d"]).out.strip())
    path = link.partition("/enter/")[2]
    base = said["at"]["base"]
    assert httpx.get(f"{base}/enter/{path}").status_code == 303
    assert httpx.get(f"{base}/enter/{path}").status_code == 401


@pytest.mark.capability("4-04", "refuses")
def test_what_the_patient_masks_from_a_terminal_is_gone_for_the_doctor_through_both_doors(
    shown: tuple[Terminal, dict[str, dict[str, str]]],
) -> None:
    terminal, said = shown
    at, patient = said["at"], said["patients"]["patient"]
    where = ["-d", at["-d"]]
    token = terminal.call("token", "--as", "team-doctor", *where).out.strip()
    key = terminal.secret(token, "token")
    there = ["--url", at["base"], "--token-file", key]
    items = terminal.call("record", "show", patient, "--as", "team-doctor", *where, "--json").object["items"]
    item = next(one["reference"] for one in items if one["reference"].startswith("Observation"))
    assert terminal.call("record", "history", item, *there).code == 0

    me = ["--as", f"patient:{patient}", *where]
    assert terminal.call("record", "consent", "mask", patient, item, *me).code == 0
    assert terminal.call("record", "history", item, *there).code == 2
    assert terminal.call("record", "history", item, "--as", "team-doctor", *where).code == 2
    assert item in terminal.call("record", "consent", "list", patient, *me).out
    trace = terminal.call("record", "trace", patient, *me, "--json").object["trace"]
    assert any("Corbrand" in line["who"] for line in trace)

    assert terminal.call("record", "consent", "unmask", patient, item, *me).code == 0
    assert terminal.call("record", "history", item, *there).code == 0


def test_a_patient_rules_their_record_through_the_http_door(
    shown: tuple[Terminal, dict[str, dict[str, str]]],
) -> None:
    terminal, said = shown
    at, patient = said["at"], said["patients"]["husband"]
    token = terminal.call("token", "--as", f"patient:{patient}", "-d", at["-d"]).out.strip()
    there = ["--url", at["base"], "--token-file", terminal.secret(token, "own-token")]
    items = terminal.call("record", "show", patient, *there, "--json").object["items"]
    item = next(one["reference"] for one in items if one["reference"].startswith("Condition"))
    assert terminal.call("record", "consent", "mask", patient, item, *there).code == 0
    assert item in terminal.call("record", "consent", "list", patient, *there).out
    assert terminal.call("record", "consent", "unmask", patient, item, *there).code == 0
    assert item not in terminal.call("record", "consent", "list", patient, *there).out


@pytest.mark.capability("0-11", "refuses")
def test_a_doctor_without_a_care_relation_is_told_the_same_whatever_the_reason(
    shown: tuple[Terminal, dict[str, dict[str, str]]],
) -> None:
    terminal, said = shown
    at, patient = said["at"], said["patients"]["patient"]
    as_ = ["--as", "unrelated-doctor", "-d", at["-d"], "--json"]
    hidden = terminal.call("record", "show", patient, *as_)
    absent = terminal.call("record", "show", "nobody-of-this-name", *as_)
    assert (hidden.code, hidden.object) == (absent.code, absent.object)
    assert hidden.code == 2
    reasons = [
        terminal.call("access", "explain", item, *as_).object
        for item in (f"Patient/{patient}", "Patient/nobody")
    ]
    assert reasons[0] == reasons[1]
    assert reasons[0]["rule"] is None


def test_the_sign_in_page_that_is_printed_leads_to_everybody(
    shown: tuple[Terminal, dict[str, Any]],
) -> None:
    at = shown[1]["at"]
    assert shown[1]["sign_in"] == f"{shown[1]['base']}/sign-in"
    with httpx.Client(base_url=at["base"]) as browser:
        offered = re.findall(r'href="(/openid/[^"]+)"', browser.get("/sign-in").text)
        listed = [httpx.get(browser.get(one).headers["location"]).text for one in offered]
    assert len(listed) == 3
    for name in ("Inès Taravel", "Odile Marchenoir", "Lucien Abravel", "représente Océane Mauraud", "aide "):
        assert sum(name in one for one in listed) == 1


@pytest.mark.capability("3-12", "refuses")
def test_the_key_that_is_printed_lets_the_program_deposit_and_nothing_more(
    shown: tuple[Terminal, dict[str, Any]],
) -> None:
    said = shown[1]
    file = Path(said["program"]["key"])
    assert file.stat().st_mode & 0o077 == 0
    identity, mine = ECKey.import_key(json.loads(file.read_text())), ECKey.generate_key("P-256")
    address, nonce = f"{said['base']}/token", ""
    for _ in range(2):
        form = {
            "grant_type": "client_credentials",
            "scope": "system/*.cruds",
            "client_id": said["program"]["client"],
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion(said["program"]["client"], address, identity),
        }
        headers = {"dpop": proof(mine, "POST", address, nonce)}
        answer = httpx.post(f"{said['at']['base']}/token", data=form, headers=headers)
        nonce = answer.headers.get("dpop-nonce", nonce)
    assert set(answer.json()["scope"].split()) == {"system/Observation.c", "system/DiagnosticReport.c"}


def test_a_demonstration_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    with Terminal(tmp_path).running("demo", "--patients", "10", "--port", "0") as said:
        assert Path(said["directory"]).exists()
    assert not Path(said["directory"]).exists()


def test_a_taken_port_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = Terminal(tmp_path).run("demo", "--port", str(taken.getsockname()[1]), "--json")
    assert (said.code, said.object["error"]) == (2, "cli.port-taken")
