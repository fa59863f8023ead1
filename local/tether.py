"""Child processes that end when their parent does, even when the parent is killed outright."""

from __future__ import annotations

import sys
from collections.abc import Sequence

# The child's standard input is a pipe whose only writing end its parent holds: it ends when the parent does, however that
# happens and on every Unix. (Linux's PR_SET_PDEATHSIG fires already when the *thread* that started the child ends.)
# SIGTERM first, so that the child may save its state; the hard end is for a child that does not listen.
_PRELUDE = """
import os, runpy, signal, sys, threading, time
def end_with_parent():
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)
    os._exit(1)
threading.Thread(target=end_with_parent, daemon=True).start()
sys.path[0] = os.getcwd()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def tethered_command(
    module: str, *arguments: str, python: str = sys.executable, flags: Sequence[str] = ()
) -> list[str]:
    """The command that does `python -m module arguments`, and ends (SIGTERM) with the process that started it.

    It must be started with `stdin=subprocess.PIPE`, and the pipe kept open for as long as the child is wanted.
    """
    return [python, *flags, "-c", _PRELUDE, module, *arguments]
