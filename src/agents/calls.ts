/** Calls of the model, each from its item to its one output. Whatever goes wrong is told to the model and to the app. */
import type { Clock } from '../protocol/clock.ts'
import { messageOf } from '../protocol/errors.ts'
import { type Ask, type Call, plain } from '../session/state.ts'
import type { RealtimeAgent } from './agent.ts'
import type { ApprovalItem, Verdict } from './approvals.ts'
import type { RunContext } from './context.ts'
import type { Handoff } from './handoff.ts'
import type { Role } from './role.ts'
import { contextFor, isForeign, isJson, partsInWords } from './shapes.ts'
import { type FunctionTool, isBackground, parseArguments, type ToolCall, type ToolGuardrailResult } from './tool.ts'

export interface CallsOptions<Context> {
  readonly clock: Clock
  readonly context: RunContext<Context>
  /** Who made the response; the current agent where that is not known any more. */
  readonly roleOf: (response_id: string | null) => Role<Context>
  /** Whether the response that made a call has said something. */
  readonly hasSpoken: (response_id: string | null) => boolean
  readonly approve: (item: ApprovalItem, tool: FunctionTool<Context>, signal: AbortSignal) => Promise<Verdict>
  /** Hands the conversation over. Gives what the model is told, and what is asked for then; throws when there is no handing over. */
  readonly transfer: (
    handoff: Handoff<Context>,
    call: ToolCall,
    role: Role<Context>,
    signal: AbortSignal,
  ) => Promise<Told>
  readonly answer: (call: Call, output: string, ask: Ask | null, failed?: boolean) => void
  readonly started: (tool: FunctionTool<Context>, call: ToolCall, role: Role<Context>) => void
  readonly ended: (tool: FunctionTool<Context>, output: string, call: ToolCall, role: Role<Context>) => void
  readonly failed: (error: unknown) => void
  /** What the model is told of a failed call. Default: a sentence with the error's message. */
  readonly errorFormatter?: ErrorFormatter<Context> | CallableFunction | undefined
}

/** A call that comes to nothing. */
export interface ToolFailure<Context = unknown> {
  readonly kind: 'approval_rejected' | 'tool_not_found' | 'tool_failed'
  readonly toolType: 'function'
  readonly toolName: string
  readonly callId: string
  /** What the model is told without the formatter's words. */
  readonly defaultMessage: string
  readonly runContext: RunContext<Context>
  readonly toolCall: ToolCall
  /** What the tool threw; of a rejection, nothing. */
  readonly error?: unknown
}

/** Puts it into words for the model; undefined: the default ones. */
export type ErrorFormatter<Context = unknown> = (
  failure: ToolFailure<Context>,
) => string | undefined | Promise<string | undefined>

/** What the model is told of a call, and what is asked for once its batch is answered. */
export interface Told {
  readonly output: string
  readonly ask: Ask | null
  readonly failed?: boolean
}

export interface Calls<Context> {
  run(call: Call, response_id: string | null): void
  /** The user interrupted the agent: tools that do not outlive that are cancelled. */
  interrupted(): void
  /** Another agent took over from this one: its tools that do not outlive that are cancelled. */
  handedOver(agent: RealtimeAgent<Context>): void
  /** The session ended: all are cancelled. */
  closed(why: string): void
  /** How many are running. */
  readonly running: number
}

/** A call that was ended from without. */
class Cancelled extends Error {
  /** What is asked for all the same. */
  readonly ask: Ask | null

  constructor(why: string, ask: Ask | null) {
    super(why)
    this.ask = ask
  }
}

class NotFound extends Error {}

/** Outputs that are remembered: a call that comes again gets the same, and does not run again. */
const mostRemembered = 200

