// @ts-check
/** What was said and has not been acknowledged yet, kept in IndexedDB over anything that happens. */

/**
 * Something to be delivered: a typed turn, or a slice of a recording.
 * @typedef {object} Item
 * @property {string} key
 * @property {string} conversation
 * @property {number} at when it was said (a recording: when it began), milliseconds of the epoch
 * @property {number} made when it was ready to be sent
 * @property {number} index of a slice in its recording; 0 for a text
 * @property {string} [text]
 * @property {string} [session]
 * @property {boolean} [last]
 * @property {import("./recorders.js").Sound} [sound]
 * @property {ArrayBuffer} [audio]
 */

/**
 * A recording that was begun and has not ended.
 * @typedef {object} Begun
 * @property {string} session
 * @property {string} conversation
 * @property {number} at
 * @property {number} next index of the slice to come
 * @property {import("./recorders.js").Sound} sound
 */

/** @param {string} id */
export const textKey = (id) => `text/${id}`;

/**
 * @param {string} session
 * @param {number} index
 */
export const sliceKey = (session, index) => `slice/${session}/${index}`;

export class Kept {
  /** @type {Map<string, Item>} what the database did not take */
  #loose = new Map();

  /** @param {IDBDatabase | null} database */
  constructor(database) {
    this.database = database;
  }

  /** @returns {Promise<Kept>} */
  static async open() {
    try {
      return new Kept(await openDatabase());
    } catch {
      return new Kept(null); // private windows of some browsers: kept as long as the page is open
    }
  }

  /**
   * Keep an item; a slice moves its recording on, the last one ends it.
   * @param {Item} item
   * @returns {Promise<boolean>} whether it outlives the page
   */
  async put(item) {
    try {
      await this.#write((items, begun) => {
        items.put(item);
        if (item.session === undefined || item.sound === undefined) return;
        const { session, conversation, at, sound } = item;
        if (item.last) begun.delete(session);
        else begun.put({ session, conversation, at, sound, next: item.index + 1 });
      });
      return true;
    } catch {
      this.#loose.set(item.key, item);
      return false;
    }
  }

  /**
   * @param {string} key
   * @returns {Promise<Item | undefined>}
   */
  async get(key) {
    return this.#loose.get(key) ?? this.#read("items", (items) => items.get(key));
  }

  /** @param {string} key */
  async remove(key) {
    this.#loose.delete(key);
    await this.#write((items) => items.delete(key)).catch(() => undefined);
  }

  /**
   * The keys of a conversation's items, in the order in which they were said.
   * @param {string} conversation
   * @returns {Promise<string[]>}
   */
  async keys(conversation) {
    const range = IDBKeyRange.bound([conversation], [conversation, []]);
    const read = (/** @type {IDBObjectStore} */ items) => items.index("order").getAllKeys(range);
    return /** @type {string[]} */ ((await this.#read("items", read)) ?? []);
  }

  /**
   * @param {string} conversation
   * @returns {Promise<Begun[]>}
   */
  async begun(conversation) {
    /** @type {Begun[]} */
    const all = (await this.#read("begun", (begun) => begun.getAll())) ?? [];
    return all.filter((one) => one.conversation === conversation);
  }

  /**
   * @param {(items: IDBObjectStore, begun: IDBObjectStore) => void} work
   * @returns {Promise<void>}
   */
  async #write(work) {
    if (this.database === null) throw new Error("nothing is kept here");
    const change = this.database.transaction(["items", "begun"], "readwrite");
    work(change.objectStore("items"), change.objectStore("begun"));
    return new Promise((resolve, reject) => {
      change.oncomplete = () => resolve();
      change.onabort = change.onerror = () => reject(change.error);
    });
  }

  /**
   * @param {"items" | "begun"} store
   * @param {(store: IDBObjectStore) => IDBRequest} ask
   * @returns {Promise<any>}
   */
  async #read(store, ask) {
    if (this.database === null) return undefined;
    return answered(ask(this.database.transaction(store).objectStore(store)));
  }
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  const request = indexedDB.open("lifeecho", 1);
  request.onupgradeneeded = () => {
    const items = request.result.createObjectStore("items", { keyPath: "key" });
    items.createIndex("order", ["conversation", "at", "index"]);
    request.result.createObjectStore("begun", { keyPath: "session" });
  };
  return answered(request);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
