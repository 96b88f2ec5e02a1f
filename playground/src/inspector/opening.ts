/** Calls in files: one that was opened, or why it was not. */
import { type Replay, type ReplayStep, replay } from 'parley-voice/trace'
import { type Log, logOf } from './log.ts'

export interface Opened {
  readonly name: string
  readonly header: Replay['header']
  readonly begin: Replay['begin']
  readonly steps: readonly ReplayStep[]
  readonly log: Log
  /** What is missing in it: a sentence each. */
  readonly notices: readonly string[]
}

/** Throws an `Error` whose message is for people. */
export function open(name: string, text: string): Opened {
  let call: Replay
  try {
    call = replay(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error([`${name} cannot be opened. ${reason}`, ...readable(text)].join(' '))
  }
  const { header, begin, steps, dropped, problems } = call
  const notices = [
    ...(dropped ? [`It was a long call, and older detail made room: ${left(dropped)} were left out.`] : []),
    ...(problems.length ? [broken(problems.length, steps.length)] : []),
    ...problems.slice(0, 5).map(({ line, reason }) => `Line ${line}: ${reason}`),
    ...(problems.length > 5 ? [`And ${problems.length - 5} more.`] : []),
  ]
  return { name, header, begin, steps, log: logOf(call), notices }
}

function left({ audio, events }: NonNullable<Replay['dropped']>): string {
  return `${events} events and ${audio} pieces of audio`
}

function broken(problems: number, steps: number): string {
  const lines = problems === 1 ? 'One line has' : `${problems} lines have`
  return `${lines} a problem. The other ${steps} events are shown.`
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
