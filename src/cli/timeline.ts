/** Prints a call as it happens, and where each turn's time went. */
import type { RealtimeSession } from '../agents/session.ts'
import { realClock } from '../session/clock.ts'
import { lines } from './lines.ts'

interface Turn {
  readonly marks: Map<string, number>
  readonly tools: { readonly name: string; readonly ms: number }[]
}

export interface Timeline {
  follow(session: RealtimeSession): void
  /** Audio of the agent was queued, and begins to sound at that time. */
  queued(samples: Int16Array, at: number, rate: number): void
  /** What was queued and had not sounded will not. */
  hushed(): void
  /** How many answers have been given. */
  answers(): number
  summary(): void
  end(): void
}

/** In the order in which they happen; ms count from the end of the caller's speech as the far end heard it. */
const stages = ['committed', 'response created', 'first audio byte', 'first audible sample'] as const

/** A sample louder than this is heard: about -50 dBFS. */
const audible = 100

export function timeline(begin: number): Timeline {
  const turns: Turn[] = []
  let answers = 0
  const now = () => realClock.now()
  const { tell, lasts, says, end } = lines(
    () => (now() - begin) / 1000,
    (text) => process.stdout.write(text),
  )
  const agent = asHeard((words) => says('agent', words))
  const mark = (stage: string, at = now()) => {
    const turn = turns.at(-1)
    if (turn && !turn.marks.has(stage)) turn.marks.set(stage, at)
  }

  return {
    end() {
      agent.heard()
      end()
    },
    answers: () => answers,
    hushed: agent.hushed,
    queued(samples, at, rate) {
      agent.queued(at + (samples.length / rate) * 1000)
      mark('first audio byte')
      const first = samples.findIndex((sample) => Math.abs(sample) > audible)
      if (first >= 0) mark('first audible sample', at + (first / rate) * 1000)
    },
    follow(session) {
      const started = new Map<string, number>()
      const understood = new Set<string>()
      session.on('connection_change', (link) => {
        if (link.at === 'dialing') lasts('line', 'dialing')
        if (link.at === 'live') tell('line', 'live')
        if (link.at === 'waiting') lasts('line', `lost, and dialed again: ${link.cause.reason}`)
        if (link.at === 'closed') tell('line', 'closed')
      })
      session.on('agent_tool_start', (_context, _agent, tool, { toolCall }) => {
        started.set(toolCall.call_id, now())
        lasts('tool', `${tool.name}(${toolCall.arguments})`)
      })
      session.on('agent_tool_end', (_context, _agent, tool, result, { toolCall }) => {
        turns.at(-1)?.tools.push({ name: tool.name, ms: now() - (started.get(toolCall.call_id) ?? now()) })
        tell('tool', `→ ${result}`)
      })
      session.on('audio_stopped', agent.heard)
      session.on('audio_interrupted', () => tell('caller', '(interrupts)'))
      session.on('error', ({ error }) => tell('error', error instanceof Error ? error.message : JSON.stringify(error)))
      session.on('agent_end', (_context, _agent, text) => {
        if (text) answers++
      })
      session.on('transport_event', (event) => {
        switch (event.type) {
          case 'input_audio_buffer.speech_started':
            return lasts('caller', '(speaks)')
          case 'input_audio_buffer.speech_stopped':
            turns.push({ marks: new Map([['speech end', now()]]), tools: [] })
            return lasts('caller', '(has spoken)')
          case 'input_audio_buffer.committed':
            return mark('committed')
          case 'response.created':
            return mark('response created')
          case 'response.output_audio_transcript.delta':
          case 'response.output_text.delta':
            return agent.said(String(event.delta))
          case 'conversation.item.input_audio_transcription.delta':
            understood.add(String(event.item_id))
            return says('caller', String(event.delta))
          case 'conversation.item.input_audio_transcription.completed':
            if (understood.has(String(event.item_id))) return
            return says('caller', String(event.transcript))
          case 'conversation.item.input_audio_transcription.failed':
            return tell('caller', `(not understood: ${(event.error as { message?: string }).message})`)
        }
      })
    },
    summary() {
      end()
      console.log('\n  ms after the far end heard the speech end:')
      turns.forEach(({ marks, tools }, n) => {
        const from = marks.get('speech end') ?? 0
        const spans = stages.flatMap((stage) => {
          const at = marks.get(stage)
          return at === undefined ? [] : [`${stage} ${Math.round(at - from)}`]
        })
        const ran = tools.map(({ name, ms }) => `tool ${name} ${ms.toFixed(1)} ms`)
        console.log(
          `    turn ${n + 1}: ${['speech end 0', ...spans].join(' → ')}${ran.length ? ` · ${ran.join(', ')}` : ''}`,
        )
      })
    },
  }
}

/** About as fast as people speak. */
const msPerLetter = 60

/**
 * Words come faster than they are heard: each is told when the sound that had come before it has been heard, and the words
 * of one stretch of sound at the pace of speech.
 */
function asHeard(tell: (words: string) => void) {
  let soundsUntil = Number.NEGATIVE_INFINITY
  let toldUntil = Number.NEGATIVE_INFINITY
  let waiting: { readonly at: number; readonly words: string }[] = []
  let stop: (() => void) | null = null

  function tellUntil(time: number): void {
    stop?.()
    const due = waiting.filter(({ at }) => at <= time)
    waiting = waiting.slice(due.length)
    for (const { words } of due) tell(words)
    stop = waiting[0] ? realClock.at(waiting[0].at, () => tellUntil(realClock.now())) : null
  }

  return {
    queued(until: number) {
      soundsUntil = until
    },
    said(words: string) {
      const at = Math.max(soundsUntil, toldUntil)
      toldUntil = Math.max(at, realClock.now()) + words.length * msPerLetter
      waiting.push({ at, words })
      tellUntil(realClock.now())
    },
    /** All was heard. */
    heard() {
      tellUntil(Number.POSITIVE_INFINITY)
      toldUntil = Number.NEGATIVE_INFINITY
    },
    hushed() {
      waiting = []
      stop?.()
      soundsUntil = Number.NEGATIVE_INFINITY
      toldUntil = Number.NEGATIVE_INFINITY
    },
  }
}
