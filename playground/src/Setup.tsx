import { type ReactNode, useId, useState } from 'react'
import { exampleOf, examples } from './agents/index.ts'
import type { Call } from './call.ts'
import { Devices } from './Devices.tsx'
import type { Settings } from './settings.ts'

interface SetupProps {
  readonly call: Call
  readonly change: (settings: Partial<Settings>) => void
}

/** Who answers, and by which way. On a narrow screen it folds away. */
export function Setup({ call, change }: SetupProps): ReactNode {
  const { settings } = call
  const [open, setOpen] = useState(false)
  const id = useId()
  return (
    <aside className="setup" aria-label="Setup" data-open={open}>
      <button type="button" className="fold" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        <span>{exampleOf(settings.example).title}</span>
        <span className="quiet">{open ? 'Done' : 'Change'}</span>
      </button>
      <div className="choices" id={id}>
        <fieldset className="agents">
          <legend>Agent</legend>
          {examples.map(({ id, title, about }) => (
            <label key={id} className="agent">
              <input
                type="radio"
                name="agent"
                value={id}
                checked={settings.example === id}
                onChange={() => {
                  setOpen(false)
                  change({ example: id })
                }}
              />
              <span className="title">{title}</span>
              <span className="about">{about}</span>
            </label>
          ))}
        </fieldset>
        <Segments
          legend="Connection"
          value={settings.transport}
          choices={{ auto: 'Auto', webrtc: 'WebRTC', websocket: 'WebSocket' }}
          choose={(transport) => change({ transport })}
        />
        <Segments
          legend="Turns"
          value={settings.turns}
          choices={{ automatic: 'Automatic', 'push-to-talk': 'Hold to talk' }}
          choose={(turns) => change({ turns })}
        />
        <Devices />
      </div>
    </aside>
  )
}

interface SegmentsProps<Choice extends string> {
  readonly legend: string
  readonly value: Choice
  readonly choices: Readonly<Record<Choice, string>>
  readonly choose: (choice: Choice) => void
}

/** A choice of a few: radio buttons side by side. */
function Segments<Choice extends string>({ legend, value, choices, choose }: SegmentsProps<Choice>): ReactNode {
  return (
    <fieldset>
      <legend>{legend}</legend>
      <div className="segments">
        {(Object.keys(choices) as Choice[]).map((choice) => (
          <label key={choice}>
            <input type="radio" name={legend} checked={choice === value} onChange={() => choose(choice)} />
            <span>{choices[choice]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
