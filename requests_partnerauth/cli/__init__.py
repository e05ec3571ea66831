"""``partnerauth``: the command line. Reads what is asked for; one module does each command."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from .ending import BROKEN_PIPE, INTERRUPTED, USAGE, CommandFailed
from .screen import Screen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. What a user can cause ends in a line, not in a traceback.

    Args:
        arguments: What stands after the program's name; that of this process by default.
    """
    screen, errors = Screen(sys.stdout), Screen(sys.stderr)
    try:
        code = _run(arguments, screen, errors)
        screen.flush()
    except CommandFailed as failure:
        _let_go_of_stdout()
        with contextlib.suppress(CommandFailed, OSError):
            errors.line(f"partnerauth: {errors.painted(str(failure), 'red')}")
        return failure.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _let_go_of_stdout()
        return BROKEN_PIPE
    return code


def _run(arguments: Sequence[str] | None, screen: Screen, errors: Screen) -> int:
    from .parser import parsed

    try:
        options = parsed(sys.argv[1:] if arguments is None else arguments)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else USAGE
    package = __name__.partition(".")[0]
    logger, handler = logging.getLogger(package), _LogLines(errors, package)
    before, told = logger.level, ""
    logger.addHandler(handler)
    logger.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(options.verbose, 2)])
    try:
        # Only now, and only this command: the simulator is of no use to `check`.
        command = importlib.import_module(f".{options.command}", __name__)
        return int(command.run(options, screen))
    except BrokenPipeError:
        raise
    except CommandFailed as error:
        told = str(error)
        raise
    except Exception as error:
        cls = getattr(options, "auth_class", None)
        if cls is None or cls.__module__.partition(".")[0] == package:
            raise
        from .._settings.own_class import place

        where = [place(error), *handler.faults][-1]
        told = f"{options.partner}: {cls.__name__} is at fault: {where}"
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.tell_faults(told)
    raise CommandFailed(USAGE, told)


class _LogLines(logging.Handler):
    """The log on standard error, less what a command tells in its own words.

    Refusals it always tells, and faults in a class of the user's mostly: they wait for what it says.
    """

    def __init__(self, errors: Screen, package: str) -> None:
        super().__init__()
        self.faults: dict[str, str] = {}
        self._errors = errors
        self._told_anyway, self._told_mostly = f"{package}._http.login", f"{package}._http.telling"

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            self._errors.line(f"partnerauth: {record.getMessage()}")
        elif record.name == self._told_mostly and isinstance(record.args, tuple):
            self.faults[str(record.args[-1])] = record.getMessage()
        elif record.name != self._told_anyway:
            self._note(record.getMessage())

    def tell_faults(self, told: str) -> None:
        """Tell those whose place is not in what the command says at its end."""
        for fault, words in self.faults.items():
            if fault not in told:
                self._note(words)

    def _note(self, words: str) -> None:
        self._errors.line(f"partnerauth: {self._errors.painted('note', 'yellow')}: {words}")


def _let_go_of_stdout() -> None:
    """Where it can't be written, let nothing be written at exit: the interpreter would complain once more."""
    with contextlib.suppress(AttributeError, ValueError):
        try:
            sys.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
