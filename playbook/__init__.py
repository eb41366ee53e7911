"""Rehearse the hardening of a multi-tenant service on a disposable stack and keep the proof."""

__version__ = "0.1.0"
