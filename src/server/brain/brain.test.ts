import { describe, expect, test } from 'vitest'
import type { FunctionTool, Item, ToolChoice } from '../../protocol/events.ts'
import type { Utterance } from '../senses.ts'
import { brain } from './brain.ts'

type Properties = Readonly<Record<string, unknown>>
const text = { type: 'string' }

function tool(name: string, description: string, properties: Properties = {}, optional: string[] = []): FunctionTool {
  const required = Object.keys(properties).filter((key) => !optional.includes(key))
  return { type: 'function', name, description, parameters: { type: 'object', properties, required } }
}

let ids = 0
const newId = () => `item_${++ids}`
const user = (words: string): Item => ({
  id: newId(),
  type: 'message',
  role: 'user',
  content: [{ type: 'input_audio', transcript: words }],
})
const agent = (words: string, status: 'completed' | 'incomplete' = 'completed'): Item => ({
  id: newId(),
  type: 'message',
  role: 'assistant',
  status,
  content: [{ type: 'output_audio', transcript: words }],
})
const system = (text: string): Item => ({
  id: newId(),
  type: 'message',
  role: 'system',
  content: [{ type: 'input_text', text }],
})
const call = (name: string, args: object): Item => ({
  id: newId(),
  type: 'function_call',
  call_id: 'call',
  name,
  arguments: JSON.stringify(args),
})
const output = (told: unknown): Item => ({
  id: newId(),
  type: 'function_call_output',
  call_id: 'call',
  output: typeof told === 'string' ? told : JSON.stringify(told),
})

interface Setting {
  readonly instructions?: string
  readonly toolChoice?: ToolChoice
}

function think(
  items: readonly Item[],
  tools: readonly FunctionTool[] = [],
  setting: Setting = {},
): readonly Utterance[] {
  const { instructions = 'You are Ada. Be brief.', toolChoice = 'auto' } = setting
  const thought = { instructions, tools, toolChoice, items, signal: new AbortController().signal }
  return brain().think(thought) as readonly Utterance[]
}

/** `name {"arguments"}` for a call, the words for a sentence. */
function told(utterances: readonly Utterance[]): readonly string[] {
  return utterances.map((one) => (one.type === 'say' ? one.text : `${one.name} ${JSON.stringify(one.arguments)}`))
}

