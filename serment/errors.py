"""Everything that Serment raises on purpose.

SermentError                     exit  HTTP  FHIR issue
├── RequestError                   2    400   invalid        the caller can fix it
│   ├── MalformedError             2    400   structure
│   ├── InvalidResourceError       2    422   invariant
│   │   └── EntryError             2    422   invariant      of one entry; it takes after its cause
│   ├── NotSupportedError          2    400   not-supported
│   │   ├── MethodError            2    405   not-supported
│   │   ├── NotAcceptableError     2    406   not-supported
│   │   └── MediaTypeError         2    415   not-supported
│   ├── NotFoundError              2    404   not-found
│   ├── GoneError                  2    410   deleted
│   ├── ConflictError              2    409   conflict
│   ├── KeyReusedError             2    422   invalid
│   ├── VersionConflictError       2    412   conflict
│   ├── NotSelectiveError          2    412   multiple-matches
│   ├── TooLargeError              2    413   too-long
│   └── OAuthError                 2    400   invalid        of an OAuth endpoint, by its own code
├── SignInError                    3    401   login
│   ├── ProofAgainError            3    401   login          signed in, and asked to prove it once more
│   └── PossessionError            3    401   login          a token without the proof of its key
├── RefusedError                   3    403   forbidden      the decision said no
│   ├── TooManyError               3    429   throttled
│   └── ScopeError                 3    403   forbidden      outside what a program was let do
├── IntegrityError                 4    500   exception      what is stored is not what was written
│   └── LedgerError                4    500   exception
├── RiskError                      5    409   business-rule  a measured risk is above its bar
├── DependencyError                6    503   transient      something outside is not there
│   ├── LockedError                6    503   transient      custody is locked
│   ├── CustodyError               6    503   transient
│   └── StorageFullError           6    507   no-store
└── SettingsError                  1    500   exception      the operator must mend a setting

A message for a person is a sentence of the catalogue (`serment.words`): an id, French and English.
No error carries a person's data: logs and tracebacks travel further than answers.
"""

from __future__ import annotations

from serment.words import Language, say


class SermentError(Exception):
    """Root: catching it catches everything raised on purpose.

    `sentence` is an id of the catalogue; `parameters` fill its blanks and never identify a person.
    """

    exit_code = 1
    status = 500
    issue = "exception"

    def __init__(self, sentence: str, /, **parameters: object) -> None:
        self.sentence = sentence
        self.parameters = parameters
        super().__init__(say(sentence, Language.EN, **parameters))

    def said(self, language: Language) -> str:
        """Give the sentence in `language`."""
        return say(self.sentence, language, **self.parameters)


class RequestError(SermentError):
    """The request cannot be served as asked; the caller can fix it."""

    exit_code = 2
    status = 400
    issue = "invalid"


class MalformedError(RequestError):
    """Bytes that are not the format they claim to be."""

    issue = "structure"


class InvalidResourceError(RequestError):
    """A resource that breaks a rule of FHIR R4; `expression` says where."""

    status = 422
    issue = "invariant"

    def __init__(self, sentence: str, /, expression: str = "", **parameters: object) -> None:
        self.expression = expression
        super().__init__(sentence, expression=expression, **parameters)


class EntryError(InvalidResourceError):
    """A transaction that wrote nothing because of one entry: it has the status and issue of the cause.

    `place` counts from 0, as the expression does; the sentence counts from 1, as people do.
    """

    def __init__(self, place: int, cause: RequestError | RefusedError) -> None:
        self.cause, self.place = cause, place
        self.status, self.issue, self.exit_code = cause.status, cause.issue, cause.exit_code
        said = cause.said(Language.EN)
        super().__init__("record.transaction", f"Bundle.entry[{place}]", entry=place + 1, cause=said)

    def said(self, language: Language) -> str:
        """Say which entry it was, and its own sentence, both in `language`."""
        return say(self.sentence, language, **{**self.parameters, "cause": self.cause.said(language)})


class NotSupportedError(RequestError):
    """A parameter, modifier or interaction that this server does not do."""

    issue = "not-supported"


class NotFoundError(RequestError):
    """Absent, or hidden: the two answers are one."""

    status = 404
    issue = "not-found"


class MethodError(NotSupportedError):
    """An action that does not exist at this address."""

    status = 405


class NotAcceptableError(NotSupportedError):
    """An answer asked for in a format that this server does not speak."""

    status = 406


class MediaTypeError(NotSupportedError):
    """A body in a format that this server does not read."""

    status = 415


class GoneError(RequestError):
    """Deleted, or a page of an earlier state of the record."""

    status = 410
    issue = "deleted"


class ConflictError(RequestError):
    """The same thing was changed by somebody else at the same moment."""

    status = 409
    issue = "conflict"


class KeyReusedError(RequestError):
    """An `Idempotency-Key` that was given to another request already."""

    status = 422


class VersionConflictError(RequestError):
    """`If-Match` names a version that is no longer the current one."""

    status = 412
    issue = "conflict"


class NotSelectiveError(RequestError):
    """A conditional operation that matches several visible items."""

    status = 412
    issue = "multiple-matches"


class TooLargeError(RequestError):
    """More bytes, levels or entries than the server takes."""

    status = 413
    issue = "too-long"


class OAuthError(RequestError):
    """What an OAuth endpoint refuses; `code` is that of RFC 6749 section 5.2 or of an extension.

    `nonce` is the one to use in the next proof of possession, "" when that is not what is missing.
    """

    def __init__(self, sentence: str, code: str, /, *, status: int = 400, nonce: str = "") -> None:
        self.code, self.status, self.nonce = code, status, nonce
        super().__init__(sentence)


class SignInError(SermentError):
    """No person behind the request, or a session that has ended."""

    exit_code = 3
    status = 401
    issue = "login"


class ProofAgainError(SignInError):
    """Somebody is signed in and must prove it again: idle for too long, or about to do a dangerous act."""


class PossessionError(SignInError):
    """A token that is bound to a key, shown without a proof of that key (RFC 9449).

    `nonce` is the one to use in the next proof, "" when that is not what is missing.
    """

    def __init__(self, sentence: str, /, *, nonce: str = "") -> None:
        self.nonce = nonce
        super().__init__(sentence)


class RefusedError(SermentError):
    """The decision said no."""

    exit_code = 3
    status = 403
    issue = "forbidden"


class TooManyError(RefusedError):
    """A budget is spent: searches for people, refusals, key openings."""

    status = 429
    issue = "throttled"


class ScopeError(RefusedError):
    """A program asks for a type, an interaction or an operation that its scope does not name."""


class IntegrityError(SermentError):
    """What is stored is not what was written: nothing of it is served."""

    exit_code = 4


class LedgerError(IntegrityError):
    """The ledger's rows, tree or checkpoints do not agree."""


class RiskError(SermentError):
    """A measured risk is above its bar."""

    exit_code = 5
    status = 409
    issue = "business-rule"


class DependencyError(SermentError):
    """Something that Serment needs is not there for now."""

    exit_code = 6
    status = 503
    issue = "transient"


class LockedError(DependencyError):
    """The server waits for somebody to unlock custody."""


class CustodyError(DependencyError):
    """Custody does not answer: the record cannot be opened now (never shown as empty)."""


class StorageFullError(DependencyError):
    """The disk is full: nothing was half written."""

    status = 507
    issue = "no-store"


class SettingsError(SermentError):
    """A setting that the operator must mend."""
