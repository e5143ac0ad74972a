// @ts-check
/** Plays the spoken reply: sentence after sentence, and not one of what was stopped. */

import { fromBase64 } from "./frames.js";

/**
 * @typedef {object} Speech `tts_audio`
 * @property {string} assistant_message_id
 * @property {number} epoch
 * @property {number} sequence
 * @property {string} audio_base64
 * @property {string} text
 * @property {boolean} last
 */

export class Player {
  /** @type {Speech[]} what waits, in the order of the messages and within them of sequence */
  #queue = [];
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AudioBufferSourceNode | null} */
  #source = null;
  /** The first epoch that may still be heard. */
  #floor = 0;
  /** @type {{message: string, sequence: number}} which sentence comes next */
  #next = { message: "", sequence: 0 };
  #turn = 0;
  #busy = false;

  /** @param {(text: string | null) => void} told the sentence being spoken; null: silence */
  constructor(told) {
    this.told = told;
  }

  /** A browser lets a page be heard only after it was touched. */
  unlock() {
    this.#context ??= new AudioContext();
    if (this.#context.state === "suspended") void this.#context.resume();
    void this.#play();
  }

  /** @param {Speech} speech */
  take(speech) {
    if (speech.epoch < this.#floor) return;
    const after = this.#queue.findIndex(
      (other) =>
        other.assistant_message_id === speech.assistant_message_id &&
        other.sequence > speech.sequence,
    );
    this.#queue.splice(after < 0 ? this.#queue.length : after, 0, speech);
    void this.#play();
  }

  /** Silence at once; what is still coming of this epoch is not for us any more. */
  stop() {
    this.#floor += 1;
    this.#hush();
  }

  /**
   * The server has stopped.
   * @param {number} epoch
   */
  cancelled(epoch) {
    if (epoch < this.#floor) return;
    this.#floor = epoch + 1;
    this.#hush();
  }

  /** A new connection counts its epochs from 0 again. */
  connected() {
    this.#floor = 0;
    this.#hush();
  }

  #hush() {
    this.#turn += 1;
    this.#queue = [];
    this.#next = { message: "", sequence: 0 };
    this.#busy = false;
    this.#source?.stop();
    this.#source = null;
    this.told(null);
  }

  async #play() {
    const context = this.#context;
    if (this.#busy || context === null || context.state !== "running") return;
    const speech = this.#ready();
    if (speech === undefined) return;
    const turn = this.#turn;
    this.#busy = true;
    this.told(speech.text);
    try {
      const sound = await context.decodeAudioData(fromBase64(speech.audio_base64));
      if (turn === this.#turn) await this.#sound(context, sound);
    } catch {
      // A sentence that cannot be played was shown all the same.
    }
    if (turn !== this.#turn) return;
    this.#busy = false;
    if (this.#queue.length === 0) this.told(null);
    void this.#play();
  }

  /** @returns {Speech | undefined} the next sentence, if it is here */
  #ready() {
    const newest = this.#queue.at(-1)?.assistant_message_id;
    for (let first; (first = this.#queue[0]) !== undefined; this.#queue.shift()) {
      const { assistant_message_id: message, sequence } = first;
      if (sequence <= (message === this.#next.message ? this.#next.sequence : 0)) {
        this.#next = { message, sequence: sequence + 1 };
        return this.#queue.shift();
      }
      if (message === newest) return undefined; // one before it is still on its way
    }
    return undefined;
  }

  /**
   * @param {AudioContext} context
   * @param {AudioBuffer} sound
   */
  #sound(context, sound) {
    const source = context.createBufferSource();
    this.#source = source;
    source.buffer = sound;
    source.connect(context.destination);
    source.start();
    return new Promise((resolve) => (source.onended = resolve));
  }
}