const orders = tool('look_up_order', 'Look up the status of an order by its order number.', {
  order_number: { type: 'string', description: 'the order number, in digits' },
})
const weather = tool('get_weather', 'Get the weather in a city.', { city: text })
const light = tool('switchLight', 'Turns the light in a room on or off.', {
  room: { type: 'string', enum: ['kitchen', 'living room', 'bedroom'] },
  on: { type: 'boolean' },
})
const table = tool(
  'book_table',
  'Book a table at the restaurant.',
  {
    guests: { type: 'integer', minimum: 1, maximum: 12, description: 'number of people' },
    date: { type: 'string', format: 'date' },
    time: text,
    name: text,
  },
  ['date', 'time', 'name'],
)
const flight = tool(
  'searchFlights',
  'Find flights between two cities.',
  { origin: text, destination: text, departure_date: { type: 'string', format: 'date' } },
  ['departure_date'],
)
const coffee = tool(
  'order_coffee',
  'Order a coffee.',
  {
    size: { type: 'string', enum: ['small', 'large', 'extra_large'] },
    milk: { type: 'boolean' },
    shots: { type: 'integer', enum: [1, 2, 3] },
  },
  ['milk', 'shots'],
)
const timer = tool('set_timer', 'Set a kitchen timer.', { minutes: { type: 'number', exclusiveMinimum: 0 } })
const temperature = tool('set_temperature', 'Set the temperature of the room.', {
  degrees: { type: 'number', minimum: -20, maximum: 40 },
})
const customer = tool(
  'saveCustomer',
  'Save the name and the e-mail address of a customer.',
  { name: text, email: text },
  ['name', 'email'],
)
const contact = tool('add_contact', 'Add a contact to the address book.', {
  name: text,
  phone_number: { type: 'string', pattern: '^\\+?[0-9]{5,}$' },
})
const message = tool('send_message', 'Send a text message to a person.', { recipient: text, message: text })
const search = tool('search_products', 'Search the shop for products.', { query: text })
const reminder = tool('create_reminder', 'Remind the user of something.', { text, time: text }, ['time'])
const shopping = tool('add_to_shopping_list', 'Add things to the shopping list.', {
  items: { type: 'array', items: text },
})
const sum = tool('add_numbers', 'Add numbers.', { numbers: { type: 'array', items: { type: 'number' }, minItems: 2 } })
const pizza = tool('order_pizza', 'Order a pizza.', {
  toppings: { type: 'array', items: { type: 'string', enum: ['cheese', 'mushrooms', 'red onions'] } },
})
const song = tool('play_song', 'Play a song.', { song: text, artist: text }, ['artist'])
const translate = tool('translate', 'Translate a text.', { text, target_language: text })
const lamp = tool('set_volume', 'Set the volume of the speaker.', {
  level: { type: 'integer', minimum: 0, maximum: 10 },
})
const cancel = tool('cancel_order', 'Cancel an order.', { order_number: text })
const human = tool('transfer_to_human', 'Hand the call to a person.')
const billing = tool('transfer_to_Billing', 'Handoff to the Billing agent to handle invoices and refunds.')
const time = tool('get_current_time', 'Tell the time.')
const address = { type: 'object', properties: { street: text, zip: text }, required: ['street'] }
const party = tool('plan_party', 'Plan a party.', {
  guests: { type: 'integer', description: 'number of people' },
  theme: { type: 'string', enum: ['pirates', 'space'] },
  venue: address,
  tags: { type: 'array', items: text, minItems: 2, uniqueItems: true },
  contact: { type: 'string', format: 'email' },
  color: { type: 'string', pattern: '^#[0-9a-f]{6}$', examples: ['#000000'] },
  price: { type: 'number', exclusiveMinimum: 0.5, maximum: 0.75 },
  loud: { type: 'boolean' },
})
const partyForFour = {
  guests: 4,
  theme: 'pirates',
  venue: { street: '' },
  tags: ['', ' '],
  contact: 'nobody@example.com',
  color: '#000000',
  price: 0.75,
  loud: false,
}

type Row = readonly [said: string, tools: FunctionTool | readonly FunctionTool[], ...told: string[]]
const room = tool('bookRoom', 'Book a room in a hotel.', {
  floor: { type: 'integer' },
  guest: {
    type: 'object',
    properties: { name: text, contact: { $ref: '#/$defs/Contact' } },
    required: ['name'],
  },
  nights: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }] },
  breakfast: { type: ['boolean', 'null'] },
  currency: { const: 'EUR' },
  rate: { type: 'string', default: 'standard' },
})
const withContact: FunctionTool = {
  ...room,
  parameters: {
    ...(room.parameters as object),
    $defs: {
      Contact: { type: 'object', properties: { email: { type: 'string', format: 'email' } }, required: ['email'] },
    },
  },
}
const payment = tool('make_payment', 'Pay an amount.', {
  amount: { type: 'number' },
  method: { oneOf: [{ const: 'cash' }, { type: 'string', enum: ['credit card', 'bank_transfer'] }] },
})
const units = (unit: object) => tool('get_weather', 'Get the weather in a city.', { city: text, unit })
const track = tool('trackParcels', 'Track parcels.', {
  parcels: {
    type: 'array',
    items: { type: 'object', properties: { tracking_number: text }, required: ['tracking_number'] },
  },
})
const alarm = tool(
  'set_alarm',
  'Set an alarm clock.',
  { days: { type: 'array', items: { type: 'string', enum: ['monday', 'friday'] } } },
  ['days'],
)

