"""What a scanned string is; pure. `classify` is the way in."""

from edge.codes.classify import classify
from edge.codes.reading import (
    Alternative,
    CodeKind,
    CodeReading,
    CodeRules,
    Context,
    Field,
    Payload,
    code_rules,
)

__all__ = [
    "Alternative",
    "CodeKind",
    "CodeReading",
    "CodeRules",
    "Context",
    "Field",
    "Payload",
    "classify",
    "code_rules",
]
