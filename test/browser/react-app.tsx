/** Every hook in one component: what a server renders, and a browser takes over. */
import {
  RealtimeProvider,
  useAgentState,
  useAudioLevel,
  useCurrentAgent,
  useHistory,
  useMetrics,
  useMicrophone,
  useRealtime,
  useRealtimeEvent,
  useToolApprovals,
  useTranscript,
  useTranscriptItem,
} from 'parley-voice/react'
import type { ReactNode } from 'react'
import { RealtimeAgent } from '../../src/index.ts'

export function App(): ReactNode {
  return (
    <RealtimeProvider agent={new RealtimeAgent({ name: 'Clerk' })} options={{ transport: 'websocket' }}>
      <All />
    </RealtimeProvider>
  )
}

function All(): ReactNode {
  const { status, cause } = useRealtime()
  const { state, muted, devices, speaker, problem } = useMicrophone()
  const ids = useHistory((items) => items.map(({ itemId }) => itemId))
  useRealtimeEvent('error', () => {})
  const shown = {
    status,
    cause,
    agentState: useAgentState(),
    agent: useCurrentAgent()?.name ?? null,
    transcript: useTranscript(),
    item: useTranscriptItem('item_1'),
    history: useHistory(),
    ids,
    pending: useToolApprovals().pending,
    metrics: useMetrics(),
    microphone: { state, muted, devices, speaker, problem },
  }
  return <pre ref={useAudioLevel('input')}>{JSON.stringify(shown)}</pre>
}
