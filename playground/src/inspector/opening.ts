/** Calls in files: one that was opened, or why it was not. */
import { type Replay, type ReplayStep, replay } from 'parley-voice/trace'
import { type Log, logOf } from './log.ts'

export interface Opened {
  readonly name: string
  /** What it was opened from, where that is no file. */
  readonly unsaved: string | null
  readonly header: Replay['header']
  readonly begin: Replay['begin']
  readonly steps: readonly ReplayStep[]
  readonly log: Log
  readonly notices: readonly Notice[]
}

/** What is missing in a call: a sentence, and what it is in detail. */
export interface Notice {
  readonly what: string
  readonly lines: readonly string[]
}

/** Throws an `Error` whose message is for people. */
export function open(name: string, text: string, isFile: boolean): Opened {
  let call: Replay
  try {
    call = replay(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error([`${name} cannot be opened. ${reason}`, ...readable(text)].join(' '))
  }
  const { header, begin, steps, dropped, problems } = call
  const notices = [
    ...(dropped ? [{ what: 'The call was long: older detail was left out.', lines: [left(dropped)] }] : []),
    ...(problems.length ? [broken(problems, steps.length)] : []),
  ]
  return { name, unsaved: isFile ? null : text, header, begin, steps, log: logOf(call), notices }
}

function left({ audio, events }: NonNullable<Replay['dropped']>): string {
  return `${events} events and ${audio} pieces of audio. What the events led to is in the first state.`
}

/** Problems that are told one by one. */
const most = 100

function broken(problems: Replay['problems'], steps: number): Notice {
  const lines = problems.slice(0, most).map(({ line, reason }) => `Line ${line}: ${reason}`)
  const more = problems.length > most ? [`And ${problems.length - most} more.`] : []
  const count = problems.length === 1 ? 'One line' : `${problems.length} lines`
  return { what: `${count} could not be played. ${steps} events are shown.`, lines: [...lines, ...more] }
}

/** What a trace that cannot be played still says of itself. */
function readable(text: string): readonly string[] {
  try {
    const [first = '', ...lines] = text.split('\n')
    const { parley, at, agent, version } = JSON.parse(first)
    if (parley !== 'trace') return []
    const what = [`version ${version}`, at && `recorded ${at}`, agent && `with ${agent}`].filter(Boolean).join(', ')
    return [`What it says of itself: ${what}, ${lines.filter(Boolean).length} lines.`]
  } catch {
    return []
  }
}

/** Hands a file to the browser's downloads. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/x-ndjson' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
