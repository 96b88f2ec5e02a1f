import type { RealtimeMessageItem } from 'parley-voice'
import { memo, type ReactNode } from 'react'

interface MessageProps {
  readonly item: RealtimeMessageItem
  /** The agent's name. */
  readonly speaker: string
}

/** A message; of an answer that was cut off, what nobody heard is struck through. */
export const Message: (props: MessageProps) => ReactNode = memo(({ item, speaker }: MessageProps) => {
  const { role, content, status, transcriptStatus } = item
  const text = content
    .map((part) => ('text' in part ? part.text : 'transcript' in part ? part.transcript : ''))
    .join('')
  const isSpoken = content.some(({ type }) => type === 'input_audio' || type === 'output_audio')
  const isWritten = role === 'user' && !isSpoken
  const isGrowing = status === 'in_progress' || transcriptStatus === 'pending'
  return (
    <li className={`message ${role}`} aria-busy={isGrowing} data-written={isWritten || undefined}>
      <p className="who">
        {role === 'user' ? 'You' : speaker}
        {isWritten && <span className="quiet"> · typed</span>}
      </p>
      <p className="words">{text ? <Words item={item} text={text} /> : <Wordless item={item} />}</p>
      {item.interrupted && <Cut item={item} />}
    </li>
  )
})

function Words({ item, text }: { readonly item: RealtimeMessageItem; readonly text: string }): ReactNode {
  if (!item.interrupted) return text
  const heard = text.slice(0, item.heardText?.length ?? 0)
  return (
    <>
      {heard}
      <s className="unheard">{text.slice(heard.length)}</s>
    </>
  )
}

function Cut({ item }: { readonly item: RealtimeMessageItem }): ReactNode {
  const seconds = ((item.heardMs ?? 0) / 1000).toFixed(1)
  if (seconds === '0.0') return <p className="cut">Cut off before it was heard.</p>
  return <p className="cut">Cut off after {seconds} s. What is struck through was not heard.</p>
}

function Wordless({ item }: { readonly item: RealtimeMessageItem }): ReactNode {
  if (item.transcriptStatus === 'failed') return <span className="quiet">(the words were not made out)</span>
  if (item.transcriptStatus === 'off') return <span className="quiet">(spoken; nobody was asked for the words)</span>
  if (item.status === 'in_progress' || item.transcriptStatus === 'pending')
    return (
      <span className="waiting">
        <span className="hidden">Words are coming</span>
        <i aria-hidden="true" />
        <i aria-hidden="true" />
        <i aria-hidden="true" />
      </span>
    )
  return <span className="quiet">(nothing was said)</span>
}
