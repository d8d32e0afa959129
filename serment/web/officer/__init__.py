"""The pages of the security officer and the DPO: no care content on any. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web.officer import (
    activity,
    contracts,
    custody,
    declared,
    policy,
    privacy,
    requests,
    sessions,
    status,
    trained,
)

ROUTES = [
    Route("/officer", status.status, methods=["GET"]),
    Route("/officer/probes", status.run, methods=["POST"]),
    Route("/officer/policy", policy.policy, methods=["GET"]),
    Route("/officer/policy/tables/{name}", policy.table, methods=["GET"]),
    Route("/officer/policy/preview", policy.previewing, methods=["GET", "POST"]),
    Route("/officer/processors", contracts.processors, methods=["GET"]),
    Route("/officer/keys", custody.keys, methods=["GET"]),
    Route("/officer/sessions", sessions.sessions, methods=["GET"]),
    Route("/officer/sessions/end", sessions.end, methods=["POST"]),
    Route("/officer/activity", activity.activity, methods=["GET"]),
    Route("/officer/declared", declared.declared, methods=["GET"]),
    Route("/officer/training", trained.trained, methods=["GET"]),
    Route("/officer/requests", requests.requests, methods=["GET", "POST"]),
    Route("/officer/privacy", privacy.privacy, methods=["GET"]),
]
