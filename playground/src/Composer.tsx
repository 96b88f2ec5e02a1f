import { type FormEvent, type ReactNode, type RefObject, useState } from 'react'

interface ComposerProps {
  readonly write: (text: string) => void
  readonly input: RefObject<HTMLInputElement | null>
}

export function Composer({ write, input }: ComposerProps): ReactNode {
  const [text, setText] = useState('')
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (!text.trim()) return
    write(text.trim())
    setText('')
  }
  return (
    <form className="composer" onSubmit={send}>
      <input
        ref={input}
        value={text}
        onChange={({ target }) => setText(target.value)}
        aria-label="Message"
        placeholder="Or type a message"
        autoComplete="off"
        enterKeyHint="send"
      />
      <button type="submit" disabled={!text.trim()}>
        Send
      </button>
    </form>
  )
}
