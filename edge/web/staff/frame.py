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


#: The first level of the navigation: a key of edge/web/texts, and the pages below it by their first name.
GROUPS = (
    ("group_parking", ("lanes", "parking", "plates", "passes", "tariffs", "validations", "debts")),
    ("group_till", ("payments", "phones", "shifts", "refunds", "exit", "bills", "settlement", "scans")),
    ("group_members", ("funnel", "guides", "members", "landing")),
    ("group_box", ()),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Entries of the navigation that belong together, at least one; text: a key of edge/web/texts."""

    text: str
    links: Sequence[Link]

    @property
    def current(self) -> bool:
        """Whether the page that is answered is one of these."""
        return any(link.current for link in self.links)

    @property
    def suffix(self) -> str:
        """What stands behind a name below it and asks for attention."""
        return "".join(link.suffix for link in self.links)


@dataclass(frozen=True, slots=True)
class StaffPage:
    """One page under /staff. add: puts its routes on the blueprint. links: its entries, asked each time."""

    add: Callable[[Blueprint], None]
    links: Callable[[], Sequence[Link]]


def grouped(links: Sequence[Link]) -> tuple[Group, ...]:
    """Return the navigation's first level; what no group names belongs to the last one."""
    named = {name: text for text, names in GROUPS for name in names}
    of = {link: named.get(link.path.split("/")[2], GROUPS[-1][0]) for link in links}
    groups = (Group(text, [link for link in links if of[link] == text]) for text, _ in GROUPS)
    return tuple(group for group in groups if group.links)


def show(name: str, **values: object) -> str:
    """Return the page of the template staff_<name>.html with `texts`, `language`, `person` and `values`."""
    return render_template(
        f"staff_{name}.html",
        texts=load_texts(g.language),
        language=g.language,
        person=g.person,
        navigation=grouped(g.navigation),
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
