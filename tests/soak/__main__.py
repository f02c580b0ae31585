"""
Runs the soak: python -m tests.soak [--files N] [--models N] [--faults SHARE] [--seconds N] [--seed N]

Prints how far it is and a table; ends with 1 when the ledger does not balance, or time was over before all files came.
"""

from __future__ import annotations

import argparse
import sys

from tests.soak.report import as_table
from tests.soak.soaking import Plan, soak


def main() -> int:
    """Run it as asked."""
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="The loop under random faults.")
    parser.add_argument("--files", type=int, default=plan.files, help="default: %(default)s")
    parser.add_argument("--models", type=int, default=plan.models, help="default: %(default)s")
    parser.add_argument("--faults", type=float, default=plan.share, help="share of requests (%(default)s)")
    parser.add_argument("--seconds", type=float, default=plan.seconds, help="the most it may take (%(default)s)")
    parser.add_argument("--seed", type=int, default=plan.seed)
    asked = parser.parse_args()
    plan = Plan(asked.files, asked.models, asked.faults, asked.seconds, asked.seed)
    outcome = soak(plan, lambda line: print(line, flush=True))
    print(as_table(plan, outcome))
    return 0 if outcome.balance.holds and outcome.balance.files == plan.files else 1


if __name__ == "__main__":
    sys.exit(main())
