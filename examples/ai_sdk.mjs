// An agent of the Vercel AI SDK with its diary, over MCP. npm install ai @ai-sdk/mcp
import { createMCPClient } from '@ai-sdk/mcp';
import { generateText, stepCountIs } from 'ai';

export async function ask(network, headers, model, prompt) {
  const memory = await createMCPClient({ transport: { type: 'http', url: `${network}/mcp`, headers } });
  try {
    const tools = await memory.tools(); // the names are those of docs/reference/mcp.md
    const { text } = await generateText({ model, tools, prompt, stopWhen: stepCountIs(8) });
    return text;
  } finally {
    await memory.close();
  }
}
