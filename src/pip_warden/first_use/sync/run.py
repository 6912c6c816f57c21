"""Pins all that a project needs, in one go: what is not pinned is looked at, shown, asked about, written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from pip_warden.display import escape_text, some_of
from pip_warden.errors import RefusedError, UndecidedError, UsageError
from pip_warden.first_use.by_identity import choose_root
from pip_warden.first_use.draft_root import vouch
from pip_warden.first_use.side_by_side import side_by_side
from pip_warden.first_use.sync.look import Looker, Page, Pin
from pip_warden.first_use.sync.outcome import Unlucky
from pip_warden.first_use.sync.table import doubts_of, table, told
from pip_warden.first_use.sync.wishes import Wish
from pip_warden.first_use.task import Task
from pip_warden.names import ProjectName
from pip_warden.trust.likeness import close_names
from pip_warden.trust.model import HashEntry, IdentityEntry
from pip_warden.trust.roots import PinnedRoots
from pip_warden.trust.suggest import CLOSE
from pip_warden.values import dataclass, field

_NAMED = 3
"""How many names an error lists."""
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sync:
    """A run.

    Attributes:
        task: What it works with; its source is replaced by that of each package.
        is_hash_only: No evidence is asked for.
        unlucky: What could not be pinned, which is put there as it is found.
    """

    task: Task
    is_hash_only: bool
    unlucky: list[Unlucky] = field(default_factory=list)

    def pin(self, wishes: Sequence[Wish]) -> Sequence[Pin]:
        """Look at every package, ask once, add the pins to the draft, and return them.

        Raises:
            RefusedError: Something is refused; ``close-to-pinned`` or ``not-pinned-unasked``; ``declined``.
            UndecidedError: A page or file could not be fetched, or a service of evidence did not answer.
            UsageError: ``reason-missing``, ``yes-needed``, or there is no trusted root.
        """
        pins = self._look(wishes)
        self._check_reasons(pins)
        self._show(pins)
        self._ask(pins)
        for pin in pins:
            for identity in pin.entry.identities if isinstance(pin.entry, IdentityEntry) else ():
                vouch(self.task.draft, identity.root, identity.issuer)
        self.task.draft.add_entries([pin.entry for pin in pins])
        return pins

    def _look(self, wishes: Sequence[Wish]) -> list[Pin]:
        looker = Looker(task=self.task, observer=self.task.first_use(), is_hash_only=self.is_hash_only)
        pages = self._each(looker.page, wishes, "looking up", _project_of)
        roots = {page.wish.probe.source: "" for page in pages}
        signed = {page.wish.probe.source for page in pages if not page.is_unsigned}
        for name in sorted(signed):
            roots[name] = choose_root(replace(self.task, source=looker.observer.trust.source(name)))
        if signed:
            # The root may be new, and is read once, whoever needs it first.
            fresh = self.task.draft.roots()
            pages = [_with_roots(page, fresh) for page in pages]
        found = self._each(
            lambda page: looker.pins(page, roots[page.wish.probe.source]),
            pages,
            "judging",
            lambda page: _project_of(page.wish),
        )
        return sorted((pin for pins in found for pin in pins), key=lambda p: (p.entry.project, p.version))

    def _each(
        self, work: Callable[[T], U], items: Sequence[T], what: str, name: Callable[[T], ProjectName]
    ) -> list[U]:
        """Do some work for each, side by side; every refusal is told, and the first ends the run.

        What could not be decided ends it: nothing is written then, and all the others may wait for the same.
        """
        found, refusals = list[U](), list[RefusedError | UsageError]()

        def tell(number: int, item: T) -> None:
            self.task.person.step(f"{what} {name(item)} ({number} of {len(items)})")

        def attempt(item: T) -> U | RefusedError | UsageError:
            try:
                return work(item)
            except (RefusedError, UsageError) as err:
                self.unlucky.append(Unlucky(project=name(item), error=err))
                return err
            except UndecidedError as err:
                self.unlucky.append(Unlucky(project=name(item), error=err))
                raise

        try:
            for each in side_by_side(attempt, items, tell):
                if isinstance(each, RefusedError | UsageError):
                    refusals.append(each)
                else:
                    found.append(each)
        except UndecidedError:
            if not refusals:
                raise
        self.task.person.clear()
        if not refusals:
            return found
        raise self._worst(refusals)

    def _worst(self, refusals: Sequence[RefusedError | UsageError]) -> RefusedError | UsageError:
        """Return what ends the run, and tell the others."""
        worst = next((each for each in refusals if isinstance(each, RefusedError)), refusals[0])
        for other in refusals:
            if other is not worst:
                self.task.person.warning(f"{other.message} [{other.code}]")
        return worst

    def _check_reasons(self, pins: Iterable[Pin]) -> None:
        without = [p.entry for p in pins if isinstance(p.entry, HashEntry) and not p.entry.reason]
        if without:
            raise UsageError(
                "reason-missing",
                f"expected --reason, or hash-reason of the source {without[0].source}, saying why a hash is "
                f"enough for {some_of([entry.project for entry in without], _NAMED)}, found none",
                hint="Say it: " + self.task.wanted.with_option('--reason "WHY"') + ".",
            )

    def _show(self, pins: Sequence[Pin]) -> None:
        doubts = doubts_of(pins)
        numbers = {doubt: str(number) for number, doubt in enumerate(doubts, 1)}
        self.task.person.show(table(pins, [" ".join(numbers[each] for each in pin.doubts) for pin in pins]))
        for number, (doubt, names) in enumerate(doubts.items(), 1):
            self.task.person.warning(told(number, doubt, names))

    def _ask(self, pins: Sequence[Pin]) -> None:
        """Ask once; what speaks against a pin, or is close to another name, is never pinned unasked."""
        wanted, names = self.task.wanted, list(dict.fromkeys(pin.entry.project for pin in pins))
        close = _close(names, self.task)
        for name, others in close.items():
            self.task.person.warning(f"{name} is not pinned, but close to {', '.join(others)}. {CLOSE}")
        if close and wanted.yes:
            name, others = next(iter(close.items()))
            raise RefusedError(
                "close-to-pinned",
                f"expected no name that is close to another ({', '.join(others)}), "
                f"found {some_of(close, _NAMED)}",
                hint=f"The trust file is unchanged. {CLOSE} If {name} itself is meant, say so at a terminal, "
                "without --yes.",
            )
        if wanted.yes:
            _check_doubts(pins)
        self.task.confirm(f"Pin {'this package' if len(names) == 1 else f'these {len(names)} packages'}?")


def _check_doubts(pins: Iterable[Pin]) -> None:
    """Refuse to pin unasked what something speaks against."""
    doubtful = [pin for pin in pins if pin.doubts]
    if not doubtful:
        return
    more = f"; and doubts about {len(doubtful) - 1} more" if len(doubtful) > 1 else ""
    raise RefusedError(
        "not-pinned-unasked",
        f"expected nothing that speaks against a pin, found for {doubtful[0].entry.project}: "
        f"{escape_text('; '.join(doubtful[0].doubts), 1000)}{more}",
        hint="The trust file is unchanged. Say yes at a terminal, or pin what is doubtful with "
        "`pip-warden trust add` first.",
    )


def _with_roots(page: Page, roots: PinnedRoots) -> Page:
    return replace(page, observer=replace(page.observer, roots=roots))


def _project_of(wish: Wish) -> ProjectName:
    return wish.probe.project


def _close(names: Sequence[ProjectName], task: Task) -> dict[str, tuple[ProjectName, ...]]:
    """Return the new names that are close to a pinned one, or to each other."""
    pinned = task.draft.trust().projects
    known = {*pinned, *names}
    found = {name: close_names(name, known - {name}) for name in names if name not in pinned}
    return {name: others for name, others in found.items() if others}
