/** One variant in a process of its own, so that none pays for another's heap or machine code; it samples when it is told. */
import * as receiving from './receiving.mjs'
import * as sending from './sending.mjs'

const [name, url] = process.argv.slice(2)
const sample = await { ...receiving, ...sending }[name](url)
process.on('message', async (amount) => process.send(await sample(amount)))
process.on('disconnect', () => process.exit())
process.send('ready')
