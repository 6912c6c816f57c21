"""The same for many packages: in order, several at once, and ended without a wait where that is asked for."""

from __future__ import annotations

import threading

import pytest

from pip_warden.cli.tree import pip_warden
from pip_warden.first_use.side_by_side import side_by_side


def test_what_comes_of_it_is_in_order_though_the_first_ends_last() -> None:
    others = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert others.wait(60)
        else:
            others.set()
        return item * item

    told = list[tuple[int, int]]()
    found = list(side_by_side(work, range(4), lambda number, item: told.append((number, item))))
    assert found == [0, 1, 4, 9]
    assert told == [(1, 0), (2, 1), (3, 2), (4, 3)]


@pytest.mark.parametrize(("error", "is_waited_for"), [(ValueError, True), (KeyboardInterrupt, False)])
def test_an_error_waits_for_what_has_begun_and_an_interrupt_does_not(
    error: type[BaseException], is_waited_for: bool
) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work(item: str) -> None:
        if item == "slow":
            begun.set()
            assert go_on.wait(60)
            ended.set()

    def tell(_number: int, item: str) -> None:
        if item == "bad":
            assert begun.wait(60)
            if is_waited_for:
                go_on.set()
            raise error

    with pytest.raises(error):
        list(side_by_side(work, ["bad", "slow"], tell))
    assert ended.is_set() is is_waited_for
    go_on.set()


def test_what_has_not_begun_is_given_up() -> None:
    begun = list[int]()
    full, go_on = threading.Barrier(9), threading.Event()

    def work(item: int) -> None:
        begun.append(item)
        if item:
            full.wait(60)
            assert go_on.wait(60)

    def tell(number: int, _item: int) -> None:
        if number == 2:  # every thread is busy
            full.wait(60)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(side_by_side(work, range(50), tell))
    go_on.set()
    assert sorted(begun) == list(range(9))


def test_all_commands_name_what_is_needed_alike() -> None:
    with_needs = ("sync", "update", "prune")
    trust = pip_warden.get_command(None, "trust")  # type: ignore[arg-type]  # no context is looked at
    assert trust is not None
    said = {
        name: [
            option.to_info_dict()
            for option in trust.get_command(None, name).params  # type: ignore[attr-defined]
            if option.name in {"locks", "requirements", "mirror", "trust"}
        ]
        for name in with_needs
    }
    assert len(said["sync"]) == 4
    assert said["sync"] == said["update"] == said["prune"]
