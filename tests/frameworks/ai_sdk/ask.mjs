// Asks the example one question, with a model that answers from a script; prints what was answered and what it saw.
import { MockLanguageModelV3 } from 'ai/test';
import { ask } from './ai_sdk.mjs';

const [network, headers, script] = process.argv.slice(2).map((argument, at) => (at ? JSON.parse(argument) : argument));
const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
const seen = [];
const model = new MockLanguageModelV3({
  doGenerate: async ({ prompt }) => {
    seen.push(JSON.stringify(prompt));
    const step = script.shift();
    if (typeof step === 'string') return { content: [{ type: 'text', text: step }], finishReason: { unified: 'stop' }, usage, warnings: [] };
    const call = { type: 'tool-call', toolCallId: `call-${seen.length}`, toolName: step[0], input: JSON.stringify(step[1]) };
    return { content: [call], finishReason: { unified: 'tool-calls' }, usage, warnings: [] };
  },
});
console.log(JSON.stringify({ answer: await ask(network, headers, model, 'Which bread?'), seen }));
