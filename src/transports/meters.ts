/** How loud it is: made when it is first asked for. */
export interface Meters {
  level(side: 'input' | 'output', track: MediaStreamTrack | null): number
  resume(): Promise<void> | undefined
  close(): void
}

interface Meter {
  readonly track: MediaStreamTrack
  readonly source: AudioNode
  readonly analyser: AnalyserNode
  readonly samples: Float32Array<ArrayBuffer>
}

export function meters(): Meters {
  const context = 'AudioContext' in globalThis ? new AudioContext() : null
  const made: { input?: Meter; output?: Meter } = {}

  function meterOf(side: 'input' | 'output', track: MediaStreamTrack): Meter {
    const known = made[side]
    if (known?.track === track) return known
    known?.source.disconnect()
    const source = context!.createMediaStreamSource(new MediaStream([track]))
    const analyser = new AnalyserNode(context!, { fftSize: 512 })
    source.connect(analyser)
    const meter = { track, source, analyser, samples: new Float32Array(512) }
    made[side] = meter
    return meter
  }

  return {
    level(side, track) {
      if (!context || !track) return 0
      const { analyser, samples } = meterOf(side, track)
      analyser.getFloatTimeDomainData(samples)
      return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
    },
    resume: () => context?.resume(),
    close() {
      context?.close().catch(() => {})
    },
  }
}
