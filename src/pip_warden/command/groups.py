"""The number of a GitLab group: its pages name their files by that, however they are asked for."""

from __future__ import annotations

import re
from contextlib import suppress

from pip_warden.errors import RefusedError, UndecidedError
from pip_warden.gate.once import Once
from pip_warden.index.gitlab_urls import group_simple_url
from pip_warden.index.simple import ask_page, read_page
from pip_warden.names import ProjectName
from pip_warden.transport import Transport
from pip_warden.trust.model import Source

_NUMBER = re.compile(r"/api/v4/groups/([0-9]+)/-/packages/pypi/files/", re.ASCII)


class GroupNumbers:
    """Reads the numbers of groups from their own pages, each once.

    A number decides nothing: it is what a lock file gets where a tool asks for a group by its path.

    Args:
        transport: The HTTP client.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: Once[tuple[str, str], str] = Once()

    def number(self, source: Source, group: str, project: ProjectName) -> str:
        """Return a group's number; its path where its page does not say it.

        Args:
            source: The GitLab.
            group: The group's path, or its number.
            project: A package that it has.
        """
        if group.isdecimal():
            return group
        return self._known.do((source.url, group), lambda: self._read(source, group, project))

    def _read(self, source: Source, group: str, project: ProjectName) -> str:
        url = group_simple_url(source.url, group, project)
        with suppress(RefusedError, UndecidedError):
            reply = ask_page(self._transport, url, label=f"the number of group {group}", stays_home=True)
            if reply.status == 200:
                page = read_page(reply, project, source)
                found = {match[1] for each in page.candidates if (match := _NUMBER.search(each.url))}
                return found.pop() if len(found) == 1 else group
        return group
