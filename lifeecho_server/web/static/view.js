// @ts-check
/** What is seen. Knows the document, nothing of the protocol. */

/** @typedef {import("./words.js").Words} Words */

/** Items that are on their way at any time while somebody talks. */
const A_FEW = 3;

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

export class View {
  /** @type {Map<string, HTMLElement>} what was said, by a name of its own */
  #said = new Map();
  /** @type {Map<string, HTMLElement>} what is being said */
  #coming = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;
  #spoken = byId("speaking");
  #talk = /** @type {HTMLButtonElement} */ (byId("talk"));
  #text = /** @type {HTMLTextAreaElement} */ (byId("text"));
  #level = /** @type {HTMLMeterElement} */ (byId("level"));

  /**
   * @param {Words} words
   * @param {string} language
   */
  constructor(words, language) {
    this.words = words;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    for (const element of document.querySelectorAll("[data-words], [data-label]")) {
      const { words: text, label } = /** @type {HTMLElement} */ (element).dataset;
      if (text) element.textContent = words[/** @type {keyof Words} */ (text)];
      if (label) element.setAttribute("aria-label", words[/** @type {keyof Words} */ (label)]);
    }
  }

  /** @param {{talk: () => void, type: (text: string) => void, hush: () => void}} wishes */
  wire({ talk, type, hush }) {
    this.#talk.onclick = talk;
    byId("hush").onclick = hush;
    const form = /** @type {HTMLFormElement} */ (byId("typing"));
    form.onsubmit = (event) => {
      event.preventDefault();
      const text = this.#text.value.trim();
      if (text) type(text);
      this.#text.value = "";
    };
    this.#text.onkeydown = (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    };
  }

  /**
   * @param {string} text
   * @param {{word: keyof Words, action: () => void}} [offer]
   */
  connection(text, offer) {
    const place = byId("connection");
    place.textContent = text;
    if (offer !== undefined) place.append(" ", button(this.words[offer.word], offer.action));
  }

  /**
   * @param {number} count what is not delivered yet
   * @param {boolean} connected a few on their way are nothing to be told of then
   */
  waiting(count, connected) {
    const place = byId("waiting");
    place.dataset.count = String(count);
    place.textContent = count > (connected ? A_FEW : 0) ? `${this.words.waiting}${count}` : "";
  }

  /** @param {string} text */
  problem(text) {
    byId("problem").textContent = text;
    this.#follow();
  }

  /** @param {string} text */
  feedback(text) {
    byId("feedback").textContent = text;
    this.#follow();
  }

  /** @param {string | null} text */
  speaking(text) {
    this.#spoken.textContent = text ?? "";
    byId("hush").hidden = text === null;
    this.#follow();
  }

  /**
   * @param {{text: string, label: string}[]} chips
   * @param {(text: string) => void} chosen
   */
  chips(chips, chosen) {
    byId("chips").replaceChildren(
      ...chips.map(({ label, text }) => {
        const item = document.createElement("li");
        item.append(button(label, () => chosen(text)));
        return item;
      }),
    );
    this.#follow();
  }

  /**
   * Add what somebody has said, or change it.
   * @param {string} name
   * @param {"me" | "interviewer"} speaker
   * @param {string} text
   */
  say(name, speaker, text) {
    this.hush(name);
    let place = this.#said.get(name);
    if (place === undefined) {
      place = document.createElement("p");
      place.className = `said ${speaker}`;
      byId("history").append(place);
      this.#said.set(name, place);
    }
    place.replaceChildren(element("strong", this.words[speaker]), text);
    this.#follow();
  }

  /** @param {string} name */
  unsay(name) {
    this.hush(name);
    this.#said.get(name)?.remove();
    this.#said.delete(name);
  }

  /**
   * Show what is still being said: what will stay, and what may change.
   * @param {string} name
   * @param {"me" | "interviewer"} speaker
   * @param {string} stable
   * @param {string} unstable
   */
  coming(name, speaker, stable, unstable) {
    let place = this.#coming.get(name);
    if (place === undefined) {
      place = document.createElement("p");
      place.className = `said ${speaker}`;
      byId("coming").append(place);
      this.#coming.set(name, place);
    }
    const parts = [element("span", stable, "stable"), element("span", unstable, "unstable")];
    place.replaceChildren(element("strong", this.words[speaker]), ...parts);
    this.#follow();
  }

  /** @param {string} name */
  isComing(name) {
    return this.#coming.has(name);
  }

  /**
   * Take away what was being said under a name, or under all that begin with it.
   * @param {string} name
   */
  hush(name) {
    for (const [key, place] of this.#coming) {
      if (key !== name && !key.startsWith(`${name}/`)) continue;
      place.remove();
      this.#coming.delete(key);
    }
  }

  /** @param {string} text given back, unless something else is being typed */
  draft(text) {
    this.#text.value ||= text;
  }

  /** @param {import("./talk.js").State} state */
  recording(state) {
    const on = state === "recording";
    this.#talk.textContent = on ? this.words.done : this.words.talk;
    this.#talk.setAttribute("aria-pressed", String(on));
    byId("recording").textContent = state === "idle" ? "" : this.words[state];
    byId("recording").classList.toggle("on", on);
    this.#level.hidden = !on;
    clearInterval(this.#ticking);
    byId("clock").textContent = "";
    if (on) this.#tick(Date.now());
  }

  /** @param {number} level */
  level(level) {
    this.#level.value = level;
  }

  /** @param {boolean} talk @param {boolean} type */
  allow(talk, type) {
    this.#talk.disabled = !talk;
    for (const field of byId("typing").querySelectorAll("button, textarea")) {
      /** @type {HTMLButtonElement} */ (field).disabled = !type;
    }
  }

  /** Keep the newest in sight. */
  #follow() {
    const past = byId("past");
    past.scrollTop = past.scrollHeight;
  }

  /** @param {number} begun */
  #tick(begun) {
    const show = () => {
      const seconds = Math.floor((Date.now() - begun) / 1000);
      const rest = String(seconds % 60).padStart(2, "0");
      byId("clock").textContent = `${Math.floor(seconds / 60)}:${rest}`;
    };
    show();
    this.#ticking = setInterval(show, 1000);
  }
}

/**
 * @param {string} name
 * @param {string} text
 * @param {string} [kind]
 */
function element(name, text, kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

/**
 * @param {string} text
 * @param {() => void} action
 */
function button(text, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.onclick = action;
  return made;
}
