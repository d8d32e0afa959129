"""A SOAP server that answers as the public fixtures of INSi do, from a list of people.

It reads what the client sends as XML of its own (never the client's code) and keeps the requests, so that a
test can look at what left.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from xml.etree import ElementTree

from serment.demo.insi import Certified, LocalInsi
from serment.identity.insi import Answer, Query

NS = {"s": "http://www.w3.org/2003/05/soap-envelope", "i": "http://www.cnamts.fr/INSiRecSans"}
LABELS = {"00": "OK", "01": "Aucune identite trouvee", "02": "Plusieurs identites trouvees"}


class SoapServer:
    """The server. `raw` is answered in place of what the people say, when it is set; `status` with it."""

    def __init__(self, people: list[Certified]) -> None:
        self.insi = LocalInsi(people)
        self.received: list[bytes] = []
        self.raw: bytes | None = None
        self.status = 200
        self.address = ""

    def answered(self, request: bytes) -> bytes:
        self.received.append(request)
        if self.raw is not None:
            return self.raw
        tree = ElementTree.fromstring(request)  # noqa: S314 - what our own client sent
        body = tree.find("s:Body/i:RECSANSVITALE", NS)
        assert body is not None
        said = [body.findtext(f"i:{name}", "", NS) for name in ("NomNaissance", "Prenom", "Sexe")]
        rest = [body.findtext(f"i:{name}", "", NS) for name in ("DateNaissance", "LieuNaissance")]
        return soap(self.insi.ask(Query(*said, *rest)))


def soap(answer: Answer) -> bytes:
    """Write an answer as the fixtures do: the prefix of the body is another one than that of the envelope."""
    label = LABELS.get(answer.code, "?")
    person = _person(answer) if answer.code == "00" else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope">'
        '<env:Body xmlns:env="http://www.w3.org/2003/05/soap-envelope">'
        '<RESULTAT xmlns="http://www.cnamts.fr/INSiResultat">'
        f"<CR><CodeCR>{answer.code}</CodeCR><LibelleCR>{label}</LibelleCR></CR>{person}"
        "</RESULTAT></env:Body></soap:Envelope>"
    ).encode()


def _person(answer: Answer) -> str:
    past = "".join(
        f"<INSHISTO><DateDeb>2019-03-01</DateDeb><DateFin>2019-02-28</DateFin>{_number(one)}</INSHISTO>"
        for one in answer.past
    )
    traits = answer.traits
    return (
        f"<INDIVIDU><INSACTIF>{_number(answer.number)}</INSACTIF>{past}<TIQ>"
        f"<NomNaissance>{traits.birth_name}</NomNaissance><ListePrenom>{traits.given}</ListePrenom>"
        f"<Sexe>{traits.sex}</Sexe><DateNaissance>{traits.birth_date}</DateNaissance>"
        f"<LieuNaissance>{traits.birth_place}</LieuNaissance></TIQ></INDIVIDU>"
    )


def _number(number: tuple[str, str]) -> str:
    oid, value = number
    inside = f"<NumIdentifiant>{value[:13]}</NumIdentifiant><Cle>{value[13:]}</Cle>"
    return f"<IdIndividu>{inside}</IdIndividu><OID>{oid}</OID>"


@contextmanager
def soap_server(people: list[Certified], tls: ssl.SSLContext | None = None) -> Iterator[SoapServer]:
    """Serve until the end of the block, on a free port; under TLS as `localhost` when it is given."""
    serving = SoapServer(people)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = serving.answered(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(serving.status)
            self.send_header("content-type", "application/soap+xml")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    serving.address = f"http://127.0.0.1:{server.server_port}/insi"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        serving.address = f"https://localhost:{server.server_port}/insi"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
