// @ts-check
/** What the page's address asks for. Token and names stand in the fragment: no server sees it. */

import { chooseLanguage } from "./words.js";

/**
 * @typedef {object} Asked
 * @property {string | null} token
 * @property {string} conversation
 * @property {string | null} narrator
 * @property {import("./words.js").Language} language
 * @property {number} sliceSeconds length of a recording's slices
 * @property {boolean} deltas
 * @property {"worklet" | "media"} recorder
 */

const SLICE_SECONDS = 3;
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** @returns {Asked} */
export function readAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get("token");
  const narrator = fragment.get("narrator");
  const slice = Number(fragment.get("slice"));
  return {
    token,
    narrator,
    conversation: conversationOf(fragment.get("conversation"), token, narrator),
    language: chooseLanguage(new URLSearchParams(location.search).get("lang"), navigator.languages),
    sliceSeconds: slice >= 0.2 && slice <= 60 ? slice : SLICE_SECONDS,
    deltas: fragment.get("deltas") === "1",
    recorder: fragment.get("recorder") === "media" ? "media" : "worklet",
  };
}

/**
 * The address of the conversation's socket.
 * @param {Asked} asked
 */
export function socketAddress(asked) {
  const query = new URLSearchParams({ token: asked.token ?? "", lang: asked.language });
  if (asked.narrator) query.set("narrator", asked.narrator);
  if (asked.deltas) query.set("deltas", "1");
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/ws/conversation/${asked.conversation}?${query}`;
}

/**
 * The conversation that is asked for, else the one that this person had here last, else a new one.
 * @param {string | null} asked
 * @param {string | null} token
 * @param {string | null} narrator
 */
function conversationOf(asked, token, narrator) {
  if (asked !== null && ID.test(asked)) return asked;
  const place = `lifeecho.conversation/${subjectOf(token)}/${narrator ?? ""}`;
  try {
    const last = localStorage.getItem(place) ?? crypto.randomUUID();
    localStorage.setItem(place, last);
    return last;
  } catch {
    return crypto.randomUUID(); // storage is switched off
  }
}

/**
 * Whose token it is, unverified: only to tell people on one device apart.
 * @param {string | null} token
 * @returns {string}
 */
function subjectOf(token) {
  try {
    const claims = (token ?? "").split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return String(JSON.parse(atob(claims)).sub);
  } catch {
    return "";
  }
}
