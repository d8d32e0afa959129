"""What sign-in costs: the check of a session at each request, and a whole sign-in without its Argon2id.

Processor time, not the clock on the wall: other work shares the machine. The check is that of a page: cookie,
browser, row, ends, epoch of the actor. A sign-in is a password at a cost that is next to nothing and a
one-time code, to a session that is written and traced.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, process_time

from benchmarks import Row, median_row, quickly
from benchmarks.installation import Installation, installation
from serment.model import Instant, Purpose, RequestId
from serment.people.accounts import Account, Exercise
from serment.people.local import Typed
from serment.people.people import People
from serment.people.signing import Proof, Where
from serment.record.asking import Asking
from serment.record.entrance.factors import STEP_MS, Cost, one_time_code, password_hash
from serment.record.today import KEEPER
from serment.record.writing import new_id

RUNS = quickly(7, 2)
CHECKS = quickly(20_000, 500)
SIGN_INS = quickly(50, 3)
PASSWORD = "girafe mauve sous la pluie"  # noqa: S105 - of nobody
BROWSER = "the browser's own secret"


def bench() -> list[Row]:
    """Price the check of a session, a sign-in, and one Argon2id."""
    with installation(10) as made:
        people = People.of(made.house)
        secret = _begun(made, people)
        return [_check(made, secret), *_sign_ins(made, people), _argon()]


def _asking(made: Installation, after: int = 0) -> Asking:
    now = Instant(made.house.passage.clock() + after)
    return Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)


def _account(made: Installation, people: People, number: int) -> Account:
    actor = f"rpps:1{number:010d}"
    exercise = Exercise("1", actor, "professional", "associate", "10", structure="a")
    return people.accounts.add(_asking(made), Account("", "Dr", (exercise,), f"person{number}"))


def _where(made: Installation) -> Where:
    return Where(made.house.sessions.device_of(BROWSER), "Firefox", "82.65.1.1", "82.65.")


def _begun(made: Installation, people: People) -> str:
    now, account = _asking(made), _account(made, people, 1)
    return people.signing_in.begin(now, account, "", Proof(("hwk",), 2, now.now), "/", _where(made))


def _check(made: Installation, secret: str) -> Row:
    sessions, now = made.house.sessions, made.house.passage.clock()

    def check() -> None:
        sessions.open(secret, now, BROWSER)

    return _priced("session check with epochs, of a page", check, CHECKS)


def _priced(name: str, act: Callable[[], None], times: int) -> Row:
    act()
    prices = []
    for _ in range(RUNS):
        start = process_time()
        for _ in range(times):
            act()
        prices.append((process_time() - start) / times * 1e6)
    return median_row(name, prices, "µs", "processor time, the store's statement included")


def _joined(made: Installation, people: People, number: int) -> bytes:
    """Have somebody take their invitation; give the secret of their codes."""
    account, own, now = _account(made, people, number), people.entering.own, _asking(made)
    secret = own.secret(now, account, _where(made))
    code = people.entering.inviting.invite(now, account.id)
    typed = one_time_code(secret.value, now.now // STEP_MS)
    own.join_by_password(now, code, (PASSWORD, PASSWORD), (secret.ticket, typed), _where(made))
    return secret.value


def _sign_ins(made: Installation, people: People) -> list[Row]:
    """Sign in one person after the other, each run with the codes of a later step."""
    people.entering.drawer.cost = Cost(1, 1, 8)
    secrets = [_joined(made, people, 100 + number) for number in range(SIGN_INS)]
    rates, prices = [], []
    for run in range(RUNS):
        start, used = perf_counter(), process_time()
        for number, secret in enumerate(secrets):
            _signed_in(made, people, secret, 100 + number, run)
        rates.append(SIGN_INS / (perf_counter() - start))
        prices.append((process_time() - used) / SIGN_INS * 1e3)
    return [
        median_row("sign-ins, Argon2id apart", [1e3 / price for price in prices], "/s", "processor time"),
        median_row("one sign-in, Argon2id apart", prices, "ms", "processor time"),
        median_row("sign-ins as the clock goes", rates, "/s", "one after the other, each durable"),
    ]


def _signed_in(made: Installation, people: People, secret: bytes, number: int, run: int) -> None:
    asking = _asking(made, (run + 1) * STEP_MS * 2)
    typed = Typed(f"person{number}", PASSWORD, one_time_code(secret, asking.now // STEP_MS))
    proven = people.entering.local.by_password(asking, typed, _where(made))
    people.signing_in.begin(asking, proven.account, "", proven.proof, "/", _where(made))


def _argon() -> Row:
    prices = []
    for _ in range(RUNS):
        start = process_time()
        password_hash(PASSWORD)
        prices.append((process_time() - start) * 1e3)
    return median_row("one Argon2id of a password", prices, "ms", "64 MiB, 3 passes; processor time")
