"""The pages of whoever cares: a day, a record, what is written in it. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web.clinician import documents, labs, record, sections, timeline, today, urgent, versions, why

ROUTES = [
    Route("/today", today.today, methods=["GET"]),
    Route("/today/find", today.look_for, methods=["POST"]),
    Route("/record/{id}", record.record, methods=["GET"]),
    Route("/record/{id}/timeline", timeline.timeline, methods=["GET"]),
    Route("/record/{id}/timeline", timeline.look_for, methods=["POST"]),
    Route("/record/{id}/problems", sections.problems, methods=["GET"]),
    Route("/record/{id}/treatments", sections.treatments, methods=["GET"]),
    Route("/record/{id}/allergies", sections.allergies, methods=["GET"]),
    Route("/record/{id}/vaccinations", sections.vaccinations, methods=["GET"]),
    Route("/record/{id}/vitals", labs.vitals, methods=["GET"]),
    Route("/record/{id}/vitals/{series}", labs.vital, methods=["GET"]),
    Route("/record/{id}/labs", labs.labs, methods=["GET"]),
    Route("/record/{id}/labs/{series}", labs.lab, methods=["GET"]),
    Route("/record/{id}/item/{type}/{item}", versions.item, methods=["GET"]),
    Route("/record/{id}/item/{type}/{item}/restore", versions.restore, methods=["POST"]),
    Route("/record/{id}/documents", documents.documents, methods=["GET"]),
    Route("/record/{id}/document/{type}/{item}", documents.document, methods=["GET"]),
    Route("/record/{id}/document/{type}/{item}/picture", documents.picture, methods=["GET"]),
    Route("/record/{id}/document/{type}/{item}/download", documents.download, methods=["GET"]),
    Route("/record/{id}/why", why.why, methods=["GET"]),
    Route("/record/{id}/declare", why.declare, methods=["POST"]),
    Route("/record/{id}/urgent", urgent.ask, methods=["GET"]),
    Route("/record/{id}/urgent", urgent.begin, methods=["POST"]),
    Route("/record/{id}/urgent/end", urgent.end, methods=["POST"]),
]
