import { RealtimeProvider } from 'parley-voice/react'
import { type ReactNode, useEffect, useState } from 'react'
import { callOf } from './call.ts'
import { type Renew, Room } from './Room.tsx'
import { type Config, fetchConfig } from './server.ts'
import { useSettings } from './settings.ts'

/** Asks the server what stands behind the page, and then holds one call after the other. */
export function App(): ReactNode {
  const [config, setConfig] = useState<Config | Error | null>(null)
  useEffect(() => {
    fetchConfig().then(setConfig, setConfig)
  }, [])
  if (config === null) return null
  if (config instanceof Error) return <Unserved reason={config.message} />
  return <Calls config={config} />
}

/** Another agent or another way to connect is another call: the one before it ends. */
function Calls({ config }: { readonly config: Config }): ReactNode {
  const [settings, change] = useSettings()
  const [call, setCall] = useState(() => callOf({ settings, mode: 'idle' }, config))
  const renew: Renew = (wish, changed = {}) => {
    change(changed)
    call.session.close()
    setCall(callOf({ ...wish, settings: { ...settings, ...changed } }, config))
  }
  return (
    <RealtimeProvider session={call.session}>
      <Room config={config} call={call} renew={renew} />
    </RealtimeProvider>
  )
}

function Unserved({ reason }: { readonly reason: string }): ReactNode {
  return (
    <main className="unserved">
      <h1>The page cannot reach its server</h1>
      <p>{reason}</p>
      <p>
        Is <code>parley dev</code> still running? Start it again, and reload this page.
      </p>
    </main>
  )
}
