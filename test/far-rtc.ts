/** A far end of raw WebRTC that does exactly what a test tells it to: well, badly, or not at all. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type RTCDataChannel, RTCPeerConnection, RTCRtpCodecParameters } from 'werift'
import { type Notices, notices, type Said } from './far-socket.ts'

export interface RtcRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly sdp: string
  /** The session that came with the offer; null when none did. */
  readonly session: Said | null
}

export interface RtcLine {
  readonly request: RtcRequest
  readonly peer: RTCPeerConnection
  readonly channel: RTCDataChannel
  /** Ends the line when all that was said has gone out, which werift leaves to its user. */
  close(): void
  readonly heard: readonly Said[]
  /** Settles when the line is gone. */
  readonly ended: Promise<unknown>
  say(event: object): void
  sendRaw(data: string | Buffer): void
  hears(wanted: (event: Said) => boolean): Promise<Said>
}

export interface RtcAnswer {
  readonly status?: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface FarRtcOptions {
  /** Told of each line whose channel opens. */
  readonly line?: (line: RtcLine, nth: number) => void
  /** Answers in the place of a call, when it gives something; what it waits for, the client waits for. */
  /** It is reached, and takes nothing of the data channel. */
  readonly isDeaf?: boolean
  readonly answer?: (nth: number, request: RtcRequest) => RtcAnswer | undefined | Promise<RtcAnswer | undefined>
}

export interface FarRtc {
  readonly url: string
  readonly lines: readonly RtcLine[]
  readonly requests: readonly RtcRequest[]
  /** The calls that were hung up, by path, and with which key. */
  readonly hungUp: readonly Pick<RtcRequest, 'path' | 'headers'>[]
  /** The nth line, once its channel is open. */
  line(nth?: number): Promise<RtcLine>
  request(nth?: number): Promise<RtcRequest>
  /** Resolves when it is so, now or after a request or a line. */
  until: Notices['until']
  close(): Promise<void>
}

export async function farRtc(options: FarRtcOptions = {}): Promise<FarRtc> {
  const lines: RtcLine[] = []
  const peers: RTCPeerConnection[] = []
  const requests: RtcRequest[] = []
  const hungUp: Pick<RtcRequest, 'path' | 'headers'>[] = []
  const news = notices()

  const http = createServer(async (request, response) => {
    response.on('error', () => {})
    if (request.url?.includes('/hangup')) {
      hungUp.push({ path: request.url, headers: request.headers })
      news.tell()
      return response.end()
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const asked = await read(request.method ?? '', request.url ?? '', request.headers, Buffer.concat(chunks))
    const nth = requests.push(asked) - 1
    news.tell()
    const refusal = await options.answer?.(nth, asked)
    const { status = 201, body, headers = {} } = refusal ?? {}
    const call = { 'content-type': 'application/sdp', location: `/v1/realtime/calls/rtc_${nth}` }
    response.writeHead(status, status === 201 ? { ...call, ...headers } : headers)
    response.end(body ?? (await accept(asked)))
  })

  async function accept(request: RtcRequest): Promise<string> {
    const peer = new RTCPeerConnection({
      iceServers: [],
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ['127.0.0.1'],
      codecs: { audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 })] },
    })
    peers.push(peer)
    peer.onDataChannel.subscribe((channel) => {
      const line = lineOf(request, peer, channel)
      const nth = lines.push(line) - 1
      options.line?.(line, nth)
      news.tell()
    })
    peer.addTransceiver('audio', { direction: 'sendrecv' })
    await peer.setRemoteDescription({ type: 'offer', sdp: request.sdp })
    await peer.setLocalDescription(await peer.createAnswer())
    if (options.isDeaf) {
      const deaf = { get: () => () => {}, set() {} }
      Object.defineProperty(peer.sctpTransport!.dtlsTransport, 'dataReceiver', deaf)
    }
    return peer.localDescription?.sdp ?? ''
  }

  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1/realtime/calls`,
    lines,
    requests,
    hungUp,
    until: news.until,
    line: (nth = 0) => news.until(() => lines[nth]),
    request: (nth = 0) => news.until(() => requests[nth]),
    async close() {
      await Promise.all(peers.map((peer) => peer.close().catch(() => {})))
      http.closeAllConnections()
      await new Promise<void>((resolve) => {
        http.close(() => resolve())
      })
    },
  }
}

function lineOf(request: RtcRequest, peer: RTCPeerConnection, channel: RTCDataChannel): RtcLine {
  const heard: Said[] = []
  const news: Notices = notices()
  let isOver = false
  const over = () => {
    isOver = true
    news.tell()
  }
  channel.onMessage.subscribe((data) => {
    heard.push(JSON.parse(String(data)))
    news.tell()
  })
  channel.stateChanged.subscribe((state) => state === 'closed' && over())
  // The state of the connection follows half a minute later.
  for (const dtls of peer.dtlsTransports) dtls.onStateChange.subscribe((state) => state === 'closed' && over())
  return {
    request,
    peer,
    channel,
    close() {
      if (channel.bufferedAmount === 0) channel.close()
      else channel.bufferedAmountLow.once(() => channel.close())
    },
    heard,
    ended: news.until(() => isOver || undefined),
    say: (event) => channel.send(JSON.stringify(event)),
    sendRaw: (data) => channel.send(data),
    hears: (wanted) => news.until(() => heard.find(wanted)),
  }
}

async function read(method: string, path: string, headers: IncomingHttpHeaders, body: Buffer): Promise<RtcRequest> {
  const type = headers['content-type'] ?? ''
  if (!type.startsWith('multipart/')) return { method, path, headers, sdp: String(body), session: null }
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  return { method, path, headers, sdp: String(form.get('sdp')), session: JSON.parse(String(form.get('session'))) }
}
