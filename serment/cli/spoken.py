"""Groups and commands that speak the terminal's language: their help, and what is wrong with what was typed.

The library words its pages and errors in English. Here its parser goes on parsing; what it found is told in
sentences of the catalogue. Order: what both kinds do, a command, a group, the rows of a page, the mistakes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import typer
from typer.core import TyperCommand, TyperGroup

from serment.cli.page import Section, drawn
from serment.cli.speech import told
from serment.errors import RequestError

if TYPE_CHECKING:
    from typer._click import Context  # what the library passes; its public Context is narrower
    from typer.core import TyperArgument, TyperOption

    Parameter = TyperArgument | TyperOption

LONGEST_ECHO = 60
"""Characters of a mistyped word that are said again."""


class Sheet(Protocol):
    """What a help page is written on."""

    def write(self, string: str, /) -> None: ...


class Command(TyperCommand):
    """One command."""

    def get_help_option(self, ctx: Context) -> TyperOption | None:
        """Give `--help`, which is never read as anything but a switch."""
        return _switch(super().get_help_option(ctx))

    def format_help(self, ctx: Context, formatter: Sheet) -> None:
        """Write the page of this command."""
        formatter.write(_page(self, ctx, []))

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read what was typed. Raises `RequestError`, which says what is wrong with it."""
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            _mistaken(error, self, ctx)


class Group(TyperGroup):
    """One group of commands."""

    def get_help_option(self, ctx: Context) -> TyperOption | None:
        """Give `--help`, which is never read as anything but a switch."""
        return _switch(super().get_help_option(ctx))

    def format_help(self, ctx: Context, formatter: Sheet) -> None:
        """Write the page of this group, with what each command is for."""
        commands = [(name, str(one.help)) for name, one in self.commands.items() if not one.hidden]
        formatter.write(_page(self, ctx, commands))

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read what was typed; nothing is a request for help. Raises `RequestError`."""
        if not args and self.no_args_is_help:
            sys.stdout.write(f"{ctx.get_help()}\n")
            raise typer.Exit
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            _mistaken(error, self, ctx)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that was named. Raises `RequestError`, which names what is near."""
        if not args[0].startswith("-") and args[0] not in self.commands:
            near = get_close_matches(args[0], self.commands)
            sentence = "cli.misused-command-near" if near else "cli.misused-command"
            raise _misused(sentence, name=_echo(args[0]), near=", ".join(near))
        return super().resolve_command(ctx, args)


class Tree(typer.Typer):
    """A part of the command tree, all of whose commands speak."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Add a command, as the library does."""
        return super().command(name, cls=Command, **settings)


def _switch(option: TyperOption | None) -> TyperOption | None:
    """Make `--help` false where it is not typed: to read None as a truth value imports pydantic (0.4 s)."""
    if option is not None:
        option.default = False
    return option


def _page(command: Command | Group, ctx: Context, commands: list[tuple[str, str]]) -> str:
    """Draw the page of a command or group."""
    parts: list[Parameter] = command.get_params(ctx)  # type: ignore[assignment]  # its own kinds, typed as their root
    arguments = [part for part in parts if part.param_type_name == "argument"]
    options = [part for part in parts if part.param_type_name == "option"]
    usage = [ctx.command_path, told("cli.page-any-option"), *map(_name, arguments)]
    if commands:
        usage.append(told("cli.page-any-command"))
    return drawn(
        usage,
        command.help or "",
        [
            Section(told("cli.page-arguments"), [(_name(part), part.help or "") for part in arguments]),
            Section(told("cli.page-options"), [(_name(part), _sentence(part)) for part in options]),
            Section(told("cli.page-commands"), commands),
        ],
    )


def _name(part: Parameter) -> str:
    """Name a part as it is typed: `PATIENT`, `-d, --directory DIRECTORY`, `--json`."""
    if part.param_type_name == "argument":
        return str(part.metavar)
    names = ", ".join(sorted(part.opts, key=len))
    return names if _is_flag(part) else f"{names} {part.metavar}"


def _sentence(option: Parameter) -> str:
    """Say what an option is for, then whether it must be given, its default and its bounds."""
    if option.name == "help":
        return told("cli.option-help")
    return " ".join([option.help or "", *_notes(option)])


def _notes(option: Parameter) -> Iterator[str]:
    if option.required:
        yield told("cli.page-required")
    if getattr(option, "max", None) is not None:
        yield told("cli.page-bounds", least=option.min, most=option.max)
    if option.default not in (None, "", False):
        yield told("cli.page-default", value=option.default)


def _is_flag(part: Any) -> bool:
    return bool(getattr(part, "is_flag", False))


def _misused(sentence: str, **parameters: object) -> RequestError:
    return RequestError("cli.misused", said=told(sentence, **parameters))


def _mistaken(error: typer.TyperException, command: Command | Group, ctx: Context) -> NoReturn:
    """Say in our words what the parser found. Raises `RequestError`."""
    say = _MISTAKES.get(type(error).__name__)
    raise (say(error, command, ctx) if say else _misused("cli.misused-extra")) from None


def _missing(error: Any, _command: Command | Group, _ctx: Context) -> RequestError:
    kind = "argument" if error.param.param_type_name == "argument" else "option"
    return _misused(f"cli.misused-missing-{kind}", name=_name(error.param))


def _no_such_option(error: Any, _command: Command | Group, _ctx: Context) -> RequestError:
    near = ", ".join(sorted(error.possibilities or ()))
    sentence = "cli.misused-option-near" if near else "cli.misused-option"
    return _misused(sentence, name=_echo(error.option_name), near=near)


def _wrong_use(error: Any, command: Command | Group, ctx: Context) -> RequestError:
    """Tell an option that takes a value and got none from one that takes none and got one."""
    flag = any(error.option_name in part.opts and _is_flag(part) for part in command.get_params(ctx))
    return _misused("cli.misused-no-value" if flag else "cli.misused-value", name=error.option_name)


def _bad_value(error: Any, _command: Command | Group, _ctx: Context) -> RequestError:
    part = error.param
    name = str(part.metavar) if part.param_type_name == "argument" else part.opts[0]
    if part.max is not None:
        return _misused("cli.misused-bounds", name=name, least=part.min, most=part.max)
    if part.type_descriptor.annotation is int:
        return _misused("cli.misused-number", name=name)
    return _misused("cli.misused-bad-value", name=name)


_MISTAKES: dict[str, Callable[[Any, Command | Group, Context], RequestError]] = {
    "MissingParameter": _missing,
    "NoSuchOption": _no_such_option,
    "BadOptionUsage": _wrong_use,
    "BadParameter": _bad_value,
}
"""What the parser raises, by name: the library exports the last of them only."""


def _echo(word: str) -> str:
    """Give a mistyped word back, without what would move the terminal's cursor."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in word)[
        :LONGEST_ECHO
    ]
