// @ts-check
/** Runs in the audio thread: turns what the microphone gives into 16-bit slices. */

/* global registerProcessor, AudioWorkletProcessor, sampleRate */

/** Tells of the level this often, in seconds. */
const LEVEL_EVERY = 0.1;

class Slicer extends AudioWorkletProcessor {
  /** @param {{processorOptions: {sliceSeconds: number}}} options */
  constructor(options) {
    super();
    this.size = Math.round(options.processorOptions.sliceSeconds * sampleRate);
    this.samples = new Int16Array(this.size);
    this.filled = 0;
    this.loudest = 0;
    this.untilLevel = 0;
    this.running = true;
    this.port.onmessage = ({ data }) => {
      if (!this.running) return;
      if (data === "finish") this.running = false;
      if (data === "finish" || this.filled > 0) this.cut(data === "finish");
    };
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const channel = inputs[0]?.[0];
    if (!this.running || channel === undefined) return this.running;
    for (const value of channel) {
      const clipped = Math.max(-1, Math.min(1, value));
      this.samples[this.filled++] = Math.round(clipped * 32767);
      this.loudest = Math.max(this.loudest, Math.abs(clipped));
      if (this.filled === this.size) this.cut(false);
    }
    this.tellLevel(channel.length);
    return true;
  }

  /** @param {boolean} last */
  cut(last) {
    const audio = this.samples.slice(0, this.filled).buffer;
    this.filled = 0;
    this.port.postMessage({ audio, last }, [audio]);
  }

  /** @param {number} count samples since the last time */
  tellLevel(count) {
    this.untilLevel -= count;
    if (this.untilLevel > 0) return;
    this.port.postMessage({ level: this.loudest });
    this.untilLevel = LEVEL_EVERY * sampleRate;
    this.loudest = 0;
  }
}

registerProcessor("slicer", Slicer);
