"""
Owns what a kernel that is started before its turn imports, as an IPython extension: nothing else of it is touched.
"""

from __future__ import annotations

__all__ = ["load_ipython_extension"]


def load_ipython_extension(shell: object) -> None:
    """
    Import what our notebooks import.
    """
    del shell
    import playbook.notebook  # noqa: PLC0415
    import playbook.run.open  # noqa: F401, PLC0415
