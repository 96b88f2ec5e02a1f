import type { ReactNode } from 'react'
import { seconds } from './numbers.ts'
import type { Opened } from './opening.ts'

interface StepperProps {
  readonly opened: Opened
  /** From 0 on. */
  readonly step: number
  readonly go: (step: number) => void
}

/** Goes through a call, event by event. */
export function Stepper({ opened, step, go }: StepperProps): ReactNode {
  const { steps, log } = opened
  const last = steps.length - 1
  const at = steps[step]?.at ?? log.begin
  const words = `Step ${step + 1} of ${steps.length}, at ${seconds(at - log.begin)} s`
  const buttons = [
    ['First step', 'M4 3v10M12 3 6 8l6 5z', 0, step > 0],
    ['Step back', 'M11 3 5 8l6 5z', step - 1, step > 0],
    ['Step on', 'M5 3l6 5-6 5z', step + 1, step < last],
    ['Last step', 'M12 3v10M4 3l6 5-6 5z', last, step < last],
  ] as const
  if (last < 0) return <p className="stepper quiet">The call has no events.</p>
  return (
    <fieldset className="stepper" aria-label="Steps">
      <div className="step-buttons">
        {buttons.map(([name, path, to, can]) => (
          <button key={name} type="button" aria-label={name} title={name} disabled={!can} onClick={() => go(to)}>
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
              <path d={path} />
            </svg>
          </button>
        ))}
      </div>
      <input
        type="range"
        aria-label="Step"
        aria-valuetext={words}
        min={0}
        max={last}
        value={step}
        onChange={({ target }) => go(target.valueAsNumber)}
      />
      <output>{words}</output>
    </fieldset>
  )
}
