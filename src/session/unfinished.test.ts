import { expect, test } from 'vitest'
import { asked, created, event, live, noticed, over, sent, session, wished, words } from '../../test/in-hand.ts'

const ended = (status: string, rest: object = {}) =>
  event('response.done', { response: { id: 'r', status, output: [], ...rest } })
const serverError = {
  status_details: { type: 'failed', error: { type: 'server_error', code: 'server_error', message: 'Oh.' } },
}

test('a failure that may pass is tried once more, and both are told', () => {
  const { play } = session()
  play(...live, asked, created('r'))
  const first = play(ended('failed', serverError))
  expect(noticed(first)).toMatchObject([{ type: 'unfinished', why: 'failed', isRetried: true }])
  expect(wished(first)).toEqual(['any'])
  const second = play(created('r'), ended('failed', serverError))
  expect(noticed(second)).toMatchObject([{ why: 'failed', isRetried: false }])
  expect(wished(second)).toEqual([])
})

test.each([
  ['failed', { status_details: { type: 'failed', error: { type: 'invalid_request_error', code: 'x' } } }],
  ['failed', { ...serverError, output: [words] }],
  ['incomplete', { status_details: { type: 'incomplete', reason: 'max_output_tokens' } }],
  ['cancelled', { status_details: { type: 'cancelled', reason: 'client_cancelled' } }],
])('a response that is %s is told, and not asked for again (%j)', (status, rest) => {
  const { play } = session()
  play(...live, asked, created('r'))
  const effects = play(ended(status, rest))
  expect(noticed(effects)).toMatchObject([{ type: 'unfinished', why: status, isRetried: false }])
  expect(wished(effects)).toEqual([])
})

test('a response that we cut is no news', () => {
  const { play } = session()
  play(...live, asked, created('r'), { type: 'interrupted', cancel: true })
  expect(noticed(play(ended('cancelled')))).toEqual([])
})

test('a response that says nothing is asked for once more', () => {
  const { play } = session()
  play(...live, asked, created('r'))
  expect(wished(play(over('r', [])))).toEqual(['any'])
  const second = play(created('r2'), over('r2', []))
  expect(noticed(second)).toMatchObject([{ why: 'silent', isRetried: false }])
  expect(wished(second)).toEqual([])
})

test('a response that begins and goes no further is given up in time, and asked for once more', () => {
  const it = session({ reconnect: { timeoutMs: 100 } })
  it.play(...live, asked, created('r'))
  it.at(60)
  it.play(event('input_audio_buffer.cleared'))
  it.at(100)
  const effects = it.play({ type: 'woke', heardAt: 99 })
  expect(sent(effects)).toEqual(['response.cancel'])
  expect(noticed(effects)).toMatchObject([{ why: 'silent', isRetried: true }])
  expect(wished(it.play(ended('cancelled')))).toEqual(['any'])
})

test('an answer in writing where sound was asked for is deleted, and asked for again, three times at most', () => {
  const { play } = session({ config: { output_modalities: ['audio'] } })
  play(...live, asked)
  const written = { ...words, content: [{ type: 'output_text', text: 'Yes.' }] }
  for (let n = 0; n < 3; n++) {
    const effects = play(
      created('r'),
      event('response.output_item.added', { response_id: 'r', item: written }),
      over('r', [written]),
    )
    expect(sent(effects)).toEqual(['conversation.item.delete', 'response.create'])
  }
  expect(sent(play(created('r'), over('r', [written])))).toEqual([])
})
