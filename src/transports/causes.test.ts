import { describe, expect, test } from 'vitest'
import { session } from '../../test/in-hand.ts'
import { realClock } from '../session/clock.ts'
import { closed, refused, unopened } from './causes.ts'
import { memory } from './memory.ts'

const error = (code: string | null, message = 'Words.') => ({
  type: 'invalid_request_error',
  code,
  message,
  param: null,
})

describe('a close code says whether to dial again', () => {
  test.each([
    [1000, false, 'far end', 'The far end closed the connection with 1000'],
    [1001, false, 'far end', 'The far end went away'],
    [1005, false, 'far end', 'The far end closed the connection with 1005'],
    [1006, false, 'network', 'The connection broke'],
    [1008, true, 'far end', 'The far end refused the connection'],
    [1011, false, 'far end', 'The far end failed'],
    [1012, false, 'far end', 'The far end restarts'],
    [1013, false, 'far end', 'The far end is overloaded'],
    [3000, true, 'far end', 'The far end did not accept the key'],
    [4000, true, 'far end', 'The far end did not accept the request'],
    [4999, false, 'far end', 'The far end closed the connection with 4999'],
  ])('%i: fatal %s, by the %s', (code, fatal, initiator, meaning) => {
    expect(closed(code, '', null)).toEqual({ reason: `${meaning}.`, code, fatal, initiator })
    expect(closed(code, 'Their words', null)).toEqual({ reason: `${meaning}: Their words`, code, fatal, initiator })
  })
})

describe('the last error before a close is told, and may make it final', () => {
  test.each([
    ['invalid_api_key', true],
    ['missing_model', true],
    ['invalid_model', true],
    ['model_not_found', true],
    ['insufficient_quota', true],
    ['beta_api_shape_disabled', true],
    ['session_expired', false],
    ['rate_limit_exceeded', false],
    ['server_error', false],
    [null, false],
  ])('%s: fatal %s', (code, fatal) => {
    expect(closed(1000, 'type.code', error(code))).toEqual({
      reason: 'The far end closed the connection with 1000: type.code; Words.',
      code: 1000,
      fatal,
      initiator: 'far end',
      lastError: { code, message: 'Words.', type: 'invalid_request_error' },
    })
  })
})

describe('an answer in HTTP says whether to dial again', () => {
  test.each([
    [400, true],
    [401, true],
    [403, true],
    [404, true],
    [408, false],
    [429, false],
    [500, false],
    [502, false],
    [503, false],
  ])('%i: fatal %s', (status, fatal) => {
    const body = JSON.stringify({ error: { message: 'Their words.', type: 'x', code: 'y', param: null } })
    expect(refused(status, body)).toEqual({
      reason: `The far end answered with HTTP ${status}: Their words.`,
      code: status,
      fatal,
      initiator: 'far end',
      lastError: { code: 'y', message: 'Their words.', type: 'x' },
      body,
    })
  })

  test('an expired secret can be told from a wrong key', () => {
    const error = { type: 'invalid_request_error', code: 'token_expired', message: 'It has expired.', param: 'secret' }
    expect(refused(401, JSON.stringify({ error })).lastError).toEqual(error)
  })

  test.each([
    ['{"error":{"code":401,"message":["no"],"type":null}}', { code: null, message: '' }],
    ['{"error":{}}', { code: null, message: '' }],
    ['{"error":"no"}', undefined],
    ['{"detail":"no"}', undefined],
    ['<html>no</html>', undefined],
  ])('of the body %s the error is %j', (body, error) => {
    expect(refused(401, body)).toMatchObject({ body, ...(error ? { lastError: error } : {}) })
    expect(refused(401, body).lastError).toEqual(error)
  })

  test('of a long body the beginning is kept', () => {
    expect(refused(502, '<b>busy</b>'.repeat(1_000)).body).toBe('<b>busy</b>'.repeat(1_000).slice(0, 2_000))
    expect(refused(502, '')).not.toHaveProperty('body')
  })

  test.each([
    ['', 'it gave no reason.'],
    ['<html>busy</html>', 'busy'],
    ['null', 'null'],
    ['{"error":"no"}', '{"error":"no"}'],
    ['{"error":null}', '{"error":null}'],
    ['{"error":{"message":""}}', 'it gave no reason.'],
    ['{"error":', '{"error":'],
  ])('the body %s is told as %s', (body, told) => {
    expect(refused(500, body).reason).toBe(`The far end answered with HTTP 500: ${told}`)
  })
})

test('what stops us before there is a socket is final where it is ours', () => {
  expect(unopened('There is no API key.', true)).toEqual({
    reason: 'There is no connection: There is no API key.',
    code: null,
    fatal: true,
    initiator: 'us',
  })
  expect(unopened('words', false)).toEqual({
    reason: 'There is no connection: words',
    code: null,
    fatal: false,
    initiator: 'network',
  })
})

test('our own close is told in one sentence and by one code, wherever it was called', async () => {
  const whole = { reason: 'The session was closed.', code: 'closed_by_us', fatal: true, initiator: 'us' }
  const line = await new Promise((told) => {
    const accept = () => ({ received() {}, closed() {} })
    memory({ clock: realClock, accept })({ opened() {}, received() {}, dropped: told }).close()
  })
  const hand = session()
  hand.play({ type: 'started' }, { type: 'ended' })
  expect([line, hand.state.link]).toEqual([whole, { at: 'closed', cause: whole }])
})
