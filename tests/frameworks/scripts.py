"""Models that answer from a script, one for each framework: no network, no chance."""

import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import attrs

Step = str | tuple[str, dict[str, Any]]
"""A text that ends the turn, or a tool that is called with arguments."""


@attrs.define
class Script:
    """What a model does next, and what it was sent each time."""

    steps: list[Step]
    seen: list[str] = attrs.field(factory=list)

    def next(self, sent: object) -> Step:
        """The next step."""
        self.seen.append(str(sent))
        return self.steps.pop(0)


def langchain_model(script: Script) -> Any:
    """A chat model of LangChain's."""
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    class Scripted(BaseChatModel):
        @property
        def _llm_type(self) -> str:
            return "scripted"

        def bind_tools(self, tools: Any, **_: Any) -> Any:  # noqa: ARG002
            return self

        def _generate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
            step = script.next(messages)
            if isinstance(step, str):
                message = AIMessage(step)
            else:
                call = {"name": step[0], "args": step[1], "id": f"call-{len(script.seen)}"}
                message = AIMessage("", tool_calls=[call])
            return ChatResult(generations=[ChatGeneration(message=message)])

    return Scripted()


def openai_model(script: Script) -> Any:
    """A model of the OpenAI Agents SDK."""
    from agents import Model, ModelResponse, Usage
    from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

    class Scripted(Model):
        async def get_response(self, **request: Any) -> ModelResponse:  # type: ignore[override]  # as it is called
            step = script.next(request["input"])
            number = len(script.seen)
            if isinstance(step, str):
                text = ResponseOutputText(text=step, type="output_text", annotations=[])
                output: Any = ResponseOutputMessage(
                    id=f"message-{number}", content=[text], role="assistant", status="completed", type="message"
                )
            else:
                output = ResponseFunctionToolCall(
                    name=step[0], arguments=json.dumps(step[1]), call_id=f"call-{number}", type="function_call"
                )
            return ModelResponse(output=[output], usage=Usage(), response_id=None)

        def stream_response(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError

    return Scripted()


def pydantic_ai_model(script: Script) -> Any:
    """A model of Pydantic AI."""
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import FunctionModel

    def answer(messages: Any, _: Any) -> ModelResponse:
        step = script.next(messages)
        return ModelResponse(parts=[TextPart(step) if isinstance(step, str) else ToolCallPart(*step)])

    return FunctionModel(answer)


def adk_model(script: Script) -> Any:
    """A model of Google's ADK."""
    from google.adk.models import BaseLlm, LlmRequest, LlmResponse
    from google.genai import types

    class Scripted(BaseLlm):
        async def generate_content_async(
            self,
            llm_request: LlmRequest,
            stream: bool = False,  # noqa: ARG002, FBT001, FBT002
        ) -> AsyncGenerator[LlmResponse, None]:
            step = script.next([content.model_dump(exclude_none=True) for content in llm_request.contents])
            if isinstance(step, str):
                part = types.Part(text=step)
            else:
                part = types.Part(function_call=types.FunctionCall(name=step[0], args=step[1]))
            yield LlmResponse(content=types.Content(role="model", parts=[part]))

    return Scripted(model="scripted")


def agent_framework_client(script: Script) -> Any:
    """A chat client of Microsoft's Agent Framework."""
    from agent_framework import BaseChatClient, ChatResponse, Content, FunctionInvocationLayer, Message

    class Scripted(FunctionInvocationLayer, BaseChatClient):
        def _inner_get_response(self, *, messages: Sequence[Message], **_: Any) -> Any:
            async def answer() -> ChatResponse:
                step = script.next([message.to_dict() for message in messages])
                if isinstance(step, str):
                    return ChatResponse(messages=[Message("assistant", [step])])
                call = Content.from_function_call(f"call-{len(script.seen)}", step[0], arguments=step[1])
                return ChatResponse(messages=[Message("assistant", [call])])

            return answer()

    return Scripted()


def anthropic_client(script: Script) -> Any:
    """A client of Anthropic's, whose requests end in this process."""
    import httpx2
    from anthropic import AsyncAnthropic

    def answer(request: httpx2.Request) -> httpx2.Response:
        step = script.next(request.content.decode())
        if isinstance(step, str):
            block: dict[str, Any] = {"type": "text", "text": step}
        else:
            block = {"type": "tool_use", "id": f"toolu_{len(script.seen)}", "name": step[0], "input": step[1]}
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "scripted",
            "content": [block],
            "stop_reason": "end_turn" if isinstance(step, str) else "tool_use",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        return httpx2.Response(200, json=message)

    return AsyncAnthropic(api_key="none", http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(answer)))
