"""A graph of LangGraph that remembers its users: `python examples/langgraph_store.py MODEL`."""

import asyncio
import sys

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.runtime import Runtime

from moltnet import Agent, connect
from moltnet.integrations import DiaryStore

ADA = ("users", "ada")


async def chat(agent: Agent, model: BaseChatModel, question: str) -> str:
    """Answers a question with what earlier runs stored, and stores the question."""

    async def answer(state: MessagesState, runtime: Runtime) -> dict[str, list]:
        asked = state["messages"][-1]
        known = await runtime.store.asearch(ADA, query=asked.text, limit=3)
        memories = "; ".join(item.value["content"] for item in known)
        reply = await model.ainvoke([("system", f"What you know of Ada: {memories}"), asked])
        await runtime.store.aput(ADA, asked.id, {"content": asked.text})
        return {"messages": [reply]}

    graph = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer").add_edge("answer", END)
    ended = await graph.compile(store=DiaryStore(agent)).ainvoke({"messages": [("user", question)]})
    return ended["messages"][-1].text


async def main() -> None:
    from langchain.chat_models import init_chat_model  # any model of LangChain's

    async with await connect() as agent:
        print(await chat(agent, init_chat_model(sys.argv[1]), "I moved to Lisbon"))


if __name__ == "__main__":
    asyncio.run(main())
