import { describe, expect, test } from 'vitest'
import { callsUrl, hangUpUrl, realtimeUrl } from './address.ts'

describe('a session over a WebSocket is at', () => {
  test.each([
    [{}, 'wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1'],
    [{ model: 'm 1&2' }, 'wss://api.openai.com/v1/realtime?model=m%201%262'],
    [{ url: 'http://h:1/v1/realtime/calls' }, 'ws://h:1/v1/realtime?model=gpt-realtime-2.1'],
    [{ url: 'https://h/v1/realtime/calls/?a=b#c' }, 'wss://h/v1/realtime?a=b&model=gpt-realtime-2.1'],
    [{ url: 'WSS://h' }, 'WSS://h/?model=gpt-realtime-2.1'],
    [{ url: ' wss://Me:Secret@h/x ', model: 'm' }, 'wss://Me:Secret@h/x?model=m'],
    [{ url: 'wss://h/x?model=theirs', model: 'ours' }, 'wss://h/x?model=theirs'],
    [{ url: 'wss://h/x?model', model: 'ours' }, 'wss://h/x?model'],
    [{ url: 'wss://h/x?models=2', model: 'm' }, 'wss://h/x?models=2&model=m'],
    [{ url: 'wss://h/x?intent=transcription' }, 'wss://h/x?intent=transcription'],
    [{ url: 'wss://h/x?call_id=c' }, 'wss://h/x?call_id=c'],
    [{ url: 'wss://h/x?call_id=c&a=b', callId: 'd' }, 'wss://h/x?a=b&call_id=d'],
    [{ callId: 'd' }, 'wss://api.openai.com/v1/realtime?call_id=d'],
    [{ url: 'wss://[::1]:9/x', model: 'm' }, 'wss://[::1]:9/x?model=m'],
  ])('%j', (where, address) => {
    expect(realtimeUrl(where)).toBe(address)
    expect(new URL(address).search).toBe(address.slice(address.indexOf('?')))
  })
})

describe('a call is offered at', () => {
  test.each([
    [undefined, undefined, 'https://api.openai.com/v1/realtime/calls'],
    [undefined, 'm', 'https://api.openai.com/v1/realtime/calls?model=m'],
    ['ws://h/v1/realtime', 'm', 'http://h/v1/realtime/calls?model=m'],
    ['wss://h/v1/realtime/?a=b', 'm', 'https://h/v1/realtime/calls?a=b&model=m'],
    ['https://h/v1/realtime/calls', undefined, 'https://h/v1/realtime/calls'],
    ['https://h/v1/realtime/calls?model=theirs', 'ours', 'https://h/v1/realtime/calls?model=theirs'],
    ['https://h/elsewhere', undefined, 'https://h/elsewhere'],
  ])('%s, of model %s', (url, model, address) => expect(callsUrl(url, model)).toBe(address))
})

test.each([
  ['https://h/v1/realtime/calls?model=m&region=x', 'https://h/v1/realtime/calls/rtc_1/hangup?region=x'],
  ['https://h/v1/realtime/calls/?model=m', 'https://h/v1/realtime/calls/rtc_1/hangup'],
])('the call offered at %s is hung up at %s', (to, address) => expect(hangUpUrl(to, 'rtc_1')).toBe(address))

test.each(['nonsense', '/v1/realtime', 'ftp://h/', 'https://', 'https:///x', 'wss://h h/x', 'javascript:alert(1)'])(
  '%s is no address',
  (url) => {
    for (const address of [() => realtimeUrl({ url }), () => callsUrl(url)]) {
      expect(address).toThrow(`'${url}' is no address. Pass a whole one, such as `)
    }
  },
)