export function calls<Context>(options: CallsOptions<Context>): Calls<Context> {
  const { clock, context, failed } = options
  const running = new Map<
    AbortController,
    { readonly tool: FunctionTool<Context> | null; readonly role: Role<Context> }
  >()
  const outputs = new Map<string, Promise<Told>>()

  function run(call: Call, response_id: string | null): void {
    const key = JSON.stringify([call.call_id, call.name, call.arguments])
    const known = outputs.get(key)
    const told = known ?? settled(call, response_id)
    outputs.set(key, told)
    if (outputs.size > mostRemembered) outputs.delete(outputs.keys().next().value!)
    void told.then(({ output, ask, failed }) => options.answer(call, output, ask, failed))
  }

  async function settled(call: Call, response_id: string | null): Promise<Told> {
    const role = options.roleOf(response_id)
    const toolCall: ToolCall = { ...call, callId: call.call_id }
    const stop = new AbortController()
    running.set(stop, { tool: null, role })
    try {
      const handoff = role.handoffs.find(({ toolName }) => toolName === call.name)
      if (handoff) return await untilAborted(stop.signal, () => options.transfer(handoff, toolCall, role, stop.signal))
      const tool = role.tools.find(({ name }) => name === call.name)
      if (!tool) throw new NotFound(unknown(call, role))
      running.set(stop, { tool, role })
      return await used(tool, toolCall, role, stop, response_id)
    } catch (error) {
      return { output: await told(error, toolCall), ask: error instanceof Cancelled ? error.ask : batch, failed: true }
    } finally {
      running.delete(stop)
    }
  }

  async function used(
    tool: FunctionTool<Context>,
    toolCall: ToolCall,
    role: Role<Context>,
    stop: AbortController,
    response_id: string | null,
  ): Promise<Told> {
    const { agent } = role
    if ((await tool.isEnabled?.(context, agent)) === false)
      throw new Error(`The tool '${tool.name}' is not available now.`)
    const data = { context, agent, toolCall }
    const refusal = await guarded(tool.inputGuardrails, (guardrail) => guardrail.run(data))
    if (refusal !== null) return { output: refusal, ask: batch }
    await tool.validate?.(toolCall.arguments)
    const denial = await untilAborted(stop.signal, () => denied(tool, toolCall, role, stop.signal))
    if (denial !== null) return { output: denial, ask: batch }
    stop.signal.throwIfAborted()
    options.started(tool, toolCall, role)
    let output = ''
    try {
      const { signal } = stop
      const invoke = async () => tool.invoke(contextFor(tool, context), toolCall.arguments, { signal, toolCall })
      const result = await untilAborted(signal, () => inTime(tool, stop, invoke))
      const content = isBackground(result) ? result.content : result
      output =
        (await guarded(tool.outputGuardrails, (one) => one.run({ ...data, output: content }))) ??
        inWords(isForeign(tool) ? await partsInWords(content) : content)
      return { output, ask: askAfter(tool, result, response_id) }
    } catch (error) {
      output = await told(error, toolCall)
      return { output, ask: error instanceof Cancelled ? error.ask : batch, failed: true }
    } finally {
      options.ended(tool, output, toolCall, role)
    }
  }

  /** Null when it may run; else what the model is told. */
  async function denied(
    tool: FunctionTool<Context>,
    call: ToolCall,
    role: Role<Context>,
    signal: AbortSignal,
  ): Promise<string | null> {
    if (!tool.needsApproval) return null
    if (isForeign(tool) && !isJson(call.arguments)) return null
    if (!(await tool.needsApproval(context, parseArguments(call.arguments), call.callId))) return null
    const { callId, id: itemId, name, arguments: args } = call
    const item = { type: 'function_approval', callId, itemId, name, arguments: args, owner: role.agent.name } as const
    const { approved, message } = await options.approve(item, tool, signal)
    if (approved) return null
    return (
      message ?? inOtherWords({ kind: 'approval_rejected', defaultMessage: 'The user did not approve this.' }, call)
    )
  }

  async function told(error: unknown, call: ToolCall): Promise<string> {
    const usual = `The tool failed: ${messageOf(error)}`
    if (error instanceof Cancelled) return usual
    failed(new Error(`Tool '${call.name}' failed: ${messageOf(error)}`, { cause: error }))
    const kind = error instanceof NotFound ? 'tool_not_found' : 'tool_failed'
    return inOtherWords({ kind, defaultMessage: usual, error }, call)
  }

  type What = Pick<ToolFailure, 'kind' | 'defaultMessage' | 'error'>
  async function inOtherWords(what: What, toolCall: ToolCall): Promise<string> {
    const { name: toolName, callId } = toolCall
    try {
      const failure = { ...what, toolType: 'function', toolName, callId, runContext: context, toolCall } as const
      const words: unknown = await (options.errorFormatter as ErrorFormatter<Context> | undefined)?.(failure)
      return typeof words === 'string' ? words : what.defaultMessage
    } catch (cause) {
      failed(new Error('toolErrorFormatter failed.', { cause }))
      return what.defaultMessage
    }
  }

  function askAfter(
    { respond = 'auto' }: FunctionTool<Context>,
    result: unknown,
    response_id: string | null,
  ): Ask | null {
    if (respond === 'silent' || isBackground(result)) return null
    const saysNothing = result === undefined || result === null || result === ''
    if (saysNothing && options.hasSpoken(response_id)) return null
    return respond === 'when-idle' ? { ...plain, when: 'idle' } : batch
  }

  async function inTime(
    tool: FunctionTool<Context>,
    stop: AbortController,
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    const { timeoutMs } = tool
    if (timeoutMs === undefined || isForeign(tool)) return work()
    let cancel = () => {}
    const late = new Promise<never>((_, reject) => {
      cancel = clock.at(clock.now() + timeoutMs, () => {
        reject(new Error(`The tool took longer than ${timeoutMs} ms.`))
        stop.abort()
      })
    })
    return Promise.race([work(), late]).finally(cancel)
  }

  type Running = typeof running extends Map<AbortController, infer One> ? One : never
  function cancel(why: string, isMeant: (one: Running) => boolean, ask: Ask | null = null): void {
    for (const [stop, one] of running) if (isMeant(one)) stop.abort(new Cancelled(why, ask))
  }

  return {
    run,
    interrupted: () =>
      cancel('It was cancelled: the user interrupted.', ({ tool }) => tool?.onInterruption === 'cancel'),
    handedOver: (agent) =>
      cancel(
        'It was cancelled: another agent took over.',
        ({ tool, role }) => tool?.onInterruption === 'cancel' && role.agent === agent,
        batch,
      ),
    closed: (why) => cancel(`It was cancelled: ${why}`, () => true),
    get running() {
      return running.size
    },
  }
}

