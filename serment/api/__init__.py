"""Doors for programs: FHIR R4 and health."""
