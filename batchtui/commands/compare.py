"""`batchtui compare`: rankings of jobs side by side."""

import argparse
import sys

from batchtui.commands.store import named_job, opened_service, ranked, terminal_width
from batchtui.comparison import compare as compare_jobs
from batchtui.exchange.comparison_form import comparison_object, write_comparison
from batchtui.exchange.json_text import to_json
from batchtui.exchange.source import InputError
from batchtui.settings import Settings


def compare(namespace: argparse.Namespace, settings: Settings) -> int:
    """Print what differs between jobs that have queries in common."""
    if len(namespace.jobs) < 2:
        raise InputError("one job alone can't be compared", namespace.jobs[0], "name two jobs or more")
    with opened_service(settings) as (service, _):
        jobs = [named_job(service, name) for name in namespace.jobs]
        comparison = compare_jobs([ranked(service, job) for job in jobs])
    if not comparison.requests:
        raise InputError(
            "they have neither queries nor contexts in common",
            " and ".join(namespace.jobs),
            "compare jobs of the same queries or contexts",
        )
    if namespace.json:
        print(to_json(comparison_object(comparison), indent=2))
    else:
        sys.stdout.write(write_comparison(comparison, terminal_width()))
    return 0
