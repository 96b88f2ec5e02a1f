/** The microphone of a WebRTC line while several things happen to it at once, and the tracks that are not ours. */
import { afterEach, expect, test, vi } from 'vitest'
import { OpenAIRealtimeWebRTC, type OpenAIRealtimeWebRTCOptions, RealtimeAgent, RealtimeSession } from '../src/index.ts'
import { type FarRtc, farRtc, type RtcLine } from './far-rtc.ts'
import { notices } from './far-socket.ts'
import { microphone, type Platform, platform, streamOf } from './werift-platform.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const accepting = (line: RtcLine): void => {
  line.channel.onMessage.subscribe((data) => {
    const { type } = JSON.parse(String(data))
    if (type === 'session.update') line.say({ type: 'session.updated', event_id: 'e', session: { type: 'realtime' } })
  })
}

interface Called {
  readonly here: Platform
  readonly far: FarRtc
  readonly transport: OpenAIRealtimeWebRTC
  readonly session: RealtimeSession
  connect(): Promise<void>
  /** The track that the last line says. */
  said(): unknown
  until<Found>(look: () => Found | undefined | false): Promise<Found>
}

async function calling(
  options: OpenAIRealtimeWebRTCOptions = {},
  change = (peer: RTCPeerConnection) => peer,
): Promise<Called> {
  const far = await farRtc({ line: accepting })
  closing.push(far.close)
  const here = platform()
  const transport = new OpenAIRealtimeWebRTC({
    ...here,
    peerConnection: () => change(here.peerConnection()),
    ...options,
  })
  const session = new RealtimeSession(new RealtimeAgent({ name: 'A' }), { transport, apiKey: 'k' })
  const news = notices()
  session.subscribe(news.tell)
  transport.media.subscribe(news.tell)
  closing.push(() => session.close())
  return {
    here,
    far,
    transport,
    session,
    connect: () => session.connect({ url: far.url }),
    said: () => transport.connectionState.peerConnection!.getSenders()[0]!.track,
    until: (look) => news.until(() => look() || undefined) as never,
  }
}

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}

/** Senders that take another track only when the gate is open, as a browser's take a moment. */
function slow(passed: Promise<void>, asked: () => void = () => {}) {
  return (peer: RTCPeerConnection): RTCPeerConnection => {
    const addTrack = peer.addTrack.bind(peer)
    peer.addTrack = (...tracks) => {
      const sender = addTrack(...tracks)
      const replaceTrack = sender.replaceTrack.bind(sender)
      sender.replaceTrack = async (track) => {
        asked()
        await passed
        await replaceTrack(track)
      }
      return sender
    }
    return peer
  }
}

test.each([true, false])('muted %j while it is changed, the new one obeys', async (muted) => {
  const change = gate()
  const asked = gate()
  const { here, session, transport, connect } = await calling({}, slow(change.passed, asked.open))
  session.mute(!muted)
  await connect()
  const changed = transport.media.useMicrophone('other')
  await asked.passed
  session.mute(muted)
  change.open()
  await changed
  expect([here.tracks[1]!.enabled, session.muted]).toEqual([!muted, muted])
})

test('of two that are chosen, the one chosen last is meant, although the other comes later', async () => {
  const { here, transport, said, connect } = await calling()
  await connect()
  const slowly = gate()
  here.hold(slowly.passed)
  const first = transport.media.useMicrophone('slow')
  here.hold(Promise.resolve())
  await transport.media.useMicrophone('fast')
  const fast = said()
  slowly.open()
  await first
  expect([said(), here.left().tracks]).toEqual([fast, 1])
})

test.each([null, 'NotAllowedError'])(
  'one that is chosen when the first was unplugged stays, whatever becomes of the default one (%s)',
  async (refusal) => {
    const { here, transport, said, connect } = await calling()
    await connect()
    const prompt = gate()
    here.hold(prompt.passed)
    here.tracks[0]!.stop()
    expect(transport.media.state).toMatchObject({ microphone: 'lost', inputDevice: null })
    const own = microphone()
    await transport.media.useMicrophone(own as never)
    here.refuse(refusal)
    prompt.open()
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect([said(), transport.media.state.microphone, here.left().tracks]).toEqual([own, 'on', 0])
  },
)

