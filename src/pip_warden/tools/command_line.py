"""What the words of a command line add: the same options in every tool, by what they mean."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from pip_warden.tools.around import COMMAND_LINE, Around, shown
from pip_warden.tools.model import Elsewhere
from pip_warden.tools.references import Bounds, Found
from pip_warden.tools.settings import RequirementsFiles
from pip_warden.tools.words import GivenOption, Means


def given_on(
    around: Around, bounds: Bounds, files: RequirementsFiles, words: Iterable[str]
) -> Iterator[Found]:
    """Yield what a command line adds.

    Args:
        around: What the tool is called with.
        bounds: What is the user's own.
        files: Reads the requirements files that it names.
        words: Its words that are requirements.
    """
    for option in around.call.options:
        yield from _option(option, around, bounds, files)
    for word in words:
        yield from bounds.reference(word, around.directory, "requirement", COMMAND_LINE)


def _option(option: GivenOption, around: Around, bounds: Bounds, files: RequirementsFiles) -> Iterator[Found]:
    match option.means:
        case Means.INDEX | Means.LINKS:
            for url in option.value.split():
                _, equals, named = url.partition("=")
                is_named = equals and re.match(r"[A-Za-z0-9._-]+=", url)
                yield from bounds.index(named if is_named else url, option.name, COMMAND_LINE)
        case Means.FILE_OF_REQUIREMENTS:
            yield from files.read(option.value, around.directory, COMMAND_LINE)
        case Means.REFERENCE:
            for text in re.split(r",(?![^\[\]]*\])", option.value):
                yield from bounds.reference(text, around.directory, option.name, COMMAND_LINE)
        case Means.GROUP:
            # pip and uv take PATH:GROUP, where PATH is of a pyproject.toml.
            directory = os.path.dirname(option.value.rpartition(":")[0]) or "."
            yield from bounds.path(directory, around.directory, option.name, COMMAND_LINE)
        case Means.PAST_THE_GATE | Means.TRUST:
            place = f" {shown(option.value)}" if option.value else ""
            is_past = option.means is Means.PAST_THE_GATE
            yield Elsewhere(what=f"{option.name}{place}", where=COMMAND_LINE, adds_source=is_past)
        case _:
            return
