// @ts-check
/** Builds the page's parts and ties them together. */

import { readAddress, socketAddress } from "./address.js";
import { Conversation } from "./conversation.js";
import { Kept, textKey } from "./kept.js";
import { Line } from "./line.js";
import { Outbox } from "./outbox.js";
import { Player } from "./player.js";
import { Talk } from "./talk.js";
import { View } from "./view.js";
import { wordsOf } from "./words.js";

const asked = readAddress();
const words = wordsOf(asked.language);
const view = new View(words, asked.language);
const player = new Player((text) => view.speaking(text));
const line = new Line(() => socketAddress(asked), {
  heard: (message) => conversation.heard(message),
  lost() {
    view.connection(words.lost);
    outbox.lost();
  },
  closed(code, reason) {
    if (code === 1000) return;
    view.connection(words.closed + reason, { word: "again", action: () => line.open() });
  },
});
const outbox = new Outbox(line, await Kept.open(), (...count) => view.waiting(...count));
const talk = new Talk(asked, outbox, line, {
  state: (state) => view.recording(state),
  level: (level) => view.level(level),
  ended: (session) => conversation.awaitWords(session),
  problem: (word) => view.problem(words[word]),
});
const conversation = new Conversation(view, outbox, player, talk, words, type);

/** Stop speaking, here at once and at the server. */
function hush() {
  player.stop();
  line.send({ type: "tts_cancel", data: {} });
}

/** The person begins to say something: the last trouble and the chips have had their time. */
function begin() {
  hush();
  view.problem("");
  view.feedback("");
  view.chips([], type);
}

/** @param {string} text */
function type(text) {
  begin();
  const key = textKey(crypto.randomUUID());
  const now = Date.now();
  view.say(key, "me", text);
  const { conversation: id } = asked;
  void outbox.add({ key, conversation: id, at: now, made: now, index: 0, text });
}

function tap() {
  if (talk.state === "idle") begin();
  void talk.tap();
}

async function start() {
  if (asked.token === null) {
    view.connection(words.noToken);
    view.allow(false, false);
    return;
  }
  view.connection(words.connecting);
  view.wire({ talk: tap, type, hush });
  if (talk.hindrance !== null) {
    view.problem(words[talk.hindrance]);
    view.allow(false, true);
  } else {
    void talk.recording.prepare();
  }
  await outbox.load(asked.conversation);
  await talk.endAbandoned();
  line.open();
}

addEventListener("hashchange", () => location.reload());
addEventListener("online", () => line.hurry());
addEventListener("offline", () => line.probe());
addEventListener("pagehide", () => talk.leaving());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") talk.leaving();
  else line.hurry();
});
for (const touch of ["click", "keyup"]) addEventListener(touch, () => player.unlock());

await start();
