/** What the snippets of the docs know as `parley-voice`: the same, and every session calls the local server of the test. */
import { type ConnectOptions, OpenAIRealtimeWebRTC as Line, RealtimeSession as Session } from '../src/index.ts'

export * from '../src/index.ts'

/** Where sessions go, and those that went there; and lines that went there alone. */
export const far: { url: string; readonly sessions: Session[]; readonly lines: Line[] } = {
  url: '',
  sessions: [],
  lines: [],
}

export class RealtimeSession<Context = unknown> extends Session<Context> {
  override connect(options: ConnectOptions = {}): Promise<void> {
    far.sessions.push(this as unknown as Session)
    return super.connect({ ...options, url: far.url })
  }
}

export class OpenAIRealtimeWebRTC extends Line {
  override connect(options: Parameters<Line['connect']>[0] = {}): Promise<void> {
    far.lines.push(this)
    return super.connect({ ...options, url: far.url })
  }
}
