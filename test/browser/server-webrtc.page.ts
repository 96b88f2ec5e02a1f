/** A call with the local server by the browser's own means alone. */
import { webRTC } from '../../src/transports/webrtc.ts'
import { type Recorded, record, until } from './hearing.page.ts'

export interface Called {
  readonly location: string | null
  readonly types: readonly string[]
  readonly sound: Recorded
}

let connection: RTCPeerConnection
let channel: RTCDataChannel
const events: { readonly type: string }[] = []

/** Calls, asks for an answer in text, and tells what the events were until it was heard; the sound is returned too. */
export async function call(callsUrl: string): Promise<Called> {
  connection = new RTCPeerConnection()
  channel = connection.createDataChannel('oai-events')
  channel.onmessage = ({ data }) => events.push(JSON.parse(data))
  connection.addTransceiver('audio', { direction: 'sendrecv' })
  const remote = new Promise<MediaStream>((resolve) => {
    connection.ontrack = ({ track }) => resolve(new MediaStream([track]))
  })
  await connection.setLocalDescription(await connection.createOffer())
  const response = await fetch(`${callsUrl}?model=m`, {
    method: 'POST',
    body: connection.localDescription?.sdp ?? '',
    headers: { 'content-type': 'application/sdp', authorization: 'Bearer k' },
  })
  await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() })
  await until('the channel is open', () => channel.readyState === 'open')
  const recording = await record(await remote)
  channel.send(JSON.stringify({ type: 'response.create' }))
  await until('the answer was heard', () => events.some(({ type }) => type === 'output_audio_buffer.stopped'))
  return {
    location: response.headers.get('location'),
    types: events.map(({ type }) => type),
    sound: await recording.stop(),
  }
}

/** Says and sends nothing for 20 s; the server tells when it was so long. */
export async function idle(): Promise<readonly string[]> {
  const from = events.length
  const turn_detection = { type: 'server_vad', idle_timeout_ms: 20_000 }
  channel.send(
    JSON.stringify({ type: 'session.update', session: { type: 'realtime', audio: { input: { turn_detection } } } }),
  )
  channel.send(JSON.stringify({ type: 'response.create' }))
  const types = () => events.slice(from).map(({ type }) => type)
  const isOver = () => types().includes('input_audio_buffer.timeout_triggered') || channel.readyState !== 'open'
  await until('the silence was noticed', isOver, 40_000)
  return types()
}

export async function closed(): Promise<boolean> {
  await until('the channel is closed', () => channel.readyState === 'closed')
  return true
}

export function close(): void {
  connection.close()
}

/** Offers a call and gives it up when it is answered: how each request was answered. */
export async function giveUp(url: string): Promise<readonly number[]> {
  const statuses: number[] = []
  const lines = webRTC({
    ...{ url, apiKey: 'k', useInsecureApiKey: true, microphone: false },
    async fetch(...request) {
      const response = await fetch(...request)
      statuses.push(response.status)
      return response
    },
    changePeerConnection: (peer) =>
      Object.assign(peer, { setRemoteDescription: () => Promise.reject(new Error('Not this one.')) }),
  })
  lines.dialer({})({ opened() {}, received() {}, dropped() {} })
  await until('the call was hung up', () => statuses.length === 2)
  lines.close()
  return statuses
}
