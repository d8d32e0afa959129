"""Doors for programs: FHIR R4 and health. `ROUTES` is all of them, one for each address.

One address is one route whatever its methods, so that 405 says all that the address takes. The first
that fits is taken, each try a regular expression: what is asked most stands first. Binary,
AuditEvent and Subscription have handlers of their own, so those addresses of the other types say `other`.
"""

from collections.abc import Awaitable, Callable

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serment.api import (
    as_typed,
    audit,
    binary,
    declaring,
    duplicates,
    everything,
    exporting,
    fhir,
    health,
    identity,
    oauth,
    operations,
    subscriptions,
    terminology,
    validation,
)

Handler = Callable[[Request], Awaitable[Response]]


class TypeName(Convertor[str]):
    """The name of a resource type in an address; anything else is no address of ours."""

    regex = "[A-Z][A-Za-z]{1,63}"

    def convert(self, value: str) -> str:
        """Take the text as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Give the text as it is."""
        return value


class OtherName(TypeName):
    """The name of any type but those with handlers of their own."""

    regex = "(?!(?:Binary|AuditEvent|Subscription)(?:/|$))[A-Z][A-Za-z]{1,63}"


class LogicalId(TypeName):
    """A logical id in an address (R4 datatypes.html#id)."""

    regex = "[A-Za-z0-9.-]{1,64}"


register_url_convertor("type", TypeName())
register_url_convertor("other", OtherName())
register_url_convertor("logical", LogicalId())


def at(path: str, **handlers: Handler) -> Route:
    """Make the route of one address from its handlers by method; HEAD goes with GET."""

    async def dispatched(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, dispatched, methods=list(handlers))


ROUTES = [
    at(
        "/fhir/{type:other}/{id:logical}",
        GET=fhir.read,
        PUT=fhir.update,
        PATCH=fhir.patch,
        DELETE=fhir.delete,
    ),
    at(
        "/fhir/{type:other}",
        GET=fhir.search_get,
        POST=fhir.create,
        PUT=fhir.update_where,
        PATCH=fhir.patch_where,
        DELETE=fhir.delete_where,
    ),
    at("/livez", GET=health.livez),
    at("/readyz", GET=health.readyz),
    at("/fhir/metadata", GET=fhir.metadata),
    at("/fhir", POST=fhir.transaction),
    at("/fhir/", POST=fhir.transaction),
    at("/fhir/AuditEvent", GET=audit.search_get),
    at("/fhir/AuditEvent/_search", POST=audit.search_post),
    at("/fhir/AuditEvent/$verify-integrity", GET=audit.verify_integrity),
    at("/fhir/AuditEvent/{id:logical}", GET=audit.read),
    at("/fhir/Subscription", GET=subscriptions.search, POST=subscriptions.create),
    at(
        "/fhir/Subscription/{id:logical}",
        GET=subscriptions.read,
        PUT=subscriptions.update,
        DELETE=subscriptions.delete,
    ),
    at("/fhir/{type:type}/_search", POST=fhir.search_post),
    at("/fhir/.well-known/smart-configuration", GET=oauth.smart_configuration),
    at("/.well-known/oauth-authorization-server", GET=oauth.smart_configuration),
    at("/token", POST=oauth.token),
    at("/introspect", POST=oauth.introspect),
    at("/revoke", POST=oauth.revoke),
    at("/fhir/Patient/{id:logical}/$confirm-attending", POST=operations.confirm_attending),
    at("/fhir/Patient/{id:logical}/$declare-act", POST=operations.declare_act),
    at("/fhir/Patient/{id:logical}/$legal-declaration", POST=declaring.legal_declaration),
    at("/fhir/Binary/{id:logical}/_history/{version:int}", GET=binary.vread),
    at("/fhir/Binary/{id:logical}", GET=binary.read, PUT=binary.update, DELETE=binary.delete),
    at("/fhir/Binary", GET=binary.search, POST=binary.create),
    at("/fhir/{type:type}/{id:logical}/_history/{version:int}", GET=fhir.vread),
    at("/fhir/{type:type}/{id:logical}/_history", GET=fhir.history),
    at("/fhir/{type:type}/_history", GET=everything.type_history),
    at("/fhir/Patient/{id:logical}/$everything", GET=everything.everything),
    at("/fhir/Patient/{id:logical}/$summary", GET=everything.summary),
    at("/fhir/Patient/{id:logical}/$export", GET=exporting.begin),
    at("/fhir/Patient/{id:logical}/$export/job", GET=exporting.manifest),
    at("/fhir/Patient/{id:logical}/$export/file", GET=exporting.file),
    at("/fhir/Patient/{id:logical}/$explain-access", GET=operations.explain_access),
    at("/fhir/Patient/{id:logical}/$emergency-access", POST=operations.emergency_access),
    at("/fhir/Practitioner/$declared-acts", GET=operations.declared_acts),
    at("/fhir/Patient/{id:logical}/$insi-search", POST=identity.insi_search),
    at("/fhir/Patient/{id:logical}/$insi-accept", POST=identity.insi_accept),
    at("/fhir/Patient/{id:logical}/$identity-proof", POST=identity.identity_proof),
    at("/fhir/Patient/$find-as-typed", POST=as_typed.find),
    at("/fhir/Patient/$duplicates", GET=duplicates.listed),
    at("/fhir/Patient/$merge", POST=duplicates.merge),
    at("/fhir/Patient/$undo-merge", POST=duplicates.undo),
    at("/fhir/Patient/$keep-apart", POST=duplicates.keep_apart),
    at("/fhir/Patient/{id:logical}/$report-collision", POST=duplicates.report_collision),
    at("/fhir/Patient/{id:logical}/$split", POST=duplicates.split),
    at("/fhir/Patient/{id:logical}/$close-collision", POST=duplicates.close_collision),
    at("/fhir/{type:type}/$validate", POST=validation.validate),
    at("/fhir/{type:type}/{id:logical}/$validate", POST=validation.validate),
    at("/fhir/ValueSet/$expand", GET=terminology.expand, POST=terminology.expand),
    at("/fhir/ValueSet/$validate-code", GET=terminology.validate_in_set, POST=terminology.validate_in_set),
    at(
        "/fhir/CodeSystem/$validate-code",
        GET=terminology.validate_in_system,
        POST=terminology.validate_in_system,
    ),
]
