// @ts-check
/** Delivers what is kept: a few at a time, again after every loss, until it is acknowledged. */

import { binaryFrame } from "./frames.js";
import { sliceKey } from "./kept.js";

/** Items on their way at once. The server's inbox is bounded; a long recording may be waiting. */
const WINDOW = 8;
/** Milliseconds after which something counts as sent late, and is told when it was said. */
const LATE = 10_000;

/**
 * @typedef {object} VoiceSession as `connect` tells it
 * @property {string} voice_session_id
 * @property {number[]} received
 */

export class Outbox {
  /** @type {string[]} */
  #waiting = [];
  /** @type {Set<string>} */
  #sent = new Set();
  /** @type {Set<string>} refused, or to be tried later */
  #aside = new Set();
  /** @type {Map<string, string>} last slices that were sent, of recordings without a transcript */
  #lasts = new Map();
  /** @type {Set<string>} those of them that the server has: sent again, they ask for the transcript */
  #unanswered = new Set();

  /**
   * @param {import("./line.js").Line} line
   * @param {import("./kept.js").Kept} kept
   * @param {(count: number, connected: boolean) => void} count told how many are not delivered yet
   */
  constructor(line, kept, count) {
    this.line = line;
    this.kept = kept;
    this.count = count;
  }

  /**
   * Take up what an earlier page left.
   * @param {string} conversation
   */
  async load(conversation) {
    const here = new Set(this.#waiting);
    const left = await this.kept.keys(conversation);
    this.#waiting = [...left.filter((key) => !here.has(key)), ...this.#waiting];
    this.#pump();
  }

  /**
   * Keep an item, then send it as soon as the line allows.
   * @param {import("./kept.js").Item} item
   * @returns {Promise<boolean>} whether it outlives the page
   */
  async add(item) {
    const safe = await this.kept.put(item);
    this.#waiting.push(item.key);
    this.#pump();
    return safe;
  }

  /**
   * The server is there (again): what it has is settled, everything else goes out.
   * @param {VoiceSession[]} sessions
   */
  connected(sessions) {
    this.#sent.clear();
    this.#waiting.unshift(...this.#unanswered);
    this.#unanswered.clear();
    for (const { voice_session_id: session, received } of sessions) {
      for (const index of received) this.#received(sliceKey(session, index), session);
    }
    this.#pump();
  }

  /** The server is gone; what was on its way may not have come there. */
  lost() {
    this.#sent.clear();
    this.#pump();
  }

  /**
   * The server has a slice; the last one is kept until the transcript is here.
   * @param {string} session
   * @param {number} index
   */
  acknowledged(session, index) {
    this.#received(sliceKey(session, index), session);
    this.#pump();
  }

  /**
   * A recording's words are here, or will not come.
   * @param {string} session
   */
  answered(session) {
    const key = this.#lasts.get(session);
    if (key === undefined) return;
    this.#lasts.delete(session);
    this.#unanswered.delete(key);
    this.#forget(key);
    void this.kept.remove(key);
    this.#pump();
  }

  /**
   * The server has it.
   * @param {string} key
   */
  settle(key) {
    if (!this.#forget(key)) return;
    void this.kept.remove(key);
    this.#pump();
  }

  /**
   * The server did not take it.
   * @param {string} key
   * @param {number | null} seconds after which to try again; null: not by this page
   */
  refused(key, seconds) {
    if (!this.#sent.delete(key)) return;
    this.#aside.add(key);
    if (seconds !== null) {
      setTimeout(() => {
        this.#aside.delete(key);
        this.#pump();
      }, seconds * 1000);
    }
    this.#pump();
  }

  /**
   * Take back what is not delivered.
   * @param {string} key
   * @returns {Promise<import("./kept.js").Item | undefined>}
   */
  async withdraw(key) {
    if (!this.#waiting.includes(key)) return undefined;
    const item = await this.kept.get(key);
    this.settle(key);
    return item;
  }

  #pump() {
    this.count(this.#waiting.length, this.line.ready);
    if (!this.line.ready) return;
    for (const key of this.#waiting) {
      if (this.#sent.size >= WINDOW) return;
      if (this.#sent.has(key) || this.#aside.has(key)) continue;
      this.#sent.add(key);
      void this.#send(key);
    }
  }

  /** @param {string} key */
  async #send(key) {
    const item = await this.kept.get(key);
    if (item === undefined) this.settle(key); // another page delivered it
    else if (this.line.send(frameOf(item)) && item.session !== undefined && item.last) {
      this.#lasts.set(item.session, key);
    }
  }

  /**
   * @param {string} key
   * @param {string} session
   */
  #received(key, session) {
    if (!this.#forget(key)) return;
    if (this.#lasts.get(session) === key) this.#unanswered.add(key);
    else void this.kept.remove(key);
  }

  /**
   * @param {string} key
   * @returns {boolean} whether it was waiting
   */
  #forget(key) {
    this.#sent.delete(key);
    this.#aside.delete(key);
    const place = this.#waiting.indexOf(key);
    if (place >= 0) this.#waiting.splice(place, 1);
    return place >= 0;
  }
}

/**
 * @param {import("./kept.js").Item} item
 * @returns {object | ArrayBuffer}
 */
function frameOf(item) {
  const late = Date.now() - item.made > LATE;
  const said = late ? { recorded_at: new Date(item.at).toISOString() } : {};
  if (item.audio === undefined) {
    return { type: "text", id: item.key.slice("text/".length), data: { text: item.text, ...said } };
  }
  const data = {
    voice_session_id: item.session,
    segment_index: item.index,
    is_last: item.last,
    ...item.sound,
    ...said,
  };
  return binaryFrame({ type: "audio_segment", data }, item.audio);
}