const calls: readonly Row[] = [
  // which tool
  ['where is my order the number is one two three four five', orders, 'look_up_order {"order_number":"12345"}'],
  ['look up order one two three', [weather, orders], 'look_up_order {"order_number":"123"}'],
  ['whats the weather in berlin', [orders, weather], 'get_weather {"city":"berlin"}'],
  ["What's the weather in Berlin?", [orders, weather], 'get_weather {"city":"Berlin"}'],
  ['will it rain in new york tomorrow', weather, 'get_weather {"city":"new york"}'],
  ['wheres my package four five six', orders, 'look_up_order {"order_number":"456"}'],
  ['please cancel order nine nine one', [orders, cancel], 'cancel_order {"order_number":"991"}'],
  ['i want the order nine nine one cancelled', [orders, cancel], 'cancel_order {"order_number":"991"}'],
  ['what time is it', [weather, time], 'get_current_time {}'],
  ['turn on the light in the kitchen', light, 'switchLight {"room":"kitchen","on":true}'],
  ['can you switch the living room lights off', light, 'switchLight {"room":"living room","on":false}'],
  ['switch off the bedroom lamp please', light, 'switchLight {"room":"bedroom","on":false}'],
  // numbers
  ['set a timer for twenty five minutes', timer, 'set_timer {"minutes":25}'],
  ['set a timer for two hours', timer, 'set_timer {"minutes":120}'],
  ['timer one hour and thirty minutes', timer, 'set_timer {"minutes":90}'],
  ['set a timer for ninety seconds', timer, 'set_timer {"minutes":1.5}'],
  ['set the temperature to twenty one point five degrees', temperature, 'set_temperature {"degrees":21.5}'],
  ['temperature minus four please', temperature, 'set_temperature {"degrees":-4}'],
  ['set the temperature to ninety degrees', temperature, 'Which degrees?'],
  ['set the volume to eleven no seven', lamp, 'set_volume {"level":7}'],
  ['order number double five one oh two', orders, 'look_up_order {"order_number":"55102"}'],
  ['order zero zero seven', orders, 'look_up_order {"order_number":"007"}'],
  ['the order number is a hundred and twenty three', orders, 'look_up_order {"order_number":"123"}'],
  ['order a b one two three', orders, 'look_up_order {"order_number":"ab123"}'],
  ['Where is order AB-1234?', orders, 'look_up_order {"order_number":"AB-1234"}'],
  ['add five and seven and three point one', sum, 'add_numbers {"numbers":[5,7,3.1]}'],
  // several at once, with days and hours
  ['book a table for four people', table, 'book_table {"guests":4}'],
  [
    'book a table for two tomorrow at seven thirty pm under the name anna smith',
    table,
    'book_table {"guests":2,"date":"tomorrow","time":"seven thirty pm","name":"anna smith"}',
  ],
  [
    'i would like to reserve a table next friday for six my name is ben',
    table,
    'book_table {"guests":6,"date":"next friday","name":"ben"}',
  ],
  [
    'a table on the third of may at eight for five guests',
    table,
    'book_table {"guests":5,"date":"third of may","time":"eight"}',
  ],
  ['book a table for twenty', table, 'Which guests?'],
  ['book a table', table, 'Which guests?'],
  [
    'find flights from berlin to new york tomorrow',
    flight,
    'searchFlights {"origin":"berlin","destination":"new york","departure_date":"tomorrow"}',
  ],
  ['i need a flight to paris from rome', flight, 'searchFlights {"origin":"rome","destination":"paris"}'],
  ['find me a flight to paris', flight, 'Which origin?'],
  ['what is the weather in paris', units({ enum: ['celsius', 'kelvin'] }), 'Which unit: celsius or kelvin?'],
  [
    'what is the weather in paris',
    units({ anyOf: [{ type: 'string', const: 'celsius' }, { const: 'kelvin' }] }),
    'Which unit: celsius or kelvin?',
  ],
  [
    'what is the weather in paris',
    units({ oneOf: [{ enum: ['celsius'] }, { enum: ['kelvin'] }] }),
    'Which unit: celsius or kelvin?',
  ],
  // choices, yes and no
  ['a large coffee please', coffee, 'order_coffee {"size":"large"}'],
  ['an extra large coffee with milk', coffee, 'order_coffee {"size":"extra_large","milk":true}'],
  ['a small coffee without milk and two shots', coffee, 'order_coffee {"size":"small","milk":false,"shots":2}'],
  ['i want a coffee', coffee, 'Which size: small, large or extra large?'],
  ['a pizza with mushrooms and red onions', pizza, 'order_pizza {"toppings":["mushrooms","red onions"]}'],
  ['order a cheese pizza', pizza, 'order_pizza {"toppings":["cheese"]}'],
  // texts
  ['my name is anna', customer, 'saveCustomer {"name":"anna"}'],
  ['save my name anna', customer, 'saveCustomer {"name":"anna"}'],
  ['my email is anna at example dot com', customer, 'saveCustomer {"email":"anna@example.com"}'],
  [
    'the customers name is anna smith and the email is anna dot smith at mail dot example dot com',
    customer,
    'saveCustomer {"name":"anna smith","email":"anna.smith@mail.example.com"}',
  ],
  ['Save the customer anna_b@example.com.', customer, 'saveCustomer {"email":"anna_b@example.com"}'],
  [
    'add a contact called ben the phone number is oh one five one two three four',
    contact,
    'add_contact {"name":"ben","phone_number":"0151234"}',
  ],
  ['add ben to my contacts', contact, 'Which phone number?'],
  [
    'send a message to anna saying i will be late',
    message,
    'send_message {"recipient":"anna","message":"i will be late"}',
  ],
  [
    'Send the message "Meet me in Berlin." to Anna',
    message,
    'send_message {"recipient":"Anna","message":"Meet me in Berlin."}',
  ],
  ['send anna a message', message, 'Which message?'],
  ['search for red shoes', search, 'search_products {"query":"red shoes"}'],
  ['remind me to buy milk', reminder, 'create_reminder {"text":"buy milk"}'],
  ['remind me to call anna at seven pm', reminder, 'create_reminder {"text":"call anna","time":"seven pm"}'],
  ['add milk and eggs to my shopping list', shopping, 'add_to_shopping_list {"items":["milk","eggs"]}'],
  ['add bread to the shopping list', shopping, 'add_to_shopping_list {"items":["bread"]}'],
  ['play yellow submarine by the beatles', song, 'play_song {"song":"yellow submarine","artist":"beatles"}'],
  ['play bohemian rhapsody', song, 'play_song {"song":"bohemian rhapsody"}'],
  ['translate good morning into french', translate, 'translate {"text":"good morning","target_language":"french"}'],
  // schemas that are more than a list of values
  [
    'book a room on the third floor for two nights with breakfast the name is anna and the email is anna at example dot com',
    withContact,
    'bookRoom {"floor":3,"guest":{"name":"anna","contact":{"email":"anna@example.com"}},"nights":2,"breakfast":true,"currency":"EUR","rate":"standard"}',
  ],
  [
    'book a room on the second floor my name is ben',
    withContact,
    'bookRoom {"floor":2,"guest":{"name":"ben"},"nights":null,"breakfast":null,"currency":"EUR","rate":"standard"}',
  ],
  ['book a room on the second floor', withContact, 'Which name?'],
  ['pay twenty by credit card', payment, 'make_payment {"amount":20,"method":"credit card"}'],
  ['pay two hundred and fifty by bank transfer', payment, 'make_payment {"amount":250,"method":"bank_transfer"}'],
  [
    'track my parcel the tracking number is one two three',
    track,
    'trackParcels {"parcels":[{"tracking_number":"123"}]}',
  ],
  ['set an alarm on mondays and fridays', alarm, 'set_alarm {"days":["monday","friday"]}'],
  ['set an alarm', alarm, 'set_alarm {}'],
  // two things at once
  [
    'what is the weather in berlin and where is my order one two three',
    [orders, weather],
    'get_weather {"city":"berlin"}',
    'look_up_order {"order_number":"123"}',
  ],
  [
    'where is order one two three and where is order four five six',
    [orders, weather],
    'look_up_order {"order_number":"123"}',
    'look_up_order {"order_number":"456"}',
  ],
  [
    'cancel order five five one and what time is it',
    [cancel, time],
    'cancel_order {"order_number":"551"}',
    'get_current_time {}',
  ],
  ['where is my order and the number is one two three', [orders, weather], 'look_up_order {"order_number":"123"}'],
  ['whats the weather and where is order one two three', [orders, weather], 'look_up_order {"order_number":"123"}'],
  [
    'what is the weather in berlin and in paris',
    weather,
    'get_weather {"city":"berlin"}',
    'get_weather {"city":"paris"}',
  ],
  [
    'turn off the light in the kitchen and the bedroom',
    light,
    'switchLight {"room":"kitchen","on":false}',
    'switchLight {"room":"bedroom","on":false}',
  ],
  // handoffs
  ['i want to talk to a person', [orders, human], 'transfer_to_human {}'],
  ['i have a question about my invoice', [orders, billing, human], 'transfer_to_Billing {}'],
  ['can i get a refund', [orders, billing], 'transfer_to_Billing {}'],
  ['transfer me to billing please', [orders, human, billing], 'transfer_to_Billing {}'],
  // talk
  ['thank you very much goodbye', orders, "You're welcome. Goodbye."],
  ['bye', orders, 'Goodbye.'],
  ['thanks', orders, "You're welcome."],
  ['hello', orders, 'Hello, this is Ada. How can I help you?'],
  ['what is your name', orders, 'My name is Ada.'],
  ['how are you today', orders, 'I am well, thank you. How can I help you?'],
  ['what can you do', orders, 'What I can do: Look up the status of an order by its order number.'],
  ['never mind', orders, 'All right.'],
  [
    'my hovercraft is full of eels',
    orders,
    "I'm sorry, I did not understand that.",
    'What I can do: Look up the status of an order by its order number.',
  ],
  ['my hovercraft is full of eels', [], "I'm sorry, I did not understand that."],
  ['', [], "I'm sorry, I did not hear any words."],
]

