"""A record through the HTTP door of a server, with the person's own token: the way of production.

Only the address that was typed is called, never through a proxy. A token goes nowhere but over TLS or
to this machine. An answer of the server is believed as far as its FHIR shape goes, and no further.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from serment.cli.doors import Item, TraceLine
from serment.cli.speech import LANGUAGE
from serment.errors import DependencyError, NotSupportedError, RefusedError, RequestError, SermentError
from serment.fhir.consent import Provision, blocking, consent, masking, opposing, permitting

SHOWN = (
    "AllergyIntolerance",
    "Condition",
    "MedicationStatement",
    "MedicationRequest",
    "Immunization",
    "Observation",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Procedure",
)
"""What a first view asks for, each type on its own page."""

NEWEST = "6"
TIMEOUT = 30.0
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
CONTENT = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class There:
    """The door of a server. `url` is its address as people type it, `token` the person's bearer secret."""

    url: str
    token: str = field(repr=False)
    purpose: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        """Refuse to send a token in clear over a network. Raises `RequestError`."""
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
            raise RequestError("cli.url-not-safe")

    def show(self, patient: str) -> list[Item]:
        """Show the newest items of each type."""
        shown = [_item(self._get(f"Patient/{quote(patient)}"))]
        for type_ in SHOWN:
            shown += self._search(type_, patient=f"Patient/{patient}", _count=NEWEST, _sort="-_lastUpdated")
        return shown

    def history(self, type_: str, id_: str) -> list[Item]:
        """Give the versions, newest first."""
        path = f"{quote(type_)}/{quote(id_)}/_history"
        bundle = self._get(path)
        versions = [_version(entry, f"{type_}/{id_}") for entry in bundle.get("entry", [])]
        while token := _next_page(bundle):
            bundle = self._get(f"{path}?{urlencode({'_page': token})}")
            versions += [_version(entry, f"{type_}/{id_}") for entry in bundle.get("entry", [])]
        return versions

    def trace(self, patient: str) -> list[TraceLine]:  # noqa: ARG002  the contract names the patient
        """Refuse: the holder reads the trace on their page."""
        raise NotSupportedError("cli.trace-on-page", url=self.url)

    def attending(self, patient: str, rpps: str) -> None:  # noqa: ARG002  as above
        """Refuse: FHIR R4 has no resource for it, the holder confirms on their page."""
        raise NotSupportedError("cli.attending-on-page", url=self.url)

    def choices(self, patient: str) -> list[Item]:
        """List the choices."""
        found = self._resources("Consent", patient=f"Patient/{patient}")
        return [Item.of_choice(*_name(one), one) for one in found]

    def mask(self, patient: str, item: str) -> None:
        """Mask one item."""
        self._consent(patient, masking(item))

    def unmask(self, patient: str, item: str) -> None:
        """Delete every choice that masks the item and nothing else."""
        for one in self._resources("Consent", patient=f"Patient/{patient}"):
            data = one.get("provision", {}).get("data", [])
            if [said.get("reference", {}).get("reference") for said in data] == [item]:
                self._call("DELETE", f"Consent/{quote(one['id'])}")

    def block(self, patient: str, rpps: str) -> None:
        """Block one professional."""
        self._consent(patient, blocking(rpps))

    def oppose(self, patient: str, category: str) -> None:
        """Oppose sharing."""
        self._consent(patient, opposing(category))

    def permit(self, patient: str, rpps: str) -> None:
        """Consent to one professional."""
        self._consent(patient, permitting(rpps))

    def _consent(self, patient: str, provision: Provision) -> None:
        self._call("POST", "Consent", consent(patient, provision))

    def _search(self, type_: str, **pairs: str) -> list[Item]:
        return [_item(resource) for resource in self._resources(type_, **pairs)]

    def _resources(self, type_: str, **pairs: str) -> list[dict[str, Any]]:
        bundle = self._get(f"{type_}?{urlencode(pairs)}")
        found = [entry.get("resource", {}) for entry in bundle.get("entry", [])]
        return [resource for resource in found if resource.get("resourceType") == type_]

    def _get(self, path: str) -> dict[str, Any]:
        return self._call("GET", path)

    def _call(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        """Make one call. Raises `RequestError`, `RefusedError`, `DependencyError` in the server's words."""
        request = Request(  # noqa: S310  the scheme was checked
            f"{self.url.rstrip('/')}/fhir/{path}", body, self._headers(), method=method
        )
        try:
            with build_opener(ProxyHandler({}), _NoRedirect).open(request, timeout=TIMEOUT) as answer:
                return _read(answer.read())
        except HTTPError as error:
            with error:
                _refuse(error.code, _read(error.read()))
        except (URLError, TimeoutError, ConnectionError):
            raise DependencyError("cli.no-answer") from None

    def _headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": CONTENT, "Content-Type": CONTENT}
        headers["Accept-Language"] = LANGUAGE.value
        if self.purpose:
            headers["Serment-Purpose"] = self.purpose
        if self.reason:
            headers["Serment-Reason"] = self.reason
        return headers


class _NoRedirect(HTTPRedirectHandler):
    """A token is for the address that was typed."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""
        return


def _read(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw) if raw else {}
    except ValueError:
        raise DependencyError("cli.not-serment") from None
    if not isinstance(value, dict):
        raise DependencyError("cli.not-serment")
    return value


def _refuse(status: int, outcome: dict[str, Any]) -> NoReturn:
    """Raise what the server said, as the error of its status."""
    said = next((issue.get("details", {}).get("text", "") for issue in outcome.get("issue", [])), "")
    class_: type[SermentError] = RequestError
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
        class_ = RefusedError
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        class_ = DependencyError
    raise class_("cli.server-said", status=status, said=said)


def _item(resource: dict[str, Any]) -> Item:
    return Item.of(*_name(resource), resource)


def _name(resource: dict[str, Any]) -> tuple[str, int]:
    """Give the reference and the version of a resource."""
    reference = f"{resource.get('resourceType', '')}/{resource.get('id', '')}"
    return reference, int(resource.get("meta", {}).get("versionId", 1))


def _next_page(bundle: dict[str, Any]) -> str:
    """Give the page token of a bundle's link to the next page, "" when there is none; never its address."""
    for link in bundle.get("link", []):
        if link.get("relation") == "next":
            return dict(parse_qsl(urlsplit(str(link.get("url", ""))).query)).get("_page", "")
    return ""


def _version(entry: dict[str, Any], reference: str) -> Item:
    if "resource" in entry:
        return _item(entry["resource"])
    response = entry.get("response", {})
    version = str(response.get("etag", "")).strip('W/"') or "0"
    return Item(
        reference,
        int(version),
        reference.partition("/")[0],
        "",
        str(response.get("lastModified", ""))[:10],
        deleted=True,
    )
