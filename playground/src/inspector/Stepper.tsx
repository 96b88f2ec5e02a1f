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
    ['First step', '⏮', 0, step > 0],
    ['Step back', '◀', step - 1, step > 0],
    ['Step on', '▶', step + 1, step < last],
    ['Last step', '⏭', last, step < last],
  ] as const
  if (last < 0) return <p className="stepper quiet">The call has no events.</p>
  return (
    <fieldset className="stepper" aria-label="Steps">
      <div className="step-buttons">
        {buttons.map(([name, sign, to, can]) => (
          <button key={name} type="button" aria-label={name} title={name} disabled={!can} onClick={() => go(to)}>
            {sign}
            {'\ufe0e'}
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
