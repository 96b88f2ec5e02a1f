/**
 * The events of a call, as a far end sends them: voice turns, each of a spoken question and an answer of some ten seconds,
 * which is 27 words, its audio in pieces of 4 to 16 KB of base64. The same arguments give the same bytes.
 */

const words =
  'It is a fine day for a walk, with a light wind from the west; take a coat all the same, for it may rain after four.'
const question = 'What will the weather be like this afternoon?'
/** Pieces of sound of an answer. */
export const audioPieces = 60
let sound = null

/** The events of turn `n`, its items after `previous`. `audio(piece)` gives each piece of sound its `delta`, or what stands for it. */
export function voiceTurn(n, previous, audio, pieces = audioPieces) {
  const user = { id: `item_user_${n}`, type: 'message', role: 'user', status: 'completed' }
  const agent = { id: `item_agent_${n}`, type: 'message', role: 'assistant' }
  const response_id = `resp_${n}`
  const heard = { item_id: user.id, content_index: 0 }
  const said = { response_id, item_id: agent.id, output_index: 0, content_index: 0 }
  const spoken = { ...user, content: [{ type: 'input_audio', transcript: null }] }
  const answered = { ...agent, status: 'completed', content: [{ type: 'output_audio', transcript: words }] }
  const transcript = words.split(/(?= )/).map((delta) => ({
    type: 'response.output_audio_transcript.delta',
    ...said,
    delta,
  }))
  const sound = Array.from({ length: pieces }, (_, piece) => ({
    type: 'response.output_audio.delta',
    ...said,
    ...audio(piece),
  }))
  const events = [
    { type: 'input_audio_buffer.speech_started', audio_start_ms: 8_000 * n, item_id: user.id },
    { type: 'input_audio_buffer.speech_stopped', audio_end_ms: 8_000 * n + 1_900, item_id: user.id },
    { type: 'input_audio_buffer.committed', previous_item_id: previous, item_id: user.id },
    { type: 'conversation.item.added', previous_item_id: previous, item: spoken },
    { type: 'conversation.item.done', previous_item_id: previous, item: spoken },
    { type: 'response.created', response: responseOf(response_id, 'in_progress', []) },
    { type: 'response.output_item.added', response_id, output_index: 0, item: growing(agent) },
    { type: 'conversation.item.added', previous_item_id: user.id, item: growing(agent) },
    { type: 'response.content_part.added', ...said, part: { type: 'audio', transcript: '' } },
    ...question.split(/(?= )/).map((delta) => ({
      type: 'conversation.item.input_audio_transcription.delta',
      ...heard,
      delta,
    })),
    ...alternately(transcript, sound),
    {
      type: 'conversation.item.input_audio_transcription.completed',
      ...heard,
      transcript: question,
      usage: { type: 'duration', seconds: 2 },
    },
    { type: 'response.output_audio.done', ...said },
    { type: 'response.output_audio_transcript.done', ...said, transcript: words },
    { type: 'response.content_part.done', ...said, part: { type: 'audio', transcript: words } },
    { type: 'conversation.item.done', previous_item_id: user.id, item: answered },
    { type: 'response.output_item.done', response_id, output_index: 0, item: answered },
    { type: 'response.done', response: responseOf(response_id, 'completed', [answered]) },
    {
      type: 'rate_limits.updated',
      rate_limits: [{ name: 'tokens', limit: 40_000, remaining: 39_000, reset_seconds: 1 }],
    },
  ]
  return events.map(({ type, ...rest }, at) => ({ type, event_id: `event_${n}_${at}`, ...rest }))
}

/** The item that the next turn stands behind. */
export const lastItemOf = (n) => (n < 0 ? null : `item_agent_${n}`)

/** The frames of `count` turns from turn `first` on, each answer of so many pieces of sound. */
export function frames(first, count, pieces) {
  sound ??= soundPieces()
  return Array.from({ length: count }, (_, n) =>
    voiceTurn(first + n, lastItemOf(first + n - 1), (piece) => ({ delta: sound[(n + piece) % sound.length] }), pieces),
  ).flatMap((events) => events.map((event) => Buffer.from(JSON.stringify(event))))
}

/** Pieces of noise, from 4 to 16 KB of base64. */
function soundPieces() {
  const random = lcg(7)
  return Array.from({ length: 37 }, (_, n) => {
    const bytes = 3_072 + 256 * n
    return Buffer.from(Uint8Array.from({ length: bytes }, () => random() * 256)).toString('base64')
  })
}

/** Items that a session of `count` items has been told: questions and answers in writing, by turns. */
export function writtenItems(count) {
  return Array.from({ length: count }, (_, n) => {
    const isUser = n % 2 === 0
    const content = [isUser ? { type: 'input_text', text: question } : { type: 'output_text', text: words }]
    const id = `item_old_${n}`
    const item = { id, type: 'message', role: isUser ? 'user' : 'assistant', status: 'completed', content }
    const previous_item_id = n === 0 ? null : `item_old_${n - 1}`
    return { type: 'conversation.item.added', event_id: `event_old_${n}`, previous_item_id, item }
  })
}

function growing(item) {
  return { ...item, status: 'in_progress', content: [] }
}

function responseOf(id, status, output) {
  const usage = {
    total_tokens: 253,
    input_tokens: 132,
    output_tokens: 121,
    input_token_details: { text_tokens: 119, audio_tokens: 13, cached_tokens: 64 },
    output_token_details: { text_tokens: 30, audio_tokens: 91 },
  }
  return {
    object: 'realtime.response',
    id,
    status,
    status_details: null,
    output,
    conversation_id: 'conv_1',
    output_modalities: ['audio'],
    max_output_tokens: 'inf',
    usage: status === 'completed' ? usage : null,
    metadata: null,
  }
}

function alternately(some, others) {
  return Array.from({ length: Math.max(some.length, others.length) }, (_, n) => [some[n], others[n]])
    .flat()
    .filter((event) => event !== undefined)
}

/** Numbers from 0 to 1, the same for the same seed. */
export function lcg(seed) {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}
