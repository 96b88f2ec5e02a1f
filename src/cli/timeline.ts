/** Prints a call as it happens, and where each turn's time went. */
import type { RealtimeSession } from '../agents/session.ts'
import { realClock } from '../session/clock.ts'

interface Turn {
  readonly marks: Map<string, number>
  readonly tools: { readonly name: string; readonly ms: number }[]
}

export interface Timeline {
  follow(session: RealtimeSession): void
  queued(samples: Int16Array, at: number, rate: number): void
  /** How many answers have been given aloud. */
  answers(): number
  summary(): void
}

/** In the order in which they happen; ms count from the end of the caller's speech as the far end heard it. */
const stages = ['committed', 'response created', 'first audio byte', 'first audible sample'] as const

/** A sample louder than this is heard: about -50 dBFS. */
const audible = 100

export function timeline(begin: number): Timeline {
  const turns: Turn[] = []
  let answers = 0
  const now = () => realClock.now()
  const line = (who: string, words: string) => {
    console.log(`  ${((now() - begin) / 1000).toFixed(2).padStart(6)} s  ${who.padEnd(7)} ${words}`)
  }
  const mark = (stage: string, at = now()) => {
    const turn = turns.at(-1)
    if (turn && !turn.marks.has(stage)) turn.marks.set(stage, at)
  }

  return {
    answers: () => answers,
    queued(samples, at, rate) {
      mark('first audio byte')
      const first = samples.findIndex((sample) => Math.abs(sample) > audible)
      if (first >= 0) mark('first audible sample', at + (first / rate) * 1000)
    },
    follow(session) {
      const started = new Map<string, number>()
      session.on('connection_change', ({ at }) => line('line', at))
      session.on('agent_tool_start', (_context, _agent, tool, { toolCall }) => {
        started.set(toolCall.call_id, now())
        line('tool', `${tool.name}(${toolCall.arguments})`)
      })
      session.on('agent_tool_end', (_context, _agent, tool, result, { toolCall }) => {
        turns.at(-1)?.tools.push({ name: tool.name, ms: now() - (started.get(toolCall.call_id) ?? now()) })
        line('tool', `→ ${result}`)
      })
      session.on('audio_interrupted', () => line('caller', '(interrupts)'))
      session.on('error', ({ error }) => line('error', error instanceof Error ? error.message : JSON.stringify(error)))
      session.on('agent_end', (_context, _agent, text) => {
        if (!text) return
        answers++
        line('agent', text)
      })
      session.on('transport_event', (event) => {
        switch (event.type) {
          case 'input_audio_buffer.speech_stopped':
            turns.push({ marks: new Map([['speech end', now()]]), tools: [] })
            return
          case 'input_audio_buffer.committed':
            return mark('committed')
          case 'response.created':
            return mark('response created')
          case 'conversation.item.input_audio_transcription.completed':
            return line('caller', String(event.transcript))
          case 'conversation.item.input_audio_transcription.failed':
            return line('caller', `(not understood: ${(event.error as { message?: string }).message})`)
        }
      })
    },
    summary() {
      console.log('\n  ms after the far end heard the speech end:')
      turns.forEach(({ marks, tools }, n) => {
        const end = marks.get('speech end') ?? 0
        const spans = stages.flatMap((stage) => {
          const at = marks.get(stage)
          return at === undefined ? [] : [`${stage} ${Math.round(at - end)}`]
        })
        const ran = tools.map(({ name, ms }) => `tool ${name} ${ms.toFixed(1)} ms`)
        console.log(
          `    turn ${n + 1}: ${['speech end 0', ...spans].join(' → ')}${ran.length ? ` · ${ran.join(', ')}` : ''}`,
        )
      })
    },
  }
}
