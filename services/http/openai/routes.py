"""Routes of OpenAI's API: chat completions, responses and transcriptions."""

from dataclasses import replace
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from services.http.access.admission import AdmissionControl
from services.http.access.limits import Limits
from services.http.answering import BOTH, Answered, answer, find_default
from services.http.events.stream import EVENT_STREAM, EventSink, respond
from services.http.forms import read_json
from services.http.hearing.transcription import (
    DiarizedTranscription,
    Transcription,
    VerboseTranscription,
    transcribe,
)
from services.http.hearing.transcription_form import DescribedForm, read_recording
from services.http.openai.chat import Chat, ChatRequest, read_chat
from services.http.openai.chat_reply import ChatCompletion, build_completion, stream_events
from services.http.openai.parameters import PASSED_ON, warn_of
from services.http.openai.responses import ResponseRequest, read_response_request
from services.http.openai.responses_reply import ResponseReply, build_response, stream_response
from services.http.openapi import describe_body
from services.http.responses import ERRORS, make_json_response
from services.http.service import Service
from services.request_context import get_context, use_context

PLAIN_OR_EVENTS: dict[str, dict[str, object]] = {"text/plain": {}, EVENT_STREAM: {}}


def add_openai_routes(router: APIRouter, service: Service, limits: Limits, admission: AdmissionControl) -> None:
    """Add the routes that OpenAI's clients use to ask."""

    @router.post(
        "/v1/chat/completions",
        response_model=ChatCompletion,
        responses=ERRORS | {200: {"content": {EVENT_STREAM: {}}}},
        openapi_extra=describe_body(json=ChatRequest),
    )
    async def chat(request: Request) -> Response:
        """Answer a question about a recording as OpenAI's chat completions do."""

        async def work(chat: Chat) -> Response:
            """Answer in the form of a chat completion."""
            return await _complete_chat(service, limits, chat)

        def parse(body: bytes) -> Chat:
            """Read a chat request."""
            return read_chat(body, service.resolve)

        return await admission.serve(request, lambda it: read_json(it, limits, parse), work)

    @router.post(
        "/v1/responses",
        response_model=ResponseReply,
        responses=ERRORS | {200: {"content": {EVENT_STREAM: {}}}},
        openapi_extra=describe_body(json=ResponseRequest),
    )
    async def respond(request: Request) -> Response:
        """Answer a question about a recording as OpenAI's Responses API does."""

        async def work(chat: Chat) -> Response:
            """Answer in the form of a response."""
            return await _respond(service, limits, chat)

        def parse(body: bytes) -> Chat:
            """Read a request for a response."""
            return read_response_request(body, service.resolve)

        return await admission.serve(request, lambda it: read_json(it, limits, parse), work)


def add_transcription_routes(router: APIRouter, service: Service, limits: Limits, admission: AdmissionControl) -> None:
    """Add the routes that OpenAI's clients use to transcribe and to translate."""

    async def work(request: Request, events: EventSink, *, is_translation: bool) -> Response | None:
        """Transcribe the recording of the request, or translate what is said in it."""
        return await admission.serve(
            request,
            lambda it: read_recording(it, limits, is_translation=is_translation),
            lambda recording: transcribe(service, limits, recording, events),
        )

    @router.post(
        "/v1/audio/transcriptions",
        response_model=Transcription | VerboseTranscription | DiarizedTranscription,
        responses=ERRORS | {200: {"content": PLAIN_OR_EVENTS}},
        openapi_extra=describe_body(form=DescribedForm),
    )
    async def write_down(request: Request) -> Response:
        """Transcribe a recording, as OpenAI's transcriptions do."""
        return await respond(request, partial(work, request, is_translation=False))

    @router.post(
        "/v1/audio/translations",
        response_model=Transcription | VerboseTranscription,
        responses=ERRORS | {200: {"content": PLAIN_OR_EVENTS}},
        openapi_extra=describe_body(form=DescribedForm),
    )
    async def translate(request: Request) -> Response:
        """Write in English what is said in a recording, as OpenAI's translations do."""
        return await respond(request, partial(work, request, is_translation=True))


async def _complete_chat(service: Service, limits: Limits, chat: Chat) -> Response:
    whole, _ = await _complete(service, limits, chat)
    if not chat.is_stream:
        return make_json_response(whole)
    chunks = stream_events(whole, with_usage=chat.with_usage)
    return StreamingResponse(chunks, media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"})


async def _respond(service: Service, limits: Limits, chat: Chat) -> Response:
    whole = build_response(*await _complete(service, limits, chat))
    if not chat.is_stream:
        return make_json_response(whole)
    return StreamingResponse(stream_response(whole), media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"})


async def _complete(service: Service, limits: Limits, chat: Chat) -> tuple[ChatCompletion, Answered]:
    options, ignored = chat.reply_options, chat.ignored
    if options and await service.takes_reply_options(chat.asked.model):
        ignored = tuple(name for name in ignored if name not in PASSED_ON)
    else:
        options = None
    is_open = not chat.asked.question.choices
    warnings = (*warn_of(ignored, is_open=is_open, is_strict=limits.strict_parameters), *chat.warnings)
    with use_context(replace(get_context(), reply_options=options)):
        answered = await answer(service, limits, chat.asked)
    arms = await service.list_arms() if chat.asked.model == BOTH else ("", "")
    model = chat.asked.model or await find_default(service)
    write = chat.json.write if chat.json else chat.prompt.write
    return build_completion(answered, model, arms, warnings, write, num_logprobs=chat.num_logprobs), answered
