"""From TOML to frozen dataclasses: what is not known or not of its type is refused, all of it at once."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from cattrs import ClassValidationError, Converter, ForbiddenExtraKeysError, IterableValidationError
from cattrs.gen import make_dict_structure_fn

T = TypeVar("T")


def load_settings(path: Path, kind: type[T], example: str) -> T:
    """Return the settings in a file; raise ValueError with all that is wrong; example: where to start."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; start from {example}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    return read_settings(raw, kind, str(path))


def read_settings(raw: Mapping[str, object], kind: type[T], source: str) -> T:
    """Return `raw` as the dataclass `kind`; raise ValueError that lists everything that is wrong with it."""
    try:
        return _converter().structure(raw, kind)
    except ClassValidationError as error:
        problems = "\n  ".join(_problems(error, ""))
        raise ValueError(f"{source} has mistakes:\n  {problems}") from None
    except ValueError as error:
        raise ValueError(f"{source} has mistakes:\n  {error}") from None


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind in (str, int, float, bool):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(Path, lambda value, _: Path(_exactly(value, str)))
    converter.register_structure_hook_func(
        _is_literal,
        lambda value, kind: _one_of(value, get_args(kind)),
    )
    converter.register_structure_hook_func(
        is_dataclass,
        lambda value, kind: make_dict_structure_fn(kind, converter)(_table(value, kind), kind),
    )
    return converter


def _is_literal(kind: object) -> bool:
    return get_origin(kind) is Literal


def _exactly(value: object, kind: type) -> Any:
    """Return `value` if it is of that very kind: no text as number, no yes-or-no as 1."""
    if issubclass(kind, Enum):
        return _one_of(value, [member.value for member in kind]) and kind(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
        raise ValueError(f"must be {names[kind]}, got {value!r}")
    return value


def _one_of(value: object, allowed: Sequence[object]) -> object:
    if value not in allowed:
        raise ValueError(f"must be one of {', '.join(map(str, allowed))}, got {value!r}")
    return value


def _table(value: object, kind: type) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a table, got {value!r}")
    wanted = get_type_hints(kind)
    for name, inner in value.items():
        # Both would be taken apart letter by letter, or key by key, without a word.
        if get_origin(wanted.get(name)) is tuple and not isinstance(inner, list):
            raise ValueError(f"{name} must be a list in square brackets, got {inner!r}")
        if get_origin(wanted.get(name)) is Mapping and not isinstance(inner, Mapping):
            raise ValueError(f"{name} must be a table, got {inner!r}")
    return value


def _problems(error: BaseException, path: str) -> Iterator[str]:
    if isinstance(error, (ClassValidationError, IterableValidationError)):
        for inner in error.exceptions:
            yield from _problems(inner, path + _place(inner))
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield f"{_join(path, key)} is not known{_nearest(key, error.cl)}"
    elif isinstance(error, KeyError):
        yield f"{path.lstrip('.')} is missing"
    else:
        yield f"{path.lstrip('.')}: {error}"


def _place(error: BaseException) -> str:
    """Return where inside its parent an error lies, from the note that the converter left."""
    for note in getattr(error, "__notes__", []):
        for attribute in ("name", "index"):
            if hasattr(note, attribute):
                value = getattr(note, attribute)
                return f"[{value}]" if attribute == "index" else f".{value}"
    return ""


def _join(path: str, key: str) -> str:
    return f"{path}.{key}".lstrip(".")


def _nearest(key: str, kind: type) -> str:
    known = [one.name for one in fields(kind)]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
