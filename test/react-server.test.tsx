/** React on a server: Node, without a window. */
import { RealtimeProvider, useRealtime } from 'parley-voice/react'
import { renderToString } from 'react-dom/server'
import { expect, test } from 'vitest'
import { App } from './browser/react-app.tsx'

function Status(): string {
  return useRealtime().status
}

test('a server renders every hook as it is before anything happened, and makes nothing', () => {
  expect('window' in globalThis).toBe(false)
  const html = renderToString(<App />)
  expect(JSON.parse(html.replace(/<[^>]*>/g, '').replaceAll('&quot;', '"'))).toEqual({
    status: 'idle',
    cause: null,
    agentState: 'idle',
    agent: null,
    transcript: [],
    item: null,
    history: [],
    ids: [],
    pending: [],
    metrics: [],
    microphone: { state: 'off', muted: false, devices: [], speaker: 'off', problem: null },
  })
})

test('a server makes no session for what only reads', () => {
  let made = 0
  const createSession = () => {
    made++
    throw new Error('Not here.')
  }
  expect(
    renderToString(
      <RealtimeProvider createSession={createSession}>
        <Status />
      </RealtimeProvider>,
    ),
  ).toBe('idle')
  expect(made).toBe(0)
})

test('a hook outside of a provider says what to do', () => {
  expect(() => renderToString(<Status />)).toThrow('put this component into a <RealtimeProvider>')
})
