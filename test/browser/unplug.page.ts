/** In the page: a device vanishes, as far as a page can tell. */
const { mediaDevices } = navigator
const getUserMedia = mediaDevices.getUserMedia.bind(mediaDevices)
const enumerateDevices = mediaDevices.enumerateDevices.bind(mediaDevices)
const gone = new Set<string>()
const tracks: MediaStreamTrack[] = []

mediaDevices.enumerateDevices = async () => (await enumerateDevices()).filter(({ deviceId }) => !gone.has(deviceId))
mediaDevices.getUserMedia = async (constraints) => {
  const stream = await getUserMedia(constraints)
  tracks.push(...stream.getTracks())
  return stream
}

/** What it gave has ended, and the list of devices is another. */
export function unplug(deviceId: string): void {
  gone.add(deviceId)
  for (const track of tracks) {
    if (track.getSettings().deviceId !== deviceId || track.readyState === 'ended') continue
    track.stop()
    // A page that stops a track is not told by the browser: one whose device has gone is.
    track.dispatchEvent(new Event('ended'))
  }
  mediaDevices.dispatchEvent(new Event('devicechange'))
}

/** The devices have ids and labels once a microphone was allowed. */
export async function allow(): Promise<void> {
  for (const track of (await mediaDevices.getUserMedia({ audio: true })).getTracks()) track.stop()
}