test('one that is chosen while the default one is asked for is what the call begins with', async () => {
  const { here, transport, said, connect, until } = await calling()
  const prompt = gate()
  here.hold(prompt.passed)
  const connected = connect()
  await until(() => transport.media.state.microphone === 'asking')
  const own = microphone()
  await transport.media.useMicrophone(own as never)
  here.refuse('NotAllowedError')
  prompt.open()
  await connected
  expect([said(), transport.media.state.microphone]).toEqual([own, 'on'])
})

test('changed while the line is made anew, it is what the new line says', async () => {
  const change = gate()
  const asked = gate()
  const { far, session, transport, said, connect, until } = await calling({}, slow(change.passed, asked.open))
  await connect()
  const own = microphone()
  const changed = transport.media.useMicrophone(own as never)
  await asked.passed
  far.lines[0]!.close()
  await far.line(1)
  await until(() => session.state.link.at === 'live')
  change.open()
  await changed
  await until(() => transport.media.state.microphone === 'on' && said() === own)
})

test('a call that was begun without one is spoken into from when one is chosen, on the next line too', async () => {
  const { here, far, session, transport, said, connect, until } = await calling({ microphone: false })
  await connect()
  const own = microphone()
  await transport.media.useMicrophone(own as never)
  expect([said(), transport.media.state.microphone, here.asked]).toEqual([own, 'on', []])
  far.lines[0]!.close()
  await far.line(1)
  await until(() => session.state.link.at === 'live' && said() === own)
})

test("the app's own is as silent as the app made it, and goes back as it came", async () => {
  const silent = microphone()
  silent.enabled = false
  const { session, transport, connect } = await calling({ mediaStream: streamOf(silent) as never })
  await connect()
  expect([silent.enabled, session.muted]).toEqual([false, false])
  const loud = microphone()
  await transport.media.useMicrophone(loud as never)
  session.mute(true)
  expect(loud.enabled).toBe(false)
  session.close()
  expect([silent.enabled, loud.enabled, session.muted]).toEqual([false, true, true])
})

test("the app's own is listened to for as long as it is used", async () => {
  const own = microphone()
  const { session, connect } = await calling({ mediaStream: streamOf(own) as never })
  const ears = () => (own as unknown as { listenerCount(name: string): number }).listenerCount('ended')
  const before = ears()
  for (let nth = 0; nth < 3; nth++) {
    await connect()
    session.close()
  }
  expect(ears()).toBe(before)
})

test('one that is unplugged while the line is made anew is replaced on the new line, and asked for no more than is kept', async () => {
  const { here, far, session, said, connect, until } = await calling()
  await connect()
  const prompt = gate()
  here.hold(prompt.passed)
  far.lines[0]!.close()
  await until(() => session.state.link.at !== 'live')
  here.tracks[0]!.stop()
  await until(() => here.asked.length === 3)
  prompt.open()
  await until(() => session.state.link.at === 'live')
  expect(here.left()).toEqual({ tracks: 1, peers: 1 })
  expect(said()).toMatchObject({ stopped: false })
})

test('who watches it and throws hurts neither the call nor the others, and is told on the console', async () => {
  const written = vi.spyOn(console, 'error').mockImplementation(() => {})
  closing.push(() => written.mockRestore())
  const { transport, connect } = await calling()
  const wrong = new Error('No such element.')
  const seen: string[] = []
  transport.media.subscribe(() => {
    throw wrong
  })
  transport.media.subscribe(() => seen.push(transport.media.state.microphone))
  await connect()
  expect(seen).toEqual(expect.arrayContaining(['asking', 'on']))
  expect(written).toHaveBeenCalledWith(expect.objectContaining({ cause: wrong }))
})

test('while the user is being asked for it, the far end is not blamed', async () => {
  const asked = gate()
  const mediaDevices = {
    ...platform().mediaDevices,
    async getUserMedia() {
      await asked.passed
      return streamOf(microphone())
    },
  } as unknown as MediaDevices
  const { session, far, until } = await calling({ mediaDevices })
  const waits: number[] = []
  const { link: before } = session.state
  const connecting = session.connect({ url: far.url })
  await until(() => {
    const { link } = session.state
    if (link.at === 'dialing') waits.push(link.until)
    return waits.length > 1 && waits.at(-1)! > waits[0]! + 60_000
  })
  expect(before.at).toBe('closed')
  asked.open()
  await connecting
  expect(session.state.link.at).toBe('live')
})
