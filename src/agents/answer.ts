import { messageOf } from '../protocol/errors.ts'
import type { Call } from '../session/state.ts'
import type { RunContext } from './context.ts'
import type { FunctionTool, ToolDetails } from './tool.ts'

/** What the model is told of a call, and the error that the app is told of, if there was one. */
export interface Answer {
  readonly output: string
  readonly error?: unknown
}

/** Runs a tool. Whatever goes wrong is told to the model; nothing is thrown. */
export async function answer<Context>(
  tool: FunctionTool<Context>,
  call: Call,
  context: RunContext<Context>,
  details: ToolDetails,
): Promise<Answer> {
  try {
    return { output: inWords(await tool.invoke(context, call.arguments, details)) }
  } catch (error) {
    const told = new Error(`Tool '${tool.name}' failed: ${messageOf(error)}`, { cause: error })
    return { output: `The tool failed: ${messageOf(error)}`, error: told }
  }
}

/** The output of a call to a tool that the agent does not have. */
export function unknownTool(call: Call, tools: readonly FunctionTool<never>[]): Answer {
  const names = tools.map(({ name }) => name).join(', ')
  const output = `There is no tool called '${call.name}'. ${names ? `The tools are: ${names}.` : 'There are no tools.'}`
  return { output, error: new Error(`The model called '${call.name}', a tool that the agent does not have.`) }
}

function inWords(result: unknown): string {
  if (typeof result === 'string') return result
  return result === undefined ? 'Done.' : JSON.stringify(result)
}
