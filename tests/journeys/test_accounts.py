"""`serment account`: people are enrolled, act in an exercise, leave; a server that runs knows at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from serment.errors import SignInError
from serment.model import Purpose, RequestId
from serment.people.accounts import Account
from serment.people.people import People
from serment.people.signing import Proof
from serment.record.asking import Asking
from serment.record.today import KEEPER
from serment.record.writing import new_id
from tests.installation import Installation, bare_installation
from tests.journeys.terminal import Said, Terminal

RPPS, OTHER = "10000000009", "10100000008"


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("accounts")) as one:
        yield one


class Accounts:
    """A terminal that speaks of accounts."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        self._terminal = Terminal(made.settings.directory.parent)

    def __call__(self, *words: str) -> Said:
        return self._terminal.call("account", *words, "-d", str(self.made.settings.directory))

    def signed_in(self, login: str, exercise: str = "") -> str:
        people, now = People.of(self.made.house), self.made.house.passage.clock()
        asking = Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)
        account: Account = people.staff.find(asking, login)
        return people.signing_in.begin(asking, account, exercise, Proof(("hwk",), 2, now))

    def is_in(self, secret: str) -> bool:
        try:
            self.made.house.sessions.open(secret, self.made.house.passage.clock())
        except SignInError:
            return False
        return True


@pytest.fixture
def account(made: Installation) -> Accounts:
    return Accounts(made)


def test_a_person_is_enrolled_given_an_exercise_and_listed(account: Accounts) -> None:
    assert account("add", "mdorval", "--name", "Dr Marie Dorval").code == 0
    words = ("--rpps", RPPS, "--profession", "10", "--function", "associate", "--structure", "cabinet")
    assert account("exercise", "mdorval", *words).code == 0
    listed = account("list", "--json").object["accounts"]
    assert [(one["login"], one["exercises"][0]["actor"]) for one in listed] == [("mdorval", f"rpps:{RPPS}")]
    assert account.is_in(account.signed_in("mdorval"))


@pytest.mark.parametrize(
    "words",
    [(), ("--function", "medecin"), ("--function", "treating-doctor"), ("--rpps", RPPS, "--function", "dpo")],
)
def test_whoever_names_no_function_that_suits_reads_which_there_are(
    account: Accounts, words: tuple[str, ...]
) -> None:
    account("add", "mdorval", "--name", "Dr Marie Dorval")
    refused = account("exercise", "mdorval", "--structure", "cabinet", "--profession", "10", *words)
    assert refused.code == 2
    for named in ("treating-doctor", "nurse", "secretary", "security-officer"):
        assert named in refused.err
    assert "insurer" not in refused.err


def test_a_link_leads_to_the_port_that_is_said_and_a_person_without_a_role_is_told_of(
    account: Accounts,
) -> None:
    account("add", "mdorval", "--name", "Dr Marie Dorval")
    said = account("invite", "mdorval", "--port", "9443")
    assert "http://localhost:9443/join/" in said.out
    assert "serment account exercise mdorval" in said.out


def test_a_person_is_invited_by_a_link_of_a_host_name(account: Accounts) -> None:
    account("add", "mdorval", "--name", "Dr Marie Dorval")
    link = account("invite", "mdorval", "--json").object["link"]
    assert link.startswith("http://localhost:")
    people, now = People.of(account.made.house), account.made.house.passage.clock()
    asking = Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)
    assert people.entering.inviting.invited(asking, link.rpartition("/")[2]).login == "mdorval"
    assert account("invite", "nobody").code != 0


@pytest.mark.capability("0-06", "refuses")
def test_a_shared_account_and_a_second_account_of_one_person_are_refused(account: Accounts) -> None:
    words = ("--rpps", RPPS, "--profession", "10", "--function", "associate", "--structure", "cabinet")
    account("add", "one", "--name", "Dr Marie Dorval")
    account("exercise", "one", *words)
    account("add", "two", "--name", "Accueil")
    assert account("exercise", "two", *words).code != 0
    assert account("add", "ONE ", "--name", "Quelqu'un").code != 0
    wrong = ("--rpps", "10000000001", *words[2:])
    refused = account("exercise", "two", *wrong)
    assert refused.code != 0
    assert "10000000001" not in refused.err + refused.out


