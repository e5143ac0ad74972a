// @ts-check
/** The line to the server: one WebSocket at a time, opened again whenever it is lost. */

/**
 * @typedef {object} Message
 * @property {string} type
 * @property {any} data
 */

/**
 * @typedef {object} Listener
 * @property {(message: Message) => void} heard every message, `connect` first
 * @property {() => void} lost the connection is gone, and will be tried again
 * @property {(code: number, reason: string) => void} closed it was closed for good
 */

/** Close codes after which trying again by itself cannot help, or would fight another page. */
const FOR_GOOD = [1000, 1008, 4000];
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const PING_EVERY = 15_000;
/** Milliseconds of silence after a ping after which the line counts as dead. */
const PATIENCE = 10_000;

export class Line {
  /** @type {WebSocket | null} */
  #socket = null;
  #ready = false;
  #failures = 0;
  #heardAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /**
   * @param {() => string} address asked for at every attempt
   * @param {Listener} listener
   */
  constructor(address, listener) {
    this.address = address;
    this.listener = listener;
    setInterval(() => this.probe(), PING_EVERY);
  }

  /** Whether messages can be sent: the server has said `connect`. */
  get ready() {
    return this.#ready;
  }

  /** Connect now, in place of any connection or waiting there is. */
  open() {
    clearTimeout(this.#retry);
    this.#drop();
    const socket = new WebSocket(this.address());
    this.#socket = socket;
    socket.onmessage = (event) => this.#hear(event.data);
    socket.onclose = (event) => this.#gone(event.code, event.reason);
  }

  /** Connect at once if the line is waiting to try again. */
  hurry() {
    if (this.#retry !== undefined) this.open();
  }

  /** Find out whether the other side still answers. */
  probe() {
    const socket = this.#socket;
    if (!this.#ready || socket === null) return;
    const asked = performance.now();
    this.send({ type: "ping", data: {} });
    setTimeout(() => {
      if (socket === this.#socket && this.#heardAt < asked) this.#gone(1006, "");
    }, PATIENCE);
  }

  /**
   * @param {object | ArrayBuffer} message
   * @returns {boolean} whether it was handed to the network
   */
  send(message) {
    if (!this.#ready || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(message instanceof ArrayBuffer ? message : JSON.stringify(message));
    return true;
  }

  /** @param {string} text */
  #hear(text) {
    this.#heardAt = performance.now();
    const message = JSON.parse(text);
    if (message.type === "connect") {
      this.#ready = true;
      this.#failures = 0;
    }
    this.listener.heard(message);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #gone(code, reason) {
    this.#drop();
    if (FOR_GOOD.includes(code)) {
      this.listener.closed(code, reason);
      return;
    }
    const wait = Math.min(FIRST_WAIT * 2 ** this.#failures, LONGEST_WAIT);
    this.#failures += 1;
    this.#retry = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
    this.listener.lost();
  }

  #drop() {
    this.#retry = undefined;
    this.#ready = false;
    if (this.#socket === null) return;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }
}
