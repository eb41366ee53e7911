"""
Owns the endpoints of workflows and their runs.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, status
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.api.access import CurrentCaller, TenantSession
from knowledge.api.paging import read_page
from knowledge.api.wire.values import Limit, Page, PageStart, PathId
from knowledge.api.wire.work import RunIn, RunOut, WorkflowIn, WorkflowOut
from knowledge.models import Workflow, WorkflowRun
from knowledge.trail import record_event
from knowledge.workflow_steps import StepFailedError, run_steps

__all__ = ["router"]

router = APIRouter(tags=["workflows"], responses={401: {}, 403: {}})


def read_workflow(session: Session, workflow_id: int) -> Workflow:
    """
    Read one; raises 404 when there is none, or none for this tenant: the two look the same.
    """
    workflow = session.get(Workflow, workflow_id)
    if workflow is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such workflow")
    return workflow


@router.get("/workflows")
def list_workflows(session: TenantSession, after: PageStart = 0, limit: Limit = 50) -> Page[WorkflowOut]:
    """
    List workflows in the order of their ids.
    """
    return read_page(session, select(Workflow), model=Workflow, out=WorkflowOut, after=after, limit=limit)


@router.post("/workflows", status_code=status.HTTP_201_CREATED)
def create_workflow(wanted: WorkflowIn, session: TenantSession, caller: CurrentCaller) -> WorkflowOut:
    """
    Create a workflow that the caller owns.
    """
    workflow = Workflow(owner_id=caller.user_id, name=wanted.name, steps=wanted.steps)
    session.add(workflow)
    session.flush()
    return WorkflowOut.model_validate(workflow)


@router.get("/workflows/{workflow_id}", responses={404: {}})
def get_workflow(workflow_id: PathId, session: TenantSession) -> WorkflowOut:
    """
    Read one workflow.
    """
    return WorkflowOut.model_validate(read_workflow(session, workflow_id))


@router.get("/workflows/{workflow_id}/runs", responses={404: {}})
def list_runs(workflow_id: PathId, session: TenantSession, after: PageStart = 0, limit: Limit = 50) -> Page[RunOut]:
    """
    List a workflow's runs in the order of their ids.
    """
    statement = select(WorkflowRun).where(WorkflowRun.workflow_id == read_workflow(session, workflow_id).id)
    return read_page(session, statement, model=WorkflowRun, out=RunOut, after=after, limit=limit)


@router.post("/workflows/{workflow_id}/runs", status_code=status.HTTP_201_CREATED, responses={404: {}})
def run_workflow(workflow_id: PathId, wanted: RunIn, session: TenantSession, caller: CurrentCaller) -> RunOut:
    """
    Run a workflow on a text. A step that fails is a run that failed, not an error.
    """
    workflow = read_workflow(session, workflow_id)
    try:
        outcome, output = "succeeded", run_steps(workflow.steps, wanted.input)
    except StepFailedError as error:
        outcome, output = "failed", str(error)
    run = WorkflowRun(workflow_id=workflow.id, status=outcome, input=wanted.input, output=output)
    session.add(run)
    session.flush()
    record_event(session, user_id=caller.user_id, kind="workflow.run", workflow_id=workflow.id, status=outcome)
    return RunOut.model_validate(run)


@router.get("/runs/{run_id}", responses={404: {}})
def get_run(run_id: PathId, session: TenantSession) -> RunOut:
    """
    Read one run.
    """
    run = session.get(WorkflowRun, run_id)
    if run is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such run")
    return RunOut.model_validate(run)
