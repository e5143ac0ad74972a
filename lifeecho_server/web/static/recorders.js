// @ts-check
/** Two ways to record: raw samples by an AudioWorklet, or a browser's own stream. */

/**
 * What the bytes of a recording are, in the protocol's words.
 * @typedef {{format: string, sample_rate?: number}} Sound
 */

/**
 * @typedef {object} Ear told what is recorded
 * @property {(audio: ArrayBuffer, last: boolean) => void} slice
 * @property {(level: number) => void} level 0 to 1
 */

/**
 * @typedef {object} Recorder
 * @property {Sound} sound
 * @property {() => void} cut hand out what is there as a slice, now
 * @property {() => void} finish hand out the last slice
 */

/** Samples a second, as recognition wants them. */
const SAMPLE_RATE = 16_000;

/**
 * Bytes that end a recording and say nothing: a tenth of a second of silence, or an empty element
 * of the container (Matroska's Void, MP4's free box). An empty slice would count as none.
 * @param {Sound} sound
 * @returns {ArrayBuffer}
 */
export function closingBytes(sound) {
  if (sound.format === "webm") return new Uint8Array([0xec, 0x80]).buffer;
  if (sound.format === "mp4") return new Uint8Array([0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65]).buffer;
  return new ArrayBuffer(2 * Math.round((sound.sample_rate ?? SAMPLE_RATE) / 10));
}

/** Records 16-bit samples. The context is made early, so that talking can begin without network. */
export class WorkletRecording {
  /** @type {Promise<AudioContext> | null} */
  #context = null;

  static get possible() {
    return typeof AudioWorkletNode === "function";
  }

  /** Fetch what is needed. */
  prepare() {
    this.#context ??= this.#load({ sampleRate: SAMPLE_RATE });
    this.#context.catch(() => (this.#context = null));
    return this.#context;
  }

  /**
   * @param {MediaStream} stream
   * @param {number} sliceSeconds
   * @param {Ear} ear
   * @returns {Promise<Recorder>}
   */
  async start(stream, sliceSeconds, ear) {
    const [context, source] = await this.#source(stream);
    await context.resume();
    const node = new AudioWorkletNode(context, "slicer", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { sliceSeconds },
    });
    /** @type {Sound} */
    const sound = { format: "pcm_s16le", sample_rate: context.sampleRate };
    node.port.onmessage = ({ data: { level, audio, last } }) => {
      if (level !== undefined) return ear.level(level);
      if (last) {
        source.disconnect();
        void context.suspend();
      }
      ear.slice(audio.byteLength > 0 ? audio : closingBytes(sound), last);
    };
    source.connect(node);
    return {
      sound,
      cut: () => node.port.postMessage("cut"),
      finish: () => node.port.postMessage("finish"),
    };
  }

  /**
   * A browser that does not resample records at its own rate; the server takes any.
   * @param {MediaStream} stream
   * @returns {Promise<[AudioContext, MediaStreamAudioSourceNode]>}
   */
  async #source(stream) {
    let context = await this.prepare();
    try {
      return [context, context.createMediaStreamSource(stream)];
    } catch {
      this.#context = this.#load({});
      context = await this.#context;
      return [context, context.createMediaStreamSource(stream)];
    }
  }

  /** @param {AudioContextOptions} options */
  async #load(options) {
    const context = new AudioContext(options);
    await context.audioWorklet.addModule("/static/worklet.js");
    return context;
  }
}

const STREAMS = ["audio/webm;codecs=opus", "audio/mp4"];

/** Records a stream of the browser's making; a slice is its next piece. */
export class StreamRecording {
  static get possible() {
    return typeof MediaRecorder === "function";
  }

  async prepare() {}

  /**
   * @param {MediaStream} stream
   * @param {number} sliceSeconds
   * @param {Ear} ear
   * @returns {Promise<Recorder>}
   */
  async start(stream, sliceSeconds, ear) {
    const mimeType = STREAMS.find((type) => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(stream, { mimeType });
    /** @type {Sound} */
    const sound = { format: mimeType?.startsWith("audio/mp4") ? "mp4" : "webm" };
    /** @type {Blob[]} what came after `finish`: the last slice, once all of it is here */
    const rest = [];
    let order = Promise.resolve();
    const hand = (/** @type {Blob} */ piece, /** @type {boolean} */ last) => {
      order = order.then(async () => {
        const audio = await piece.arrayBuffer();
        if (last || audio.byteLength > 0) {
          ear.slice(audio.byteLength > 0 ? audio : closingBytes(sound), last);
        }
      });
    };
    recorder.ondataavailable = ({ data }) =>
      recorder.state === "inactive" ? rest.push(data) : hand(data, false);
    recorder.onstop = () => hand(new Blob(rest), true);
    recorder.start(sliceSeconds * 1000);
    return {
      sound,
      cut: () => recorder.state === "recording" && recorder.requestData(),
      finish: () => recorder.state !== "inactive" && recorder.stop(),
    };
  }
}
