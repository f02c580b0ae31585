"""`python -m relearn` and `relearn`: see `relearn --help`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from relearn import shown
from relearn.arguments import parser
from relearn.client import Client
from relearn.connection import find_connection
from relearn.errors import INTERRUPTED, CommandFailed
from relearn.tables import terminal_width, visible


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what went wrong is one sentence on stderr."""
    options = parser().parse_args(arguments)
    try:
        with Client(find_connection(options.url, options.key_file, os.environ)) as client:
            answer = options.command(client, options)
        show = shown.document if options.json else answer.show
        print(show(answer.document, terminal_width()), flush=True)
        return int(answer.exit_code)
    except CommandFailed as failed:
        print("relearn:", "\n".join(map(visible, str(failed).splitlines())), file=sys.stderr)
        return failed.exit_code
    except BrokenPipeError:  # `relearn runs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
