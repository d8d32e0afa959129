"""The standard: parse and validate, search, owners, bundles, outcomes, capability. Pure."""
