import { useAgentState, useMetrics, useMicrophone, useRealtime, useToolApprovals } from 'parley-voice/react'
import { type ReactNode, useLayoutEffect, useRef } from 'react'
import { Composer } from './Composer.tsx'
import type { Call } from './call.ts'
import { Meter } from './Meter.tsx'
import type { Renew } from './Room.tsx'
import { useShortcuts } from './shortcuts.ts'
import { Deaf } from './Transcript.tsx'
import { isFailed, Trouble } from './Trouble.tsx'
import { useHolding } from './useHolding.ts'

interface DockProps {
  /** Why the far end does not understand speech, where that is so. */
  readonly missing: readonly string[]
  /** Who is called. */
  readonly server: string
  readonly call: Call
  readonly talk: () => void
  readonly write: (text: string) => void
  readonly retry: () => void
  readonly renew: Renew
}

/** The state of the call, and what can be done with it. */
export function Dock({ missing, server, call, talk, write, retry, renew }: DockProps): ReactNode {
  const { status, cause, close, interrupt } = useRealtime()
  const agent = useAgentState()
  const { muted, mute, speaker, resumeAudio } = useMicrophone()
  const dock = useRef<HTMLDivElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const keys = useKeptFocus()
  const isOn = status === 'connected' || status === 'reconnecting'
  const isTalking = isOn && call.mode === 'talk'
  const holds = call.settings.turns === 'push-to-talk'
  const hold = useHolding(isTalking && holds)
  useShortcuts(dock, {
    press: (key) => {
      if (key === ' ') return isTalking ? hold.begin() : status === 'connecting' ? undefined : talk()
      if (key === 'm' && isTalking) return mute(!muted)
      if (key === 'Escape' && isOn) return interrupt()
      if (key === '/') return input.current?.focus()
    },
    release: (key) => key === ' ' && hold.end(),
  })

  return (
    <div className="dock" ref={dock}>
      <Trouble server={server} call={call} retry={retry} renew={renew} />
      {speaker === 'blocked' && (
        <div className="trouble asked" role="status">
          <p>The browser keeps the sound back until you ask for it.</p>
          <div className="decision">
            <button type="button" className="primary" onClick={() => void resumeAudio()}>
              Play it
            </button>
          </div>
        </div>
      )}
      {isTalking && <Deaf missing={missing} />}
      <div className="controls">
        <State call={call} isHeld={hold.isHeld} />
        <fieldset className="buttons" aria-label="Call" tabIndex={-1} {...keys}>
          {isTalking && holds && (
            <button
              type="button"
              className="primary hold"
              aria-pressed={hold.isHeld}
              onPointerDown={hold.begin}
              onPointerUp={hold.end}
              onPointerLeave={hold.end}
              onPointerCancel={hold.end}
            >
              {hold.isHeld ? 'Let go to send' : 'Hold to talk'} <kbd>Space</kbd>
            </button>
          )}
          {isTalking && !holds && (
            <button type="button" aria-pressed={muted} onClick={() => mute(!muted)}>
              {muted ? 'Unmute' : 'Mute'} <kbd>M</kbd>
            </button>
          )}
          {isOn && (
            <button type="button" disabled={agent !== 'speaking' && agent !== 'thinking'} onClick={interrupt}>
              Interrupt <kbd>Esc</kbd>
            </button>
          )}
          {isOn && (
            <button type="button" onClick={close}>
              End
            </button>
          )}
          {!isTalking && status !== 'connecting' && !isFailed(status, cause) && (
            <button type="button" className={isOn || missing.length ? '' : 'primary'} onClick={talk}>
              {isOn ? 'Talk' : 'Start talking'} <kbd>Space</kbd>
            </button>
          )}
          {status === 'connecting' && (
            <button type="button" onClick={close}>
              Cancel
            </button>
          )}
        </fieldset>
      </div>
      <Composer write={write} input={input} />
    </div>
  )
}

/** What happens now, in a word, beside a level that moves. */
function State({ call, isHeld }: { readonly call: Call; readonly isHeld: boolean }): ReactNode {
  const { status, cause } = useRealtime()
  const agent = useAgentState()
  const { muted, state: microphone, speaker } = useMicrophone()
  const { pending } = useToolApprovals()
  const holds = call.settings.turns === 'push-to-talk'
  const listening = () => {
    if (call.mode === 'write') return 'Waiting for you'
    if (microphone === 'busy') return 'Microphone in use'
    if (['denied', 'missing', 'insecure', 'lost'].includes(microphone)) return 'No microphone'
    if (muted) return 'Muted'
    return holds && !isHeld ? 'Hold to talk' : 'Listening'
  }
  const word = {
    idle: 'Ready',
    connecting: microphone === 'asking' ? 'Allow the microphone' : 'Connecting',
    reconnecting: 'Reconnecting',
    closed: isFailed(status, cause) ? 'Not connected' : 'Ended',
    connected: {
      idle: 'Connected',
      listening: listening(),
      thinking: pending.length ? 'Waiting for your decision' : speaker === 'blocked' ? 'No sound yet' : 'Thinking',
      speaking: speaker === 'blocked' ? 'No sound yet' : 'Speaking',
    }[agent === 'reconnecting' ? 'idle' : agent],
  }[status]
  const shown = status === 'connected' ? agent : status
  return (
    <div className="state" data-state={shown} data-muted={word === 'Muted'}>
      <Meter which={agent === 'speaking' ? 'output' : 'input'} />
      {/* Each turn changes it several times, and the agent is heard: only what `Announced` has is read out. */}
      <p role="status" aria-live="off">
        {word}
      </p>
      {/* Of the answer that is heard, or was: not of one that is still to come. */}
      {shown !== 'thinking' && <Latency />}
      <Announced isTalking={call.mode === 'talk'} isFailed={isFailed(status, cause)} />
    </div>
  )
}

/** The line, for those who do not see it. What fails and what waits for a decision is told where it stands. */
function Announced({ isTalking, isFailed }: { readonly isTalking: boolean; readonly isFailed: boolean }): ReactNode {
  const { status } = useRealtime()
  const told = {
    idle: '',
    connecting: 'The call begins.',
    reconnecting: '',
    closed: isFailed ? '' : 'The call is over.',
    connected: isTalking ? 'The call is on. You can talk.' : 'The call is on.',
  }[status]
  return (
    <p className="hidden" aria-live="polite">
      {told}
    </p>
  )
}

/** Buttons go as the call goes on: the keyboard stays among those that come in their place. */
function useKeptFocus() {
  const group = useRef<HTMLFieldSetElement>(null)
  const isWithin = useRef(false)
  useLayoutEffect(() => {
    if (isWithin.current && document.activeElement === document.body) group.current?.focus()
  })
  return {
    ref: group,
    onFocus: () => {
      isWithin.current = true
    },
    onBlur: () => {
      isWithin.current = false
    },
  }
}

/** From the end of what the user said to the first sound of the answer. */
function Latency(): ReactNode {
  const turn = useMetrics().findLast(({ by }) => by !== 'app')
  const { firstAudible, firstByte, firstWord } = turn?.latency ?? {}
  const ms = firstAudible ?? firstByte ?? firstWord
  if (typeof ms !== 'number') return null
  return <span className="latency">answered in {(ms / 1000).toFixed(2)} s</span>
}
