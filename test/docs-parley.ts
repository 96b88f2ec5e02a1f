/** What the snippets of the docs know as `parley-voice`: the same, and every session calls the local server of the test. */
import { type ConnectOptions, RealtimeSession as Session } from '../src/index.ts'

export * from '../src/index.ts'

/** Where sessions go, and those that went there. */
export const far: { url: string; readonly sessions: Session[] } = { url: '', sessions: [] }

export class RealtimeSession<Context = unknown> extends Session<Context> {
  override connect(options: ConnectOptions = {}): Promise<void> {
    far.sessions.push(this as unknown as Session)
    return super.connect({ ...options, url: far.url })
  }
}
