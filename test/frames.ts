/** Frames that a confused client may send: garbage, random JSON, and events of which one field is not what it should be. */

const events: readonly object[] = [
  {
    type: 'session.update',
    session: {
      type: 'realtime',
      instructions: 'Be brief.',
      output_modalities: ['text'],
      tools: [{ type: 'function', name: 'look_up', description: 'Looks up', parameters: { type: 'object' } }],
      tool_choice: { type: 'function', name: 'look_up' },
      max_output_tokens: 100,
      truncation: { type: 'retention_ratio', retention_ratio: 0.5 },
      tracing: { workflow_name: 'a', metadata: { a: 'b' } },
      include: ['item.input_audio_transcription.logprobs'],
      reasoning: { effort: 'low' },
      parallel_tool_calls: true,
      prompt: { id: 'p', version: '1', variables: { a: 'b' } },
    },
  },
  {
    type: 'session.update',
    session: {
      type: 'realtime',
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24_000 },
          noise_reduction: { type: 'near_field' },
          transcription: { model: 'gpt-transcribe', language: 'en', prompt: 'orders' },
          turn_detection: { type: 'server_vad', threshold: 0.6, silence_duration_ms: 300 },
        },
        output: { format: { type: 'audio/pcmu' }, voice: 'marin', speed: 1.2 },
      },
    },
  },
  { type: 'input_audio_buffer.append', audio: 'AAAAAAAAAAAA' },
  { type: 'input_audio_buffer.commit' },
  { type: 'input_audio_buffer.clear' },
  {
    type: 'conversation.item.create',
    previous_item_id: 'root',
    item: { id: 'item_mine', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] },
  },
  {
    type: 'conversation.item.create',
    item: {
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_image', image_url: 'data:', detail: 'low' },
        { type: 'input_audio', audio: 'AAAA', transcript: 'Hi' },
      ],
    },
  },
  { type: 'conversation.item.create', item: { type: 'function_call', name: 'a', call_id: 'call_1', arguments: '{}' } },
  { type: 'conversation.item.create', item: { type: 'function_call_output', call_id: 'call_1', output: '1' } },
  {
    type: 'conversation.item.create',
    item: { id: 'item_mcp', type: 'mcp_approval_response', approval_request_id: 'r', approve: true, reason: 'why' },
  },
  { type: 'conversation.item.retrieve', item_id: 'item_mine' },
  { type: 'conversation.item.delete', item_id: 'item_mine' },
  { type: 'conversation.item.truncate', item_id: 'item_mine', content_index: 0, audio_end_ms: 100 },
  {
    type: 'response.create',
    response: {
      conversation: 'none',
      output_modalities: ['audio'],
      audio: { output: { format: { type: 'audio/pcma' }, voice: { id: 'voice_1' } } },
      metadata: { a: 'b' },
      max_output_tokens: 50,
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Aside' }] },
        { type: 'item_reference', id: 'item_mine' },
      ],
    },
  },
  { type: 'response.cancel', response_id: 'resp_1' },
]

/** As many frames as asked for; the same chances give the same frames. */
export function frames(random: () => number, count: number): readonly string[] {
  const pick = <T>(some: readonly T[]): T => some[Math.floor(random() * some.length)]!
  const letter = () => String.fromCodePoint(32 + Math.floor(random() * 0x2000))
  const garbage = () => Array.from({ length: 1 + random() * 40 }, letter).join('')

  function value(depth: number): unknown {
    const leaves = [null, true, -1, 0, 0.5, 1e300, '', 'item_mine', garbage(), '__proto__']
    if (depth === 0 || random() < 0.6) return pick(leaves)
    const inner = Array.from({ length: random() * 4 }, () => value(depth - 1))
    if (random() < 0.5) return inner
    const keys = ['type', 'id', 'item', 'session', 'audio', 'content', '__proto__', 'constructor', garbage()]
    return Object.fromEntries(inner.map((one) => [pick(keys), one]))
  }

  /** The same, but for one field somewhere in it: gone, doubled, or of a type of its own. */
  function spoiled(whole: unknown): unknown {
    if (typeof whole !== 'object' || whole === null || Object.keys(whole).length === 0) return value(2)
    const at = pick(Object.keys(whole))
    const change = random()
    const inner = (whole as Readonly<Record<string, unknown>>)[at]
    const next = at === 'type' ? inner : change < 0.6 ? spoiled(inner) : change < 0.9 ? value(2) : undefined
    if (Array.isArray(whole)) return whole.with(Number(at), next)
    return { ...whole, [at]: next, ...(change > 0.97 ? { [garbage()]: value(1) } : {}) }
  }

  return Array.from({ length: count }, () => {
    const kind = random()
    if (kind < 0.05) return garbage()
    if (kind < 0.1) return JSON.stringify(value(3))
    if (kind < 0.15) return JSON.stringify(pick(events)).slice(0, Math.floor(random() * 60))
    return JSON.stringify(kind < 0.25 ? pick(events) : spoiled(pick(events)))
  })
}
