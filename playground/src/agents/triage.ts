import { RealtimeAgent, tool } from 'parley-voice'

const balance = tool({
  name: 'look_up_balance',
  description: 'The latest invoice: its amount, and the day on which it is due.',
  execute: async () => 'Your latest invoice is over 36 euros. It is due on the first of next month.',
})

const visit = tool({
  name: 'book_technician',
  description: 'Book a visit of a technician for a repair.',
  parameters: {
    type: 'object',
    properties: { day: { type: 'string', description: 'the day of the visit, for example Monday' } },
    required: ['day'],
    additionalProperties: false,
  },
  execute: async ({ day }) => `A technician will come ${day}, between nine and twelve.`,
})

const billing: RealtimeAgent = new RealtimeAgent({
  name: 'Billing',
  handoffDescription: 'Invoices, bills, payments and what a contract costs.',
  instructions: 'You are Billing, of an internet provider. Be brief. Look up the invoice with the tool.',
  tools: [balance],
})

const repairs: RealtimeAgent = new RealtimeAgent({
  name: 'Repairs',
  handoffDescription: 'An internet connection or a router that is broken, slow or offline; visits of a technician.',
  instructions: 'You are Repairs, of an internet provider. Be brief. Offer the visit of a technician, and book it.',
  tools: [visit],
  handoffs: [billing],
})
billing.handoffs = [repairs]

export const reception: RealtimeAgent = new RealtimeAgent({
  name: 'Reception',
  instructions:
    'You are Reception, of an internet provider. Find out what it is about, and hand over to Billing or to Repairs.',
  handoffs: [billing, repairs],
})
