/** The door for calls over WebRTC: `POST /v1/realtime/calls`, `…/{id}/hangup`, and the sidebands of those that stand. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import type { Clock } from '../../protocol/clock.ts'
import { messageOf } from '../../protocol/errors.ts'
import type { Admitted } from '../door.ts'
import { bodyOf, type Reply, refuse } from '../http.ts'
import { isObject } from '../rules/checks.ts'
import { type Refusal, refusals } from '../rules/refusals.ts'
import { type AnySession, isRefusal, update } from '../rules/session-config.ts'
import { metronome } from './metronome.ts'
import { type RtcCall, type RtcCallOptions, rtcCall } from './rtc-call.ts'

export interface CallsOptions {
  readonly clock: Clock
  readonly newId: (prefix: string) => string
  readonly talk: Omit<RtcCallOptions['talk'], 'session'>
  /** Who asks, and with which session they begin. */
  readonly admit: (request: IncomingMessage, asked?: { readonly model?: unknown; readonly type?: unknown }) => Admitted
}

export interface Calls {
  /** How many stand. */
  readonly size: number
  /** Answers a request below `/v1/realtime/calls`. */
  respond(request: IncomingMessage, path: string): Promise<Reply>
  /** Attaches a WebSocket to the call of this id; refuses when there is none. */
  attach(request: IncomingMessage, socket: Socket, head: Buffer, id: string): void
  /** Ends all calls (1001). */
  close(): Promise<void>
}

export const callsPath = '/v1/realtime/calls'

export function calls({ clock, newId, talk, admit }: CallsOptions): Calls {
  const standing = new Map<string, RtcCall>()
  const beats = metronome(clock)
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 32 * 1024 * 1024,
    handleProtocols: (asked) => (asked.has('realtime') ? 'realtime' : false),
  })
  let isClosed = false

  async function respond(request: IncomingMessage, path: string): Promise<Reply> {
    const [id, verb, ...more] = path.slice(callsPath.length + 1).split('/')
    if (!id) return create(request)
    if (verb === 'hangup' && !more.length) return hangUp(request, id)
    return refuse(404, refusals.noPath(request.method ?? 'GET', path))
  }

  async function create(request: IncomingMessage): Promise<Reply> {
    const unknown = admit(request, { model: 'any' })
    if ('refusal' in unknown && unknown.status === 401) return refuse(401, unknown.refusal)
    const body = await bodyOf(request)
    if (!body) return refuse(413, refusals.tooLarge())
    const asked = await offerOf(request, body)
    if ('code' in asked) return refuse(400, asked)
    const admitted = admit(request, asked.session ?? {})
    if ('refusal' in admitted) return refuse(admitted.status, admitted.refusal)
    const session = asked.session ? update(admitted.session, asked.session) : admitted.session
    if (isRefusal(session)) return refuse(400, session)
    return begin(asked.offer, session)
  }

  async function begin(offer: string, session: AnySession): Promise<Reply> {
    const id = newId('rtc_')
    let isOver = false
    const over = () => {
      isOver = true
      standing.delete(id)
    }
    let made: RtcCall
    try {
      made = await rtcCall({ clock, offer, metronome: beats, newId, talk: { ...talk, session }, over })
    } catch (error) {
      if (isMissing(error)) return refuse(501, refusals.noWebRtc())
      return refuse(400, refusals.badOffer(messageOf(error)))
    }
    if (!isOver) standing.set(id, made)
    if (isClosed) await made.end(1001, 'The server is closing.')
    const headers = { 'content-type': 'application/sdp', location: `${callsPath}/${id}` }
    return { status: 201, headers, body: made.answer }
  }

  async function hangUp(request: IncomingMessage, id: string): Promise<Reply> {
    const admitted = admit(request, { model: 'any' })
    if ('refusal' in admitted && admitted.status === 401) return refuse(401, admitted.refusal)
    const call = standing.get(id)
    if (!call) return refuse(404, refusals.noCall(id))
    void call.end(1000, 'The call was hung up.')
    return { status: 200, headers: {}, body: '' }
  }

  function attach(request: IncomingMessage, socket: Socket, head: Buffer, id: string): void {
    const call = standing.get(id)
    const admitted = admit(request, { model: 'any' })
    const [status, why] =
      'refusal' in admitted ? ([401, admitted.refusal] as const) : ([404, refusals.noCall(id)] as const)
    if (call && !('refusal' in admitted)) return sockets.handleUpgrade(request, socket, head, call.attach)
    const body = JSON.stringify({ error: why })
    const reason = status === 401 ? 'Unauthorized' : 'Not Found'
    socket.end(
      `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    )
  }

  return {
    get size() {
      return standing.size
    },
    respond,
    attach,
    async close() {
      isClosed = true
      await Promise.all([...standing.values()].map((call) => call.end(1001, 'The server is closing.')))
      for (const client of sockets.clients) client.terminate()
    },
  }
}

interface Asked {
  readonly offer: string
  readonly session: Readonly<Record<string, unknown>> | null
}

/** The body as it comes from browsers (the offer alone), or from servers (a form with the session's config). */
async function offerOf({ headers }: IncomingMessage, body: Buffer): Promise<Asked | Refusal> {
  const type = headers['content-type'] ?? ''
  if (/^application\/sdp\b/i.test(type)) return checked({ offer: String(body), session: null })
  if (!/^multipart\/form-data\b/i.test(type)) return refusals.contentType(type)
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } })
    .formData()
    .catch(() => null)
  if (!form) return refusals.badForm()
  const [sdp, config] = await Promise.all([textOf(form.get('sdp')), textOf(form.get('session'))])
  if (sdp === null) return refusals.missing('sdp')
  if (config === null) return checked({ offer: sdp, session: null })
  try {
    const session: unknown = JSON.parse(config)
    return isObject(session) ? checked({ offer: sdp, session }) : refusals.invalidType('session', 'an object')
  } catch {
    return refusals.invalidJson()
  }
}

function checked(asked: Asked): Asked | Refusal {
  return /^v=0\r?$/m.test(asked.offer) && /^m=/m.test(asked.offer)
    ? asked
    : refusals.badOffer('it has no v= and m= lines')
}

async function textOf(value: FormDataEntryValue | null): Promise<string | null> {
  return value === null || typeof value === 'string' ? value : value.text()
}

function isMissing(error: unknown): boolean {
  return isObject(error) && error['code'] === 'ERR_MODULE_NOT_FOUND'
}
