"""Where the material that others wrote lies: beside the checkout, read and never copied."""

from pathlib import Path

SHARED = Path(__file__).resolve().parents[2] / "shared"
VECTORS = SHARED / "vectors"
REFERENCE = SHARED / "reference"

MISSING = "the shared vectors are not beside this checkout"
