import { useMicrophone, useRealtime } from 'parley-voice/react'
import { type ReactNode, useEffect, useState } from 'react'
import { exampleOf } from './agents/index.ts'
import { type Call, urlOf } from './call.ts'
import { Dock } from './Dock.tsx'
import { Header, type View } from './Header.tsx'
import { Inspector } from './inspector/Inspector.tsx'
import { Setup } from './Setup.tsx'
import type { Config } from './server.ts'
import type { Settings } from './settings.ts'
import { Transcript } from './Transcript.tsx'

/** Begins another call, with the settings changed. */
export type Renew = (wish: Omit<Call, 'session' | 'settings'>, changed?: Partial<Settings>) => void

interface RoomProps {
  readonly config: Config
  readonly call: Call
  readonly renew: Renew
}

/** The page while one call is the current one. */
export function Room({ config, call, renew }: RoomProps): ReactNode {
  const [view, setView] = useState<View>('conversation')
  const { session, status, connect } = useRealtime()
  const { state: microphone } = useMicrophone()
  const start = useStart(config, call)
  const example = exampleOf(call.settings.example)

  /** The conversation stays when one goes on by speaking, or in writing. */
  const talk = () =>
    call.mode === 'talk' ? connect({ url: urlOf(config) }).catch(() => {}) : renew({ mode: 'talk', ...saved() })
  const isOn = status === 'connected' || status === 'reconnecting' || status === 'connecting'
  /** Who writes does not wait until the microphone is allowed. */
  const write = (text: string) =>
    isOn && !(status === 'connecting' && microphone === 'asking')
      ? session.sendMessage(text)
      : renew({ mode: 'write', first: text, ...saved() })
  /** Another agent begins anew; another way to talk to the same one goes on with what was said. */
  const change = (settings: Partial<Settings>) =>
    renew(settings.example ? { mode: 'idle' } : { mode: isOn ? call.mode : 'idle', ...saved() }, settings)
  const saved = () => (session.history.length ? { saved: session.save() } : {})

  return (
    <div className="room">
      <Header view={view} show={setView} config={config} />
      <main className="panels">
        <section
          className="conversation"
          id="panel-conversation"
          role="tabpanel"
          aria-labelledby="tab-conversation"
          hidden={view !== 'conversation'}
        >
          <Setup call={call} change={change} />
          <div className="stage">
            <Transcript example={example} write={write} missing={config.missing} />
            <Dock
              missing={config.missing}
              server={config.provider === 'local' ? 'parley dev' : config.provider}
              call={call}
              talk={talk}
              write={write}
              retry={start}
              renew={renew}
            />
          </div>
        </section>
        <section
          className="inspector"
          id="panel-inspector"
          role="tabpanel"
          aria-labelledby="tab-inspector"
          hidden={view !== 'inspector'}
        >
          <Inspector />
        </section>
      </main>
    </div>
  )
}

/** Calls that were begun: each is once, however often React mounts. */
const begun = new WeakSet<Call>()

/** Connects a call that was begun with it, says what was written, or has the agent greet. Returns how to try again. */
function useStart(config: Config, call: Call): () => void {
  const { session, connect } = useRealtime()
  const dial = () => connect({ url: urlOf(config) })
  // biome-ignore lint/correctness/useExhaustiveDependencies: a call begins once
  useEffect(() => {
    const { mode, first, saved, settings } = call
    if (mode === 'idle' || begun.has(call)) return
    begun.add(call)
    if (first !== undefined) session.sendMessage(first)
    const greet = () => {
      if (mode !== 'talk' || saved) return
      session.generateReply({ instructions: `Say exactly: "${exampleOf(settings.example).greeting}"` })
    }
    dial().then(greet, () => {})
  }, [call])
  return () => void dial().catch(() => {})
}
