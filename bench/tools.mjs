/** How long a call waits: from the end of the response that makes it until what the tool answered is written. */
import { tool } from 'parley-voice'
import { writtenItems } from './frames.mjs'
import { clean, sampleByTurns } from './measure.mjs'
import { inHand } from './sessions.mjs'

const calls = 25

/** Samples of µs a call, at 10 and at 1,000 items. */
export function toolCalls(rounds) {
  return sampleByTurns({ few: () => inSession(10), many: () => inSession(1_000) }, rounds)
}

/** The mean of several calls, one after the other: the clock is read only where a call comes and where its output goes. */
async function inSession(items) {
  let written
  const weather = tool({ name: 'weather', description: 'Tells the weather.', execute: ({ city }) => `Sun in ${city}.` })
  const { call, hear } = await inHand({
    tools: [weather],
    sent: (event) => {
      if (event.item?.type === 'function_call_output') written(event.item)
    },
  })
  for (const event of writtenItems(items)) hear(event)
  let told = call.history.length
  call.on('history_updated', (history) => (told = history.length))
  let previous = `item_old_${items - 1}`
  let waited = 0
  clean()
  for (let n = 0; n < calls; n++) {
    const [begin, end] = callEvents(n, previous)
    for (const event of begin) hear(event)
    const answer = new Promise((resolve) => (written = (item) => resolve([item, performance.now()])))
    const before = performance.now()
    for (const event of end) hear(event)
    const [item, after] = await answer
    waited += after - before
    hear({ type: 'conversation.item.added', event_id: `event_output_${n}`, previous_item_id: `item_call_${n}`, item })
    hear({ type: 'response.created', event_id: `event_after_${n}`, response: response(`resp_after_${n}`, []) })
    hear({ type: 'response.done', event_id: `event_over_${n}`, response: response(`resp_after_${n}`, [words(n)]) })
    previous = words(n).id
  }
  call.close()
  if (told !== items + 2 * calls) throw new Error(`The history has ${told} items: the figure says nothing.`)
  return (waited / calls) * 1_000
}

/** The events of a response that is one call: until it is whole, and from there on. */
function callEvents(n, previous_item_id) {
  const id = `item_call_${n}`
  const begun = {
    id,
    type: 'function_call',
    call_id: `call_${n}`,
    name: 'weather',
    arguments: '',
    status: 'in_progress',
  }
  const item = { ...begun, arguments: '{"city":"Bern"}', status: 'completed' }
  const response_id = `resp_call_${n}`
  const place = { response_id, item_id: id, output_index: 0, call_id: item.call_id }
  const begin = [
    { type: 'response.created', response: response(response_id, []) },
    { type: 'response.output_item.added', response_id, output_index: 0, item: begun },
    { type: 'conversation.item.added', previous_item_id, item: begun },
    ...['{"city"', ':"Be', 'rn"}'].map((delta) => ({
      type: 'response.function_call_arguments.delta',
      ...place,
      delta,
    })),
    { type: 'response.function_call_arguments.done', ...place, name: 'weather', arguments: item.arguments },
  ]
  const end = [
    { type: 'conversation.item.done', previous_item_id, item },
    { type: 'response.output_item.done', response_id, output_index: 0, item },
    { type: 'response.done', response: response(response_id, [item]) },
  ]
  return [begin, end].map((events) => events.map((event, at) => ({ event_id: `event_call_${n}_${at}`, ...event })))
}

function words(n) {
  const content = [{ type: 'output_audio', transcript: 'Sun.' }]
  return { id: `item_words_${n}`, type: 'message', role: 'assistant', content }
}

function response(id, output) {
  return { object: 'realtime.response', id, conversation_id: 'conv_1', status: 'completed', output, metadata: null }
}
