/** Where nobody waits for bytes, what stands behind a session is there at once. */
export { stage as backstage } from './stage.ts'
