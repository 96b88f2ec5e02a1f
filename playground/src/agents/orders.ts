import { RealtimeAgent, tool } from 'parley-voice'

interface Order {
  readonly number: string
  readonly item: string
  readonly status: string
  readonly euros: number
}

const orders: readonly Order[] = [
  { number: '42', item: 'a walnut desk lamp', status: 'has left our warehouse, and arrives on Tuesday', euros: 89 },
  { number: '43', item: 'two linen cushions', status: 'is being packed, and arrives on Friday', euros: 48 },
  { number: '44', item: 'a wool blanket', status: 'was delivered last Monday, to your neighbour', euros: 120 },
  { number: '12345', item: 'an oak stool', status: 'has left our warehouse, and arrives on Thursday', euros: 65 },
]

const orderNumber = {
  type: 'object',
  properties: { order_number: { type: 'string', description: 'the order number, in digits' } },
  required: ['order_number'],
  additionalProperties: false,
} as const

const lookUpOrder = tool({
  name: 'look_up_order',
  description: 'Look up where an order is and when it arrives.',
  parameters: orderNumber,
  execute: async ({ order_number }) => {
    const order = find(order_number)
    return order ? told(order) : unknown(order_number)
  },
})

const listOrders = tool({
  name: 'list_my_orders',
  description: 'List all the orders of the customer.',
  execute: async () => `There are ${orders.length} orders. ${orders.map(told).join(' ')}`,
})

const refundOrder = tool({
  name: 'refund_order',
  description: 'Give the money back for an order: a refund.',
  parameters: orderNumber,
  needsApproval: true,
  execute: async ({ order_number }) => {
    const order = find(order_number)
    if (!order) return unknown(order_number)
    return `I have refunded ${order.euros} euros for ${order.item}. You will have the money in three days.`
  },
})

function find(asked: unknown): Order | undefined {
  const number = String(asked).replace(/\D/g, '')
  return orders.find((order) => order.number === number)
}

function told({ number, item, status }: Order): string {
  return `Order ${number}, ${item}, ${status}.`
}

function unknown(number: unknown): string {
  return `There is no order ${number}. Your orders are ${orders.map(({ number }) => number).join(', ')}.`
}

export const orderDesk: RealtimeAgent = new RealtimeAgent({
  name: 'Order desk',
  instructions:
    'You are the order desk of a small shop for the home. Be brief and friendly. Look up orders with the tools. ' +
    'When somebody asks for a refund, call the tool at once: a person decides on it.',
  tools: [lookUpOrder, listOrders, refundOrder],
})
