"""Names of models and the deployments behind them, without Ray's."""

import numpy as np
import pytest
from ray.serve.handle import DeploymentHandle

from deploy.config import Deployed, Served
from deploy.fleet import Fleet
from services.clients.chat_server import Endpoint
from services.deployments.replicas import ModelCard, ReplicaReply
from services.deployments.scale import Scale
from services.deployments.stubs import LLMStub
from services.errors import BadConfig
from services.llms.openai_server import ServedLLM
from services.protocols import AnyModel, StructuredLLM
from services.request_context import RequestContext
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM, ScriptedStructuredLLM
from services.scripted.rules import weigh
from services.types import AudioClip, Message, PlannerName, Question, Reading

CLIP = AudioClip(np.zeros(16_000, np.float32))
EARS = {"captioner-ears": ScriptedEars(), "asr-ears": ScriptedEars()}


def place(kind: str, label: str) -> Deployed:
    """Return a model that runs in the replica of the agent."""
    served = Served(name=label, placement="fused")
    return Deployed.model_validate({"kind": kind, "label": label, "served": served, "scale": Scale()})


def no_deployment(_: str) -> DeploymentHandle:
    raise AssertionError("All models are in this process.")


@pytest.mark.parametrize(("temperature", "is_told"), [(0.0, True), (None, False)])
async def test_an_open_reply_is_written_as_asked_where_all_that_write_it_can_be_told(
    temperature: float | None, is_told: bool
) -> None:
    llm = ServedLLM(Endpoint(url="http://127.0.0.1:1/v1", model="big", temperature=temperature), name="big")
    models: dict[str, AnyModel] = {"llm-big": llm, "lalm-ear": ScriptedLALM(), **EARS}
    offered = [place(*role.split("-")) for role in models]
    fleet = Fleet(offered, no_deployment, fused=models)
    told = {name: await fleet.takes_reply_options(name) for name in fleet.ways}
    assert told["text/big"] == told["cascade/big"] == is_told
    assert told["lalm/ear"] is told["both"] is told["auto"] is False
    assert await fleet.takes_reply_options("cascade") == await fleet.takes_reply_options(None) == is_told


@pytest.mark.parametrize("takes_schema", [True, False])
async def test_a_stub_says_whether_replies_can_be_held_to_a_schema_and_passes_it_on(takes_schema: bool) -> None:
    asked: list[tuple[object, ...]] = []

    async def ask(_: RequestContext, *call: object) -> ReplicaReply:
        asked.append(call)
        return ReplicaReply(Reading(reply="{}"), ())

    stub = LLMStub(ask, ModelCard(name="big", revision="1", takes_schema=takes_schema))
    assert isinstance(stub, StructuredLLM) and stub.takes_schema == takes_schema
    prompt = (Message(role="user", content="Why?"),)
    assert (await stub.complete_as(prompt, {"type": "object"})).reply == "{}"
    assert asked == [("complete_as", prompt, {"type": "object"})]


@pytest.mark.parametrize(("planner", "plans"), [("llm", True), ("classifier", False), (None, False)])
async def test_an_llm_plans_where_the_configuration_says_so(planner: PlannerName | None, plans: bool) -> None:
    llm = ScriptedStructuredLLM(
        lambda _: '{"missing": "", "tool": "stop", "arguments": {}, "why": ""}', weigh(0.5, 0.5), name="big"
    )
    models: dict[str, AnyModel] = {"llm-big": llm, **EARS}
    offered = [place(*role.split("-")) for role in models]
    served = offered[0].served.model_copy(update={"planner": planner})
    offered[0] = offered[0].model_copy(update={"served": served})
    answerer = await Fleet(offered, no_deployment, fused=models).find_answerer("cascade/big")
    answer = await answerer.answer(Question.ask("Which is it?", ("This", "That")), CLIP)
    assert any(one.plan for one in answer.trace) == plans
    assert await Fleet(offered, no_deployment, fused=models).find_answerer("text/big")


async def test_an_llm_that_cannot_plan_is_refused_by_name() -> None:
    models: dict[str, AnyModel] = {"llm-small": ScriptedLLM(name="small"), **EARS}
    offered = [place(*role.split("-")) for role in models]
    served = offered[0].served.model_copy(update={"planner": "llm"})
    fleet = Fleet([offered[0].model_copy(update={"served": served}), *offered[1:]], no_deployment, fused=models)
    with pytest.raises(BadConfig, match="'small' cannot plan"):
        await fleet.find_answerer("cascade/small")
