import type { RealtimeItem } from 'parley-voice'
import { useHistory, useToolApprovals } from 'parley-voice/react'
import { type ReactNode, useEffect, useRef } from 'react'
import type { Example } from './agents/index.ts'
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
  const end = useFollowing()
  return (
    <div className="transcript" role="log" aria-label="Conversation" aria-live="polite" ref={end}>
      {ids.length === 0 && <Welcome example={example} write={write} missing={missing} />}
      <ol>
        {ids.map((itemId, at) => (
          <Entry key={itemId} itemId={itemId} speaker={speakers[at] ?? ''} />
        ))}
      </ol>
    </div>
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

/** Scrolls along with what is said, unless somebody reads further up. */
function useFollowing() {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const box = ref.current
    if (!box) return
    let isAtEnd = true
    const scrolled = () => {
      isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 48
    }
    const grown = new MutationObserver(() => {
      if (isAtEnd) box.scrollTop = box.scrollHeight
    })
    box.addEventListener('scroll', scrolled, { passive: true })
    grown.observe(box, { childList: true, subtree: true, characterData: true })
    return () => {
      grown.disconnect()
      box.removeEventListener('scroll', scrolled)
    }
  }, [])
  return ref
}

function Welcome({ example, write, missing }: TranscriptProps): ReactNode {
  return (
    <div className="welcome">
      <h2>{example.title}</h2>
      <p>{example.about}</p>
      <p className="quiet">Say or type something like</p>
      <ul className="sayings">
        {example.sayings.map((saying) => (
          <li key={saying}>
            <button type="button" className="saying" onClick={() => write(saying)}>
              {saying}
            </button>
          </li>
        ))}
      </ul>
      {missing.map((sentence) => (
        <p key={sentence} className="note">
          {sentence}
        </p>
      ))}
    </div>
  )
}
