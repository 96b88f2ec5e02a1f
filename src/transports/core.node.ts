/** Where nobody waits for bytes, what a transport needs for a call is there at once. */
export { door } from '../session/door.ts'
export { webRTC } from './webrtc.ts'
export { webSocket } from './websocket.ts'
