// @ts-check
/** What the page itself says, in both languages. */

/** @typedef {"zh" | "en"} Language */

const WORDS = {
  zh: {
    history: "我们说过的话",
    interviewer: "倾听者",
    me: "我",
    chips: "可以聊的话题",
    talking: "说话",
    talk: "说话",
    done: "说完了",
    hush: "别念了",
    level: "音量",
    type: "也可以打字：",
    send: "发送",
    connecting: "正在连接……",
    connected: "已连接",
    lost: "连接断开了，正在重连。您说的话都保存在这里，连上后会自动送出。",
    ended: "这次谈话已经结束。",
    closed: "连接已关闭：",
    again: "重新连接",
    noToken: "缺少访问令牌。请用 lifeecho token 给出的链接打开：/#token=…",
    noSpeechModel: "还没有语音模型：录音会保存好，以后再转成文字。",
    recording: "● 正在录音",
    opening: "正在打开麦克风……",
    finishing: "正在收尾……",
    waiting: "还没送到的：",
    wordless: "（录音已经保存，文字以后再补）",
    nothingHeard: "没有听到话。",
    interrupted: "麦克风断开了。录到的都保存好了。",
    notSaved: "这台设备存不下录音，请不要关闭页面。",
    insecure: "浏览器只在安全的页面上给用麦克风：请用 https 或 localhost 打开。您可以打字。",
    noRecorder: "这个浏览器不会录音。您可以打字。",
    denied: "麦克风没有得到允许。请在浏览器里允许麦克风，再按一次。",
    noMicrophone: "没有找到麦克风。您可以打字。",
    microphoneFailed: "麦克风打不开。请再试一次，或者打字。",
  },
  en: {
    history: "What we said",
    interviewer: "Listener",
    me: "Me",
    chips: "Things to talk about",
    talking: "Talking",
    talk: "Talk",
    done: "Done",
    hush: "Stop speaking",
    level: "Loudness",
    type: "Or type:",
    send: "Send",
    connecting: "Connecting …",
    connected: "Connected",
    lost: "The connection is lost; trying again. What you say is kept here and sent when it is back.",
    ended: "This conversation has ended.",
    closed: "The connection was closed: ",
    again: "Connect again",
    noToken: "The access token is missing. Open the link with what `lifeecho token` prints: /#token=…",
    noSpeechModel: "No speech model yet: recordings are kept, and written down later.",
    recording: "● Recording",
    opening: "Opening the microphone …",
    finishing: "Finishing …",
    waiting: "Not delivered yet: ",
    wordless: "(a recording; it is kept, its words come later)",
    nothingHeard: "No words were heard.",
    interrupted: "The microphone went away. What was recorded is kept.",
    notSaved: "This device has no room for recordings: please do not close the page.",
    insecure: "A browser gives the microphone to secure pages only: open this one by https or localhost. You can type.",
    noRecorder: "This browser cannot record. You can type.",
    denied: "The microphone was not allowed. Allow it in the browser, then tap again.",
    noMicrophone: "No microphone was found. You can type.",
    microphoneFailed: "The microphone does not open. Try again, or type.",
  },
};

/** @typedef {{[name in keyof typeof WORDS.en]: string}} Words */

/**
 * @param {Language} language
 * @returns {Words}
 */
export function wordsOf(language) {
  return WORDS[language];
}

/**
 * The language of the page: what is asked for, else the browser's, else Chinese.
 * @param {string | null} asked
 * @param {readonly string[]} preferred
 * @returns {Language}
 */
export function chooseLanguage(asked, preferred) {
  for (const tag of [asked ?? "", ...preferred]) {
    const language = tag.slice(0, 2).toLowerCase();
    if (language === "zh" || language === "en") return language;
  }
  return "zh";
}
