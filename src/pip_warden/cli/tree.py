"""The tree of ``pip-warden`` commands with their one-line help: listing them imports none of them."""

from __future__ import annotations

import importlib
from importlib.metadata import version

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.examples import examples
from pip_warden.cli.group import HelpfulGroup

_COMMANDS = {
    "run": ("run_command", "Run any installer with the gate as its only network."),
    "verify": ("verify", "Verify local wheels and sdists."),
    "verify-release": ("verify_release", "Verify every file of a release, straight from its registry."),
    "inspect": ("inspect", "Say what evidence, a file or a release claims, unverified."),
    "sign": ("sign", "Sign files with the job's identity."),
    "build-info": ("build_info", "Write down how a job builds, for the job that signs."),
    "attest": ("attest", "Attest how files were built."),
    "publish": ("publish", "Publish files to a GitLab project, evidence first."),
    "publish-evidence": ("publish", "Publish only the evidence of files."),
    "promote": ("promote", "Judge a release as its consumers would, then copy it."),
    "image": ("image", "Sign, verify and promote container images."),
    "trust": ("trust", "Look at and edit the trust file: who may publish what."),
    "root": ("root", "Look after the pinned Sigstore trusted root."),
    "ci": ("ci", "Write the pipeline file of a publisher, consumer or promotion."),
    "explain": ("explain", "Explain a code: what it means and what to do."),
    "sandbox": ("sandbox", "Run an embedded GitLab and Sigstore on this machine."),
    "demo": ("demo", "Show the whole promise on the sandbox, attacks included."),
}


class LazyGroup(HelpfulGroup):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return the names in the order in which people need them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        """Import one command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"pip_warden.cli.{_COMMANDS[cmd_name][0]}")
        command = module.evidence_command if cmd_name == "publish-evidence" else module.command
        assert isinstance(command, click.Command)  # noqa: S101 -- every module of this room has one
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in _COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("pip-warden trust show", "safe-install -r requirements.txt"),
)
@color_option
@click.version_option(version("pip-warden"), "-V", "--version")
def pip_warden() -> None:
    """Prove who published a Python package before any installer sees it.

    `safe-install` replaces `pip install`, and `run` puts any other installer behind the same gate; the other
    commands are what stands around them.
    """
