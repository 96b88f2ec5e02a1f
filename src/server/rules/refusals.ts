/** Every refusal, with the code and the words of the real service. */

export interface Refusal {
  readonly type: 'invalid_request_error' | 'server_error'
  readonly code: string | null
  readonly message: string
  readonly param: string | null
}

const refuse = (code: string | null, message: string, param: string | null = null): Refusal => ({
  type: 'invalid_request_error',
  code,
  message,
  param,
})

export const refusals = {
  invalidJson: (): Refusal => refuse('invalid_json', 'We could not parse the JSON body of your event.'),
  binary: (): Refusal => refuse('invalid_event', 'Expected a text WebSocket message; binary frames are not supported.'),
  tooDeep: (): Refusal => refuse('invalid_event', 'Your event nests deeper than 100 levels. Send it flatter.'),
  noType: (): Refusal => refuse('invalid_event', "Missing required parameter: 'type'.", 'type'),
  unknownType: (type: string, supported: readonly string[]): Refusal =>
    refuse('invalid_value', `Invalid value: '${type}'. Supported values are: ${inQuotes(supported)}.`, 'type'),
  missing: (param: string): Refusal =>
    refuse('missing_required_parameter', `Missing required parameter: '${param}'.`, param),
  unknownParameter: (param: string): Refusal => refuse('unknown_parameter', `Unknown parameter: '${param}'.`, param),
  invalidType: (param: string, expected: string): Refusal =>
    refuse('invalid_type', `Invalid type for '${param}': expected ${expected}.`, param),
  invalidValue: (param: string, value: unknown, supported: readonly string[]): Refusal =>
    refuse('invalid_value', `Invalid value: '${String(value)}'. Supported values are: ${inQuotes(supported)}.`, param),
  outOfRange: (param: string, value: unknown, range: string): Refusal =>
    refuse('invalid_value', `Invalid value: ${String(value)}. Expected ${range}.`, param),
  emptyText: (param: string): Refusal =>
    refuse(
      'empty_string',
      `Invalid '${param}': empty string. Expected a string with minimum length 1, but got an empty string instead.`,
      param,
    ),
  tooLongText: (param: string, length: number, most: number): Refusal =>
    refuse(
      'string_above_max_length',
      `Invalid '${param}': string too long. Expected a string with maximum length ${most}, but got a string with length ${length} instead.`,
      param,
    ),
  unlike: (param: string, pattern: string): Refusal =>
    refuse(
      'invalid_value',
      `Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '${pattern}'.`,
      param,
    ),
  modalities: (param: string): Refusal =>
    refuse('invalid_value', "Invalid modalities. Supported combinations are: ['text'] and ['audio'].", param),
  voice: (): Refusal =>
    refuse(
      'cannot_update_voice',
      "Cannot update a conversation's voice if assistant audio is present.",
      'session.audio.output.voice',
    ),
  speed: (): Refusal =>
    refuse('invalid_value', 'The speed can be changed between turns only.', 'session.audio.output.speed'),
  tracing: (): Refusal => refuse('invalid_value', 'Tracing cannot be changed once it is enabled.', 'session.tracing'),
  model: (): Refusal => refuse('invalid_value', "A session's model cannot be changed.", 'session.model'),
  sessionType: (): Refusal => refuse('invalid_value', "A session's type cannot be changed.", 'session.type'),
  activeResponse: (id: string): Refusal =>
    refuse(
      'conversation_already_has_active_response',
      `Conversation already has an active response in progress: ${id}. Wait until the response is finished before creating a new one.`,
    ),
  noActiveResponse: (): Refusal =>
    refuse('response_cancel_not_active', 'Cancellation failed: no active response found'),
  bufferTooSmall: (ms: number): Refusal =>
    refuse(
      'input_audio_buffer_commit_empty',
      `Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has ${ms.toFixed(2)}ms of audio.`,
    ),
  badAudio: (param: string): Refusal =>
    refuse('invalid_value', 'Invalid audio: expected base64-encoded audio bytes.', param),
  audioTooLarge: (param: string): Refusal =>
    refuse('invalid_value', 'Invalid audio: an event may hold at most 15 MiB.', param),
  rootItem: (): Refusal =>
    refuse('invalid_value', "Error creating item: 'root' names the front of the conversation.", 'item.id'),
  duplicateItem: (id: string): Refusal =>
    refuse('invalid_value', `Error creating item: an item with id '${id}' already exists.`, 'item.id'),
  noPreviousItem: (id: string): Refusal =>
    refuse(
      'item_not_found',
      `Error creating item: the previous item with id '${id}' does not exist.`,
      'previous_item_id',
    ),
  noItem: (what: 'delete' | 'retrieve' | 'truncate', id: string): Refusal =>
    refuse(
      `item_${what}_invalid_item_id`,
      `Error ${gerunds[what]} item: the item with id '${id}' does not exist.`,
      'item_id',
    ),
  notTruncatable: (): Refusal => refuse(null, 'Only model output audio messages can be truncated'),
  tooShort: (has: number, wanted: number): Refusal =>
    refuse(
      'invalid_value',
      `Audio content of ${Math.floor(has)}ms is already shorter than ${wanted}ms`,
      'audio_end_ms',
    ),
  noReference: (id: string): Refusal =>
    refuse('item_not_found', `Error creating response: the item with id '${id}' does not exist.`, 'response.input'),
  transcriptionOnly: (): Refusal => refuse('invalid_value', 'A transcription session gives no responses.', 'type'),
  apiKey: (): Refusal => refuse('invalid_api_key', 'Incorrect API key provided.'),
  missingModel: (): Refusal =>
    refuse('missing_model', "You must provide a model parameter, such as '?model=gpt-realtime-2.1'."),
  invalidModel: (model: string): Refusal =>
    refuse('invalid_model', `Model "${model}" is not supported in realtime mode.`),
  beta: (): Refusal =>
    refuse(
      'beta_api_shape_disabled',
      'The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.',
    ),
  soundOnSideband: (): Refusal =>
    refuse('invalid_value', "A sideband cannot append audio: the call's sound comes over its own line.", 'type'),
  tooLong: (): Refusal =>
    refuse('event_too_large', 'An event was left out: it is longer than your data channel takes in one message.'),
  tooLarge: (): Refusal => refuse('request_too_large', 'The body of a request may hold at most 1 MiB.'),
  badOffer: (why: string): Refusal => refuse('invalid_offer', `The SDP offer cannot be answered: ${why}`, 'sdp'),
  contentType: (type: string): Refusal =>
    refuse(
      'unsupported_content_type',
      `Unsupported content type: '${type}'. Send 'application/sdp', or 'multipart/form-data' with sdp and session.`,
    ),
  badForm: (): Refusal => refuse('invalid_form', 'We could not parse the multipart body of your request.'),
  noCall: (id: string): Refusal =>
    refuse('call_id_not_found', `No call with the id '${id}' stands: it has ended, or never was.`, 'call_id'),
  noWebRtc: (): Refusal => ({
    ...refuse('webrtc_not_installed', 'This server cannot speak WebRTC: install werift and libopus-wasm beside it.'),
    type: 'server_error',
  }),
  noPath: (method: string, path: string): Refusal =>
    refuse(
      'not_found',
      `Invalid URL (${method} ${path}). Here are: /v1/realtime, a WebSocket; POST /v1/realtime/client_secrets; POST /v1/realtime/calls, and POST /v1/realtime/calls/{call_id}/hangup.`,
    ),
  noMethod: (method: string, path: string): Refusal =>
    refuse('method_not_supported', `Not allowed to ${method} on ${path}. (HINT: try POST)`),
  expired: (minutes: number): Refusal =>
    refuse('session_expired', `Your session hit the maximum duration of ${minutes} minutes.`),
} as const

const gerunds = { delete: 'deleting', retrieve: 'retrieving', truncate: 'truncating' } as const

function inQuotes(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`)
  return quoted.length > 1 ? `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}` : (quoted[0] ?? '')
}
