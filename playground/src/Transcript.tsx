import type { RealtimeItem } from 'parley-voice'
import { useHistory, useToolApprovals } from 'parley-voice/react'
import type { ReactNode } from 'react'
import type { Example } from './agents/index.ts'
import { useFollowing } from './following.ts'
import { Message } from './Message.tsx'
import { handedTo, ToolCall } from './ToolCall.tsx'

interface TranscriptProps {
  readonly example: Example
  readonly write: (text: string) => void
  readonly missing: readonly string[]
}

/** What was said, called and decided, oldest first. A new word renders only the message that it belongs to. */
export function Transcript({ example, write, missing }: TranscriptProps): ReactNode {
  const ids = useHistory((history) => history.filter(isShown).map(({ itemId }) => itemId))
  const speakers = useHistory((history) => speakersIn(history.filter(isShown), example.agent.name))
  const { box, isAway, toEnd } = useFollowing()
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard */}
      <div className="transcript" role="log" aria-label="Conversation" aria-live="polite" tabIndex={0} ref={box}>
        {ids.length === 0 && <Welcome example={example} write={write} missing={missing} />}
        <ol>
          {ids.map((itemId, at) => (
            <Entry key={itemId} itemId={itemId} speaker={speakers[at] ?? ''} />
          ))}
        </ol>
      </div>
      {isAway && (
        <button type="button" className="newest" onClick={toEnd}>
          Newest ↓
        </button>
      )}
    </>
  )
}

function isShown(item: RealtimeItem): boolean {
  return item.type === 'message' ? item.role !== 'system' : item.type === 'function_call'
}

/** Who speaks at each item: the agent that the last handoff before it was to. */
function speakersIn(items: readonly RealtimeItem[], first: string): readonly string[] {
  let speaker = first
  return items.map((item) => {
    speaker = (item.type === 'function_call' && handedTo(item)) || speaker
    return speaker
  })
}

function Entry({ itemId, speaker }: { readonly itemId: string; readonly speaker: string }): ReactNode {
  const item = useHistory((history) => history.find((item) => item.itemId === itemId))
  const { pending, approve, reject } = useToolApprovals()
  if (item?.type === 'message') return <Message item={item} speaker={speaker} />
  if (item?.type !== 'function_call') return null
  const waits = pending.find(({ callId }) => callId === item.callId)
  return <ToolCall item={item} decide={waits ? (isApproved) => (isApproved ? approve(waits) : reject(waits)) : null} />
}

function Welcome({ example, write, missing }: TranscriptProps): ReactNode {
  return (
    <div className="welcome">
      <h2>{example.title}</h2>
      <p>{example.about}</p>
      <p className="quiet">
        Press one of these, {missing.length ? 'or type your own words' : 'type your own words, or start talking'}
      </p>
      <ul className="sayings">
        {example.sayings.map((saying) => (
          <li key={saying}>
            <button type="button" className="saying" onClick={() => write(saying)}>
              {saying}
            </button>
          </li>
        ))}
      </ul>
      <Deaf missing={missing} />
    </div>
  )
}

/** Why what is spoken is not understood here, where that is so. */
export function Deaf({ missing }: Pick<TranscriptProps, 'missing'>): ReactNode {
  if (!missing.length) return null
  return (
    <p className="note">
      <strong>You can type, but what you say is not understood yet.</strong> {missing.join(' ')}
    </p>
  )
}
