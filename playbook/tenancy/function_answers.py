"""
Owns asking functions that run with their owner's rights what they answer to whom, with arguments that are guessed.

Nothing is written: each call runs in a read-only transaction of the service's own role, which is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg import Error as PostgresError
from psycopg.rows import TupleRow

from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.tenancy.policies import read_app_role
from playbook.tenancy.relations import identifier, listed_tables, need_tenancy
from playbook.tenancy.truth import read_ownership

__all__ = ["Answers", "ask_functions"]

WORDS = 16
LONGEST = 200
NUMBERS = ("1", "1000")
STATEMENT_TIMEOUT_MS = 2000

FUNCTIONS = """
SELECT p.oid::bigint, format('%%s.%%s(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
       n.nspname, p.proname, p.proargtypes::oid[]::regtype[]::text[], p.proretset OR t.typtype = 'c',
       has_function_privilege(%(app)s, p.oid, 'EXECUTE') AND p.prorettype <> 'trigger'::regtype
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_type t ON t.oid = p.prorettype
 WHERE p.prosecdef
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'playbook')
 ORDER BY 2
"""
TEXTS = """
SELECT attname::text FROM pg_attribute
 WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND atttypid = 'text'::regtype ORDER BY attnum
"""
TENANTS = "SELECT {key}::text FROM {root} ORDER BY {key} LIMIT 2"


@dataclass(frozen=True, slots=True)
class Answers:
    """
    What one function answered.

    `shared` rows came for both tenants with the same arguments, `unbound` ones with no tenant bound; `most` is the
    longest answer. `note` says why it was not called, or that its answer is a value and no row, which two tenants may
    well have in common. `refused` is the server's first message where it refused every call.
    """

    function: str
    calls: int = 0
    shared: int = 0
    unbound: int = 0
    most: int = 0
    note: str | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class _Function:
    label: str
    name: sql.Identifier
    arguments: Sequence[str]
    rows: bool
    open: bool


def ask_functions(scene: Scene) -> Iterator[Answers]:
    """
    Call every function with its owner's rights, as the service's role. Read-only.
    """
    tenancy = need_tenancy(scene.target)
    with connect(scene.database, "app", read_only=True, purpose="functions") as app:
        with connect(scene.database, "superuser", autocommit=True, read_only=True, purpose="functions") as conn:
            functions = _read_functions(conn, read_app_role(scene))
            words = _read_words(conn, listed_tables(conn, tenancy))
            key = read_ownership(conn, tenancy, tenancy.root).primary_key
            root = {"root": identifier(tenancy.root), "key": sql.Identifier(key)}
            tenants = [str(one) for (one,) in conn.execute(sql.SQL(TENANTS).format(**root)).fetchall()]
        for function in functions:
            yield _ask(app, function, words, tenants, tenancy.setting)


def _read_functions(conn: Connection[TupleRow], app: str) -> list[_Function]:
    rows = conn.execute(FUNCTIONS.encode(), {"app": app}).fetchall()
    return [_Function(str(r[1]), sql.Identifier(r[2], r[3]), r[4], bool(r[5]), bool(r[6])) for r in rows]


def _read_words(conn: Connection[TupleRow], tables: Sequence[str]) -> list[str]:
    """
    Take a few texts out of each table, whole and their first words.
    """
    per_table = []
    for table in tables:
        columns = [str(name) for (name,) in conn.execute(TEXTS, (identifier(table).as_string(None),)).fetchall()]
        if not columns:
            continue
        query = sql.SQL("SELECT {columns} FROM {table} LIMIT 1").format(
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)), table=identifier(table)
        )
        row = conn.execute(query).fetchone() or ()
        texts = [text for text in row if isinstance(text, str) and 0 < len(text) <= LONGEST]
        per_table.append([*texts, *(text.split()[0] for text in texts if text.split())])
    words: list[str] = []
    for turn in range(max(map(len, per_table), default=0)):
        words += [texts[turn] for texts in per_table if turn < len(texts) and texts[turn] not in words]
    return words[:WORDS]


def _ask(
    conn: Connection[TupleRow], function: _Function, words: Sequence[str], tenants: Sequence[str], setting: str
) -> Answers:
    if not function.open:
        return Answers(function.label, note="the service's role may not call it")
    call = sql.SQL("SELECT answer::text FROM {name}({arguments}) AS answer").format(
        name=function.name,
        arguments=sql.SQL(", ").join(sql.SQL("%s::{}").format(sql.SQL(one)) for one in function.arguments),
    )
    shared = unbound = most = 0
    answered: list[list[str]] = []
    refused: list[str] = []
    for values in _guess(function.arguments, words):
        answers = [_answer(conn, call, values, setting, bound) for bound in (*tenants, "")]
        refused += [answer for answer in answers if isinstance(answer, str)]
        first, second, none = ([] if isinstance(answer, str) else answer for answer in answers)
        answered += [first, second, none]
        shared += len({*first} & {*second}) if function.rows else 0
        unbound += len(none) if function.rows else 0
        most = max(most, len(first), len(second), len(none))
    note = None if function.rows else "it answers with a value, which two tenants may have in common"
    whole = refused[0] if len(refused) == len(answered) else None
    return Answers(function.label, len(answered), shared, unbound, most, note, whole)


def _guess(arguments: Sequence[str], words: Sequence[str]) -> list[tuple[str, ...]]:
    """
    Give one word to every text, and a number to all others: what does not fit is refused by the server.

    A number beside a text is mostly a limit, alone it may be an id, of which the first is likely to be there.
    """
    texts, numbers = (words, NUMBERS[-1:]) if "text" in arguments else (words[:1], NUMBERS)
    guesses = (tuple(word if one == "text" else number for one in arguments) for word in texts for number in numbers)
    return list(dict.fromkeys(guesses))


def _answer(
    conn: Connection[TupleRow], call: sql.Composed, values: tuple[str, ...], setting: str, bound: str
) -> list[str] | str:
    """
    Give the rows of an answer, or the server's message where it refuses the call.
    """
    try:
        conn.execute(
            "SELECT set_config(%s, %s, true), set_config('statement_timeout', %s, true)",
            (setting, bound, str(STATEMENT_TIMEOUT_MS)),
        )
        return [str(row) for (row,) in conn.execute(call, values).fetchall()]
    except PostgresError as err:
        return str(err).splitlines()[0]
    finally:
        conn.rollback()
