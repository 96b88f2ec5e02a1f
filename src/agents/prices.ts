import type { SessionUsage, TranscriptionUse } from '../session/usage.ts'

/** What a model costs: USD per 1M tokens. */
export interface ModelPrices {
  readonly textInput: number
  /** Input that the far end had in its cache. Default: what all text input costs; so for audio and images. */
  readonly textInputCached?: number
  readonly audioInput: number
  readonly audioInputCached?: number
  /** Without it, a session that images were sent in has no price. */
  readonly imageInput?: number
  readonly imageInputCached?: number
  readonly textOutput: number
  readonly audioOutput: number
}

/** What a model that transcribes costs: USD per minute of audio, or per 1M tokens. */
export type TranscriptionPrices =
  | { readonly perMinute: number }
  | Pick<ModelPrices, 'textInput' | 'audioInput' | 'textOutput'>

/** By the model's name. A dated snapshot (`…-2025-08-28`) without a price of its own costs what the model does. */
export interface Prices {
  readonly [model: string]: ModelPrices | TranscriptionPrices
}

const large = {
  textInput: 4,
  textInputCached: 0.4,
  audioInput: 32,
  audioInputCached: 0.4,
  imageInput: 5,
  imageInputCached: 0.5,
  textOutput: 16,
  audioOutput: 64,
}
const thinking = { ...large, textOutput: 24 }
const mini = {
  textInput: 0.6,
  textInputCached: 0.06,
  audioInput: 10,
  audioInputCached: 0.3,
  imageInput: 0.8,
  imageInputCached: 0.08,
  textOutput: 2.4,
  audioOutput: 20,
}

/**
 * OpenAI's list prices as of 2026-09-16, from the page of each model and the pricing page under
 * https://developers.openai.com/api/docs (models/gpt-realtime-2.1 and so on). What is not here has no known price.
 */
export const listPrices: Prices = {
  'gpt-realtime-2.1': thinking,
  'gpt-realtime-2.1-mini': mini,
  'gpt-realtime-2': thinking,
  'gpt-realtime-1.5': large,
  'gpt-realtime': large,
  'gpt-realtime-mini': mini,
  'gpt-transcribe': { perMinute: 0.0045 },
  'gpt-live-transcribe': { perMinute: 0.017 },
  'gpt-realtime-whisper': { perMinute: 0.017 },
  'whisper-1': { perMinute: 0.006 },
  'gpt-4o-transcribe': { textInput: 2.5, audioInput: 2.5, textOutput: 10 },
  'gpt-4o-mini-transcribe': { textInput: 1.25, audioInput: 1.25, textOutput: 5 },
}

/**
 * An estimate, in USD, of what a session has cost; null where a price that it needs is not known. `prices` come before
 * the list's. What the far end did not report by modality is taken for the dearest, save for thoughts, which are text.
 */
export function costOf(usage: SessionUsage, model: string, prices: Prices = {}): number | null {
  const { cost, isWhole } = knownCost(usage, model, prices)
  return isWhole && isPriced(model, prices) ? cost : null
}

/** What of the cost is known, and whether that is all of it. */
export function knownCost(
  usage: SessionUsage,
  model: string,
  prices: Prices,
): { readonly cost: number; readonly isWhole: boolean } {
  const parts = [
    ...responses(usage, priceOf(model, prices)),
    ...Object.entries(usage.transcription).flatMap(([name, use]) => transcription(use, priceOf(name, prices))),
  ].filter(([amount]) => amount > 0)
  const known = parts.filter(([, price]) => isPrice(price))
  return {
    cost: known.reduce((sum, [amount, price]) => sum + amount * price!, 0) / 1_000_000,
    isWhole: known.length === parts.length,
  }
}

/** Whether all that is said with this model has a price. */
export function isPriced(model: string, prices: Prices): boolean {
  const price = priceOf(model, prices)
  return (
    ['textInput', 'audioInput', 'textOutput', 'audioOutput'].every((name) => isPrice(price[name])) &&
    Object.values(price).every((value) => value === undefined || isPrice(value))
  )
}

/** How much, and at what price for a million. */
type Part = readonly [amount: number, price: number | undefined]
type Price = Readonly<Record<string, number>>

function responses(usage: SessionUsage, price: Price): Part[] {
  const {
    outputTextTokens: text,
    outputAudioTokens: audio,
    inputTextTokens,
    inputAudioTokens,
    inputImageTokens,
  } = usage
  const input = Math.max(usage.inputTokens, inputTextTokens + inputAudioTokens + inputImageTokens)
  /** Output of neither modality was thought, and costs what text does; unless no modality was ever told. */
  const rest = Math.max(usage.outputTokens, usage.totalTokens - input) - text - audio
  return [
    ...inputs(usage, price),
    [text, price['textOutput']],
    [audio, price['audioOutput']],
    [rest, price[text + audio > 0 ? 'textOutput' : 'audioOutput']],
  ]
}

function inputs(usage: SessionUsage, price: Price): Part[] {
  const {
    inputTextTokens: text,
    inputImageTokens: image,
    cachedTextTokens,
    cachedImageTokens,
    cachedAudioTokens,
  } = usage
  const audio = Math.max(usage.inputAudioTokens, usage.inputTokens - text - image)
  /** Cached, and not told of what: first that which the cache saves least on. */
  let cached = Math.max(0, usage.cachedTokens - cachedTextTokens - cachedImageTokens - cachedAudioTokens)
  const parts = (kind: string, all: number, told: number): Part[] => {
    const more = Math.min(cached, Math.max(0, all - told))
    cached -= more
    const saved = Math.min(all, told + more)
    return [
      [all - saved, price[`${kind}Input`]],
      [saved, price[`${kind}InputCached`] ?? price[`${kind}Input`]],
    ]
  }
  return [
    ...parts('text', text, cachedTextTokens),
    ...parts('image', image, cachedImageTokens),
    ...parts('audio', audio, cachedAudioTokens),
  ]
}

function transcription(use: TranscriptionUse, price: Price): Part[] {
  const { inputTextTokens: text, outputTokens, totalTokens } = use
  const audio = Math.max(use.inputAudioTokens, use.inputTokens - text)
  return [
    [(use.seconds / 60) * 1_000_000, price['perMinute']],
    [text, price['textInput']],
    [audio, price['audioInput']],
    [Math.max(outputTokens, totalTokens - text - audio), price['textOutput']],
  ]
}

function priceOf(model: string, prices: Prices): Price {
  const names = [model, model.replace(/-\d{4}-\d{2}-\d{2}$/, '')]
  for (const table of [prices, listPrices]) {
    for (const name of names) if (table[name]) return { ...table[name] } as unknown as Price
  }
  return {}
}

function isPrice(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0
}
