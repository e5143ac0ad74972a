// @ts-check
/** Bytes of the protocol. */

/**
 * A binary frame: big-endian uint16 length, that many bytes of JSON, then the audio.
 * @param {object} message
 * @param {ArrayBuffer} audio
 * @returns {ArrayBuffer}
 */
export function binaryFrame(message, audio) {
  const head = new TextEncoder().encode(JSON.stringify(message));
  const frame = new Uint8Array(2 + head.length + audio.byteLength);
  new DataView(frame.buffer).setUint16(0, head.length);
  frame.set(head, 2);
  frame.set(new Uint8Array(audio), 2 + head.length);
  return frame.buffer;
}

/**
 * @param {string} text base64
 * @returns {ArrayBuffer}
 */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

/**
 * Cut a partial transcript where it will not change any more.
 * @param {string} text
 * @param {number} stable code points
 * @returns {[string, string]}
 */
export function cutAt(text, stable) {
  const points = Array.from(text);
  return [points.slice(0, stable).join(""), points.slice(stable).join("")];
}
