"""
Owns our papermill engine: cells run one by one, and each ends with the status that it really had.

papermill's own engine says "completed" of a cell whose kernel died or whose time ran out, and of the cells that
never ran after it. An auditor reads those words, so they have to be true.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

from playbook.run.kernels import StartedKernel

__all__ = ["ENGINE", "CellEnd", "CellWord", "PlaybookEngine", "cell_ends"]

ENGINE = "hardening-playbook"
CellWord = Literal["ok", "failed", "timed_out", "dead_kernel", "not_run"]


@dataclass(frozen=True, slots=True)
class CellEnd:
    """
    How one code cell ended, and after how many seconds.
    """

    id: str
    status: CellWord
    duration_s: float


class PlaybookEngine(Engine):
    """
    Runs the cells of one notebook in one kernel, and stops at the first that does not complete.
    """

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        cell_limit_s: float = 900.0,
        kernel_env: Mapping[str, str] | None = None,
        kernel_cwd: str | None = None,
        room: Path | None = None,
        kernel: StartedKernel | None = None,
        heard: Callable[[CellEnd], None] = lambda _: None,
        **_: object,
    ) -> None:
        """
        Run the notebook under papermill's manager.

        An exception of a cell is in its outputs, where papermill finds and raises it; a time-out or a dead kernel
        leaves no output of its own, so one is written in its place. `kernel` is one that was started before; without,
        one is started now, whose sockets go into `room`.
        """
        with kernel or StartedKernel(name=kernel_name, env=kernel_env, cwd=kernel_cwd, room=room) as started:
            client = NotebookClient(
                nb_man.nb,
                km=started.manager,
                timeout=int(cell_limit_s),
                interrupt_on_timeout=False,
                shutdown_kernel="immediate",
            )
            with client.setup_kernel(cleanup_kc=True):
                for index, cell in enumerate(nb_man.nb.cells):
                    if cell.cell_type != "code":
                        cell.metadata.papermill["status"] = nb_man.COMPLETED
                    elif _run_cell(client, nb_man, index, heard) != "ok":
                        break


def _run_cell(
    client: NotebookClient, nb_man: NotebookExecutionManager, index: int, heard: Callable[[CellEnd], None]
) -> CellWord:
    cell = nb_man.nb.cells[index]
    begun = time.monotonic()
    status: CellWord = "ok"
    nb_man.cell_start(cell, index)
    try:
        client.execute_cell(cell, index)
    except CellExecutionError:
        status = "failed"
    except CellTimeoutError as err:
        status = "timed_out"
        _write_error(cell, "CellTimeoutError", str(err).splitlines()[0])
    except DeadKernelError as err:
        status = "dead_kernel"
        _write_error(cell, "DeadKernelError", str(err) or "the kernel died")
    except KeyboardInterrupt:
        status = "failed"
        _write_error(cell, "KeyboardInterrupt", "the run was interrupted here")
        raise
    finally:
        cell.metadata["playbook"] = {"status": status}
        if status != "ok":
            nb_man.cell_exception(cell, index)
        nb_man.cell_complete(cell, index)
        heard(CellEnd(str(cell.get("id", index)), status, round(time.monotonic() - begun, 3)))
    return status


def _write_error(cell: nbformat.NotebookNode, name: str, message: str) -> None:
    cell.outputs.append(nbformat.v4.new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"]))


def cell_ends(notebook: nbformat.NotebookNode) -> list[CellEnd]:
    """
    Read how each code cell of an executed notebook ended. Read-only.
    """
    ends = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            status = cell.metadata.get("playbook", {}).get("status", "not_run")
            duration = cell.metadata.get("papermill", {}).get("duration") or 0.0
            ends.append(CellEnd(str(cell.get("id", index)), status, duration))
    return ends


papermill_engines.register(ENGINE, PlaybookEngine)
