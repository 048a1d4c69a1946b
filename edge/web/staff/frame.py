"""What every page under /staff is made of: its entry in the navigation, its routes, its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NewType
from zoneinfo import ZoneInfo

from flask import Blueprint, g, render_template, request

from edge.clock import local
from edge.web.desk import LANGUAGES, WebSettings
from edge.web.texts import load_texts

#: The name of a person who is signed in.
Person = NewType("Person", str)


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation. text: a key of edge/web/texts; suffix: a name behind it, as it is."""

    path: str
    text: str
    suffix: str = ""

    @property
    def current(self) -> bool:
        """Whether the page that is answered belongs to this entry."""
        return request.path == self.path or request.path.startswith(self.path + "/")


@dataclass(frozen=True, slots=True)
class StaffPage:
    """One page under /staff. add: puts its routes on the blueprint. links: its entries, asked each time."""

    add: Callable[[Blueprint], None]
    links: Callable[[], Sequence[Link]]


def show(name: str, **values: object) -> str:
    """Return the page of the template staff_<name>.html with `texts`, `language`, `person` and `values`."""
    return render_template(
        f"staff_{name}.html",
        texts=load_texts(g.language),
        language=g.language,
        person=g.person,
        navigation=g.navigation,
        page=name,
        **values,
    )


def signed_in() -> Person:
    """Return who is signed in; only within a request under /staff, where somebody always is."""
    return Person(str(g.person))


def language() -> str:
    """Return the language of the page that is answered; only within a request under /staff."""
    return str(g.language)


def local_times(settings: WebSettings) -> Callable[[int], str]:
    """Return what writes Unix milliseconds as the shop's local time, "11-22 08:30:05"."""
    zone = ZoneInfo(settings.zone)
    return lambda at: f"{local(at, zone):%m-%d %H:%M:%S}"


def asked_language() -> str:
    """Return the language that the browser asked for, of LANGUAGES."""
    asked = request.args.get("language") or request.cookies.get("language", "")
    return asked if asked in LANGUAGES else LANGUAGES[0]