@pytest.mark.capability("1-15", "lets")
@pytest.mark.capability("1-15", "refuses")
def test_whoever_leaves_is_out_at_the_next_request_of_a_server_that_runs(account: Accounts) -> None:
    account("add", "mdorval", "--name", "Dr Marie Dorval")
    words = ("--rpps", RPPS, "--profession", "10", "--function", "associate", "--structure", "cabinet")
    account("exercise", "mdorval", *words)
    office, home = account.signed_in("mdorval"), account.signed_in("mdorval")
    assert account("leave", "mdorval").code == 0
    assert not account.is_in(office)
    assert not account.is_in(home)
    with pytest.raises(SignInError):
        account.signed_in("mdorval")


@pytest.mark.capability("4-16", "lets")
def test_the_sessions_of_one_person_or_of_everybody_are_ended_from_the_command_line(
    account: Accounts,
) -> None:
    words = ("--profession", "10", "--function", "associate", "--structure", "cabinet")
    for login, rpps in (("one", RPPS), ("two", OTHER)):
        account("add", login, "--name", f"Dr {login}")
        account("exercise", login, "--rpps", rpps, *words)
    first, second = account.signed_in("one"), account.signed_in("two")
    assert account("sign-out").code != 0
    assert account("sign-out", "one", "--everybody").code != 0
    assert account("sign-out", "nobody").code != 0
    assert (account.is_in(first), account.is_in(second)) == (True, True)
    assert account("sign-out", "one", "--json").object["logins"] == ["one"]
    assert (account.is_in(first), account.is_in(second)) == (False, True)
    again = account.signed_in("one")
    assert account("sign-out", "--everybody", "--json").object["logins"] == ["one", "two"]
    assert (account.is_in(again), account.is_in(second)) == (False, False)


def test_a_leave_date_to_come_ends_a_session_on_its_day(account: Accounts) -> None:
    account("add", "mdorval", "--name", "Dr Marie Dorval")
    words = ("--rpps", RPPS, "--profession", "10", "--function", "associate", "--structure", "cabinet")
    account("exercise", "mdorval", *words)
    account("leave", "mdorval", "--on", "2100-01-01")
    assert account.is_in(account.signed_in("mdorval"))
    assert account("leave", "mdorval", "--on", "tomorrow").code != 0


def test_a_locum_acts_for_a_named_doctor_from_a_day_to_a_day(account: Accounts) -> None:
    account("add", "locum", "--name", "Dr Bastien Loriquet")
    words = ("--rpps", RPPS, "--profession", "10", "--function", "locum", "--structure", "cabinet")
    assert account("exercise", "locum", *words, "--replaces", OTHER).code != 0
    dates = ("--from", "2020-01-01", "--until", "2020-02-01")
    assert account("exercise", "locum", *words, "--replaces", OTHER, *dates).code == 0
    with pytest.raises(SignInError):
        account.signed_in("locum")


def test_an_exercise_that_ends_closes_what_was_begun_in_it(account: Accounts) -> None:
    account("add", "mdorval", "--name", "Dr Marie Dorval")
    words = ("--rpps", RPPS, "--profession", "10", "--function", "associate", "--structure")
    account("exercise", "mdorval", *words, "cabinet")
    account("exercise", "mdorval", *words, "hopital")
    first, second = account("list", "--json").object["accounts"][0]["exercises"]
    secret = account.signed_in("mdorval", first["id"])
    assert account("end", "mdorval", first["id"]).code == 0
    assert not account.is_in(secret)
    assert account.is_in(account.signed_in("mdorval", second["id"]))
    assert account("end", "mdorval", "zzz").code != 0


@pytest.mark.capability("3-08", "refuses")
def test_a_profile_is_kept_and_a_hospital_without_its_officer_changes_nothing(made: Installation) -> None:
    terminal, at = Terminal(made.settings.directory.parent), ("-d", str(made.settings.directory))
    assert terminal.call("profile", "show", "--json", *at).object["profile"] == "practice"
    assert terminal.call("profile", "set", "hospital", *at).code != 0
    named = ("--dpo", "Anne Roy", "--contact", "dpo@hopital.example")
    assert terminal.call("profile", "set", "hospital", *named, *at).code == 0
    shown = terminal.call("profile", "show", "--json", *at).object
    assert (shown["profile"], shown["officer"]) == ("hospital", "Anne Roy")
    assert shown["duties"]["enrol"] == ["security-officer"]
