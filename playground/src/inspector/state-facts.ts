/** A state in words: the line, who speaks, what is heard, and what waits. */
import type { State } from 'parley-voice'
import { type Fields, textIn } from './events.ts'

/** `value`: one line. */
export interface Fact {
  readonly name: string
  readonly value: string
}

export function factsOf(state: State, at: number): readonly Fact[] {
  return [
    { name: 'Link', value: linkOf(state, at) },
    { name: 'Turn', value: turnOf(state) },
    { name: 'Calls', value: callsOf(state) },
    { name: 'Playback', value: playbackOf(state) },
    { name: 'Pending', value: pendingOf(state) },
  ]
}

function linkOf({ link }: State, at: number): string {
  const tries = 'tries' in link && link.tries > 0 ? `, after ${counted(link.tries, 'failure')}` : ''
  if (link.at === 'waiting') {
    const left = Math.max(0, link.until - at)
    return `waiting, dials again in ${(left / 1000).toFixed(1)} s${tries}: ${link.cause.reason}`
  }
  if (link.at === 'closed') return link.cause ? `closed: ${link.cause.reason}` : 'closed'
  return `${link.at}${tries}`
}

function turnOf({ turn, conversation }: State): string {
  const given = conversation.responses.find(({ conversation_id }) => conversation_id !== null)
  const owed = turn.owed.length + turn.beside.length
  const facts = [
    turn.hearing && 'the user speaks',
    given && `the agent answers (${given.id})`,
    turn.asked && 'a response was asked for',
    owed > 0 && `${counted(owed, 'response')} owed`,
  ].filter(Boolean)
  return facts.join(', ') || 'nobody speaks'
}

function callsOf({ conversation, turn }: State): string {
  const open = conversation.calls.filter(({ id }) => !turn.answered.includes(id))
  const waits = (id: string) => turn.calls.some((call) => call.id === id && call.waits)
  return open.map(({ id, name }) => (waits(id) ? `${name} (waits for the app)` : name)).join(', ') || 'none open'
}

function playbackOf({ playback, interruption }: State): string {
  const { item, isFar } = playback
  if (!item) return 'silent'
  const pauses = interruption.candidates.length > 0 ? ', somebody may be interrupting' : ''
  return `${item.item_id}${isFar ? ', played by the far end' : ''}${pauses}`
}

function pendingOf({ pending, unsent, updates, removed }: State): string {
  const said = pending.map(({ item }) =>
    'role' in item ? `${item.role}: ${textIn(item as unknown as Fields)}` : item.type,
  )
  const facts = [
    ...said,
    updates.length > 0 && `${counted(updates.length, 'change')} of the config`,
    unsent.length > 0 && counted(unsent.length, 'event'),
    removed.length > 0 && counted(removed.length, 'deletion'),
  ].filter(Boolean)
  return facts.join('; ') || 'nothing'
}

export interface Said {
  readonly id: string
  readonly who: string
  readonly text: string
  /** How much of it was heard, in words; empty where all was. */
  readonly cut: string
  /** More of it comes. */
  readonly isOpen: boolean
}

/** The last `count` items. */
export function transcriptOf({ conversation, playback }: State, count: number): readonly Said[] {
  const open = new Map(conversation.open.map((item) => [item.id, item]))
  return conversation.items.slice(-count).map((announced) => {
    const item = open.get(announced.id) ?? announced
    const cut = Object.hasOwn(playback.cuts, item.id) ? playback.cuts[item.id] : undefined
    return {
      id: item.id,
      ...saidBy(item as unknown as Fields),
      cut: cut ? `cut after ${(cut.heardMs / 1000).toFixed(1)} s` : '',
      isOpen: open.has(item.id),
    }
  })
}

function saidBy(item: Fields): Pick<Said, 'who' | 'text'> {
  const { type, role, name, output } = item
  if (type === 'message') return { who: String(role), text: textIn(item) }
  if (type === 'function_call') return { who: 'call', text: `${name}(${item['arguments'] ?? ''})` }
  if (type === 'function_call_output') return { who: 'answer', text: String(output) }
  return { who: String(type), text: String(name ?? '') }
}

function counted(count: number, what: string): string {
  return count === 1 ? `one ${what}` : `${count} ${what}s`
}
