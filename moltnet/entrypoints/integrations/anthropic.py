"""Anthropic: the back end of the memory tool over a diary."""

from collections.abc import Coroutine
from typing import Any

from anthropic.lib.tools import BetaAsyncAbstractMemoryTool, BetaFunctionToolResultType, ToolError
from anthropic.types.beta import (
    BetaCacheControlEphemeralParam,
    BetaMemoryTool20250818CreateCommand,
    BetaMemoryTool20250818DeleteCommand,
    BetaMemoryTool20250818InsertCommand,
    BetaMemoryTool20250818RenameCommand,
    BetaMemoryTool20250818StrReplaceCommand,
    BetaMemoryTool20250818ViewCommand,
)

from moltnet.domain.errors import MoltNetError
from moltnet.entrypoints.integrations.loops import AnyAgent, LoopBound
from moltnet.entrypoints.integrations.memory_files import MemoryFiles, sentence_of
from moltnet.entrypoints.library.diaries import DEFAULT


class DiaryMemoryTool(BetaAsyncAbstractMemoryTool):
    """Claude's memory files in a diary. Every refusal, that of a network that is away too, is told to the model."""

    def __init__(
        self,
        agent: AnyAgent,
        *,
        diary: str = DEFAULT,
        cache_control: BetaCacheControlEphemeralParam | None = None,
    ) -> None:
        """A back end over a diary: its id, the name of one of the agent's own, or `default`."""
        super().__init__(cache_control=cache_control)
        self._bound = LoopBound.of(agent)
        self._files = MemoryFiles(self._bound.agent, diary)

    async def view(self, command: BetaMemoryTool20250818ViewCommand) -> BetaFunctionToolResultType:
        """Shows a file or a folder."""
        return await self._answer(command.path, self._files.view(command.path, command.view_range))

    async def create(self, command: BetaMemoryTool20250818CreateCommand) -> BetaFunctionToolResultType:
        """Makes a file."""
        return await self._answer(command.path, self._files.create(command.path, command.file_text))

    async def str_replace(self, command: BetaMemoryTool20250818StrReplaceCommand) -> BetaFunctionToolResultType:
        """Replaces a text in a file."""
        edit = self._files.str_replace(command.path, command.old_str, command.new_str)
        return await self._answer(command.path, edit)

    async def insert(self, command: BetaMemoryTool20250818InsertCommand) -> BetaFunctionToolResultType:
        """Inserts lines into a file."""
        edit = self._files.insert(command.path, command.insert_line, command.insert_text)
        return await self._answer(command.path, edit)

    async def delete(self, command: BetaMemoryTool20250818DeleteCommand) -> BetaFunctionToolResultType:
        """Deletes a file or a folder."""
        return await self._answer(command.path, self._files.delete(command.path))

    async def rename(self, command: BetaMemoryTool20250818RenameCommand) -> BetaFunctionToolResultType:
        """Moves a file or a folder."""
        return await self._answer(command.old_path, self._files.rename(command.old_path, command.new_path))

    async def _answer(self, path: str, command: Coroutine[Any, Any, str]) -> str:
        try:
            return await self._bound.awaited(command)
        except MoltNetError as error:
            raise ToolError(sentence_of(error, path)) from error
