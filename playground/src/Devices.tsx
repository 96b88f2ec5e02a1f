import { useMicrophone } from 'parley-voice/react'
import { type ReactNode, useId, useState } from 'react'

/** Which microphone speaks, and which output is heard: without reconnecting. */
export function Devices(): ReactNode {
  const { devices, device, selectDevice, speakerDevice, selectSpeaker } = useMicrophone()
  const [problem, setProblem] = useState<string | null>(null)
  const tried = (choosing: Promise<void>) => {
    setProblem(null)
    choosing.catch((error: Error) => setProblem(error.message))
  }
  const known = devices.filter(({ deviceId, label }) => deviceId && label)
  if (!known.length) return <p className="quiet hint">Microphone and speaker can be chosen once you talk.</p>
  return (
    <div className="devices">
      <Choice
        label="Microphone"
        devices={known.filter(({ kind }) => kind === 'audioinput')}
        chosen={device}
        choose={(id) => tried(selectDevice(id))}
      />
      <Choice
        label="Speaker"
        devices={known.filter(({ kind }) => kind === 'audiooutput')}
        chosen={speakerDevice}
        choose={(id) => tried(selectSpeaker(id))}
      />
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly devices: readonly MediaDeviceInfo[]
  readonly chosen: string | null
  readonly choose: (deviceId: string) => void
}

function Choice({ label, devices, chosen, choose }: ChoiceProps): ReactNode {
  const id = useId()
  if (!devices.length) return null
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={chosen ?? ''} onChange={({ target }) => choose(target.value)}>
        {!devices.some(({ deviceId }) => deviceId === chosen) && <option value="">Default</option>}
        {devices.map(({ deviceId, label }) => (
          <option key={deviceId} value={deviceId}>
            {label}
          </option>
        ))}
      </select>
    </div>
  )
}
