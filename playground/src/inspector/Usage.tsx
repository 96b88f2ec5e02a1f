import { costOf, type SessionUsage, type State } from 'parley-voice'
import { memo, type NamedExoticComponent, type ReactNode } from 'react'
import { grouped } from './events.ts'

interface UsageProps {
  readonly usage: State['usage']
  readonly model: string | null
}

/** What the far end says that was used, by modality, and what that costs by the list. */
export const Usage: NamedExoticComponent<UsageProps> = memo(({ usage, model }: UsageProps): ReactNode => {
  const rows = rowsOf(usage)
  const isUsed = usage.responses > 0 || usage.transcriptionTokens > 0 || usage.transcriptionSeconds > 0
  const cost = model === null ? null : costOf(usage, model)
  return (
    <section className="pane usage" aria-labelledby="usage">
      <h2 id="usage">Usage and cost</h2>
      {!isUsed ? (
        <p className="quiet">Nothing was reported yet.</p>
      ) : (
        <>
          <table>
            <thead>
              <tr>
                <th scope="col">Tokens</th>
                <th scope="col">in</th>
                <th scope="col">of them cached</th>
                <th scope="col">out</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(([name, ...counts]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {counts.map((count, n) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: they are columns
                    <td key={n}>{count === null ? '' : grouped(count)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {Object.entries(usage.transcription).map(([name, { totalTokens, seconds }]) => (
            <p className="quiet" key={name}>
              Transcribed by {name}: {seconds > 0 ? `${seconds.toFixed(1)} s` : `${grouped(totalTokens)} tokens`}
            </p>
          ))}
          <p className="cost">
            {cost === null ? (
              <span className="quiet">
                {model ? `No price is known for all of it (${model}).` : 'The model is not known.'}
              </span>
            ) : (
              <>
                <strong>${cost.toFixed(4)}</strong>
                <span className="quiet">
                  estimated at the list prices of {model}, {responses(usage)}
                </span>
              </>
            )}
          </p>
        </>
      )}
    </section>
  )
})

type Row = readonly [name: string, input: number, cached: number, output: number | null]

function rowsOf(usage: SessionUsage): readonly Row[] {
  const rows: readonly Row[] = [
    ['Text', usage.inputTextTokens, usage.cachedTextTokens, usage.outputTextTokens],
    ['Audio', usage.inputAudioTokens, usage.cachedAudioTokens, usage.outputAudioTokens],
    ['Images', usage.inputImageTokens, usage.cachedImageTokens, null],
  ]
  const told = rows.filter(([name, ...counts]) => name !== 'Images' || counts.some(Boolean))
  return [...told, ['All', usage.inputTokens, usage.cachedTokens, usage.outputTokens]]
}

function responses({ responses }: SessionUsage): string {
  return responses === 1 ? 'one response' : `${responses} responses`
}