const batch: Ask = { ...plain, when: 'batch' }

/** A tool may not heed its signal: what it says after that is of no interest. */
function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => signal.reason instanceof Cancelled && reject(signal.reason))
    work().then(resolve, reject)
  })
}

/** Null when all allow it; else what the model is told instead. */
async function guarded<Guardrail extends { readonly name: string }>(
  guardrails: readonly Guardrail[] = [],
  run: (guardrail: Guardrail) => ToolGuardrailResult | Promise<ToolGuardrailResult>,
): Promise<string | null> {
  for (const guardrail of guardrails) {
    const { behavior } = await run(guardrail)
    if (behavior.type === 'rejectContent') return behavior.message
    if (behavior.type === 'throwException') throw new Error(`The guardrail '${guardrail.name}' stopped the call.`)
  }
  return null
}

function unknown<Context>({ name }: Call, { tools, handoffs }: Role<Context>): string {
  const names = [...tools.map((tool) => tool.name), ...handoffs.map(({ toolName }) => toolName)].join(', ')
  return `There is no tool called '${name}'. ${names ? `The tools are: ${names}.` : 'There are no tools.'}`
}

function inWords(result: unknown): string {
  if (typeof result === 'string') return result
  return result === undefined ? 'Done.' : (JSON.stringify(result) ?? String(result))
}
