"""
Owns Service: everything that a request needs, composed once at start from the settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from knowledge.ai_budget import Spend, choose_spending
from knowledge.build import Build, read_build
from knowledge.database_role import check_role
from knowledge.engine import make_engine
from knowledge.language_model import LanguageModel
from knowledge.rate_limits import RateLimits, choose_limits
from knowledge.readiness import Readiness, choose_readiness
from knowledge.settings import Settings
from knowledge.signing_secret import choose_secret
from knowledge.switches import read_names_on
from knowledge.tenant_context import BindTenant, choose_binding
from knowledge.tenant_source import TenantSource, choose_source
from knowledge.tenant_standing import Standing, choose_standing
from knowledge.thread_lists import ReadThreads, choose_thread_list
from knowledge.tokens import Tokens
from knowledge.upload_types import ChooseType, choose_typing

__all__ = ["Departure", "Service", "make_service"]


@dataclass(slots=True)
class Departure:
    """
    Whether this instance has begun to leave; from then on it is not ready.
    """

    begun: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """
    The parts of a running service, in the forms that the switches chose.
    """

    engine: Engine
    tokens: Tokens
    bind_tenant: BindTenant
    tenant_source: TenantSource
    standing: Standing
    readiness: Readiness
    departure: Departure
    read_threads: ReadThreads
    model: LanguageModel
    spend: Spend
    choose_type: ChooseType
    limits: RateLimits | None
    build: Build
    switches: tuple[str, ...]

    @contextmanager
    def transaction(self, tenant_id: int | None = None) -> Iterator[Session]:
        """
        Run one transaction, bound to a tenant where one is given; commit at the end, roll back on any exception.

        The session keeps to one connection, for the binding belongs to it.
        """
        with self.engine.connect() as connection:
            if tenant_id is not None:
                self.bind_tenant(connection, tenant_id)
            with Session(connection, expire_on_commit=False) as session:
                yield session
                session.flush()
                connection.commit()

    @contextmanager
    def serve(self, tenant_id: int | None) -> Iterator[Session]:
        """
        Run one transaction of a tenant that may be served. Raises InactiveTenantError.
        """
        with self.transaction(tenant_id) as session:
            self.standing.check_tenant(session, tenant_id)
            yield session


def make_service(settings: Settings) -> Service:
    """
    Compose the service. Raises Refusal when a setting, or the database role, is refused.
    """
    secret = choose_secret(settings)
    engine = make_engine(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    check_role(settings, engine)
    tokens = Tokens(secret, settings.token_lifetime_s)
    return Service(
        engine=engine,
        tokens=tokens,
        bind_tenant=choose_binding(settings),
        tenant_source=choose_source(settings),
        standing=choose_standing(settings),
        readiness=choose_readiness(settings),
        departure=Departure(),
        read_threads=choose_thread_list(settings),
        model=LanguageModel(settings.model_latency_s),
        spend=choose_spending(settings),
        choose_type=choose_typing(settings),
        limits=choose_limits(settings, tokens),
        build=read_build(settings),
        switches=tuple(read_names_on(settings)),
    )
