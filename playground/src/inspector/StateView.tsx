import type { State } from 'parley-voice'
import type { ReactNode } from 'react'
import { factsOf, transcriptOf } from './state-facts.ts'

interface StateViewProps {
  readonly state: State
  /** The state before, where what is new is to be marked. */
  readonly before: State | null
  readonly at: number
}

/** Items before these are left out. */
const most = 100

/** The session's state: what it knew at that moment. */
export function StateView({ state, before, at }: StateViewProps): ReactNode {
  const facts = factsOf(state, at)
  const were = before === null || before === state ? facts : factsOf(before, at)
  const said = transcriptOf(state, most)
  const earlier = state.conversation.items.length - said.length
  return (
    <section className="pane state-view" aria-labelledby="state">
      <h2 id="state">State</h2>
      <dl>
        {facts.map(({ name, value }, n) => (
          <div key={name} data-new={value !== were[n]!.value}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h3>Transcript</h3>
      {earlier > 0 && <p className="quiet">{earlier} earlier items are left out here.</p>}
      {said.length === 0 ? (
        <p className="quiet">Nothing was said.</p>
      ) : (
        <div className="said-box">
          <ol className="said" aria-label="Transcript">
            {said.map(({ id, who, text, cut, isOpen }) => (
              <li key={id} data-who={who}>
                <span className="who">{who}</span>
                <span className="text">
                  {text || (isOpen ? '' : <span className="quiet">no words</span>)}
                  {isOpen && ' …'} {cut && <span className="quiet">{cut}</span>}
                </span>
              </li>
            ))}
          </ol>
        </div>
      )}
    </section>
  )
}
