// @ts-check
/** Recording: from a tap on the button to the last slice. */

import { sliceKey } from "./kept.js";
import { StreamRecording, WorkletRecording, closingBytes } from "./recorders.js";

/** @typedef {"idle" | "opening" | "recording" | "finishing"} State */

/**
 * @typedef {object} Shown told how it goes
 * @property {(state: State) => void} state
 * @property {(level: number) => void} level
 * @property {(session: string) => void} ended a recording is whole, and kept
 * @property {(word: keyof import("./words.js").Words) => void} problem
 */

/** Milliseconds that a recorder has for its last slice. */
const FINISH_PATIENCE = 3000;

export class Talk {
  /** @type {State} */
  #state = "idle";
  #stop = () => {};
  #cut = () => {};
  /** @type {{session: string, told: boolean} | null} */
  #current = null;

  /**
   * @param {import("./address.js").Asked} asked
   * @param {import("./outbox.js").Outbox} outbox
   * @param {import("./line.js").Line} line
   * @param {Shown} shown
   */
  constructor(asked, outbox, line, shown) {
    this.asked = asked;
    this.outbox = outbox;
    this.line = line;
    this.shown = shown;
    const worklet = asked.recorder === "worklet" && WorkletRecording.possible;
    this.recording = worklet ? new WorkletRecording() : new StreamRecording();
  }

  /** Why there can be no recording here, if so. */
  get hindrance() {
    if (!navigator.mediaDevices?.getUserMedia) return "insecure";
    return WorkletRecording.possible || StreamRecording.possible ? null : "noRecorder";
  }

  get state() {
    return this.#state;
  }

  /** The one button. */
  async tap() {
    if (this.#state === "recording") this.#stop();
    if (this.#state !== "idle") return;
    this.#become("opening");
    /** @type {MediaStream | undefined} */
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: false, channelCount: 1 },
      });
      await this.#record(stream);
    } catch (error) {
      this.shown.problem(reasonOf(error));
    } finally {
      stream?.getTracks().forEach((track) => track.stop());
      this.#current = null;
      this.#become("idle");
    }
  }

  /** The server is there (again), and may not know that somebody is talking. */
  connected() {
    if (this.#current !== null && !this.#current.told) this.#tell();
  }

  /** The page may be gone in a moment: keep what was recorded. */
  leaving() {
    this.#cut();
  }

  /** End the recordings that an earlier page could not end. */
  async endAbandoned() {
    for (const begun of await this.outbox.kept.begun(this.asked.conversation)) {
      const { next: index, ...rest } = begun;
      const key = sliceKey(begun.session, index);
      const end = { key, index, last: true, made: Date.now(), audio: closingBytes(begun.sound) };
      await ifFree(begun.session, async () => void (await this.outbox.add({ ...rest, ...end })));
    }
  }

  /** @param {MediaStream} stream */
  async #record(stream) {
    const session = crypto.randomUUID();
    await whileHeld(session, async () => {
      const at = Date.now();
      /** @type {Promise<unknown>[]} */
      const storing = [];
      let index = 0;
      let over = false;
      /** @type {() => void} */
      let end;
      const ended = new Promise((resolve) => (end = () => resolve(undefined)));
      const keep = (/** @type {ArrayBuffer} */ audio, /** @type {boolean} */ last) => {
        if (over) return;
        over = last;
        storing.push(this.#keep({ session, at, index: index++, last, sound: recorder.sound, audio }));
        if (last) end();
      };
      const ear = { slice: keep, level: this.shown.level };
      const recorder = await this.recording.start(stream, this.asked.sliceSeconds, ear);
      this.#current = { session, told: false };
      this.#tell();
      this.#stop = () => {
        this.#become("finishing");
        recorder.finish();
        setTimeout(() => keep(closingBytes(recorder.sound), true), FINISH_PATIENCE);
      };
      this.#cut = recorder.cut;
      stream.getAudioTracks()[0].onended = () => {
        this.shown.problem("interrupted");
        if (this.#state === "recording") this.#stop();
      };
      this.#become("recording");
      await ended;
      this.#cut = () => {};
      await Promise.all(storing);
      this.shown.ended(session);
    });
  }

  /** @param {Pick<import("./kept.js").Item, "session" | "at" | "index" | "last" | "sound" | "audio">} slice */
  async #keep(slice) {
    const item = {
      ...slice,
      key: sliceKey(slice.session ?? "", slice.index),
      conversation: this.asked.conversation,
      made: Date.now(),
    };
    if (!(await this.outbox.add(item))) this.shown.problem("notSaved");
  }

  #tell() {
    const { session = "" } = this.#current ?? {};
    const told = this.line.send({ type: "recording_started", data: { voice_session_id: session } });
    if (this.#current !== null) this.#current.told = told;
  }

  /** @param {State} state */
  #become(state) {
    this.#state = state;
    this.shown.state(state);
  }
}

/**
 * @param {unknown} error of getUserMedia, or of a recorder
 * @returns {keyof import("./words.js").Words}
 */
function reasonOf(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "denied";
  return name === "NotFoundError" ? "noMicrophone" : "microphoneFailed";
}

/**
 * Hold a recording's name, so that another page does not take it for abandoned.
 * @param {string} session
 * @param {() => Promise<void>} work
 */
function whileHeld(session, work) {
  return navigator.locks === undefined ? work() : navigator.locks.request(session, work);
}

/**
 * @param {string} session
 * @param {() => Promise<void>} work
 */
function ifFree(session, work) {
  if (navigator.locks === undefined) return work();
  return navigator.locks.request(session, { ifAvailable: true }, (lock) => lock && work());
}
