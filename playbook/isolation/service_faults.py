"""
Owns the faults of the service itself: a hardening switched off, or a line of its code changed.
"""

from __future__ import annotations

from playbook.isolation.routes import INPUTS, LIES, LOGGED, POOL, SECURED, STORES, UNBOUND_LISTS
from playbook.proof.sabotage import CodeEdit, Sabotage, SwitchOff
from playbook.stack.protocol import Edit

__all__ = ["SERVICE_FAULTS"]

SERVICE_FAULTS: tuple[Sabotage, ...] = (
    Sabotage(
        name="tenant-set-for-the-session",
        title="The tenant is set for the session and stays on the pooled connection",
        phase="30",
        protection="context",
        mechanism="SET for the session",
        fault=SwitchOff("tenant_context_local"),
        kills={"context.pool.no-leak": POOL},
        profile="standard",
    ),
    Sabotage(
        name="tenant-from-header",
        title="The service takes the tenant from a header",
        phase="30",
        protection="tenant from the token",
        mechanism="X-Tenant-ID trusted",
        fault=SwitchOff("tenant_from_token"),
        kills={"http.header.ignored": SECURED},
        profile="standard",
    ),
    Sabotage(
        name="suspended-tenant-served",
        title="A tenant that is suspended is served like any other",
        phase="30",
        protection="active tenant",
        mechanism="status not asked",
        fault=SwitchOff("inactive_tenant_refused"),
        kills={"http.tenant.inactive-refused": ("login", "request")},
        profile="standard",
    ),
    Sabotage(
        name="nobody-served",
        title="A token without a tenant is served, as nobody",
        phase="30",
        protection="tenant required",
        mechanism="absence not asked",
        fault=SwitchOff("context_required"),
        kills={"http.tenant.required": UNBOUND_LISTS},
        profile="standard",
    ),
    Sabotage(
        name="errors-tell-statements",
        title="An error tells the statement and the stack",
        phase="30",
        protection="error answers",
        mechanism="details added",
        fault=SwitchOff("errors_hide_internals"),
        kills={"http.error.hides-internals": STORES},
        profile="standard",
    ),
    Sabotage(
        name="inputs-repeated",
        title="A refused input is repeated in the answer",
        phase="30",
        protection="validation answers",
        mechanism="value added",
        fault=SwitchOff("validation_hides_input"),
        kills={"http.validation.hides-input": INPUTS},
        profile="standard",
    ),
    Sabotage(
        name="log-keeps-everything",
        title="The log holds whatever it is given",
        phase="30",
        protection="log fields",
        mechanism="no allow list",
        fault=SwitchOff("logs_redacted"),
        kills={"log.line.impersonal": LOGGED},
        profile="standard",
    ),
    Sabotage(
        name="upload-type-believed",
        title="A file is of the type that its sender says",
        phase="30",
        protection="upload types",
        mechanism="client believed",
        fault=SwitchOff("upload_type_sniffed"),
        kills={"http.upload.type-sniffed": LIES},
        profile="standard",
    ),
    Sabotage(
        name="document-cached-by-key",
        title="One endpoint keeps documents in memory by their key alone",
        phase="30",
        protection="row security reached on every read",
        mechanism="cache without the tenant in its key",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/documents.py",
                old="    return DocumentOut.model_validate(read_document(session, document_id))\n\n\n@router.patch",
                new=(
                    "    if document_id not in CACHE:\n"
                    "        CACHE[document_id] = DocumentOut.model_validate(read_document(session, document_id))\n"
                    "    return CACHE[document_id]\n\n\n"
                    "CACHE: dict[int, DocumentOut] = {}\n\n\n@router.patch"
                ),
            )
        ),
        kills={
            "http.object.foreign-not-found": ("GET /documents/{document_id}",),
            "http.header.ignored": ("GET /documents/{document_id}",),
        },
    ),
    Sabotage(
        name="parent-not-read",
        title="A document is created without looking whether its knowledge base is there",
        phase="30",
        protection="parent read under the tenant",
        mechanism="look-up left out",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/documents.py",
                old="    read_knowledge_base(session, wanted.knowledge_base_id)\n    document = Document(",
                new="    document = Document(",
            )
        ),
        kills={"http.parent.foreign-not-found": ("POST /documents",)},
        profile="standard",
    ),
)
