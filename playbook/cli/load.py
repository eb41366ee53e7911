"""
Owns the command that sends load to any service on loopback.
"""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from playbook.cli.reply import Reply, answering, table
from playbook.cli.service import require_service
from playbook.evidence.outcome import worst
from playbook.load.generator import run_load
from playbook.load.shape import read_shape
from playbook.load.verdict import judge
from playbook.service.measuring import measuring

__all__ = ["commands"]


@click.command()
@click.option("--url", required=True, help="The service; http on 127.0.0.0/8 only.")
@click.option(
    "--shape",
    "shape_file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="What to send, how fast, for how long, and the objectives (YAML).",
)
@answering
def load(url: str, shape_file: Path) -> Reply:
    """
    Send load at a constant rate, and compare latency and errors with the objectives.

    Latency runs from the time at which each request was intended, so that a stall shows. Undecided (exit 5) when the
    generator was the bottleneck or the run too short.

    \b
    Example:
      playbook load --url http://127.0.0.1:8000 --shape shape.yaml
    where shape.yaml holds
      rate_per_s: 50
      duration_s: 20
      operations: [{id: list, method: GET, path: /items, weight: 5}]
      objectives: {p95_ms: 500, error_rate: 0.01}
    """
    shape = read_shape(shape_file)
    plan = shape.plan(url)
    require_service([url])
    click.echo(f"at most {plan.requests} requests in {plan.duration_s:g} s ({plan.rate_per_s:g}/s) to {url}", err=True)
    with measuring():
        result = run_load(plan)
    checks = judge(shape, plan, result)
    outcome = worst(one.outcome for one in checks)
    names = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}
    latencies = {name: result.percentile_ms(point) for name, point in names.items()}

    def show(console: Console) -> None:
        rows = [
            (one.id, one.subject or "", one.outcome, f"{one.actual}", f"{one.expected}", one.reason or "")
            for one in checks
        ]
        console.print(table("", ("check", "subject", "outcome", "seen", "at most", "reason"), rows))
        told = ", ".join(f"{name} {value:.1f} ms" for name, value in latencies.items())
        console.print(f"{result.sent} requests, {result.lost} lost; {told}", markup=False)
        if result.causes():
            console.print(f"lost by cause: {result.causes()}", markup=False)

    return Reply(
        show=show,
        outcome=outcome,
        checks=checks,
        data={
            "load": {
                "requests": result.sent,
                "lost": result.lost,
                "dropped": result.dropped,
                "by_cause": {**result.causes()},
                "error_rate": result.error_rate,
                "latency_ms": {**latencies},
                "late_max_ms": result.late_max_ms,
                "late_p99_ms": result.late_p99_ms,
                "generator_core_share": result.cpu_s / result.ran_s,
                "histogram": result.served,
                "foreign": [one.model_dump(mode="json") for one in result.foreign],
            }
        },
    )


commands = {"load": load}
