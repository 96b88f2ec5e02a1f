'use client'
export type { AgentState } from './agent-state.ts'
export { RealtimeProvider, type RealtimeProviderProps } from './provider.ts'
/** Parley in React: one session for a provider, and hooks that read it. Needs React 18 or later. */
export type { Status } from './store.ts'
export type { TranscriptMessage } from './transcript.ts'
export { type Approving, useToolApprovals } from './use-approvals.ts'
export { useAudioLevel } from './use-audio-level.ts'
export { type MicrophoneFace, useMicrophone } from './use-microphone.ts'
export {
  type Realtime,
  useAgentState,
  useCurrentAgent,
  useMetrics,
  useRealtime,
  useRealtimeEvent,
} from './use-realtime.ts'
export { useHistory, useTranscript, useTranscriptItem } from './use-transcript.ts'
