/**
 * Compatible far ends that do not mirror what a response makes: there is no `conversation.item.added` or `.done` for it, only
 * `response.output_item.*` and the end of the response. The rest are the local server's rules, over a real socket.
 */
import { expect, test } from 'vitest'
import { RealtimeAgent, tool } from '../src/index.ts'
import type { Item, ServerEvent } from '../src/protocol/events.ts'
import type { FarLine } from './far-socket.ts'
import { mirrored } from './quick-far-end.ts'
import { follow, type SocketTalk, type SocketTalkOptions, socketTalk } from './socket-talk.ts'
import { callTool, lastWords, type Script, say } from './talk.ts'

/** What is not said. */
type Sieve = (event: ServerEvent) => boolean

const isOfItem = ({ type }: ServerEvent) => /^conversation\.item\.(added|created|done)$/.test(String(type))

const farEnds: Readonly<Record<string, () => Sieve>> = {
  'mirrors nothing of its own': mirrored,
  'mirrors nothing of its own, and announces nothing': () => {
    const isMirror = mirrored()
    return (event) => isMirror(event) || event.type === 'response.output_item.added'
  },
  'mirrors nothing, not even what it is told': () => (event) => isOfItem(event),
  'mirrors nothing, and announces nothing': () => (event) =>
    isOfItem(event) || event.type === 'response.output_item.added',
  'tells of calls with the end of the response alone': () => {
    const isMirror = mirrored()
    return (event) => isMirror(event) || /output_item|function_call/.test(String(event.type))
  },
}

const script: Script = (thought) => {
  if (thought.items.at(-1)?.type === 'function_call_output') return [say('It is sunny there.')]
  return /weather/.test(lastWords(thought)) ? [callTool('sky', { place: 'Oslo' })] : [say('Good day to you.')]
}

async function scene(sieve: Sieve, options: SocketTalkOptions = {}): Promise<SocketTalk & { readonly ran: unknown[] }> {
  const ran: unknown[] = []
  const sky = tool({
    name: 'sky',
    description: 'The sky at a place.',
    parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
    execute: (input) => {
      ran.push(input)
      return 'sunny'
    },
  })
  const line = (one: FarLine) =>
    follow({ ...one, say: (event) => void (sieve(event as ServerEvent) || one.say(event)) }, script)
  return { ran, ...(await socketTalk(new RealtimeAgent({ name: 'Guide', tools: [sky] }), { line, ...options })) }
}

const wordsOf = ({ session }: SocketTalk) =>
  session.history.map((item) => {
    if (item.type === 'function_call') return `${item.name}(${item.arguments}): ${item.output}`
    if (item.type !== 'message') return item.type
    const [part] = item.content
    const words = part && 'transcript' in part ? part.transcript : part && 'text' in part ? part.text : ''
    return `${item.role}, ${item.status}: ${words}`
  })

test.each(Object.entries(farEnds))(
  'a far end that %s: the tool runs once, and the answer is heard and kept',
  async (_, sieve) => {
    const errors: unknown[] = []
    const heard = new Map<string, number>()
    const it = await scene(sieve(), {
      before: (session) => {
        session.on('error', ({ error }) => errors.push(error))
        session.on('audio', ({ itemId, data }) => heard.set(itemId, (heard.get(itemId) ?? 0) + data.byteLength))
      },
    })
    it.session.sendMessage('What is the weather in Oslo?')
    await it.until(() => wordsOf(it).at(-1) === 'assistant, completed: It is sunny there.' || undefined)
    it.session.sendMessage('Thank you.')
    await it.until(() => wordsOf(it).at(-1) === 'assistant, completed: Good day to you.' || undefined)
    expect(wordsOf(it)).toEqual([
      'user, completed: What is the weather in Oslo?',
      'sky({"place":"Oslo"}): sunny',
      'assistant, completed: It is sunny there.',
      'user, completed: Thank you.',
      'assistant, completed: Good day to you.',
    ])
    expect(it.ran).toEqual([{ place: 'Oslo' }])
    const outputs = it.far.lines[0]!.heard.filter(
      ({ item }) => (item as Item | undefined)?.type === 'function_call_output',
    )
    expect(outputs).toHaveLength(1)
    const answers = it.session.history.filter((item) => item.type === 'message' && item.role === 'assistant')
    expect([...heard.keys()]).toEqual(answers.map(({ itemId }) => itemId))
    expect(it.session.state.conversation).toMatchObject({ open: [], calls: [], responses: [] })
    expect(it.session.state.pending).toEqual([])
    expect(errors).toEqual([])
  },
)
