"""
Each switch, on and off: off shows the fault, on does not, and nothing else changes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import jwt
import pytest
from psycopg import sql

from tests.app.postgres_server import Postgres
from tests.app.service_process import NAMES, PASSWORD, SECRET, App, run_knowledge, start_found, start_hardened

pytestmark = pytest.mark.stack

CONTEXT = ("context_required", "inactive_tenant_refused", "tenant_context_local", "tenant_from_token")


@pytest.fixture(scope="module")
def weak_app(postgres: Postgres) -> Iterator[App]:
    """The hardened schema under an app whose switches of context are off; one connection, so that order is certain."""
    with start_hardened(postgres, **{f"KB_{name.upper()}": "false" for name in CONTEXT}, KB_POOL_SIZE="1") as app:
        yield app


def sign_token(**claims: object) -> dict[str, str]:
    """A token as the service itself would sign it."""
    payload = {"iss": "knowledge", "sub": "1", "role": "admin", "exp": 2**40, **claims}
    return {"Authorization": f"Bearer {jwt.encode(payload, SECRET, 'HS256')}"}


def refuse(postgres: Postgres, role: str = "kb_app", **settings: str) -> tuple[int, str]:
    env = {"KB_DATABASE_URL": postgres.dsn("template_hardened", role), **settings}
    done = run_knowledge("serve", "--port", "1", env=env)
    return done.returncode, done.stderr


class TestList:
    """Every switch has a description, and a running service tells which are on."""

    def test_the_command_tells_names_and_descriptions(self) -> None:
        done = run_knowledge("switches", "--json", env={})
        descriptions = json.loads(done.stdout)
        assert sorted(descriptions) == list(NAMES)
        assert all("Off: " in text for text in descriptions.values())

    def test_version_tells_what_is_on(self, found_app: App, hardened_app: App, weak_app: App) -> None:
        on = [app.http.get("/version").json()["switches"] for app in (found_app, hardened_app, weak_app)]
        assert on == [[], list(NAMES), [name for name in NAMES if name not in CONTEXT]]


class TestSecretRequired:
    """On, a secret that somebody else knows keeps the service from starting."""

    @pytest.mark.parametrize(
        ("secret", "reason"),
        [
            ({}, "is missing"),
            ({"KB_JWT_SECRET": ""}, "is missing"),
            ({"KB_JWT_SECRET": "change-me-before-production-0123456789"}, "is a default"),
            ({"KB_JWT_SECRET": SECRET[:31]}, "has 31 characters"),
        ],
    )
    def test_on_it_is_refused(self, postgres: Postgres, secret: dict[str, str], reason: str) -> None:
        code, message = refuse(postgres, KB_SECRET_REQUIRED="true", **secret)
        assert code == 78
        assert message.startswith(f"refused: KB_JWT_SECRET: {reason}")
        assert message.count("\n") == 1
        assert not any(value and value in message for value in secret.values())

    def test_off_it_serves_without_one(self, postgres: Postgres) -> None:
        with start_found(postgres, KB_JWT_SECRET="") as app:
            assert app.http.get("/me", headers=app.log_in("acme")).status_code == 200


class TestLeastPrivilegeRole:
    """On, a role that row security would not hold keeps the service from starting."""

    @pytest.mark.parametrize(
        ("role", "reason"), [("postgres", "is a superuser"), ("kb_owner", "owns 21 tables of its schema")]
    )
    def test_on_a_powerful_role_is_refused(self, postgres: Postgres, role: str, reason: str) -> None:
        code, message = refuse(postgres, role, KB_LEAST_PRIVILEGE_ROLE="true")
        assert code == 78
        assert message.startswith(f"refused: KB_DATABASE_URL: the role {role} {reason}; ")

    def test_on_a_role_that_may_become_one_that_bypasses_is_refused(self, postgres: Postgres) -> None:
        postgres.execute(sql.SQL("CREATE ROLE kb_climber LOGIN IN ROLE kb_lookup"))
        code, message = refuse(postgres, "kb_climber", KB_LEAST_PRIVILEGE_ROLE="true")
        assert (code, "kb_climber bypasses row security" in message) == (78, True)

    def test_on_a_database_that_cannot_be_asked_is_refused(self) -> None:
        env = {"KB_DATABASE_URL": "postgresql://kb_app@127.0.0.1:1/none", "KB_LEAST_PRIVILEGE_ROLE": "true"}
        done = run_knowledge("serve", "--port", "1", env=env)
        assert (done.returncode, "cannot be reached" in done.stderr) == (69, True)

    def test_off_the_owner_serves(self, found_app: App) -> None:
        assert found_app.http.get("/health/live").status_code == 200


class TestReadyChecksDependencies:
    """On, readiness follows the database; it answers in bounded time even when the database does not."""

    def test_on_it_turns_with_the_database(self, postgres: Postgres, hardened_app: App, found_app: App) -> None:
        postgres.stop()
        try:
            answer = hardened_app.http.get("/health/ready")
            assert (answer.status_code, answer.json()["dependencies"]) == (503, {"database": "down"})
            assert hardened_app.http.get("/health/live").status_code == 200
            body = {"tenant": "acme", "email": "admin@acme.example", "password": "x"}
            assert hardened_app.http.post("/auth/login", json=body).status_code == 503
            assert found_app.http.get("/health/ready").status_code == 200
        finally:
            postgres.start()
        assert hardened_app.http.get("/health/ready").json() == {"status": "ready", "dependencies": {"database": "up"}}
        assert hardened_app.http.get("/me", headers=hardened_app.log_in("acme")).status_code == 200

    def test_on_a_frozen_database_does_not_hang_it(self, postgres: Postgres, hardened_app: App) -> None:
        with postgres.frozen():
            started = time.monotonic()
            assert hardened_app.http.get("/health/ready").status_code == 503
            assert time.monotonic() - started < 5
        assert hardened_app.http.get("/health/ready").status_code == 200


class TestTenantContextLocal:
    """Off, a tenant that asked once stays bound to the connection, for whoever is not bound at all."""

    def test_off_the_binding_leaks_to_the_next_request(self, weak_app: App) -> None:
        for slug, available in (("acme", False), ("borealis", True)):
            weak_app.http.get("/me", headers=weak_app.log_in(slug))
            answer = weak_app.http.get("/auth/available", params={"email": "admin@acme.example"})
            assert answer.json() == {"available": available}

    def test_off_every_tenant_still_sees_its_own_rows(self, weak_app: App) -> None:
        for slug in ("acme", "borealis", "acme"):
            items = weak_app.http.get("/documents", headers=weak_app.log_in(slug)).json()["items"]
            assert items
            assert all(f"canary-{slug}-" in item["body"] for item in items)


class TestTenantFromToken:
    """Off, a header says whose rows are shown; on, it is not even read."""

    def test_off_the_header_wins(self, weak_app: App) -> None:
        headers = weak_app.log_in("borealis") | {"X-Tenant-ID": "1"}
        assert "canary-acme-" in weak_app.http.get("/documents", headers=headers).text

    def test_off_a_header_that_is_no_number_never_reaches_sql(self, weak_app: App) -> None:
        weak_app.http.get("/documents", headers=weak_app.log_in("borealis"))
        headers = weak_app.log_in("borealis") | {"X-Tenant-ID": "1'; RESET ROLE; --"}
        assert "canary-acme-" not in weak_app.http.get("/documents", headers=headers).text

    @pytest.mark.parametrize("value", ["1", "", "x"])
    def test_on_the_header_is_ignored(self, hardened_app: App, value: str) -> None:
        headers = hardened_app.log_in("borealis")
        plain = hardened_app.http.get("/documents", headers=headers).json()
        assert hardened_app.http.get("/documents", headers=headers | {"X-Tenant-ID": value}).json() == plain


class TestContextRequired:
    """On, a token that names no tenant opens nothing; off, it is served in whatever context the connection has."""

    def test_off_it_is_served_in_anothers_context(self, weak_app: App) -> None:
        weak_app.http.get("/documents", headers=weak_app.log_in("acme"))
        assert "canary-acme-" in weak_app.http.get("/documents", headers=sign_token()).text

    def test_off_as_found_it_is_served(self, found_app: App) -> None:
        assert found_app.http.get("/documents", headers=sign_token()).status_code == 200

    @pytest.mark.parametrize("claims", [{}, {"tenant": None}])
    def test_on_it_is_refused(self, hardened_app: App, claims: dict[str, object]) -> None:
        answer = hardened_app.http.get("/documents", headers=sign_token(**claims))
        assert (answer.status_code, answer.json()) == (403, {"detail": "the request belongs to no tenant"})

    def test_on_a_header_that_is_no_tenant_is_refused(self, postgres: Postgres) -> None:
        with start_hardened(postgres, KB_TENANT_FROM_TOKEN="false") as app:
            headers = app.log_in("acme")
            for value in ("x", "", "-1", "1.0", "9" * 5000):
                assert app.http.get("/documents", headers=headers | {"X-Tenant-ID": value}).status_code == 403
            assert app.http.get("/documents", headers=headers | {"X-Tenant-ID": "999"}).status_code == 403


class TestInactiveTenantRefused:
    """On, a suspended tenant is refused at login, and at once with a token or a key that it still has."""

    def test_off_it_logs_in_and_its_token_works(self, weak_app: App) -> None:
        assert "canary-dalia-" in weak_app.http.get("/documents", headers=weak_app.log_in("dalia")).text

    def test_on_it_cannot_log_in_and_only_its_users_learn_why(self, hardened_app: App) -> None:
        body = {"tenant": "dalia", "email": "admin@dalia.example", "password": PASSWORD}
        assert hardened_app.http.post("/auth/login", json=body).status_code == 403
        assert hardened_app.http.post("/auth/login", json={**body, "password": "wrong"}).status_code == 401

    def test_on_a_token_and_a_key_stop_with_the_tenant(self, postgres: Postgres) -> None:
        with start_hardened(postgres) as app:
            token = app.log_in("borealis")
            key = {"X-API-Key": app.http.post("/api-keys", json={"name": "x"}, headers=token).json()["key"]}
            app.execute("UPDATE tenants SET status = 'suspended' WHERE slug = 'borealis'")
            for headers in (token, key):
                for method, path in (("GET", "/documents"), ("GET", "/me"), ("GET", "/stats")):
                    answer = app.http.request(method, path, headers=headers)
                    assert (answer.status_code, answer.json()) == (403, {"detail": "the tenant is suspended"})
                assert app.http.post("/ai/complete", json={"prompt": "x"}, headers=headers).status_code == 403
            app.execute("UPDATE tenants SET status = 'active' WHERE slug = 'borealis'")
            assert app.http.get("/me", headers=token).status_code == 200

    def test_on_a_tenant_that_is_gone_is_refused(self, hardened_app: App) -> None:
        assert hardened_app.http.get("/documents", headers=sign_token(tenant=999)).status_code == 403