describe('what was said becomes a call, a question or a sentence', () => {
  test.each(calls.map((row) => ({ said: row[0], row })))('$said', ({ row: [said, tools, ...expected] }) => {
    expect(told(think([user(said)], [tools].flat()))).toEqual(expected)
  })
})

/** What the caller says, turn by turn, with what the agent says and the tools tell in between; and what comes next. */
const dialogues: readonly {
  readonly name: string
  readonly items: readonly Item[]
  readonly tools?: readonly FunctionTool[]
  readonly setting?: Setting
  readonly expected: readonly string[]
}[] = [
  {
    name: 'a short reply is the argument that was asked for',
    items: [user('what is the weather'), agent('Which city?'), user('berlin')],
    expected: ['get_weather {"city":"berlin"}'],
  },
  {
    name: 'a reply may be a sentence',
    items: [user('what is the weather'), agent('Which city?'), user('it is in new york please')],
    expected: ['get_weather {"city":"new york"}'],
  },
  {
    name: 'a question that was cut short by the reply is a question still',
    items: [user('what is the weather'), agent('Which ci'), user('berlin')],
    expected: ['get_weather {"city":"berlin"}'],
  },
  {
    name: 'several are asked for one by one',
    items: [user('find me a flight'), agent('Which origin?'), user('berlin')],
    tools: [flight],
    expected: ['Which destination?'],
  },
  {
    name: 'and all replies count',
    items: [
      user('find me a flight'),
      agent('Which origin?'),
      user('berlin'),
      agent('Which destination?'),
      user('rome'),
    ],
    tools: [flight],
    expected: ['searchFlights {"origin":"berlin","destination":"rome"}'],
  },
  {
    name: 'a number in reply, in spite of a tool that shares its words',
    items: [user('cancel my order'), agent('Which order number?'), user('the order number is one two three')],
    tools: [orders, cancel],
    expected: ['cancel_order {"order_number":"123"}'],
  },
  {
    name: 'a choice in reply',
    items: [user('i want a coffee'), agent('Which size: small, large or extra large?'), user('extra please')],
    tools: [coffee],
    expected: ['order_coffee {"size":"extra_large"}'],
  },
  {
    name: 'yes in reply',
    items: [user('kitchen light'), agent('Which on: yes or no?'), user('yes please')],
    tools: [light],
    expected: ['switchLight {"room":"kitchen","on":true}'],
  },
  {
    name: 'no in reply',
    items: [user('kitchen light'), agent('Which on: yes or no?'), user('no')],
    tools: [light],
    expected: ['switchLight {"room":"kitchen","on":false}'],
  },
  {
    name: 'a reply that is no answer is asked again',
    items: [user('book a table'), agent('Which guests?'), user('my dog')],
    tools: [table],
    expected: ['Which guests?'],
  },
  {
    name: 'a reply that asks for something else is followed',
    items: [user('what is the weather'), agent('Which city?'), user('where is my order one two three')],
    tools: [weather, orders],
    expected: ['look_up_order {"order_number":"123"}'],
  },
  {
    name: 'a caller who did not hear the question hears it again',
    items: [user('what is the weather'), agent('Which city?'), user('what did you say')],
    expected: ['Which city?'],
  },
  {
    name: 'and can still answer it',
    items: [user('what is the weather'), agent('Which city?'), user('pardon'), agent('Which city?'), user('rome')],
    expected: ['get_weather {"city":"rome"}'],
  },
  {
    name: 'a caller who does not want it any more is left in peace',
    items: [user('what is the weather'), agent('Which city?'), user('never mind')],
    expected: ['All right.'],
  },
  {
    name: 'what a tool told is spoken',
    items: [user('order one two'), call('look_up_order', { order_number: '12' }), output({ status: 'shipped' })],
    expected: ['The status is shipped.'],
  },
  {
    name: 'what two tools told is both spoken',
    items: [
      user('weather in rome and order one two'),
      call('get_weather', { city: 'rome' }),
      call('look_up_order', { order_number: '12' }),
      output('It is sunny in Rome.'),
      output({ status: 'shipped' }),
    ],
    expected: ['It is sunny in Rome.', 'The status is shipped.'],
  },
  {
    name: 'the thing that misses an argument is asked for once the other is done',
    items: [
      user('whats the weather and where is order one two'),
      call('look_up_order', { order_number: '12' }),
      output({ status: 'shipped' }),
    ],
    expected: ['The status is shipped.', 'Which city?'],
  },
  {
    name: 'and what was done before is not done again',
    items: [
      user('whats the weather and where is order one two'),
      call('look_up_order', { order_number: '12' }),
      output({ status: 'shipped' }),
      agent('The status is shipped. Which city?'),
      user('oslo'),
    ],
    expected: ['get_weather {"city":"oslo"}'],
  },
  {
    name: 'a tool that failed is told of',
    items: [user('order one'), call('look_up_order', { order_number: '1' }), output({ error: 'There is no order 1.' })],
    expected: ["I'm sorry. There is no order 1."],
  },
  {
    name: 'a call that has no output yet is not made again',
    items: [user('order one two'), call('look_up_order', { order_number: '12' })],
    expected: ['One moment, please.'],
  },
  {
    name: 'the same question in a later turn is a new call',
    items: [
      user('order one two'),
      call('look_up_order', { order_number: '12' }),
      output('Shipped.'),
      agent('Shipped.'),
      user('order one two'),
    ],
    expected: ['look_up_order {"order_number":"12"}'],
  },
  {
    name: 'an answer that was cut short is given again',
    items: [
      user('order one two'),
      call('look_up_order', { order_number: '12' }),
      output('It was shipped.'),
      agent('It', 'incomplete'),
    ],
    expected: ['It was shipped.'],
  },
  {
    name: 'an output that comes after another question is told, and the question is answered',
    items: [
      user('order one two'),
      call('look_up_order', { order_number: '12' }),
      user('and the weather in rome'),
      output('It was shipped.'),
    ],
    expected: ['It was shipped.', 'get_weather {"city":"rome"}'],
  },
  {
    name: 'it repeats itself',
    items: [user('hello'), agent('Hello, this is Ada.'), user('can you repeat that please')],
    expected: ['Hello, this is Ada.'],
  },
  {
    name: 'nothing is there to repeat',
    items: [user('say that again')],
    tools: [],
    expected: ['I have not said anything yet.'],
  },
  {
    name: 'a response without a question asks for one',
    items: [user('thanks'), agent("You're welcome.")],
    expected: ['Is there anything else that I can do for you?'],
  },
  {
    name: 'the same again for another place',
    items: [
      user('weather in rome'),
      call('get_weather', { city: 'rome' }),
      output('Sunny.'),
      agent('Sunny.'),
      user('and what about new york'),
    ],
    expected: ['get_weather {"city":"new york"}'],
  },
  {
    name: 'a reply with thanks is a reply',
    items: [user('what is the weather'), agent('Which city?'), user('berlin thank you')],
    expected: ['get_weather {"city":"berlin"}'],
  },
  // handoffs
  {
    name: 'the new agent goes on with what was asked',
    items: [
      user('i have a question about my bill order one two three'),
      call('transfer_to_Orders', {}),
      output({ assistant: 'Orders' }),
    ],
    tools: [orders, weather],
    expected: ['look_up_order {"order_number":"123"}'],
  },
  {
    name: 'the new agent greets when nothing is there to be done',
    items: [user('i want to talk to a person'), call('transfer_to_human', {}), output('{"assistant":"Human"}')],
    setting: { instructions: 'You are Bob.' },
    tools: [orders],
    expected: ['Hello, this is Bob. How can I help you?'],
  },
  {
    name: 'an agent whose instructions give no name greets by the name that the handoff gives',
    items: [user('i want to talk to a person'), call('transfer_to_human', {}), output('{"assistant":"Human"}')],
    setting: { instructions: 'Be kind.' },
    tools: [orders],
    expected: ['Hello, this is Human. How can I help you?'],
  },
  {
    name: 'nobody is handed over twice in a turn',
    items: [user('i want to talk to a person'), call('transfer_to_human', {}), output('{"assistant":"Human"}')],
    tools: [human],
    expected: ['Hello, this is Ada. How can I help you?'],
  },
  // the choice of tools
  {
    name: 'tool_choice none calls no tool',
    items: [user('weather in rome')],
    setting: { toolChoice: 'none' },
    expected: [
      "I'm sorry, I did not understand that.",
      'What I can do: Get the weather in a city; Look up the status of an order by its order number.',
    ],
  },
  {
    name: 'tool_choice required calls the likeliest that can be called',
    items: [user('good morning')],
    tools: [weather, time],
    setting: { toolChoice: 'required' },
    expected: ['get_current_time {}'],
  },
  {
    name: 'tool_choice required calls one with as little as its schema allows when none can',
    items: [user('good morning')],
    tools: [weather],
    setting: { toolChoice: 'required' },
    expected: ['get_weather {"city":""}'],
  },
  {
    name: 'tool_choice required calls one before anybody has spoken',
    items: [],
    tools: [weather, time],
    setting: { toolChoice: 'required' },
    expected: ['get_current_time {}'],
  },
  {
    name: 'tool_choice required calls one when all was said',
    items: [user('good morning'), agent('Hello.')],
    tools: [time],
    setting: { toolChoice: 'required' },
    expected: ['get_current_time {}'],
  },
  {
    name: 'tool_choice required calls one whatever the instructions order to be said',
    items: [user('weather in rome')],
    setting: { toolChoice: 'required', instructions: 'Tell the user that nobody is here.' },
    expected: ['get_weather {"city":"rome"}'],
  },
  {
    name: 'tool_choice required calls again what was called and has not answered',
    items: [user('weather in rome'), call('get_weather', { city: 'rome' })],
    setting: { toolChoice: 'required' },
    expected: ['get_weather {"city":"rome"}'],
  },
  {
    name: 'tool_choice required without tools calls nothing',
    items: [user('hello')],
    tools: [],
    setting: { toolChoice: 'required' },
    expected: ['Hello, this is Ada. How can I help you?'],
  },
  {
    name: 'a tool that is named is called with what it is known to be asked, and as little as may be of the rest',
    items: [user('book a table for four people')],
    tools: [weather, party],
    setting: { toolChoice: { type: 'function', name: 'plan_party' } },
    expected: [`plan_party ${JSON.stringify(partyForFour)}`],
  },
  {
    name: 'a tool that is named is called, though another was asked for, and its question is open',
    items: [user('weather please'), agent('Which city?'), user('rome')],
    setting: { toolChoice: { type: 'function', name: 'look_up_order' } },
    expected: [expect.stringMatching(/^look_up_order \{"order_number":/)],
  },
  {
    name: 'tool_choice none asks nothing back for a tool',
    items: [user('what is the weather')],
    tools: [weather],
    setting: { toolChoice: 'none' },
    expected: ["I'm sorry, I did not understand that.", 'What I can do: Get the weather in a city.'],
  },
  {
    name: 'tool_choice required is done with once the tool has answered',
    items: [user('good morning'), call('get_current_time', {}), output('It is nine.')],
    tools: [time],
    setting: { toolChoice: 'required' },
    expected: ['It is nine.'],
  },
  {
    name: 'a tool that is named is called, whatever the words ask for',
    items: [user('weather in rome order one two')],
    setting: { toolChoice: { type: 'function', name: 'look_up_order' } },
    expected: ['look_up_order {"order_number":"12"}'],
  },
  {
    name: 'a tool that is named and not there is not called',
    items: [user('hello')],
    setting: { toolChoice: { type: 'function', name: 'nothing' } },
    expected: ['Hello, this is Ada. How can I help you?'],
  },
  // what the instructions say to say
  {
    name: 'words that wait are answered before what a session says first',
    items: [user('weather in rome')],
    setting: { instructions: 'Say exactly "Welcome to Parley."' },
    expected: ['get_weather {"city":"rome"}'],
  },
  {
    name: 'an order for one response is followed while words wait',
    items: [user('weather in rome')],
    setting: { instructions: 'Tell the user that you are not allowed to say that.' },
    expected: ['You are not allowed to say that.'],
  },
  {
    name: 'an order while a tool runs',
    items: [user('weather in rome'), call('get_weather', { city: 'rome' })],
    setting: { instructions: 'Say "This takes a while."' },
    expected: ['This takes a while.'],
  },
  {
    name: 'an order in a system message',
    items: [user('thanks'), agent("You're welcome."), system('Tell the user that the shop closes in five minutes.')],
    expected: ['The shop closes in five minutes.'],
  },
  {
    name: 'it greets by its name',
    items: [],
    expected: ['Hello, this is Ada. How can I help you?'],
  },
  { name: 'or without one', items: [], setting: { instructions: '' }, expected: ['Hello. How can I help you?'] },
  {
    name: 'it greets as the instructions say',
    items: [],
    setting: { instructions: 'You are Ada. Greet the caller with "Good day, this is the order desk." Be brief.' },
    expected: ['Good day, this is the order desk.'],
  },
  {
    name: 'Say exactly',
    items: [],
    setting: { instructions: 'You are Ada. Say exactly "Welcome to Parley." when the call begins.' },
    expected: ['Welcome to Parley.'],
  },
  {
    name: 'Say:',
    items: [user('thanks'), agent("You're welcome.")],
    setting: { instructions: 'Say: one moment please' },
    expected: ['One moment please.'],
  },
  {
    name: 'Tell the user that',
    items: [],
    setting: { instructions: 'Tell the user that their order has shipped and they can track it.' },
    expected: ['Your order has shipped and you can track it.'],
  },
  {
    name: 'Let the caller know that',
    items: [],
    setting: { instructions: 'Let the caller know that the caller is next.' },
    expected: ['You are next.'],
  },
  {
    name: 'Ask the user for',
    items: [],
    setting: { instructions: 'Ask the user for their order number.' },
    expected: ['What is your order number?'],
  },
]

describe('the conversation says what is meant', () => {
  test.each(dialogues)('$name', ({ items, tools = [weather, orders], setting, expected }) => {
    expect(told(think(items, tools, setting))).toEqual(expected)
  })
})
