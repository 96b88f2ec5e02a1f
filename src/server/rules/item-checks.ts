/** What an item must be to be put into the conversation. Pure. */
import { audio as checkAudio, first, flag, isObject, text } from './checks.ts'
import { type Refusal, refusals } from './refusals.ts'

const itemTypes = ['message', 'function_call', 'function_call_output', 'mcp_approval_response'] as const
const needed: Readonly<Record<string, readonly string[]>> = {
  function_call: ['name', 'arguments'],
  function_call_output: ['call_id', 'output'],
  mcp_approval_response: ['id', 'approval_request_id'],
}
const mostOfId = 32
const partsOf = {
  user: ['input_text', 'input_audio', 'input_image'],
  assistant: ['output_text', 'output_audio'],
  system: ['input_text'],
} as const
const neededOfPart: Readonly<Record<string, string>> = {
  input_text: 'text',
  output_text: 'text',
  input_image: 'image_url',
}

export function checkItem(item: unknown): Refusal | null {
  if (!isObject(item)) return refusals.missing('item')
  const type = item['type']
  if (type === undefined) return refusals.missing('item.type')
  if (!itemTypes.includes(type as never)) return refusals.invalidValue('item.type', type, itemTypes)
  if (item['id'] === 'root') return refusals.rootItem()
  const named = ['id', 'call_id'].map((key) => () => (item[key] === undefined ? null : text(item[key], `item.${key}`)))
  return first([
    ...named,
    () => checkId(item['id']),
    () => (type === 'message' ? checkMessage(item) : checkOther(String(type), item)),
  ])
}

function checkId(id: unknown): Refusal | null {
  if (typeof id !== 'string') return null
  if (id === '') return refusals.emptyText('item.id')
  return id.length > mostOfId ? refusals.tooLongText('item.id', id.length, mostOfId) : null
}

function checkOther(type: string, item: Readonly<Record<string, unknown>>): Refusal | null {
  const missing = needed[type]!.find((field) => typeof item[field] !== 'string')
  if (missing) return refusals.missing(`item.${missing}`)
  return type === 'mcp_approval_response' ? flag(item['approve'], 'item.approve') : null
}

function checkMessage({ role, content }: Readonly<Record<string, unknown>>): Refusal | null {
  if (!Object.hasOwn(partsOf, String(role))) return refusals.invalidValue('item.role', role, Object.keys(partsOf))
  if (!Array.isArray(content)) return refusals.missing('item.content')
  const types = partsOf[role as keyof typeof partsOf]
  return first(content.map((part, n) => () => checkPart(part, types, `item.content[${n}]`)))
}

function checkPart(part: unknown, types: readonly string[], at: string): Refusal | null {
  if (!isObject(part)) return refusals.invalidType(at, 'an object')
  const type = String(part['type'])
  if (!types.includes(type)) return refusals.invalidValue(`${at}.type`, part['type'], types)
  const field = neededOfPart[type]
  if (field && typeof part[field] !== 'string') return refusals.missing(`${at}.${field}`)
  const { audio = '', transcript } = part
  return checkAudio(audio, `${at}.audio`) ?? text(transcript ?? '', `${at}.transcript`)
}
