// @ts-check
/** What each message of the server means for the page. */

import { cutAt } from "./frames.js";
import { sliceKey, textKey } from "./kept.js";

/** Seconds until what was refused for now is tried again, where the server does not say. */
const TRY_AGAIN = 5;
const FOR_NOW = ["BUSY", "STORE_FAILED", "INTERNAL"];
/** What may come of a whole recording instead of its words; they may come later all the same. */
const WORDLESS = ["ASR_FAILED", "ASR_UNAVAILABLE", "BAD_AUDIO"];

export class Conversation {
  /** @type {Map<string, number>} the revision shown of each recording's transcript */
  #revisions = new Map();
  /** @type {Map<string, string>} sentences of parts that have not come yet */
  #deltas = new Map();

  /**
   * @param {import("./view.js").View} view
   * @param {import("./outbox.js").Outbox} outbox
   * @param {import("./player.js").Player} player
   * @param {import("./talk.js").Talk} talk
   * @param {import("./words.js").Words} words
   * @param {(text: string) => void} say
   */
  constructor(view, outbox, player, talk, words, say) {
    this.view = view;
    this.outbox = outbox;
    this.player = player;
    this.talk = talk;
    this.words = words;
    this.say = say;
  }

  /** @param {import("./line.js").Message} message */
  heard({ type, data }) {
    switch (type) {
      case "connect":
        return this.#connected(data);
      case "capabilities":
        return this.#capable(data);
      case "agent_response":
        return this.#part(data);
      case "agent_response_delta":
        return this.#delta(data);
      case "reply_cancelled":
        return this.view.hush(`reply/${data.assistant_message_id}`);
      case "topic_suggestions":
        return this.view.chips(data.suggestions, this.say);
      case "listening_feedback":
        return this.view.feedback(data.text);
      case "segment_ack":
        return this.outbox.acknowledged(data.voice_session_id, data.segment_index);
      case "message_ack":
        return this.outbox.settle(textKey(data.id));
      case "transcript_partial":
        return this.#partial(data);
      case "transcript":
        return this.#transcript(data);
      case "tts_audio":
        return this.player.take(data);
      case "tts_cancelled":
        return this.player.cancelled(data.epoch);
      case "end_conversation":
        return this.#ended();
      case "error":
        return this.#error(data);
    }
  }

  /**
   * Show that a recording's words are still to come.
   * @param {string} session
   */
  awaitWords(session) {
    const name = `voice/${session}`;
    this.view.feedback("");
    if (!this.#revisions.has(session) && !this.view.isComing(name)) {
      this.view.coming(name, "me", "", "…");
    }
  }

  /** @param {any} data */
  #connected(data) {
    this.view.problem("");
    this.#capable(data.capabilities);
    this.player.connected();
    this.talk.connected();
    this.outbox.connected(data.resume.voice_sessions);
    if (data.ended) this.#ended();
  }

  /** @param {{asr: string}} capabilities */
  #capable({ asr }) {
    const more = asr === "none" ? `. ${this.words.noSpeechModel}` : "";
    this.view.connection(this.words.connected + more);
  }

  #ended() {
    this.view.connection(this.words.ended);
    this.view.chips([], this.say);
    this.view.allow(false, false);
  }

  /** @param {{assistant_message_id: string, index: number, text: string}} data */
  #part({ assistant_message_id: message, index, text }) {
    this.view.say(`reply/${message}/${index}`, "interviewer", text);
    this.#deltas.delete(`reply/${message}/${index}`);
  }

  /** @param {{assistant_message_id: string, index: number, text: string}} data */
  #delta({ assistant_message_id: message, index, text }) {
    const name = `reply/${message}/${index}`;
    const before = this.#deltas.get(name) ?? "";
    const gap = /[\x21-\x7e]$/.test(before) && /^[\x21-\x7e]/.test(text) ? " " : "";
    this.#deltas.set(name, before + gap + text);
    this.view.coming(name, "interviewer", before + gap + text, "");
  }

  /** @param {{voice_session_id: string, text: string, stable_chars: number}} data */
  #partial({ voice_session_id: session, text, stable_chars: stable }) {
    if (this.#revisions.has(session)) return;
    const [settled, open] = cutAt(text, stable);
    this.view.coming(`voice/${session}`, "me", settled, open);
  }

  /** @param {{voice_session_id?: string, message_id: string | null, text: string, revision: number}} data */
  #transcript({ voice_session_id: session, message_id: message, text, revision }) {
    const name = `voice/${session ?? message ?? ""}`;
    if (revision < (this.#revisions.get(session ?? "") ?? 0)) return;
    if (session !== undefined) {
      this.#revisions.set(session, revision);
      this.outbox.answered(session);
    }
    this.view.feedback(text || message ? "" : this.words.nothingHeard);
    if (text || message) this.view.say(name, "me", text || this.words.wordless);
    else this.view.unsay(name);
  }

  /** @param {any} data */
  #error(data) {
    this.view.problem(data.message);
    const wait = FOR_NOW.includes(data.code) ? (data.retry_after ?? TRY_AGAIN) : null;
    const session = data.voice_session_id;
    if (session !== undefined) {
      this.outbox.refused(sliceKey(session, data.segment_index), wait);
      const whole = data.segment_index === undefined;
      if (whole && WORDLESS.includes(data.code)) {
        if (!this.#revisions.has(session)) {
          this.view.say(`voice/${session}`, "me", this.words.wordless);
        }
        this.outbox.answered(session);
      }
    } else if (data.reply_to !== undefined) {
      const key = textKey(data.reply_to);
      if (data.retryable) this.outbox.refused(key, wait);
      else void this.#giveBack(key);
    }
  }

  /**
   * What will never be taken goes back to where it was typed.
   * @param {string} key
   */
  async #giveBack(key) {
    const item = await this.outbox.withdraw(key);
    if (item?.text === undefined) return;
    this.view.unsay(key);
    this.view.draft(item.text);
  }
}
