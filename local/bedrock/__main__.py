"""The server as a process of its own: `python -m local.bedrock --port 0`; its first line names the port; SIGTERM ends it."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Callable

from local.bedrock.extractive import answer
from local.bedrock.generation import TextModel
from local.bedrock.pace import Pace, PaceError, parse_pace
from local.bedrock.server import start_server
from local.bedrock.small_model import load_small_model

MODELS: dict[str, Callable[[], TextModel]] = {"extractive": lambda: answer, "small": load_small_model}


def main() -> None:
    """Serves until SIGTERM or Ctrl-C."""
    options = _read_options()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    model = MODELS[options.model]()
    with start_server(host=options.host, port=options.port, pace=options.pace, model=model) as server:
        print(f"Bedrock is played on {server.url} (port {server.port})", flush=True)
        ended.wait()


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.bedrock", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="another only inside a network of containers")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    help_text = "realistic (default), instant, or a JSON object such as '{\"tokens_per_second\": 40}'"
    parser.add_argument(
        "--model", choices=sorted(MODELS), default="extractive", help="small: a real language model, if installed"
    )
    parser.add_argument("--pace", type=_pace, default="realistic", help=help_text)
    return parser.parse_args()


def _pace(text: str) -> Pace:
    try:
        return parse_pace(text)
    except PaceError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    main()
